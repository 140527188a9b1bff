//! What is matched.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

/// The value of a sample as patterns see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An address.
    Ip(IpAddr),
    /// Text.
    Str(&'a [u8]),
    /// Bytes.
    Bin(&'a [u8]),
}

impl<'a> Input<'a> {
    /// As text. Text made of bytes ends before the first NUL, as HAProxy's strings do.
    pub(crate) fn text(self) -> Cow<'a, [u8]> {
        match self {
            Self::Bool(value) => Cow::Borrowed(if value { b"1" } else { b"0" }),
            Self::Int(value) => Cow::Owned(value.to_string().into_bytes()),
            Self::Ip(ip) => {
                let mut text = Vec::with_capacity(40);
                crate::write_ip(ip, &mut text);
                Cow::Owned(text)
            }
            Self::Str(text) => Cow::Borrowed(text),
            Self::Bin(bytes) => {
                let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
                Cow::Borrowed(bytes.get(..end).unwrap_or_default())
            }
        }
    }

    /// As bytes: numbers and addresses in network order.
    pub(crate) fn bytes(self) -> Cow<'a, [u8]> {
        match self {
            Self::Bool(value) => Cow::Owned(i64::from(value).to_be_bytes().to_vec()),
            Self::Int(value) => Cow::Owned(value.to_be_bytes().to_vec()),
            Self::Ip(IpAddr::V4(ip)) => Cow::Owned(ip.octets().to_vec()),
            Self::Ip(IpAddr::V6(ip)) => Cow::Owned(ip.octets().to_vec()),
            Self::Str(bytes) | Self::Bin(bytes) => Cow::Borrowed(bytes),
        }
    }

    /// As an integer: the digits with which text begins.
    pub(crate) fn int(self) -> Option<i64> {
        match self {
            Self::Bool(value) => Some(i64::from(value)),
            Self::Int(value) => Some(value),
            Self::Ip(IpAddr::V4(ip)) => Some(i64::from(ip.to_bits())),
            Self::Ip(IpAddr::V6(_)) | Self::Bin(_) => None,
            Self::Str(text) => (!text.is_empty()).then(|| leading_int(text)),
        }
    }

    /// As an address: the low 32 bits of an integer are an IPv4 address.
    pub(crate) fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(ip),
            Self::Int(value) => Some(IpAddr::V4(Ipv4Addr::from_bits(
                (value & 0xffff_ffff).try_into().ok()?,
            ))),
            Self::Str(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            Self::Bool(_) | Self::Bin(_) => None,
        }
    }
}

/// The integer with which a text begins: an optional sign, then digits; 0 without any. What does
/// not fit is cut to the nearest integer that does.
#[must_use]
pub fn leading_int(text: &[u8]) -> i64 {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    for &digit in digits.iter().take_while(|b| b.is_ascii_digit()) {
        let digit = i64::from(digit - b'0');
        value = value
            .saturating_mul(10)
            .saturating_add(if negative { -digit } else { digit });
    }
    value
}
