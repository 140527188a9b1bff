//! Lists of regular expressions: one automaton says which of them match, in linear time. Those that it
//! cannot hold (look-around, back-references) are tried one by one behind it, with a limit.

use std::sync::OnceLock;

use regex::bytes::{RegexSet, RegexSetBuilder};

use crate::batch::Batch;
use crate::expression::{Expression, PROGRAM_BYTES, is_possessive, text};
use crate::steps::step;

/// Expressions by row.
#[derive(Debug)]
pub(crate) struct RegexList {
    set: RegexSet,
    /// The rows of the set.
    rows: Vec<u32>,
    /// Each expression of the set alone, made when its groups are first asked for.
    alone: Vec<OnceLock<Option<Expression>>>,
    /// The rows that no set can hold.
    others: Vec<(u32, Expression)>,
    icase: bool,
}

impl RegexList {
    /// Of the rows of a batch; the row that is wrong and why, where one is.
    pub(crate) fn new(batch: &Batch, icase: bool) -> Result<Self, (u32, String)> {
        let mut rows: Vec<u32> = batch.living().collect();
        let mut others = Vec::new();
        let set = match build(batch, &rows, icase) {
            Ok(set) => set,
            // The set does not say which of its expressions it cannot hold.
            Err(_) => {
                others = apart(batch, &mut rows, icase)?;
                build(batch, &rows, icase).map_err(|message| (0, message))?
            }
        };
        Ok(Self {
            set,
            alone: rows.iter().map(|_| OnceLock::new()).collect(),
            rows,
            others,
            icase,
        })
    }

    /// The first row of the list that lives and matches.
    pub(crate) fn find(&self, batch: &Batch, text: &[u8]) -> Option<u32> {
        step();
        let matches = self.set.matches(text);
        let mut rows = matches.iter().filter_map(|at| self.rows.get(at).copied());
        let found = rows.find(|row| batch.lives(*row));
        let before = |row: u32| found.is_none_or(|found| row < found);
        let mut others = self.others.iter().take_while(|(row, _)| before(*row));
        others
            .find(|(row, other)| batch.lives(*row) && other.is_match(text))
            .map(|(row, _)| *row)
            .or(found)
    }

    /// The expression of a row alone.
    pub(crate) fn alone(&self, batch: &Batch, row: u32) -> Option<&Expression> {
        if let Ok(at) = self.others.binary_search_by_key(&row, |(row, _)| *row) {
            return self.others.get(at).map(|(_, other)| other);
        }
        let at = self.rows.binary_search(&row).ok()?;
        let made = self.alone.get(at)?;
        made.get_or_init(|| Expression::new(batch.key(row), self.icase).ok())
            .as_ref()
    }
}

/// Takes the rows out that no set can hold.
fn apart(
    batch: &Batch,
    rows: &mut Vec<u32>,
    icase: bool,
) -> Result<Vec<(u32, Expression)>, (u32, String)> {
    let (mut linear, mut others) = (Vec::new(), Vec::new());
    for &row in rows.iter() {
        match Expression::new(batch.key(row), icase).map_err(|message| (row, message))? {
            Expression::Linear(_) => linear.push(row),
            other @ Expression::Backtracking(_) => others.push((row, other)),
        }
    }
    *rows = linear;
    Ok(others)
}

fn build(batch: &Batch, rows: &[u32], icase: bool) -> Result<RegexSet, String> {
    let texts: Result<Vec<&str>, String> = rows.iter().map(|row| text(batch.key(*row))).collect();
    let texts = texts?;
    if texts.iter().any(|text| is_possessive(text)) {
        return Err("a possessive repeat".to_owned());
    }
    RegexSetBuilder::new(texts)
        .case_insensitive(icase)
        .unicode(false)
        .size_limit(PROGRAM_BYTES)
        .build()
        .map_err(|error| error.to_string())
}
