//! Converters from moments to text (manual, section 7.3.1).

use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::date::{Moment, http_date as http_text, parse_http_date, strftime};
use crate::fetch::unit;
use crate::kind::Kind::{Int, Str};
use crate::registry::{Convert, Converter};
use crate::value::Sample;

/// A converter with a format of strftime(3) and an offset in the unit of the moment.
const fn formatter(name: &'static str, run: Convert) -> Converter {
    Converter::new(name, "string[,integer]", Int, Str, run)
}

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("date", "", Str, Int, date),
    Converter::new("http_date", "[integer,string]", Int, Str, http_date).preparing(prepare_date),
    formatter("ltime", |sample, args, ctx| {
        formatted(&sample, args, 1_000_000, Some(ctx))
    }),
    formatter("ms_ltime", |sample, args, ctx| {
        formatted(&sample, args, 1_000, Some(ctx))
    }),
    formatter("ms_utime", |sample, args, _| {
        formatted(&sample, args, 1_000, None)
    }),
    formatter("us_ltime", |sample, args, ctx| {
        formatted(&sample, args, 1, Some(ctx))
    }),
    formatter("us_utime", |sample, args, _| {
        formatted(&sample, args, 1, None)
    }),
    formatter("utime", |sample, args, _| {
        formatted(&sample, args, 1_000_000, None)
    }),
];

/// Seconds since 1970 of a date as HTTP writes it.
fn date<'a>(sample: Sample<'a>, _args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let now = ctx.now_wall_us().unwrap_or(0).div_euclid(1_000_000);
    parse_http_date(std::str::from_utf8(&text).ok()?, now).map(Sample::Int)
}

/// The second argument becomes the number of microseconds that the unit has.
fn prepare_date(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let micros = unit(args.text(1))?;
    args.set(1, ArgValue::Int(micros));
    Ok(())
}

fn http_date<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Int(at) = sample else { return None };
    let unit = args.int(1).unwrap_or(1_000_000);
    let at = at.saturating_add(args.int(0).unwrap_or(0));
    Some(Sample::owned_text(http_text(at, unit).into_bytes()))
}

/// Writes a moment of a unit in UTC or, where a context is given, in local time.
fn formatted<'a>(
    sample: &Sample<'a>,
    args: &Args,
    unit: i64,
    local: Option<&dyn Context>,
) -> Option<Sample<'a>> {
    let Sample::Int(at) = sample else { return None };
    let at = at.saturating_add(args.int(1).unwrap_or(0));
    let per_second = 1_000_000 / unit;
    let seconds = at.div_euclid(per_second);
    let moment = Moment {
        seconds,
        micros: at.rem_euclid(per_second) * unit,
        offset: local.map(|ctx| ctx.utc_offset(seconds)),
    };
    Some(Sample::owned_text(strftime(args.text(0)?, moment)))
}
