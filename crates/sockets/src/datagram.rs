//! Where log lines go: datagrams over UDP and unix sockets, lines to open descriptors.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, socket_with};

use crate::Result;

/// An unconnected datagram socket: a receiver that comes back is found again.
#[derive(Debug)]
pub struct Datagram(OwnedFd);

impl Datagram {
    /// Sends to an IP address without waiting.
    ///
    /// # Errors
    /// Nothing was sent: no route, the buffer is full.
    pub fn send_inet(&self, bytes: &[u8], to: &SocketAddr) -> Result<()> {
        rustix::net::sendto(
            &self.0,
            bytes,
            SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
            to,
        )?;
        Ok(())
    }

    /// Sends to a unix socket without waiting.
    ///
    /// # Errors
    /// Nothing was sent: nobody there, the buffer is full.
    pub fn send_unix(&self, bytes: &[u8], path: &str) -> Result<()> {
        let to = SocketAddrUnix::new(path)?;
        rustix::net::sendto(
            &self.0,
            bytes,
            SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
            &to,
        )?;
        Ok(())
    }
}

fn open(family: AddressFamily) -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(family, SocketType::DGRAM, flags, None)?)
}

/// A UDP socket in the calling thread's namespace.
///
/// # Errors
/// Out of descriptors.
pub fn open_udp(ipv6: bool) -> Result<Datagram> {
    let (family, any): (_, SocketAddr) = if ipv6 {
        (AddressFamily::INET6, (Ipv6Addr::UNSPECIFIED, 0).into())
    } else {
        (AddressFamily::INET, (Ipv4Addr::UNSPECIFIED, 0).into())
    };
    let socket = open(family)?;
    rustix::net::bind(&socket, &any)?;
    Ok(Datagram(socket))
}

/// A unix datagram socket.
///
/// # Errors
/// Out of descriptors.
pub fn open_unix() -> Result<Datagram> {
    open(AddressFamily::UNIX).map(Datagram)
}

/// Writes a line to an inherited descriptor, without waiting for a pipe that nobody empties.
///
/// # Errors
/// The descriptor is not open, or can't take the whole line now.
pub fn write_line(fd: i32, line: &[u8]) -> Result<()> {
    // SAFETY: the number is used for this one call; a descriptor that is not open gives EBADF.
    let fd = unsafe { BorrowedFd::borrow_raw(fd.max(0)) };
    let written = rustix::io::write(fd.as_fd(), line)?;
    if written == line.len() {
        Ok(())
    } else {
        Err(std::io::ErrorKind::WriteZero.into())
    }
}
