//! Sets of integers: values, ranges (`1024:65535`, `:9`, `9:`) and comparisons (`lt 0`).

use std::collections::BTreeSet;
use std::fmt;

use crate::steps::step;

/// Ranges by row: the borders between them in order, and the first row that holds behind each.
#[derive(Debug)]
pub(crate) struct IntegerSet {
    ranges: Vec<(Range, u32)>,
    borders: Vec<i64>,
    first: Vec<Option<u32>>,
}

/// A comparison that precedes the values.
#[derive(Clone, Copy)]
enum Operator {
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
}

impl IntegerSet {
    /// Of ranges with their rows, in the order of the rows.
    pub(crate) fn new(ranges: Vec<(Range, u32)>) -> Self {
        let mut changes: Vec<(i64, bool, u32)> = Vec::with_capacity(ranges.len() * 2);
        for (range, row) in &ranges {
            changes.push((range.first, true, *row));
            if let Some(behind) = range.last.checked_add(1) {
                changes.push((behind, false, *row));
            }
        }
        changes.sort_unstable();
        let (mut borders, mut first) = (Vec::new(), Vec::new());
        let mut open = BTreeSet::new();
        for (at, begins, row) in changes {
            if begins {
                open.insert(row);
            } else {
                open.remove(&row);
            }
            if borders.last() == Some(&at) {
                first.pop();
            } else {
                borders.push(at);
            }
            first.push(open.first().copied());
        }
        Self {
            ranges,
            borders,
            first,
        }
    }

    /// The first row that lives and holds a value.
    pub(crate) fn find(&self, value: i64, lives: &impl Fn(u32) -> bool) -> Option<u32> {
        let border = self.borders.partition_point(|border| {
            step();
            *border <= value
        });
        let row = (*self.first.get(border.checked_sub(1)?)?)?;
        if lives(row) {
            return Some(row);
        }
        // Only where an operator deleted the row: a search from the start finds the next one.
        let mut holding = self
            .ranges
            .iter()
            .filter(|(range, row)| range.first <= value && value <= range.last && lives(*row));
        holding.next().map(|(_, row)| *row)
    }
}

/// Lowers the operators among patterns as written: each holds for the patterns behind it. What is no
/// operator and no range stays as it is.
pub(crate) fn without_operators(patterns: &[&[u8]]) -> Vec<(usize, Option<Range>)> {
    let mut operator = Operator::Eq;
    let mut ranges = Vec::with_capacity(patterns.len());
    for (index, pattern) in patterns.iter().enumerate() {
        match Operator::parse(pattern) {
            Some(found) => operator = found,
            None => ranges.push((
                index,
                Range::parse(pattern).and_then(|range| range.under(operator)),
            )),
        }
    }
    ranges
}

/// Integers from the first to the last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    first: i64,
    last: i64,
}

impl Range {
    /// Reads `N`, `N:M`, `N:` or `:M`.
    pub(crate) fn parse(pattern: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(pattern).ok()?;
        let Some((first, last)) = text.split_once(':') else {
            let value = number(text)?;
            return Some(Self {
                first: value,
                last: value,
            });
        };
        if first.is_empty() && last.is_empty() {
            return None;
        }
        let first = if first.is_empty() {
            i64::MIN
        } else {
            number(first)?
        };
        let last = if last.is_empty() {
            i64::MAX
        } else {
            number(last)?
        };
        (first <= last).then_some(Self { first, last })
    }

    fn under(self, operator: Operator) -> Option<Self> {
        let Self { first, last } = self;
        Some(match operator {
            Operator::Eq => self,
            Operator::Ge => Self {
                first,
                last: i64::MAX,
            },
            Operator::Gt => Self {
                first: first.checked_add(1)?,
                last: i64::MAX,
            },
            Operator::Le => Self {
                first: i64::MIN,
                last,
            },
            Operator::Lt => Self {
                first: i64::MIN,
                last: last.checked_sub(1)?,
            },
        })
    }
}

/// An integer, or a version: two integers and a dot, compared as one number of 16 bits each.
fn number(text: &str) -> Option<i64> {
    if let Some((major, minor)) = text.split_once('.') {
        let (major, minor): (u16, u16) =
            (digits(major)?.parse().ok()?, digits(minor)?.parse().ok()?);
        return Some(i64::from(major) << 16 | i64::from(minor));
    }
    digits(text.strip_prefix('-').unwrap_or(text))?;
    text.parse().ok()
}

/// The text, if it is made of digits alone (Rust would take a plus as well).
fn digits(text: &str) -> Option<&str> {
    text.bytes().all(|b| b.is_ascii_digit()).then_some(text)
}

impl Operator {
    fn parse(pattern: &[u8]) -> Option<Self> {
        Some(match pattern {
            b"eq" => Self::Eq,
            b"ge" => Self::Ge,
            b"gt" => Self::Gt,
            b"le" => Self::Le,
            b"lt" => Self::Lt,
            _ => return None,
        })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (first, last) if first == last => write!(f, "{first}"),
            (i64::MIN, i64::MAX) => write!(f, "{}:", i64::MIN),
            (i64::MIN, last) => write!(f, ":{last}"),
            (first, i64::MAX) => write!(f, "{first}:"),
            (first, last) => write!(f, "{first}:{last}"),
        }
    }
}
