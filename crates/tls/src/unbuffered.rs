//! rustls's interface without buffers, alike for both sides of a connection.

use rustls::Error;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, ReadEarlyData,
    TransmitTlsData, UnbufferedStatus,
};

use crate::channel::{FRAGMENT, Failure, OVERHEAD};

/// Where plaintext goes.
pub(crate) struct Sink<'s> {
    pub(crate) space: &'s mut [u8],
    pub(crate) filled: usize,
    pub(crate) rest: &'s mut Vec<u8>,
}

impl Sink<'_> {
    pub(crate) fn put(&mut self, payload: &[u8]) {
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
pub(crate) enum Writer<'w, 'c> {
    Server(&'w mut rustls::unbuffered::WriteTraffic<'c, ServerConnectionData>),
    Client(&'w mut rustls::unbuffered::WriteTraffic<'c, ClientConnectionData>),
}

/// What both sides of rustls' interface have in common.
pub(crate) trait Connection {
    /// What rustls knows of this side.
    type Data;

    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8])
    -> UnbufferedStatus<'c, 'i, Self::Data>;

    fn writer<'w, 'c>(
        traffic: &'w mut rustls::unbuffered::WriteTraffic<'c, Self::Data>,
    ) -> Writer<'w, 'c>;

    /// Takes early data; how many bytes of ciphertext are done with beside.
    fn read_early(
        _: ReadEarlyData<'_, '_, Self::Data>,
        _: &mut Sink<'_>,
    ) -> Result<usize, Failure> {
        Ok(0)
    }

    /// Whether records were made that nobody has taken yet.
    fn has_output(&self) -> bool;

    /// What was made is sent. True: early data may be sent behind it, so that it is not over.
    fn transmitted(data: TransmitTlsData<'_, Self::Data>) -> bool {
        data.done();
        false
    }

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

    fn has_output(&self) -> bool {
        self.wants_write()
    }

    fn writer<'w, 'c>(
        traffic: &'w mut rustls::unbuffered::WriteTraffic<'c, Self::Data>,
    ) -> Writer<'w, 'c> {
        Writer::Server(traffic)
    }

    fn read_early(
        mut data: ReadEarlyData<'_, '_, Self::Data>,
        sink: &mut Sink<'_>,
    ) -> Result<usize, Failure> {
        let mut discard = 0;
        while let Some(record) = data.next_record() {
            let record = record.map_err(Failure)?;
            discard += record.discard;
            sink.put(record.payload);
        }
        Ok(discard)
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

    fn has_output(&self) -> bool {
        self.wants_write()
    }

    fn writer<'w, 'c>(
        traffic: &'w mut rustls::unbuffered::WriteTraffic<'c, Self::Data>,
    ) -> Writer<'w, 'c> {
        Writer::Client(traffic)
    }

    fn transmitted(mut data: TransmitTlsData<'_, Self::Data>) -> bool {
        // Early data can be made only as long as this state is not left.
        let early = data.may_encrypt_early_data().is_some();
        if !early {
            data.done();
        }
        early
    }
}

/// How far a connection came.
#[derive(Default)]
pub(crate) struct Advanced {
    pub(crate) used: usize,
    pub(crate) open: bool,
    pub(crate) closed: bool,
    /// Early data came, or may be sent.
    pub(crate) early: bool,
}

/// Goes on as far as the records allow.
pub(crate) fn advance<C: Connection + ?Sized>(
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
            ConnectionState::TransmitTlsData(data) => {
                blocked = C::transmitted(data);
                advanced.early |= blocked;
            }
            ConnectionState::ReadEarlyData(data) => {
                discard += C::read_early(data, sink)?;
                advanced.early = true;
            }
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

/// Puts the alert that follows a failure behind `out`. Nothing more may be read then: further messages of the
/// record that failed would be looked for among bytes that are not given any more.
fn alert<C: Connection + ?Sized>(connection: &mut C, out: &mut Vec<u8>) {
    while connection.has_output() {
        let Ok(ConnectionState::EncodeTlsData(mut data)) = connection.process(&mut []).state else {
            return;
        };
        if fill(out, OVERHEAD, |space| data.encode(space).map_err(unfit)).is_err() {
            return;
        }
    }
}

/// Why bytes could not be put into a space.
pub(crate) enum Unfit {
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
pub(crate) fn fill(
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
