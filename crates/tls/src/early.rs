//! Early data (0-RTT, RFC 8446 section 2.3): what a client sends with its first message, under a
//! session that goes on. Anybody who saw it can send it again, so whoever acts on it must know.

use rustls::Error;
use rustls::client::EarlyDataError;
use rustls::unbuffered::ConnectionState;

use crate::channel::{Channel, FRAGMENT, Failure, OVERHEAD, Side};
use crate::unbuffered::Connection;

/// What a record of TLS 1.3 adds to its plaintext: header, content type and tag (RFC 8446, 5.2).
const ADDED: usize = 5 + 1 + 16;
/// The record that ends early data: a handshake message without content.
const END: [u8; 5] = [23, 3, 3, 0, 4 + 1 + 16];

/// How a channel stands to early data.
#[derive(Debug, Default)]
pub(crate) enum Early {
    /// There is none, and none may be sent.
    #[default]
    None,
    /// The server took some.
    Taken,
    /// The client may send some; what it has sent is kept, as the server may refuse it.
    Sending {
        /// All of it.
        sent: Vec<u8>,
        /// The server took it.
        accepted: bool,
    },
}

impl Channel {
    /// Takes note of what an advance brought, and made.
    pub(crate) fn note_early(&mut self, early: bool, made: &[u8]) {
        match (&mut self.early, &self.side) {
            (Early::None, Side::Server(_)) if early => self.early = Early::Taken,
            (Early::None, Side::Client(_)) if early => {
                self.early = Early::Sending {
                    sent: Vec::new(),
                    accepted: false,
                };
            }
            // rustls does not tell, but its client ends what was accepted, and nothing else.
            (Early::Sending { accepted, .. }, _) => *accepted |= ends_early_data(made),
            _ => {}
        }
    }

    /// Sends what the server refused to take early, now that it may be sent.
    pub(crate) fn send_refused(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        if !self.is_open() || !matches!(self.early, Early::Sending { .. }) {
            return Ok(());
        }
        match std::mem::take(&mut self.early) {
            Early::Sending {
                sent,
                accepted: false,
            } if !sent.is_empty() => self.send(&sent, out),
            _ => Ok(()),
        }
    }

    /// Whether early data came, or may be sent, and the handshake is not over.
    #[must_use]
    pub fn is_early(&self) -> bool {
        !self.is_open() && !matches!(self.early, Early::None)
    }

    /// Whether early data came, even if the handshake is over by now.
    #[must_use]
    pub fn took_early(&self) -> bool {
        matches!(self.early, Early::Taken)
    }

    /// Encrypts as much of the data as may be sent early, and puts it behind `out`; how much that
    /// is. What the server does not take is sent again by itself once the handshake is over.
    ///
    /// # Errors
    /// The keys are used up.
    pub fn send_early(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<usize, Failure> {
        let (Side::Client(connection), Early::Sending { sent, .. }) =
            (&mut self.side, &mut self.early)
        else {
            return Ok(0);
        };
        let status = connection.as_mut().process(&mut []);
        let ConnectionState::TransmitTlsData(mut state) = status.state.map_err(Failure)? else {
            return Ok(0);
        };
        let Some(mut writer) = state.may_encrypt_early_data() else {
            return Ok(0);
        };
        // There must be room at once: a second try would find less of the allowance.
        let before = out.len();
        let most = data.len() + data.len().div_ceil(FRAGMENT).max(1) * OVERHEAD;
        out.resize(before + most, 0);
        let written = writer.encrypt(data, out.get_mut(before..).unwrap_or_default());
        let written = match written {
            Ok(written) => written,
            Err(EarlyDataError::ExceededAllowedEarlyData) => 0,
            Err(EarlyDataError::Encrypt(_)) => {
                out.truncate(before);
                return Err(Failure(Error::EncryptError));
            }
        };
        out.truncate(before + written);
        // How much was allowed shows in what was made alone.
        let taken = written - written.div_ceil(FRAGMENT + ADDED) * ADDED;
        sent.extend_from_slice(data.get(..taken).unwrap_or_default());
        Ok(taken)
    }
}

/// Whether one of some records is the one that ends early data.
fn ends_early_data(mut records: &[u8]) -> bool {
    while let Some((header, rest)) = records.split_first_chunk::<5>() {
        if *header == END {
            return true;
        }
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        records = rest.get(length..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
#[path = "early_tests.rs"]
mod tests;
