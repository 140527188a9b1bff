//! The PROXY protocol, versions 1 and 2, both ways: what stands on the wire before a relayed
//! connection's first byte to say who its client is (proxy-protocol.txt, version 2020/03/05).
//!
//! [`decode`] reads a header out of what has arrived so far and borrows from it; [`encode_v1`]
//! and [`V2::encode`] append one to a buffer. Whether a sender may be believed, how long to wait
//! for it, and what a namespace's name means, is the engine's to decide.
//!
//! Stricter than HAProxy 2.6: numbers in version 1 are read as the specification writes them,
//! where HAProxy lets them wrap. More lenient: a header may come in any number of pieces, and
//! UNIX, UDP and unspecified addresses are accepted.

mod crc32c;
mod error;
mod matching;
mod tlv;
mod v1;
mod v2;
mod v2_encode;

use std::net::SocketAddr;

pub use error::Error;
pub use tlv::{Occurrences, Ssl, TlvIter, Tlvs, kind, ssl_client};
pub use v1::{MAX_LEN as V1_MAX_LEN, encode as encode_v1};
pub use v2::{MAX_LEN as V2_MAX_LEN, SIGNATURE};
pub use v2_encode::V2;

/// The outcome of [`decode`] when nothing received so far is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// The bytes so far begin a header that is not whole yet.
    Incomplete {
        /// How many bytes, those already there included, the header has at least. Always more
        /// than were given. A caller whose buffer cannot hold as many refuses the connection
        /// with [`Error::TooLong`]. It is no reason to wait: call again with every byte that
        /// arrives, so that garbage is refused at its first wrong byte.
        need: usize,
    },
    /// A whole header.
    Header(Header<'a>),
}

impl<'a> Decoded<'a> {
    /// The header, for a caller that knows that no more bytes will come.
    ///
    /// # Errors
    /// [`Error::Truncated`] when the header is not whole.
    pub fn at_end(self) -> Result<Header<'a>, Error> {
        match self {
            Self::Header(header) => Ok(header),
            Self::Incomplete { .. } => Err(Error::Truncated),
        }
    }
}

/// A whole header that keeps every rule of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Bytes that the header takes; the client's own bytes start right behind.
    pub len: usize,
    /// Which of the two forms it came in.
    pub version: Version,
    /// On whose behalf the connection was made.
    pub command: Command,
    /// The original connection's ends. `None` (v1 UNKNOWN, v2 UNSPEC, any LOCAL): the real
    /// connection's addresses hold.
    pub addresses: Option<Addresses<'a>>,
    /// What else the sender told; empty with version 1. With LOCAL too, as HAProxy 3.5 heeds a
    /// NETNS there.
    pub tlvs: Tlvs<'a>,
}

/// The two forms of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// One line of text.
    V1,
    /// Binary, with TLVs.
    V2,
}

/// On whose behalf the sender connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Command {
    /// Its own, such as a health check: the connection's real addresses hold.
    #[default]
    Local,
    /// Somebody else's, whose addresses the header gives.
    Proxy,
}

/// How the original connection carries bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// TCP, or a UNIX stream socket.
    #[default]
    Stream,
    /// UDP, or a UNIX datagram socket.
    Datagram,
}

/// The two ends of the original connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses<'a> {
    /// IPv4 or IPv6. Decoded headers have both ends of one family; to be encoded, the ends may
    /// differ, and are then sent as IPv6, the IPv4 one mapped (`::ffff:a.b.c.d`).
    Inet {
        /// The client.
        src: SocketAddr,
        /// What the client connected to.
        dst: SocketAddr,
        /// TCP or UDP.
        transport: Transport,
    },
    /// UNIX socket paths without their padding; an abstract name keeps its leading NUL.
    Unix {
        /// The client's, often empty.
        src: &'a [u8],
        /// What the client connected to.
        dst: &'a [u8],
        /// Stream or datagram.
        transport: Transport,
    },
}

/// Reads a header of either version from the start of a connection's bytes.
///
/// `buf` is everything received so far, from the first byte; call again with more while the
/// answer is [`Decoded::Incomplete`]. An answer other than that never changes when more bytes
/// arrive. Nothing is allocated, and the work is linear in the header's length.
///
/// # Errors
/// Each is the sender's malformation, reported at the earliest byte (version 1: or field end)
/// that shows it. A header that is merely cut short is never an error here: see
/// [`Decoded::at_end`].
pub fn decode(buf: &[u8]) -> Result<Decoded<'_>, Error> {
    match buf.first() {
        Some(b'P') => v1::decode(buf),
        Some(b'\r') => v2::decode(buf),
        Some(_) => Err(Error::NotProxy),
        None => Ok(Decoded::Incomplete { need: v1::MIN_LEN }),
    }
}
