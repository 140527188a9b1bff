//! The converter `regsub`: sed's `s/regex/substitution/flags` (manual, section 7.3.1). Regular
//! expressions are those of maps and ACLs.

use isthmus_pattern::{Expression, Groups};

use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::kind::Kind::Str;
use crate::registry::Converter;
use crate::value::Sample;

pub(super) const CONVERTERS: &[Converter] =
    &[Converter::new("regsub", "regex,string[,string]", Str, Str, regsub).preparing(prepare)];

/// Compiles the expression; the flags become whether all matches are replaced.
fn prepare(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let flags = args.text(2).unwrap_or_default();
    if let Some(flag) = flags.iter().find(|flag| !matches!(flag, b'g' | b'i')) {
        return Err(format!(
            "unknown flag '{}', 'g' and 'i' are known",
            flag.escape_ascii()
        ));
    }
    let (global, icase) = (flags.contains(&b'g'), flags.contains(&b'i'));
    let regex = args.text(0).ok_or("a regular expression is expected")?;
    let regex = Expression::new(regex, icase)?;
    args.set(0, ArgValue::Regex(Box::new(regex)));
    args.set(2, ArgValue::Int(i64::from(global)));
    Ok(())
}

fn regsub<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let ArgValue::Regex(regex) = args.get(0) else {
        return None;
    };
    if !regex.is_match(&text) {
        return Some(Sample::Str(text));
    }
    let by = args.text(1).unwrap_or_default();
    Some(Sample::owned_text(replace(
        regex,
        &text,
        by,
        args.int(2) == Some(1),
    )))
}

/// Replaces one match or all. Behind a match the search goes on where it ended, so that an empty
/// match may follow at once; only a match that ends where its search began is stepped over.
fn replace(regex: &Expression, text: &[u8], by: &[u8], global: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at <= text.len() {
        let groups = regex.groups_at(text, at);
        let Some((groups, (start, end))) = groups.and_then(|g| g.whole().map(|whole| (g, whole)))
        else {
            break;
        };
        out.extend_from_slice(text.get(at..start).unwrap_or_default());
        substitute(by, &groups, &mut out);
        if end == at {
            out.extend(text.get(at));
            at += 1;
        } else {
            at = end;
        }
        if !global {
            break;
        }
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    out
}

/// Writes a substitution: `\0`..`\9` are groups, `\xHH` is a byte, `\` and another character is
/// that character.
pub fn substitute(by: &[u8], groups: &Groups<'_>, out: &mut Vec<u8>) {
    let mut rest = by;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match after {
            [digit @ b'0'..=b'9', after @ ..] => {
                let group = groups.get(usize::from(digit - b'0'));
                out.extend_from_slice(group.unwrap_or_default());
                rest = after;
            }
            [b'x', high, low, after @ ..] => {
                match isthmus_pattern::from_hex(&[*high, *low]) {
                    Some(byte) => out.extend(byte),
                    None => out.extend_from_slice(&[b'x', *high, *low]),
                }
                rest = after;
            }
            [other, after @ ..] => {
                out.push(*other);
                rest = after;
            }
            [] => out.push(b'\\'),
        }
    }
}
