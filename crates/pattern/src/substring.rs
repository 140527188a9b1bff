//! Strings found anywhere in a text, or between delimiters: one automaton for all of them.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

use crate::batch::Batch;
use crate::steps::step;

/// The delimiters around `dir` patterns.
pub(crate) const SLASHES: &[u8] = b"/?";
/// The delimiters around `dom` patterns.
pub(crate) const DOTS: &[u8] = b"/?.:";

/// Strings by row.
#[derive(Debug)]
pub(crate) struct SubstringSet {
    automaton: AhoCorasick,
    rows: Vec<u32>,
    delimiters: &'static [u8],
    /// Empty patterns: found in every text, but not between delimiters.
    empty: Vec<u32>,
}

impl SubstringSet {
    /// Of the rows of a batch.
    pub(crate) fn new(
        batch: &Batch,
        icase: bool,
        delimiters: &'static [u8],
    ) -> Result<Self, String> {
        let key = |row: &u32| trim(batch.key(*row), delimiters);
        let (empty, rows): (Vec<u32>, Vec<u32>) =
            batch.living().partition(|row| key(row).is_empty());
        let automaton = AhoCorasickBuilder::new()
            .ascii_case_insensitive(icase)
            .build(rows.iter().map(key))
            .map_err(|error| error.to_string())?;
        Ok(Self {
            automaton,
            rows,
            delimiters,
            empty: if delimiters.is_empty() {
                empty
            } else {
                Vec::new()
            },
        })
    }

    /// The first row of the list that lives and is found.
    pub(crate) fn find(&self, batch: &Batch, text: &[u8]) -> Option<u32> {
        let bounded = |at: Option<&u8>| {
            self.delimiters.is_empty() || at.is_none_or(|byte| self.delimiters.contains(byte))
        };
        let mut best = self.empty.iter().copied().find(|row| batch.lives(*row));
        for found in self.automaton.find_overlapping_iter(text) {
            step();
            let Some(&row) = self.rows.get(found.pattern().as_usize()) else {
                continue;
            };
            let before = found.start().checked_sub(1).and_then(|at| text.get(at));
            if best.is_none_or(|best| row < best)
                && bounded(before)
                && bounded(text.get(found.end()))
                && batch.lives(row)
            {
                best = Some(row);
                if row == 0 {
                    break;
                }
            }
        }
        best
    }
}

fn trim<'p>(pattern: &'p [u8], delimiters: &[u8]) -> &'p [u8] {
    let kept = |byte: &u8| !delimiters.contains(byte);
    let Some(first) = pattern.iter().position(kept) else {
        return b"";
    };
    let last = pattern.iter().rposition(kept).unwrap_or(first);
    pattern.get(first..=last).unwrap_or_default()
}
