//! A head written as HTTP/1.1, for those who speak that beyond or judge what they read in it.

use super::head::{Head, Part};
use crate::http::FieldName;

/// What shows an HTTP/1 client that its WebSocket's key was seen.
const ACCEPT: &[u8] = b"sec-websocket-accept";

impl Head {
    /// Appends the head as HTTP/1.1, or trailers as its field lines. `end` says whether nothing
    /// follows: a body of unknown length is announced as chunked. What was judged as HTTP/2 reads
    /// as the same message there.
    ///
    /// Of extended CONNECT becomes a GET with Upgrade (RFC 8441, 5); a WebSocket's key is the
    /// caller's to add.
    pub fn write_http1(&self, end: bool, out: &mut Vec<u8>) {
        match self.part {
            Part::Request => self.request_line(out),
            Part::Response | Part::Interim => {
                out.extend_from_slice(b"HTTP/1.1 ");
                out.extend_from_slice(self.pseudo(super::head::Pseudo::Status).unwrap_or_default());
                out.extend_from_slice(b" \r\n");
            }
            Part::Trailers => {}
        }
        self.field_lines(b"", out);
        match self.protocol() {
            Some(protocol) => {
                line(b"connection", b"upgrade", out);
                line(b"upgrade", protocol, out);
            }
            None => self.framing(end, out),
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Appends a server's consent to extended CONNECT as the 101 that opens a WebSocket; `proof` is
    /// what shows that the key was seen (RFC 8441, 5).
    pub fn write_http1_websocket(&self, proof: &[u8], out: &mut Vec<u8>) {
        switching(b"websocket", out);
        line(ACCEPT, proof, out);
        // A server's own proof is about another connection's key.
        self.field_lines(ACCEPT, out);
        out.extend_from_slice(b"\r\n");
    }

    /// Appends it as the 101 that opens a tunnel of another protocol.
    pub fn write_http1_upgrade(&self, protocol: &[u8], out: &mut Vec<u8>) {
        switching(protocol, out);
        self.field_lines(b"", out);
        out.extend_from_slice(b"\r\n");
    }

    fn field_lines(&self, but: &[u8], out: &mut Vec<u8>) {
        let (authority, upgrade) = (self.authority(), self.protocol());
        for field in self.fields() {
            match field.known {
                FieldName::Host if authority.is_some() => continue,
                FieldName::Http2Settings => continue,
                FieldName::ContentLength if upgrade.is_some() => continue,
                _ => {}
            }
            let name = field.name.of(self.text());
            if name != but {
                line(name, field.value.of(self.text()), out);
            }
        }
    }

    /// Whether the body is written in chunks; `end` says that there is none.
    #[must_use]
    pub fn is_chunked(&self, end: bool) -> bool {
        let unknown = !end && self.content_length.is_none() && !self.bodiless;
        unknown
            && match self.part {
                Part::Request => self.method != crate::http::Method::Connect,
                Part::Response => !matches!(self.status, 204 | 304),
                Part::Interim | Part::Trailers => false,
            }
    }

    fn request_line(&self, out: &mut Vec<u8>) {
        match self.protocol() {
            Some(_) => out.extend_from_slice(b"GET"),
            None => out.extend_from_slice(self.method_text()),
        }
        out.push(b' ');
        let authority = self.authority();
        out.extend_from_slice(self.path().or(authority).unwrap_or_default());
        out.extend_from_slice(b" HTTP/1.1\r\n");
        if let Some(authority) = authority {
            line(b"host", authority, out);
        }
    }

    /// What HTTP/1 needs to find the body's end and HTTP/2 does not say in fields.
    fn framing(&self, end: bool, out: &mut Vec<u8>) {
        if self.is_chunked(end) {
            return line(b"transfer-encoding", b"chunked", out);
        }
        let empty = end && self.content_length.is_none() && !self.bodiless;
        if empty && self.part == Part::Response && !matches!(self.status, 204 | 304) {
            line(b"content-length", b"0", out);
        }
    }
}

fn switching(protocol: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 101 \r\n");
    line(b"connection", b"upgrade", out);
    line(b"upgrade", protocol, out);
}

fn line(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
