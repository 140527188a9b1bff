//! Headers of Ethernet, IP and TCP, as `fc_saved_syn` keeps them (manual, section 7.3.1: `eth.*`, `ip.*`,
//! `tcp.*`). Each family takes bytes that begin with its header.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::args::Args;
use crate::context::Context;
use crate::kind::Kind::{self, Addr, Bin, Int};
use crate::registry::Converter;
use crate::value::{Bytes, Sample, slice};

/// A converter of packets, by a function of their bytes.
macro_rules! row {
    ($name:literal, $output:expr, $read:expr) => {
        Converter::new(
            $name,
            "",
            Bin,
            $output,
            |sample, _args: &Args, _ctx: &dyn Context| {
                let Sample::Bin(bytes) = sample else {
                    return None;
                };
                $read(bytes)
            },
        )
    };
}

/// A converter to an integer.
macro_rules! int {
    ($name:literal, $read:expr) => {
        row!($name, INT, |bytes: Bytes<'_>| {
            let read: fn(&[u8]) -> Option<u32> = $read;
            read(&bytes).map(|value| Sample::Int(value.into()))
        })
    };
}

const INT: Kind = Int;

pub(super) const CONVERTERS: &[Converter] = &[
    row!("eth.data", Bin, |bytes| behind(bytes, ethernet_length)),
    row!("eth.dst", Bin, |bytes| part(bytes, 0, 6)),
    row!("eth.hdr", Bin, |bytes| before(bytes, ethernet_length)),
    int!("eth.proto", |bytes| big(
        bytes,
        ethernet_length(bytes)? - 2,
        2
    )),
    row!("eth.src", Bin, |bytes| part(bytes, 6, 6)),
    int!("eth.vlan", vlan),
    row!("ip.data", Bin, |bytes| behind(bytes, ip_length)),
    int!("ip.df", dont_fragment),
    row!("ip.dst", Addr, |bytes: Bytes<'_>| address(&bytes, (16, 24))),
    Converter::new("ip.fp", "[integer]", Bin, Bin, fingerprint),
    row!("ip.hdr", Bin, |bytes| before(bytes, ip_length)),
    int!("ip.proto", |bytes| ip_header(bytes)
        .map(|(protocol, _)| protocol.into())),
    row!("ip.src", Addr, |bytes: Bytes<'_>| address(&bytes, (12, 8))),
    int!("ip.tos", traffic_class),
    int!("ip.ttl", |bytes| big(
        bytes,
        if version(bytes)? == 4 { 8 } else { 7 },
        1
    )),
    int!("ip.ver", version),
    int!("tcp.dst", |bytes| tcp(bytes, 2, 2)),
    int!("tcp.flags", |bytes| Some(tcp(bytes, 12, 2)? & 0xfff)),
    int!("tcp.options.mss", |bytes| option_value(bytes, 2, 2)),
    int!("tcp.options.sack", |bytes| has_option(bytes, 4)),
    int!("tcp.options.tsopt", |bytes| has_option(bytes, 8)),
    int!("tcp.options.tsval", |bytes| option_value(bytes, 8, 4)),
    int!("tcp.options.wscale", |bytes| option_value(bytes, 3, 1)),
    int!("tcp.options.wsopt", |bytes| has_option(bytes, 3)),
    row!("tcp.options_list", Bin, option_list),
    int!("tcp.seq", |bytes| tcp(bytes, 4, 4)),
    int!("tcp.src", |bytes| tcp(bytes, 0, 2)),
    int!("tcp.win", |bytes| tcp(bytes, 14, 2)),
];

/// Up to four bytes as a number, big-endian.
fn big(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(
        bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u32::from(*byte)),
    )
}

fn part(bytes: Bytes<'_>, start: usize, length: usize) -> Option<Sample<'_>> {
    let whole = bytes.len() >= start + length;
    whole.then(|| Sample::Bin(slice(bytes, start, start + length)))
}

fn behind(bytes: Bytes<'_>, length: fn(&[u8]) -> Option<usize>) -> Option<Sample<'_>> {
    let (start, end) = (length(&bytes)?, bytes.len());
    (start <= end).then(|| Sample::Bin(slice(bytes, start, end)))
}

fn before(bytes: Bytes<'_>, length: fn(&[u8]) -> Option<usize>) -> Option<Sample<'_>> {
    let length = length(&bytes)?;
    part(bytes, 0, length)
}

/// How long the Ethernet header is: with the tags of VLANs (IEEE 802.1Q and 802.1ad).
fn ethernet_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 12;
    while matches!(big(bytes, at, 2)?, 0x8100 | 0x88a8 | 0x9100) {
        at += 4;
    }
    Some(at + 2)
}

/// The number of the innermost VLAN.
fn vlan(bytes: &[u8]) -> Option<u32> {
    let tag = ethernet_length(bytes)?
        .checked_sub(4)
        .filter(|at| *at > 12)?;
    Some(big(bytes, tag, 2)? & 0xfff)
}

fn version(bytes: &[u8]) -> Option<u32> {
    bytes
        .first()
        .map(|byte| u32::from(byte >> 4))
        .filter(|version| matches!(version, 4 | 6))
}

/// The protocol inside an IP packet and where it begins, behind the extensions of IPv6
/// (RFC 8200, 4) as far as they can be skipped.
fn ip_header(bytes: &[u8]) -> Option<(u8, usize)> {
    if version(bytes)? == 4 {
        let length = usize::from(bytes.first()? & 15) * 4;
        return (length >= 20).then_some((*bytes.get(9)?, length));
    }
    let (mut next, mut at) = (*bytes.get(6)?, 40);
    while matches!(next, 0 | 43 | 44 | 60 | 135) {
        let size = if next == 44 {
            0
        } else {
            usize::from(*bytes.get(at + 1)?)
        };
        next = *bytes.get(at)?;
        at += (size + 1) * 8;
    }
    Some((next, at))
}

fn ip_length(bytes: &[u8]) -> Option<usize> {
    ip_header(bytes).map(|(_, length)| length)
}

/// Whether a packet may not be fragmented; IPv6 never is on its way.
fn dont_fragment(bytes: &[u8]) -> Option<u32> {
    match version(bytes)? {
        4 => Some(big(bytes, 6, 1)? >> 6 & 1),
        _ => Some(1),
    }
}

fn traffic_class(bytes: &[u8]) -> Option<u32> {
    match version(bytes)? {
        4 => big(bytes, 1, 1),
        _ => Some(big(bytes, 0, 2)? >> 4 & 0xff),
    }
}

/// The address at one place in IPv4 and at another in IPv6.
fn address<'a>(bytes: &[u8], (four, six): (usize, usize)) -> Option<Sample<'a>> {
    if version(bytes)? == 4 {
        return Some(Sample::Ipv4(Ipv4Addr::from(big(bytes, four, 4)?)));
    }
    let octets: [u8; 16] = bytes.get(six..six + 16)?.try_into().ok()?;
    Some(Sample::Ipv6(Ipv6Addr::from(octets)))
}

/// A number in a TCP header whose fixed part is whole.
fn tcp(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    (bytes.len() >= 20).then(|| big(bytes, at, length))?
}

/// Bits of the mode of `ip.fp`: what follows the eight bytes that are always there.
const WITH_TTL: i64 = 1;
const WITH_OPTIONS: i64 = 2;
const WITH_SOURCE: i64 = 4;

/// What of the IP and TCP headers stays the same for one host (manual, `ip.fp`).
fn fingerprint<'a>(
    sample: Sample<'a>,
    args: &'a Args,
    _ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    let Sample::Bin(packet) = sample else {
        return None;
    };
    let bytes = &packet[..];
    let (ip, mode) = (version(bytes)?, args.int(0).unwrap_or(0));
    let start = ip_length(bytes)?;
    let segment = bytes.get(start..)?;
    let ttl = big(bytes, if ip == 4 { 8 } else { 7 }, 1)?;
    let (head, flags) = (tcp(segment, 12, 1)? >> 4, tcp(segment, 13, 1)?);
    let scale = match has_option(segment, 3)? {
        0 => 0,
        _ => option_value(segment, 3, 1)?.min(14) + 1,
    };
    let has_options = start > if ip == 4 { 20 } else { 40 };
    let has_data = segment.len() > usize::try_from(head).ok()? * 4;
    let shape = u32::from(ip == 6) << 7
        | dont_fragment(bytes)? << 6
        | (ttl.saturating_sub(1) / 32)
            .checked_ilog2()
            .map_or(0, |log| log + 1)
            << 4
        | u32::from(has_options) << 3
        | u32::from(has_data) << 2
        | (flags >> 7 & 1) << 1
        | flags >> 6 & 1;
    let (mut kinds, mut mask) = (Vec::new(), 0_u8);
    options(segment, &mut |kind, _| {
        kinds.push(kind);
        mask |= match kind {
            0 | 1 => 0,
            2..=8 => 1 << (kind - 2),
            _ => 1 << 7,
        };
        true
    })?;
    let low = |value: u32| value.to_be_bytes()[3];
    let mut out = vec![
        low(traffic_class(bytes)?),
        low(shape),
        low(head << 4 | scale),
    ];
    for field in [tcp(segment, 14, 2)?, option_value(segment, 2, 2)?] {
        let [.., high, low] = field.to_be_bytes();
        out.extend_from_slice(&[high, low]);
    }
    out.push(mask);
    if mode & WITH_TTL != 0 {
        out.push(low(ttl));
    }
    if mode & WITH_OPTIONS != 0 {
        out.extend_from_slice(&kinds);
    }
    if mode & WITH_SOURCE != 0 {
        match address(bytes, (12, 8))? {
            Sample::Ipv4(ip) => out.extend_from_slice(&ip.octets()),
            Sample::Ipv6(ip) => out.extend_from_slice(&ip.octets()),
            _ => return None,
        }
    }
    Some(Sample::Bin(out.into()))
}

/// Calls `each` with the kind and the content of every option (RFC 9293, 3.2), until it returns false.
fn options(bytes: &[u8], each: &mut dyn FnMut(u8, &[u8]) -> bool) -> Option<()> {
    let length = usize::try_from(tcp(bytes, 12, 1)? >> 4).ok()? * 4;
    let mut rest = bytes.get(20..length)?;
    while let Some((&kind, behind)) = rest.split_first() {
        let content = match kind {
            0 => return Some(()),
            1 => {
                rest = behind;
                &[]
            }
            _ => {
                let size = usize::from(*behind.first()?);
                let (option, behind) = rest.split_at_checked(size)?;
                rest = behind;
                option.get(2..)?
            }
        };
        if !each(kind, content) {
            return Some(());
        }
    }
    Some(())
}

/// 1 where there is an option of a kind, else 0.
fn has_option(bytes: &[u8], wanted: u8) -> Option<u32> {
    let mut found = 0;
    options(bytes, &mut |kind, _| {
        found = u32::from(kind == wanted);
        found == 0
    })?;
    Some(found)
}

/// The number at the beginning of an option, 0 where there is none of the kind.
fn option_value(bytes: &[u8], wanted: u8, length: usize) -> Option<u32> {
    let mut found = 0;
    options(bytes, &mut |kind, content| {
        if kind == wanted {
            found = big(content, 0, length).unwrap_or(0);
        }
        kind != wanted
    })?;
    Some(found)
}

/// The kinds of the options, in their order.
fn option_list(bytes: Bytes<'_>) -> Option<Sample<'_>> {
    let mut kinds = Vec::new();
    options(&bytes, &mut |kind, _| {
        kinds.push(kind);
        true
    })?;
    Some(Sample::Bin(kinds.into()))
}
