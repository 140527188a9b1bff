//! Version 1: one line of text. `PROXY TCP4|TCP6 SRC DST SPORT DPORT\r\n`, or `PROXY UNKNOWN`
//! with anything behind it (proxy-protocol.txt, 2.1).

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::matching::{Match, literal};
use super::{Addresses, Command, Decoded, Error, Header, Tlvs, Transport, Version};

/// The longest line, its CRLF included. Without it a sender could make us wait for a CRLF, and
/// buffer, for ever.
pub const MAX_LEN: usize = 107;

/// The shortest line: `PROXY UNKNOWN\r\n`.
pub(super) const MIN_LEN: usize = 15;

/// Why reading the line stops before its end.
enum Stop {
    /// Nothing is wrong with what is there.
    NeedMore,
    Bad(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Bad(error)
    }
}

/// Reads the line at the start of `buf`.
pub(super) fn decode(buf: &[u8]) -> Result<Decoded<'_>, Error> {
    let mut line = Line {
        rest: buf.get(..MAX_LEN).unwrap_or(buf),
    };
    let whole = line.rest.len();
    match line.read() {
        Ok(addresses) => Ok(Decoded::Header(Header {
            len: whole - line.rest.len(),
            version: Version::V1,
            command: Command::Proxy,
            addresses,
            tlvs: Tlvs::default(),
        })),
        Err(Stop::Bad(error)) => Err(error),
        Err(Stop::NeedMore) if whole == MAX_LEN => Err(Error::TooLong),
        Err(Stop::NeedMore) => Ok(Decoded::Incomplete {
            need: MIN_LEN.max(whole + 1),
        }),
    }
}

/// What is left to read of the line.
struct Line<'a> {
    rest: &'a [u8],
}

impl<'a> Line<'a> {
    fn read(&mut self) -> Result<Option<Addresses<'static>>, Stop> {
        if !self.accept(b"PROXY ")? {
            return Err(Error::NotProxy.into());
        }
        if self.accept(b"TCP4 ")? {
            return self.ends(v4, v4_byte, 15).map(Some);
        }
        if self.accept(b"TCP6 ")? {
            return self.ends(v6, v6_byte, 45).map(Some);
        }
        if self.accept(b"UNKNOWN")? {
            return self.unknown().map(|()| None);
        }
        Err(Error::UnknownProtocol.into())
    }

    /// Takes `word` if it stands next; stops where more bytes could still make it so.
    fn accept(&mut self, word: &[u8]) -> Result<bool, Stop> {
        match literal(self.rest, word) {
            Match::Whole(rest) => self.rest = rest,
            Match::Part => return Err(Stop::NeedMore),
            Match::No => return Ok(false),
        }
        Ok(true)
    }

    fn ends(
        &mut self,
        parse: fn(&str) -> Option<IpAddr>,
        byte: fn(&u8) -> bool,
        max: usize,
    ) -> Result<Addresses<'static>, Stop> {
        let mut address = || {
            let text = self.field(byte, max, b' ', Error::BadAddress)?;
            parse(text).ok_or(Stop::Bad(Error::BadAddress))
        };
        let (src, dst) = (address()?, address()?);
        let src = SocketAddr::new(src, self.port(b' ')?);
        let dst = SocketAddr::new(dst, self.port(b'\r')?);
        if !self.accept(b"\n")? {
            return Err(Error::BadLine.into());
        }
        Ok(Addresses::Inet {
            src,
            dst,
            transport: Transport::Stream,
        })
    }

    fn port(&mut self, end: u8) -> Result<u16, Stop> {
        let text = self.field(u8::is_ascii_digit, 5, end, Error::BadPort)?;
        if text.len() > 1 && text.starts_with('0') {
            return Err(Error::BadPort.into());
        }
        text.parse().map_err(|_| Stop::Bad(Error::BadPort))
    }

    /// Takes a field of 1 to `max` bytes and the byte `end` behind it. The field may be refused
    /// before it is whole, its value is for the caller to judge once it is.
    fn field(
        &mut self,
        byte: fn(&u8) -> bool,
        max: usize,
        end: u8,
        error: Error,
    ) -> Result<&'a str, Stop> {
        let len = self.rest.iter().take_while(|b| byte(b)).count();
        let (text, behind) = self.rest.split_at_checked(len).unwrap_or_default();
        if len > max {
            return Err(error.into());
        }
        let Some((&next, rest)) = behind.split_first() else {
            return Err(Stop::NeedMore);
        };
        if next != end || len == 0 {
            let separator = matches!(next, b' ' | b'\r' | b'\n');
            return Err(if separator { Error::BadLine } else { error }.into());
        }
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| Stop::Bad(error))
    }

    /// Skips what stands behind UNKNOWN. The receiver must ignore it, but a lone CR or LF must
    /// not be taken for the line's end, nor hidden in it.
    fn unknown(&mut self) -> Result<(), Stop> {
        let named = !matches!(self.rest.first(), None | Some(b' ' | b'\r'));
        if named {
            return Err(Error::UnknownProtocol.into());
        }
        let ends_line = |b: &u8| matches!(b, b'\r' | b'\n');
        let Some(end) = self.rest.iter().position(ends_line) else {
            return Err(Stop::NeedMore);
        };
        self.rest = self.rest.get(end..).unwrap_or_default();
        if self.accept(b"\r\n")? {
            return Ok(());
        }
        Err(Error::BadLine.into())
    }
}

fn v4_byte(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'.')
}

fn v6_byte(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':' | b'.')
}

/// std refuses what the specification refuses: leading zeros, numbers over 255, short forms.
fn v4(text: &str) -> Option<IpAddr> {
    text.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
}

fn v6(text: &str) -> Option<IpAddr> {
    text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// Appends a version 1 line for a TCP connection from `src` to `dst`, at most [`MAX_LEN`] bytes.
///
/// Ends of two families are sent as TCP6, the IPv4 one mapped. `None` sends `PROXY UNKNOWN`,
/// which some receivers reject: HAProxy sends it only for clients on UNIX sockets, and for its
/// checks sends the connection's own addresses.
pub fn encode(out: &mut Vec<u8>, ends: Option<(SocketAddr, SocketAddr)>) {
    // Writing to a Vec cannot fail, so there is no error to hand on.
    let _ = match ends {
        None => out.write_all(b"PROXY UNKNOWN\r\n"),
        Some((src, dst)) => match (src.ip(), dst.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let (sport, dport) = (src.port(), dst.port());
                write!(out, "PROXY TCP4 {from} {to} {sport} {dport}\r\n")
            }
            (from, to) => {
                let (from, to) = (mapped(from), mapped(to));
                let (sport, dport) = (src.port(), dst.port());
                write!(out, "PROXY TCP6 {from} {to} {sport} {dport}\r\n")
            }
        },
    };
}

/// The address as IPv6 says it.
pub(super) fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}
