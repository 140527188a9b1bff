//! Socket options that no library wraps, and TCP_INFO.

use std::os::fd::{AsFd, AsRawFd};

use crate::Result;

/// Sets an integer option.
///
/// # Errors
/// What setsockopt(2) says.
pub(crate) fn set_int(fd: impl AsFd, level: i32, name: i32, value: i32) -> Result<()> {
    // SAFETY: the descriptor is borrowed for the call, and the value is a live c_int whose size is given.
    let outcome = unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if outcome == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

/// Sets an option whose value is bytes.
///
/// # Errors
/// What setsockopt(2) says.
pub(crate) fn set_bytes(fd: impl AsFd, level: i32, name: i32, value: &[u8]) -> Result<()> {
    // SAFETY: the descriptor is borrowed for the call, and the pointer and length are one live slice.
    let outcome = unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            level,
            name,
            value.as_ptr().cast(),
            libc::socklen_t::try_from(value.len()).unwrap_or(0),
        )
    };
    if outcome == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

/// Reads a plain structure option of the kernel.
fn get_plain<T: Copy>(fd: impl AsFd, level: i32, name: i32, zero: T) -> Result<T> {
    let mut value = zero;
    let mut len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into `value`, which is a live plain C structure.
    let outcome = unsafe {
        libc::getsockopt(
            fd.as_fd().as_raw_fd(),
            level,
            name,
            (&raw mut value).cast(),
            &raw mut len,
        )
    };
    if outcome == 0 {
        Ok(value)
    } else {
        Err(std::io::Error::last_os_error())
    }
}

/// Disables Nagle's algorithm: a proxy forwards what it has, when it has it.
pub fn set_nodelay(fd: impl AsFd) {
    // A socket that is no TCP socket refuses, and needs nothing.
    let _ = set_int(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
}

/// Whether the kernel acknowledges at once, or waits for data to carry the acknowledgement.
pub fn set_quickack(fd: impl AsFd, on: bool) {
    let _ = set_int(fd, libc::IPPROTO_TCP, libc::TCP_QUICKACK, i32::from(on));
}

/// Makes the coming close reset the connection and forget unsent data (`option nolinger`).
pub fn abort_on_close(fd: impl AsFd) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    // SAFETY: as in `set_int`, with a live linger structure.
    unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size_of::<libc::linger>() as libc::socklen_t,
        );
    }
}

/// Puts a socket into repair mode, in which the kernel says nothing of its close. Needs CAP_NET_ADMIN.
///
/// # Errors
/// The capability is missing.
pub(crate) fn silence(fd: impl AsFd) -> Result<()> {
    let fd = fd.as_fd();
    // What came and is not acknowledged yet would come again, and meet a reset.
    let _ = set_int(fd, libc::IPPROTO_TCP, libc::TCP_QUICKACK, 1);
    set_int(fd, libc::IPPROTO_TCP, libc::TCP_REPAIR, 1)
}

/// Bytes that were sent, or wait to be, and that the peer has not acknowledged (tcp(7), SIOCOUTQ).
pub(crate) fn unacknowledged(fd: impl AsFd) -> usize {
    let mut count: libc::c_int = 0;
    // SAFETY: the descriptor is open as long as it is borrowed, and the kernel writes one int.
    let done = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    match done {
        0 => usize::try_from(count).unwrap_or(0),
        _ => 0,
    }
}

/// Sets the hop limit of what is sent, so that a reset dies on its way (`silent-drop rst-ttl`).
pub fn set_ttl(fd: impl AsFd, hops: u8) {
    let fd = fd.as_fd();
    let _ = set_int(fd, libc::IPPROTO_IP, libc::IP_TTL, i32::from(hops));
    let _ = set_int(
        fd,
        libc::IPPROTO_IPV6,
        libc::IPV6_UNICAST_HOPS,
        i32::from(hops),
    );
}

/// Sets the DS field of what is sent.
pub fn set_tos(fd: impl AsFd, tos: u8) {
    let fd = fd.as_fd();
    let _ = set_int(fd, libc::IPPROTO_IP, libc::IP_TOS, i32::from(tos));
    let _ = set_int(fd, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, i32::from(tos));
}

/// Sets the netfilter mark of what is sent. Needs CAP_NET_ADMIN or CAP_NET_RAW.
///
/// # Errors
/// The capability is missing.
pub fn set_mark(fd: impl AsFd, mark: u32) -> Result<()> {
    set_int(
        fd,
        libc::SOL_SOCKET,
        libc::SO_MARK,
        i32::from_ne_bytes(mark.to_ne_bytes()),
    )
}

/// TCP keep-alive probes; 0 leaves the kernel's value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keepalive {
    /// Unanswered probes.
    pub count: u32,
    /// Seconds of silence before the first.
    pub idle: u32,
    /// Seconds between probes.
    pub interval: u32,
}

impl Keepalive {
    /// Turns probes off.
    pub(crate) fn remove(fd: impl AsFd) {
        let _ = set_int(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 0);
    }

    /// The same with the kernel's values, as `fresh` has them, where there are none: to apply to a socket that may
    /// have others.
    pub(crate) fn or_those_of(self, fresh: impl AsFd) -> Self {
        let fresh = fresh.as_fd();
        let kernels = |name| {
            let value = get_plain(fresh, libc::IPPROTO_TCP, name, 0_i32).unwrap_or(0);
            u32::try_from(value).unwrap_or(0)
        };
        let known = |value, name| if value > 0 { value } else { kernels(name) };
        Self {
            count: known(self.count, libc::TCP_KEEPCNT),
            idle: known(self.idle, libc::TCP_KEEPIDLE),
            interval: known(self.interval, libc::TCP_KEEPINTVL),
        }
    }

    /// Turns probes on.
    pub fn apply(self, fd: impl AsFd) {
        let fd = fd.as_fd();
        let _ = set_int(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1);
        let timings = [
            (libc::TCP_KEEPCNT, self.count),
            (libc::TCP_KEEPIDLE, self.idle),
            (libc::TCP_KEEPINTVL, self.interval),
        ];
        for (name, value) in timings.into_iter().filter(|t| t.1 > 0) {
            let _ = set_int(
                fd,
                libc::IPPROTO_TCP,
                name,
                i32::try_from(value).unwrap_or(i32::MAX),
            );
        }
    }
}

/// The part of TCP_INFO that fetches show. Times are microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpInfo {
    /// Smoothed round-trip time.
    pub rtt: u32,
    /// Its variation.
    pub rttvar: u32,
    /// Segments sent and not acknowledged.
    pub unacked: u32,
    /// Segments held to be lost.
    pub lost: u32,
    /// Segments retransmitted and not acknowledged.
    pub retrans: u32,
    /// Segments selectively acknowledged.
    pub sacked: u32,
    /// Forward acknowledged segments.
    pub fackets: u32,
    /// Reordering of segments.
    pub reordering: u32,
}

/// What the kernel knows of a TCP connection.
#[must_use]
pub fn tcp_info(fd: impl AsFd) -> Option<TcpInfo> {
    // SAFETY: all-zero is a value of this plain C structure.
    let zero: libc::tcp_info = unsafe { std::mem::zeroed() };
    let info = get_plain(fd, libc::IPPROTO_TCP, libc::TCP_INFO, zero).ok()?;
    Some(TcpInfo {
        rtt: info.tcpi_rtt,
        rttvar: info.tcpi_rttvar,
        unacked: info.tcpi_unacked,
        lost: info.tcpi_lost,
        retrans: info.tcpi_retrans,
        sacked: info.tcpi_sacked,
        fackets: info.tcpi_fackets,
        reordering: info.tcpi_reordering,
    })
}
