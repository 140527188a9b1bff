//! Connections to servers over which several requests are under way at once (HTTP/2). Their links
//! stay in the server's pool as long as they take requests.

use std::rc::Rc;

use isthmus_plan::http::{ServerProtocol, TimeoutKind, WebSocketProtocol};

use crate::demand::Standing;
use crate::h2::{Shared, Upstream};
use crate::local::LocalServer;
use crate::session::Session;
use crate::slab::Key;
use crate::transport::Transport;
use crate::worker::Worker;

/// What a link has while its connection is one of HTTP/2.
#[derive(Debug)]
pub(crate) struct Sharing {
    pub(super) shared: Rc<Shared>,
    /// Not here while it is being driven.
    upstream: Option<Box<Upstream>>,
    /// Sessions that use it.
    users: usize,
    /// It takes no request any more, and ends behind its last user.
    leaving: bool,
}

impl Sharing {
    /// Whether nobody uses it.
    pub(super) fn is_idle(&self) -> bool {
        self.users == 0
    }
}

impl Worker {
    /// Makes the session's new connection one of HTTP/2, and the session its first user. False: it
    /// cannot be, and is closed.
    pub(crate) fn share_link(&mut self, session: &mut Session) -> bool {
        let Some(key) = session.link else {
            return false;
        };
        let Some(upstream) = self.make_upstream(session, key) else {
            return false;
        };
        let Some(mut link) = self.links.take(key) else {
            return false;
        };
        let shared = upstream.shared.clone();
        link.owner = None;
        link.sharing = Some(Sharing {
            shared: shared.clone(),
            upstream: Some(upstream),
            users: 0,
            leaving: false,
        });
        if !link.own {
            self.remember_h2(&link);
            let mut idle = link.server.idle.borrow_mut();
            idle.share(link.namespace.as_ref(), key);
        }
        self.links.put(key, link);
        self.end_making(key);
        self.use_shared(session, key)
    }

    /// Gives a session a stream over a connection that is there.
    pub(super) fn use_shared(&mut self, session: &mut Session, key: Key) -> bool {
        let Some(mut link) = self.links.take(key) else {
            return false;
        };
        let sharing = link.sharing.as_mut();
        let stream = sharing.map(|sharing| {
            sharing.users += 1;
            sharing.shared.stream_for(session.key)
        });
        link.stand(Standing::Used);
        self.links.put(key, link);
        session.link = Some(key);
        session.server = stream.map(Transport::stream);
        session.server_watch = None;
        session.up.written = true;
        // It is the connection's to say.
        session.up.nodelay = true;
        session.up.writable = true;
        session.up.sealed = false;
        // A stream that cannot be opened says so when it is read.
        session.down.readable = true;
        session.down.closing = false;
        session.down.ended = false;
        session.server.is_some()
    }

    /// A connection to a server that takes this session's request beside others.
    pub(super) fn find_shared(&mut self, session: &Session, server: &LocalServer) -> Option<Key> {
        if session.asks_for_h1() {
            return None;
        }
        let namespace = session.server_namespace();
        let name = session.server_name();
        let wary = session.is_wary();
        let keys = server.idle.borrow().shared(namespace.as_ref())?.to_vec();
        keys.into_iter().find(|key| {
            let Some(link) = self.links.get(*key) else {
                return false;
            };
            let takes = link
                .sharing
                .as_ref()
                .is_some_and(|sharing| !sharing.leaving && sharing.shared.can_open());
            takes && link.name == name && link.is_fresh() && !(wary && link.uses < 1)
        })
    }

    /// A session that used a shared connection has done with it.
    pub(super) fn leave_shared(&mut self, session: &mut Session, key: Key) {
        // What is not over by now is reset.
        session.server = None;
        session.server_watch = None;
        let Some(mut link) = self.links.take(key) else {
            return;
        };
        link.uses += 1;
        let plan = &link.server.shared.plan.http;
        let worn = plan.max_reuse >= 0 && link.uses > plan.max_reuse.unsigned_abs();
        let crowded =
            plan.pool_max >= 0 && link.server.idle_everywhere() >= plan.pool_max.unsigned_abs();
        let purge = self.turn.now + plan.pool_purge.max(1);
        let fresh = link.is_fresh();
        let own = link.own;
        let patience = session.timeout(TimeoutKind::Server, session.timeout_server());
        let Some(sharing) = &mut link.sharing else {
            return self.links.put(key, link);
        };
        sharing.users = sharing.users.saturating_sub(1);
        let idle = sharing.is_idle();
        sharing.leaving |= worn || self.stopping || !fresh || sharing.shared.is_leaving();
        sharing.leaving |= idle && crowded && !own;
        // This session waited in vain, and hardly anything else came meanwhile: the peer may be gone.
        let silence = sharing.shared.silence(self.turn.now);
        let late = session.ending.is_some_and(|ending| ending.cause == b's');
        sharing.leaving |= late && patience.is_some_and(|patience| silence >= patience / 2);
        let leaving = sharing.leaving;
        if idle {
            link.rest(self.turn.now);
            self.next_purge = self.next_purge.min(purge);
        }
        if idle && own && !leaving {
            return self.keep_own(session, key, link);
        }
        self.links.put(key, link);
        self.settle_shared(key);
    }

    /// Takes the connection of a link to drive it.
    pub(crate) fn take_upstream(&mut self, key: Key) -> Option<Box<Upstream>> {
        let mut link = self.links.take(key)?;
        let upstream = link.sharing.as_mut().and_then(|s| s.upstream.take());
        self.links.put(key, link);
        upstream
    }

    /// Puts it back; one that is over ends with its link.
    pub(crate) fn put_upstream(&mut self, key: Key, upstream: Box<Upstream>) {
        let Some(mut link) = self.links.take(key) else {
            return;
        };
        if let Some(sharing) = &mut link.sharing {
            sharing.leaving |= upstream.shared.is_leaving();
            sharing.upstream = Some(upstream);
        }
        self.links.put(key, link);
        self.settle_shared(key);
    }

    /// Takes a connection out of the pool that serves no new request, and ends it once nobody uses
    /// it any more.
    fn settle_shared(&mut self, key: Key) {
        let Some(mut link) = self.links.take(key) else {
            return;
        };
        let sharing = link.sharing.as_ref();
        let (leaving, idle) = sharing.map_or((false, false), |s| (s.leaving, s.is_idle()));
        if leaving {
            let mut pool = link.server.idle.borrow_mut();
            pool.unshare(link.namespace.as_ref(), key);
        }
        let upstream = link.sharing.as_mut().filter(|_| leaving && idle);
        match upstream.and_then(|sharing| sharing.upstream.take()) {
            Some(upstream) => {
                self.links.release(key);
                upstream.finish(self);
            }
            None => self.links.put(key, link),
        }
    }

    /// Lets a connection serve no new request.
    pub(super) fn retire_shared(&mut self, key: Key) {
        if let Some(mut link) = self.links.take(key) {
            if let Some(sharing) = &mut link.sharing {
                sharing.leaving = true;
            }
            self.links.put(key, link);
            self.settle_shared(key);
        }
    }
}

impl Session {
    fn timeout_server(&self) -> Option<u64> {
        self.backend.as_ref()?.shared.plan.timeout_server
    }

    /// Whether this request can only go over a connection of HTTP/1: it opens a WebSocket, and the
    /// server's line says so (`ws`).
    pub(crate) fn asks_for_h1(&self) -> bool {
        let asks = self
            .http
            .as_deref()
            .is_some_and(|stream| stream.request.head.asks_upgrade());
        let server = self.chosen.as_ref().map(|chosen| &chosen.shared.plan);
        asks && server.is_some_and(|server| server.http.websockets == WebSocketProtocol::H1)
    }

    /// Whether HTTP/2 is spoken over the server connection that stands.
    pub(crate) fn speaks_h2_to_server(&self) -> bool {
        let Some(chosen) = &self.chosen else {
            return false;
        };
        if self.asks_for_h1() {
            return false;
        }
        match chosen.shared.plan.http.protocol {
            ServerProtocol::H1 => false,
            ServerProtocol::H2 => true,
            ServerProtocol::Negotiated => {
                let channel = self.server.as_ref().and_then(Transport::channel);
                channel.is_some_and(|c| c.state().alpn_protocol() == Some(b"h2"))
            }
        }
    }
}
