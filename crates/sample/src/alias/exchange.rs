//! The aliases that tell of an HTTP exchange, and how they are written: what could be taken for a
//! line's own punctuation becomes `#` and two digits (manual, section 8.6).

use isthmus_proto::http::{Method, Target};

use crate::context::{Context, Side};
use crate::facts::{Number, Text};
use crate::format::{Flags, Output};

/// What stands for a request that could not be read.
pub(super) const BAD_REQUEST: &[u8] = b"<BADREQ>";

/// A part of the request line as it came; `None` where there was none.
pub(super) type Part = fn(&Line<'_>) -> Vec<u8>;

/// The request line as it came.
pub(super) struct Line<'c> {
    method: &'c [u8],
    target: &'c [u8],
    version: &'c [u8],
    /// The target is not whole: nothing stands behind it.
    cut: bool,
}

impl Line<'_> {
    /// The same with what is more than so many bytes of it left out (`tune.http.logurilen`).
    /// The version alone can still be asked for.
    fn cut(mut self, most: usize) -> Self {
        let left = most.saturating_sub(self.method.len() + 1);
        if let Some(shorter) = self.target.get(..left) {
            self.target = shorter;
            self.cut = true;
        }
        self
    }

    fn parsed(&self) -> Target {
        Target::parse(self.target, Method::of(self.method)).unwrap_or_default()
    }

    /// Where the query begins, with its question mark.
    fn query_start(&self) -> usize {
        let mark = self.target.iter().position(|byte| *byte == b'?');
        mark.unwrap_or(self.target.len())
    }
}

/// `%HM`
pub(super) fn method(line: &Line<'_>) -> Vec<u8> {
    line.method.to_vec()
}

/// `%HU`: the whole target.
pub(super) fn target(line: &Line<'_>) -> Vec<u8> {
    line.target.to_vec()
}

/// `%HP`: the target without its query.
pub(super) fn target_without_query(line: &Line<'_>) -> Vec<u8> {
    line.target
        .get(..line.query_start())
        .unwrap_or_default()
        .to_vec()
}

/// `%HPO`: the path, without scheme and authority.
pub(super) fn path_only(line: &Line<'_>) -> Vec<u8> {
    let path = line.parsed().path(line.target);
    if path.starts_with(b"/") {
        path.to_vec()
    } else {
        Vec::new()
    }
}

/// `%HQ`: the query with its question mark.
pub(super) fn query(line: &Line<'_>) -> Vec<u8> {
    line.target
        .get(line.query_start()..)
        .unwrap_or_default()
        .to_vec()
}

/// `%HV`
pub(super) fn version(line: &Line<'_>) -> Vec<u8> {
    line.version.to_vec()
}

/// `%r`
pub(super) fn whole_line(line: &Line<'_>) -> Vec<u8> {
    match line.cut {
        true => [line.method, line.target].join(&b' '),
        false => [line.method, line.target, line.version].join(&b' '),
    }
}

/// A part of the request line as it came, none if the request could not be read.
pub(super) fn part_of(part: Part, ctx: &dyn Context) -> Option<Vec<u8>> {
    let facts = [
        Text::RequestMethod,
        Text::RequestTarget,
        Text::RequestVersion,
    ]
    .map(|fact| ctx.text(fact));
    let [Some(method), target, version] = facts else {
        return None;
    };
    let line = Line {
        method: &method,
        target: target.as_deref().unwrap_or_default(),
        version: version.as_deref().unwrap_or_default(),
        cut: false,
    };
    let most = ctx.number(Number::LoggedLineLength);
    let most = most.and_then(|most| usize::try_from(most).ok());
    Some(part(&line.cut(most.unwrap_or(usize::MAX))))
}

/// Writes a part of the request line; one that a request lacks is nothing, not even a dash.
pub(super) fn write_part(part: Part, ctx: &dyn Context, flags: Flags, out: &mut Output<'_>) {
    let Some(text) = part_of(part, ctx) else {
        return out.text(Some(BAD_REQUEST), flags);
    };
    let flags = Flags {
        mandatory: false,
        ..flags
    };
    out.text(Some(&encoded(&text, b"\"#")), flags);
}

/// Bytes beyond printable ASCII, and some others, as `#` and two digits.
fn encoded(text: &[u8], marks: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if matches!(byte, 32..=126) && !marks.contains(byte) {
            out.push(*byte);
        } else {
            out.push(b'#');
            isthmus_pattern::to_hex(&[*byte], &mut out);
        }
    }
    out
}

/// What the frontend's capture slots hold, in their order.
pub(super) fn slots(ctx: &dyn Context, side: Side) -> impl Iterator<Item = Vec<u8>> {
    let fact = match side {
        Side::Request => Number::RequestCaptures,
        Side::Response => Number::ResponseCaptures,
    };
    let slots = usize::try_from(ctx.number(fact).unwrap_or(0)).unwrap_or(0);
    (0..slots).map(move |slot| ctx.capture(side, slot).unwrap_or_default().into_owned())
}

/// The same as they are written between braces.
fn captures(ctx: &dyn Context, side: Side) -> impl Iterator<Item = Vec<u8>> {
    slots(ctx, side).map(|value| encoded(&value, b"\"#{|}"))
}

/// `{a|b}`, none where the frontend captures nothing.
pub(super) fn in_braces(ctx: &dyn Context, side: Side) -> Option<Vec<u8>> {
    let values: Vec<_> = captures(ctx, side).collect();
    (!values.is_empty()).then(|| [&b"{"[..], &values.join(&b'|'), b"}"].concat())
}

/// `%hr` and `%hs`: `{a|b}`, nothing where the frontend captures nothing.
pub(super) fn write_captures(side: Side, ctx: &dyn Context, flags: Flags, out: &mut Output<'_>) {
    if let Some(text) = in_braces(ctx, side) {
        out.text(Some(&text), flags);
    }
}

/// `%hrl` and `%hsl`: each on its own, separated by spaces.
pub(super) fn write_capture_list(
    side: Side,
    ctx: &dyn Context,
    flags: Flags,
    out: &mut Output<'_>,
) {
    for (slot, value) in captures(ctx, side).enumerate() {
        if slot > 0 {
            out.bytes.push(b' ');
        }
        out.text(Some(&value), flags);
    }
}
