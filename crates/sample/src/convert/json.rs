//! Converters to and from JSON (manual, section 7.3.1).

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::kind::Kind::{Any, Str};
use crate::registry::Converter;
use crate::value::Sample;

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("json", "string", Str, Str, json).preparing(prepare_json),
    Converter::new("json_query", "string[,string]", Str, Any, json_query).preparing(prepare_query),
];

/// How `json` reads its input, as bits: UTF-8 rather than single bytes, overlong forms are taken,
/// errors are left out.
const UTF8: i64 = 1;
const PERMISSIVE: i64 = 2;
const SILENT: i64 = 4;

fn prepare_json(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let mode = match args.text(0) {
        None | Some(b"" | b"ascii") => 0,
        Some(b"utf8") => UTF8,
        Some(b"utf8s") => UTF8 | SILENT,
        Some(b"utf8p") => UTF8 | PERMISSIVE,
        Some(b"utf8ps") => UTF8 | PERMISSIVE | SILENT,
        Some(_) => return Err("'ascii', 'utf8', 'utf8s', 'utf8p' or 'utf8ps' is expected".into()),
    };
    args.set(0, ArgValue::Int(mode));
    Ok(())
}

/// Escapes text for a JSON string.
fn json<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let mode = args.int(0).unwrap_or(0);
    let mut out = Vec::with_capacity(text.len());
    let mut rest: &[u8] = &text;
    while let Some((&byte, after)) = rest.split_first() {
        if mode & UTF8 == 0 || byte < 0x80 {
            write_escaped(u32::from(byte), &mut out);
            rest = after;
            continue;
        }
        let (length, character) = decode(rest, mode & PERMISSIVE != 0);
        // Four digits is all that `\u` has room for.
        match character.filter(|character| *character <= 0xffff) {
            Some(character) => write_escaped(character, &mut out),
            None if mode & SILENT != 0 => {}
            None => return None,
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Some(Sample::owned_text(out))
}

fn write_escaped(character: u32, out: &mut Vec<u8>) {
    let short = match character {
        0x22 | 0x5c | 0x2f => u8::try_from(character).ok(),
        0x08 => Some(b'b'),
        0x09 => Some(b't'),
        0x0a => Some(b'n'),
        0x0c => Some(b'f'),
        0x0d => Some(b'r'),
        _ => None,
    };
    match (short, character) {
        (Some(letter), _) => out.extend_from_slice(&[b'\\', letter]),
        (None, 0x20..=0x7e) => out.extend(u8::try_from(character)),
        (None, _) => out.extend_from_slice(format!("\\u{character:04x}").as_bytes()),
    }
}

/// The length of the first sequence of UTF-8, and its character unless it is wrong.
fn decode(text: &[u8], overlong: bool) -> (usize, Option<u32>) {
    let first = text.first().copied().unwrap_or(0);
    let (expected, bits) = match first {
        0xc0..=0xdf => (1, u32::from(first & 0x1f)),
        0xe0..=0xef => (2, u32::from(first & 0x0f)),
        0xf0..=0xf7 => (3, u32::from(first & 0x07)),
        _ => return (1, None),
    };
    let behind = text.iter().skip(1).take(expected);
    let found: Vec<u8> = behind.take_while(|b| **b & 0xc0 == 0x80).copied().collect();
    if found.len() < expected {
        return (1 + found.len(), None);
    }
    let character = found
        .iter()
        .fold(bits, |bits, byte| bits << 6 | u32::from(byte & 0x3f));
    let least = match expected {
        1 => 0x80,
        2 => 0x800,
        _ => 0x1_0000,
    };
    let valid = char::from_u32(character).is_some() && (overlong || character >= least);
    (1 + expected, valid.then_some(character))
}

/// The path is a JSONPath of names and indexes; the second argument may be `int`.
pub(super) fn prepare_query(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let path = args.text(0).and_then(|path| std::str::from_utf8(path).ok());
    if path.is_none_or(|path| path.is_empty()) {
        return Err("a JSONPath is expected".into());
    }
    match args.text(1) {
        None | Some(b"") => args.set(1, ArgValue::Absent),
        Some(b"int") => args.set(1, ArgValue::Int(1)),
        Some(_) => return Err("the output type is 'int'".into()),
    }
    Ok(())
}

fn json_query<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    query(&text, args.text(0)?, args.int(1) == Some(1))
}

/// What stands at a path in a JSON text.
pub(super) fn query(text: &[u8], path: &[u8], as_int: bool) -> Option<Sample<'static>> {
    let path = std::str::from_utf8(path).ok()?;
    let text = std::str::from_utf8(text).ok()?;
    let found = walk(serde_json::from_str(text).ok()?, path.strip_prefix('$')?)?;
    value(found, as_int)
}

/// Follows `.name` and `[index]` from a value.
fn walk<'j>(mut value: &'j RawValue, path: &str) -> Option<&'j RawValue> {
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']')?;
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            value = items.get(index.parse::<usize>().ok()?)?;
            rest = after;
        } else {
            let (name, after) = name(rest.strip_prefix('.')?);
            let members: HashMap<Cow<'j, str>, &RawValue> =
                serde_json::from_str(value.get()).ok()?;
            value = members.get(name.as_str())?;
            rest = after;
        }
    }
    Some(value)
}

/// A name up to a dot or bracket; `\` takes the next character as it is.
fn name(path: &str) -> (String, &str) {
    let mut name = String::new();
    let mut characters = path.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '.' | '[' => return (name, path.get(at..).unwrap_or_default()),
            '\\' => name.extend(characters.next().map(|(_, character)| character)),
            other => name.push(other),
        }
    }
    (name, "")
}

fn value(found: &RawValue, as_int: bool) -> Option<Sample<'static>> {
    let text = found.get();
    match text.bytes().next()? {
        b'"' => {
            let text: String = serde_json::from_str(text).ok()?;
            Some(Sample::owned_text(text.into_bytes()))
        }
        b't' => Some(Sample::Bool(true)),
        b'f' => Some(Sample::Bool(false)),
        b'[' => Some(Sample::owned_text(text.as_bytes().to_vec())),
        b'-' | b'0'..=b'9' => number(text, as_int),
        _ => None,
    }
}

/// Integers that a double holds exactly are integers; others are text, in C's `%g`, unless an
/// integer is asked for.
fn number(text: &str, as_int: bool) -> Option<Sample<'static>> {
    const EXACT: f64 = 9_007_199_254_740_991.0;
    let number: f64 = text.parse().ok()?;
    if as_int || (number.fract() == 0.0 && number.abs() <= EXACT) {
        return Some(Sample::Int(number as i64));
    }
    Some(Sample::owned_text(general(number).into_bytes()))
}

/// Six significant digits, as C's `%g` writes them.
fn general(number: f64) -> String {
    let scientific = format!("{number:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let places = usize::try_from(5 - exponent).unwrap_or(0);
        return trimmed(&format!("{number:.places$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(digits), exponent.unsigned_abs())
}

fn trimmed(digits: &str) -> &str {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}
