//! How fetches read an HTTP head (manual, section 7.3.6): which message is meant, when to wait for
//! it, and that in TCP mode it is looked for in the bytes received.

use isthmus_proto::http1::{Progress, RequestHead, ResponseHead, Rewrite, Rules, View};
use isthmus_proto::http2::PREFACE;

use crate::args::Args;
use crate::context::{Content, Context, Side};
use crate::expression::Fetched;
use crate::registry::{HeadRead, HeadVisit, Of, Visit};
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

/// What there is of a head.
enum Found<'a> {
    Head(View<'a>),
    /// Bytes of a TCP session that may be one.
    Bytes,
    Nothing {
        /// Whether it may still come.
        may_come: bool,
    },
}

fn find(side: Side, ctx: &dyn Context) -> Found<'_> {
    match ctx.head(side) {
        Some(view) => Found::Head(view),
        None if ctx.awaits_head(side) => Found::Nothing { may_come: true },
        None if ctx.payload(side).is_some() => Found::Bytes,
        None => Found::Nothing { may_come: false },
    }
}

/// Reads a head as soon as there is one.
pub(crate) fn read_head<'a>(
    of: Of,
    read: HeadRead,
    args: &'a Args,
    ctx: &'a dyn Context,
) -> Fetched<'a> {
    let side = of.side(ctx);
    match find(side, ctx) {
        Found::Head(view) => Fetched::settled(read(args, view)),
        Found::Nothing { may_come } => nothing(may_come),
        Found::Bytes => {
            let mut sample = None;
            let may_come = parsed(side, ctx, &mut |view| {
                sample = read(args, view).map(Sample::into_owned);
            });
            Fetched {
                sample,
                may_change: may_come,
            }
        }
    }
}

/// Gives `visit` every value in a head; whether one may still come.
pub(super) fn visit_head<'a>(
    of: Of,
    each: HeadVisit,
    args: &'a Args,
    ctx: &'a dyn Context,
    visit: &mut Visit<'_, 'a>,
) -> bool {
    let side = of.side(ctx);
    match find(side, ctx) {
        Found::Head(view) => {
            each(args, view, visit);
            false
        }
        Found::Nothing { may_come } => may_come,
        Found::Bytes => parsed(side, ctx, &mut |view| {
            each(args, view, &mut |sample| visit(sample.into_owned()));
        }),
    }
}

/// Reads a head by a closure as soon as there is one.
pub(super) fn with_head<'a>(
    of: Of,
    ctx: &'a dyn Context,
    read: &dyn Fn(View<'_>) -> Option<Sample<'static>>,
) -> Fetched<'a> {
    let side = of.side(ctx);
    match find(side, ctx) {
        Found::Head(view) => Fetched::settled(read(view)),
        Found::Nothing { may_come } => nothing(may_come),
        Found::Bytes => {
            let mut sample = None;
            let may_come = parsed(side, ctx, &mut |view| sample = read(view));
            Fetched {
                sample,
                may_change: may_come,
            }
        }
    }
}

fn nothing<'a>(may_come: bool) -> Fetched<'a> {
    if may_come {
        Fetched::wait()
    } else {
        Fetched::settled(None)
    }
}

/// Reads a head from a TCP session's bytes and gives it to `with`; whether it may still come.
fn parsed(side: Side, ctx: &dyn Context, with: &mut dyn FnMut(View<'_>)) -> bool {
    let Some(payload) = ctx.payload(side) else {
        return false;
    };
    let (mut bytes, rules, rewrite) =
        (payload.bytes.to_vec(), Rules::default(), Rewrite::default());
    let progress = match side {
        Side::Request => {
            let mut head = RequestHead::default();
            let progress = head.read(&mut bytes, &rules);
            if let Ok(Progress::Complete(_)) = progress {
                with(View::request(&head, &bytes, &rewrite));
            }
            progress
        }
        Side::Response => {
            let mut head = ResponseHead::default();
            let progress = head.read(&mut bytes, &rules);
            if let Ok(Progress::Complete(_)) = progress {
                with(View::response(&head, &bytes, &rewrite));
            }
            progress
        }
    };
    progress == Ok(Progress::Incomplete) && payload.growing
}

/// What the preface of HTTP/2 says where a TCP session may begin with it (RFC 9113, 3.4): nothing
/// else of a request can be read from such bytes. `None`: it does not begin so.
pub(super) fn read_preface<'a>(ctx: &'a dyn Context, found: Sample<'a>) -> Option<Fetched<'a>> {
    let payload = match find(Side::Request, ctx) {
        Found::Bytes => ctx.payload(Side::Request)?,
        _ => return None,
    };
    if payload.bytes.starts_with(PREFACE) {
        return Some(Fetched::known(found));
    }
    let begins = !payload.bytes.is_empty() && PREFACE.starts_with(payload.bytes);
    (begins && payload.growing).then(Fetched::wait)
}

/// What is at hand of a body; waiting tells whether there may be one yet.
pub(super) fn body<'a>(of: Of, ctx: &'a dyn Context) -> Result<Content<'a>, Fetched<'a>> {
    let side = of.side(ctx);
    ctx.content(side)
        .ok_or_else(|| nothing(ctx.awaits_head(side)))
}

/// A number of things as a sample.
pub(super) fn count<'a>(number: usize) -> Sample<'a> {
    Sample::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
