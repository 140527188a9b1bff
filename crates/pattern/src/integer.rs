//! Sets of integers: values, ranges (`1024:65535`, `:9`, `9:`) and comparisons (`lt 0`).

/// Disjoint ranges in order.
#[derive(Debug, Default)]
pub(crate) struct IntegerSet(Vec<(i64, i64)>);

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
    /// Of patterns as written. An operator holds for the patterns behind it.
    ///
    /// # Errors
    /// The index of the pattern and what is wrong with it.
    pub(crate) fn parse(patterns: &[&[u8]]) -> Result<Self, (usize, String)> {
        let mut operator = Operator::Eq;
        let mut ranges = Vec::with_capacity(patterns.len());
        for (index, pattern) in patterns.iter().enumerate() {
            if let Some(found) = Operator::parse(pattern) {
                operator = found;
                continue;
            }
            let range = Range::parse(pattern).and_then(|range| range.under(operator));
            let range = range.ok_or_else(|| {
                (
                    index,
                    format!("'{}' is not a number or range", pattern.escape_ascii()),
                )
            })?;
            ranges.push((range.first, range.last));
        }
        Ok(Self(merge(ranges)))
    }

    /// Whether a value is in it.
    pub(crate) fn contains(&self, value: i64) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= value);
        after
            .checked_sub(1)
            .and_then(|at| self.0.get(at))
            .is_some_and(|(_, last)| value <= *last)
    }
}

fn merge(mut ranges: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    ranges.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

struct Range {
    first: i64,
    last: i64,
}

impl Range {
    fn parse(pattern: &[u8]) -> Option<Self> {
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
