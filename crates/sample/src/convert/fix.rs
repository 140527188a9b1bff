//! FIX messages (manual, section 7.3.1: `fix_is_valid`, `fix_tag_value`): `tag=value` and a byte 1, again
//! and again.

use std::borrow::Cow;

use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::kind::Kind::{Bin, Bool};
use crate::registry::Converter;
use crate::value::Sample;

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("fix_is_valid", "", Bin, Bool, is_valid),
    Converter::new("fix_tag_value", "string", Bin, Bin, tag_value).preparing(prepare_tag),
];

const BEGIN_STRING: u32 = 8;
const BODY_LENGTH: u32 = 9;
const CHECK_SUM: u32 = 10;
const MSG_TYPE: u32 = 35;
/// What ends a field.
const DELIMITER: u8 = 1;

/// The versions that a message may begin with.
const VERSIONS: [&[u8]; 6] = [
    b"FIX.4.0",
    b"FIX.4.1",
    b"FIX.4.2",
    b"FIX.4.3",
    b"FIX.4.4",
    b"FIXT.1.1",
];

fn prepare_tag(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let tag = match args.get(0) {
        ArgValue::Int(tag) => u32::try_from(*tag).ok(),
        ArgValue::Str(name) => match name.to_ascii_lowercase().as_slice() {
            b"beginstring" => Some(BEGIN_STRING),
            b"bodylength" => Some(BODY_LENGTH),
            b"msgtype" => Some(MSG_TYPE),
            b"sendercompid" => Some(49),
            b"targetcompid" => Some(56),
            b"checksum" => Some(CHECK_SUM),
            digits => number(digits),
        },
        _ => None,
    };
    let tag = tag
        .filter(|tag| *tag > 0)
        .ok_or("a tag is a number, or the name of one that is known")?;
    args.set(0, ArgValue::Int(tag.into()));
    Ok(())
}

/// Digits and nothing else, as a number.
fn number(text: &[u8]) -> Option<u32> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// A field, and what is behind it.
struct Field<'m> {
    tag: u32,
    value: &'m [u8],
    rest: &'m [u8],
}

/// Why bytes hold no message.
#[derive(Debug, PartialEq, Eq)]
enum Flaw {
    /// More bytes are needed.
    Short,
    /// It is none.
    Wrong,
}

fn field(message: &[u8]) -> Result<Field<'_>, Flaw> {
    let end = message
        .iter()
        .position(|byte| *byte == DELIMITER)
        .ok_or(Flaw::Short)?;
    let text = message.get(..end).unwrap_or_default();
    let equal = text
        .iter()
        .position(|byte| *byte == b'=')
        .ok_or(Flaw::Wrong)?;
    let (tag, value) = (text.get(..equal), text.get(equal + 1..));
    let value = value.filter(|value| !value.is_empty()).ok_or(Flaw::Wrong)?;
    Ok(Field {
        tag: tag.and_then(number).ok_or(Flaw::Wrong)?,
        value,
        rest: message.get(end + 1..).unwrap_or_default(),
    })
}

/// Nothing while the message is not whole.
fn is_valid<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(message) = sample else {
        return None;
    };
    match check(&message) {
        Ok(()) => Some(Sample::Bool(true)),
        Err(Flaw::Wrong) => Some(Sample::Bool(false)),
        Err(Flaw::Short) => None,
    }
}

/// The first message begins with version, length and type, and ends with a right sum of all bytes
/// before it.
fn check(message: &[u8]) -> Result<(), Flaw> {
    let holds = |it: bool| it.then_some(()).ok_or(Flaw::Wrong);
    let begin = field(message)?;
    holds(begin.tag == BEGIN_STRING && VERSIONS.contains(&begin.value))?;
    let length = field(begin.rest)?;
    holds(length.tag == BODY_LENGTH)?;
    let expected = number(length.value).and_then(|length| usize::try_from(length).ok());
    let start = message.len() - length.rest.len();
    let end = start.saturating_add(expected.ok_or(Flaw::Wrong)?);
    let mut at = field(length.rest)?;
    holds(at.tag == MSG_TYPE)?;
    while message.len() - at.rest.len() < end {
        at = field(at.rest)?;
    }
    holds(message.len() - at.rest.len() == end)?;
    let last = field(at.rest)?;
    let summed = message.get(..end).unwrap_or_default();
    let sum = summed
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    holds(last.tag == CHECK_SUM && last.value.len() == 3 && number(last.value) == Some(sum.into()))
}

fn tag_value<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(message) = sample else {
        return None;
    };
    let wanted = u32::try_from(args.int(0)?).ok()?;
    let mut rest: &[u8] = &message;
    loop {
        let at = field(rest).ok()?;
        if at.tag == wanted {
            return Some(Sample::Bin(Cow::Owned(at.value.to_vec())));
        }
        rest = at.rest;
    }
}
