//! Reading version 2: a signature, a command, a family, a length, then addresses and TLVs
//! (proxy-protocol.txt, 2.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::matching::{Match, literal};
use super::{Addresses, Command, Decoded, Error, Header, Tlvs, Transport, Version, tlv};

/// The twelve bytes that no other protocol starts with.
pub const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The bytes ahead of the addresses.
pub(super) const FIXED_LEN: usize = 16;

/// The longest header that the length field can announce. A listener may well allow less.
pub const MAX_LEN: usize = FIXED_LEN + u16::MAX as usize;

/// The bytes of one UNIX address: what `sun_path` holds.
pub(super) const UNIX_LEN: usize = 108;

/// What the family byte says of the addresses that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Unspec,
    Inet(Transport),
    Inet6(Transport),
    Unix(Transport),
}

impl Family {
    /// Half-specified bytes (0x01, 0x10 ...) are not among the valid combinations, and how long
    /// their addresses would be is nowhere said.
    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x00 => Some(Self::Unspec),
            0x11 => Some(Self::Inet(Transport::Stream)),
            0x12 => Some(Self::Inet(Transport::Datagram)),
            0x21 => Some(Self::Inet6(Transport::Stream)),
            0x22 => Some(Self::Inet6(Transport::Datagram)),
            0x31 => Some(Self::Unix(Transport::Stream)),
            0x32 => Some(Self::Unix(Transport::Datagram)),
            _ => None,
        }
    }

    /// Bytes of the address block.
    fn len(self) -> usize {
        match self {
            Self::Unspec => 0,
            Self::Inet(_) => 12,
            Self::Inet6(_) => 36,
            Self::Unix(_) => 2 * UNIX_LEN,
        }
    }

    /// The addresses in a block of [`Family::len`] bytes.
    fn addresses(self, block: &[u8]) -> Option<Addresses<'_>> {
        match self {
            Self::Unspec => None,
            Self::Inet(transport) => inet::<4>(block, transport, |b| Ipv4Addr::from(b).into()),
            Self::Inet6(transport) => inet::<16>(block, transport, |b| Ipv6Addr::from(b).into()),
            Self::Unix(transport) => {
                let (src, dst) = block.split_at_checked(UNIX_LEN)?;
                let (src, dst) = (unix_name(src), unix_name(dst));
                Some(Addresses::Unix {
                    src,
                    dst,
                    transport,
                })
            }
        }
    }
}

fn inet<const N: usize>(
    block: &[u8],
    transport: Transport,
    ip: fn([u8; N]) -> IpAddr,
) -> Option<Addresses<'_>> {
    let (src, rest) = block.split_first_chunk::<N>()?;
    let (dst, rest) = rest.split_first_chunk::<N>()?;
    let (sport, rest) = rest.split_first_chunk::<2>()?;
    let (dport, _) = rest.split_first_chunk::<2>()?;
    Some(Addresses::Inet {
        src: SocketAddr::new(ip(*src), u16::from_be_bytes(*sport)),
        dst: SocketAddr::new(ip(*dst), u16::from_be_bytes(*dport)),
        transport,
    })
}

/// The name without its padding. A path ends at its first NUL; an abstract name begins with one
/// and may hold more, so there only the NULs at the end are padding.
fn unix_name(field: &[u8]) -> &[u8] {
    let len = if field.first() == Some(&0) {
        field
            .iter()
            .rposition(|&b| b != 0)
            .map_or(0, |last| last + 1)
    } else {
        field.iter().position(|&b| b == 0).unwrap_or(field.len())
    };
    field.get(..len).unwrap_or_default()
}

/// Reads the header at the start of `buf`.
pub(super) fn decode(buf: &[u8]) -> Result<Decoded<'_>, Error> {
    let rest = match literal(buf, &SIGNATURE) {
        Match::Whole(rest) => rest,
        Match::Part => return Ok(Decoded::Incomplete { need: FIXED_LEN }),
        Match::No => return Err(Error::NotProxy),
    };
    let command = rest.first().map(|&b| command(b)).transpose()?;
    let family = rest.get(1).map(|&b| Family::from_byte(b));
    if (command, family) == (Some(Command::Proxy), Some(None)) {
        return Err(Error::BadFamily);
    }
    let (Some(command), Some(family), Some(&[hi, lo])) = (command, family, rest.get(2..4)) else {
        return Ok(Decoded::Incomplete { need: FIXED_LEN });
    };
    let body_len = usize::from(u16::from_be_bytes([hi, lo]));
    let block_len = family.map_or(0, Family::len);
    if command == Command::Proxy && body_len < block_len {
        return Err(Error::BadLength);
    }
    let len = FIXED_LEN + body_len;
    let Some((header, body)) = buf.get(..len).zip(buf.get(FIXED_LEN..len)) else {
        return Ok(Decoded::Incomplete { need: len });
    };
    let (block, tail) = body.split_at_checked(block_len).unwrap_or_default();
    let tlvs = match family {
        Some(_) => read_tlvs(header, tail, command, block)?,
        None => Tlvs::default(),
    };
    let addresses = match (command, family) {
        (Command::Proxy, Some(family)) => family.addresses(block),
        _ => None,
    };
    Ok(Decoded::Header(Header {
        len,
        version: Version::V2,
        command,
        addresses,
        tlvs,
    }))
}

fn command(byte: u8) -> Result<Command, Error> {
    match byte {
        0x20 => Ok(Command::Local),
        0x21 => Ok(Command::Proxy),
        _ if byte >> 4 == 2 => Err(Error::BadCommand),
        _ => Err(Error::BadVersion),
    }
}

/// The TLVs in `tail`, the end of `header`. Behind LOCAL, and behind an unspecified family (no
/// `block`), the specification wants whatever follows skipped: what is not even made of TLVs is
/// an address of some sort there, and no error.
fn read_tlvs<'a>(
    header: &'a [u8],
    tail: &'a [u8],
    command: Command,
    block: &[u8],
) -> Result<Tlvs<'a>, Error> {
    let Some(tlvs) = Tlvs::framed(tail) else {
        let skip = command == Command::Local || block.is_empty();
        return if skip {
            Ok(Tlvs::default())
        } else {
            Err(Error::BadTlv)
        };
    };
    tlv::check(header, tlvs)?;
    Ok(tlvs)
}
