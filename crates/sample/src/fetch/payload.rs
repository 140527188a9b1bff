//! Fetches that look into what was received (manual, section 7.3.5).

use std::borrow::Cow;

use super::{EITHER, REQUEST, RESPONSE};
use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::{Context, Payload, Side};
use crate::expression::Fetched;
use crate::kind::Kind::{Bin, Int};
use crate::registry::{Fetch, Run};
use crate::value::Sample;

const LV: &str = "integer,integer[,string]";

pub(super) const FETCHES: &[Fetch] = &[
    Fetch::new(
        "payload",
        "integer,integer",
        Bin,
        EITHER,
        Run::Call(either_payload),
    )
    .preparing(prepare_payload),
    Fetch::new("payload_lv", LV, Bin, EITHER, Run::Call(either_payload_lv)).preparing(prepare_lv),
    Fetch::new("req.len", "", Int, REQUEST, Run::Call(req_len)),
    Fetch::new(
        "req.payload",
        "integer,integer",
        Bin,
        REQUEST,
        Run::Call(req_payload),
    )
    .preparing(prepare_payload),
    Fetch::new(
        "req.payload_lv",
        LV,
        Bin,
        REQUEST,
        Run::Call(req_payload_lv),
    )
    .preparing(prepare_lv),
    Fetch::new("req_len", "", Int, REQUEST, Run::Call(req_len)),
    Fetch::new("res.len", "", Int, RESPONSE, Run::Call(res_len)),
    Fetch::new(
        "res.payload",
        "integer,integer",
        Bin,
        RESPONSE,
        Run::Call(res_payload),
    )
    .preparing(prepare_payload),
    Fetch::new(
        "res.payload_lv",
        LV,
        Bin,
        RESPONSE,
        Run::Call(res_payload_lv),
    )
    .preparing(prepare_lv),
];

fn len(ctx: &dyn Context, side: Side) -> Fetched<'_> {
    let Some(payload) = ctx.payload(side) else {
        return Fetched::settled(None);
    };
    let length = i64::try_from(payload.bytes.len()).unwrap_or(i64::MAX);
    Fetched {
        sample: Some(Sample::Int(length)),
        may_change: payload.growing,
    }
}

fn req_len<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    len(ctx, Side::Request)
}

fn res_len<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    len(ctx, Side::Response)
}

fn prepare_payload(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    match (args.int(0), args.int(1)) {
        (Some(0..), Some(0..)) => Ok(()),
        _ => Err("offset and length are integers, not negative".into()),
    }
}

/// A part of the bytes. Length 0 means all there are behind the offset, which may still grow.
fn part(payload: Payload<'_>, offset: usize, length: usize) -> Fetched<'_> {
    if length == 0 {
        let sample = payload
            .bytes
            .get(offset..)
            .map(|rest| Sample::Bin(Cow::Borrowed(rest)));
        return Fetched {
            sample,
            may_change: payload.growing,
        };
    }
    let end = offset.saturating_add(length);
    match payload.bytes.get(offset..end) {
        Some(bytes) => Fetched::known(Sample::Bin(Cow::Borrowed(bytes))),
        None => Fetched {
            sample: None,
            may_change: payload.growing,
        },
    }
}

fn payload_of<'a>(args: &Args, ctx: &'a dyn Context, side: Side) -> Fetched<'a> {
    let size = |at| args.int(at).and_then(|value| usize::try_from(value).ok());
    match (ctx.payload(side), size(0), size(1)) {
        (Some(payload), Some(offset), Some(length)) => part(payload, offset, length),
        _ => Fetched::settled(None),
    }
}

fn req_payload<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    payload_of(args, ctx, Side::Request)
}

fn res_payload<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    payload_of(args, ctx, Side::Response)
}

/// The third argument places the value: a number counts from the start of the bytes, one with a
/// sign from the end of the length field. It is kept as a number and whether it is relative.
fn prepare_lv(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let (Some(0..), Some(size @ 1..)) = (args.int(0), args.int(1)) else {
        return Err(
            "the offset is an integer, not negative; the length's size is 1 or more".into(),
        );
    };
    if size > 8 {
        return Err("a length has 8 bytes at most".into());
    }
    let third = match args.get(2) {
        ArgValue::Absent => None,
        ArgValue::Int(value) => Some((*value, false)),
        ArgValue::Str(text) => {
            let relative = text.first().is_some_and(|b| matches!(b, b'+' | b'-'));
            let text = std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok());
            Some((text.ok_or("the value's offset is a number")?, relative))
        }
        _ => return Err("the value's offset is a number".into()),
    };
    let (offset, relative) = third.unwrap_or((0, true));
    args.set(2, ArgValue::Int(offset));
    args.set(3, ArgValue::Int(i64::from(relative)));
    Ok(())
}

fn lv<'a>(args: &Args, ctx: &'a dyn Context, side: Side) -> Fetched<'a> {
    let found = ctx.payload(side).and_then(|payload| lv_of(args, payload));
    found.unwrap_or_else(|| Fetched::settled(None))
}

/// A value whose length stands before it, big-endian.
fn lv_of<'a>(args: &Args, payload: Payload<'a>) -> Option<Fetched<'a>> {
    let size = |at| args.int(at).and_then(|value| usize::try_from(value).ok());
    let (offset, width) = (size(0)?, size(1)?);
    let behind = offset.saturating_add(width);
    let Some(field) = payload.bytes.get(offset..behind) else {
        return Some(Fetched {
            sample: None,
            may_change: payload.growing,
        });
    };
    let length = field
        .iter()
        .fold(0_u64, |length, &byte| length << 8 | u64::from(byte));
    let length = usize::try_from(length).ok()?;
    let base = if args.int(3) == Some(1) {
        i64::try_from(behind).ok()?
    } else {
        0
    };
    let start = usize::try_from(base.checked_add(args.int(2)?)?).ok()?;
    if length == 0 {
        return None;
    }
    Some(part(payload, start, length))
}

fn req_payload_lv<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    lv(args, ctx, Side::Request)
}

fn res_payload_lv<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    lv(args, ctx, Side::Response)
}

fn either_payload<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    payload_of(args, ctx, ctx.side())
}

fn either_payload_lv<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    lv(args, ctx, ctx.side())
}
