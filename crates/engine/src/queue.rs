//! Who waits for a server's slot, across workers. A slot that becomes free is given to the first
//! in line, by a message to its worker; a session that is gone by then gives it back.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use std::sync::Arc;

use isthmus_balance::{Balancer, Place, Priority, Queue, State, Ticket, Times};
use parking_lot::Mutex;

use crate::generation::{Backend, Server};
use crate::mailbox::{Mailbox, Message};
use crate::slab::Key;

/// A waiting session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) worker: usize,
    pub(crate) key: Key,
    /// `set-priority-class` and `set-priority-offset`
    pub(crate) priority: Priority,
}

/// Why somebody does not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotJoined {
    /// `maxqueue` is reached.
    Full,
    /// The server is out of service by now.
    Closed,
}

/// The queues of one backend and its servers.
#[derive(Default)]
pub(crate) struct WaitingLine {
    queue: Mutex<Queue<Waiting>>,
    /// How many wait, so that nobody takes the lock when nobody does. Sequentially consistent, as the counts
    /// of slots: who joins looks for a slot then, who frees one looks here then; one must see the other.
    count: AtomicUsize,
}

impl WaitingLine {
    /// Joins the line, if its place is `open`. With the ticket comes how many wait in the same place, oneself
    /// included.
    ///
    /// Whoever closes a place calls [`WaitingLine::evict`] afterwards, which takes the lock under which `open`
    /// is asked: who joins either sees that it is closed, or is evicted.
    pub(crate) fn join(
        &self,
        place: Place,
        who: Waiting,
        (now, maxqueue): (u64, u32),
        open: impl FnOnce() -> bool,
    ) -> Result<(Ticket, usize), NotJoined> {
        let mut queue = self.queue.lock();
        if !open() {
            return Err(NotJoined::Closed);
        }
        // The session's own timer ends the wait.
        let times = Times {
            now,
            deadline: u64::MAX,
        };
        let ticket = queue
            .enqueue(place, who, who.priority, times, maxqueue)
            .map_err(|_| NotJoined::Full)?;
        self.count.fetch_add(1, SeqCst);
        Ok((ticket, queue.len(place)))
    }

    /// Leaves the line; false if a slot is already on its way.
    pub(crate) fn leave(&self, ticket: Ticket) -> bool {
        let left = self.queue.lock().remove(ticket).is_some();
        if left {
            self.count.fetch_sub(1, SeqCst);
        }
        left
    }

    /// Gives a free slot of a server to who comes next on it; where they waited, and who. `None`: there is no
    /// slot, or nobody for it. A slot is only taken for somebody who is there, so none is held back in
    /// between from who joins meanwhile.
    pub(crate) fn grant(
        &self,
        balancer: &Balancer,
        server: usize,
        from_backend: bool,
        now: u64,
    ) -> Option<(Place, Waiting)> {
        if self.is_empty() {
            return None;
        }
        let mut queue = self.queue.lock();
        let ticket = queue.first(server, from_backend)?;
        if !balancer.reserve_for_next(server, now) {
            return None;
        }
        let next = queue.remove(ticket)?;
        drop(queue);
        self.count.fetch_sub(1, SeqCst);
        Some((ticket.place(), next))
    }

    /// Everybody who waits for one server that went away.
    pub(crate) fn evict(&self, server: usize) -> Vec<Waiting> {
        let evicted = self.queue.lock().drain_server(server);
        self.count.fetch_sub(evicted.len(), SeqCst);
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
        self.count.load(SeqCst) == 0
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
    // A draining one, or one of weight 0, has those alone whom a `use-server` rule sent to it.
    if !matches!(server.state.state(), State::Up | State::Drain) {
        return;
    }
    let usable = server.state.balanced.usable();
    while let Some((place, waiting)) = backend
        .line
        .grant(&backend.balancer, server.at, usable, now)
    {
        if let Place::Server(at) = place {
            backend.balancer.dequeued(at);
        }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    use isthmus_balance::{Algorithm, Limits, ServerSettings, Weight};

    use super::*;

    const WORKERS: usize = 3;
    const ROUNDS: usize = 20_000;
    const PATIENCE: Duration = Duration::from_secs(20);

    /// One server with one slot, and the workers that want it.
    struct Race {
        balancer: Balancer,
        line: WaitingLine,
        granted: [AtomicBool; WORKERS],
        held: AtomicUsize,
    }

    impl Race {
        fn new() -> Self {
            let limits = Limits {
                maxconn: 1,
                ..Limits::default()
            };
            let server = isthmus_balance::Server::new(ServerSettings {
                id: 1,
                weight: Weight::ONE,
                backup: false,
                limits,
                slowstart: 0,
            });
            Self {
                balancer: Balancer::new(Algorithm::RoundRobin, vec![Arc::new(server)], false, 0),
                line: WaitingLine::default(),
                granted: Default::default(),
                held: AtomicUsize::new(0),
            }
        }

        fn offer(&self) {
            while let Some((_, waiting)) = self.line.grant(&self.balancer, 0, true, 1) {
                self.balancer.dequeued(0);
                self.granted[waiting.worker].store(true, SeqCst);
            }
        }

        fn take_slot(&self, worker: usize) {
            if self.balancer.reserve(0, 1) {
                return;
            }
            let key = Key {
                index: 0,
                generation: 0,
            };
            self.balancer.queued(0);
            let who = Waiting {
                worker,
                key,
                priority: Priority::default(),
            };
            let joined = self.line.join(Place::Server(0), who, (1, 0), || true);
            assert!(joined.is_ok());
            self.offer();
            let end = Instant::now() + PATIENCE;
            while !self.granted[worker].swap(false, SeqCst) {
                assert!(Instant::now() < end, "forgotten in the queue");
                std::thread::yield_now();
            }
        }

        fn give_slot_back(&self) {
            self.balancer.disconnected(0);
            self.offer();
        }
    }

    #[test]
    fn who_joins_the_queue_of_a_server_that_has_just_gone_down_is_turned_away() {
        let race = Race::new();
        let [server] = race.balancer.servers() else {
            panic!("one server")
        };
        let waiting = |worker| Waiting {
            worker,
            priority: Priority::default(),
            key: Key {
                index: 0,
                generation: 0,
            },
        };
        let join = |worker| {
            race.line
                .join(Place::Server(0), waiting(worker), (1, 0), || {
                    server.usable()
                })
        };
        assert!(join(0).is_ok());
        // A worker has chosen the server; before it joins, a check takes the server out.
        server.set_state(State::Down, 1);
        let evicted: Vec<usize> = race.line.evict(0).iter().map(|w| w.worker).collect();
        assert_eq!(evicted, [0]);
        assert_eq!(join(1).err(), Some(NotJoined::Closed));
        assert!(race.line.is_empty());
    }

    #[test]
    fn nobody_is_left_in_the_queue_of_a_server_that_goes_down_while_others_join() {
        let race = Race::new();
        let [server] = race.balancer.servers() else {
            panic!("one server")
        };
        let key = Key {
            index: 0,
            generation: 0,
        };
        for _ in 0..ROUNDS / 20 {
            server.set_state(State::Up, 1);
            std::thread::scope(|scope| {
                for worker in 0..WORKERS {
                    let line = &race.line;
                    scope.spawn(move || {
                        let who = Waiting {
                            worker,
                            key,
                            priority: Priority::default(),
                        };
                        let _ = line.join(Place::Server(0), who, (1, 0), || server.usable());
                    });
                }
                server.set_state(State::Down, 1);
                race.line.evict(0);
            });
            assert!(race.line.is_empty());
        }
    }

    #[test]
    fn workers_that_race_for_one_slot_get_it_one_at_a_time_and_none_is_forgotten() {
        let race = Race::new();
        std::thread::scope(|scope| {
            for worker in 0..WORKERS {
                let race = &race;
                scope.spawn(move || {
                    for _ in 0..ROUNDS {
                        race.take_slot(worker);
                        assert_eq!(race.held.fetch_add(1, SeqCst), 0);
                        race.held.fetch_sub(1, SeqCst);
                        race.give_slot_back();
                    }
                });
            }
        });
        assert!(race.line.is_empty());
    }
}
