//! Converters between bytes and their notations (manual, section 7.3.1).

use super::base64::{STANDARD, URL_SAFE, decode, encode};
use crate::args::{Args, CompileEnv};
use crate::context::Context;
use crate::kind::Kind::{Bin, Int, Str};
use crate::registry::Converter;
use crate::value::Sample;

const GROUPS: &str = "string[,integer,integer]";

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("b64dec", "", Str, Bin, b64dec),
    Converter::new("base2", "", Bin, Str, base2),
    Converter::new("base64", "", Bin, Str, base64),
    Converter::new("be2dec", GROUPS, Bin, Str, be2dec).preparing(prepare_decimal),
    Converter::new("be2hex", GROUPS, Bin, Str, be2hex).preparing(prepare_hexadecimal),
    Converter::new("hex", "", Bin, Str, hex),
    Converter::new("hex2i", "", Str, Int, hex2i),
    Converter::new("htonl", "", Int, Bin, htonl),
    Converter::new("le2dec", GROUPS, Bin, Str, le2dec).preparing(prepare_decimal),
    Converter::new("ub64dec", "", Str, Bin, ub64dec),
    Converter::new("ub64enc", "", Bin, Str, ub64enc),
    Converter::new("url_dec", "[integer]", Str, Str, url_dec),
    Converter::new("url_enc", "string", Str, Str, url_enc).preparing(prepare_url_enc),
];

fn hex<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let mut digits = Vec::with_capacity(bytes.len() * 2);
    isthmus_pattern::to_hex(&bytes, &mut digits);
    Some(Sample::owned_text(digits))
}

/// Hexadecimal digits as an integer; of more than 16, the last 16 count.
fn hex2i<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let value = text.iter().try_fold(0_i64, |value, &byte| {
        let digit = char::from(byte).to_digit(16)?;
        Some(value << 4 | i64::from(digit))
    });
    value.map(Sample::Int)
}

/// The low 32 bits in network order.
fn htonl<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Int(value) = sample else {
        return None;
    };
    let [.., a, b, c, d] = value.to_be_bytes();
    Some(Sample::Bin(vec![a, b, c, d].into()))
}

/// Each byte as eight binary digits.
fn base2<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let digits = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| b'0' + (byte >> bit & 1)));
    Some(Sample::owned_text(digits.collect()))
}

fn base64<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    Some(Sample::owned_text(encode(&bytes, STANDARD, true)))
}

fn ub64enc<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    Some(Sample::owned_text(encode(&bytes, URL_SAFE, false)))
}

fn b64dec<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    decode(&text, STANDARD, true).map(|bytes| Sample::Bin(bytes.into()))
}

fn ub64dec<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    decode(&text, URL_SAFE, false).map(|bytes| Sample::Bin(bytes.into()))
}

fn prepare_decimal(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    match args.int(1) {
        Some(1..=8) => Ok(()),
        _ => Err("a chunk size from 1 to 8 is expected".into()),
    }
}

fn prepare_hexadecimal(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let separated = args.text(0).is_some_and(|separator| !separator.is_empty());
    match args.int(1) {
        None if !separated => Ok(()),
        Some(1..) => Ok(()),
        _ => Err("a chunk size of 1 or more is expected".into()),
    }
}

/// Writes each chunk of bytes, with the separator in between. With a third argument, a last chunk
/// that is not complete is left out.
fn chunks(bytes: &[u8], args: &Args, mut write: impl FnMut(&[u8], &mut Vec<u8>)) -> Vec<u8> {
    let size = args
        .int(1)
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| *size > 0);
    let size = size.unwrap_or(bytes.len().max(1));
    let separator = args.text(0).unwrap_or_default();
    let whole_only = args.int(2).unwrap_or(0) != 0;
    let mut out = Vec::new();
    for (at, chunk) in bytes.chunks(size).enumerate() {
        if whole_only && chunk.len() < size {
            break;
        }
        if at > 0 {
            out.extend_from_slice(separator);
        }
        write(chunk, &mut out);
    }
    out
}

fn write_decimal(digits: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    let number = digits.fold(0_u64, |number, byte| number << 8 | u64::from(byte));
    out.extend_from_slice(number.to_string().as_bytes());
}

fn be2dec<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let text = chunks(&bytes, args, |chunk, out| {
        write_decimal(chunk.iter().copied(), out)
    });
    Some(Sample::owned_text(text))
}

fn le2dec<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let text = chunks(&bytes, args, |chunk, out| {
        write_decimal(chunk.iter().rev().copied(), out)
    });
    Some(Sample::owned_text(text))
}

fn be2hex<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    Some(Sample::owned_text(chunks(
        &bytes,
        args,
        isthmus_pattern::to_hex,
    )))
}

/// Decodes `%HH`, and `+` as a space in a form (first argument not 0) or behind a `?`.
fn url_dec<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    if !text.iter().any(|b| matches!(b, b'%' | b'+')) {
        return Some(Sample::Str(text));
    }
    let mut in_query = args.int(0).unwrap_or(0) != 0;
    let mut out = Vec::with_capacity(text.len());
    let mut rest: &[u8] = &text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let (digits, after) = after.split_at_checked(2)?;
                out.extend(isthmus_pattern::from_hex(digits)?);
                rest = after;
            }
            b'+' if in_query => out.push(b' '),
            other => {
                in_query |= other == b'?';
                out.push(other);
            }
        }
    }
    Some(Sample::owned_text(out))
}

fn prepare_url_enc(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    match args.text(0) {
        None | Some(b"" | b"query") => Ok(()),
        Some(_) => Err("only the encoding 'query' is known".into()),
    }
}

/// Everything but RFC 3986's unreserved characters as `%HH`.
fn url_enc<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    if text.iter().all(plain) {
        return Some(Sample::Str(text));
    }
    let mut out = Vec::with_capacity(text.len() * 2);
    for byte in text.iter() {
        if plain(byte) {
            out.push(*byte);
        } else {
            out.push(b'%');
            isthmus_pattern::to_hex(&[*byte], &mut out);
        }
    }
    Some(Sample::owned_text(out))
}
