//! Who waits for a server's slot, across workers. A slot that becomes free is given to the first
//! in line, by a message to its worker; a session that is gone by then gives it back.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use std::sync::Arc;

use isthmus_balance::{Place, Priority, Queue, State, Ticket, Times};
use parking_lot::Mutex;

use crate::generation::{Backend, Server};
use crate::mailbox::{Mailbox, Message};
use crate::slab::Key;

/// A waiting session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) worker: usize,
    pub(crate) key: Key,
}

/// The queues of one backend and its servers.
#[derive(Default)]
pub(crate) struct WaitingLine {
    queue: Mutex<Queue<Waiting>>,
    /// How many wait, so that nobody takes the lock when nobody does.
    count: AtomicUsize,
}

impl WaitingLine {
    /// Joins the line; `None` when `maxqueue` is reached. With the ticket comes how many wait in the same place, oneself included.
    pub(crate) fn join(
        &self,
        place: Place,
        who: Waiting,
        now: u64,
        maxqueue: u32,
    ) -> Option<(Ticket, usize)> {
        let mut queue = self.queue.lock();
        // The session's own timer ends the wait.
        let times = Times {
            now,
            deadline: u64::MAX,
        };
        let ticket = queue
            .enqueue(place, who, Priority::default(), times, maxqueue)
            .ok()?;
        self.count.fetch_add(1, Relaxed);
        Some((ticket, queue.len(place)))
    }

    /// Leaves the line; false if a slot is already on its way.
    pub(crate) fn leave(&self, ticket: Ticket) -> bool {
        let left = self.queue.lock().remove(ticket).is_some();
        if left {
            self.count.fetch_sub(1, Relaxed);
        }
        left
    }

    /// Who comes next on a server that has room, and where they waited.
    pub(crate) fn next(&self, server: usize, from_backend: bool) -> Option<(Place, Waiting)> {
        if self.is_empty() {
            return None;
        }
        let next = self.queue.lock().dequeue(server, from_backend);
        if next.is_some() {
            self.count.fetch_sub(1, Relaxed);
        }
        next
    }

    /// Everybody who waits for one server that went away.
    pub(crate) fn evict(&self, server: usize) -> Vec<Waiting> {
        let evicted = self.queue.lock().drain_server(server);
        self.count.fetch_sub(evicted.len(), Relaxed);
        evicted
    }

    pub(crate) fn len(&self, place: Place) -> usize {
        if self.is_empty() {
            0
        } else {
            self.queue.lock().len(place)
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Relaxed) == 0
    }
}

/// Gives free slots of a backend's servers to those who wait.
pub(crate) fn offer(backend: &Arc<Backend>, mailboxes: &[Arc<Mailbox>], now: u64) {
    if !backend.line.is_empty() {
        for server in &backend.servers {
            offer_server(backend, server, mailboxes, now);
        }
    }
}

/// Gives free slots of one server to those who wait.
pub(crate) fn offer_server(
    backend: &Arc<Backend>,
    server: &Server,
    mailboxes: &[Arc<Mailbox>],
    now: u64,
) {
    let usable = server.state.balanced.usable();
    if !(usable || server.state.state() == State::Drain) {
        return;
    }
    while !backend.line.is_empty() {
        let limit = backend.balancer.limit(server.at, now);
        if limit.is_some_and(|limit| server.state.balanced.current() >= limit) {
            return;
        }
        let Some((place, waiting)) = backend.line.next(server.at, usable) else {
            return;
        };
        if let Place::Server(at) = place {
            backend.balancer.dequeued(at);
        }
        backend.balancer.connected(server.at);
        if let Some(mailbox) = mailboxes.get(waiting.worker) {
            mailbox.post(Message::Granted(
                waiting.key,
                backend.clone(),
                server.at,
                place,
            ));
        }
    }
}
