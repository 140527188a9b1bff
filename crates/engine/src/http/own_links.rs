//! Connections to servers that belong to one client: with `http-reuse never`, where a server is
//! told of the client (PROXY headers, `usesrc`) or is where the client wanted to go, and those over
//! which a client has authenticated itself. They wait for the next request of their own session,
//! serve nobody else, and end with it.

use std::net::SocketAddr;
use std::rc::Rc;

use isthmus_plan::ServerAddress;
use isthmus_plan::http::Reuse;

use super::link::{Link, place};
use crate::destination::target;
use crate::generation::HashKey;
use crate::local::{LocalBackend, LocalServer};
use crate::session::Session;
use crate::slab::Key;
use crate::view::View;
use crate::worker::Worker;

/// So many of them wait with a session, as in HAProxy; without a limit a client could hold a
/// connection to each server.
const MOST: usize = 5;

/// What of a connection says something of the client that it was made for. A connection serves
/// another request of its session only if all of it would be the same: rules may change it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Personal {
    target: Option<SocketAddr>,
    source: Option<SocketAddr>,
    header: Vec<u8>,
}

impl Worker {
    /// What a connection to a server would say of this session; `None` if nothing.
    pub(super) fn personal(
        &self,
        session: &Session,
        server: &LocalServer,
    ) -> Option<Box<Personal>> {
        let shared = &server.shared;
        if shared.serves_anybody() {
            return None;
        }
        let target = match &shared.plan.address {
            ServerAddress::Inet { ip, port } => target(session, *ip, *port),
            ServerAddress::Local { .. } | ServerAddress::Unresolved { .. } => None,
        };
        let source = match target {
            Some(target) if shared.source_depends_on_client() => {
                self.client_source(session, shared, target).source.local
            }
            _ => None,
        };
        let mut header = Vec::new();
        if let Some(maker) = &shared.header {
            maker.write(&View::new(session, &self.turn), &mut header);
        }
        Some(Box::new(Personal {
            target,
            source,
            header,
        }))
    }

    /// Takes one of the session's own connections that its request may go over.
    pub(super) fn take_own(
        &mut self,
        session: &Session,
        server: &Rc<LocalServer>,
    ) -> Option<(Key, Box<Link>)> {
        let own = &session.notes.get()?.own_links;
        let mut keys = own.take();
        if keys.is_empty() {
            return None;
        }
        let namespace = session.server_namespace();
        let personal = self.personal(session, server);
        let name = session.server_name();
        let mut found = None;
        keys.retain(|key| {
            if found.is_some() {
                return true;
            }
            let Some(mut link) = self.links.take(*key) else {
                return false;
            };
            let same = Rc::ptr_eq(&link.server, server)
                && link.personal == personal
                && link.name == name
                && place(link.namespace.as_ref()) == place(namespace.as_ref());
            let sound = match &link.sharing {
                Some(sharing) => sharing.shared.can_open(),
                None => !self.has_event(*key) || link.is_quiet(),
            };
            if same && link.is_fresh() && sound {
                found = Some((*key, link));
                return false;
            }
            if same {
                self.links.release(*key);
                return false;
            }
            self.links.put(*key, link);
            true
        });
        own.replace(keys);
        found
    }

    /// Keeps a connection for the session's next request; one that it replaces is closed.
    pub(super) fn keep_own(&mut self, session: &Session, key: Key, link: Box<Link>) {
        let own = &session.notes().own_links;
        let mut keys = own.take();
        keys.retain(|other| {
            let Some(held) = self.links.get(*other) else {
                return false;
            };
            let same = Rc::ptr_eq(&held.server, &link.server);
            if same {
                self.close_link(*other);
            }
            !same
        });
        let room = keys.len() < MOST;
        self.links.put(key, link);
        match room {
            true => keys.push(key),
            false => self.close_link(key),
        }
        own.replace(keys);
    }

    /// Closes what waits with a session that is over.
    pub(super) fn close_own(&mut self, session: &Session) {
        let Some(notes) = session.notes.get() else {
            return;
        };
        for key in notes.own_links.take() {
            self.close_link(key);
        }
    }

    /// A 401 or 407 of a scheme that authenticates connections: from now on this one is the
    /// client's own, and its next request goes to the same server.
    pub(super) fn heed_challenge(&mut self, session: &Session) {
        let Some(stream) = session.http.as_deref() else {
            return;
        };
        if !matches!(stream.server_status, 401 | 407) {
            return;
        }
        let bytes = stream.response.buffer.bytes();
        let mut fields = stream.response.head.fields().as_slice().iter();
        let ties = fields.any(|field| {
            let name = field.name.of(bytes);
            let asks = matches!(name, b"www-authenticate" | b"proxy-authenticate");
            asks && ties_connection(field.value.of(bytes))
        });
        let Some(key) = session.link.filter(|_| ties) else {
            return;
        };
        if let Some(mut link) = self.links.take(key) {
            link.own = true;
            session.notes().prefers_last.set(true);
            self.links.put(key, link);
        }
    }

    /// The server that a session's last request went to, if its connection waits here and the
    /// next one would rather go there, too (`option prefer-last-server`).
    pub(crate) fn last_server(&self, session: &Session, backend: &LocalBackend) -> Option<usize> {
        let notes = session.notes.get()?;
        let http = backend.shared.plan.http.as_ref()?;
        let wanted = http.prefer_last_server || notes.prefers_last.get();
        if !wanted || session.retries > 0 || !matches!(backend.shared.hash_key, HashKey::Nothing) {
            return None;
        }
        let keys = notes.own_links.borrow();
        let mut latest = keys.iter().rev();
        // Who was challenged comes back however many wait (manual, `max-keep-alive-queue`).
        let limit = http
            .max_keep_alive_queue
            .filter(|_| !notes.prefers_last.get());
        latest.find_map(|key| {
            let link = self.links.get(*key)?;
            let mut servers = backend.servers.iter();
            let at = servers.position(|server| Rc::ptr_eq(server, &link.server))?;
            let balanced = &link.server.shared.state.balanced;
            let crowded = limit.is_some_and(|most| {
                let full = !backend.shared.balancer.has_room(at, self.turn.now);
                full && balanced.queued() >= most
            });
            (balanced.usable() && !crowded).then_some(at)
        })
    }
}

impl Session {
    /// Whether its connections to this backend's servers serve nobody else.
    pub(super) fn keeps_to_itself(&self) -> bool {
        self.reuse() == Reuse::Never
    }
}

/// Whether a challenge's scheme authenticates the connection, not the request (RFC 4559; NTLM).
fn ties_connection(challenge: &[u8]) -> bool {
    let scheme = challenge
        .split(|byte| matches!(byte, b' ' | b','))
        .next()
        .unwrap_or_default();
    scheme.eq_ignore_ascii_case(b"Negotiate") || scheme.eq_ignore_ascii_case(b"NTLM")
}
