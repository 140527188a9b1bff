//! Fetches whose value stands in the configuration (manual, section 7.3.2).

use std::borrow::Cow;
use std::net::IpAddr;

use super::EVERYWHERE;
use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::expression::Fetched;
use crate::kind::Kind;
use crate::registry::{Fetch, Run};
use crate::value::Sample;

pub(super) const FETCHES: &[Fetch] = &[
    Fetch::new(
        "always_false",
        "",
        Kind::Bool,
        EVERYWHERE,
        Run::Call(always_false),
    ),
    Fetch::new(
        "always_true",
        "",
        Kind::Bool,
        EVERYWHERE,
        Run::Call(always_true),
    ),
    Fetch::new("bin", "string", Kind::Bin, EVERYWHERE, Run::Call(constant)).preparing(prepare_bin),
    Fetch::new(
        "bool",
        "string",
        Kind::Bool,
        EVERYWHERE,
        Run::Call(constant),
    )
    .preparing(prepare_bool),
    Fetch::new("env", "string", Kind::Str, EVERYWHERE, Run::Call(constant)).preparing(prepare_env),
    Fetch::new("int", "integer", Kind::Int, EVERYWHERE, Run::Call(constant)).preparing(prepare_int),
    Fetch::new(
        "ipv4",
        "IPv4 address",
        Kind::Ipv4,
        EVERYWHERE,
        Run::Call(constant),
    )
    .preparing(prepare_ip),
    Fetch::new(
        "ipv6",
        "IPv6 address",
        Kind::Ipv6,
        EVERYWHERE,
        Run::Call(constant),
    )
    .preparing(prepare_ip),
    Fetch::new(
        "meth",
        "string",
        Kind::Meth,
        EVERYWHERE,
        Run::Call(constant),
    )
    .preparing(prepare_str),
    Fetch::new("str", "string", Kind::Str, EVERYWHERE, Run::Call(constant)).preparing(prepare_str),
];

fn always_true<'a>(_args: &'a Args, _ctx: &'a dyn Context) -> Fetched<'a> {
    Fetched::known(Sample::Bool(true))
}

fn always_false<'a>(_args: &'a Args, _ctx: &'a dyn Context) -> Fetched<'a> {
    Fetched::known(Sample::Bool(false))
}

fn constant<'a>(args: &'a Args, _ctx: &'a dyn Context) -> Fetched<'a> {
    let ArgValue::Sample(value) = args.get(0) else {
        return Fetched::settled(None);
    };
    Fetched::known(match value {
        Sample::Str(text) => Sample::Str(Cow::Borrowed(text)),
        Sample::Bin(bytes) => Sample::Bin(Cow::Borrowed(bytes)),
        other => other.clone(),
    })
}

fn prepare_str(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let text = args.text(0).ok_or("a string is expected")?.to_vec();
    args.set(0, ArgValue::Sample(Sample::owned_text(text)));
    Ok(())
}

fn prepare_env(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    let name = args
        .text(0)
        .ok_or("the name of an environment variable is expected")?;
    match (env.env)(name) {
        Some(value) => args.set(0, ArgValue::Sample(Sample::owned_text(value))),
        None => args.set(0, ArgValue::Absent),
    }
    Ok(())
}

fn prepare_int(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let value = args.int(0).ok_or("an integer is expected")?;
    args.set(0, ArgValue::Sample(Sample::Int(value)));
    Ok(())
}

fn prepare_bool(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let value = match args.get(0) {
        ArgValue::Int(value) => *value != 0,
        ArgValue::Str(text) => match &**text {
            word if word.eq_ignore_ascii_case(b"true") || word == b"1" => true,
            word if word.eq_ignore_ascii_case(b"false") || word == b"0" => false,
            _ => return Err("'true', 'false', '1' or '0' is expected".into()),
        },
        _ => return Err("'true', 'false', '1' or '0' is expected".into()),
    };
    args.set(0, ArgValue::Sample(Sample::Bool(value)));
    Ok(())
}

fn prepare_bin(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let text = args.text(0).ok_or("hexadecimal digits are expected")?;
    let bytes = isthmus_pattern::from_hex(text)
        .ok_or("an even number of hexadecimal digits is expected")?;
    args.set(0, ArgValue::Sample(Sample::Bin(bytes.into())));
    Ok(())
}

fn prepare_ip(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let ip: IpAddr = match args.get(0) {
        ArgValue::Ip(ip) => *ip,
        ArgValue::Str(text) => std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or("an IP address is expected")?,
        _ => return Err("an IP address is expected".into()),
    };
    args.set(0, ArgValue::Sample(Sample::from(ip)));
    Ok(())
}
