//! Lists of regular expressions: one automaton says which of them match. They are those of the regex
//! crate: linear time, without PCRE's back-references and look-around; `$` is the end of the text alone.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use crate::batch::Batch;
use crate::steps::step;

/// Bytes that the program of a set of regular expressions may take: lists of thousands are in use,
/// one expression that takes as much is a mistake or an attack.
const PROGRAM_BYTES: usize = 256 << 20;

/// Expressions by row.
#[derive(Debug)]
pub(crate) struct RegexList {
    set: RegexSet,
    rows: Vec<u32>,
    /// Each expression alone, made when its groups are first asked for.
    alone: Vec<OnceLock<Option<Regex>>>,
    icase: bool,
}

impl RegexList {
    /// Of the rows of a batch; the row that is wrong and why, where one is.
    pub(crate) fn new(batch: &Batch, icase: bool) -> Result<Self, (u32, String)> {
        let rows: Vec<u32> = batch.living().collect();
        let keys: Vec<&[u8]> = rows.iter().map(|row| batch.key(*row)).collect();
        let set = build(&keys, icase).map_err(|message| {
            // The set does not say which of its expressions is wrong.
            let mut alone = rows.iter().zip(&keys);
            let found = alone.find_map(|(row, key)| Some((*row, single(key, icase).err()?)));
            found.unwrap_or((0, message))
        })?;
        Ok(Self {
            set,
            alone: rows.iter().map(|_| OnceLock::new()).collect(),
            rows,
            icase,
        })
    }

    /// The first row of the list that lives and matches.
    pub(crate) fn find(&self, batch: &Batch, text: &[u8]) -> Option<u32> {
        step();
        let matches = self.set.matches(text);
        let mut rows = matches.iter().filter_map(|at| self.rows.get(at).copied());
        rows.find(|row| batch.lives(*row))
    }

    /// The expression of a row alone.
    pub(crate) fn alone(&self, batch: &Batch, row: u32) -> Option<&Regex> {
        let at = self.rows.binary_search(&row).ok()?;
        let made = self.alone.get(at)?;
        made.get_or_init(|| single(batch.key(row), self.icase).ok())
            .as_ref()
    }
}

fn build(patterns: &[&[u8]], icase: bool) -> Result<RegexSet, String> {
    let texts: Result<Vec<&str>, String> = patterns.iter().map(|p| text(p)).collect();
    RegexSetBuilder::new(texts?)
        .case_insensitive(icase)
        .unicode(false)
        .size_limit(PROGRAM_BYTES)
        .build()
        .map_err(|error| error.to_string())
}

fn single(pattern: &[u8], icase: bool) -> Result<Regex, String> {
    RegexBuilder::new(text(pattern)?)
        .case_insensitive(icase)
        .unicode(false)
        .size_limit(PROGRAM_BYTES)
        .build()
        .map_err(|error| explained(&error))
}

fn text(pattern: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(pattern).map_err(|_| "a regular expression must be UTF-8".to_owned())
}

/// What is wrong, on one line. The crate draws the place over several.
fn explained(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    let reason = last.strip_prefix("error: ").unwrap_or(last);
    if reason.contains("look-around") || reason.contains("backreferences") {
        return format!("{reason}: expressions are matched in linear time, without them");
    }
    reason.to_owned()
}
