//! Kernel addresses and ours.

use std::net::SocketAddr;

use rustix::net::{SocketAddrAny, SocketAddrUnix};

/// The other end of a connection, or one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Over IP.
    Inet(SocketAddr),
    /// Over a unix socket, whose clients have no name.
    Unix,
}

impl Peer {
    /// The IP address and port, if it has one.
    #[must_use]
    pub fn inet(self) -> Option<SocketAddr> {
        match self {
            Self::Inet(address) => Some(address),
            Self::Unix => None,
        }
    }
}

/// What the kernel's address means; IPv4-mapped IPv6 addresses stay as they are.
#[must_use]
pub fn socket_address(any: &SocketAddrAny) -> Peer {
    SocketAddr::try_from(any.clone()).map_or(Peer::Unix, Peer::Inet)
}

/// The address of an abstract socket. HAProxy's `abns@` pads the name with NULs to the whole
/// length of the structure, `abnsz@` ends it behind the name.
pub(crate) fn abstract_address(
    name: &str,
    zero_terminated: bool,
) -> rustix::io::Result<SocketAddrUnix> {
    // 107: sun_path without the leading NUL.
    let mut bytes = name.as_bytes().to_vec();
    if !zero_terminated {
        bytes.resize(bytes.len().max(107), 0);
    }
    SocketAddrUnix::new_abstract_name(&bytes)
}
