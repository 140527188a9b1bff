//! Converters that take the name of a proxy or server, and those that keep captures.

use crate::args::Args;
use crate::context::{Context, Side};
use crate::facts::{BackendNumber, ServerNumber};
use crate::kind::Kind::{Bool, Int, Str};
use crate::registry::Converter;
use crate::value::Sample;

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("capture-req", "integer", Str, Str, capture_req),
    Converter::new("capture-res", "integer", Str, Str, capture_res),
    Converter::new("fe_exists", "", Str, Bool, fe_exists),
    Converter::new("nbsrv", "", Str, Int, nbsrv),
    Converter::new("srv_is_up", "", Str, Bool, srv_is_up),
    Converter::new("srv_queue", "", Str, Int, srv_queue),
];

fn fe_exists<'a>(sample: Sample<'a>, _args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(name) = sample else {
        return None;
    };
    Some(Sample::Bool(ctx.find_proxy(true, &name).is_some()))
}

fn nbsrv<'a>(sample: Sample<'a>, _args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(name) = sample else {
        return None;
    };
    let backend = ctx.find_proxy(false, &name)?;
    ctx.backend_number(Some(backend), BackendNumber::UsableServers)
        .map(Sample::Int)
}

/// The server called `backend/server`, or `server` in the session's own backend.
fn server_number(sample: &Sample<'_>, ctx: &dyn Context, fact: ServerNumber) -> Option<i64> {
    let Sample::Str(name) = sample else {
        return None;
    };
    let found = match name.iter().position(|b| *b == b'/') {
        Some(at) => ctx.find_server(name.get(..at), name.get(at + 1..)?),
        None => ctx.find_server(None, name),
    };
    ctx.server_number(Some(found?), fact)
}

fn srv_is_up<'a>(sample: Sample<'a>, _args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    server_number(&sample, ctx, ServerNumber::Up).map(|up| Sample::Bool(up != 0))
}

fn srv_queue<'a>(sample: Sample<'a>, _args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    server_number(&sample, ctx, ServerNumber::Queue).map(Sample::Int)
}

fn keep<'a>(sample: Sample<'a>, args: &Args, ctx: &dyn Context, side: Side) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let slot = args.int(0).and_then(|slot| usize::try_from(slot).ok())?;
    ctx.set_capture(side, slot, &text)
        .then_some(Sample::Str(text))
}

fn capture_req<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    keep(sample, args, ctx, Side::Request)
}

fn capture_res<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    keep(sample, args, ctx, Side::Response)
}
