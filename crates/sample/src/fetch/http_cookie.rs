//! Fetches of cookies (manual, section 7.3.6; RFC 6265, 4.1 and 4.2).
//!
//! A Cookie field is a list of pairs between semicolons; commas divide it too, as old clients
//! write it. A Set-Cookie field's pair stands before the first semicolon, behind which are
//! attributes. A value may be quoted, and keeps its quotes.

use isthmus_proto::http1::View;

use super::http_field::split_quoted;
use super::message::count;
use super::{EITHER, REQUEST, RESPONSE};
use crate::args::Args;
use crate::kind::Kind::{self, Int, Str};
use crate::kind::Validity;
use crate::registry::{Each, Fetch, HeadRead, HeadVisit, Of, Run, Visit};
use crate::value::Sample;

const fn listed(
    name: &'static str,
    output: Kind,
    (of, valid): (Of, Validity),
    read: HeadRead,
    each: HeadVisit,
) -> Fetch {
    Fetch::new(name, "[string]", output, valid, Run::Head(of, read)).iterating(Each::Head(of, each))
}

const fn plain(
    name: &'static str,
    output: Kind,
    (of, valid): (Of, Validity),
    read: HeadRead,
) -> Fetch {
    Fetch::new(name, "[string]", output, valid, Run::Head(of, read))
}

const REQ: (Of, Validity) = (Of::Request, REQUEST);
const RES: (Of, Validity) = (Of::Response, RESPONSE);

pub(super) const FETCHES: &[Fetch] = &[
    listed("cook", Str, REQ, cook, each_cook),
    plain("cook_cnt", Int, REQ, cook_cnt),
    listed("cook_val", Int, REQ, cook_val, each_cook_val),
    listed("cookie", Str, (Of::Either, EITHER), cook, each_cook),
    listed("req.cook", Str, REQ, cook, each_cook),
    plain("req.cook_cnt", Int, REQ, cook_cnt),
    plain("req.cook_names", Str, REQ, names),
    listed("req.cook_val", Int, REQ, cook_val, each_cook_val),
    listed("res.cook", Str, RES, cook, each_cook),
    plain("res.cook_cnt", Int, RES, cook_cnt),
    plain("res.cook_names", Str, RES, names),
    listed("res.cook_val", Int, RES, cook_val, each_cook_val),
    listed("scook", Str, RES, cook, each_cook),
    plain("scook_cnt", Int, RES, cook_cnt),
    listed("scook_val", Int, RES, cook_val, each_cook_val),
];

/// Calls `each` with the name and value of every cookie, until it returns false.
fn cookies<'a>(view: View<'a>, each: &mut dyn FnMut(&'a [u8], &'a [u8]) -> bool) {
    let request = view.is_request();
    let wanted: &[u8] = if request { b"cookie" } else { b"set-cookie" };
    view.for_each_id(|_, name, value| {
        if name != wanted {
            return true;
        }
        let (pairs, stops): (_, &[u8]) = if request {
            (value, b";,")
        } else {
            (split_quoted(value, b";").0, b",")
        };
        pairs_of(pairs, stops, each)
    });
}

/// The pairs of a list. What has no `=` is no cookie, and `$` begins what is told about the
/// cookies before it (RFC 2965).
fn pairs_of<'a>(
    list: &'a [u8],
    stops: &[u8],
    each: &mut dyn FnMut(&'a [u8], &'a [u8]) -> bool,
) -> bool {
    let mut rest = Some(list);
    while let Some(text) = rest {
        let (pair, behind) = split_quoted(text, stops);
        rest = behind;
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (Some(name), Some(value)) = (halves.next(), halves.next()) else {
            continue;
        };
        let name = name.trim_ascii();
        if !name.starts_with(b"$") && !each(name, value.trim_ascii()) {
            return false;
        }
    }
    true
}

/// The name that the argument asks for; none stands for any.
fn wanted(args: &Args) -> Option<&[u8]> {
    args.text(0).filter(|name| !name.is_empty())
}

/// The last cookie of the name that is asked for, or the first of all.
fn chosen<'a>(args: &Args, view: View<'a>) -> Option<&'a [u8]> {
    let wanted = wanted(args);
    let mut found = None;
    cookies(view, &mut |name, value| {
        if wanted.is_none_or(|wanted| wanted == name) {
            found = Some(value);
        }
        found.is_none() || wanted.is_some()
    });
    found
}

fn visit<'a>(args: &Args, view: View<'a>, each: &mut dyn FnMut(&'a [u8]) -> bool) {
    let wanted = wanted(args);
    cookies(view, &mut |name, value| {
        wanted.is_some_and(|wanted| wanted != name) || each(value)
    });
}

fn integer(value: &[u8]) -> Sample<'_> {
    Sample::Int(isthmus_pattern::leading_int(value))
}

fn cook<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    chosen(args, view).map(Sample::text)
}

fn cook_val<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    chosen(args, view).map(integer)
}

fn each_cook<'a>(args: &'a Args, view: View<'a>, each: &mut Visit<'_, 'a>) {
    visit(args, view, &mut |value| each(Sample::text(value)));
}

fn each_cook_val<'a>(args: &'a Args, view: View<'a>, each: &mut Visit<'_, 'a>) {
    visit(args, view, &mut |value| each(integer(value)));
}

fn cook_cnt<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    let mut number = 0;
    visit(args, view, &mut |_| {
        number += 1;
        true
    });
    Some(count(number))
}

/// The names, separated by the first byte of the argument or a comma.
fn names<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    let delimiter = wanted(args)
        .and_then(|text| text.first())
        .copied()
        .unwrap_or(b',');
    let mut out = Vec::new();
    cookies(view, &mut |name, _| {
        if !out.is_empty() {
            out.push(delimiter);
        }
        out.extend_from_slice(name);
        true
    });
    Some(Sample::owned_text(out))
}
