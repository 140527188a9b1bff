//! Sets of strings, for each way in which strings are compared.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use regex::bytes::{RegexSet, RegexSetBuilder};

/// Strings that are equal.
#[derive(Debug, Default)]
pub(crate) struct ExactSet {
    icase: bool,
    strings: HashSet<Box<[u8]>, ahash::RandomState>,
}

impl ExactSet {
    pub(crate) fn new(patterns: &[&[u8]], icase: bool) -> Self {
        let strings = patterns
            .iter()
            .map(|p| folded(p, icase).into_boxed_slice())
            .collect();
        Self { icase, strings }
    }

    pub(crate) fn contains(&self, text: &[u8]) -> bool {
        if self.icase && text.iter().any(u8::is_ascii_uppercase) {
            self.strings.contains(text.to_ascii_lowercase().as_slice())
        } else {
            self.strings.contains(text)
        }
    }
}

/// Strings with which a text begins or ends.
#[derive(Debug, Default)]
pub(crate) struct AffixSet {
    icase: bool,
    suffix: bool,
    /// Lengths in use, shortest first: a text is cut to each of them and looked up.
    lengths: Vec<usize>,
    strings: HashSet<Box<[u8]>, ahash::RandomState>,
}

impl AffixSet {
    pub(crate) fn new(patterns: &[&[u8]], icase: bool, suffix: bool) -> Self {
        let mut lengths: Vec<usize> = patterns.iter().map(|p| p.len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let strings = patterns
            .iter()
            .map(|p| folded(p, icase).into_boxed_slice())
            .collect();
        Self {
            icase,
            suffix,
            lengths,
            strings,
        }
    }

    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let lowered;
        let text = if self.icase && text.iter().any(u8::is_ascii_uppercase) {
            lowered = text.to_ascii_lowercase();
            lowered.as_slice()
        } else {
            text
        };
        self.lengths
            .iter()
            .take_while(|length| **length <= text.len())
            .any(|&length| {
                let part = if self.suffix {
                    text.get(text.len() - length..)
                } else {
                    text.get(..length)
                };
                part.is_some_and(|part| self.strings.contains(part))
            })
    }
}

/// Strings found anywhere, or between delimiters.
#[derive(Debug)]
pub(crate) struct SubstringSet {
    automaton: AhoCorasick,
    delimiters: &'static [u8],
    /// An empty pattern is found in every text, but not between delimiters.
    everything: bool,
}

impl SubstringSet {
    pub(crate) fn new(
        patterns: &[&[u8]],
        icase: bool,
        delimiters: &'static [u8],
    ) -> Result<Self, String> {
        let trimmed = patterns.iter().map(|p| trim(p, delimiters));
        let everything = delimiters.is_empty() && trimmed.clone().any(<[u8]>::is_empty);
        let automaton = AhoCorasickBuilder::new()
            .ascii_case_insensitive(icase)
            .build(trimmed.filter(|p| !p.is_empty()))
            .map_err(|error| error.to_string())?;
        Ok(Self {
            automaton,
            delimiters,
            everything,
        })
    }

    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        if self.everything {
            return true;
        }
        if self.delimiters.is_empty() {
            return self.automaton.is_match(text);
        }
        let bounded = |at: Option<&u8>| at.is_none_or(|b| self.delimiters.contains(b));
        self.automaton.find_overlapping_iter(text).any(|found| {
            let before = found.start().checked_sub(1).and_then(|at| text.get(at));
            bounded(before) && bounded(text.get(found.end()))
        })
    }
}

/// Bytes that the program of a set of regular expressions may take: lists of thousands are in use,
/// one expression that takes as much is a mistake or an attack.
const PROGRAM_BYTES: usize = 256 << 20;

/// Regular expressions, of which any may match. They are those of the regex crate: linear time,
/// without PCRE's back-references and look-around; `$` is the end of the text alone.
#[derive(Debug)]
pub(crate) struct RegexList(RegexSet);

impl RegexList {
    pub(crate) fn new(patterns: &[&[u8]], icase: bool) -> Result<Self, (usize, String)> {
        Self::build(patterns, icase).map(Self).map_err(|message| {
            // The set does not say which of its expressions is wrong.
            let alone = patterns
                .iter()
                .map(|pattern| Self::build(&[*pattern], icase));
            let found = alone
                .enumerate()
                .find_map(|(index, set)| Some((index, set.err()?)));
            found.unwrap_or((0, message))
        })
    }

    fn build(patterns: &[&[u8]], icase: bool) -> Result<RegexSet, String> {
        let texts: Result<Vec<&str>, _> = patterns.iter().map(|p| std::str::from_utf8(p)).collect();
        RegexSetBuilder::new(texts.map_err(|_| "a regular expression must be UTF-8")?)
            .case_insensitive(icase)
            .unicode(false)
            .size_limit(PROGRAM_BYTES)
            .build()
            .map_err(|error| error.to_string())
    }

    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        self.0.is_match(text)
    }
}

fn folded(pattern: &[u8], icase: bool) -> Vec<u8> {
    if icase {
        pattern.to_ascii_lowercase()
    } else {
        pattern.to_vec()
    }
}

fn trim<'p>(pattern: &'p [u8], delimiters: &[u8]) -> &'p [u8] {
    let kept = |b: &u8| !delimiters.contains(b);
    let Some(first) = pattern.iter().position(kept) else {
        return b"";
    };
    let last = pattern.iter().rposition(kept).unwrap_or(first);
    pattern.get(first..=last).unwrap_or_default()
}
