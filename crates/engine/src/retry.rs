//! What follows a failed attempt to connect: another one after a pause, another server, or the end.

use crate::facts::usable;
use crate::generation::HashKey;
use crate::session::{Phase, Session};
use crate::worker::{Step, Worker};

/// The pause before a server is tried again (manual, `retries`), milliseconds.
const TURN_AROUND: u64 = 1000;

impl Worker {
    /// An attempt failed or took too long: try again, elsewhere, or give up.
    pub(crate) fn failed_connect(&mut self, session: &mut Session) -> Step {
        let timed_out = std::mem::take(&mut session.timed_out);
        let (Some(backend), Some(chosen)) = (session.backend.clone(), session.chosen.clone())
        else {
            return Step::Close;
        };
        self.give_server_up(session);
        if session.client_finished_silently() {
            session.end(b'C', b'C');
            return Step::Close;
        }
        if session.retries >= session.most_retries() || !session.retries_connects() {
            chosen.counters.failed_connections.add(1);
            backend.counters.failed_connections.add(1);
            let cause = match timed_out {
                _ if session.client_timed_out(self.turn.now) => b'c',
                true => b's',
                false => b'S',
            };
            session.end(cause, b'C');
            return Step::Close;
        }
        session.retries += 1;
        let redispatches = session.may_redispatch();
        if redispatches {
            // The time that was lost counts as waiting for a server.
            session.moments.unqueued = None;
        }
        if redispatches && backend.servers.len() > 1 {
            self.release_slot(session);
            session.notes().failed.set(Some(chosen.shared.at));
            session.chosen = None;
            if let Some(stream) = &mut session.http {
                stream.persistence.give_up();
            }
            session.phase = Phase::Choose;
            session.redispatching = true;
            // With a choice of servers, one that is chosen again is tried at once, as in HAProxy.
            session.pauses = !timed_out && usable(&backend.shared) <= 1;
            return Step::Again;
        }
        chosen.counters.retries.add(1);
        backend.counters.retries.add(1);
        if timed_out {
            // The attempt itself took its time.
            session.phase = Phase::Depart;
            return Step::Again;
        }
        session.phase = Phase::Pausing;
        session.phase_began = self.turn.now;
        Step::Wait
    }

    /// The pause before another attempt.
    pub(crate) fn pausing(&mut self, session: &mut Session) -> Step {
        if session.client_gone() {
            return Step::Close;
        }
        if session.client_finished_silently() {
            session.end(b'C', b'C');
            return Step::Close;
        }
        if !session.timed_out {
            return Step::Wait;
        }
        session.timed_out = false;
        if session.client_timed_out(self.turn.now) {
            session.end(b'c', b'C');
            return Step::Close;
        }
        session.phase = Phase::Depart;
        Step::Again
    }
}

impl Session {
    /// How long to pause before another attempt, from the phase's beginning.
    pub(crate) fn turn_around(&self) -> u64 {
        let connect = self
            .backend
            .as_ref()
            .and_then(|b| b.shared.plan.timeout_connect);
        connect.unwrap_or(TURN_AROUND).min(TURN_AROUND)
    }

    /// Whether this retry may go to another server (`option redispatch`). As HAProxy, an algorithm
    /// that hashes keeps to its server but for every N retries, or from the last one, and so does
    /// what led to it (a cookie, `use-server`, `stick`); any other choice is made again at once.
    /// What `force-persist` led to is never given up.
    pub(crate) fn may_redispatch(&self) -> bool {
        let Some(backend) = &self.backend else {
            return false;
        };
        let plan = &backend.shared.plan;
        let interval = match plan.redispatch {
            0 => return false,
            _ if self.led && self.is_bound() => return false,
            _ if !self.led && matches!(backend.shared.hash_key, HashKey::Nothing) => 1,
            every if every > 0 => every.unsigned_abs(),
            from_last => (self.most_retries() + 1).saturating_sub(from_last.unsigned_abs()),
        };
        self.retries % interval.max(1) == 0
    }

    /// Whether `force-persist` holds; `option persist` lets a redispatch happen.
    fn is_bound(&self) -> bool {
        let stream = self.http.as_deref();
        stream.is_some_and(|stream| stream.persistence.bound)
    }

    /// Whether a redispatch led back to the server that had refused: it gets a pause, as without
    /// redispatch.
    pub(crate) fn came_back(&mut self, at: usize) -> bool {
        let failed = self.notes.get().and_then(|notes| notes.failed.get());
        let back = std::mem::take(&mut self.pauses) && failed == Some(at);
        if back {
            self.redispatching = false;
            self.count_redispatch();
        }
        back
    }

    /// Counts a retry that went to another server, or came back to the same one.
    pub(crate) fn count_redispatch(&mut self) {
        let (Some(backend), Some(chosen)) = (&self.backend, &self.chosen) else {
            return;
        };
        let failed = self.notes.get().and_then(|notes| notes.failed.get());
        let elsewhere = failed != Some(chosen.shared.at);
        if elsewhere {
            // It is the server that was given up that a redispatch counts against.
            let given_up = failed.and_then(|at| backend.servers.get(at));
            backend.counters.redispatches.add(1);
            given_up.inspect(|server| server.counters.redispatches.add(1));
        } else {
            backend.counters.retries.add(1);
            chosen.counters.retries.add(1);
        }
        self.redispatched |= elsewhere;
    }
}
