//! How fetches read an HTTP head (manual, section 7.3.6): what the message is asked for, and when to wait for it.

use isthmus_proto::http1::View;

use crate::args::Args;
use crate::context::{Content, Context, Side};
use crate::expression::Fetched;
use crate::registry::{HeadRead, Of};
use crate::value::Sample;

impl Of {
    /// The side that is meant where a fetch is evaluated.
    pub(crate) fn side(self, ctx: &dyn Context) -> Side {
        match self {
            Self::Request => Side::Request,
            Self::Response => Side::Response,
            Self::Either => ctx.side(),
        }
    }
}

/// Reads a head as soon as there is one.
pub(crate) fn read_head<'a>(
    of: Of,
    read: HeadRead,
    args: &'a Args,
    ctx: &'a dyn Context,
) -> Fetched<'a> {
    with_head(of, ctx, |view| read(args, view))
}

/// Reads a head by a closure as soon as there is one.
pub(super) fn with_head<'a>(
    of: Of,
    ctx: &'a dyn Context,
    read: impl FnOnce(View<'a>) -> Option<Sample<'a>>,
) -> Fetched<'a> {
    let side = of.side(ctx);
    match ctx.head(side) {
        Some(view) => Fetched::settled(read(view)),
        None if ctx.awaits_head(side) => Fetched::wait(),
        None => Fetched::settled(None),
    }
}

/// What is at hand of a body; waiting tells whether there may be one yet.
pub(super) fn body<'a>(of: Of, ctx: &'a dyn Context) -> Result<Content<'a>, Fetched<'a>> {
    let side = of.side(ctx);
    ctx.content(side).ok_or_else(|| {
        if ctx.awaits_head(side) {
            Fetched::wait()
        } else {
            Fetched::settled(None)
        }
    })
}

/// A number of things as a sample.
pub(super) fn count<'a>(number: usize) -> Sample<'a> {
    Sample::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
