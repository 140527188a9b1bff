//! `host[:port]`, as Host and request targets carry it (RFC 3986, 3.2; RFC 9110, 7.2).

use std::net::Ipv6Addr;

use super::pchar_host;

/// An authority without user information, which HTTP forbids (RFC 9110, 4.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority<'a> {
    /// A name, an IPv4 address, or an IPv6 address in its brackets; may be empty.
    pub host: &'a [u8],
    /// 1..=65535; `None` where no port or an empty one is given.
    pub port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads an authority; `None` where it is none.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (host, behind) = if text.first() == Some(&b'[') {
            bracketed(text)?
        } else {
            let len = text.iter().take_while(|byte| pchar_host(**byte)).count();
            text.split_at_checked(len)?
        };
        let port = match behind {
            [] => None,
            [b':', digits @ ..] => port(digits)?,
            _ => return None,
        };
        if host.is_empty() && port.is_some() {
            return None;
        }
        Some(Self { host, port })
    }

    /// Whether both name the same place, given the ports that either may leave out.
    #[must_use]
    pub fn same_place(&self, other: &Self, defaults: &[u16]) -> bool {
        if !self.host.eq_ignore_ascii_case(other.host) {
            return false;
        }
        match (self.port, other.port) {
            (Some(one), Some(two)) => one == two,
            (None, None) => true,
            (Some(port), None) | (None, Some(port)) => defaults.contains(&port),
        }
    }
}

/// An IPv6 address with its brackets, and what stands behind.
fn bracketed(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b']', text)?;
    let (host, behind) = text.split_at_checked(end + 1)?;
    let [b'[', address @ .., b']'] = host else {
        return None;
    };
    let address = std::str::from_utf8(address).ok()?;
    address.parse::<Ipv6Addr>().ok()?;
    Some((host, behind))
}

/// A port, `Some(None)` for an empty one. Zero is no port that anything can be reached at.
fn port(digits: &[u8]) -> Option<Option<u16>> {
    if digits.is_empty() {
        return Some(None);
    }
    if digits.len() > 5 {
        return None;
    }
    let mut port = 0_u32;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        port = port * 10 + u32::from(byte - b'0');
    }
    u16::try_from(port).ok().filter(|port| *port > 0).map(Some)
}
