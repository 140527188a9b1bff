//! Accepting: limits, connection and session rules, and a session's first moment.

use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use isthmus_sample::Verdict;
use isthmus_sockets::{Accepted, Peer, accept, receive_descriptor};
use isthmus_stats::Places;
use isthmus_table::Event;

use crate::generation::OpenListener;
use crate::live::Process;
use crate::local::LocalListener;
use crate::opening::serving;
use crate::rules::{Action, Rule};
use crate::session::{Phase, Session};
use crate::transport::Transport;
use crate::view::View;
use crate::worker::Worker;

/// A listening socket that the worker polls.
pub(crate) struct Accepting {
    pub(crate) listener: Rc<LocalListener>,
    open: Arc<OpenListener>,
    socket: usize,
    /// Not polled for now: a limit is reached.
    pub(crate) paused: bool,
}

impl Accepting {
    fn socket(&self) -> Option<&OwnedFd> {
        self.open.sockets.get(self.socket)
    }
}

/// What a connection of a listener counts in, each with its limit (0: none).
fn counted<'l>(
    process: &'l Process,
    listener: &'l LocalListener,
) -> impl Iterator<Item = (&'l Places, u64)> {
    let frontend = &listener.frontend.shared;
    let generation = &listener.frontend.generation;
    let tls = speaks_tls(listener).then_some((&process.tls, generation.global.maxsslconn));
    let all = [
        (&process.connections, generation.maxconn.load(Relaxed)),
        (
            &frontend.live.common.current,
            frontend.maxconn.load(Relaxed),
        ),
        (
            &listener.shared.live.common.current,
            listener.shared.plan.maxconn,
        ),
    ];
    all.into_iter().chain(tls)
}

/// Whether a client is dropped for its port (`harden.reject-privileged-ports.tcp`): those below 1024 are of
/// services (RFC 6335, section 6), and nobody connects from one but to deceive.
fn is_privileged(peer: Peer, listener: &LocalListener) -> bool {
    listener.frontend.generation.global.reject_privileged_ports
        && peer.inet().is_some_and(|address| address.port() < 1024)
}

fn speaks_tls(listener: &LocalListener) -> bool {
    listener.shared.acceptor.is_some()
}

/// What came of the rules at accept.
enum Admission {
    Pass,
    /// Closed; `reset` says whether the client is told.
    Refused,
}

impl Worker {
    /// Polls the sockets of every open listener that this worker serves.
    pub(crate) fn register_listeners(&mut self) {
        self.close_listeners();
        if self.stopping {
            return;
        }
        let worker = self.turn.worker;
        let listeners = self.local.as_ref().map(|local| local.listeners.clone());
        for listener in listeners.unwrap_or_default() {
            let workers = self.mailboxes.len();
            let rank = serving(&listener.shared.plan, workers).position(|one| one == worker);
            let Some(open) = listener.shared.open.load_full() else {
                continue;
            };
            let Some(socket) = rank.and_then(|rank| rank.checked_rem(open.sockets.len())) else {
                continue;
            };
            let accepting = Accepting {
                listener,
                open,
                socket,
                paused: false,
            };
            self.poll_listener(&accepting, self.accepting.len());
            self.accepting.push(accepting);
        }
    }

    fn poll_listener(&self, accepting: &Accepting, index: usize) {
        // Where workers share one socket, one of them is woken for a connection, not all.
        let shared = accepting.open.sockets.len() < self.mailboxes.len();
        if let Some(socket) = accepting.socket() {
            // It fails only when memory is out; then the other workers serve the listener.
            let _ = self.watch_listener(socket, index, shared);
        }
    }

    /// Polls no listener any more.
    pub(crate) fn close_listeners(&mut self) {
        for accepting in self.accepting.drain(..) {
            if let Some(socket) = accepting.socket().filter(|_| !accepting.paused) {
                self.poll.remove(socket);
            }
        }
    }

    fn pause(&mut self, index: usize) {
        if let Some(accepting) = self.accepting.get_mut(index) {
            accepting.paused = true;
            if let Some(socket) = accepting.open.sockets.get(accepting.socket) {
                self.poll.remove(socket);
            }
        }
    }

    /// Goes on with listeners whose limit has room again.
    pub(crate) fn retry_accepting(&mut self) {
        for index in 0..self.accepting.len() {
            let Some(accepting) = self.accepting.get(index).filter(|a| a.paused) else {
                continue;
            };
            if self.has_room(&accepting.listener) && self.may_begin(&accepting.listener) {
                self.poll_listener(accepting, index);
                if let Some(accepting) = self.accepting.get_mut(index) {
                    accepting.paused = false;
                }
            }
        }
    }

    fn has_room(&self, listener: &LocalListener) -> bool {
        let below = |(current, limit): (&Places, u64)| limit == 0 || current.get() < limit;
        counted(&self.process, listener).all(below)
    }

    /// Whether limits of rates let another connection begin.
    fn may_begin(&self, listener: &LocalListener) -> bool {
        let frontend = &listener.frontend.shared;
        let rate = frontend.plan.rate_limit;
        let rates = &listener.frontend.generation.rates;
        let begun = || {
            frontend
                .live
                .sum(|s| s.session_rate.per_second(self.turn.now))
        };
        let tls = speaks_tls(listener);
        self.process.is_below(rates, tls, self.turn.now) && (rate == 0 || begun() < rate)
    }

    /// Holds a connection's places before it is accepted, unless it would be one too many: a look
    /// first and a count afterwards would let two workers both take the last place.
    fn hold_places(&self, listener: &LocalListener) -> bool {
        for (held, (places, limit)) in counted(&self.process, listener).enumerate() {
            if !places.hold(limit) {
                for (places, _) in counted(&self.process, listener).take(held) {
                    places.release();
                }
                return false;
            }
        }
        true
    }

    fn release_places(&self, listener: &LocalListener) {
        for (places, _) in counted(&self.process, listener) {
            places.release();
        }
    }

    /// Counts the connection that was accepted.
    fn occupy_places(&self, listener: &LocalListener) {
        self.process.connections.occupy();
        for live in [&listener.frontend.shared.live, &listener.shared.live] {
            live.common.highest.see(live.common.current.occupy());
        }
        if speaks_tls(listener) {
            self.process.count_tls(&self.turn.counters, self.turn.now);
        }
    }

    /// Accepts what waits at a listener, at most `tune.maxaccept` connections.
    pub(crate) fn accept(&mut self, index: usize) {
        let Some(accepting) = self.accepting.get(index) else {
            return;
        };
        let listener = accepting.listener.clone();
        let open = accepting.open.clone();
        let Some(socket) = open.sockets.get(accepting.socket) else {
            return;
        };
        let most = listener.frontend.generation.global.maxaccept.max(1);
        for _ in 0..most {
            if !self.may_begin(&listener) || !self.hold_places(&listener) {
                self.pause(index);
                return;
            }
            let accepted = if open.sockpair {
                from_pair(socket)
            } else {
                accept(socket)
            };
            match accepted {
                Accepted::Connection(client, peer) => {
                    if is_privileged(peer, &listener) {
                        self.release_places(&listener);
                        continue;
                    }
                    self.occupy_places(&listener);
                    self.begin(client, peer, &listener);
                }
                Accepted::Nobody => {
                    self.release_places(&listener);
                    return;
                }
                Accepted::Exhausted(_) => {
                    self.release_places(&listener);
                    self.pause(index);
                    return;
                }
            }
        }
    }

    fn begin(&mut self, client: OwnedFd, peer: Peer, listener: &Rc<LocalListener>) {
        let now = self.turn.now;
        let frontend = listener.frontend.clone();
        self.process.count_connection(&self.turn.counters, now);
        for (counters, live) in [
            (&frontend.counters, &frontend.shared.live),
            (&listener.counters, &listener.shared.live),
        ] {
            live.count_connection(counters, now);
        }
        let phase = if listener.shared.plan.accept_proxy {
            Phase::Header
        } else {
            listener
                .shared
                .phase_behind_header(&listener.frontend.shared)
        };
        let key = self.sessions.reserve();
        let id = self.next_session_id();
        let session = Session::new((key, id), Transport::plain(client), peer, listener, now);
        let session = Box::new(Session { phase, ..session });
        self.admit(session);
    }

    fn admit(&mut self, mut session: Box<Session>) {
        let rules = session.frontend.shared.clone();
        if !rules.connection_rules.is_empty() {
            if let Admission::Refused = self.rule_connection(&rules.connection_rules, &mut session)
            {
                session.frontend.counters.denied_connections.add(1);
                session.listener.counters.denied_connections.add(1);
                session.client.abort_on_close();
                self.discard(session);
                return;
            }
        }
        // Behind a PROXY header and TLS the session begins when these are done.
        let early = matches!(session.phase, Phase::Header | Phase::ClientTls);
        if early || self.open_session(&mut session) {
            self.walk(session);
        } else {
            self.discard(session);
        }
    }

    /// Session rules, and the counters of a session that begins. False: it was refused.
    pub(crate) fn open_session(&mut self, session: &mut Session) -> bool {
        let now = self.turn.now;
        let frontend = session.frontend.clone();
        session.moments.handshaken = now;
        session.phase_began = now;
        if !frontend.shared.session_rules.is_empty() {
            let rules = &frontend.shared.session_rules;
            if let Admission::Refused = self.rule_connection(rules, session) {
                frontend.counters.denied_sessions.add(1);
                session.listener.counters.denied_sessions.add(1);
                return false;
            }
        }
        session.counted = true;
        session.count_tracked(Event::Session, 1, now);
        self.process.count_session(&self.turn.counters, now);
        for (counters, live) in [
            (&frontend.counters, &frontend.shared.live),
            (&session.listener.counters, &session.listener.shared.live),
        ] {
            live.count_session(counters, now);
        }
        if let Some(namespace) = &session.source_namespace {
            namespace.sessions.enter();
        }
        self.log_at(session, isthmus_plan::LogWhen::Accept);
        true
    }

    /// Walks through `tcp-request connection` or `session` rules, which never wait.
    fn rule_connection(&mut self, rules: &[Rule], session: &mut Session) -> Admission {
        let generation = session.frontend.generation.clone();
        for rule in rules {
            if let Some(condition) = &rule.condition {
                let view = View::new(session, &self.turn);
                if generation.program.eval(condition, &view) != Verdict::Pass {
                    continue;
                }
            }
            match &rule.action {
                Action::Accept => return Admission::Pass,
                Action::Reject => return Admission::Refused,
                Action::SilentDrop(ttl) => {
                    session.drop_silently(*ttl);
                    return Admission::Refused;
                }
                Action::ExpectProxy => session.phase = Phase::Header,
                action => session.apply(action, &self.turn),
            }
        }
        Admission::Pass
    }

    /// Ends a connection that never became a session: nothing is logged.
    pub(crate) fn discard(&mut self, mut session: Box<Session>) {
        session.untrack(self.turn.now);
        if session.armed != u64::MAX {
            self.wheel.clear(session.key.index);
        }
        session.leave_counts(&self.process);
        self.sessions.release(session.key);
    }
}

impl Session {
    /// Counts a connection as gone.
    pub(crate) fn leave_counts(&self, process: &crate::live::Process) {
        // A stream's connection is counted for all of them.
        if self.client.is_stream() {
            return;
        }
        process.connections.leave();
        if speaks_tls(&self.listener) {
            process.tls.leave();
        }
        self.frontend.shared.live.common.current.leave();
        self.listener.shared.live.common.current.leave();
        if let Some(namespace) = self.source_namespace.as_ref().filter(|_| self.counted) {
            namespace.sessions.leave();
        }
    }
}

fn from_pair(socket: &OwnedFd) -> Accepted {
    match receive_descriptor(socket) {
        Ok(Some(client)) => {
            let peer = isthmus_sockets::peer_name(&client);
            Accepted::Connection(client, peer)
        }
        Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => Accepted::Exhausted(error),
        _ => Accepted::Nobody,
    }
}

impl LocalListener {
    /// Whether what a PROXY header from this address says may be believed (`accept-proxy from`).
    pub(crate) fn trusts(&self, peer: Peer) -> bool {
        let trusted = &self.shared.trusted;
        let Some(address) = peer.inet().filter(|_| !trusted.is_empty()) else {
            return true;
        };
        trusted
            .iter()
            .any(|(network, bits)| crate::network::contains(*network, *bits, address.ip()))
    }
}
