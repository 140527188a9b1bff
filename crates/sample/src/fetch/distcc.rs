//! Fetches of distcc's messages (manual, section 7.3.5): a token of four letters, a number in eight
//! hexadecimal digits, and, behind some tokens, so many bytes.

use std::borrow::Cow;

use super::EITHER;
use crate::args::{Args, CompileEnv};
use crate::context::Context;
use crate::expression::Fetched;
use crate::kind::Kind::{Bin, Int};
use crate::registry::{Fetch, Run};
use crate::value::Sample;

const SIGNATURE: &str = "string[,integer]";

pub(super) const FETCHES: &[Fetch] = &[
    Fetch::new("distcc_body", SIGNATURE, Bin, EITHER, Run::Call(body)).preparing(prepare),
    Fetch::new("distcc_param", SIGNATURE, Int, EITHER, Run::Call(param)).preparing(prepare),
];

/// The tokens whose number is a length.
const WITH_BODY: [&[u8]; 9] = [
    b"ARGV", b"CDIR", b"DOTI", b"DOTO", b"FILE", b"LINK", b"NAME", b"SERR", b"SOUT",
];

fn prepare(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let token = args.text(0).is_some_and(|token| token.len() == 4);
    let occurrence = args.int(1).is_none_or(|at| at >= 0);
    if !token {
        return Err("a token has four letters".into());
    }
    occurrence
        .then_some(())
        .ok_or_else(|| "occurrences are counted from 1".into())
}

/// A token with its number and body, which is shorter than the number while it is still coming.
struct Item<'m> {
    token: &'m [u8],
    number: u32,
    body: &'m [u8],
    /// Whether all of the body is there.
    whole: bool,
}

/// The first item, and what is behind it.
fn item(message: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (token, rest) = message.split_at_checked(4)?;
    let (digits, rest) = rest.split_at_checked(8)?;
    let hexadecimal = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| hexadecimal)?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    let length = if WITH_BODY.contains(&token) {
        usize::try_from(number).ok()?
    } else {
        0
    };
    let whole = rest.len() >= length;
    let (body, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some((
        Item {
            token,
            number,
            body,
            whole,
        },
        rest,
    ))
}

/// Finds the occurrence of a token that is asked for, the first by default.
fn find<'m>(args: &Args, mut message: &'m [u8]) -> Option<Item<'m>> {
    let mut left = args.int(1).unwrap_or(1).max(1);
    loop {
        let (item, rest) = item(message)?;
        if Some(item.token) == args.text(0) {
            left -= 1;
            if left == 0 {
                return Some(item);
            }
        }
        message = rest;
    }
}

fn of_message<'a>(
    args: &'a Args,
    ctx: &'a dyn Context,
    make: fn(Item<'a>) -> Option<Sample<'a>>,
) -> Fetched<'a> {
    let Some(payload) = ctx.payload(ctx.side()) else {
        return Fetched::settled(None);
    };
    let found = find(args, payload.bytes).and_then(make);
    Fetched {
        may_change: found.is_none() && payload.growing,
        sample: found,
    }
}

fn param<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    of_message(args, ctx, |item| Some(Sample::Int(item.number.into())))
}

fn body<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    of_message(args, ctx, |item| {
        let there = item.whole && WITH_BODY.contains(&item.token);
        there.then_some(Sample::Bin(Cow::Borrowed(item.body)))
    })
}
