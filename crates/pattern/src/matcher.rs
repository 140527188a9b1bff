//! A match method with its patterns.

use std::fmt;

use isthmus_plan::MatchMethod;

use crate::address::Network;
use crate::hex::from_hex;
use crate::input::Input;
use crate::integer::IntegerSet;
use crate::network::NetworkSet;
use crate::text::{AffixSet, ExactSet, RegexList, SubstringSet};

/// A pattern that does not fit its method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// Which of the patterns.
    pub index: usize,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern {}: {}", self.index + 1, self.message)
    }
}

/// Patterns, compiled for one method.
#[derive(Debug)]
pub struct Matcher {
    method: MatchMethod,
    set: Set,
}

#[derive(Debug)]
enum Set {
    /// `found`: any sample.
    Anything,
    /// `bool`: patterns are ignored (manual, section 7.1.1).
    Truth,
    Integers(IntegerSet),
    Lengths(IntegerSet),
    Networks(NetworkSet),
    Bytes(ExactSet),
    Exact(ExactSet),
    Affix(AffixSet),
    Substring(SubstringSet),
    Regex(RegexList),
}

impl Matcher {
    /// Compiles patterns.
    ///
    /// # Errors
    /// A pattern is not what the method takes: not a number, not an address, not hexadecimal, not
    /// a regular expression.
    pub fn compile(
        method: MatchMethod,
        icase: bool,
        patterns: &[&[u8]],
    ) -> Result<Self, PatternError> {
        let delimited = |delimiters| {
            let set = SubstringSet::new(patterns, icase, delimiters);
            set.map(Set::Substring).map_err(|message| (0, message))
        };
        let set = match method {
            MatchMethod::Found => Ok(Set::Anything),
            MatchMethod::Bool => Ok(Set::Truth),
            MatchMethod::Int => IntegerSet::parse(patterns).map(Set::Integers),
            MatchMethod::Len => IntegerSet::parse(patterns).map(Set::Lengths),
            MatchMethod::Ip => networks(patterns),
            MatchMethod::Bin => bytes(patterns),
            MatchMethod::Str => Ok(Set::Exact(ExactSet::new(patterns, icase))),
            MatchMethod::Beg => Ok(Set::Affix(AffixSet::new(patterns, icase, false))),
            MatchMethod::End => Ok(Set::Affix(AffixSet::new(patterns, icase, true))),
            MatchMethod::Sub => delimited(b""),
            MatchMethod::Dir => delimited(b"/?"),
            MatchMethod::Dom => delimited(b"/?.:"),
            MatchMethod::Reg => RegexList::new(patterns, icase).map(Set::Regex),
        };
        set.map(|set| Self { method, set })
            .map_err(|(index, message)| PatternError { index, message })
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> MatchMethod {
        self.method
    }

    /// Whether any pattern matches.
    #[must_use]
    pub fn matches(&self, input: Input<'_>) -> bool {
        match &self.set {
            Set::Anything => true,
            Set::Truth => input.int().is_some_and(|value| value != 0),
            Set::Integers(set) => input.int().is_some_and(|value| set.contains(value)),
            Set::Lengths(set) => {
                i64::try_from(input.text().len()).is_ok_and(|length| set.contains(length))
            }
            Set::Networks(set) => input.ip().is_some_and(|ip| set.contains(ip)),
            Set::Bytes(set) => set.contains(&input.bytes()),
            Set::Exact(set) => set.contains(&input.text()),
            Set::Affix(set) => set.matches(&input.text()),
            Set::Substring(set) => set.matches(&input.text()),
            Set::Regex(set) => set.matches(&input.text()),
        }
    }
}

type Parsed = Result<Set, (usize, String)>;

fn networks(patterns: &[&[u8]]) -> Parsed {
    let parse = |(index, pattern): (usize, &&[u8])| {
        let network = std::str::from_utf8(pattern).ok().and_then(Network::parse);
        network.ok_or_else(|| {
            (
                index,
                format!("'{}' is not an address or network", pattern.escape_ascii()),
            )
        })
    };
    let networks: Result<Vec<_>, _> = patterns.iter().enumerate().map(parse).collect();
    Ok(Set::Networks(NetworkSet::new(networks?.into_iter())))
}

fn bytes(patterns: &[&[u8]]) -> Parsed {
    let parse = |(index, pattern): (usize, &&[u8])| {
        from_hex(pattern).ok_or_else(|| {
            (
                index,
                format!("'{}' is not hexadecimal", pattern.escape_ascii()),
            )
        })
    };
    let decoded: Result<Vec<Vec<u8>>, _> = patterns.iter().enumerate().map(parse).collect();
    let decoded = decoded?;
    let slices: Vec<&[u8]> = decoded.iter().map(Vec::as_slice).collect();
    Ok(Set::Bytes(ExactSet::new(&slices, false)))
}
