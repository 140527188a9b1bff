//! Fetches of the cookie in an RDP client's first packet (manual, section 7.3.5; MS-RDPBCGR, 2.2.1.1).

use super::REQUEST;
use crate::args::Args;
use crate::context::{Context, Side};
use crate::expression::Fetched;
use crate::kind::Kind::{Int, Str};
use crate::registry::{Fetch, Run};
use crate::value::Sample;

pub(super) const FETCHES: &[Fetch] = &[
    Fetch::new("rdp_cookie", "[string]", Str, REQUEST, Run::Call(cookie)),
    Fetch::new(
        "rdp_cookie_cnt",
        "[string]",
        Int,
        REQUEST,
        Run::Call(cookie_cnt),
    ),
    Fetch::new(
        "req.rdp_cookie",
        "[string]",
        Str,
        REQUEST,
        Run::Call(cookie),
    ),
    Fetch::new(
        "req.rdp_cookie_cnt",
        "[string]",
        Int,
        REQUEST,
        Run::Call(cookie_cnt),
    ),
];

/// What is known of the cookie.
enum Found<'p> {
    Value(&'p [u8]),
    /// There is none, or none of the name.
    None,
    /// The packet is not whole.
    Short,
}

/// The bytes before the cookie: TPKT's header of 4, X.224's of 7.
const HEADERS: usize = 11;
const FIELD: &[u8] = b"Cookie:";

/// Finds the value of the cookie, if it has the name that is asked for; an empty name is any.
fn find<'p>(packet: &'p [u8], name: &[u8]) -> Found<'p> {
    let Some(rest) = packet.get(HEADERS..) else {
        return Found::Short;
    };
    let Some(field) = rest.get(..FIELD.len()) else {
        return Found::Short;
    };
    if !field.eq_ignore_ascii_case(FIELD) {
        return Found::None;
    }
    let rest = rest
        .get(FIELD.len()..)
        .unwrap_or_default()
        .trim_ascii_start();
    let Some(equal) = rest.iter().position(|byte| matches!(byte, b'=' | b'\r')) else {
        return Found::Short;
    };
    let (found, value) = rest.split_at_checked(equal).unwrap_or_default();
    let wanted = name.is_empty() || found.eq_ignore_ascii_case(name);
    if found.is_empty() || !wanted || value.first() != Some(&b'=') {
        return Found::None;
    }
    let value = value.get(1..).unwrap_or_default();
    let end = value.windows(2).position(|pair| pair == b"\r\n");
    match end.and_then(|end| value.get(..end)) {
        Some(value) => Found::Value(value),
        None => Found::Short,
    }
}

fn of_packet<'a>(
    args: &'a Args,
    ctx: &'a dyn Context,
    make: fn(Option<&'a [u8]>) -> Option<Sample<'a>>,
) -> Fetched<'a> {
    let Some(payload) = ctx.payload(Side::Request) else {
        return Fetched::settled(None);
    };
    match find(payload.bytes, args.text(0).unwrap_or_default()) {
        Found::Value(value) => Fetched::settled(make(Some(value))),
        Found::None => Fetched::settled(make(None)),
        Found::Short if payload.growing => Fetched::wait(),
        Found::Short => Fetched::settled(None),
    }
}

fn cookie<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let value = |value: Option<&'a [u8]>| value.filter(|value| !value.is_empty()).map(Sample::text);
    of_packet(args, ctx, value)
}

fn cookie_cnt<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    of_packet(args, ctx, |value| Some(Sample::Int(value.is_some().into())))
}
