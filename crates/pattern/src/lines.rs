//! The text of pattern files: one entry on each line (manual, section 7.1 on `-f` and the converter
//! `map`).

use std::ops::Range;
use std::sync::Arc;

use crate::batch::{Batch, Row};

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// ACL files: a line is a pattern; blanks behind it belong to it.
    One,
    /// Map files: the first word is the key, the rest of the line without blanks around it the value.
    Two,
}

/// The places of key and value on each line that holds an entry, with the line's number from 1.
pub(crate) fn entries(
    text: &[u8],
    columns: Columns,
) -> impl Iterator<Item = (usize, Range<usize>, Range<usize>)> + '_ {
    let mut start = 0;
    let lines = text.split(|byte| *byte == b'\n').map(move |line| {
        let at = start;
        start += line.len() + 1;
        (at, line)
    });
    lines.enumerate().filter_map(move |(number, (at, line))| {
        let (key, value) = entry(line, columns)?;
        Some((number + 1, shifted(&key, at), shifted(&value, at)))
    })
}

/// Places of a text's entries as a batch; `id` counts them on. None where the text is too long for that.
pub(crate) fn batch(text: Arc<[u8]>, columns: Columns, id: &mut u32) -> Option<Batch> {
    let small = |place: Range<usize>| {
        Some(u32::try_from(place.start).ok()?..u32::try_from(place.end).ok()?)
    };
    let mut rows = Vec::new();
    for (_, key, value) in entries(&text, columns) {
        let (key, value) = (small(key)?, small(value)?);
        *id = id.wrapping_add(1);
        rows.push(Row {
            id: *id,
            key,
            value,
        });
    }
    rows.shrink_to_fit();
    Some(Batch::new(text, rows))
}

/// The number of the line on which an entry stands.
pub(crate) fn line_of(text: &[u8], columns: Columns, entry: usize) -> usize {
    entries(text, columns).nth(entry).map_or(0, |found| found.0)
}

const fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn entry(line: &[u8], columns: Columns) -> Option<(Range<usize>, Range<usize>)> {
    if line.first() == Some(&b'#') {
        return None;
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let start = line.iter().position(|byte| !blank(*byte))?;
    let rest = line.get(start..)?;
    if columns == Columns::One {
        return Some((start..line.len(), line.len()..line.len()));
    }
    let key_end = rest.iter().position(|byte| blank(*byte));
    let key_end = key_end.map_or(line.len(), |length| start + length);
    let behind = line.get(key_end..)?;
    let Some(gap) = behind.iter().position(|byte| !blank(*byte)) else {
        return Some((start..key_end, key_end..key_end));
    };
    let last = behind.iter().rposition(|byte| !blank(*byte)).unwrap_or(gap);
    Some((start..key_end, key_end + gap..key_end + last + 1))
}

const fn shifted(place: &Range<usize>, by: usize) -> Range<usize> {
    place.start + by..place.end + by
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, columns: Columns) -> Vec<(usize, &str, &str)> {
        entries(text.as_bytes(), columns)
            .map(|(line, key, value)| (line, &text[key], &text[value]))
            .collect()
    }

    #[test]
    fn comments_and_empty_lines_are_passed_over_and_blanks_are_cut_as_haproxy_does() {
        let text = "# no\n\n   \n \t10.0.0.0/8    United Kingdom  \t\n #x sharp\nalone\nk v w \r\n";
        let expected = [
            (4, "10.0.0.0/8", "United Kingdom"),
            (5, "#x", "sharp"),
            (6, "alone", ""),
            (7, "k", "v w"),
        ];
        assert_eq!(read(text, Columns::Two), expected);
        let text = "#no\n  lead  \r\nwith space\n\n #d";
        let expected = [(2, "lead  ", ""), (3, "with space", ""), (5, "#d", "")];
        assert_eq!(read(text, Columns::One), expected);
    }
}
