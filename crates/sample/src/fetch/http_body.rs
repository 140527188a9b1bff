//! Fetches of a message's body, as far as it is buffered (manual, section 7.3.6).

use super::message::{body, count};
use super::{REQUEST, RESPONSE};
use crate::args::Args;
use crate::context::Context;
use crate::expression::Fetched;
use crate::kind::Kind::{Bin, Int};
use crate::registry::{Fetch, Of, Run};
use crate::value::Sample;

pub(super) const FETCHES: &[Fetch] = &[
    Fetch::new("req.body", "", Bin, REQUEST, Run::Call(req_body)),
    Fetch::new("req.body_len", "", Int, REQUEST, Run::Call(req_body_len)),
    Fetch::new("req.body_size", "", Int, REQUEST, Run::Call(req_body_size)),
    Fetch::new("res.body", "", Bin, RESPONSE, Run::Call(res_body)),
    Fetch::new("res.body_len", "", Int, RESPONSE, Run::Call(res_body_len)),
    Fetch::new("res.body_size", "", Int, RESPONSE, Run::Call(res_body_size)),
];

fn bytes<'a>(of: Of, ctx: &'a dyn Context) -> Fetched<'a> {
    body(of, ctx).map_or_else(
        |nothing| nothing,
        |content| Fetched {
            sample: Some(Sample::Bin(content.bytes)),
            may_change: content.growing,
        },
    )
}

fn length<'a>(of: Of, ctx: &'a dyn Context) -> Fetched<'a> {
    body(of, ctx).map_or_else(
        |nothing| nothing,
        |content| Fetched {
            sample: Some(count(content.bytes.len())),
            may_change: content.growing,
        },
    )
}

/// The length that is announced, or that of what is at hand.
fn size<'a>(of: Of, ctx: &'a dyn Context) -> Fetched<'a> {
    body(of, ctx).map_or_else(
        |nothing| nothing,
        |content| match content.length {
            Some(length) => Fetched::known(Sample::Int(i64::try_from(length).unwrap_or(i64::MAX))),
            None => Fetched {
                sample: Some(count(content.bytes.len())),
                may_change: content.growing,
            },
        },
    )
}

fn req_body<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    bytes(Of::Request, ctx)
}

fn req_body_len<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    length(Of::Request, ctx)
}

fn req_body_size<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    size(Of::Request, ctx)
}

fn res_body<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    bytes(Of::Response, ctx)
}

fn res_body_len<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    length(Of::Response, ctx)
}

fn res_body_size<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    size(Of::Response, ctx)
}
