//! TLS over a socket: records are received, opened and sent here; `isthmus_tls` knows what they
//! mean.

use std::cell::RefCell;
use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use isthmus_sample::TlsFacts;
use isthmus_sockets::{Errno, Moved, receive, send};
use isthmus_tls::{Channel, Failure};

use crate::live::TlsPlace;
use crate::pending::Pending;

/// The longest record (RFC 5246, 6.2.3), and some.
const RECORD: usize = 5 + 16 * 1024 + 2048;
/// Ciphertext received at once, at most.
const RECORDS: usize = 64 * 1024 + RECORD;
/// Plaintext that is encrypted at once, at most.
const PORTION: usize = 64 * 1024;

thread_local! {
    /// Where records of any connection of this worker are opened, and where they are made.
    static SPACE: RefCell<Space> = RefCell::default();
}

#[derive(Default)]
struct Space {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    joined: Vec<u8>,
}

/// How a handshake stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Handshake {
    /// It is over; data may flow.
    Done,
    /// It is not over, and data flows early.
    Early,
    /// An event at the socket is awaited.
    Waits,
    /// The peer ended the connection.
    Ended,
    /// The connection broke.
    Broken(Errno),
    /// One side refused the other.
    Failed(Failure),
}

/// The TLS over a socket.
#[derive(Debug)]
pub(crate) struct Secured {
    pub(crate) channel: Channel,
    /// What is known of a server's TLS, where anybody asks.
    pub(crate) facts: Option<Arc<TlsFacts>>,
    /// What is sent before the handshake is over is sent early.
    pub(crate) sends_early: bool,
    /// Some was.
    pub(crate) sent_early: bool,
    /// Ciphertext that is no whole record yet.
    incoming: Vec<u8>,
    /// Ciphertext that the socket has not taken yet.
    outgoing: Pending,
    /// The peer's end of the connection was read.
    ended: bool,
    /// Why nothing can be read any more.
    broken: Option<Errno>,
    failure: Option<Failure>,
    /// Where a connection with a server counts.
    pub(crate) place: Option<TlsPlace>,
}

impl Secured {
    /// TLS over a socket from which `received` was read already; `prefix` is sent before it, in the
    /// clear.
    pub(crate) fn new(channel: Channel, received: &[u8], prefix: &[u8]) -> Self {
        let mut outgoing = Pending::default();
        outgoing.push(prefix);
        Self {
            channel,
            facts: None,
            sends_early: false,
            sent_early: false,
            incoming: received.to_vec(),
            outgoing,
            ended: false,
            broken: None,
            failure: None,
            place: None,
        }
    }

    /// Goes on with the handshake; with `early` until data flows early.
    pub(crate) fn shake_hands(&mut self, socket: &OwnedFd, early: bool) -> Handshake {
        let goes_on = |channel: &Channel| !(channel.is_open() || early && channel.is_early());
        if goes_on(&self.channel) {
            self.open_held();
            let mut nothing = [];
            while goes_on(&self.channel) && self.failure.is_none() && self.read_on() {
                if self.take_in(socket, &mut nothing).1 {
                    break;
                }
            }
        }
        if let Moved::Broken(error) = self.flush(socket) {
            return Handshake::Broken(error);
        }
        if let Some(failure) = &self.failure {
            return Handshake::Failed(failure.clone());
        }
        if let Some(error) = self.broken {
            return Handshake::Broken(error);
        }
        match (self.channel.is_open(), self.ended) {
            (true, _) => Handshake::Done,
            _ if !goes_on(&self.channel) => Handshake::Early,
            (false, true) => Handshake::Ended,
            (false, false) => Handshake::Waits,
        }
    }

    /// Opens what was received before there was TLS; a client also makes its first message.
    fn open_held(&mut self) {
        SPACE.with_borrow_mut(|space| {
            let held = std::mem::take(&mut self.incoming);
            space.incoming.clear();
            space.incoming.extend_from_slice(&held);
            self.open(&mut space.incoming, &mut [], &mut space.outgoing);
        });
    }

    /// Whether the socket may have something to read.
    fn read_on(&self) -> bool {
        !self.ended && self.broken.is_none()
    }

    /// Receives plaintext.
    pub(crate) fn receive(&mut self, socket: &OwnedFd, space: &mut [u8]) -> Moved {
        let mut count = self.channel.take_plain(space);
        while count < space.len() && self.failure.is_none() && self.read_on() {
            let (plain, dry) = self.take_in(socket, space.get_mut(count..).unwrap_or_default());
            count += plain;
            if dry {
                break;
            }
        }
        let _ = self.flush(socket);
        if count > 0 {
            return Moved::Bytes(count);
        }
        match (&self.failure, self.broken) {
            (Some(_), _) => Moved::Broken(Errno::PROTO),
            (None, Some(error)) => Moved::Broken(error),
            _ if self.ended || self.channel.is_closed() => Moved::End,
            _ => Moved::Later,
        }
    }

    /// Whether the end of what can be received was read already: the socket makes no edge for it any
    /// more (a close_notify that came with the last data).
    pub(crate) fn holds_end(&self) -> bool {
        !self.read_on() || self.failure.is_some() || self.channel.is_closed()
    }

    /// Receives ciphertext once and opens it: how much plaintext that gave, and whether the socket
    /// is empty.
    fn take_in(&mut self, socket: &OwnedFd, plain: &mut [u8]) -> (usize, bool) {
        SPACE.with_borrow_mut(|space| {
            let held = self.incoming.len();
            let wanted = (plain.len() + RECORD).min(RECORDS).max(held + RECORD);
            if space.incoming.len() < wanted {
                space.incoming.resize(wanted, 0);
            }
            let Some(records) = space.incoming.get_mut(..wanted) else {
                return (0, true);
            };
            if let Some(start) = records.get_mut(..held) {
                start.copy_from_slice(&self.incoming);
            }
            let room = records.get_mut(held..).unwrap_or_default();
            let asked = room.len();
            let count = match receive(socket, room) {
                Moved::Bytes(count) => count,
                Moved::Later => return (0, true),
                Moved::End => {
                    self.ended = true;
                    return (0, true);
                }
                Moved::Broken(error) => {
                    self.broken = Some(error);
                    return (0, true);
                }
            };
            let records = records.get_mut(..held + count).unwrap_or_default();
            let plain = self.open(records, plain, &mut space.outgoing);
            (plain, count < asked)
        })
    }

    /// Opens records; what is no whole record is kept, what they are answered with is sent later.
    fn open(&mut self, records: &mut [u8], plain: &mut [u8], made: &mut Vec<u8>) -> usize {
        made.clear();
        let outcome = self.channel.receive(records, plain, made);
        self.outgoing.push(made);
        match outcome {
            Ok(received) => {
                let rest = records.get(received.used..).unwrap_or_default();
                self.incoming.clear();
                self.incoming.extend_from_slice(rest);
                if rest.is_empty() {
                    self.incoming = Vec::new();
                }
                received.plain
            }
            Err(failure) => {
                self.failure = Some(failure);
                0
            }
        }
    }

    /// Sends data. All of it is taken but for what is left when the socket takes no more.
    pub(crate) fn send(&mut self, socket: &OwnedFd, data: &[u8]) -> Moved {
        match self.flush(socket) {
            Moved::Bytes(_) => {}
            other => return other,
        }
        if self.sends_early && !self.channel.is_open() {
            return self.send_early(socket, data);
        }
        SPACE.with_borrow_mut(|space| {
            let mut taken = 0;
            for portion in data.chunks(PORTION) {
                space.outgoing.clear();
                if self.channel.send(portion, &mut space.outgoing).is_err() {
                    return Moved::Broken(Errno::PROTO);
                }
                if let Some(error) = self.push(socket, &space.outgoing) {
                    return Moved::Broken(error);
                }
                taken += portion.len();
                if self.holds_sealed() {
                    break;
                }
            }
            Moved::Bytes(taken)
        })
    }

    /// Sends data early; what is too much for that waits for the end of the handshake.
    fn send_early(&mut self, socket: &OwnedFd, data: &[u8]) -> Moved {
        SPACE.with_borrow_mut(|space| {
            space.outgoing.clear();
            let Ok(taken) = self.channel.send_early(data, &mut space.outgoing) else {
                return Moved::Broken(Errno::PROTO);
            };
            if let Some(error) = self.push(socket, &space.outgoing) {
                return Moved::Broken(error);
            }
            self.sent_early |= taken > 0;
            match taken {
                0 => Moved::Later,
                taken => Moved::Bytes(taken),
            }
        })
    }

    /// Sends pieces as one piece, so that they share a record.
    pub(crate) fn send_pieces(&mut self, socket: &OwnedFd, pieces: &[IoSlice<'_>]) -> Moved {
        let mut joined = SPACE.with_borrow_mut(|space| std::mem::take(&mut space.joined));
        joined.clear();
        for piece in pieces {
            joined.extend_from_slice(piece);
        }
        let moved = self.send(socket, &joined);
        SPACE.with_borrow_mut(|space| space.joined = joined);
        moved
    }

    /// Sends ciphertext; what the socket does not take is kept.
    fn push(&mut self, socket: &OwnedFd, records: &[u8]) -> Option<Errno> {
        let sent = match send(socket, records, false) {
            Moved::Bytes(count) => count,
            Moved::Later | Moved::End => 0,
            Moved::Broken(error) => return Some(error),
        };
        self.outgoing.push(records.get(sent..).unwrap_or_default());
        None
    }

    /// Whether ciphertext waits for the socket.
    pub(crate) fn holds_sealed(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Sends ciphertext that waits: [`Moved::Bytes`] if none does any more.
    pub(crate) fn flush(&mut self, socket: &OwnedFd) -> Moved {
        while !self.outgoing.is_empty() {
            match send(socket, self.outgoing.as_slice(), false) {
                Moved::Bytes(count) => self.outgoing.consume(count),
                Moved::Later | Moved::End => return Moved::Later,
                Moved::Broken(error) => return Moved::Broken(error),
            }
        }
        Moved::Bytes(0)
    }

    /// Tells the peer that no more will be sent, within TLS.
    pub(crate) fn say_goodbye(&mut self, socket: &OwnedFd) {
        let speaks = self.channel.is_open() || self.channel.took_early();
        if self.failure.is_none() && speaks {
            self.channel.close(self.outgoing.bytes_mut());
        }
        // A peer that takes no more learns it by the socket's end.
        let _ = self.flush(socket);
    }
}
