//! A request on its way to a server: the HTTP/1.1 that its session writes becomes the head of a stream.

use isthmus_proto::http::{Body, Method};
use isthmus_proto::http1::{Progress, RequestHead, Rules};
use isthmus_proto::http2::{Connection, RequestLine};

use super::outbound::{Outbound, Unsendable};
use super::secrets::{Secrets, put};
use super::state::{Opening, StreamState};
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
        self.protocol().is_some()
    }

    /// Opens the stream. Where the server allows no tunnel by another protocol, a request that came by HTTP/1
    /// is sent as one that asks for none, as who is asked may pass over Upgrade (RFC 9110, 7.8).
    pub(super) fn send(
        &self,
        owner: Key,
        (https, secrets): (bool, Option<&Secrets>),
        codec: &mut Connection,
    ) -> Result<(u32, StreamState), Unsendable> {
        let protocol = self.protocol();
        let must = self.websocket().is_some() || secrets.is_some_and(|secrets| secrets.tunnel);
        if must && protocol.is_none() {
            // Rules took Upgrade away, and the client would take any success for its tunnel.
            return Err(Unsendable);
        }
        let protocol =
            protocol.filter(|_| must || codec.allows_tunnels() || codec.awaits_acknowledgement());
        self.send_as(protocol, owner, (https, secrets), codec)
    }

    fn send_as(
        &self,
        protocol: Option<&[u8]>,
        owner: Key,
        (https, secrets): (bool, Option<&Secrets>),
        codec: &mut Connection,
    ) -> Result<(u32, StreamState), Unsendable> {
        let (head, text) = (&self.head, self.text.as_slice());
        let target = head.target_span().of(text);
        let host = head.host_field().map(|span| span.of(text));
        let websocket = self.websocket();
        let line = RequestLine {
            method: match protocol {
                Some(_) => b"CONNECT",
                None => head.method_span().of(text),
            },
            scheme: if https { b"https" } else { b"http" },
            authority: head.target().authority(target).or(host).unwrap_or_default(),
            path: head.target().path_and_query(target),
            protocol,
            secret_path: secrets.is_some_and(|secrets| secrets.path),
        };
        let tunnel = protocol.is_some() || head.method() == Method::Connect;
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
        let opening = match (websocket, protocol) {
            (Some(key), _) => Some(Opening::WebSocket(crate::http::websocket::proof(key))),
            (None, Some(protocol)) => Some(Opening::Other(protocol.to_vec())),
            (None, None) => None,
        };
        Ok((id, StreamState::asking(owner, outbound, opening)))
    }

    /// What was written behind the head.
    pub(super) fn take_behind(&mut self) -> Vec<u8> {
        self.text.split_off(self.length.min(self.text.len()))
    }

    /// The protocol of the tunnel that is asked for. `h2c` and TLS are spoken on connections, not on streams
    /// (RFC 9113, 8.6); a body leaves no room for another protocol.
    fn protocol(&self) -> Option<&[u8]> {
        let (head, text) = (&self.head, self.text.as_slice());
        if self.websocket().is_some() {
            return Some(b"websocket");
        }
        if !head.asks_upgrade() || head.method() != Method::Get || head.body() != Body::None {
            return None;
        }
        let of_connections = |name: &[u8]| {
            let tls = name
                .get(..4)
                .is_some_and(|start| start.eq_ignore_ascii_case(b"tls/"));
            tls || name.eq_ignore_ascii_case(b"h2c") || name.eq_ignore_ascii_case(b"websocket")
        };
        head.upgrade_protocols(text)
            .find(|name| !of_connections(name))
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
