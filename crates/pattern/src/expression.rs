//! One regular expression: matched in linear time by the regex crate, or by PCRE2 where it asks for what
//! that cannot do (look-around, back-references, possessive repeats; manual, section 7.1.4).

use pcre2::bytes::CaptureLocations;
use regex::bytes::{Captures, Regex, RegexBuilder};

use crate::backtracking::Backtracking;

/// Bytes that the program of a set of regular expressions may take: lists of thousands are in use,
/// one expression that takes as much is a mistake or an attack.
pub(crate) const PROGRAM_BYTES: usize = 256 << 20;

/// A compiled regular expression over bytes.
#[derive(Debug, Clone)]
pub enum Expression {
    /// In linear time.
    Linear(Regex),
    /// With a limit of steps.
    Backtracking(Backtracking),
}

/// Where an expression and its groups are found in a text.
#[derive(Debug)]
pub enum Groups<'t> {
    /// By the regex crate.
    Linear(Captures<'t>),
    /// By PCRE2.
    Backtracking(&'t [u8], CaptureLocations),
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it, on one line.
    pub fn new(pattern: &[u8], icase: bool) -> Result<Self, String> {
        let pattern = text(pattern)?;
        if is_possessive(pattern) {
            return Backtracking::new(pattern, icase).map(Self::Backtracking);
        }
        let linear = RegexBuilder::new(pattern)
            .case_insensitive(icase)
            .unicode(false)
            .size_limit(PROGRAM_BYTES)
            .build();
        match linear {
            Ok(regex) => Ok(Self::Linear(regex)),
            Err(regex::Error::Syntax(_)) => {
                Backtracking::new(pattern, icase).map(Self::Backtracking)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Whether it matches anywhere in a text.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        match self {
            Self::Linear(regex) => regex.is_match(text),
            Self::Backtracking(regex) => regex.is_match(text),
        }
    }

    /// The first match that begins at an offset or behind it.
    #[must_use]
    pub fn groups_at<'t>(&self, text: &'t [u8], at: usize) -> Option<Groups<'t>> {
        match self {
            Self::Linear(regex) => regex.captures_at(text, at).map(Groups::Linear),
            Self::Backtracking(regex) => {
                let found = regex.groups_at(text, at)?;
                Some(Groups::Backtracking(text, found))
            }
        }
    }
}

impl<'t> Groups<'t> {
    /// What a group holds; 0 is the whole match. `None` where it took no part.
    #[must_use]
    pub fn get(&self, group: usize) -> Option<&'t [u8]> {
        match self {
            Self::Linear(captures) => captures.get(group).map(|found| found.as_bytes()),
            Self::Backtracking(text, found) => {
                let (start, end) = found.get(group)?;
                text.get(start..end)
            }
        }
    }

    /// Where the whole match begins and ends.
    #[must_use]
    pub fn whole(&self) -> Option<(usize, usize)> {
        match self {
            Self::Linear(captures) => captures.get(0).map(|whole| (whole.start(), whole.end())),
            Self::Backtracking(_, found) => found.get(0),
        }
    }
}

/// Whether a repeat is possessive (`a++`): the regex crate would read it as one inside another.
pub(crate) fn is_possessive(pattern: &str) -> bool {
    let (mut escaped, mut class, mut repeats) = (false, false, false);
    for byte in pattern.bytes() {
        if escaped {
            (escaped, repeats) = (false, false);
            continue;
        }
        if repeats && byte == b'+' {
            return true;
        }
        match byte {
            b'\\' => escaped = true,
            b'[' => class = true,
            b']' => class = false,
            _ => {}
        }
        repeats = !class && matches!(byte, b'*' | b'+' | b'?' | b'}');
    }
    false
}

/// The text of a pattern.
pub(crate) fn text(pattern: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(pattern).map_err(|_| "a regular expression must be UTF-8".to_owned())
}
