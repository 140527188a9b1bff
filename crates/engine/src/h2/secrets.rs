//! Fields that their sender wants in no hop's table (RFC 7541, 7.1.3). The HTTP/1.1 that sessions
//! read and write has no mark for that: the names go beside it, from one stream to the other.

use std::rc::Rc;

use isthmus_proto::http2::{FieldSink, Head};

use crate::session::Session;
use crate::transport::Transport;

/// Names of a head's fields that are to be sent on as they came, never to be indexed. Those that
/// always are so are not among them.
#[derive(Debug)]
pub(crate) struct Secrets(Vec<Box<[u8]>>);

impl Secrets {
    /// What a head marks; mostly nothing.
    pub(super) fn of(head: &Head) -> Option<Rc<Self>> {
        if !head.has_secrets() {
            return None;
        }
        let names: Vec<Box<[u8]>> = head.secrets().map(Box::from).collect();
        (!names.is_empty()).then(|| Rc::new(Self(names)))
    }

    fn has(&self, name: &[u8]) -> bool {
        self.0.iter().any(|own| name.eq_ignore_ascii_case(own))
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
