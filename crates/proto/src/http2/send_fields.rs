//! Fields out: which may be sent, and how they are compressed.

use super::hpack::{Encoder, Indexing, OVERHEAD};
use super::send::RequestLine;
use crate::http::FieldName;

/// Indices in the static table (RFC 7541, appendix A).
mod index {
    pub const AUTHORITY: u8 = 1;
    pub const METHOD: u8 = 2;
    pub const PATH: u8 = 4;
    pub const SCHEME: u8 = 6;
    pub const STATUS: u8 = 8;
}

/// A cookie this short could be guessed by what it compresses to.
const SHORT_COOKIE: usize = 20;

/// What stands before a head's fields.
#[derive(Debug, Clone, Copy)]
pub(super) enum Line<'a> {
    Request(&'a RequestLine<'a>),
    Response(u16),
    None,
}

/// Takes the fields of a head that is sent. Fields that are about a connection of HTTP/1 are left
/// out (RFC 9113, 8.2.2), and so is Host where there is an authority.
#[derive(Debug)]
pub struct FieldSink<'a> {
    to: Option<(&'a mut Encoder, &'a mut Vec<u8>)>,
    size: u64,
    skips_host: bool,
}

impl<'a> FieldSink<'a> {
    /// One that only finds out the size.
    pub(super) fn counting() -> Self {
        Self {
            to: None,
            size: 0,
            skips_host: false,
        }
    }

    pub(super) fn writing(encoder: &'a mut Encoder, out: &'a mut Vec<u8>) -> Self {
        Self {
            to: Some((encoder, out)),
            size: 0,
            skips_host: false,
        }
    }

    /// Bytes as SETTINGS_MAX_HEADER_LIST_SIZE counts them.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a field. Upper case in its name becomes lower case.
    #[inline]
    pub fn field(&mut self, name: &[u8], value: &[u8]) {
        self.add(name, value, false);
    }

    /// Adds a field that no hop may put into a table (RFC 7541, 6.2.3).
    pub fn secret(&mut self, name: &[u8], value: &[u8]) {
        self.add(name, value, true);
    }

    #[inline]
    fn add(&mut self, name: &[u8], value: &[u8], secret: bool) {
        if name.iter().any(u8::is_ascii_uppercase) {
            return self.add(&name.to_ascii_lowercase(), value, secret);
        }
        let known = FieldName::of(name);
        let left_out = match known {
            FieldName::Host => self.skips_host,
            FieldName::Te => !value.eq_ignore_ascii_case(b"trailers"),
            known => known.is_hop_by_hop(),
        };
        if left_out {
            return;
        }
        self.size += (name.len() + value.len() + OVERHEAD) as u64;
        if let Some((encoder, out)) = &mut self.to {
            let how = match secret {
                true => Indexing::Never,
                false => indexing(known, name, value),
            };
            encoder.field(name, value, how, out);
        }
    }

    pub(super) fn line(&mut self, line: Line<'_>) {
        match line {
            Line::Request(line) => self.request(line),
            Line::Response(status) => self.response(status),
            Line::None => {}
        }
    }

    fn request(&mut self, line: &RequestLine<'_>) {
        match line.method {
            b"GET" => self.known(index::METHOD, line.method),
            b"POST" => self.known(index::METHOD + 1, line.method),
            method => self.named(index::METHOD, method, Indexing::Add),
        }
        if line.method != b"CONNECT" || line.protocol.is_some() {
            match line.scheme {
                b"https" => self.known(index::SCHEME + 1, line.scheme),
                b"http" => self.known(index::SCHEME, line.scheme),
                scheme => self.named(index::SCHEME, scheme, Indexing::Add),
            }
            match line.path {
                path if line.secret_path => self.named(index::PATH, path, Indexing::Never),
                b"/" => self.known(index::PATH, line.path),
                path => self.named(index::PATH, path, Indexing::Without),
            }
        }
        if !line.authority.is_empty() {
            self.skips_host = true;
            self.named(index::AUTHORITY, line.authority, Indexing::Add);
        }
        if let Some(protocol) = line.protocol {
            self.size += (b":protocol".len() + protocol.len() + OVERHEAD) as u64;
            if let Some((encoder, out)) = &mut self.to {
                encoder.field(b":protocol", protocol, Indexing::Add, out);
            }
        }
    }

    fn response(&mut self, status: u16) {
        let known = [200, 204, 206, 304, 400, 404, 500];
        let digit = |divisor: u16| b'0' + (status / divisor % 10) as u8;
        let text = [digit(100), digit(10), digit(1)];
        match (0..).zip(known).find(|(_, code)| *code == status) {
            Some((place, _)) => self.known(index::STATUS + place, &text),
            None => self.named(index::STATUS, &text, Indexing::Add),
        }
    }

    fn known(&mut self, index: u8, value: &[u8]) {
        // The name's length matters to a size that is a hint only: `:status` has the middle one.
        self.size += (b":status".len() + value.len() + OVERHEAD) as u64;
        if let Some((encoder, out)) = &mut self.to {
            encoder.known(index, out);
        }
    }

    fn named(&mut self, index: u8, value: &[u8], how: Indexing) {
        self.size += (b":authority".len() + value.len() + OVERHEAD) as u64;
        if let Some((encoder, out)) = &mut self.to {
            encoder.named(index, value, how, out);
        }
    }
}

/// Whether a field is marked as never to be indexed, whatever its sender says.
pub(super) fn is_secret(known: FieldName, name: &[u8], value: &[u8]) -> bool {
    indexing(known, name, value) == Indexing::Never
}

/// What is worth a place in the table: what the next message is likely to say again. Secrets are
/// never put there (RFC 7541, 7.1.3).
#[inline]
fn indexing(known: FieldName, name: &[u8], value: &[u8]) -> Indexing {
    match known {
        FieldName::Authorization | FieldName::ProxyAuthorization => Indexing::Never,
        FieldName::Cookie if value.len() < SHORT_COOKIE => Indexing::Never,
        FieldName::SetCookie => Indexing::Never,
        FieldName::ContentLength => Indexing::Without,
        FieldName::Other => match name {
            b"age" | b"etag" | b"if-none-match" | b"if-modified-since" | b"last-modified"
            | b"location" | b"content-range" | b"range" | b"expires" | b"x-request-id"
            | b"traceparent" | b"if-match" | b"if-range" | b"referer" => Indexing::Without,
            _ => Indexing::Add,
        },
        _ => Indexing::Add,
    }
}
