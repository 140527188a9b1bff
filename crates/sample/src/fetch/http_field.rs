//! Fetches of a head's fields (manual, section 7.3.6): by commas (`hdr`) or whole (`fhdr`).

use std::net::IpAddr;

use isthmus_proto::http1::View;

use super::{EITHER, REQUEST, RESPONSE};
use crate::args::{ArgValue, Args, CompileEnv};
use crate::kind::Kind::{self, Addr, Bin, Int, Str};
use crate::kind::Validity;
use crate::registry::{Each, Fetch, HeadRead, HeadVisit, Of, Run, Visit};
use crate::value::Sample;

/// A fetch whose occurrences an ACL tries one after the other.
const fn listed(
    name: &'static str,
    output: Kind,
    (of, valid): (Of, Validity),
    read: HeadRead,
    each: HeadVisit,
) -> Fetch {
    Fetch::new(name, "[string,integer]", output, valid, Run::Head(of, read))
        .preparing(prepare)
        .iterating(Each::Head(of, each))
}

const fn counted(name: &'static str, (of, valid): (Of, Validity), read: HeadRead) -> Fetch {
    Fetch::new(name, "[string]", Int, valid, Run::Head(of, read)).preparing(prepare)
}

const REQ: (Of, Validity) = (Of::Request, REQUEST);
const RES: (Of, Validity) = (Of::Response, RESPONSE);

pub(super) const FETCHES: &[Fetch] = &[
    listed("hdr", Str, (Of::Either, EITHER), hdr, each_hdr),
    counted("hdr_cnt", REQ, hdr_cnt),
    listed("hdr_ip", Addr, REQ, hdr_ip, each_hdr_ip),
    listed("hdr_val", Int, REQ, hdr_val, each_hdr_val),
    listed("req.fhdr", Str, REQ, fhdr, each_fhdr),
    counted("req.fhdr_cnt", REQ, fhdr_cnt),
    listed("req.hdr", Str, REQ, hdr, each_hdr),
    counted("req.hdr_cnt", REQ, hdr_cnt),
    listed("req.hdr_ip", Addr, REQ, hdr_ip, each_hdr_ip),
    Fetch::new(
        "req.hdr_names",
        "[string]",
        Str,
        REQUEST,
        Run::Head(Of::Request, names),
    ),
    listed("req.hdr_val", Int, REQ, hdr_val, each_hdr_val),
    Fetch::new("req.hdrs", "", Bin, REQUEST, Run::Head(Of::Request, hdrs)),
    Fetch::new(
        "req.hdrs_bin",
        "",
        Bin,
        REQUEST,
        Run::Head(Of::Request, hdrs_bin),
    ),
    listed("res.fhdr", Str, RES, fhdr, each_fhdr),
    counted("res.fhdr_cnt", RES, fhdr_cnt),
    listed("res.hdr", Str, RES, hdr, each_hdr),
    counted("res.hdr_cnt", RES, hdr_cnt),
    listed("res.hdr_ip", Addr, RES, hdr_ip, each_hdr_ip),
    Fetch::new(
        "res.hdr_names",
        "[string]",
        Str,
        RESPONSE,
        Run::Head(Of::Response, names),
    ),
    listed("res.hdr_val", Int, RES, hdr_val, each_hdr_val),
    Fetch::new("res.hdrs", "", Bin, RESPONSE, Run::Head(Of::Response, hdrs)),
    Fetch::new(
        "res.hdrs_bin",
        "",
        Bin,
        RESPONSE,
        Run::Head(Of::Response, hdrs_bin),
    ),
    listed("shdr", Str, RES, hdr, each_hdr),
    counted("shdr_cnt", RES, hdr_cnt),
    listed("shdr_ip", Addr, RES, hdr_ip, each_hdr_ip),
    listed("shdr_val", Int, RES, hdr_val, each_hdr_val),
];

/// Names are compared in lower case, as heads hold them; no name stands for every field.
fn prepare(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let name = args.text(0).unwrap_or_default().to_ascii_lowercase();
    let name = if name.is_empty() {
        ArgValue::Absent
    } else {
        ArgValue::Str(name.into())
    };
    args.set(0, name);
    Ok(())
}

/// How a value is cut into occurrences.
type Cut = for<'v> fn(&'v [u8], &mut dyn FnMut(&'v [u8]) -> bool) -> bool;

/// The whole value is one.
fn whole<'v>(value: &'v [u8], each: &mut dyn FnMut(&'v [u8]) -> bool) -> bool {
    each(value)
}

/// What stands between commas outside quotes (RFC 9110, 5.6.1), empty elements included.
fn by_commas<'v>(value: &'v [u8], each: &mut dyn FnMut(&'v [u8]) -> bool) -> bool {
    let mut rest = Some(value);
    while let Some(text) = rest {
        let (element, behind) = split_quoted(text, b",");
        if !each(element.trim_ascii()) {
            return false;
        }
        rest = behind;
    }
    true
}

/// Splits before the first of some bytes that stands outside double quotes, in which a backslash
/// takes the next byte as it is; what is behind it, if there is one.
pub(super) fn split_quoted<'v>(text: &'v [u8], stops: &[u8]) -> (&'v [u8], Option<&'v [u8]>) {
    let (mut quoted, mut escaped) = (false, false);
    let stop = text.iter().position(|byte| {
        if escaped {
            escaped = false;
        } else if *byte == b'"' {
            quoted = !quoted;
        } else if quoted {
            escaped = *byte == b'\\';
        } else {
            return stops.contains(byte);
        }
        false
    });
    match stop.and_then(|stop| text.split_at_checked(stop)) {
        Some((before, behind)) => (before, behind.get(1..)),
        None => (text, None),
    }
}

/// Calls `each` with every occurrence of the field that the arguments name, until it returns
/// false.
fn occurrences<'a>(args: &Args, view: View<'a>, cut: Cut, each: &mut dyn FnMut(&'a [u8]) -> bool) {
    let wanted = args.text(0);
    view.for_each_id(|_, name, value| {
        wanted.is_some_and(|wanted| wanted != name) || cut(value, each)
    });
}

/// The occurrence that the second argument asks for: from the first one, or, below 0, from the
/// last one, which is meant without it. What makes no sample is no occurrence to ACLs, but counts here.
fn chosen<'a>(args: &Args, view: View<'a>, cut: Cut) -> Option<&'a [u8]> {
    let at = args.int(1).filter(|at| *at != 0).unwrap_or(-1);
    let wanted = if at > 0 {
        at
    } else {
        all(args, view, cut).checked_add(at)?.checked_add(1)?
    };
    let (mut seen, mut found) = (0, None);
    occurrences(args, view, cut, &mut |value| {
        seen += 1;
        found = (seen == wanted).then_some(value);
        seen != wanted
    });
    found
}

/// How many occurrences there are.
fn all(args: &Args, view: View<'_>, cut: Cut) -> i64 {
    let mut number = 0;
    occurrences(args, view, cut, &mut |_| {
        number += 1;
        true
    });
    number
}

/// Visits the one occurrence that is asked for, or every one.
fn visit<'a>(
    args: &Args,
    view: View<'a>,
    cut: Cut,
    make: fn(&'a [u8]) -> Option<Sample<'a>>,
    visit: &mut Visit<'_, 'a>,
) {
    if args.int(1).is_some_and(|at| at != 0) {
        if let Some(sample) = chosen(args, view, cut).and_then(make) {
            visit(sample);
        }
        return;
    }
    occurrences(args, view, cut, &mut |value| {
        make(value).is_none_or(&mut *visit)
    });
}

fn text(value: &[u8]) -> Option<Sample<'_>> {
    Some(Sample::text(value))
}

/// Digits at the beginning; nothing of the kind is 0.
fn integer(value: &[u8]) -> Option<Sample<'_>> {
    Some(Sample::Int(isthmus_pattern::leading_int(value)))
}

/// An address; an IPv4 address may have a port behind it, which is dropped.
fn address(value: &[u8]) -> Option<Sample<'_>> {
    let value = std::str::from_utf8(value).ok()?;
    if let Ok(ip) = value.parse::<IpAddr>() {
        return Some(Sample::from(ip));
    }
    let (ip, port) = value.split_once(':')?;
    port.parse::<u16>().ok()?;
    port.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(())?;
    Some(Sample::Ipv4(ip.parse().ok()?))
}

fn hdr<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    chosen(args, view, by_commas).and_then(text)
}

fn hdr_val<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    chosen(args, view, by_commas).and_then(integer)
}

fn hdr_ip<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    chosen(args, view, by_commas).and_then(address)
}

fn fhdr<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    chosen(args, view, whole).and_then(text)
}

fn each_hdr<'a>(args: &'a Args, view: View<'a>, each: &mut Visit<'_, 'a>) {
    visit(args, view, by_commas, text, each);
}

fn each_hdr_val<'a>(args: &'a Args, view: View<'a>, each: &mut Visit<'_, 'a>) {
    visit(args, view, by_commas, integer, each);
}

fn each_hdr_ip<'a>(args: &'a Args, view: View<'a>, each: &mut Visit<'_, 'a>) {
    visit(args, view, by_commas, address, each);
}

fn each_fhdr<'a>(args: &'a Args, view: View<'a>, each: &mut Visit<'_, 'a>) {
    visit(args, view, whole, text, each);
}

fn number<'a>(args: &Args, view: View<'_>, cut: Cut) -> Option<Sample<'a>> {
    Some(Sample::Int(all(args, view, cut)))
}

fn hdr_cnt<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    number(args, view, by_commas)
}

fn fhdr_cnt<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    number(args, view, whole)
}

/// The names, separated by the first byte of the argument or a comma.
fn names<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    let delimiter = args
        .text(0)
        .and_then(|text| text.first())
        .copied()
        .unwrap_or(b',');
    let mut out = Vec::new();
    view.for_each_id(|_, name, _| {
        if !out.is_empty() {
            out.push(delimiter);
        }
        out.extend_from_slice(name);
        true
    });
    Some(Sample::owned_text(out))
}

/// Every field on a line of its own, and the empty line behind them.
fn hdrs<'a>(_args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    let mut out = Vec::new();
    view.for_each_id(|_, name, value| {
        for part in [name, b": ", value, b"\r\n"] {
            out.extend_from_slice(part);
        }
        true
    });
    out.extend_from_slice(b"\r\n");
    Some(Sample::Bin(out.into()))
}

/// Names and values, each behind its length, and a pair of empty ones.
fn hdrs_bin<'a>(_args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    let mut out = Vec::new();
    view.for_each_id(|_, name, value| {
        for part in [name, value] {
            write_length(part.len(), &mut out);
            out.extend_from_slice(part);
        }
        true
    });
    out.extend_from_slice(&[0, 0]);
    Some(Sample::Bin(out.into()))
}

/// A length as SPOE writes it (SPOE.txt, 3.1): below 240 one byte; else the low four bits with
/// 0xf0, then seven bits for each byte but the last.
fn write_length(length: usize, out: &mut Vec<u8>) {
    let low = |value: usize| u8::try_from(value & 0xff).unwrap_or_default();
    if length < 240 {
        out.push(low(length));
        return;
    }
    out.push(low(length) | 0xf0);
    let mut rest = (length - 240) >> 4;
    while rest >= 128 {
        out.push(low(rest) | 0x80);
        rest = (rest - 128) >> 7;
    }
    out.push(low(rest));
}

/// The value of Host, which a request has once at most.
pub(super) fn host(view: View<'_>) -> Option<&[u8]> {
    let mut found = None;
    view.for_each_id(|_, name, value| {
        if name == b"host" {
            found = Some(value);
        }
        found.is_none()
    });
    found
}
