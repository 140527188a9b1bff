//! The converters `map...`: a sample is looked up in a file of keys and values (manual, section 7.3.1).
//! The first half of a name says how keys are compared, the second what comes out: the value as text,
//! an integer or an address, or the key that matched.

use isthmus_plan::ListValues::{Addresses, Integers, Text, Unused};
use isthmus_plan::{ListValues, MatchMethod};

use super::regsub::substitute;
use crate::args::{ArgValue, Args, CompileEnv};
use crate::condition::input;
use crate::context::Context;
use crate::kind::Kind;
use crate::registry::Converter;
use crate::value::Sample;

/// The rows of one method: text, integers, addresses, keys.
macro_rules! maps {
    ($($method:ident $input:ident: $text:literal $integers:literal $addresses:literal $keys:literal;)*) => {
        &[$(
            maps!($text, "string[,string]", $method, $input, Str, text, Text),
            maps!($integers, "string[,integer]", $method, $input, Int, integer, Integers),
            maps!($addresses, "string[,string]", $method, $input, Addr, address, Addresses),
            maps!($keys, "string", $method, $input, Str, key, Unused),
        )*]
    };
    ($name:expr, $signature:expr, $method:ident, $input:ident, $output:ident, $run:ident, $values:ident) => {
        Converter::new($name, $signature, Kind::$input, Kind::$output, $run)
            .preparing(|args, env| prepare(args, env, MatchMethod::$method, $values))
    };
}

pub(super) const CONVERTERS: &[Converter] = maps! {
    Str Str: "map_str" "map_str_int" "map_str_ip" "map_str_key";
    Beg Str: "map_beg" "map_beg_int" "map_beg_ip" "map_beg_key";
    Sub Str: "map_sub" "map_sub_int" "map_sub_ip" "map_sub_key";
    Dir Str: "map_dir" "map_dir_int" "map_dir_ip" "map_dir_key";
    Dom Str: "map_dom" "map_dom_int" "map_dom_ip" "map_dom_key";
    End Str: "map_end" "map_end_int" "map_end_ip" "map_end_key";
    Reg Str: "map_reg" "map_reg_int" "map_reg_ip" "map_reg_key";
    Int Int: "map_int" "map_int_int" "map_int_ip" "map_int_key";
    Ip Addr: "map_ip" "map_ip_int" "map_ip_ip" "map_ip_key";
};

/// The names outside of the pattern.
pub(super) const OTHERS: &[Converter] = &[
    maps!("map", "string[,string]", Str, Str, Str, text, Text),
    maps!(
        "map_regm",
        "string[,string]",
        Reg,
        Str,
        Str,
        substituted,
        Text
    ),
];

/// Compiles the file for the lookup, and reads the default value.
fn prepare(
    args: &mut Args,
    _env: &mut CompileEnv<'_>,
    method: MatchMethod,
    values: ListValues,
) -> Result<(), String> {
    let ArgValue::List(list) = args.get(0) else {
        return Err("a file of keys and values is expected".into());
    };
    let view = list
        .view(method, false, values)
        .map_err(|e| e.to_string())?;
    args.set(0, ArgValue::View(view));
    if values == Addresses {
        if let Some(text) = args.text(1) {
            let default = isthmus_pattern::address(text);
            let wrong = || format!("cannot parse default ip <{}>", text.escape_ascii());
            let default = ArgValue::Ip(default.ok_or_else(wrong)?);
            args.set(1, default);
        }
    }
    Ok(())
}

/// Shows what a sample matches.
fn find<T>(
    sample: &Sample<'_>,
    args: &Args,
    show: impl FnOnce(isthmus_pattern::Match<'_>) -> T,
) -> Option<T> {
    match args.get(0) {
        ArgValue::View(view) => view.find(input(sample), show),
        _ => None,
    }
}

fn text<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let found = find(&sample, args, |found| found.value(<[u8]>::to_vec));
    found
        .map(Sample::owned_text)
        .or_else(|| args.text(1).map(Sample::text))
}

/// The value with the groups of the expression in the places of `\\1` and the like.
fn substituted<'a>(
    sample: Sample<'a>,
    args: &'a Args,
    _ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    let Sample::Str(text) = &sample else {
        return None;
    };
    let found = find(&sample, args, |found| {
        let groups = found.captures(text);
        found.value(|value| {
            let mut out = Vec::with_capacity(value.len());
            if let Some(groups) = &groups {
                substitute(value, groups, &mut out);
            }
            out
        })
    });
    found
        .map(Sample::owned_text)
        .or_else(|| args.text(1).map(Sample::text))
}

fn integer<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let found = find(&sample, args, |found| found.value(isthmus_pattern::integer));
    match found {
        Some(value) => value.map(Sample::Int),
        None => args.int(1).map(Sample::Int),
    }
}

fn address<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let found = find(&sample, args, |found| found.value(isthmus_pattern::address));
    match (found, args.get(1)) {
        (Some(value), _) => value.map(Sample::from),
        (None, ArgValue::Ip(default)) => Some(Sample::from(*default)),
        _ => None,
    }
}

fn key<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    find(&sample, args, |found| found.key().to_vec()).map(Sample::owned_text)
}
