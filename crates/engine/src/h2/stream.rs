//! An end of a session that is a stream, in place of a socket.

use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use isthmus_sockets::Moved;

use super::connection::Shared;
use super::outbound::Unsendable;
use super::secrets::Secrets;
use crate::slab::Key;

/// One stream of a connection. When it goes, what is not over yet is reset.
#[derive(Debug)]
pub(crate) struct Stream {
    shared: Rc<Shared>,
    /// 0 before it is opened.
    id: u32,
    /// The session that it is an end of.
    owner: Key,
    /// It could not be opened, and never will be.
    failed: bool,
    /// The fields that are to be in no table, of the request that opens it.
    conceals: Option<Rc<Secrets>>,
}

impl Stream {
    /// The stream of a client's request.
    pub(super) fn asked(shared: Rc<Shared>, id: u32, owner: Key) -> Self {
        Self {
            shared,
            id,
            owner,
            failed: false,
            conceals: None,
        }
    }

    /// One that a session's request will open.
    pub(super) fn to_open(shared: Rc<Shared>, owner: Key) -> Self {
        Self::asked(shared, 0, owner)
    }

    /// Whether the peer gave it up before it looked at it.
    pub(crate) fn was_refused(&self) -> bool {
        self.shared.was_refused(self.id)
    }

    /// The connection that it is a part of.
    pub(crate) fn connection(&self) -> &Rc<Shared> {
        &self.shared
    }

    /// Fields of the peer's head that are to be in no table.
    pub(crate) fn secrets(&self) -> Option<Rc<Secrets>> {
        self.shared.secrets(self.id)
    }

    /// Keeps fields of the head that is written next out of tables.
    pub(crate) fn conceal(&mut self, secrets: Rc<Secrets>) {
        match self.id {
            0 => self.conceals = Some(secrets),
            id => self.shared.conceal(id, secrets),
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// The connection's socket.
    pub(crate) fn socket(&self) -> &OwnedFd {
        &self.shared.socket
    }

    pub(crate) fn receive(&mut self, space: &mut [u8]) -> Moved {
        match self.id {
            0 if self.failed => Moved::Broken(isthmus_sockets::Errno::PIPE),
            0 => Moved::Later,
            id => self.shared.receive(id, space),
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Moved {
        self.write(&[bytes])
    }

    pub(crate) fn send_pieces(&mut self, pieces: &[IoSlice<'_>]) -> Moved {
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| &**piece).collect();
        self.write(&pieces)
    }

    fn write(&mut self, pieces: &[&[u8]]) -> Moved {
        if self.id > 0 {
            return self.shared.send(self.id, pieces);
        }
        let secrets = self.conceals.as_deref();
        match self.shared.open(self.owner, pieces, secrets) {
            Ok(Some(id)) => {
                self.id = id;
                Moved::Bytes(pieces.iter().map(|piece| piece.len()).sum())
            }
            Ok(None) => Moved::Later,
            Err(Unsendable) => {
                self.failed = true;
                Moved::Broken(isthmus_sockets::Errno::PIPE)
            }
        }
    }

    /// Whether what was sent waits for the peer to open its window.
    pub(crate) fn holds(&self) -> bool {
        self.shared.holds(self.id)
    }

    /// Whether bytes wait to be received.
    pub(crate) fn holds_bytes(&self) -> bool {
        self.shared.holds_inbound(self.id)
    }

    /// Whether nothing follows what waits.
    pub(crate) fn holds_end(&self) -> bool {
        self.shared.holds_end(self.id)
    }

    /// The session writes no more.
    pub(crate) fn finish(&mut self) {
        self.shared.finish(self.id);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.shared.leave(self.id);
    }
}
