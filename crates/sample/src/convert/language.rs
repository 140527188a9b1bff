//! `language`: what the client likes best of what there is (manual, section 7.3.1; RFC 9110, 12.5.4).

use crate::args::Args;
use crate::context::Context;
use crate::kind::Kind::Str;
use crate::registry::Converter;
use crate::value::Sample;

pub(super) const CONVERTERS: &[Converter] = &[Converter::new(
    "language",
    "string[,string]",
    Str,
    Str,
    language,
)];

/// The value of the first argument's list that the client's list gives the highest weight, the
/// earliest of several; else the second argument.
fn language<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(liked) = sample else {
        return None;
    };
    let known = args.text(0)?;
    let mut best: Option<(u16, &'a [u8])> = None;
    for element in liked.split(|byte| *byte == b',') {
        let (name, weight) = weighted(element);
        let better = weight > best.map_or(0, |(weight, _)| weight);
        if let (true, Some(found)) = (better, find(known, name)) {
            best = Some((weight, found));
        }
    }
    let found = best.map(|(_, found)| found).or_else(|| args.text(1));
    found.map(Sample::text)
}

/// A language in the list, or, where its variant is not there, without the variant.
fn find<'a>(known: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let find = |name: &[u8]| {
        known
            .split(|byte| *byte == b';')
            .find(|known| *known == name)
    };
    find(name).or_else(|| find(name.split(|byte| *byte == b'-').next()?))
}

/// A language and its weight in thousandths; 1 where none is written that can be read.
fn weighted(element: &[u8]) -> (&[u8], u16) {
    let mut parts = element.splitn(2, |byte| *byte == b';');
    let name = parts.next().unwrap_or_default().trim_ascii();
    let Some(parameter) = parts.next() else {
        return (name, 1000);
    };
    let weight = match parameter.trim_ascii() {
        [b'q' | b'Q', b'=', weight @ ..] => thousandths(weight),
        _ => None,
    };
    (name, weight.unwrap_or(1000))
}

/// A weight, of which three decimals count (RFC 9110, 12.4.2).
fn thousandths(text: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let whole: u16 = match whole {
        "0" => 0,
        "1" => 1000,
        _ => return None,
    };
    let mut value = 0;
    for place in 0..3 {
        let digit = decimals.as_bytes().get(place).copied().unwrap_or(b'0');
        value = value * 10 + u16::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    Some((whole + value).min(1000))
}
