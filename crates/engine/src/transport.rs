//! The transport of one end of a session: bytes over a socket, alone or under TLS, or over a stream
//! of a connection that many share.
//!
//! Every reader relies on one property: [`Transport::receive`] gives less than was asked for only
//! when nothing is left, so that the next byte makes a new edge at the poller. The one thing that
//! may be left is an end that came with the last bytes: [`Transport::holds_end`].

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::Arc;

use isthmus_sample::TlsFacts;
use isthmus_sockets::{Moved, abort_on_close, receive, send, send_pieces, shutdown_write};
use isthmus_tls::Channel;

use crate::h2;
use crate::http::Counted;
use crate::secured::{Handshake, Secured};

/// What carries the bytes.
#[derive(Debug)]
enum Carrier {
    Socket(OwnedFd),
    /// A stream of HTTP/2.
    Stream(h2::Stream),
}

/// One end's way to its peer.
#[derive(Debug)]
pub(crate) struct Transport {
    carrier: Carrier,
    tls: Option<Box<Secured>>,
    /// Its place among the connections to servers.
    counted: Option<Counted>,
}

/// A transport over a socket of its own, which may go to another thread.
#[derive(Debug)]
pub(crate) struct Detached {
    socket: OwnedFd,
    tls: Option<Box<Secured>>,
    counted: Option<Counted>,
}

impl From<Detached> for Transport {
    fn from(detached: Detached) -> Self {
        Self {
            carrier: Carrier::Socket(detached.socket),
            tls: detached.tls,
            counted: detached.counted,
        }
    }
}

impl Transport {
    /// The socket alone.
    pub(crate) fn plain(socket: OwnedFd) -> Self {
        Self {
            carrier: Carrier::Socket(socket),
            tls: None,
            counted: None,
        }
    }

    /// The socket of a connection to a server.
    pub(crate) fn counted(socket: OwnedFd, counted: Counted) -> Self {
        Self {
            counted: Some(counted),
            ..Self::plain(socket)
        }
    }

    /// A stream of a connection that others use, too.
    pub(crate) fn stream(stream: h2::Stream) -> Self {
        Self {
            carrier: Carrier::Stream(stream),
            tls: None,
            counted: None,
        }
    }

    /// What may go to another thread; `None` for a stream, which is lost with that.
    pub(crate) fn detach(self) -> Option<Detached> {
        match self.carrier {
            Carrier::Socket(socket) => Some(Detached {
                socket,
                tls: self.tls,
                counted: self.counted,
            }),
            Carrier::Stream(_) => None,
        }
    }

    /// Whether the socket carries the session's own bytes, so that the kernel may move them.
    pub(crate) fn is_plain(&self) -> bool {
        self.tls.is_none() && !self.is_stream()
    }

    /// Whether the peer gave a stream up before it looked at it.
    pub(crate) fn was_refused(&self) -> bool {
        match &self.carrier {
            Carrier::Socket(_) => false,
            Carrier::Stream(stream) => stream.was_refused(),
        }
    }

    /// What is known of a stream that others' go beside.
    pub(crate) fn stream_facts(&self) -> Option<h2::StreamFacts> {
        match &self.carrier {
            Carrier::Socket(_) => None,
            Carrier::Stream(stream) => Some(stream.facts()),
        }
    }

    /// Fields of the peer's head that are to be in no table (HTTP/2).
    pub(crate) fn secrets(&self) -> Option<Rc<h2::Secrets>> {
        match &self.carrier {
            Carrier::Socket(_) => None,
            Carrier::Stream(stream) => stream.secrets(),
        }
    }

    /// Keeps fields of the head that is written next out of tables, where there are any.
    pub(crate) fn conceal(&mut self, secrets: Rc<h2::Secrets>) {
        if let Carrier::Stream(stream) = &mut self.carrier {
            stream.conceal(secrets);
        }
    }

    /// Whether others use the connection, too.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.carrier, Carrier::Stream(_))
    }

    /// What is known of the TLS over the socket.
    pub(crate) fn channel(&self) -> Option<&Channel> {
        self.tls.as_deref().map(|tls| &tls.channel)
    }

    /// Whether any data was sent early.
    pub(crate) fn sent_early(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.sent_early)
    }

    /// Whether data flows early: the handshake is not over.
    pub(crate) fn is_early(&self) -> bool {
        self.channel().is_some_and(Channel::is_early)
    }

    /// What is known of the server's TLS, where anybody asks.
    pub(crate) fn facts(&self) -> Option<&Arc<TlsFacts>> {
        match &self.carrier {
            Carrier::Socket(_) => self.tls.as_ref()?.facts.as_ref(),
            Carrier::Stream(stream) => stream.connection().facts(),
        }
    }

    /// The TLS over the socket.
    pub(crate) fn secured(&mut self) -> Option<&mut Secured> {
        self.tls.as_deref_mut()
    }

    /// Lays TLS over the socket, from which `received` was read already; `prefix` is sent before it
    /// in the clear.
    pub(crate) fn secure(&mut self, channel: Channel, received: &[u8], prefix: &[u8]) {
        self.tls = Some(Box::new(Secured::new(channel, received, prefix)));
    }

    /// Goes on with TLS' handshake; with `early` until data flows early.
    pub(crate) fn shake_hands(&mut self, early: bool) -> Handshake {
        match (&mut self.tls, &self.carrier) {
            (Some(tls), Carrier::Socket(socket)) => tls.shake_hands(socket, early),
            _ => Handshake::Done,
        }
    }

    /// Receives into a buffer, which must not be empty.
    pub(crate) fn receive(&mut self, space: &mut [u8]) -> Moved {
        match (&mut self.carrier, &mut self.tls) {
            (Carrier::Socket(socket), None) => receive(socket, space),
            (Carrier::Socket(socket), Some(tls)) => tls.receive(socket, space),
            (Carrier::Stream(stream), _) => stream.receive(space),
        }
    }

    /// Sends from a buffer, which must not be empty. Bytes that count as sent may still wait here:
    /// see [`Transport::holds_sealed`].
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Moved {
        match (&mut self.carrier, &mut self.tls) {
            (Carrier::Socket(socket), None) => send(socket, bytes, false),
            (Carrier::Socket(socket), Some(tls)) => tls.send(socket, bytes),
            (Carrier::Stream(stream), _) => stream.send(bytes),
        }
    }

    /// Sends pieces, which must not all be empty, in one system call.
    pub(crate) fn send_pieces(&mut self, pieces: &[IoSlice<'_>]) -> Moved {
        match (&mut self.carrier, &mut self.tls) {
            (Carrier::Socket(socket), None) => send_pieces(socket, pieces),
            (Carrier::Socket(socket), Some(tls)) => tls.send_pieces(socket, pieces),
            (Carrier::Stream(stream), _) => stream.send_pieces(pieces),
        }
    }

    /// Whether bytes that were sent wait for the socket, encrypted, or for a stream's window.
    pub(crate) fn holds_sealed(&self) -> bool {
        match (&self.carrier, &self.tls) {
            (Carrier::Socket(_), None) => false,
            (Carrier::Socket(_), Some(tls)) => tls.holds_sealed(),
            (Carrier::Stream(stream), _) => stream.holds(),
        }
    }

    /// Sends bytes that wait: [`Moved::Bytes`] if none does any more.
    pub(crate) fn flush(&mut self) -> Moved {
        match (&mut self.carrier, &mut self.tls) {
            (Carrier::Socket(_), None) => Moved::Bytes(0),
            (Carrier::Socket(socket), Some(tls)) => tls.flush(socket),
            // Its connection does it.
            (Carrier::Stream(stream), _) if stream.holds() => Moved::Later,
            (Carrier::Stream(_), _) => Moved::Bytes(0),
        }
    }

    /// Tells the peer, within TLS, that no more will be sent: a connection that is cut short must
    /// not look as if it had ended.
    pub(crate) fn say_goodbye(&mut self) {
        if let (Carrier::Socket(socket), Some(tls)) = (&self.carrier, &mut self.tls) {
            tls.say_goodbye(socket);
        }
    }

    /// Tells the peer that no more will be sent.
    pub(crate) fn shutdown_write(&mut self) {
        self.say_goodbye();
        match &mut self.carrier {
            Carrier::Socket(socket) => shutdown_write(socket),
            Carrier::Stream(stream) => stream.finish(),
        }
    }

    /// Lets the end be a reset. A stream that is not over is reset anyway.
    pub(crate) fn abort_on_close(&self) {
        if let Carrier::Socket(socket) = &self.carrier {
            abort_on_close(socket);
        }
    }

    /// Whether the end of the peer's bytes came with them, within TLS or in a frame: another receive
    /// tells it, and no event will.
    pub(crate) fn holds_end(&self) -> bool {
        match &self.carrier {
            Carrier::Socket(_) => self.tls.as_deref().is_some_and(Secured::holds_end),
            Carrier::Stream(stream) => stream.holds_end(),
        }
    }

    /// Whether bytes of the peer's wait that came with others, already decrypted.
    pub(crate) fn holds_plain(&self) -> bool {
        self.channel().is_some_and(Channel::holds_plain)
    }

    /// Whether the connection stands and the peer has sent nothing for anybody: no bytes, no end. Within
    /// TLS, what is not data is received on the way.
    pub(crate) fn is_silent(&mut self) -> bool {
        match &mut self.carrier {
            Carrier::Socket(socket) if self.tls.is_none() => isthmus_sockets::is_silent(socket),
            Carrier::Socket(_) => !self.holds_end() && self.receive(&mut [0]) == Moved::Later,
            Carrier::Stream(_) => false,
        }
    }

    /// Whether the peer sent bytes that nobody has received yet.
    pub(crate) fn holds_bytes(&self) -> bool {
        match &self.carrier {
            Carrier::Socket(socket) => self.holds_plain() || isthmus_sockets::holds_bytes(socket),
            Carrier::Stream(stream) => stream.holds_bytes(),
        }
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.carrier {
            Carrier::Socket(socket) => socket.as_fd(),
            Carrier::Stream(stream) => stream.socket().as_fd(),
        }
    }
}

impl AsRawFd for Transport {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
