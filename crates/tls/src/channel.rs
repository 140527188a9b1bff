//! One connection's TLS: ciphertext in, plaintext out, and back. It touches no socket: whoever owns
//! one gives what arrived and sends what [`Channel`] made.

use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::EncryptError;
use rustls::{ClientConfig, CommonState, Error, ProtocolVersion, ServerConfig};

use crate::early::Early;
use crate::failure::{Reason, reason};
use crate::records::Records;
use crate::unbuffered::{Connection, Sink, Writer, advance};
use crate::watch::{Watch, Witnessed};

/// Plaintext of one record at most (RFC 8446, 5.1).
pub(crate) const FRAGMENT: usize = 16 * 1024;
/// What a record adds to its plaintext at most: header, content type, nonce and tag.
pub(crate) const OVERHEAD: usize = 5 + 1 + 8 + 16 + 64;

/// Why a connection cannot go on. What was made before, an alert above all, is still to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure(pub Error);

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

impl std::error::Error for Failure {}

/// What became of ciphertext that arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Bytes of ciphertext that are done with; the rest is no whole record yet.
    pub used: usize,
    /// Bytes of plaintext that were written into the space.
    pub plain: usize,
}

/// Which side of the connection this is.
pub(crate) enum Side {
    Server(Box<UnbufferedServerConnection>),
    Client(Box<UnbufferedClientConnection>),
}

/// The TLS state of one connection.
pub struct Channel {
    pub(crate) side: Side,
    /// Plaintext that found no room.
    plain: Vec<u8>,
    taken: usize,
    open: bool,
    closed: bool,
    pub(crate) early: Early,
    watch: Option<Box<Watch>>,
    /// Where records are smaller than they may be.
    records: Option<Records>,
}

impl Channel {
    /// The server's side of a connection.
    ///
    /// # Errors
    /// The configuration does not allow for one.
    pub fn server(config: Arc<ServerConfig>) -> Result<Self, Failure> {
        let connection = UnbufferedServerConnection::new(config).map_err(Failure)?;
        Ok(Self::new(Side::Server(Box::new(connection))))
    }

    /// The client's side of a connection to a server of this name.
    ///
    /// # Errors
    /// The configuration does not allow for one.
    pub fn client(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self, Failure> {
        let connection = UnbufferedClientConnection::new(config, name).map_err(Failure)?;
        Ok(Self::new(Side::Client(Box::new(connection))))
    }

    fn new(side: Side) -> Self {
        Self {
            side,
            plain: Vec::new(),
            taken: 0,
            open: false,
            closed: false,
            early: Early::default(),
            watch: None,
            records: None,
        }
    }

    /// Keeps what the handshake shows, secrets too if they are wanted.
    #[must_use]
    pub fn watched(mut self, secrets: bool) -> Self {
        self.watch = Some(Box::new(Watch::new(secrets)));
        self
    }

    /// Sends records with at most so many bytes of data, and with so many at the beginning, which is also
    /// behind everything that the peer sends; 0 is as many as TLS allows.
    #[must_use]
    pub fn with_records(mut self, most: usize, first: usize) -> Self {
        self.records = Some(Records::new(most, first));
        self
    }

    /// What was seen of the handshake, once; `None` where it is not watched.
    pub fn take_witnessed(&mut self) -> Option<Witnessed> {
        self.watch.take().map(|watch| watch.witnessed)
    }

    /// Whether the handshake is over and data may be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the peer said that it will send no more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether plaintext waits to be taken.
    #[must_use]
    pub fn holds_plain(&self) -> bool {
        self.taken < self.plain.len()
    }

    /// What was negotiated.
    #[must_use]
    pub fn state(&self) -> &CommonState {
        match &self.side {
            Side::Server(connection) => connection,
            Side::Client(connection) => connection,
        }
    }

    /// Why the channel failed, in OpenSSL's words.
    #[must_use]
    pub fn reason(&self, failure: &Failure) -> Reason {
        let version = self.state().protocol_version();
        reason(&failure.0, version == Some(ProtocolVersion::TLSv1_3))
    }

    /// Takes plaintext that found no room before.
    pub fn take_plain(&mut self, space: &mut [u8]) -> usize {
        let held = self.plain.get(self.taken..).unwrap_or_default();
        let count = held.len().min(space.len());
        if count == 0 {
            return 0;
        }
        if let (Some(to), Some(from)) = (space.get_mut(..count), held.get(..count)) {
            to.copy_from_slice(from);
        }
        self.taken += count;
        if self.taken == self.plain.len() {
            self.plain = Vec::new();
            self.taken = 0;
        }
        count
    }

    /// Reads ciphertext, which begins with what an earlier call left over. Plaintext goes into the
    /// space, and what finds no room there is kept for [`Channel::take_plain`]. What is to be sent
    /// is put behind `out`.
    ///
    /// # Errors
    /// The peer broke the protocol, or refused; `out` then holds the alert for it.
    pub fn receive(
        &mut self,
        records: &mut [u8],
        space: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Received, Failure> {
        let mut sink = Sink {
            space,
            filled: 0,
            rest: &mut self.plain,
        };
        let made = out.len();
        if let Some(watch) = &mut self.watch {
            watch.before(records);
        }
        let advanced = match &mut self.side {
            Side::Server(connection) => advance(connection.as_mut(), records, &mut sink, out),
            Side::Client(connection) => advance(connection.as_mut(), records, &mut sink, out),
        };
        let plain = sink.filled;
        if let Some(records) = self.records.as_mut().filter(|_| plain > 0) {
            records.begin();
        }
        if let Some(watch) = &mut self.watch {
            watch.after(out.get(made..).unwrap_or_default());
        }
        let advanced = advanced?;
        // A server may send before the client's last message came, but not to who knows whom.
        self.open |= advanced.open && !self.state().is_handshaking();
        self.closed |= advanced.closed;
        self.note_early(advanced.early, out.get(made..).unwrap_or_default());
        self.send_refused(out)?;
        Ok(Received {
            used: advanced.used,
            plain,
        })
    }

    /// Encrypts data and puts it behind `out`. Without an open channel nothing is done.
    ///
    /// # Errors
    /// The keys are used up.
    pub fn send(&mut self, mut data: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        while let Some(records) = &mut self.records {
            let most = records.next();
            let Some((record, rest)) = data.split_at_checked(most).filter(|_| data.len() > most)
            else {
                break;
            };
            self.seal(record, out)?;
            data = rest;
        }
        self.seal(data, out)
    }

    fn seal(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        let records = data.len().div_ceil(FRAGMENT).max(1);
        let most = data.len() + records * OVERHEAD;
        self.write(out, most, |writer, space| match writer {
            Writer::Server(traffic) => traffic.encrypt(data, space),
            Writer::Client(traffic) => traffic.encrypt(data, space),
        })
    }

    /// Puts the word that no more will be sent behind `out` (close_notify).
    pub fn close(&mut self, out: &mut Vec<u8>) {
        // A channel that cannot even say so is closed by its socket alone.
        let _ = self.write(out, OVERHEAD, |writer, space| match writer {
            Writer::Server(traffic) => traffic.queue_close_notify(space),
            Writer::Client(traffic) => traffic.queue_close_notify(space),
        });
    }

    fn write(
        &mut self,
        out: &mut Vec<u8>,
        most: usize,
        make: impl FnMut(Writer<'_, '_>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Result<(), Failure> {
        match &mut self.side {
            Side::Server(connection) => connection.as_mut().write(out, most, make),
            Side::Client(connection) => connection.as_mut().write(out, most, make),
        }
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Channel")
            .field("open", &self.open)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "channel_tests.rs"]
mod tests;
