//! Requests that wait for the connection to a server of HTTP/2 that another one's session is
//! making: it will take them, too. Only where the server's line says so beforehand (`proto h2`);
//! on what TLS will agree is not known, and each request opens a connection then, as with HAProxy.

use isthmus_plan::http::{Reuse, ServerProtocol};

use crate::local::LocalServer;
use crate::session::{Phase, Session};
use crate::slab::Key;
use crate::worker::{Step, Worker};

impl Worker {
    /// Lets others wait for a session's new connection.
    pub(crate) fn offer_to_join(&mut self, session: &Session, server: &LocalServer) {
        let h2 = server.shared.plan.http.protocol == ServerProtocol::H2 && !session.asks_for_h1();
        let Some(key) = session.link.filter(|_| h2) else {
            return;
        };
        if let Some(mut link) = self.links.take(key) {
            link.making = !link.own && server.shared.serves_anybody();
            if link.making {
                server.idle.borrow_mut().making.push(key);
            }
            self.links.put(key, link);
        }
    }

    /// Has a session wait for a connection in the making that will take its request, if there is
    /// one.
    pub(crate) fn join(&mut self, session: &mut Session, server: &LocalServer) -> bool {
        if server.idle.borrow().making.is_empty() {
            return false;
        }
        let first = session.reuse() == Reuse::Aggressive && session.exchanges == 0;
        if first || !session.may_reuse() || session.asks_for_h1() {
            return false;
        }
        // Whoever makes it is one of them.
        let h2 = &session.frontend.generation.global.http.h2;
        let most = (h2.server_streams as usize).saturating_sub(1);
        let (namespace, name) = (session.server_namespace(), session.server_name());
        let making = server.idle.borrow().making.clone();
        let found = making.into_iter().find(|key| {
            self.links.get(*key).is_some_and(|link| {
                link.name.as_deref() == name.as_deref()
                    && link.serves(namespace.as_ref())
                    && link.is_fresh()
                    && link.waiters.len() < most
            })
        });
        let link = found.and_then(|key| Some((key, self.links.take(key)?)));
        let Some((key, mut link)) = link else {
            return false;
        };
        link.waiters.push(session.key);
        self.links.put(key, link);
        session.phase = Phase::Joining;
        true
    }

    /// Events of a session that waits so.
    pub(crate) fn joining(&mut self, session: &mut Session) -> Step {
        if session.client_gone() {
            return Step::Close;
        }
        if session.timed_out {
            return self.failed_connect(session);
        }
        if self.waits_to_join(session) {
            return Step::Wait;
        }
        // It stands, or it failed: the session takes it, or makes one of its own.
        session.phase = Phase::Depart;
        Step::Again
    }

    fn waits_to_join(&self, session: &Session) -> bool {
        let Some(chosen) = &session.chosen else {
            return false;
        };
        let making = &chosen.idle.borrow().making;
        let mut links = making.iter().filter_map(|key| self.links.get(*key));
        links.any(|link| link.waiters.contains(&session.key))
    }

    /// A connection stands, or never will: those who waited for it go on.
    pub(super) fn end_making(&mut self, key: Key) {
        let Some(mut link) = self.links.take(key) else {
            return;
        };
        if std::mem::take(&mut link.making) {
            let mut idle = link.server.idle.borrow_mut();
            idle.making.retain(|own| *own != key);
            self.busy.append(&mut link.waiters);
        }
        self.links.put(key, link);
    }
}
