//! What a head says that HTTP/1.1 has no word for, which sessions read and write: which fields their sender
//! wants in no hop's table (RFC 7541, 7.1.3), and that nothing but a tunnel will do (RFC 8441). It goes beside
//! the text, from one stream to the other.

use std::rc::Rc;

use isthmus_proto::http2::{FieldSink, Head};

use crate::session::Session;
use crate::transport::Transport;

/// What goes beside a head.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// Names of fields that are to be sent on as they came, never to be indexed. Those that always are so are
    /// not among them.
    names: Vec<Box<[u8]>>,
    /// The path is one, too.
    pub(super) path: bool,
    /// The client asked by extended CONNECT: it takes every success for a tunnel.
    pub(super) tunnel: bool,
}

impl Secrets {
    /// What a head marks; mostly nothing.
    pub(super) fn of(head: &Head) -> Option<Rc<Self>> {
        let (path, tunnel) = (head.has_secret_path(), head.protocol().is_some());
        if !head.has_secrets() && !tunnel {
            return None;
        }
        let names: Vec<Box<[u8]>> = head.secrets().map(Box::from).collect();
        let any = path || tunnel || !names.is_empty();
        any.then(|| {
            Rc::new(Self {
                names,
                path,
                tunnel,
            })
        })
    }

    fn has(&self, name: &[u8]) -> bool {
        self.names.iter().any(|own| name.eq_ignore_ascii_case(own))
    }
}

/// Gives a field to the encoder, marked if it is one of the secrets.
#[inline]
pub(super) fn put(
    secrets: Option<&Secrets>,
    sink: &mut FieldSink<'_>,
    (name, value): (&[u8], &[u8]),
) {
    match secrets {
        Some(secrets) if secrets.has(name) => sink.secret(name, value),
        _ => sink.field(name, value),
    }
}

impl Session {
    /// Tells the server's stream which fields of the client's are secrets.
    pub(crate) fn conceal_request(&mut self) {
        if let (Some(secrets), Some(server)) = (self.client.secrets(), &mut self.server) {
            server.conceal(secrets);
        }
    }

    /// Tells the client's stream which fields of the server's are.
    pub(crate) fn conceal_response(&mut self) {
        if let Some(secrets) = self.server.as_ref().and_then(Transport::secrets) {
            self.client.conceal(secrets);
        }
    }
}
