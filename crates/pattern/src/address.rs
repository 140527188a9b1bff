//! IPv4 addresses inside IPv6 ones, and addresses with a prefix length.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The IPv4 address that an IPv6 one carries: `2002:a.b.c.d::`, `::a.b.c.d` or `::ffff:a.b.c.d`.
#[must_use]
pub const fn embedded_ipv4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let (high, low) = match (a, b, c, d, e, f, g, h) {
        (0x2002, high, low, ..) => (high, low),
        (0, 0, 0, 0, 0, 0 | 0xffff, high, low) => (high, low),
        _ => return None,
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}

/// Writes an address as inet_ntop(3) does: also IPv4-compatible IPv6 ones end in dotted form.
pub fn write_ip(ip: IpAddr, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V6(v6) => match v6.segments() {
            [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
                let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
                out.extend_from_slice(b"::");
                write_ipv4(Ipv4Addr::new(a, b, c, d), out);
            }
            _ => {
                // Writing into a vector cannot fail.
                let _ = write!(out, "{v6}");
            }
        },
        IpAddr::V4(v4) => write_ipv4(v4, out),
    }
}

/// In dotted form. The standard library's formatter takes ten times as long, and rules and logs write
/// an address for each request.
fn write_ipv4(ip: Ipv4Addr, out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    for (at, octet) in ip.octets().into_iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        out.extend_from_slice(digits.format(octet).as_bytes());
    }
}

/// A network: an address and a mask with the bits that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    V4(u32, u32),
    V6(u128, u128),
}

impl Network {
    /// Reads `ADDRESS`, `ADDRESS/BITS` or, for IPv4, `ADDRESS/MASK`. IPv4 may leave out zero octets
    /// before the last (`10.12` is 10.0.0.12).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address, Some(mask)),
            None => (text, None),
        };
        if address.contains(':') {
            let address: Ipv6Addr = address.parse().ok()?;
            let left = 128 - u32::from(mask.map_or(Some(128), |mask| bits(mask, 128))?);
            return Some(Self::V6(
                address.to_bits(),
                u128::MAX.checked_shl(left).unwrap_or(0),
            ));
        }
        let address = short_ipv4(address)?;
        let mask = match mask {
            None => u32::MAX,
            Some(mask) if mask.contains('.') => mask.parse::<Ipv4Addr>().ok()?.to_bits(),
            Some(mask) => u32::MAX
                .checked_shl(32 - u32::from(bits(mask, 32)?))
                .unwrap_or(0),
        };
        Some(Self::V4(address, mask))
    }
}

fn bits(text: &str, most: u8) -> Option<u8> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|bits| digits && *bits <= most)
}

impl From<IpAddr> for Network {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(ip.to_bits(), u32::MAX),
            IpAddr::V6(ip) => Self::V6(ip.to_bits(), u128::MAX),
        }
    }
}

/// `127.1` is 127.0.0.1: the last number fills what is left, as inet_aton(3) has it.
fn short_ipv4(text: &str) -> Option<u32> {
    let (leading, last) = match text.rsplit_once('.') {
        Some((leading, last)) => (
            leading.split('.').map(octet).collect::<Option<Vec<u8>>>()?,
            last,
        ),
        None => (Vec::new(), text),
    };
    let left = 32_usize
        .checked_sub(8 * leading.len())
        .filter(|left| *left > 0)?;
    let digits = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    let last: u64 = last
        .parse()
        .ok()
        .filter(|last| digits && last >> left == 0)?;
    let high = leading
        .iter()
        .fold(0_u64, |high, octet| high << 8 | u64::from(*octet));
    u32::try_from(high << left | last).ok()
}

fn octet(part: &str) -> Option<u8> {
    bits(part, u8::MAX)
}
