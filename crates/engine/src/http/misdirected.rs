//! Requests for a host that other clients' certificates are asked for than those of the name in
//! SNI: they are answered with 421 (RFC 9110, 15.5.20), since what the handshake proved of the
//! client was proved to somebody else. A bind line with one set of such rules never asks.

use isthmus_proto::http::{Authority, Method, Target};
use isthmus_proto::http1::{StartLine, View};
use isthmus_sample::Side;
use isthmus_tls::Acceptor;

use crate::session::Session;
use crate::worker::{Step, Worker};

impl Worker {
    /// Answers a request that came over the wrong connection; `None` for one that did not.
    pub(super) fn refuse_misdirected(&mut self, session: &mut Session) -> Option<Step> {
        if !session.is_misdirected() {
            return None;
        }
        self.count_denied(session);
        session.end(b'P', b'R');
        Some(self.answer_status(session, 421))
    }
}

impl Session {
    fn is_misdirected(&self) -> bool {
        let Some(acceptor) = &self.listener.shared.acceptor else {
            return false;
        };
        let acceptor = acceptor.load();
        !acceptor.is_uniform() && !self.may_ask(&acceptor)
    }

    /// Whether the request's host is one that the client may ask under its SNI.
    fn may_ask(&self, acceptor: &Acceptor) -> bool {
        let view = self
            .http
            .as_deref()
            .and_then(|stream| stream.request.view());
        let Some(host) = view.and_then(host) else {
            return true;
        };
        let facts = self.tls_facts(Side::Request);
        let greeting = facts.and_then(|facts| facts.greeting.as_ref());
        let sni = greeting.and_then(|greeting| greeting.server_name.as_deref());
        let sni = sni.and_then(|sni| std::str::from_utf8(sni).ok());
        std::str::from_utf8(host).is_ok_and(|host| acceptor.serves(sni, host))
    }
}

/// The host that a request is for, without its port and a dot at its end.
fn host(view: View<'_>) -> Option<&[u8]> {
    let (method, text) = (view.part(StartLine::Method), view.part(StartLine::Target));
    let target = Target::parse(text, Method::of(method));
    let named = target.and_then(|target| target.authority(text));
    let host = Authority::parse(named.or_else(|| field(view))?)?.host;
    let host = host.strip_suffix(b".").unwrap_or(host);
    (!host.is_empty()).then_some(host)
}

/// The value of Host.
fn field(view: View<'_>) -> Option<&[u8]> {
    let mut found = None;
    view.for_each_id(|_, name, value| {
        if name == b"host" {
            found = Some(value);
        }
        found.is_none()
    });
    found
}
