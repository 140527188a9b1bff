//! Requests that wait for the connection to a server of HTTP/2 that another one's session is
//! making: it will take them, too. The server's line says so beforehand (`proto h2`), or TLS agreed
//! on it last time (`alpn`): if it agrees on something else now, those who waited make connections
//! of their own.

use std::rc::Rc;

use isthmus_plan::http::ServerProtocol;

use super::link::{Link, Manner, place};
use crate::local::LocalServer;
use crate::session::{Phase, Session};
use crate::slab::Key;
use crate::worker::{Step, Worker};

/// So many tenants and names, whose server chose HTTP/2, are remembered; names may be the clients'.
const REMEMBERED: usize = 64;

/// For whom a server chose HTTP/2 last time: places of namespaces and names (`sni`). A wrong guess
/// costs those who wait a moment, and never leads to another's connection.
#[derive(Debug, Default)]
pub(super) struct Chosen(Vec<(usize, Manner)>);

impl Chosen {
    fn is_known(&self, at: usize, name: &Manner) -> bool {
        let mut known = self.0.iter();
        known.any(|(place, known)| *place == at && known == name)
    }

    fn remember(&mut self, at: usize, name: Manner) {
        if self.is_known(at, &name) {
            return;
        }
        if self.0.len() >= REMEMBERED {
            self.0.remove(0);
        }
        self.0.push((at, name));
    }

    fn forget(&mut self, at: usize, name: &Manner) {
        self.0
            .retain(|(place, known)| *place != at || known != name);
    }
}

impl Worker {
    /// Lets others wait for a session's new connection.
    pub(crate) fn offer_to_join(&mut self, session: &Session, server: &LocalServer) {
        let h2 = will_be_h2(session, server) && !session.asks_for_h1();
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
        if session.is_wary() || !session.may_reuse() || session.asks_for_h1() {
            return false;
        }
        // Whoever makes it is one of them.
        let h2 = &session.frontend.generation.global.http.h2;
        let most = (h2.server_streams as usize).saturating_sub(1);
        let (namespace, name) = (session.server_namespace(), session.server_name());
        let making = server.idle.borrow().making.clone();
        let found = making.into_iter().find(|key| {
            self.links.get(*key).is_some_and(|link| {
                link.name == name
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

    /// TLS agreed on HTTP/2: the next connection for the same tenant and name is thought to be one, too.
    pub(super) fn remember_h2(&self, link: &Link) {
        if link.server.shared.plan.http.protocol == ServerProtocol::Negotiated {
            let mut idle = link.server.idle.borrow_mut();
            idle.chosen
                .remember(place(link.namespace.as_ref()), link.name.clone());
        }
    }

    /// HTTP/1 is spoken over a session's new connection: those who waited for another one do not
    /// wait for the next either.
    pub(crate) fn speaks_h1_after_all(&mut self, session: &Session) {
        let Some((key, link)) = session.link.and_then(|k| Some((k, self.links.get(k)?))) else {
            return;
        };
        if link.making {
            let mut idle = link.server.idle.borrow_mut();
            idle.chosen
                .forget(place(link.namespace.as_ref()), &link.name);
            drop(idle);
            self.end_making(key);
        }
    }

    /// The servers of a new plan go on with what is known of theirs.
    pub(super) fn inherit_choice(old: &Rc<LocalServer>, heir: &Rc<LocalServer>) {
        let chosen = std::mem::take(&mut old.idle.borrow_mut().chosen);
        heir.idle.borrow_mut().chosen = chosen;
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

/// Whether a session's new connection will be one of HTTP/2, as far as one can tell.
fn will_be_h2(session: &Session, server: &LocalServer) -> bool {
    match server.shared.plan.http.protocol {
        ServerProtocol::H1 => false,
        ServerProtocol::H2 => true,
        // What is sent early is sent as HTTP/1.
        ServerProtocol::Negotiated => {
            let at = place(session.server_namespace().as_ref());
            let idle = server.idle.borrow();
            idle.chosen.is_known(at, &session.server_name()) && !session.may_send_early()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_for(name: &str) -> Manner {
        Manner {
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            ..Manner::default()
        }
    }

    #[test]
    fn what_a_server_chose_is_known_by_tenant_and_name_until_it_chooses_otherwise() {
        let mut chosen = Chosen::default();
        chosen.remember(1, asked_for(""));
        chosen.remember(1, asked_for("a"));
        for (at, name, known) in [
            (1, "", true),
            (1, "a", true),
            (2, "a", false),
            (1, "b", false),
        ] {
            assert_eq!(chosen.is_known(at, &asked_for(name)), known, "{at} {name}");
        }
        chosen.forget(1, &asked_for("a"));
        let knows = |name| chosen.is_known(1, &asked_for(name));
        assert!(!knows("a") && knows(""));
    }

    #[test]
    fn names_of_clients_do_not_fill_memory() {
        let mut chosen = Chosen::default();
        for number in 0..10 * REMEMBERED {
            chosen.remember(0, asked_for(&number.to_string()));
        }
        assert_eq!(chosen.0.len(), REMEMBERED);
        let knows = |name| chosen.is_known(0, &asked_for(name));
        assert!(knows("639") && !knows("0"));
    }
}
