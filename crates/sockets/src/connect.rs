//! Connecting: a non-blocking socket, its options, its source address, connect(2).

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, ipproto, socket_with};

use crate::address::abstract_address;
use crate::options::{Keepalive, set_bytes, set_int};
use crate::{Factory, Result};

/// Where a connection comes from (`source`).
#[derive(Debug, Clone, Default)]
pub struct SourceBinding {
    /// Local address and port; port 0 leaves it to the kernel.
    pub local: Option<SocketAddr>,
    /// Last port of a range that begins with `local`'s; 0 for no range.
    pub last_port: u16,
    /// The address is not one of this machine's (`usesrc`): IP_TRANSPARENT.
    pub foreign: bool,
    /// Device to bind to (`interface`).
    pub interface: Option<String>,
}

impl SourceBinding {
    /// The first address of a range of ports, and the range's last port.
    fn port_range(&self) -> Option<(SocketAddr, u16)> {
        let local = self.local?;
        (local.port() > 0 && self.last_port > local.port()).then_some((local, self.last_port))
    }
}

/// How a connection is made.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// Where it comes from.
    pub source: SourceBinding,
    /// Keep-alive probes.
    pub keepalive: Option<Keepalive>,
    /// TCP_USER_TIMEOUT, milliseconds; 0 leaves the kernel's.
    pub user_timeout: u32,
    /// TCP_FASTOPEN_CONNECT: the first bytes travel with the SYN.
    pub fast_open: bool,
    /// The kernel's buffers in bytes, receive and send; 0 leaves them.
    pub buffers: (usize, usize),
    /// Bytes that the connection may have in the kernel unsent; 0 leaves the kernel's.
    pub unsent: usize,
    /// TCP_CONGESTION: the algorithm against congestion; where the kernel does not have it, its own stays.
    pub congestion: Option<String>,
    /// Netfilter mark; without the capability the connection goes unmarked.
    pub mark: Option<u32>,
    /// DS field, the whole byte.
    pub tos: Option<u8>,
}

/// A connection under way.
#[derive(Debug)]
pub struct Connecting {
    /// The socket.
    pub socket: OwnedFd,
    /// It is established already (unix sockets are at once).
    pub done: bool,
}

/// A fresh TCP socket as the factory stocks them.
pub(crate) fn tcp_socket(ipv6: bool) -> Result<OwnedFd> {
    let family = if ipv6 {
        AddressFamily::INET6
    } else {
        AddressFamily::INET
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(
        family,
        SocketType::STREAM,
        flags,
        Some(ipproto::TCP),
    )?)
}

/// A fresh non-blocking socket of any family and kind (numbers as in sys/socket.h).
///
/// # Errors
/// The kernel knows no such family or kind, or is out of descriptors.
pub fn plain_socket(family: i32, kind: i32) -> Result<OwnedFd> {
    let unknown = || std::io::Error::from(std::io::ErrorKind::Unsupported);
    let family = u16::try_from(family).map_err(|_| unknown())?;
    let kind = u32::try_from(kind).map_err(|_| unknown())?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (family, kind) = (AddressFamily::from_raw(family), SocketType::from_raw(kind));
    Ok(socket_with(family, kind, flags, None)?)
}

/// Begins to connect over TCP, inside the factory's namespace if one is given. `speaks_first`:
/// bytes for the server are at hand.
///
/// # Errors
/// Out of descriptors or ports, an option needs a capability, no route, refused at once.
pub fn connect(
    target: SocketAddr,
    options: &ConnectOptions,
    factory: Option<&Factory>,
    speaks_first: bool,
) -> Result<Connecting> {
    let Some((local, last)) = options.source.port_range() else {
        return connect_from(target, options, options.source.local, factory, speaks_first);
    };
    // The ports take turns; one that still has a connection to this very target is passed over.
    let count = u32::from(last - local.port()) + 1;
    let start = NEXT_PORT.fetch_add(1, Relaxed);
    let mut outcome = Err(Errno::ADDRNOTAVAIL.into());
    for step in 0..count {
        let offset = u16::try_from(start.wrapping_add(step) % count).unwrap_or(0);
        let from = SocketAddr::new(local.ip(), local.port() + offset);
        outcome = connect_from(target, options, Some(from), factory, speaks_first);
        let taken = |error: &std::io::Error| {
            matches!(
                error.kind(),
                ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable
            )
        };
        if !outcome.as_ref().is_err_and(taken) {
            break;
        }
    }
    outcome
}

/// Where the next search in a range of source ports begins.
static NEXT_PORT: AtomicU32 = AtomicU32::new(0);

fn connect_from(
    target: SocketAddr,
    options: &ConnectOptions,
    local: Option<SocketAddr>,
    factory: Option<&Factory>,
    speaks_first: bool,
) -> Result<Connecting> {
    let socket = match factory {
        Some(factory) => factory.tcp_socket(&target)?,
        None => tcp_socket(target.is_ipv6())?,
    };
    prepare(&socket, options)?;
    bind_source(&socket, target, local, &options.source)?;
    if speaks_first {
        // The handshake's last acknowledgement travels with the first bytes.
        crate::options::set_quickack(&socket, false);
    }
    let done = match rustix::net::connect(&socket, &target) {
        Ok(()) => true,
        Err(Errno::INPROGRESS) => false,
        Err(error) => return Err(error.into()),
    };
    Ok(Connecting { socket, done })
}

impl Connecting {
    /// Connects to a unix socket in the file system.
    ///
    /// # Errors
    /// Nobody listens there, its queue is full, or it may not be opened.
    pub fn unix(path: &str) -> Result<Self> {
        Self::local(&SocketAddrUnix::new(path)?)
    }

    /// Connects to an abstract socket. The caller is in its namespace (see [`Factory::run`]).
    ///
    /// # Errors
    /// Nobody listens there, or its queue is full.
    pub fn abstract_name(name: &str, zero_terminated: bool) -> Result<Self> {
        Self::local(&abstract_address(name, zero_terminated)?)
    }

    /// Makes a pair of connected sockets and passes one over `sockpair@`, to whoever listens at
    /// the pair's other end.
    ///
    /// # Errors
    /// The descriptor is not open, or nobody is at its other end.
    pub fn over_pair(fd: i32) -> Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (ours, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        crate::passing::send_descriptor(crate::passing::inherit(fd)?, theirs.as_fd())?;
        Ok(Self {
            socket: ours,
            done: true,
        })
    }

    fn local(address: &SocketAddrUnix) -> Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&socket, address)?;
        Ok(Self { socket, done: true })
    }
}

fn prepare(socket: &OwnedFd, options: &ConnectOptions) -> Result<()> {
    if let Some(keepalive) = options.keepalive {
        keepalive.apply(socket);
    }
    if options.user_timeout > 0 {
        let milliseconds = i32::try_from(options.user_timeout).unwrap_or(i32::MAX);
        set_int(
            socket,
            libc::IPPROTO_TCP,
            libc::TCP_USER_TIMEOUT,
            milliseconds,
        )?;
    }
    if options.fast_open {
        // An old kernel without it connects the ordinary way.
        let _ = set_int(socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, 1);
    }
    set_buffers(socket, options.buffers);
    if options.unsent > 0 {
        set_unsent(socket, options.unsent);
    }
    if let Some(algorithm) = &options.congestion {
        set_congestion(socket, algorithm);
    }
    if let Some(mark) = options.mark {
        let _ = crate::options::set_mark(socket, mark);
    }
    if let Some(tos) = options.tos {
        crate::options::set_tos(socket, tos);
    }
    Ok(())
}

/// Sets the kernel's buffer sizes, receive and send; 0 leaves them.
pub(crate) fn set_buffers(socket: &OwnedFd, (receive, send): (usize, usize)) {
    for (name, size) in [(libc::SO_RCVBUF, receive), (libc::SO_SNDBUF, send)] {
        if size > 0 {
            let _ = set_int(
                socket,
                libc::SOL_SOCKET,
                name,
                i32::try_from(size).unwrap_or(i32::MAX),
            );
        }
    }
}

/// Sets TCP_NOTSENT_LOWAT, bytes; 0 is the kernel's own again.
pub(crate) fn set_unsent(socket: &OwnedFd, bytes: usize) {
    let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
    // Unix sockets have no such bound, and need none.
    let _ = set_int(socket, libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, bytes);
}

/// Sets TCP_CONGESTION where the kernel has the algorithm; whoever starts the proxy was told where not.
pub(crate) fn set_congestion(socket: &OwnedFd, algorithm: &str) {
    let _ = set_bytes(
        socket,
        libc::IPPROTO_TCP,
        libc::TCP_CONGESTION,
        algorithm.as_bytes(),
    );
}

/// Makes a socket able to bind addresses that are not this machine's.
pub(crate) fn set_transparent(socket: &OwnedFd, ipv6: bool) -> Result<()> {
    if ipv6 {
        set_int(socket, libc::IPPROTO_IPV6, libc::IPV6_TRANSPARENT, 1)
    } else {
        set_int(socket, libc::IPPROTO_IP, libc::IP_TRANSPARENT, 1)
    }
}

/// Binds to a device.
pub(crate) fn bind_device(socket: &OwnedFd, name: &str) -> Result<()> {
    set_bytes(
        socket,
        libc::SOL_SOCKET,
        libc::SO_BINDTODEVICE,
        name.as_bytes(),
    )
}

fn bind_source(
    socket: &OwnedFd,
    target: SocketAddr,
    local: Option<SocketAddr>,
    source: &SourceBinding,
) -> Result<()> {
    if let Some(interface) = &source.interface {
        bind_device(socket, interface)?;
    }
    let Some(local) = local.and_then(|local| same_family(local, target.is_ipv6())) else {
        return Ok(());
    };
    if source.foreign {
        set_transparent(socket, local.is_ipv6())?;
    }
    if local.port() == 0 {
        // The port is chosen at connect(2), when the destination is known: 64,000 connections for
        // each destination instead of 64,000 in all.
        let _ = set_int(socket, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, 1);
    } else {
        set_int(socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    }
    Ok(rustix::net::bind(socket, &local)?)
}

/// The source in the target's family; `None` where that is not possible, and the kernel chooses.
fn same_family(local: SocketAddr, ipv6: bool) -> Option<SocketAddr> {
    match (local.ip(), ipv6) {
        (IpAddr::V4(ip), true) => Some(SocketAddr::new(ip.to_ipv6_mapped().into(), local.port())),
        (IpAddr::V6(ip), false) => ip
            .to_ipv4_mapped()
            .map(|ip| SocketAddr::new(ip.into(), local.port())),
        _ => Some(local),
    }
}
