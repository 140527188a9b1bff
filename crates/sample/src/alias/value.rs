//! What an alias stands for, as a value with a type: for JSON and CBOR (manual, section 8.2.6).

use super::exchange::{BAD_REQUEST, in_braces, part_of, slots};
use super::{Alias, Source, port, write_address};
use crate::Side;
use crate::context::Context;
use crate::encoding::Value;
use crate::format::Flags;
use crate::value::{Bytes, Sample};

impl Alias {
    /// The value; numbers that still grow are as they are now, without the `+` of text.
    pub(crate) fn value<'c>(&self, ctx: &'c dyn Context, flags: Flags) -> Value<'c> {
        let text = |found: Option<Bytes<'c>>| Value::One(found.map(Sample::Str));
        let int = |found: Option<i64>| Value::One(Some(Sample::Int(found.unwrap_or(0))));
        match self.source {
            Source::Nothing => Value::One(None),
            Source::Text(fact) => text(ctx.text(fact).filter(|found| !found.is_empty())),
            Source::TextOr(fact, word) => {
                let found = ctx.text(fact);
                text(found.or(Some(word.as_bytes().into())))
            }
            Source::Ip(end) => match ctx.endpoint(end) {
                Some(at) => {
                    let mut written = Vec::new();
                    write_address(at.ip(), flags, &mut written);
                    text(Some(written.into()))
                }
                None => text(ctx.unix_port(end).map(|_| b"unix"[..].into())),
            },
            Source::Tls(name) => {
                let name = ctx.tls(Side::Request).and_then(name);
                text(name.map(|name| name.as_bytes().into()))
            }
            Source::Request(part) => {
                let found = part_of(part, ctx);
                text(Some(found.map_or(BAD_REQUEST.into(), Bytes::from)))
            }
            Source::Captures(side) => text(in_braces(ctx, side).map(Bytes::from)),
            Source::CaptureList(side) => Value::Many(slots(ctx, side).collect()),
            Source::Frontend(fact) => int(ctx.frontend_number(None, fact)),
            Source::Backend(fact) => int(ctx.backend_number(None, fact)),
            Source::Server(fact) => int(ctx.server_number(None, fact)),
            Source::Number(fact) => int(ctx.number(fact)),
            Source::Call(function) => {
                let mut written = Vec::new();
                function(ctx, flags, &mut written);
                text((written != b"-").then(|| written.into()))
            }
            Source::Port(end) if port(ctx, end).is_none() => Value::One(None),
            Source::Port(_) | Source::Hex(_) | Source::Count(_) => self.count(ctx, flags),
        }
    }

    /// A number that the flag X makes text; a `+` before it is not part of it.
    fn count(&self, ctx: &dyn Context, flags: Flags) -> Value<'static> {
        let mut written = Vec::new();
        let mut out = crate::format::Output {
            bytes: &mut written,
            printable: false,
        };
        self.write(ctx, flags, &mut out);
        let number = std::str::from_utf8(&written).ok();
        let number = number
            .filter(|_| !flags.hex)
            .and_then(|number| number.parse().ok());
        Value::One(Some(
            number.map_or_else(|| Sample::owned_text(written), Sample::Int),
        ))
    }
}
