//! A connection's transport, as whoever drives it reads and writes it.

use isthmus_sockets::Moved;

use crate::flow::Flow;
use crate::session::Session;
use crate::transport::Transport;

/// Bytes read of the socket at once.
const READ: usize = 32 * 1024;

/// The transport, and what is known of its two directions.
pub(super) struct Wire<'w> {
    pub(super) transport: &'w mut Transport,
    /// What comes in.
    pub(super) into: &'w mut Flow,
    /// What goes out.
    pub(super) out: &'w mut Flow,
    /// When a byte last moved.
    pub(super) active: &'w mut u64,
}

/// Whose connection it is.
pub(super) trait End {
    /// Its transport.
    fn wire(&mut self) -> Wire<'_>;

    /// The session, where it is a client's.
    fn client(&mut self) -> Option<&mut Session>;
}

impl Wire<'_> {
    /// Reads once, behind what was read before.
    pub(super) fn read(&mut self, incoming: &mut Vec<u8>, now: u64) -> Moved {
        let held = incoming.len();
        incoming.resize(held + READ, 0);
        let space = incoming.get_mut(held..).unwrap_or_default();
        let moved = self.transport.receive(space);
        let count = match moved {
            Moved::Bytes(count) => count,
            _ => 0,
        };
        incoming.truncate(held + count);
        if count < READ {
            self.into.readable = count > 0 && self.transport.holds_end();
            self.into.ended |= self.into.closing;
        }
        if count > 0 {
            self.into.bytes += count as u64;
            *self.active = now;
        }
        moved
    }

    /// Writes bytes as far as the transport takes them: how many. `None`: it is broken.
    pub(super) fn write(&mut self, bytes: &[u8], now: u64) -> Option<usize> {
        match self.transport.send(bytes) {
            Moved::Bytes(count) => {
                *self.active = now;
                self.out.sealed = self.transport.holds_sealed();
                self.out.writable = !self.out.sealed;
                Some(count)
            }
            Moved::Later | Moved::End => {
                self.out.writable = false;
                Some(0)
            }
            Moved::Broken(_) => None,
        }
    }
}
