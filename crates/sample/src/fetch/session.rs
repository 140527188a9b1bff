//! Fetches about a session's dates, timers, counters and end (manual, section 7.3.3, and the
//! names that newer versions gave to log aliases).

use super::internal::unit;
use super::{CLIENT, EXCEPT_CONFIG, FRONTEND, REQUEST, RESPONSE, SERVER, STREAM, TRANSFER};
use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::{Context, Side};
use crate::expression::Fetched;
use crate::facts::{Number as N, Text};
use crate::kind::Kind::{Bool, Int, Str};
use crate::registry::{Fetch, Run};
use crate::value::Sample;

pub(super) const FETCHES: &[Fetch] = &[
    Fetch::new(
        "accept_date",
        "[string]",
        Int,
        CLIENT,
        Run::Call(accept_date),
    )
    .preparing(prepare_unit),
    Fetch::new(
        "bc.timer.connect",
        "",
        Int,
        SERVER,
        Run::Number(N::TimeConnect),
    ),
    Fetch::new(
        "bc_be_queue",
        "",
        Int,
        SERVER,
        Run::Number(N::BackendQueuePosition),
    ),
    Fetch::new(
        "bc_srv_queue",
        "",
        Int,
        SERVER,
        Run::Number(N::ServerQueuePosition),
    ),
    Fetch::new("bytes_in", "", Int, STREAM, Run::Number(N::BytesIn)),
    Fetch::new("bytes_out", "", Int, TRANSFER, Run::Number(N::BytesOut)),
    Fetch::new(
        "capture.req.hdr",
        "integer",
        Str,
        STREAM,
        Run::Call(capture_req),
    ),
    Fetch::new(
        "capture.res.hdr",
        "integer",
        Str,
        SERVER,
        Run::Call(capture_res),
    ),
    Fetch::new(
        "fc.timer.handshake",
        "",
        Int,
        CLIENT,
        Run::Number(N::TimeHandshake),
    ),
    Fetch::new(
        "fc.timer.total",
        "",
        Int,
        FRONTEND,
        Run::Number(N::TimeTotal),
    ),
    Fetch::new("req.bytes_in", "", Int, STREAM, Run::Number(N::BytesIn)),
    Fetch::new(
        "req.bytes_out",
        "",
        Int,
        STREAM,
        Run::Number(N::BytesToServer),
    ),
    Fetch::new(
        "req.timer.hdr",
        "",
        Int,
        REQUEST,
        Run::Number(N::TimeRequest),
    ),
    Fetch::new("req.timer.idle", "", Int, REQUEST, Run::Number(N::TimeIdle)),
    Fetch::new(
        "req.timer.queue",
        "",
        Int,
        SERVER,
        Run::Number(N::TimeQueue),
    ),
    Fetch::new("req.timer.tq", "", Int, REQUEST, Run::Call(time_tq)),
    Fetch::new(
        "request_date",
        "[string]",
        Int,
        STREAM,
        Run::Call(request_date),
    )
    .preparing(prepare_unit),
    Fetch::new("res.bytes_in", "", Int, TRANSFER, Run::Number(N::BytesOut)),
    Fetch::new(
        "res.bytes_out",
        "",
        Int,
        TRANSFER,
        Run::Number(N::BytesToClient),
    ),
    Fetch::new(
        "res.timer.data",
        "",
        Int,
        TRANSFER,
        Run::Number(N::TimeData),
    ),
    Fetch::new(
        "res.timer.hdr",
        "",
        Int,
        RESPONSE,
        Run::Number(N::TimeResponse),
    ),
    Fetch::new(
        "server_status",
        "",
        Int,
        SERVER,
        Run::Number(N::ServerStatus),
    ),
    Fetch::new("txn.conn_retries", "", Int, SERVER, Run::Number(N::Retries)),
    Fetch::new("txn.id32", "", Int, EXCEPT_CONFIG, Run::Call(id32)),
    Fetch::new(
        "txn.redispatched",
        "",
        Bool,
        SERVER,
        Run::Flag(N::Redispatched),
    ),
    Fetch::new(
        "txn.sess_term_state",
        "",
        Str,
        EXCEPT_CONFIG,
        Run::Text(Text::TerminationState),
    ),
    Fetch::new("txn.status", "", Int, SERVER, Run::Number(N::Status)),
    Fetch::new(
        "txn.timer.total",
        "",
        Int,
        STREAM,
        Run::Number(N::TimeActive),
    ),
    Fetch::new("txn.timer.user", "", Int, STREAM, Run::Number(N::TimeUser)),
];

fn prepare_unit(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let divisor = unit(args.text(0))?;
    args.set(0, ArgValue::Int(divisor));
    Ok(())
}

fn moment<'a>(args: &Args, ctx: &'a dyn Context, fact: N) -> Fetched<'a> {
    let divisor = args.int(0).unwrap_or(1_000_000).max(1);
    Fetched::settled(
        ctx.number(fact)
            .map(|at| Sample::Int(at.div_euclid(divisor))),
    )
}

fn accept_date<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    moment(args, ctx, N::AcceptDate)
}

fn request_date<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    moment(args, ctx, N::RequestDate)
}

/// Handshake, idle time and request together; -1 when the request never came.
fn time_tq<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    Fetched::settled(request_total(ctx).map(Sample::Int))
}

/// `%Tq`: Th + Ti + TR, or -1 when the request never came.
pub(crate) fn request_total(ctx: &dyn Context) -> Option<i64> {
    let request = ctx.number(N::TimeRequest)?;
    if request < 0 {
        return Some(-1);
    }
    let before = ctx.number(N::TimeHandshake).unwrap_or(0) + ctx.number(N::TimeIdle).unwrap_or(0);
    Some(request + before)
}

/// The session's number as 32 bits.
fn id32<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    Fetched::settled(
        ctx.number(N::SessionNumber)
            .map(|id| Sample::Int(id & 0xffff_ffff)),
    )
}

fn capture<'a>(args: &Args, ctx: &'a dyn Context, side: Side) -> Fetched<'a> {
    let slot = args.int(0).and_then(|slot| usize::try_from(slot).ok());
    Fetched::settled(
        slot.and_then(|slot| ctx.capture(side, slot))
            .map(Sample::Str),
    )
}

fn capture_req<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    capture(args, ctx, Side::Request)
}

fn capture_res<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    capture(args, ctx, Side::Response)
}
