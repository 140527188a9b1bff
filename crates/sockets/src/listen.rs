//! Listening sockets: opening them with the options of a `bind` line, and accepting.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Mode, chmodat, chownat};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, acceptfrom_with, ipproto, socket_with,
};

use crate::Result;
use crate::address::{Peer, abstract_address, socket_address};
use crate::connect::{bind_device, set_buffers, set_congestion, set_transparent, set_unsent};
use crate::options::{Keepalive, set_int, set_nodelay};

/// What is listened on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ListenTarget {
    /// TCP.
    Inet(SocketAddr),
    /// A unix socket in the file system.
    Unix(String),
    /// An abstract unix socket, and whether its name ends at its length (`abnsz@`).
    Abstract(String, bool),
}

/// Owner and permissions of a unix socket.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnixOwner {
    /// Permission bits.
    pub mode: Option<u32>,
    /// User.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
}

/// Options of a listening socket; connections inherit those that TCP lets them inherit.
#[derive(Debug, Clone, Default)]
pub struct ListenOptions {
    /// Length of the accept queue.
    pub backlog: i32,
    /// TCP_DEFER_ACCEPT: the client's first bytes are waited for.
    pub defer_accept: bool,
    /// SO_BINDTODEVICE
    pub interface: Option<String>,
    /// TCP_MAXSEG; 0 leaves the kernel's.
    pub mss: i32,
    /// TCP_USER_TIMEOUT, milliseconds; 0 leaves the kernel's.
    pub user_timeout: u32,
    /// TCP_FASTOPEN
    pub fast_open: bool,
    /// IP_TRANSPARENT: connections to any address.
    pub transparent: bool,
    /// IPV6_V6ONLY, where it is asked for.
    pub v6only: Option<bool>,
    /// Keep-alive probes of accepted connections.
    pub keepalive: Option<Keepalive>,
    /// The kernel's buffers in bytes, receive and send; 0 leaves them.
    pub buffers: (usize, usize),
    /// Bytes that a connection may have in the kernel unsent; 0 leaves the kernel's.
    pub unsent: usize,
    /// TCP_CONGESTION: the algorithm against congestion; where the kernel does not have it, its own stays.
    pub congestion: Option<String>,
    /// Several sockets share the address (SO_REUSEPORT).
    pub shared: bool,
    /// Owner of a unix socket.
    pub owner: UnixOwner,
}

/// Opens a listening socket in the calling thread's namespace.
///
/// # Errors
/// The address is in use or not this machine's, or an option needs a capability: the message says which.
pub fn listen(target: &ListenTarget, options: &ListenOptions) -> Result<OwnedFd> {
    match target {
        ListenTarget::Inet(address) => listen_inet(*address, options),
        ListenTarget::Unix(path) => listen_path(path, options),
        ListenTarget::Abstract(name, zero_terminated) => {
            let socket = unix_socket()?;
            rustix::net::bind(&socket, &abstract_address(name, *zero_terminated)?)?;
            rustix::net::listen(&socket, options.backlog)?;
            Ok(socket)
        }
    }
}

fn said<T>(what: &str, outcome: Result<T>) -> Result<T> {
    outcome.map_err(|e| std::io::Error::new(e.kind(), format!("{what}: {e}")))
}

fn listen_inet(address: SocketAddr, options: &ListenOptions) -> Result<OwnedFd> {
    let ipv6 = address.is_ipv6();
    let family = if ipv6 {
        AddressFamily::INET6
    } else {
        AddressFamily::INET
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    set_int(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    if options.shared {
        set_int(&socket, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
    }
    if let (true, Some(only)) = (ipv6, options.v6only) {
        set_int(
            &socket,
            libc::IPPROTO_IPV6,
            libc::IPV6_V6ONLY,
            i32::from(only),
        )?;
    }
    if options.transparent {
        said(
            "transparent (needs CAP_NET_ADMIN or CAP_NET_RAW)",
            set_transparent(&socket, ipv6),
        )?;
    }
    if let Some(name) = &options.interface {
        said(&format!("interface {name}"), bind_device(&socket, name))?;
    }
    tcp_options(&socket, options)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, options.backlog)?;
    Ok(socket)
}

/// Gives an open listening socket the backlog, buffers and keep-alive of other options, in its own namespace. Who
/// waits in it is kept.
///
/// # Errors
/// It is no listening socket.
pub fn adjust(socket: &OwnedFd, options: &ListenOptions) -> Result<()> {
    set_buffers(socket, options.buffers);
    set_unsent(socket, options.unsent);
    match options.keepalive {
        None => Keepalive::remove(socket),
        Some(keepalive) => {
            let fresh = socket_with(
                AddressFamily::INET,
                SocketType::STREAM,
                SocketFlags::CLOEXEC,
                None,
            )?;
            keepalive.or_those_of(fresh).apply(socket);
        }
    }
    if options.fast_open {
        let _ = set_int(
            socket,
            libc::IPPROTO_TCP,
            libc::TCP_FASTOPEN,
            options.backlog,
        );
    }
    Ok(rustix::net::listen(socket, options.backlog)?)
}

/// Options that connections inherit from the listener save a system call for each of them.
fn tcp_options(socket: &OwnedFd, options: &ListenOptions) -> Result<()> {
    set_nodelay(socket);
    set_buffers(socket, options.buffers);
    if options.unsent > 0 {
        set_unsent(socket, options.unsent);
    }
    if let Some(algorithm) = &options.congestion {
        set_congestion(socket, algorithm);
    }
    if let Some(keepalive) = options.keepalive {
        keepalive.apply(socket);
    }
    if options.mss > 0 {
        said(
            "mss",
            set_int(socket, libc::IPPROTO_TCP, libc::TCP_MAXSEG, options.mss),
        )?;
    }
    if options.user_timeout > 0 {
        let milliseconds = i32::try_from(options.user_timeout).unwrap_or(i32::MAX);
        said(
            "tcp-ut",
            set_int(
                socket,
                libc::IPPROTO_TCP,
                libc::TCP_USER_TIMEOUT,
                milliseconds,
            ),
        )?;
    }
    if options.defer_accept {
        // Who says nothing is handed over after the first retransmission (1 s), as with HAProxy: the
        // proxy's own timeout must begin.
        said(
            "defer-accept",
            set_int(socket, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, 1),
        )?;
    }
    if options.fast_open {
        said(
            "tfo",
            set_int(
                socket,
                libc::IPPROTO_TCP,
                libc::TCP_FASTOPEN,
                options.backlog,
            ),
        )?;
    }
    Ok(())
}

fn unix_socket() -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        flags,
        None,
    )?)
}

/// Binds under a temporary name and renames it over the old socket, so that clients find either
/// the old listener or the new one.
fn listen_path(path: &str, options: &ListenOptions) -> Result<OwnedFd> {
    let socket = unix_socket()?;
    let temporary = format!("{path}.{}.tmp", std::process::id());
    let _ = std::fs::remove_file(&temporary);
    rustix::net::bind(&socket, &SocketAddrUnix::new(temporary.as_str())?)?;
    let outcome = own(&temporary, options.owner)
        .and_then(|()| Ok(rustix::net::listen(&socket, options.backlog)?))
        .and_then(|()| std::fs::rename(&temporary, path));
    if outcome.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    outcome.map(|()| socket)
}

fn own(path: &str, owner: UnixOwner) -> Result<()> {
    if let Some(mode) = owner.mode {
        said(
            "mode",
            Ok(chmodat(
                CWD,
                path,
                Mode::from_raw_mode(mode),
                AtFlags::empty(),
            )?),
        )?;
    }
    if owner.uid.is_some() || owner.gid.is_some() {
        let uid = owner.uid.map(rustix::fs::Uid::from_raw);
        let gid = owner.gid.map(rustix::fs::Gid::from_raw);
        said(
            "user or group",
            Ok(chownat(CWD, path, uid, gid, AtFlags::empty())?),
        )?;
    }
    Ok(())
}

/// What came of trying to accept.
#[derive(Debug)]
pub enum Accepted {
    /// A connection and where it comes from.
    Connection(OwnedFd, Peer),
    /// Nobody waits.
    Nobody,
    /// The process or system is out of descriptors or memory: pause.
    Exhausted(std::io::Error),
}

/// Accepts one connection.
pub fn accept(listener: impl AsFd) -> Accepted {
    loop {
        match acceptfrom_with(
            listener.as_fd(),
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        ) {
            Ok((socket, peer)) => {
                let peer = peer.map_or(Peer::Unix, |any| socket_address(&any));
                return Accepted::Connection(socket, peer);
            }
            // The client gave up while it waited; the next one may still be there.
            Err(Errno::INTR | Errno::CONNABORTED) => {}
            Err(Errno::AGAIN) => return Accepted::Nobody,
            Err(error) => return Accepted::Exhausted(error.into()),
        }
    }
}

/// The address that a socket is bound to.
#[must_use]
pub fn local_name(socket: impl AsFd) -> Peer {
    rustix::net::getsockname(socket).map_or(Peer::Unix, |any| socket_address(&any))
}

/// The address that a socket is connected to.
#[must_use]
pub fn peer_name(socket: impl AsFd) -> Peer {
    rustix::net::getpeername(socket)
        .ok()
        .flatten()
        .map_or(Peer::Unix, |any| socket_address(&any))
}
