//! Converters that take parts of text between delimiters: `field` and `word` (manual, section 7.3.1).

use std::ops::Range;

use crate::args::{Args, CompileEnv};
use crate::context::Context;
use crate::kind::Kind::Str;
use crate::registry::Converter;
use crate::value::{Sample, slice};

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("field", "integer,string[,integer]", Str, Str, field).preparing(prepare),
    Converter::new("word", "integer,string[,integer]", Str, Str, word).preparing(prepare),
];

fn prepare(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    match (args.int(0), args.text(1)) {
        (Some(0), _) => Err("the index cannot be 0".into()),
        (Some(_), Some(delimiters)) if !delimiters.is_empty() => Ok(()),
        _ => Err("an index and delimiters are expected".into()),
    }
}

/// The fields of a text: what stands between every two delimiters, be it empty.
fn fields(text: &[u8], delimiters: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    let parts = text.split(|b| delimiters.contains(b));
    parts
        .map(|part| {
            let at = start;
            start += part.len() + 1;
            at..at + part.len()
        })
        .collect()
}

/// From the field of an index over as many as are asked for.
fn span(
    fields: impl DoubleEndedIterator<Item = Range<usize>>,
    index: i64,
    count: i64,
    whole: usize,
) -> Option<Range<usize>> {
    let nth = usize::try_from(index.unsigned_abs()).ok()?.checked_sub(1)?;
    let more = usize::try_from(count)
        .ok()
        .filter(|count| *count > 0)
        .map(|count| count - 1);
    if index > 0 {
        let mut rest = fields.skip(nth);
        let first = rest.next()?;
        let end = match more {
            Some(0) => first.end,
            Some(more) => rest.take(more).last().map_or(first.end, |last| last.end),
            None => whole,
        };
        Some(first.start..end)
    } else {
        let mut rest = fields.rev().skip(nth);
        let first = rest.next()?;
        let start = match more {
            Some(0) => first.start,
            Some(more) => rest
                .take(more)
                .last()
                .map_or(first.start, |last| last.start),
            None => 0,
        };
        Some(start..first.end)
    }
}

fn field<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let (index, delimiters) = (args.int(0)?, args.text(1)?);
    let count = args.int(2).unwrap_or(1);
    let part = span(
        fields(&text, delimiters).into_iter(),
        index,
        count,
        text.len(),
    )?;
    Some(Sample::Str(slice(text, part.start, part.end)))
}

/// As `field`, where several delimiters in a row count as one.
fn word<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    let (index, delimiters) = (args.int(0)?, args.text(1)?);
    let count = args.int(2).unwrap_or(1);
    let words = fields(&text, delimiters)
        .into_iter()
        .filter(|part| !part.is_empty());
    let part = span(words, index, count, text.len())?;
    Some(Sample::Str(slice(text, part.start, part.end)))
}
