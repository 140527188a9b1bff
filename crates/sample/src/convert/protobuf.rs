//! Fields of protocol buffers, bare or in gRPC messages (manual, section 7.3.1: `protobuf`, `ungrpc`).

use std::borrow::Cow;

use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::kind::Kind::Bin;
use crate::registry::Converter;
use crate::value::Sample;

const SIGNATURE: &str = "Protocol buffers field number[,string]";

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("protobuf", SIGNATURE, Bin, Bin, protobuf).preparing(prepare),
    Converter::new("ungrpc", SIGNATURE, Bin, Bin, ungrpc).preparing(prepare),
];

/// How a field's bytes become an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A variable-length number as it is: that is what negative ones of 32 bits are, too.
    Varint,
    /// A variable-length number that takes turns in sign.
    Signed,
    Eight,
    Double,
    Four,
    SignedFour,
    Float,
}

/// The names of the types, in their order as numbers.
const FORMS: [(&[u8], Form); 14] = [
    (b"int32", Form::Varint),
    (b"int64", Form::Varint),
    (b"uint32", Form::Varint),
    (b"uint64", Form::Varint),
    (b"sint32", Form::Signed),
    (b"sint64", Form::Signed),
    (b"bool", Form::Varint),
    (b"enum", Form::Varint),
    (b"fixed64", Form::Eight),
    (b"sfixed64", Form::Eight),
    (b"double", Form::Double),
    (b"fixed32", Form::Four),
    (b"sfixed32", Form::SignedFour),
    (b"float", Form::Float),
];

fn prepare(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let path = match args.get(0) {
        ArgValue::Int(number) => number.to_string().into_bytes(),
        ArgValue::Str(text) => text.to_vec(),
        _ => Vec::new(),
    };
    if numbers(&path).any(|number| number.is_none()) {
        return Err("field numbers stand between dots, each from 1".into());
    }
    args.set(0, ArgValue::Str(path.into()));
    let form = match args.text(1) {
        None | Some(b"") => ArgValue::Absent,
        Some(name) => {
            let at = FORMS.iter().position(|(known, _)| *known == name);
            let at = at.and_then(|at| i64::try_from(at).ok());
            ArgValue::Int(
                at.ok_or("the type is one of protocol buffers' numbers: int32, fixed64 ...")?,
            )
        }
    };
    args.set(1, form);
    Ok(())
}

fn numbers(path: &[u8]) -> impl Iterator<Item = Option<u32>> {
    path.split(|byte| *byte == b'.').map(|part| {
        let number: u32 = std::str::from_utf8(part).ok()?.parse().ok()?;
        (number > 0 && part.iter().all(u8::is_ascii_digit)).then_some(number)
    })
}

/// What a field holds.
enum Field<'m> {
    /// The bytes of a variable-length number, and the number.
    Varint(&'m [u8], u64),
    Eight(&'m [u8]),
    Bytes(&'m [u8]),
    Four(&'m [u8]),
}

/// A variable-length number of at most 64 bits, and what is behind it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(at * 7).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

/// The first field: its number, what it holds, and what is behind it.
fn field(message: &[u8]) -> Option<(u64, Field<'_>, &[u8])> {
    let (key, rest) = varint(message)?;
    let (field, behind) = match key & 7 {
        0 => {
            let (value, behind) = varint(rest)?;
            let raw = rest.get(..rest.len() - behind.len())?;
            (Field::Varint(raw, value), behind)
        }
        1 => {
            let (raw, behind) = rest.split_at_checked(8)?;
            (Field::Eight(raw), behind)
        }
        2 => {
            let (length, rest) = varint(rest)?;
            let (raw, behind) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            (Field::Bytes(raw), behind)
        }
        5 => {
            let (raw, behind) = rest.split_at_checked(4)?;
            (Field::Four(raw), behind)
        }
        _ => return None,
    };
    Some((key >> 3, field, behind))
}

/// The first field of a message at a path of numbers.
fn find<'m>(mut message: &'m [u8], path: &[u8]) -> Option<Field<'m>> {
    let mut numbers = numbers(path).peekable();
    let mut wanted = numbers.next()??;
    loop {
        let (number, found, rest) = field(message)?;
        message = rest;
        if number == u64::from(wanted) {
            match (numbers.next(), found) {
                (None, found) => return Some(found),
                (Some(next), Field::Bytes(inner)) => (wanted, message) = (next?, inner),
                _ => return None,
            }
        }
    }
}

/// The field as an integer of a form, or its bytes where none is asked for.
fn value(found: &Field<'_>, form: Option<Form>) -> Option<Sample<'static>> {
    let Some(form) = form else {
        let (Field::Varint(raw, _) | Field::Eight(raw) | Field::Bytes(raw) | Field::Four(raw)) =
            found;
        return Some(Sample::Bin(Cow::Owned(raw.to_vec())));
    };
    integer(found, form).map(Sample::Int)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "what is too long for a sample loses its high bits, a fraction its decimals"
)]
fn integer(found: &Field<'_>, form: Form) -> Option<i64> {
    Some(match (form, found) {
        (Form::Varint, Field::Varint(_, value)) => *value as i64,
        (Form::Signed, Field::Varint(_, value)) => zigzag(*value),
        (Form::Eight, Field::Eight(raw)) => i64::from_le_bytes((*raw).try_into().ok()?),
        (Form::Double, Field::Eight(raw)) => f64::from_le_bytes((*raw).try_into().ok()?) as i64,
        (Form::Four, Field::Four(raw)) => u32::from_le_bytes((*raw).try_into().ok()?).into(),
        (Form::SignedFour, Field::Four(raw)) => i32::from_le_bytes((*raw).try_into().ok()?).into(),
        (Form::Float, Field::Four(raw)) => f32::from_le_bytes((*raw).try_into().ok()?) as i64,
        _ => return None,
    })
}

/// Signed numbers of small size in few bytes: 0, -1, 1, -2 ...
#[expect(clippy::cast_possible_wrap, reason = "half of any number fits")]
const fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn form(args: &Args) -> Option<Form> {
    let at = usize::try_from(args.int(1)?).ok()?;
    FORMS.get(at).map(|(_, form)| *form)
}

fn protobuf<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(message) = sample else {
        return None;
    };
    value(&find(&message, args.text(0)?)?, form(args))
}

/// The same in the first message that has the field: each stands behind a byte that tells whether
/// it is compressed, and its length in four.
fn ungrpc<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let mut rest: &[u8] = &bytes;
    while let Some(([compressed, length @ ..], behind)) = rest.split_first_chunk::<5>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (message, behind) = behind.split_at_checked(length)?;
        if *compressed != 0 {
            return None;
        }
        if let Some(found) = find(message, args.text(0)?) {
            return value(&found, form(args));
        }
        rest = behind;
    }
    None
}
