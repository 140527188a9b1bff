//! One connection's TLS: ciphertext in, plaintext out, and back. It touches no socket: whoever owns
//! one gives what arrived and sends what [`Channel`] made.

use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{ClientConfig, CommonState, Error, ServerConfig};

/// Plaintext of one record at most (RFC 8446, 5.1).
const FRAGMENT: usize = 16 * 1024;
/// What a record adds to its plaintext at most: header, content type, nonce and tag.
const OVERHEAD: usize = 5 + 1 + 8 + 16 + 64;

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
enum Side {
    Server(Box<UnbufferedServerConnection>),
    Client(Box<UnbufferedClientConnection>),
}

/// The TLS state of one connection.
pub struct Channel {
    side: Side,
    /// Plaintext that found no room.
    plain: Vec<u8>,
    taken: usize,
    open: bool,
    closed: bool,
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
        }
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
        let advanced = match &mut self.side {
            Side::Server(connection) => advance(connection.as_mut(), records, &mut sink, out),
            Side::Client(connection) => advance(connection.as_mut(), records, &mut sink, out),
        };
        let plain = sink.filled;
        let advanced = advanced?;
        self.open |= advanced.open;
        self.closed |= advanced.closed;
        Ok(Received {
            used: advanced.used,
            plain,
        })
    }

    /// Encrypts data and puts it behind `out`. Without an open channel nothing is done.
    ///
    /// # Errors
    /// The keys are used up.
    pub fn send(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
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

/// Where plaintext goes.
struct Sink<'s> {
    space: &'s mut [u8],
    filled: usize,
    rest: &'s mut Vec<u8>,
}

impl Sink<'_> {
    fn put(&mut self, payload: &[u8]) {
        let room = self.space.get_mut(self.filled..).unwrap_or_default();
        // Behind bytes that found no room there is none either.
        let count = match self.rest.is_empty() {
            true => payload.len().min(room.len()),
            false => 0,
        };
        if let (Some(to), Some(from)) = (room.get_mut(..count), payload.get(..count)) {
            to.copy_from_slice(from);
        }
        self.filled += count;
        self.rest
            .extend_from_slice(payload.get(count..).unwrap_or_default());
    }
}

/// The two kinds of leave to send data.
enum Writer<'w, 'c> {
    Server(&'w mut rustls::unbuffered::WriteTraffic<'c, ServerConnectionData>),
    Client(&'w mut rustls::unbuffered::WriteTraffic<'c, ClientConnectionData>),
}

/// What both sides of rustls' interface have in common.
trait Connection {
    /// What rustls knows of this side.
    type Data;

    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8])
    -> UnbufferedStatus<'c, 'i, Self::Data>;

    fn writer<'w, 'c>(
        traffic: &'w mut rustls::unbuffered::WriteTraffic<'c, Self::Data>,
    ) -> Writer<'w, 'c>;

    /// Writes where the connection may send data now.
    fn write(
        &mut self,
        out: &mut Vec<u8>,
        most: usize,
        mut make: impl FnMut(Writer<'_, '_>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Result<(), Failure> {
        loop {
            match self.process(&mut []).state.map_err(Failure)? {
                ConnectionState::WriteTraffic(mut traffic) => {
                    return fill(out, most, |space| {
                        make(Self::writer(&mut traffic), space).map_err(|error| match error {
                            EncryptError::InsufficientSize(size) => Unfit::Small(size),
                            EncryptError::EncryptExhausted => Unfit::Exhausted,
                        })
                    });
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    fill(out, FRAGMENT, |space| data.encode(space).map_err(unfit))?;
                }
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::PeerClosed => {}
                _ => return Ok(()),
            }
        }
    }
}

impl Connection for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        records: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(records)
    }

    fn writer<'w, 'c>(
        traffic: &'w mut rustls::unbuffered::WriteTraffic<'c, Self::Data>,
    ) -> Writer<'w, 'c> {
        Writer::Server(traffic)
    }
}

impl Connection for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        records: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(records)
    }

    fn writer<'w, 'c>(
        traffic: &'w mut rustls::unbuffered::WriteTraffic<'c, Self::Data>,
    ) -> Writer<'w, 'c> {
        Writer::Client(traffic)
    }
}

/// How far a connection came.
#[derive(Default)]
struct Advanced {
    used: usize,
    open: bool,
    closed: bool,
}

/// Goes on as far as the records allow.
fn advance<C: Connection + ?Sized>(
    connection: &mut C,
    records: &mut [u8],
    sink: &mut Sink<'_>,
    out: &mut Vec<u8>,
) -> Result<Advanced, Failure> {
    let mut advanced = Advanced::default();
    loop {
        let rest = records.get_mut(advanced.used..).unwrap_or_default();
        let UnbufferedStatus { mut discard, state } = connection.process(rest);
        let state = match state {
            Ok(state) => state,
            Err(error) => {
                alert(connection, out);
                return Err(Failure(error));
            }
        };
        let mut blocked = false;
        match state {
            ConnectionState::ReadTraffic(mut traffic) => {
                while let Some(record) = traffic.next_record() {
                    let record = record.map_err(Failure)?;
                    discard += record.discard;
                    sink.put(record.payload);
                }
            }
            ConnectionState::EncodeTlsData(mut data) => {
                fill(out, FRAGMENT / 4, |space| data.encode(space).map_err(unfit))?;
            }
            ConnectionState::TransmitTlsData(data) => data.done(),
            ConnectionState::PeerClosed => advanced.closed = true,
            ConnectionState::Closed => {
                advanced.closed = true;
                blocked = true;
            }
            ConnectionState::WriteTraffic(_) => {
                advanced.open = true;
                blocked = true;
            }
            _ => blocked = true,
        }
        advanced.used += discard;
        if blocked {
            return Ok(advanced);
        }
    }
}

/// Puts the alert that follows a failure behind `out`.
fn alert<C: Connection + ?Sized>(connection: &mut C, out: &mut Vec<u8>) {
    while let Ok(ConnectionState::EncodeTlsData(mut data)) = connection.process(&mut []).state {
        if fill(out, OVERHEAD, |space| data.encode(space).map_err(unfit)).is_err() {
            return;
        }
    }
}

/// Why bytes could not be put into a space.
enum Unfit {
    Small(InsufficientSizeError),
    Exhausted,
}

fn unfit(error: EncodeError) -> Unfit {
    match error {
        EncodeError::InsufficientSize(size) => Unfit::Small(size),
        EncodeError::AlreadyEncoded => Unfit::Exhausted,
    }
}

/// Lets bytes be written behind those that are there, with as much room as they need.
fn fill(
    out: &mut Vec<u8>,
    room: usize,
    mut make: impl FnMut(&mut [u8]) -> Result<usize, Unfit>,
) -> Result<(), Failure> {
    let before = out.len();
    let mut room = room;
    for _ in 0..2 {
        out.resize(before + room, 0);
        match make(out.get_mut(before..).unwrap_or_default()) {
            Ok(written) => {
                out.truncate(before + written);
                return Ok(());
            }
            Err(Unfit::Small(size)) => room = size.required_size,
            Err(Unfit::Exhausted) => break,
        }
    }
    out.truncate(before);
    Err(Failure(Error::EncryptError))
}

#[cfg(test)]
#[path = "channel_tests.rs"]
mod tests;
