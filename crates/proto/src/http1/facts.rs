//! What a head's fields say about framing and the connection, gathered once when it is whole.

use super::error::{Error, ErrorKind};
use super::fields::{Field, Fields};
use super::rules::Rules;
use crate::http::{FieldName, Version, elements};

/// Whether a connection may serve another message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Persistence {
    /// It may.
    #[default]
    KeepAlive,
    /// It is closed behind this message.
    Close,
}

/// The sum of the fields that the proxy itself heeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Facts {
    pub length: Option<u64>,
    pub chunked: bool,
    pub close: bool,
    pub keep_alive: bool,
    /// Connection lists `upgrade`.
    pub upgrade_option: bool,
    /// Upgrade names a protocol other than `h2c`.
    pub upgrade_protocol: bool,
    pub websocket: bool,
    pub websocket_key: bool,
    pub expect_continue: bool,
    /// Which field is Host.
    pub host: Option<u32>,
    /// Bits of [`bit`]: which meanings occur, so that a head without any is forwarded as it is.
    pub seen: u32,
    coding: Coding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Coding {
    present: bool,
    others: bool,
}

/// The place of a meaning in [`Facts::seen`].
pub(super) fn bit(name: FieldName) -> u32 {
    1 << (name as u32)
}

impl Facts {
    /// Reads them, and refuses what leaves the body's end in doubt.
    #[inline]
    pub(super) fn gather(
        fields: &Fields,
        buf: &[u8],
        version: Version,
        rules: &Rules,
    ) -> Result<Self, Error> {
        let mut facts = Self::default();
        for (index, field) in fields.list.iter().enumerate() {
            if field.known != FieldName::Other {
                facts.seen |= bit(field.known);
                facts.note(index, field, buf, rules)?;
            }
        }
        if facts.coding.present {
            facts.settle_coding(fields, version, rules)?;
        }
        Ok(facts)
    }

    fn note(
        &mut self,
        index: usize,
        field: &Field,
        buf: &[u8],
        rules: &Rules,
    ) -> Result<(), Error> {
        let value = field.value.of(buf);
        let at = field.name.start as usize;
        match field.known {
            FieldName::Host if self.host.is_some() => return Err(ErrorKind::ManyHosts.at(at)),
            FieldName::Host => self.host = Some(index as u32),
            FieldName::ContentLength => self.content_length(value, at, rules)?,
            FieldName::TransferEncoding => self.transfer_encoding(value, at)?,
            FieldName::Connection => self.connection(value),
            FieldName::Upgrade => self.upgrade(value),
            FieldName::SecWebSocketKey => self.websocket_key = true,
            FieldName::Expect => {
                self.expect_continue |= value.eq_ignore_ascii_case(b"100-continue");
            }
            _ => {}
        }
        Ok(())
    }

    fn content_length(&mut self, value: &[u8], at: usize, rules: &Rules) -> Result<(), Error> {
        let length = decimal(value).ok_or(ErrorKind::BadLength.at(at))?;
        let repeats = self.length.is_some();
        if repeats && !(rules.accept_unsafe && self.length == Some(length)) {
            return Err(ErrorKind::ManyLengths.at(at));
        }
        self.length = Some(length);
        Ok(())
    }

    fn transfer_encoding(&mut self, value: &[u8], at: usize) -> Result<(), Error> {
        self.coding.present = true;
        for coding in elements(value) {
            // Nothing may stand behind chunked, and empty elements are read differently by
            // different recipients.
            if self.chunked || coding.is_empty() || coding.eq_ignore_ascii_case(b"identity") {
                return Err(ErrorKind::BadCoding.at(at));
            }
            if coding.eq_ignore_ascii_case(b"chunked") {
                self.chunked = true;
            } else {
                self.coding.others = true;
            }
        }
        Ok(())
    }

    fn settle_coding(
        &mut self,
        fields: &Fields,
        version: Version,
        rules: &Rules,
    ) -> Result<(), Error> {
        let at = fields
            .known(FieldName::TransferEncoding)
            .map_or(0, |field| field.name.start as usize);
        if !self.chunked {
            return Err(ErrorKind::BadCoding.at(at));
        }
        if self.coding.others {
            return Err(ErrorKind::UnknownCoding.at(at));
        }
        if !version.is_11() {
            return Err(ErrorKind::CodingIn10.at(at));
        }
        if self.length.is_some() {
            if !rules.accept_unsafe {
                return Err(ErrorKind::LengthAndCoding.at(at));
            }
            // RFC 9112, 6.1: the coding holds, and the connection is not to be trusted further.
            self.length = None;
            self.close = true;
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for option in elements(value) {
            match option.len() {
                5 => self.close |= option.eq_ignore_ascii_case(b"close"),
                7 => self.upgrade_option |= option.eq_ignore_ascii_case(b"upgrade"),
                10 => self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive"),
                _ => {}
            }
        }
    }

    fn upgrade(&mut self, value: &[u8]) {
        for protocol in elements(value) {
            if !protocol.is_empty() && !is_h2c(protocol) {
                self.upgrade_protocol = true;
                self.websocket |= protocol.eq_ignore_ascii_case(b"websocket");
            }
        }
    }

    /// Whether the sender wants the connection to serve more messages (RFC 9112, 9.3).
    pub(super) fn persistence(&self, version: Version) -> Persistence {
        if self.close || !(version.is_11() || self.keep_alive) {
            Persistence::Close
        } else {
            Persistence::KeepAlive
        }
    }
}

/// HTTP/2 without TLS by way of Upgrade: a proxy that passed it on would lose sight of what
/// follows, so it is never a real upgrade (RFC 9113 has dropped it too).
pub(super) fn is_h2c(protocol: &[u8]) -> bool {
    protocol.eq_ignore_ascii_case(b"h2c")
}

/// A number of decimal digits alone, below 2^63 as in HAProxy.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut number = 0_u64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    i64::try_from(number).is_ok().then_some(number)
}
