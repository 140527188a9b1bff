//! `dump_all_vars` (manual, section 7.3.2): variables with their values, written as one text.

use isthmus_pattern::write_ip;

use super::EVERYWHERE;
use crate::args::{Args, CompileEnv};
use crate::cast::write_int;
use crate::context::Context;
use crate::expression::Fetched;
use crate::kind::Kind::Str;
use crate::registry::{Fetch, Run};
use crate::value::Sample;
use crate::variable::Scope;

/// The text is whole or it is none (manual): a client that fills variables must not make logs and
/// fields of any length. It is `tune.bufsize`'s default.
const MOST: usize = 16 * 1024;

pub(super) const FETCHES: &[Fetch] = &[Fetch::new(
    "dump_all_vars",
    "[string,string,string]",
    Str,
    EVERYWHERE,
    Run::Call(dump),
)
.preparing(prepare)];

/// The scopes that can be asked for, in the order in which all of them are written.
const SCOPES: [(&str, Scope); 5] = [
    ("sess", Scope::Sess),
    ("txn", Scope::Txn),
    ("req", Scope::Req),
    ("res", Scope::Res),
    ("proc", Scope::Proc),
];

fn is_asked(args: &Args, name: &str) -> bool {
    args.text(0)
        .is_none_or(|wanted| wanted.is_empty() || wanted == name.as_bytes())
}

fn prepare(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let known = SCOPES.iter().any(|(name, _)| is_asked(args, name));
    known
        .then_some(())
        .ok_or_else(|| "the scope is 'sess', 'txn', 'req', 'res' or 'proc'".into())
}

fn dump<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let prefix = args.text(1).unwrap_or_default();
    let between = args.text(2).filter(|text| !text.is_empty());
    let between = between.unwrap_or(b", ");
    let mut out = Vec::new();
    for (label, scope) in SCOPES.iter().filter(|(label, _)| is_asked(args, label)) {
        ctx.each_variable(*scope, &mut |name, value| {
            if !name.starts_with(prefix) || out.len() > MOST {
                return;
            }
            if !out.is_empty() {
                out.extend_from_slice(between);
            }
            out.extend_from_slice(label.as_bytes());
            out.push(b'.');
            out.extend_from_slice(name);
            out.push(b'=');
            write(value, &mut out);
        });
    }
    Fetched::settled((out.len() <= MOST).then(|| Sample::owned_text(out)))
}

/// A value as its type asks: text in quotes, bytes in hexadecimal digits behind an `x`.
fn write(value: &Sample<'_>, out: &mut Vec<u8>) {
    match value {
        Sample::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Sample::Int(value) => write_int(*value, out),
        Sample::Ipv4(ip) => write_ip((*ip).into(), out),
        Sample::Ipv6(ip) => write_ip((*ip).into(), out),
        Sample::Str(text) => quote(text, out),
        Sample::Bin(bytes) => {
            out.push(b'x');
            out.extend(
                bytes
                    .iter()
                    .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]),
            );
        }
    }
}

fn digit(value: u8) -> u8 {
    value + if value < 10 { b'0' } else { b'a' - 10 }
}

fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        let escaped = match byte {
            b'"' | b'\\' => *byte,
            b'\r' => b'r',
            b'\n' => b'n',
            8 => b'b',
            0 => b'0',
            _ => {
                out.push(*byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', escaped]);
    }
    out.push(b'"');
}
