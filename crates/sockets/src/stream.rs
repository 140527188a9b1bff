//! Moving bytes: receive, send, splice(2) through a pipe.

use std::io::IoSlice;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown};
use rustix::pipe::SpliceFlags;

use crate::Result;

/// What came of trying to move bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// This many bytes, at least one.
    Bytes(usize),
    /// Nothing for now; the poller tells when to try again.
    Later,
    /// The other side sends no more (receiving only).
    End,
    /// The connection is broken.
    Broken(Errno),
}

impl Moved {
    fn of(outcome: rustix::io::Result<usize>) -> Self {
        match outcome {
            Ok(0) => Self::End,
            Ok(count) => Self::Bytes(count),
            Err(Errno::AGAIN | Errno::INTR) => Self::Later,
            Err(error) => Self::Broken(error),
        }
    }
}

/// Receives into a buffer, which must not be empty.
pub fn receive(fd: impl AsFd, buffer: &mut [u8]) -> Moved {
    Moved::of(rustix::net::recv(fd, buffer, RecvFlags::empty()).map(|(count, _)| count))
}

/// Sends from a buffer, which must not be empty. `more` says that more follows at once.
pub fn send(fd: impl AsFd, bytes: &[u8], more: bool) -> Moved {
    let more = if more {
        SendFlags::MORE
    } else {
        SendFlags::empty()
    };
    Moved::of(rustix::net::send(
        fd,
        bytes,
        SendFlags::NOSIGNAL | SendFlags::DONTWAIT | more,
    ))
}

/// Sends pieces in one system call. They must not all be empty.
pub fn send_pieces(fd: impl AsFd, pieces: &[IoSlice<'_>]) -> Moved {
    Moved::of(rustix::net::sendmsg(
        fd,
        pieces,
        &mut SendAncillaryBuffer::default(),
        SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
    ))
}

/// Tells the other side that no more will be sent.
pub fn shutdown_write(fd: impl AsFd) {
    // It fails only where the connection is gone already.
    let _ = rustix::net::shutdown(fd, Shutdown::Write);
}

/// Takes the error that is pending on a socket, for instance why a connect(2) failed.
///
/// # Errors
/// The pending error.
pub fn pending_error(fd: impl AsFd) -> std::result::Result<(), Errno> {
    rustix::net::sockopt::socket_error(fd)?
}

/// A pipe: what splice(2) needs between two sockets.
#[derive(Debug)]
pub struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
    capacity: usize,
    held: usize,
}

impl Pipe {
    /// A pipe that holds `size` bytes if the system allows it.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn new(size: usize) -> Result<Self> {
        use rustix::pipe::PipeFlags;
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // An ordinary user's pipes are limited in sum; then it stays as it is.
        let _ = rustix::pipe::fcntl_setpipe_size(&write, size);
        let capacity = rustix::pipe::fcntl_getpipe_size(&write)?;
        Ok(Self {
            read,
            write,
            capacity,
            held: 0,
        })
    }

    /// Bytes inside.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held
    }
}

/// Moves bytes from a socket into a pipe, at most `limit`.
pub fn fill_pipe(fd: impl AsFd, pipe: &mut Pipe, limit: usize) -> Moved {
    let want = limit.min(pipe.capacity);
    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
    let moved = Moved::of(rustix::pipe::splice(
        fd,
        None,
        &pipe.write,
        None,
        want,
        flags,
    ));
    if let Moved::Bytes(count) = moved {
        pipe.held += count;
    }
    moved
}

/// Moves bytes from a pipe, which must hold some, to a socket.
pub fn drain_pipe(pipe: &mut Pipe, fd: impl AsFd, more: bool) -> Moved {
    let more = if more {
        SpliceFlags::MORE
    } else {
        SpliceFlags::empty()
    };
    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK | more;
    let moved = Moved::of(rustix::pipe::splice(
        &pipe.read, None, fd, None, pipe.held, flags,
    ));
    if let Moved::Bytes(count) = moved {
        pipe.held = pipe.held.saturating_sub(count);
    }
    moved
}

/// Whether bytes wait to be received.
pub fn holds_bytes(fd: impl AsFd) -> bool {
    matches!(peek(fd), Moved::Bytes(_))
}

/// Whether a connection stands and nothing waits to be received, neither bytes nor its end.
pub fn is_silent(fd: impl AsFd) -> bool {
    peek(fd) == Moved::Later
}

/// What the next [`receive`] would bring, of at most one byte.
fn peek(fd: impl AsFd) -> Moved {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    Moved::of(rustix::net::recv(fd, &mut [0u8; 1], flags).map(|(count, _)| count))
}
