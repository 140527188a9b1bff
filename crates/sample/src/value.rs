//! The value of a sample. Text and bytes are borrowed from the session or from the compiled
//! expression for as long as nobody changes them.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::kind::Kind;

/// Text or bytes, borrowed where possible.
pub type Bytes<'a> = Cow<'a, [u8]>;

/// A value that a fetch found or a converter made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sample<'a> {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// Text, in no particular encoding.
    Str(Bytes<'a>),
    /// Bytes; they become hexadecimal digits where text is written.
    Bin(Bytes<'a>),
}

impl<'a> Sample<'a> {
    /// The type of the value.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Ipv4(_) => Kind::Ipv4,
            Self::Ipv6(_) => Kind::Ipv6,
            Self::Str(_) => Kind::Str,
            Self::Bin(_) => Kind::Bin,
        }
    }

    /// Text that is borrowed.
    #[must_use]
    pub const fn text(bytes: &'a [u8]) -> Self {
        Self::Str(Cow::Borrowed(bytes))
    }

    /// Text that was made.
    #[must_use]
    pub const fn owned_text(bytes: Vec<u8>) -> Self {
        Self::Str(Cow::Owned(bytes))
    }

    /// The same value, with nothing borrowed.
    #[must_use]
    pub fn into_owned(self) -> Sample<'static> {
        match self {
            Self::Bool(value) => Sample::Bool(value),
            Self::Int(value) => Sample::Int(value),
            Self::Ipv4(value) => Sample::Ipv4(value),
            Self::Ipv6(value) => Sample::Ipv6(value),
            Self::Str(value) => Sample::Str(Cow::Owned(value.into_owned())),
            Self::Bin(value) => Sample::Bin(Cow::Owned(value.into_owned())),
        }
    }

    /// The address, if the value is one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ipv4(ip) => Some(IpAddr::V4(*ip)),
            Self::Ipv6(ip) => Some(IpAddr::V6(*ip)),
            _ => None,
        }
    }
}

impl From<IpAddr> for Sample<'_> {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::Ipv4(ip),
            IpAddr::V6(ip) => Self::Ipv6(ip),
        }
    }
}

/// The bytes from `start` up to `end`, as far as there are such.
pub(crate) fn slice(text: Bytes<'_>, start: usize, end: usize) -> Bytes<'_> {
    let end = end.min(text.len());
    let start = start.min(end);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..end).unwrap_or_default()),
        Cow::Owned(mut text) => {
            text.truncate(end);
            text.drain(..start);
            Cow::Owned(text)
        }
    }
}
