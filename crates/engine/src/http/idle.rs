//! Connections to servers that outlive the exchange that they were made for. Each has an identity
//! of its own, a link, so that it can go from session to session without the poller being told.
//!
//! An idle connection is found by server and by the namespace of the clients that it served: with
//! `namespace *` one tenant's connection never serves another (namespaces.md).

use std::rc::Rc;
use std::sync::Arc;

use isthmus_plan::http::Reuse;
use isthmus_plan::{ServerAddress, ServerPort};
use isthmus_sockets::Ready;

use super::link::{Link, Manner};
use super::shelf::Wanted;
use crate::demand::Standing;
use crate::generation::Server;
use crate::local::LocalServer;
use crate::session::Session;
use crate::slab::Key;
use crate::token::End;
use crate::transport::Transport;
use crate::worker::Worker;

/// Idle connections that are looked at, at most, for one that makes another needless.
const LOOKED_AT: usize = 16;

impl Worker {
    /// Makes a new connection of a session one that can outlive it.
    pub(crate) fn make_link(&mut self, session: &mut Session, server: &Rc<LocalServer>) {
        self.make_room();
        let namespace = session.server_namespace();
        let key = self.links.reserve();
        let personal = self.personal(session, server);
        let name = session.server_name();
        let mut link = Link::new(server, namespace, name);
        link.owner = Some(session.key);
        link.own = personal.is_some() || session.keeps_to_itself();
        link.personal = personal;
        self.links.put(key, Box::new(link));
        session.link = Some(key);
        self.offer_to_join(session, server);
    }

    /// Gives a session an idle connection to its server, if there is one that it may use.
    pub(crate) fn take_idle(&mut self, session: &mut Session, server: &Rc<LocalServer>) -> bool {
        if let Some((key, link)) = self.take_own(session, server) {
            return self.attach(session, key, link);
        }
        if !session.may_reuse() || !server.shared.serves_anybody() {
            return false;
        }
        if let Some(key) = self.find_shared(session, server) {
            return self.use_shared(session, key);
        }
        let namespace = session.server_namespace();
        let name = session.server_name();
        let wanted = Wanted {
            namespace: namespace.as_ref(),
            name: &name,
            uses: if session.is_wary() { 2 } else { 0 },
        };
        let mut skipped = Vec::new();
        let mut found = None;
        loop {
            let Some(key) = server.idle.borrow_mut().take(namespace.as_ref()) else {
                break;
            };
            let Some(mut link) = self.links.take(key) else {
                continue;
            };
            if link.name != name || link.uses < wanted.uses {
                self.links.put(key, link);
                skipped.push(key);
                continue;
            }
            let here = link.claim() && link.is_fresh();
            if !here || (self.has_event(key) && !link.is_quiet()) {
                self.links.release(key);
                continue;
            }
            found = Some((key, link));
            break;
        }
        for key in skipped {
            server.idle.borrow_mut().put(namespace.as_ref(), key);
        }
        match found.or_else(|| self.take_elsewhere(&wanted, server)) {
            Some((key, link)) => self.attach(session, key, link),
            None => false,
        }
    }

    /// Gives an idle connection to a session; true if it is one that can be written to.
    fn attach(&mut self, session: &mut Session, key: Key, mut link: Box<Link>) -> bool {
        if link.is_shared() {
            self.links.put(key, link);
            return self.use_shared(session, key);
        }
        link.owner = Some(session.key);
        link.stand(Standing::Used);
        session.server = link.socket.take();
        session.server_watch = link.watch.take();
        session.up.nodelay = link.nodelay;
        session.up.written = true;
        session.up.writable = true;
        session.down.readable = false;
        session.down.closing = false;
        session.down.ended = false;
        session.link = Some(key);
        self.links.put(key, link);
        session.server.is_some()
    }

    /// Ends what a session has of its server's connection: it is kept for others, or closed.
    pub(crate) fn leave_link(&mut self, session: &mut Session, keep: bool) {
        let Some(key) = session.link.take() else {
            return;
        };
        if self.links.get(key).is_some_and(|link| link.making) {
            self.end_making(key);
        }
        session.remember_source();
        session.remember_stream();
        if let Some(facts) = session.server.as_ref().and_then(Transport::facts) {
            session.past_server_tls = Some(facts.clone());
        }
        if self.links.get(key).is_some_and(Link::is_shared) {
            return self.leave_shared(session, key);
        }
        let socket = session.server.take();
        let watch = session.server_watch.take();
        // An end that came with the response makes no event while the connection idles.
        let keep = keep && !socket.as_ref().is_some_and(Transport::holds_end);
        let Some(mut link) = self.links.take(key) else {
            return;
        };
        self.forget_taken(&link.server);
        link.uses += 1;
        if link.own && keep && !self.stopping {
            link.rest(self.turn.now);
            link.socket = socket;
            link.watch = watch;
            link.nodelay = session.up.nodelay;
            self.keep_own(session, key, link);
            return;
        }
        let keep = keep && !link.own;
        let plan = &link.server.shared.plan.http;
        let reusable = plan.max_reuse < 0 || link.uses <= plan.max_reuse.unsigned_abs();
        let room =
            plan.pool_max < 0 || link.server.idle_everywhere() < plan.pool_max.unsigned_abs();
        let window = plan.pool_purge.max(1);
        let demand = &link.server.counters.demand;
        let needed =
            demand.needs_all(self.turn.now, window) || self.is_alone(&link) || link.server.is_low();
        let needed = room && needed;
        let needed = needed && self.affords_idle(&link.server);
        if !(keep && reusable && needed && !self.stopping) {
            if let Some(socket) = socket.filter(|_| keep) {
                socket.abort_on_close();
            }
            self.links.release(key);
            return;
        }
        let purge = self.turn.now + window;
        link.socket = socket;
        link.watch = watch;
        link.nodelay = session.up.nodelay;
        link.rest(self.turn.now);
        self.next_purge = self.next_purge.min(purge);
        let idle = &link.server.idle;
        idle.borrow_mut().put(link.namespace.as_ref(), key);
        link.shelve(key, &self.poll);
        self.links.put(key, link);
    }

    /// Whether no other connection waits that serves the same tenant and name: tenants that ask in
    /// turn need one each, though never two at once.
    fn is_alone(&self, link: &Link) -> bool {
        let idle = link.server.idle.borrow();
        let waiting = idle.waiting(link.namespace.as_ref());
        let mut latest = waiting.iter().rev().take(LOOKED_AT);
        latest.all(|key| {
            let other = self.links.get(*key);
            other.is_none_or(|other| other.name != link.name)
        })
    }

    /// Closes the connection of a failed attempt, or one that another answer made useless.
    pub(crate) fn give_server_up(&mut self, session: &mut Session) {
        self.leave_link(session, false);
        session.server = None;
        session.server_watch = None;
        session.forget_server();
    }

    /// An event of a server's connection: its session's, or the end of an idle one.
    pub(crate) fn link_event(&mut self, key: Key, ready: Ready) {
        let Some(mut link) = self.links.take(key) else {
            return;
        };
        if link.is_shared() {
            self.links.put(key, link);
            return self.drive_link(key, |upstream| upstream.see(ready));
        }
        if let Some(owner) = link.owner {
            self.links.put(key, link);
            self.walk_key(owner, |session| session.see(ready, End::Server));
            return;
        }
        let told = ready.readable || ready.urgent;
        if !link.claim() || ready.read_closed || ready.failed || (told && !link.is_quiet()) {
            let idle = &link.server.idle;
            idle.borrow_mut().remove(link.namespace.as_ref(), key);
            self.links.release(key);
        } else {
            if !link.own {
                link.shelve(key, &self.poll);
            }
            self.links.put(key, link);
        }
    }

    /// Closes connections that have idled for longer than `pool-purge-delay`.
    pub(crate) fn purge_idle(&mut self) {
        let now = self.turn.now;
        if now < self.next_purge {
            return;
        }
        let mut next = self.end_unacknowledged();
        let mut over = Vec::new();
        for (key, link) in self
            .links
            .iter()
            .filter(|(_, link)| link.waits_for_anybody())
        {
            let end = link.idle_since + link.server.shared.plan.http.pool_purge.max(1);
            match end <= now {
                true => over.push(key),
                false => next = next.min(end),
            }
        }
        for key in over {
            self.close_idle_link(key);
        }
        self.next_purge = next;
    }

    /// Closes a connection that waits in its server's pool.
    pub(super) fn close_idle_link(&mut self, key: Key) {
        if let Some(link) = self.links.get(key).filter(|link| !link.is_shared()) {
            let idle = &link.server.idle;
            idle.borrow_mut().remove(link.namespace.as_ref(), key);
        }
        self.close_link(key);
    }

    /// Hands idle connections on to the servers of a new plan that are what they were, and closes
    /// the others.
    pub(crate) fn inherit_idle(&mut self, old: &[Rc<LocalServer>], new: &[Rc<LocalServer>]) {
        for server in old {
            let heir = new.iter().find(|heir| {
                Arc::ptr_eq(&heir.shared.state, &server.shared.state)
                    && heir.shared.plan == server.shared.plan
            });
            if let Some(heir) = heir {
                Self::inherit_choice(server, heir);
            }
            let keys = server.idle.borrow_mut().drain();
            for key in keys {
                match (heir, self.links.take(key)) {
                    (Some(heir), Some(mut link)) => {
                        if !link.claim() {
                            self.links.release(key);
                            continue;
                        }
                        link.pass_to(heir);
                        let mut idle = heir.idle.borrow_mut();
                        match link.is_shared() {
                            true => idle.share(link.namespace.as_ref(), key),
                            false => idle.put(link.namespace.as_ref(), key),
                        }
                        link.shelve(key, &self.poll);
                        self.links.put(key, link);
                    }
                    (None, Some(link)) if link.is_shared() => {
                        self.links.put(key, link);
                        self.retire_shared(key);
                    }
                    (None, Some(_)) => self.links.release(key),
                    _ => {}
                }
            }
        }
    }

    /// Closes every idle connection: the process is about to end.
    pub(crate) fn close_idle(&mut self) {
        let idle: Vec<Key> = self
            .links
            .iter()
            .filter(|(_, link)| link.is_idle())
            .map(|(key, _)| key)
            .collect();
        for key in idle {
            self.close_link(key);
        }
    }

    /// Closes a connection that nobody uses, if it is still there.
    pub(super) fn close_link(&mut self, key: Key) {
        match self.links.get(key).map(Link::is_shared) {
            Some(true) => self.retire_shared(key),
            Some(false) => {
                let mut link = self.links.take(key);
                if let Some(link) = &mut link {
                    link.claim();
                }
                // Nothing is on its way: a reset spares the origin and us the wait of a FIN.
                if let Some(socket) = link.as_ref().and_then(|link| link.socket.as_ref()) {
                    socket.abort_on_close();
                }
                self.links.release(key);
            }
            None => {}
        }
    }
}

impl Server {
    /// Whether its connections say nothing of the client that they were made for: neither in a
    /// PROXY header, nor by where they come from or lead to.
    pub(super) fn serves_anybody(&self) -> bool {
        let fixed = match &self.plan.address {
            ServerAddress::Inet { ip, port } => {
                ip.is_some() && !matches!(port, ServerPort::Client { .. })
            }
            ServerAddress::Local { .. } | ServerAddress::Unresolved { .. } => true,
        };
        fixed && self.header.is_none() && !self.source_depends_on_client()
    }
}

impl Session {
    /// What the server connection is asked for.
    pub(super) fn server_name(&self) -> Manner {
        self.notes
            .get()
            .map_or_else(Manner::default, |notes| Manner {
                name: notes.server_name.borrow().clone(),
                marking: notes.marking.get(),
            })
    }

    pub(super) fn reuse(&self) -> Reuse {
        let backend = self.backend.as_ref();
        backend
            .and_then(|b| b.shared.plan.http.as_ref())
            .map_or(Reuse::Never, |http| http.reuse)
    }

    /// Whether `http-reuse` lets this request go over a connection that served another.
    pub(super) fn may_reuse(&self) -> bool {
        let first = self.exchanges == 0;
        match self.reuse() {
            Reuse::Never => false,
            Reuse::Safe => !first,
            Reuse::Aggressive | Reuse::Always => true,
        }
    }

    /// Whether only a connection that has proved itself may serve this request (`http-reuse aggressive`).
    pub(super) fn is_wary(&self) -> bool {
        self.reuse() == Reuse::Aggressive && self.exchanges == 0
    }
}
