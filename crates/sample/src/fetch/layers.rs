//! Fetches for those who look for faults (manual, sections 7.3.4 and 7.3.7): what they tell is how this
//! program does things, and may change.

use super::{EITHER, EXCEPT_CONFIG, SERVER, SESSION};
use crate::args::{Args, CompileEnv};
use crate::context::{Context, Side};
use crate::expression::Fetched;
use crate::facts::{Held, Number};
use crate::kind::Kind::{self, Bool, Int, Str};
use crate::registry::{Fetch, Run};
use crate::value::Sample;

/// A number of the message in the buffer of the side whose rules are evaluated.
macro_rules! held {
    ($name:literal, $output:ident, $held:ident, $write:expr) => {
        message(
            $name,
            $output,
            Run::Call(|_, ctx| {
                let found = ctx.number(Number::Held(ctx.side(), Held::$held));
                Fetched::settled(found.map($write))
            }),
        )
    };
}

const fn message(name: &'static str, output: Kind, run: Run) -> Fetch {
    Fetch::new(name, "", output, EITHER, run)
}

pub(super) const FETCHES: &[Fetch] = &[
    Fetch::new(
        "bs.debug_str",
        "[integer]",
        Str,
        SERVER,
        Run::Call(|args, ctx| told(args, ctx, Side::Response)),
    )
    .preparing(prepare),
    Fetch::new(
        "fs.debug_str",
        "[integer]",
        Str,
        SESSION,
        Run::Call(|args, ctx| told(args, ctx, Side::Request)),
    )
    .preparing(prepare),
    held!("internal.htx.data", Int, Data, Sample::Int),
    held!("internal.htx.free", Int, Free, Sample::Int),
    // Nothing but data stands in a buffer here.
    held!("internal.htx.free_data", Int, Free, Sample::Int),
    held!("internal.htx.has_eom", Bool, End, |end| Sample::Bool(
        end != 0
    )),
    held!("internal.htx.size", Int, Size, Sample::Int),
    held!("internal.htx.used", Int, Data, Sample::Int),
    Fetch::new(
        "internal.strm.is_htx",
        "",
        Bool,
        EXCEPT_CONFIG,
        Run::Call(|_, ctx| {
            let held = ctx.number(Number::Held(Side::Request, Held::Size));
            Fetched::known(Sample::Bool(held.is_some()))
        }),
    ),
];

fn prepare(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    match args.int(0) {
        None | Some(0..=31) => Ok(()),
        Some(_) => Err("layers are a sum of 1, 2, 4, 8 and 16, or 0 for all".into()),
    }
}

fn told<'a>(args: &'a Args, ctx: &'a dyn Context, side: Side) -> Fetched<'a> {
    let found = ctx.layers(side, args.int(0).unwrap_or(0));
    Fetched::settled(found.map(|text| Sample::owned_text(text.into_bytes())))
}
