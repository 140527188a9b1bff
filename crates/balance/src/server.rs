//! What is true of one server at this moment, shared by all workers without a lock.
//!
//! Holds no health logic (health.rs) and no order among servers (balancer.rs). Whoever
//! changes a state or a weight here tells the backend's balancer: `Balancer::on_state_change`.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// Effective weights are kept in sixteenths of a weight, so that a slow start has steps in
/// between and the ring has sixteen points for a weight of 1.
pub(crate) const WEIGHT_SCALE: u32 = 16;

/// A server's weight, 0..=256 (server keyword `weight`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u16);

impl Weight {
    /// The default weight.
    pub const ONE: Self = Self(1);

    /// A weight, or nothing when it is over 256.
    #[must_use]
    pub const fn new(weight: u16) -> Option<Self> {
        if weight <= 256 {
            Some(Self(weight))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// Whether a server may be given work.
///
/// ```text
/// Up ──fall──▶ Down ──rise──▶ Up        (health)
/// any ──operator──▶ Maint | Drain ──operator──▶ Up or Down
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// In use.
    Up = 0,
    /// Failed its checks.
    Down = 1,
    /// Taken out by the operator, as if it were not there.
    Maint = 2,
    /// Keeps what it has and what persistence sends; balancing gives it nothing.
    Drain = 3,
}

impl State {
    const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Up,
            2 => Self::Maint,
            3 => Self::Drain,
            _ => Self::Down,
        }
    }
}

/// The limits of a server's load; 0 means unlimited, as in the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `maxconn`: concurrent connections (requests in HTTP mode).
    pub maxconn: u32,
    /// `minconn`: with it the limit moves between `minconn` and `maxconn` with the backend's load.
    pub minconn: u32,
    /// `maxqueue`: how many may wait for this server.
    pub maxqueue: u32,
}

/// What a configuration says of a server.
#[derive(Clone, Copy, Debug)]
pub struct ServerSettings {
    /// `id`, which is what consistent hashing and `balance first` know it by.
    pub id: u32,
    /// `weight`.
    pub weight: Weight,
    /// `backup`.
    pub backup: bool,
    /// `maxconn`, `minconn`, `maxqueue`.
    pub limits: Limits,
    /// `slowstart` in milliseconds; 0 for none.
    pub slowstart: u64,
}

/// One server's live state. All methods may be called from any thread.
#[derive(Debug)]
pub struct Server {
    id: AtomicU32,
    backup: AtomicBool,
    initial_weight: AtomicU16,
    user_weight: AtomicU16,
    effective_weight: AtomicU32,
    state: AtomicU8,
    limits: [AtomicU32; 3],
    slowstart: AtomicU64,
    /// When the slow start began, in the caller's milliseconds; 0 when there is none.
    warming_since: AtomicU64,
    /// A slow start began whose end nobody was told yet.
    warming: AtomicBool,
    current: AtomicU32,
    queued: AtomicU32,
}

impl Server {
    /// A server that is up, at full weight, without a slow start: as HAProxy starts.
    #[must_use]
    pub fn new(settings: ServerSettings) -> Self {
        let Limits {
            maxconn,
            minconn,
            maxqueue,
        } = settings.limits;
        Self {
            id: AtomicU32::new(settings.id),
            backup: AtomicBool::new(settings.backup),
            initial_weight: AtomicU16::new(settings.weight.get()),
            user_weight: AtomicU16::new(settings.weight.get()),
            effective_weight: AtomicU32::new(u32::from(settings.weight.get()) * WEIGHT_SCALE),
            state: AtomicU8::new(State::Up as u8),
            limits: [maxconn, minconn, maxqueue].map(AtomicU32::new),
            slowstart: AtomicU64::new(settings.slowstart),
            warming_since: AtomicU64::new(0),
            warming: AtomicBool::new(false),
            current: AtomicU32::new(0),
            queued: AtomicU32::new(0),
        }
    }

    /// The server's `id`.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id.load(Ordering::Relaxed)
    }

    /// Whether it is a `backup` server.
    #[must_use]
    pub fn backup(&self) -> bool {
        self.backup.load(Ordering::Relaxed)
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> State {
        State::from_number(self.state.load(Ordering::Relaxed))
    }

    /// Change the state. Coming up from `Down` or `Maint` starts the slow start, if there is one.
    /// The balancer must be told. `now` in milliseconds, never 0.
    pub fn set_state(&self, state: State, now: u64) {
        let before = State::from_number(self.state.swap(state as u8, Ordering::Relaxed));
        let came_back = matches!(before, State::Down | State::Maint) && state == State::Up;
        if came_back && self.slowstart.load(Ordering::Relaxed) > 0 {
            self.warming_since.store(now, Ordering::Relaxed);
            self.warming.store(true, Ordering::Relaxed);
        } else if state != State::Up {
            self.warming.store(false, Ordering::Relaxed);
        }
        self.refresh_weight(now);
    }

    /// The weight of the configuration.
    #[must_use]
    pub fn initial_weight(&self) -> Weight {
        Weight(self.initial_weight.load(Ordering::Relaxed))
    }

    /// Take over another configuration of the same server. Its load and state stay; so does the
    /// weight as last set, unless the configuration's is another one now. The balancer must be told.
    pub fn reconfigure(&self, settings: ServerSettings, now: u64) {
        self.id.store(settings.id, Ordering::Relaxed);
        self.backup.store(settings.backup, Ordering::Relaxed);
        self.slowstart.store(settings.slowstart, Ordering::Relaxed);
        self.set_limits(settings.limits);
        let weight = settings.weight.get();
        if self.initial_weight.swap(weight, Ordering::Relaxed) != weight {
            self.set_weight(settings.weight, now);
        }
    }

    /// The weight as last set.
    #[must_use]
    pub fn user_weight(&self) -> Weight {
        Weight(self.user_weight.load(Ordering::Relaxed))
    }

    /// Set the weight (`set server B/S weight`). The balancer must be told.
    pub fn set_weight(&self, weight: Weight, now: u64) {
        self.user_weight.store(weight.get(), Ordering::Relaxed);
        self.refresh_weight(now);
    }

    /// The weight at this step of a slow start, in sixteenths.
    #[must_use]
    pub fn effective_weight(&self) -> u32 {
        self.effective_weight.load(Ordering::Relaxed)
    }

    /// Bring a slow start's weight up to `now`. True when it changed: the balancer must be told.
    pub fn refresh_weight(&self, now: u64) -> bool {
        let full = u32::from(self.user_weight().get()) * WEIGHT_SCALE;
        let weight = match self.warmth(now) {
            Some((elapsed, whole)) => warming_weight(full / WEIGHT_SCALE, elapsed, whole),
            None => full,
        };
        self.effective_weight.swap(weight, Ordering::Relaxed) != weight
    }

    /// Whether a slow start has come to its end since the last call that said so. One that the server's
    /// fall, maintenance or drain cut short has none.
    pub fn take_warmed(&self, now: u64) -> bool {
        self.warming.load(Ordering::Relaxed)
            && self.warmth(now).is_none()
            && self.warming.swap(false, Ordering::Relaxed)
    }

    /// How much of its weight a slow start lets the server have at `now`, in percent as HAProxy 2.6 was
    /// seen to show it (`show stat`, `throttle`). None when there is no slow start under way.
    #[must_use]
    pub fn throttle(&self, now: u64) -> Option<u32> {
        self.warmth(now)?;
        let full = u32::from(self.user_weight().get()) * WEIGHT_SCALE;
        (100 * self.effective_weight() + WEIGHT_SCALE - 1).checked_div(full)
    }

    /// Whether a slow start is under way at `now`, and how far: (elapsed, whole) milliseconds.
    fn warmth(&self, now: u64) -> Option<(u64, u64)> {
        let since = self.warming_since.load(Ordering::Relaxed);
        let elapsed = now.saturating_sub(since);
        if since == 0 {
            return None;
        }
        let whole = self.slowstart.load(Ordering::Relaxed);
        if elapsed >= whole {
            self.warming_since.store(0, Ordering::Relaxed);
            return None;
        }
        Some((elapsed, whole))
    }

    /// Whether balancing may give it work: up, and its weight is not 0.
    #[must_use]
    pub fn usable(&self) -> bool {
        self.state() == State::Up && self.effective_weight() > 0
    }

    /// Connections (requests in HTTP mode) that the server has now.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.current.load(SeqCst)
    }

    /// How many wait in the server's own queue.
    #[must_use]
    pub fn queued(&self) -> u32 {
        self.queued.load(Ordering::Relaxed)
    }

    /// One connection more, unless there are `limit` already.
    ///
    /// Sequentially consistent, as `add_current`: who joins the queue looks for a free slot afterwards, who frees
    /// a slot looks at the queue afterwards, and one of them must see the other.
    pub(crate) fn enter(&self, limit: u32) -> bool {
        if limit == u32::MAX {
            self.add_current(1);
            return true;
        }
        let below = |current: u32| (current < limit).then_some(current + 1);
        self.current.fetch_update(SeqCst, SeqCst, below).is_ok()
    }

    pub(crate) fn add_current(&self, by: i32) {
        add(&self.current, by);
    }

    pub(crate) fn add_queued(&self, by: i32) {
        add(&self.queued, by);
    }

    /// `maxconn`, `minconn`, `maxqueue` as they are now.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let [maxconn, minconn, maxqueue] = &self.limits;
        Limits {
            maxconn: maxconn.load(Ordering::Relaxed),
            minconn: minconn.load(Ordering::Relaxed),
            maxqueue: maxqueue.load(Ordering::Relaxed),
        }
    }

    /// Change the limit of connections (`set maxconn server`). Who waits for a slot must be told.
    pub fn set_maxconn(&self, limit: u32) {
        let [maxconn, ..] = &self.limits;
        maxconn.store(limit, SeqCst);
    }

    /// Change the limits.
    pub fn set_limits(&self, limits: Limits) {
        let [maxconn, minconn, maxqueue] = &self.limits;
        maxconn.store(limits.maxconn, Ordering::Relaxed);
        minconn.store(limits.minconn, Ordering::Relaxed);
        maxqueue.store(limits.maxqueue, Ordering::Relaxed);
    }

    /// How many connections the server may have at this moment; `None` when there is no limit.
    /// `backend_connections` over `fullconn` is the backend's load (keywords `minconn`,
    /// `fullconn`); a slow start shrinks the limit, down to 1 (keyword `slowstart`).
    #[must_use]
    pub fn connection_limit(&self, load: Load, now: u64) -> Option<u32> {
        let Limits {
            maxconn, minconn, ..
        } = self.limits();
        if maxconn == 0 {
            return None;
        }
        let full = load.fullconn == 0 || load.connections >= load.fullconn;
        let limit = if minconn == 0 || minconn >= maxconn || full {
            maxconn
        } else {
            ramp(
                maxconn,
                u64::from(load.connections),
                u64::from(load.fullconn),
            )
            .max(minconn)
        };
        match self.warmth(now) {
            Some((elapsed, whole)) => Some(ramp(limit, elapsed, whole).max(1)),
            None => Some(limit),
        }
    }
}

/// How busy a backend is, which moves the limits of its servers that have `minconn`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    /// Connections of the backend now, waiting ones included.
    pub connections: u32,
    /// `fullconn`; 0 when no server has `minconn`.
    pub fullconn: u32,
}

/// The effective weight during a slow start: from one sixteenth to the whole, in sixteenths, stepping
/// once a second, as HAProxy 2.6 was seen to show it (`show stat`, `weight` and `throttle`).
fn warming_weight(weight: u32, elapsed: u64, whole: u64) -> u32 {
    let seconds = elapsed - elapsed % 1000;
    let sixteenths = 1 + ramp(WEIGHT_SCALE, seconds, whole);
    weight * sixteenths.min(WEIGHT_SCALE)
}

fn ramp(whole: u32, part: u64, of: u64) -> u32 {
    u32::try_from(u64::from(whole) * part / of.max(1)).unwrap_or(whole)
}

fn add(counter: &AtomicU32, by: i32) {
    if by >= 0 {
        counter.fetch_add(by.unsigned_abs(), SeqCst);
    } else {
        counter.fetch_sub(by.unsigned_abs(), SeqCst);
    }
}
