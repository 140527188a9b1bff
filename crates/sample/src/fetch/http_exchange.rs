//! Fetches about an HTTP exchange as a whole: which protocol it is, and what it may take (manual,
//! sections 7.3.2, 7.3.3, 7.3.5 and 7.3.6).

use super::message::{read_preface, with_head};
use super::{BACKEND, CHOSEN, CLIENT, EVERYWHERE, FRONTEND, SERVER, STREAM};
use crate::args::Args;
use crate::context::Context;
use crate::expression::Fetched;
use crate::facts::{BackendNumber, FrontendNumber, Number, Text};
use crate::kind::Kind::{Bool, Int, Str};
use crate::registry::{Fetch, Of, Run};
use crate::value::Sample;

pub(super) const FETCHES: &[Fetch] = &[
    Fetch::new(
        "bc_http_major",
        "",
        Int,
        SERVER,
        Run::Number(Number::ServerHttpMajor),
    ),
    Fetch::new(
        "be_tarpit_timeout",
        "",
        Int,
        BACKEND,
        Run::Backend(BackendNumber::TarpitTimeout),
    ),
    Fetch::new(
        "cur_tarpit_timeout",
        "",
        Int,
        CLIENT,
        Run::Number(Number::TarpitTimeout),
    ),
    Fetch::new(
        "fc_http_major",
        "",
        Int,
        CLIENT,
        Run::Number(Number::ClientHttpMajor),
    ),
    Fetch::new(
        "fe_tarpit_timeout",
        "",
        Int,
        FRONTEND,
        Run::Frontend(FrontendNumber::TarpitTimeout),
    ),
    Fetch::new(
        "http_first_req",
        "",
        Bool,
        STREAM,
        Run::Flag(Number::FirstRequest),
    ),
    Fetch::new(
        "quic_enabled",
        "",
        Bool,
        EVERYWHERE,
        Run::Call(quic_enabled),
    ),
    Fetch::new(
        "res.cache_hit",
        "",
        Bool,
        CHOSEN,
        Run::Flag(Number::CacheHit),
    ),
    Fetch::new(
        "res.cache_name",
        "",
        Str,
        CHOSEN,
        Run::Text(Text::CacheName),
    ),
    Fetch::new("res.comp", "", Bool, SERVER, Run::Flag(Number::Coded)),
    Fetch::new(
        "res.comp_algo",
        "",
        Str,
        SERVER,
        Run::Text(Text::CodingName),
    ),
    Fetch::new("req.proto_http", "", Bool, STREAM, Run::Call(proto_http)),
    Fetch::new("req_proto_http", "", Bool, STREAM, Run::Call(proto_http)),
];

/// Listeners that speak QUIC do not exist here.
fn quic_enabled<'a>(_args: &'a Args, _ctx: &'a dyn Context) -> Fetched<'a> {
    Fetched::known(Sample::Bool(false))
}

/// True where the request is HTTP: it has been read as such, or the bytes at hand can be.
fn proto_http<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    if ctx.text(Text::RequestMethod).is_some() {
        return Fetched::known(Sample::Bool(true));
    }
    let preface = read_preface(ctx, Sample::Bool(true));
    preface.unwrap_or_else(|| with_head(Of::Request, ctx, &|_| Some(Sample::Bool(true))))
}
