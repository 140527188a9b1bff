//! Converters on text (manual, section 7.3.1).

use super::variable::{optional_variable, variable_text};
use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::kind::Kind::{Bin, Bool, Int, Str};
use crate::registry::Converter;
use crate::value::{Sample, slice};

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("add_item", "string,string[,string]", Str, Str, add_item)
        .preparing(prepare_add_item),
    Converter::new("bytes", "string[,string]", Bin, Bin, bytes).preparing(prepare_bytes),
    Converter::new("concat", "string[,string,string]", Str, Str, concat).preparing(prepare_concat),
    Converter::new("cut_crlf", "", Str, Str, cut_crlf),
    Converter::new("has_ctl", "[string]", Bin, Bool, has_ctl).preparing(prepare_has_ctl),
    Converter::new("host_only", "", Str, Str, host_only),
    Converter::new("iif", "string,string", Bool, Str, iif),
    Converter::new("length", "", Str, Int, length),
    Converter::new("lower", "", Str, Str, lower),
    Converter::new("ltrim", "string", Str, Str, ltrim),
    Converter::new("param", "string[,string]", Str, Str, param),
    Converter::new("port_only", "", Str, Int, port_only),
    Converter::new("reverse", "", Str, Str, reverse),
    Converter::new("reverse_dom", "", Str, Str, reverse_dom),
    Converter::new("rtrim", "string", Str, Str, rtrim),
    Converter::new("secure_memcmp", "string", Bin, Bool, secure_memcmp)
        .preparing(super::variable::prepare_variable),
    Converter::new("strcmp", "string", Str, Int, strcmp)
        .preparing(super::variable::prepare_variable),
    Converter::new("upper", "", Str, Str, upper),
];

fn lower<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(mut text) = sample else {
        return None;
    };
    if text.iter().any(u8::is_ascii_uppercase) {
        text.to_mut().make_ascii_lowercase();
    }
    Some(Sample::Str(text))
}

fn upper<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(mut text) = sample else {
        return None;
    };
    if text.iter().any(u8::is_ascii_lowercase) {
        text.to_mut().make_ascii_uppercase();
    }
    Some(Sample::Str(text))
}

/// No manual that could be read says what the argument of `has_ctl` stands for, and a guess about
/// what is let through is worse than an error.
fn prepare_has_ctl(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    match args.text(0) {
        None | Some(b"") => Ok(()),
        Some(_) => Err("no argument is known here: every control character counts".into()),
    }
}

/// Whether a control character of ASCII is there, DEL included (RFC 5234, `CTL`).
fn has_ctl<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    Some(Sample::Bool(bytes.iter().any(u8::is_ascii_control)))
}

fn length<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    i64::try_from(text.len()).ok().map(Sample::Int)
}

fn prepare_concat(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    optional_variable(args, 1, env)
}

fn concat<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let mut text = text.into_owned();
    text.extend_from_slice(args.text(0).unwrap_or_default());
    text.extend_from_slice(&variable_text(args, 1, ctx).unwrap_or_default());
    text.extend_from_slice(args.text(2).unwrap_or_default());
    Some(Sample::owned_text(text))
}

fn prepare_add_item(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    optional_variable(args, 1, env)?;
    if args.variable(1).is_none() && args.text(2).is_none_or(<[u8]>::is_empty) {
        return Err("one of the variable and the suffix is expected".into());
    }
    Ok(())
}

/// As `concat`, with the delimiter only between two parts that are not empty.
fn add_item<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let item = variable_text(args, 1, ctx).unwrap_or_default();
    let suffix = args.text(2).unwrap_or_default();
    if item.is_empty() && suffix.is_empty() {
        return Some(Sample::Str(text));
    }
    let mut text = text.into_owned();
    if !text.is_empty() {
        text.extend_from_slice(args.text(0).unwrap_or_default());
    }
    text.extend_from_slice(&item);
    text.extend_from_slice(suffix);
    Some(Sample::owned_text(text))
}

fn prepare_bytes(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    super::integer::prepare_operand_at(args, 0, env)?;
    super::integer::prepare_operand_at(args, 1, env)
}

/// A part of the bytes. A negative length means what is left, an offset behind the end nothing.
fn bytes<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let start = usize::try_from(super::integer::operand(args, 0, ctx)?).ok()?;
    if start > bytes.len() {
        return None;
    }
    let length = match args.get(1) {
        ArgValue::Absent => usize::MAX,
        _ => usize::try_from(super::integer::operand(args, 1, ctx)?).unwrap_or(usize::MAX),
    };
    Some(Sample::Bin(slice(
        bytes,
        start,
        start.saturating_add(length),
    )))
}

/// Text up to its first carriage return or newline.
fn cut_crlf<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let end = text
        .iter()
        .position(|b| matches!(b, b'\r' | b'\n'))
        .unwrap_or(text.len());
    Some(Sample::Str(slice(text, 0, end)))
}

/// Where the port's colon stands in a `Host` header's value: the last one behind any bracket.
fn port_colon(host: &[u8]) -> Option<usize> {
    host.iter()
        .rposition(|b| matches!(b, b':' | b']'))
        .filter(|at| host.get(*at) == Some(&b':'))
}

fn host_only<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let end = port_colon(&text).unwrap_or(text.len());
    lower(Sample::Str(slice(text, 0, end)), args, ctx)
}

/// The port of a `Host` header's value; 0 where there is none or it is not a number.
fn port_only<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let digits = port_colon(&text)
        .and_then(|at| text.get(at + 1..))
        .unwrap_or_default();
    let number = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse::<u32>().ok());
    Some(Sample::Int(number.map_or(0, i64::from)))
}

fn iif<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let at = usize::from(sample != Sample::Bool(true));
    Some(Sample::text(args.text(at).unwrap_or_default()))
}

/// Text without the characters of the argument at its beginning.
fn ltrim<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let (Sample::Str(text), Some(set)) = (sample, args.text(0)) else {
        return None;
    };
    let start = text
        .iter()
        .position(|b| !set.contains(b))
        .unwrap_or(text.len());
    Some(Sample::Str(slice(text, start, usize::MAX)))
}

/// Text without the characters of the argument at its end.
fn rtrim<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let (Sample::Str(text), Some(set)) = (sample, args.text(0)) else {
        return None;
    };
    let end = text
        .iter()
        .rposition(|b| !set.contains(b))
        .map_or(0, |last| last + 1);
    Some(Sample::Str(slice(text, 0, end)))
}

/// The value of a parameter in `name=value` pairs with `&` or another delimiter between them.
fn param<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let (Sample::Str(text), Some(name)) = (sample, args.text(0)) else {
        return None;
    };
    let delimiter = args
        .text(1)
        .and_then(<[u8]>::first)
        .copied()
        .unwrap_or(b'&');
    let pairs = text.split(|b| *b == delimiter);
    let found = pairs.filter_map(|pair| {
        let rest = pair.strip_prefix(name)?;
        if rest.is_empty() {
            Some(rest)
        } else {
            rest.strip_prefix(b"=")
        }
    });
    let value = found.map(<[u8]>::to_vec).next();
    value.map(Sample::owned_text)
}

fn reverse<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(mut text) = sample else {
        return None;
    };
    text.to_mut().reverse();
    Some(Sample::Str(text))
}

/// A host name with its labels in reverse order.
fn reverse_dom<'a>(
    sample: Sample<'a>,
    _args: &'a Args,
    _ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let mut labels: Vec<&[u8]> = text.split(|b| *b == b'.').collect();
    labels.reverse();
    Some(Sample::owned_text(labels.join(&b"."[..])))
}

/// The difference of the first bytes that differ, or of the lengths: -1, 0 or 1.
fn strcmp<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(left) = sample else {
        return None;
    };
    let right = variable_text(args, 0, ctx)?;
    let differing = left.iter().zip(right.iter()).find(|(a, b)| a != b);
    let order = match differing {
        Some((a, b)) => i64::from(*a) - i64::from(*b),
        None => left.len().cmp(&right.len()) as i64,
    };
    Some(Sample::Int(order))
}

/// Equality, in a time that depends on the lengths alone.
fn secure_memcmp<'a>(
    sample: Sample<'a>,
    args: &'a Args,
    ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    let Sample::Bin(left) = sample else {
        return None;
    };
    let right = ctx.variable(args.variable(0)?)?;
    let Some(Sample::Bin(right)) = crate::cast::cast(right, Bin) else {
        return None;
    };
    let difference = left
        .iter()
        .zip(right.iter())
        .fold(0, |all, (a, b)| all | (a ^ b));
    Some(Sample::Bool(
        left.len() == right.len() && std::hint::black_box(difference) == 0,
    ))
}
