//! Fetches of what the client's ClientHello offered (manual, section 7.3.4), as far as it is
//! captured (`tune.ssl.capture-buffer-size`): what fingerprints such as JA3 are made of.

use super::SESSION;
use super::tls_connection::need_hellos;
use crate::args::{Args, CompileEnv};
use crate::context::{Context, Side};
use crate::expression::Fetched;
use crate::kind::Kind::{self, Bin, Int, Str};
use crate::registry::{Fetch, Run};
use crate::tls::{Lists, cipher_name, without_grease};
use crate::value::Sample;

/// A list of a ClientHello.
type Read = fn(&Lists) -> &[u8];

/// A list of numbers, with GREASE left out where the argument is 1.
macro_rules! numbers {
    ($name:literal, $output:ident, $read:expr) => {
        numbers!($name, $output, $read, |list| Sample::Bin(list.into()))
    };
    ($name:literal, $output:ident, $read:expr, $write:expr) => {
        numbers_row(
            $name,
            $output,
            Run::Call(|args, ctx| filtered(args, ctx, $read, $write)),
        )
    };
}

const fn numbers_row(name: &'static str, output: Kind, run: Run) -> Fetch {
    Fetch::new(name, "[integer]", output, SESSION, run).preparing(prepare)
}

pub(super) const FETCHES: &[Fetch] = &[
    numbers!("ssl_fc_cipherlist_bin", Str, |lists| &lists.ciphers),
    numbers!(
        "ssl_fc_cipherlist_hex",
        Bin,
        |lists| &lists.ciphers,
        hexadecimal
    ),
    numbers!("ssl_fc_cipherlist_str", Str, |lists| &lists.ciphers, names),
    Fetch::new(
        "ssl_fc_cipherlist_xxh",
        "",
        Int,
        SESSION,
        Run::Call(|_, ctx| {
            let lists = lists(ctx);
            Fetched::settled(lists.map(|lists| Sample::Int(lists.ciphers_hash as i64)))
        }),
    )
    .preparing(need_hellos),
    Fetch::new(
        "ssl_fc_ecformats_bin",
        "",
        Str,
        SESSION,
        Run::Call(|_, ctx| {
            let formats = lists(ctx).map(|lists| &lists.point_formats);
            Fetched::settled(formats.map(|list| Sample::Bin(list.as_slice().into())))
        }),
    )
    .preparing(need_hellos),
    numbers!("ssl_fc_eclist_bin", Str, |lists| &lists.groups),
    numbers!("ssl_fc_extlist_bin", Str, |lists| &lists.extensions),
    Fetch::new(
        "ssl_fc_protocol_hello_id",
        "",
        Int,
        SESSION,
        Run::Call(|_, ctx| {
            let greeting = ctx
                .tls(Side::Request)
                .and_then(|facts| facts.greeting.as_ref());
            let captured = greeting.filter(|greeting| greeting.lists.is_some());
            Fetched::settled(captured.map(|greeting| Sample::Int(greeting.version.into())))
        }),
    )
    .preparing(need_hellos),
    numbers!("ssl_fc_sigalgs_bin", Bin, |lists| &lists.schemes),
    numbers!("ssl_fc_supported_versions_bin", Bin, |lists| &lists
        .versions),
];

/// The argument is 0 for all, 1 for all but GREASE (RFC 8701).
fn prepare(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    match args.int(0) {
        None | Some(0 | 1) => need_hellos(args, env),
        Some(_) => Err("0 asks for all values, 1 for all but GREASE".into()),
    }
}

fn lists(ctx: &dyn Context) -> Option<&Lists> {
    let greeting = ctx.tls(Side::Request)?.greeting.as_ref();
    greeting?.lists.as_deref()
}

fn filtered<'a>(
    args: &'a Args,
    ctx: &'a dyn Context,
    read: Read,
    write: fn(Vec<u8>) -> Sample<'a>,
) -> Fetched<'a> {
    Fetched::settled(lists(ctx).map(|lists| {
        let list = read(lists);
        write(match args.int(0) {
            Some(1) => without_grease(list),
            _ => list.to_vec(),
        })
    }))
}

fn hexadecimal<'a>(list: Vec<u8>) -> Sample<'a> {
    let mut text = Vec::with_capacity(list.len() * 2);
    isthmus_pattern::to_hex(&list, &mut text);
    Sample::owned_text(text)
}

/// OpenSSL's names, separated by commas.
fn names<'a>(list: Vec<u8>) -> Sample<'a> {
    let numbers = list.chunks_exact(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    });
    let names: Vec<_> = numbers
        .map(|number| match cipher_name(number) {
            Some(name) => name.to_owned(),
            None => format!("UNKNOWN({number:04x})"),
        })
        .collect();
    Sample::owned_text(names.join(",").into_bytes())
}
