//! The choice of a server for one request or connection (`balance`, `hash-type`,
//! `hash-balance-factor`), and the counters on which it rests.
//!
//! One balancer belongs to one backend and is shared by all workers. The caller extracts the key,
//! calls `pick`, takes a slot with `reserve`, then reports what became of it: `disconnected`, `queued`,
//! `dequeued`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use crate::algorithm::{Algorithm, HashType, Key, Method};
use crate::eligible::eligible;
use crate::load::LoadOrder;
use crate::ring::Ring;
use crate::server::{Load, Server};
use crate::slots::Slots;
use crate::wheel::Wheel;

#[derive(Debug)]
enum Kind {
    Wheel(Mutex<Wheel>),
    Slots(Option<HashType>, ArcSwap<Slots>, AtomicUsize),
    LeastConn(Mutex<LoadOrder>),
    First(ArcSwap<Vec<usize>>),
    Random {
        draws: u32,
        factor: u32,
        ring: ArcSwap<Ring>,
    },
    /// `cursor` is the place after which a request without a key goes on, plus one; 0 for the start.
    Ring {
        hash_type: HashType,
        factor: u32,
        ring: ArcSwap<Ring>,
        cursor: AtomicU64,
    },
}

/// The balancing of one backend.
#[derive(Debug)]
pub struct Balancer {
    servers: Box<[Arc<Server>]>,
    allbackups: bool,
    fullconn: u32,
    connections: Arc<AtomicU32>,
    kind: Kind,
}

impl Balancer {
    /// A balancer over a backend's servers in the configuration's order. `fullconn` may be 0
    /// when no server has `minconn`.
    #[must_use]
    pub fn new(
        algorithm: Algorithm,
        servers: Vec<Arc<Server>>,
        allbackups: bool,
        fullconn: u32,
    ) -> Self {
        let kind = match algorithm {
            Algorithm::RoundRobin => Kind::Wheel(Mutex::default()),
            Algorithm::StaticRoundRobin => {
                Kind::Slots(None, ArcSwap::default(), AtomicUsize::new(0))
            }
            Algorithm::LeastConn => Kind::LeastConn(Mutex::default()),
            Algorithm::First => Kind::First(ArcSwap::default()),
            Algorithm::Random { draws, factor } => Kind::Random {
                draws: draws.max(1),
                factor,
                ring: ArcSwap::default(),
            },
            Algorithm::Hash { hash_type, factor } => match hash_type.method {
                Method::MapBased => {
                    Kind::Slots(Some(hash_type), ArcSwap::default(), AtomicUsize::new(0))
                }
                Method::Consistent => {
                    let (ring, cursor) = (ArcSwap::default(), AtomicU64::new(0));
                    Kind::Ring {
                        hash_type,
                        factor,
                        ring,
                        cursor,
                    }
                }
            },
        };
        let servers = servers.into_boxed_slice();
        let connections = servers.iter().map(|server| server.current()).sum();
        let balancer = Self {
            servers,
            allbackups,
            fullconn,
            connections: Arc::new(AtomicU32::new(connections)),
            kind,
        };
        balancer.on_state_change();
        balancer
    }

    /// Counts the backend's connections together with another balancer: the one of an earlier
    /// configuration of the same backend, whose connections end there.
    #[must_use]
    pub fn counting_with(mut self, connections: Arc<AtomicU32>) -> Self {
        self.connections = connections;
        self
    }

    /// The servers, in the configuration's order; `pick` gives positions in it.
    #[must_use]
    pub fn servers(&self) -> &[Arc<Server>] {
        &self.servers
    }

    /// Take notice of states and weights that changed. Call it after every change, never per request.
    pub fn on_state_change(&self) {
        let eligible = eligible(&self.servers, self.allbackups);
        match &self.kind {
            Kind::Wheel(wheel) => wheel.lock().update(&self.servers, &eligible),
            Kind::Slots(hash_type, slots, _) => {
                let members = &eligible.members;
                let contenders = if hash_type.is_some() {
                    members
                } else {
                    &eligible.peers
                };
                slots.store(Arc::new(Slots::new(&self.servers, members, contenders)));
            }
            Kind::LeastConn(order) => order.lock().update(&self.servers, &eligible),
            Kind::First(order) => {
                let mut members = eligible.members;
                members.sort_by_key(|at| self.servers.get(*at).map(|server| server.id()));
                order.store(Arc::new(members));
            }
            Kind::Random { ring, .. } | Kind::Ring { ring, .. } => {
                ring.store(Arc::new(Ring::new(&self.servers, &eligible)));
            }
        }
    }

    /// Choose a server; its position in `servers()`.
    ///
    /// `None` means that nobody can take the request now: it waits in the backend's queue, or fails
    /// when no server is usable at all. An algorithm with a key may choose a server that is full (see `has_room`):
    /// the request waits in that server's queue. `excluded`, which failed
    /// this request before, is chosen only when it is the only choice. Without a key (a header that is
    /// absent) the servers come in turns. `seed` is a random number, used by `random` only; `now` in milliseconds.
    pub fn pick(
        &self,
        key: Option<Key<'_>>,
        seed: u64,
        excluded: Option<usize>,
        now: u64,
    ) -> Option<usize> {
        let room = |at: usize| self.has_room(at, now);
        match &self.kind {
            Kind::Wheel(wheel) => wheel.lock().pick(excluded, room),
            Kind::Slots(hash_type, slots, turn) => {
                let slots = slots.load();
                match (hash_type, key) {
                    (Some(hash_type), Some(key)) => slots.get(hash_type.hash(key) as usize),
                    _ => in_turn(&slots, turn, excluded, room),
                }
            }
            Kind::LeastConn(order) => order
                .lock()
                .pick(excluded, |at| self.has_queue_room(at, now)),
            Kind::First(order) => {
                let order = order.load();
                prefer_others(order.iter().copied().filter(|at| room(*at)), excluded)
            }
            Kind::Random {
                draws,
                factor,
                ring,
            } => {
                let ring = ring.load();
                let chosen = self.draw(&ring, *draws, *factor, seed, excluded)?;
                room(chosen).then_some(chosen)
            }
            Kind::Ring {
                hash_type,
                factor,
                ring,
                cursor,
            } => {
                let ring = ring.load();
                match key {
                    Some(key) => self.on_ring(&ring, hash_type.hash(key), *factor, excluded),
                    None => around(&ring, cursor, excluded, room),
                }
            }
        }
    }

    /// The nearest server on the ring that is within its bound.
    fn on_ring(
        &self,
        ring: &Ring,
        hash: u32,
        factor: u32,
        excluded: Option<usize>,
    ) -> Option<usize> {
        let mut candidates = ring.of_key(hash);
        if factor == 0 {
            return prefer_others(candidates, excluded);
        }
        let connections = self.connections.load(Ordering::Relaxed).saturating_add(1);
        let within = |at: &usize| {
            let bound = ring.bound(*at, connections, factor);
            self.servers
                .get(*at)
                .is_some_and(|server| u64::from(server.current()) < bound)
        };
        prefer_others(candidates.by_ref().filter(within), excluded)
    }

    /// The least loaded for its weight of several servers drawn at random.
    fn draw(
        &self,
        ring: &Ring,
        draws: u32,
        factor: u32,
        seed: u64,
        excluded: Option<usize>,
    ) -> Option<usize> {
        let mut best: Option<(u64, u64, usize)> = None;
        for draw in 0..draws {
            let hash = mix(seed, draw);
            let at = self.on_ring(ring, hash, factor, excluded)?;
            let server = self.servers.get(at)?;
            let (load, weight) = (
                u64::from(server.current()),
                u64::from(server.effective_weight().max(1)),
            );
            if best.is_none_or(|(least, its_weight, _)| load * its_weight < least * weight) {
                best = Some((load, weight, at));
            }
        }
        best.map(|(_, _, at)| at)
    }

    /// How busy the backend would be with one connection more.
    fn load_with_one_more(&self) -> Load {
        let connections = self.connections.load(Ordering::Relaxed).saturating_add(1);
        Load {
            connections,
            fullconn: self.fullconn,
        }
    }

    /// How many connections a server may have now; `None` when there is no limit.
    #[must_use]
    pub fn limit(&self, at: usize, now: u64) -> Option<u32> {
        self.servers
            .get(at)?
            .connection_limit(self.load_with_one_more(), now)
    }

    /// Whether a server may be given a connection at once: nobody waits for it and its `maxconn`, as it stands
    /// with `minconn` and slow start, is not reached.
    #[must_use]
    pub fn has_room(&self, at: usize, now: u64) -> bool {
        let Some(server) = self.servers.get(at) else {
            return false;
        };
        match server.connection_limit(self.load_with_one_more(), now) {
            None => true,
            Some(limit) => server.queued() == 0 && server.current() < limit,
        }
    }

    /// As `has_room`, but with an explicit `maxqueue` its queue counts as room (`leastconn`).
    fn has_queue_room(&self, at: usize, now: u64) -> bool {
        let Some(server) = self.servers.get(at) else {
            return false;
        };
        let maxqueue = server.limits().maxqueue;
        match server.connection_limit(self.load_with_one_more(), now) {
            Some(limit) if maxqueue > 0 => {
                server.current().saturating_add(server.queued()) < limit.saturating_add(maxqueue)
            }
            Some(limit) => server.queued() == 0 && server.current() < limit,
            None => true,
        }
    }

    /// Give the server a connection (a request in HTTP mode) if it has room and nobody waits for it. False: it
    /// has none. Look and count are one step, so that two threads cannot both take the last slot.
    #[must_use]
    pub fn reserve(&self, at: usize, now: u64) -> bool {
        let waited_for = self.servers.get(at).is_none_or(|s| s.queued() > 0);
        let limit = self.limit(at, now);
        !(waited_for && limit.is_some()) && self.enter(at, limit)
    }

    /// As `reserve`, for whoever comes first among those who wait.
    #[must_use]
    pub fn reserve_for_next(&self, at: usize, now: u64) -> bool {
        self.enter(at, self.limit(at, now))
    }

    fn enter(&self, at: usize, limit: Option<u32>) -> bool {
        let enter = |server: &Server| server.enter(limit.unwrap_or(u32::MAX));
        let entered = self.count(at, enter).unwrap_or(false);
        if entered {
            self.connections.fetch_add(1, Ordering::Relaxed);
        }
        entered
    }

    /// A connection was given to the server, whether it has room or not.
    pub fn connected(&self, at: usize) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.count(at, |server| server.add_current(1));
    }

    /// That connection ended, or the attempt failed.
    pub fn disconnected(&self, at: usize) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
        self.count(at, |server| server.add_current(-1));
    }

    /// A request waits in the server's queue.
    pub fn queued(&self, at: usize) {
        self.count(at, |server| server.add_queued(1));
    }

    /// A request left the server's queue.
    pub fn dequeued(&self, at: usize) {
        self.count(at, |server| server.add_queued(-1));
    }

    /// Another balancer counted a connection of a server that this one may know too.
    pub fn counted_elsewhere(&self, server: &Arc<Server>) {
        let place = self.servers.iter().position(|own| Arc::ptr_eq(own, server));
        if let (Kind::LeastConn(order), Some(at)) = (&self.kind, place) {
            order.lock().reposition(at, server);
        }
    }

    /// Take notice of what other balancers counted before they told this one.
    pub fn recount(&self) {
        if let Kind::LeastConn(order) = &self.kind {
            let eligible = eligible(&self.servers, self.allbackups);
            order.lock().update(&self.servers, &eligible);
        }
    }

    fn count<T>(&self, at: usize, change: impl Fn(&Server) -> T) -> Option<T> {
        let server = self.servers.get(at)?;
        let Kind::LeastConn(order) = &self.kind else {
            return Some(change(server));
        };
        let mut order = order.lock();
        let outcome = change(server);
        order.reposition(at, server);
        Some(outcome)
    }
}

/// The first candidate that is not excluded, or the excluded one when there is no other.
fn prefer_others(
    candidates: impl Iterator<Item = usize>,
    excluded: Option<usize>,
) -> Option<usize> {
    let mut avoided = None;
    for at in candidates {
        if excluded != Some(at) {
            return Some(at);
        }
        avoided = Some(at);
    }
    avoided
}

/// The next slot of the map whose server has room.
fn in_turn(
    slots: &Slots,
    turn: &AtomicUsize,
    excluded: Option<usize>,
    has_room: impl Fn(usize) -> bool,
) -> Option<usize> {
    let following = |turn: usize| if turn + 1 < slots.len() { turn + 1 } else { 0 };
    let turns = (0..slots.len()).filter_map(|_| {
        let wrap = |turn| Some(following(turn));
        let turn = turn
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, wrap)
            .unwrap_or(0);
        slots.get(turn)
    });
    prefer_others(turns.filter(|at| has_room(*at)), excluded)
}

/// The next point of the ring whose server has room.
fn around(
    ring: &Ring,
    cursor: &AtomicU64,
    excluded: Option<usize>,
    has_room: impl Fn(usize) -> bool,
) -> Option<usize> {
    let after = cursor
        .load(Ordering::Relaxed)
        .checked_sub(1)
        .and_then(|c| u32::try_from(c).ok());
    let mut avoided = None;
    for (place, at) in ring.above(after).filter(|(_, at)| has_room(*at)) {
        if excluded != Some(at) {
            cursor.store(u64::from(place) + 1, Ordering::Relaxed);
            return Some(at);
        }
        avoided = Some(at);
    }
    avoided
}

/// The hash of one of several draws from one random number (a step of splitmix64).
fn mix(seed: u64, draw: u32) -> u32 {
    let mut z = seed.wrapping_add(
        u64::from(draw)
            .wrapping_add(1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15),
    );
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 32) as u32
}
