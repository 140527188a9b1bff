//! A flow: bytes on their way from one side of a session to the other, and how they are written.

use std::io::IoSlice;

use isthmus_sockets::{Moved, Pipe, drain_pipe};

use crate::pending::Pending;
use crate::transport::Transport;

/// What became of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pumped {
    /// It waits for an event, or is over.
    Idle,
    /// Its share of this turn is used up.
    More,
    /// The source is broken.
    SourceBroken,
    /// The destination is broken.
    DestinationBroken,
}

/// What became of bytes that were waiting to be written.
pub(crate) enum Flushed {
    Clean,
    Blocked,
    Broken,
}

/// Bytes on their way from one side to the other.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// Bytes read so far.
    pub(crate) bytes: u64,
    /// Read and not yet written.
    pub(crate) pending: Pending,
    /// Written, and waiting, encrypted, at the destination's transport.
    pub(crate) sealed: bool,
    /// In a pipe, not yet written.
    pub(crate) pipe: Option<Box<Pipe>>,
    /// The source may hold bytes: the edge was seen and the source not read empty.
    pub(crate) readable: bool,
    /// The destination takes bytes as far as is known.
    pub(crate) writable: bool,
    /// The poller said that the source will send no more than it has sent.
    pub(crate) closing: bool,
    /// The end of the source was read.
    pub(crate) ended: bool,
    /// The end was passed on.
    pub(crate) shut: bool,
    /// Something was written already, and Nagle's algorithm is off at the destination: the first
    /// write needs no such option, and many sessions have only one.
    pub(crate) written: bool,
    pub(crate) nodelay: bool,
    /// Urgent data was announced: a short read does not mean that nothing is left.
    pub(crate) urgent: bool,
    /// Full reads in a row: this flow is a bulk transfer.
    pub(crate) bulk: u8,
}

impl Flow {
    /// Nothing read waits to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.pending.is_empty()
            && !self.sealed
            && self.pipe.as_ref().is_none_or(|pipe| pipe.held() == 0)
    }
}

impl Flow {
    /// Writes bytes; what can't be written now is kept.
    pub(crate) fn write(&mut self, destination: &mut Transport, bytes: &[u8]) -> Pumped {
        self.before_write(destination);
        let sent = match destination.send(bytes) {
            Moved::Bytes(count) => count,
            Moved::Later | Moved::End => 0,
            Moved::Broken(_) => return Pumped::DestinationBroken,
        };
        if let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            self.writable = false;
            self.pending.push(rest);
        }
        self.note_sealed(destination);
        Pumped::Idle
    }

    /// Takes note of bytes that the destination's transport could not send on.
    fn note_sealed(&mut self, destination: &Transport) {
        self.sealed = destination.holds_sealed();
        self.writable &= !self.sealed;
    }

    /// Nagle's algorithm would hold a second small write back until the first is acknowledged.
    fn before_write(&mut self, destination: &Transport) {
        if self.written && !self.nodelay {
            isthmus_sockets::set_nodelay(destination);
            self.nodelay = true;
        }
        self.written = true;
    }

    /// Writes pieces behind what waits; what can't be written now is kept.
    pub(crate) fn write_pieces(
        &mut self,
        destination: &mut Transport,
        pieces: &[IoSlice<'_>],
    ) -> Pumped {
        let mut sent = 0;
        // What waits already is written first, by a flush: nothing says that there is no room.
        let first = self.is_flushed();
        if first && self.writable && pieces.iter().any(|piece| !piece.is_empty()) {
            self.before_write(destination);
            let moved = match pieces {
                [one] => destination.send(one),
                several => destination.send_pieces(several),
            };
            match moved {
                Moved::Bytes(count) => sent = count,
                Moved::Later | Moved::End => self.writable = false,
                Moved::Broken(_) => return Pumped::DestinationBroken,
            }
        }
        self.note_sealed(destination);
        for piece in pieces {
            let rest = piece.get(sent.min(piece.len())..).unwrap_or_default();
            sent -= sent.min(piece.len());
            if !rest.is_empty() {
                self.writable &= !first;
                self.pending.push(rest);
            }
        }
        Pumped::Idle
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self, destination: &mut Transport) -> Flushed {
        while !self.is_flushed() {
            if !self.writable {
                return Flushed::Blocked;
            }
            self.before_write(destination);
            let moved = if self.sealed {
                match destination.flush() {
                    Moved::Bytes(_) => {
                        self.sealed = false;
                        continue;
                    }
                    other => other,
                }
            } else if self.pending.is_empty() {
                let Some(pipe) = self.pipe.as_deref_mut() else {
                    return Flushed::Clean;
                };
                drain_pipe(pipe, &*destination, false)
            } else {
                destination.send(self.pending.as_slice())
            };
            match moved {
                Moved::Bytes(count) if !self.pending.is_empty() => {
                    self.pending.consume(count);
                    self.note_sealed(destination);
                }
                Moved::Bytes(_) => {}
                Moved::Later | Moved::End => self.writable = false,
                Moved::Broken(_) => return Flushed::Broken,
            }
        }
        Flushed::Clean
    }
}
