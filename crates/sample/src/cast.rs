//! Implicit casts: what a converter or a match method gets when it asks for another type than
//! the one at hand (manual, section 7.1's table of types and methods).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::kind::Kind;
use crate::value::{Bytes, Sample, slice};

/// Whether samples of a type may be cast to another at all; single values may still fail.
#[must_use]
pub const fn can_cast(from: Kind, to: Kind) -> bool {
    use Kind::{Addr, Any, Bin, Bool, Int, Ipv4, Ipv6, Meth, Same, Str};
    matches!(
        (from, to),
        (Any | Same, _)
            | (_, Any | Same)
            | (Bool, Bool | Int | Str | Bin)
            | (Int, Bool | Int | Ipv4 | Addr | Ipv6 | Str | Bin)
            | (Addr | Ipv4, Bool | Int | Addr | Ipv4 | Ipv6 | Str | Bin)
            | (Ipv6, Addr | Ipv4 | Ipv6 | Str | Bin)
            | (Str, Bool | Int | Addr | Ipv4 | Ipv6 | Str | Bin | Meth)
            | (Bin | Meth, Str | Bin | Meth)
    )
}

/// Casts a value; `None` where it has no meaning in the other type.
#[must_use]
pub fn cast(sample: Sample<'_>, to: Kind) -> Option<Sample<'_>> {
    match to {
        Kind::Any | Kind::Same => Some(sample),
        Kind::Bool => to_bool(&sample).map(Sample::Bool),
        Kind::Int => to_int(&sample).map(Sample::Int),
        Kind::Addr => to_ip(sample).map(Sample::from),
        Kind::Ipv4 => to_ip(sample).and_then(ipv4).map(Sample::Ipv4),
        Kind::Ipv6 => to_ip(sample).map(ipv6).map(Sample::Ipv6),
        Kind::Str | Kind::Meth => to_str(sample).map(Sample::Str),
        Kind::Bin => Some(Sample::Bin(to_bin(sample))),
    }
}

fn to_bool(sample: &Sample<'_>) -> Option<bool> {
    match sample {
        Sample::Bool(value) => Some(*value),
        other => to_int(other).map(|value| value != 0),
    }
}

/// The value as an integer.
pub(crate) fn to_int(sample: &Sample<'_>) -> Option<i64> {
    match sample {
        Sample::Bool(value) => Some(i64::from(*value)),
        Sample::Int(value) => Some(*value),
        Sample::Ipv4(ip) => Some(i64::from(u32::from(*ip))),
        Sample::Str(text) if text.is_empty() => None,
        Sample::Str(text) => Some(isthmus_pattern::leading_int(text)),
        Sample::Ipv6(_) | Sample::Bin(_) => None,
    }
}

fn to_ip(sample: Sample<'_>) -> Option<IpAddr> {
    match sample {
        Sample::Ipv4(ip) => Some(IpAddr::V4(ip)),
        Sample::Ipv6(ip) => Some(IpAddr::V6(ip)),
        Sample::Int(value) => Some(IpAddr::V4(Ipv4Addr::from(truncate(value)))),
        Sample::Str(text) => std::str::from_utf8(&text).ok()?.parse().ok(),
        Sample::Bool(_) | Sample::Bin(_) => None,
    }
}

/// The low 32 bits, as HAProxy takes an integer for an IPv4 address.
const fn truncate(value: i64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the low bits are meant"
    )]
    {
        value as u32
    }
}

/// The IPv4 address inside an address: itself, or one mapped into IPv6.
fn ipv4(ip: IpAddr) -> Option<Ipv4Addr> {
    match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(ip) => isthmus_pattern::embedded_ipv4(ip),
    }
}

fn ipv6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// The value as text.
pub(crate) fn to_str(sample: Sample<'_>) -> Option<Bytes<'_>> {
    Some(match sample {
        Sample::Bool(value) => Bytes::Borrowed(if value { b"1" } else { b"0" }),
        Sample::Int(value) => {
            let mut text = Vec::with_capacity(20);
            write_int(value, &mut text);
            text.into()
        }
        Sample::Ipv4(ip) => ip_text(ip.into()),
        Sample::Ipv6(ip) => ip_text(ip.into()),
        Sample::Str(text) => text,
        // As HAProxy's strings, text made of bytes ends before the first NUL.
        Sample::Bin(bytes) => {
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
            slice(bytes, 0, end)
        }
    })
}

fn ip_text(ip: IpAddr) -> Bytes<'static> {
    let mut text = Vec::with_capacity(40);
    isthmus_pattern::write_ip(ip, &mut text);
    text.into()
}

/// Writes decimal digits behind what `out` holds already.
pub(crate) fn write_int(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn to_bin(sample: Sample<'_>) -> Bytes<'_> {
    match sample {
        Sample::Bool(value) => i64::from(value).to_be_bytes().to_vec().into(),
        Sample::Int(value) => value.to_be_bytes().to_vec().into(),
        Sample::Ipv4(ip) => ip.octets().to_vec().into(),
        Sample::Ipv6(ip) => ip.octets().to_vec().into(),
        Sample::Str(text) | Sample::Bin(text) => text,
    }
}
