//! A request on its way to a server: the HTTP/1.1 that its session writes becomes the head of a stream.

use isthmus_proto::http::{Body, Method};
use isthmus_proto::http1::{Progress, RequestHead, Rules};
use isthmus_proto::http2::{Connection, RequestLine};

use super::outbound::{Outbound, Unsendable};
use super::secrets::{Secrets, put};
use super::state::StreamState;
use crate::slab::Key;

/// Where requests of a connection are read, one after the other.
#[derive(Debug, Default)]
pub(super) struct Asking {
    text: Vec<u8>,
    head: RequestHead,
    /// Where the head ends.
    length: usize,
}

impl Asking {
    /// Reads a request's head; a session writes it at once.
    pub(super) fn read(&mut self, pieces: &[&[u8]]) -> Result<(), Unsendable> {
        self.text.clear();
        for piece in pieces {
            self.text.extend_from_slice(piece);
        }
        self.head.clear();
        match self.head.read(&mut self.text, &trusting()) {
            Ok(Progress::Complete(length)) => {
                self.length = length;
                Ok(())
            }
            _ => Err(Unsendable),
        }
    }

    /// Whether the stream is to become something else than an exchange, which a peer must be known
    /// to allow (RFC 8441, 3).
    pub(super) fn asks_tunnel(&self) -> bool {
        self.websocket().is_some()
    }

    /// Opens the stream.
    pub(super) fn send(
        &self,
        owner: Key,
        (https, secrets): (bool, Option<&Secrets>),
        codec: &mut Connection,
    ) -> Result<(u32, StreamState), Unsendable> {
        let (head, text) = (&self.head, self.text.as_slice());
        let target = head.target_span().of(text);
        let host = head.host_field().map(|span| span.of(text));
        let websocket = self.websocket();
        let line = RequestLine {
            method: match websocket {
                Some(_) => b"CONNECT",
                None => head.method_span().of(text),
            },
            scheme: if https { b"https" } else { b"http" },
            authority: head.target().authority(target).or(host).unwrap_or_default(),
            path: head.target().path_and_query(target),
            protocol: websocket.map(|_| &b"websocket"[..]),
        };
        let tunnel = websocket.is_some() || head.method() == Method::Connect;
        let body = head.body();
        let end = body == Body::None && !tunnel;
        let id = codec.send_request(&line, end, |sink| {
            for field in head.fields().as_slice() {
                let name = field.name.of(text);
                if websocket.is_none() || name != b"sec-websocket-key" {
                    put(secrets, sink, (name, field.value.of(text)));
                }
            }
        })?;
        let outbound = match tunnel {
            true => Outbound::tunnel(),
            false => Outbound::body(body, end, &trusting()),
        };
        let proof = websocket.map(crate::http::websocket::proof);
        Ok((id, StreamState::asking(owner, outbound, proof)))
    }

    /// What was written behind the head.
    pub(super) fn take_behind(&mut self) -> Vec<u8> {
        self.text.split_off(self.length.min(self.text.len()))
    }

    /// The key of the WebSocket that is asked for.
    fn websocket(&self) -> Option<&[u8]> {
        let (head, text) = (&self.head, self.text.as_slice());
        let mut asked = head.upgrade_protocols(text);
        if !head.asks_upgrade() || !asked.any(|name| name.eq_ignore_ascii_case(b"websocket")) {
            return None;
        }
        let mut fields = head.fields().as_slice().iter();
        let key = fields.find(|field| field.name.of(text) == b"sec-websocket-key")?;
        Some(key.value.of(text))
    }
}

/// What the session was let through is not judged a second time.
pub(super) fn trusting() -> Rules {
    Rules {
        head: u32::MAX,
        fields: u32::MAX,
        accept_unsafe: true,
        ..Rules::default()
    }
}
