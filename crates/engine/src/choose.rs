//! The choice of a server: `use-server`, balancing, queues.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use isthmus_balance::{Key, Place, Priority, State};

use crate::generation::{Backend, HashKey};
use crate::local::{LocalBackend, LocalServer};
use crate::mailbox::Message;
use crate::queue::{self, NotJoined, Waiting};
use crate::session::{Phase, Session};
use crate::slab;
use crate::view::View;
use crate::worker::{Step, Worker};

impl Session {
    /// Counts the session at its backend.
    pub(crate) fn enter_backend(&mut self, backend: &Rc<LocalBackend>, now: u64) {
        let live = &backend.shared.live;
        live.common.highest.see(live.common.current.enter());
        live.count_session(&backend.counters, now);
        self.backend = Some(backend.clone());
        // What a `listen` says of retries is for its own servers (manual, `set-retries`).
        let elsewhere = self.frontend.shared.own_backend != Some(backend.shared.index);
        if let Some(notes) = self.notes.get().filter(|_| elsewhere) {
            notes.retries.take();
        }
    }

    /// Forgets the server that was chosen, so that another one can be.
    pub(crate) fn choose_again(&mut self) {
        if self.phase == Phase::Queued {
            self.phase = Phase::Choose;
            self.waits_at.set(None);
        }
    }
}

impl Worker {
    /// Chooses a server and connects, or joins a queue, or gives up.
    pub(crate) fn choose(&mut self, session: &mut Session) -> Step {
        self.follow_heir(session);
        let Some(backend) = session.backend.clone() else {
            return Step::Close;
        };
        let now = self.turn.now;
        session.moments.asked.get_or_insert(now);
        if backend.shared.plan.disabled {
            session.end(b'S', b'C');
            return Step::Close;
        }
        let prescribed = self.prescribed(session, &backend.shared);
        session.led = prescribed.is_some();
        if let Some(at) = prescribed {
            return self.take_slot_or_wait(session, &backend, (at, true));
        }
        if let Some(at) = self.last_server(session, &backend) {
            return self.take_slot_or_wait(session, &backend, (at, false));
        }
        let excluded = session.notes.get().and_then(|notes| notes.failed.get());
        let seed = self.turn.random();
        match self.pick(session, &backend.shared, seed, excluded) {
            Some(at) => {
                // Back on the server that just failed it is a retry, as HAProxy counts.
                let comes_back = session.redispatching && excluded == Some(at);
                if let Some(server) = backend.servers.get(at).filter(|_| !comes_back) {
                    server.counters.balanced.add(1);
                    backend.counters.balanced.add(1);
                }
                self.take_slot_or_wait(session, &backend, (at, false))
            }
            None if crate::facts::usable(&backend.shared) == 0 => {
                session.chosen = None;
                session.end(b'S', b'C');
                Step::Close
            }
            None => self.join_line(session, &backend, Place::Backend, (0, false)),
        }
    }

    fn pick(
        &self,
        session: &Session,
        backend: &Backend,
        seed: u64,
        excluded: Option<usize>,
    ) -> Option<usize> {
        let now = self.turn.now;
        let pick = |key: Option<Key<'_>>| backend.balancer.pick(key, seed, excluded, now);
        match &backend.hash_key {
            HashKey::Nothing => pick(None),
            HashKey::Source => pick(session.source().map(|source| Key::Source(source.ip()))),
            HashKey::Part(part) => {
                let view = View::new(session, &self.turn);
                pick(part.bytes(&view).as_deref().map(Key::Bytes))
            }
            HashKey::Expression(expression) => {
                let view = View::new(session, &self.turn);
                let sample = expression.value(&view);
                let mut space = [0; 16];
                pick(
                    sample
                        .as_ref()
                        .map(|sample| HashKey::of_sample(sample, &mut space)),
                )
            }
        }
    }

    /// The server that a client's cookie names, that a `use-server` rule prescribes, or that `stick` rules
    /// lead to, if it can be used.
    fn prescribed(&self, session: &Session, backend: &Backend) -> Option<usize> {
        if session.retries > 0 {
            return None;
        }
        let persistence = session.http.as_deref().map(|s| &s.persistence);
        let forces = persistence.is_some_and(|p| p.forces);
        // Tables learn of the server whoever chose it.
        let stuck = self.stick(session, backend, forces);
        persistence
            .and_then(|p| p.server)
            .or_else(|| self.ruled(session, backend, forces))
            .or(stuck)
    }

    /// The server that a `use-server` rule prescribes. One that is down is meant where persistence
    /// is forced only (`option persist`, `force-persist`).
    pub(crate) fn ruled(
        &self,
        session: &Session,
        backend: &Backend,
        forces: bool,
    ) -> Option<usize> {
        if backend.choices.is_empty() {
            return None;
        }
        let named = |name: &[u8]| {
            backend
                .servers
                .iter()
                .position(|s| s.plan.name.as_bytes() == name)
        };
        let at = self.first_choice(session, &backend.choices, named)?;
        let state = backend.servers.get(at)?.state.state();
        (forces || matches!(state, State::Up | State::Drain)).then_some(at)
    }

    fn take_slot_or_wait(
        &mut self,
        session: &mut Session,
        backend: &Rc<LocalBackend>,
        (at, prescribed): (usize, bool),
    ) -> Step {
        let Some(server) = backend.servers.get(at) else {
            return Step::Close;
        };
        if backend.shared.balancer.reserve(at, self.turn.now) {
            return self.go_to(session, backend, at);
        }
        let maxqueue = server.shared.state.balanced.limits().maxqueue;
        self.join_line(session, backend, Place::Server(at), (maxqueue, prescribed))
    }

    /// A slot of a server was reserved for the session.
    fn go_to(&self, session: &mut Session, backend: &LocalBackend, at: usize) -> Step {
        session.waits_at.set(None);
        session.chosen = backend.servers.get(at).cloned();
        session.holds_slot = true;
        session.phase = Phase::Depart;
        Step::Again
    }

    fn join_line(
        &mut self,
        session: &mut Session,
        backend: &Rc<LocalBackend>,
        place: Place,
        (maxqueue, prescribed): (u32, bool),
    ) -> Step {
        let who = Waiting {
            worker: self.turn.worker,
            key: session.key,
            priority: session.priority(),
        };
        let line = &backend.shared.line;
        // Counted before: whoever grants a slot at once counts it as gone.
        if let Place::Server(at) = place {
            backend.shared.balancer.queued(at);
        }
        let open = || match place {
            Place::Server(at) => backend.shared.keeps_queue(at, prescribed),
            Place::Backend => true,
        };
        let joined = line.join(place, who, (self.turn.now, maxqueue), open);
        let (ticket, waiting) = match (joined, place) {
            (Ok(joined), _) => joined,
            (Err(NotJoined::Full), Place::Server(at)) => {
                backend.shared.balancer.dequeued(at);
                // Anybody else may take it (manual, maxqueue).
                return self.join_line(session, backend, Place::Backend, (0, false));
            }
            (Err(_), _) => {
                if let Place::Server(at) = place {
                    backend.shared.balancer.dequeued(at);
                }
                return self.choose_later(session);
            }
        };
        let position = i64::try_from(waiting).unwrap_or(i64::MAX);
        let notes = session.notes();
        notes.ticket.set(Some(ticket));
        match place {
            Place::Server(at) => {
                notes.server_queue.set(position);
                if let Some(server) = backend.servers.get(at) {
                    server.shared.live.common.queue_highest.see(waiting as u64);
                }
            }
            Place::Backend => notes.backend_queue.set(position),
        }
        backend.shared.live.common.queue_highest.see(waiting as u64);
        session.phase = Phase::Queued;
        if session.waits_at.replace(Some(place)).is_none() {
            session.phase_began = self.turn.now;
        }
        // A slot may have become free between the look and the joining.
        self.offer(&backend.shared);
        Step::Wait
    }

    /// Chooses once more after what else there is to do: the server that was chosen is going, and who takes it
    /// out has yet to tell the balancer.
    fn choose_later(&self, session: &mut Session) -> Step {
        session.phase = Phase::Queued;
        session.phase_began = self.turn.now;
        if let Some(mailbox) = self.mailboxes.get(self.turn.worker) {
            mailbox.post(Message::ChooseAgain(session.key));
        }
        Step::Wait
    }

    /// Events of a session that waits: only a client that gives up matters.
    pub(crate) fn wait_in_queue(&mut self, session: &mut Session) -> Step {
        let gone = session.client_gone();
        if !(gone || session.timed_out) {
            return Step::Wait;
        }
        self.leave_line(session);
        session.moments.unqueued.get_or_insert(self.turn.now);
        if session.timed_out {
            session.end(b's', b'Q');
            if let Some(backend) = &session.backend {
                backend.counters.failed_connections.add(1);
            }
        }
        session.chosen = None;
        Step::Close
    }

    /// Takes a session out of the line. A slot that is on its way to it is given on when it comes.
    pub(crate) fn leave_line(&mut self, session: &Session) {
        let Some(backend) = &session.backend else {
            return;
        };
        let Some(ticket) = session.notes.get().and_then(|notes| notes.ticket.take()) else {
            return;
        };
        if backend.shared.line.leave(ticket) {
            if let Some(Place::Server(at)) = session.waits_at.take() {
                backend.shared.balancer.dequeued(at);
            }
        }
    }

    /// A slot of `backend`'s server was given to a waiting session. If the session is gone, or waits
    /// elsewhere by now, the next one gets the slot.
    pub(crate) fn granted(
        &mut self,
        key: slab::Key,
        backend: &Arc<Backend>,
        at: usize,
        place: Place,
    ) {
        let mut session = self.sessions.take(key);
        let waiting = session.as_deref_mut().filter(|session| {
            session.phase == Phase::Queued
                && session.waits_at.get() == Some(place)
                && session
                    .backend
                    .as_ref()
                    .is_some_and(|b| Arc::ptr_eq(&b.shared, backend))
        });
        let server = waiting.as_deref().and_then(|session| session.server_at(at));
        if let (Some(waiting), Some(server)) = (waiting, server) {
            waiting.notes().ticket.set(None);
            waiting.waits_at.set(None);
            waiting.chosen = Some(server);
            waiting.holds_slot = true;
            waiting.phase = Phase::Depart;
        } else {
            backend.balancer.disconnected(at);
            let gone = backend.servers.get(at);
            if !gone.is_some_and(|server| self.return_to_heir(backend, server)) {
                self.offer(backend);
            }
        }
        if let Some(session) = session {
            self.walk(session);
        }
    }

    /// Gives free slots of a backend's servers to those who wait.
    pub(crate) fn offer(&self, backend: &Arc<Backend>) {
        queue::offer(backend, &self.mailboxes, self.turn.now);
    }

    /// A waiting session's plan is no longer in force: it waits again in the one that is.
    pub(crate) fn requeue(&mut self, key: slab::Key) {
        let Some(mut session) = self.sessions.take(key) else {
            return;
        };
        let place = session.waits_at.get();
        self.leave_line(&session);
        session.choose_again();
        // It goes on waiting: `timeout queue` does not begin anew.
        session.waits_at.set(place);
        self.walk(session);
    }
}

impl Backend {
    /// Whether somebody may wait for a server: one that balancing gives nothing keeps in its queue whom a rule
    /// sends there.
    fn keeps_queue(&self, at: usize, prescribed: bool) -> bool {
        self.servers.get(at).is_some_and(|server| {
            let state = server.state.state();
            let kept = prescribed && matches!(state, State::Up | State::Drain);
            kept || server.state.balanced.usable()
        })
    }
}

impl Session {
    /// Its place among those who wait, as rules have set it.
    fn priority(&self) -> Priority {
        let (class, offset) = self
            .http
            .as_deref()
            .map_or((0, 0), |stream| stream.priority);
        Priority::new(class, offset)
    }

    fn server_at(&self, at: usize) -> Option<Rc<LocalServer>> {
        self.backend.as_ref()?.servers.get(at).cloned()
    }
}

/// Where a session waits.
pub(crate) type WaitsAt = Cell<Option<Place>>;
