//! The keys of one batch, compiled for a match method.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;

use isthmus_plan::MatchMethod;

use crate::address::Network;
use crate::affix::{AffixSet, reversed};
use crate::batch::Batch;
use crate::exact::ExactSet;
use crate::expressions::RegexList;
use crate::hex::from_hex;
use crate::input::Input;
use crate::integer::{IntegerSet, Range};
use crate::keys::Keys;
use crate::network::NetworkSet;
use crate::substring::{DOTS, SLASHES, SubstringSet};

/// How keys are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) method: MatchMethod,
    pub(crate) icase: bool,
}

/// Compiled keys.
#[derive(Debug)]
pub(crate) enum Set {
    /// `found` and `bool`: keys are ignored (manual, section 7.1.1).
    Nothing,
    Integers(IntegerSet),
    Networks(NetworkSet),
    Exact(ExactSet),
    Affix(AffixSet),
    Substring(SubstringSet),
    Regex(RegexList),
}

/// A sample in the form that a method compares.
#[derive(Debug)]
pub(crate) enum Wanted<'w> {
    Text(Cow<'w, [u8]>),
    Integer(i64),
    Address(IpAddr),
}

/// Addresses of host names that stand where addresses are expected.
pub type Hosts = HashMap<Vec<u8>, IpAddr>;

/// A row, and how good it is: among batches the best one counts, of equal ones the first.
pub(crate) type Found = (u32, u32);

impl Way {
    /// The sample in the form that this way compares; none where it has no such form.
    pub(crate) fn wanted<'w>(self, input: Input<'w>) -> Option<Wanted<'w>> {
        Some(match self.method {
            MatchMethod::Found | MatchMethod::Bool => return None,
            MatchMethod::Int => Wanted::Integer(input.int()?),
            MatchMethod::Len => Wanted::Integer(i64::try_from(input.text().len()).ok()?),
            MatchMethod::Ip => Wanted::Address(input.ip()?),
            MatchMethod::Bin => Wanted::Text(input.bytes()),
            MatchMethod::Str | MatchMethod::Beg => {
                let text = input.text();
                if self.icase && text.iter().any(u8::is_ascii_uppercase) {
                    Wanted::Text(Cow::Owned(text.to_ascii_lowercase()))
                } else {
                    Wanted::Text(text)
                }
            }
            MatchMethod::End => {
                Wanted::Text(Cow::Owned(reversed(&input.text(), self.icase).collect()))
            }
            MatchMethod::Sub | MatchMethod::Dir | MatchMethod::Dom | MatchMethod::Reg => {
                Wanted::Text(input.text())
            }
        })
    }

    /// Whether the longest key wins, as HAProxy's trees have it, and not the first of the list.
    pub(crate) const fn longest(self) -> bool {
        match self.method {
            MatchMethod::Ip => true,
            MatchMethod::Beg => !self.icase,
            _ => false,
        }
    }
}

impl Set {
    /// Compiles the keys of a batch.
    ///
    /// # Errors
    /// The row of a key that is not what the method takes, and what is wrong.
    pub(crate) fn new(way: Way, hosts: &Hosts, batch: &Batch) -> Result<Self, (u32, String)> {
        let Way { method, icase } = way;
        let delimited = |delimiters| {
            let set = SubstringSet::new(batch, icase, delimiters);
            set.map(Self::Substring).map_err(|message| (0, message))
        };
        Ok(match method {
            MatchMethod::Found | MatchMethod::Bool => Self::Nothing,
            MatchMethod::Int | MatchMethod::Len => {
                let ranges = parsed(batch, Range::parse, "is not a number or range")?;
                Self::Integers(IntegerSet::new(ranges))
            }
            MatchMethod::Ip => {
                let read = |key: &[u8]| {
                    let written = std::str::from_utf8(key).ok().and_then(Network::parse);
                    written.or_else(|| hosts.get(key).copied().map(Network::from))
                };
                let networks = parsed(batch, read, "is not a valid IPv4 or IPv6 address")?;
                Self::Networks(NetworkSet::new(networks.into_iter()))
            }
            MatchMethod::Bin => {
                parsed(batch, from_hex, "is not hexadecimal")?;
                let decode = |key: &[u8], out: &mut Vec<u8>| {
                    out.extend(from_hex(key).unwrap_or_default());
                };
                Self::Exact(ExactSet::new(batch, Keys::changed(batch, decode)))
            }
            MatchMethod::Str => Self::Exact(ExactSet::new(batch, Keys::folded(batch, icase))),
            MatchMethod::Beg => Self::Affix(AffixSet::new(batch, icase, false)),
            MatchMethod::End => Self::Affix(AffixSet::new(batch, icase, true)),
            MatchMethod::Sub => return delimited(b""),
            MatchMethod::Dir => return delimited(SLASHES),
            MatchMethod::Dom => return delimited(DOTS),
            MatchMethod::Reg => Self::Regex(RegexList::new(batch, icase)?),
        })
    }

    /// The row that matches: the longest, or the first of the list.
    pub(crate) fn find(&self, way: Way, batch: &Batch, wanted: &Wanted<'_>) -> Option<Found> {
        let lives = |row| batch.lives(row);
        match (self, wanted) {
            (Self::Integers(set), Wanted::Integer(value)) => {
                set.find(*value, &lives).map(|row| (row, 0))
            }
            (Self::Networks(set), Wanted::Address(ip)) => set.find(*ip, &lives),
            (Self::Exact(set), Wanted::Text(text)) => set.find(batch, text).map(|row| (row, 0)),
            (Self::Affix(set), Wanted::Text(text)) => {
                let mut rows = set.find(batch, text);
                if way.longest() {
                    let row = rows.next()?;
                    let length = u32::try_from(batch.key(row).len()).unwrap_or(u32::MAX);
                    return Some((row, length));
                }
                rows.min().map(|row| (row, 0))
            }
            (Self::Substring(set), Wanted::Text(text)) => set.find(batch, text).map(|row| (row, 0)),
            (Self::Regex(set), Wanted::Text(text)) => set.find(batch, text).map(|row| (row, 0)),
            _ => None,
        }
    }
}

fn parsed<T>(
    batch: &Batch,
    read: impl Fn(&[u8]) -> Option<T>,
    wrong: &str,
) -> Result<Vec<(T, u32)>, (u32, String)> {
    let parse = |row| {
        let key = batch.key(row);
        let bad = || (row, format!("'{}' {wrong}", key.escape_ascii()));
        Ok((read(key).ok_or_else(bad)?, row))
    };
    batch.living().map(parse).collect()
}
