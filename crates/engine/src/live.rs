//! What outlives a plan: counters, gauges and server state. A new plan finds what it keeps by
//! name here, so that a reload loses no count and no health.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::demand::Demand;
use crate::load::Load;
use isthmus_stats::{Average, Counter, Gauge, Highest, Peak, Places, Rate};

/// What one worker counted for a frontend or a bind.
#[derive(Debug, Default)]
pub(crate) struct ClientShard {
    pub(crate) sessions: Counter,
    pub(crate) connections: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) bytes_out: Counter,
    pub(crate) denied_requests: Counter,
    pub(crate) failed_requests: Counter,
    /// Requests that the frontend itself answered.
    pub(crate) intercepted: Counter,
    pub(crate) denied_connections: Counter,
    pub(crate) denied_sessions: Counter,
    pub(crate) bad_proxy_headers: Counter,
    pub(crate) unlisted_namespaces: Counter,
    pub(crate) session_rate: Rate,
    pub(crate) connection_rate: Rate,
    pub(crate) requests: Counter,
    pub(crate) request_rate: Rate,
    pub(crate) denied_responses: Counter,
    pub(crate) failed_rewrites: Counter,
    /// Bytes given to compression, what it made of them, and responses compressed.
    pub(crate) compression_in: Counter,
    pub(crate) compression_out: Counter,
    /// Bytes that it would have been given but for `maxcomprate` and its kin.
    pub(crate) compression_bypassed: Counter,
    pub(crate) compressed: Counter,
    /// Responses by the first digit of their status; others in front.
    pub(crate) responses: [Counter; 6],
}

/// What one worker counted for a backend or a server.
#[derive(Debug, Default)]
pub(crate) struct ServerShard {
    pub(crate) sessions: Counter,
    pub(crate) balanced: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) bytes_out: Counter,
    pub(crate) denied_requests: Counter,
    pub(crate) failed_connections: Counter,
    pub(crate) failed_responses: Counter,
    pub(crate) retries: Counter,
    pub(crate) redispatches: Counter,
    pub(crate) client_aborts: Counter,
    pub(crate) server_aborts: Counter,
    pub(crate) connects: Counter,
    pub(crate) reuses: Counter,
    /// Of a server: its connections that may serve another request.
    pub(crate) demand: Demand,
    pub(crate) denied_responses: Counter,
    pub(crate) failed_rewrites: Counter,
    /// Bytes given to compression, what it made of them, and responses compressed.
    pub(crate) compression_in: Counter,
    pub(crate) compression_out: Counter,
    /// Bytes that it would have been given but for `maxcomprate` and its kin.
    pub(crate) compression_bypassed: Counter,
    pub(crate) compressed: Counter,
    /// Responses by the first digit of their status; others in front.
    pub(crate) responses: [Counter; 6],
    pub(crate) session_rate: Rate,
    pub(crate) queue_time: Average,
    pub(crate) connect_time: Average,
    pub(crate) response_time: Average,
    pub(crate) total_time: Average,
    /// When the last session began, engine milliseconds plus one; 0 if there was none.
    pub(crate) last_session: Counter,
}

/// Numbers that every worker changes.
#[derive(Debug, Default)]
pub(crate) struct Common {
    pub(crate) current: Places,
    pub(crate) highest: Highest,
    pub(crate) highest_rate: Peak,
    pub(crate) highest_connection_rate: Peak,
    pub(crate) highest_request_rate: Peak,
    pub(crate) highest_queue_time: Highest,
    pub(crate) highest_connect_time: Highest,
    pub(crate) highest_response_time: Highest,
    pub(crate) highest_total_time: Highest,
    /// Most that waited at once.
    pub(crate) queue_highest: Highest,
}

/// A frontend, bind, backend or server across plans: `S` is what a worker counts for it.
#[derive(Debug)]
pub(crate) struct Live<S> {
    pub(crate) common: Common,
    pub(crate) shards: Vec<Arc<S>>,
}

impl<S: Default> Live<S> {
    pub(crate) fn new(workers: usize) -> Self {
        let shards = (0..workers).map(|_| Arc::new(S::default())).collect();
        Self {
            common: Common::default(),
            shards,
        }
    }

    /// The part that one worker writes.
    pub(crate) fn shard(&self, worker: usize) -> Arc<S> {
        self.shards.get(worker).cloned().unwrap_or_default()
    }

    /// The sum of a number over all workers.
    pub(crate) fn sum(&self, read: impl Fn(&S) -> u64) -> u64 {
        self.shards.iter().map(|shard| read(shard)).sum()
    }
}

/// Counts a response by the first digit of its status.
fn count_response(responses: &[Counter; 6], status: u16) {
    let place = usize::from(status / 100);
    if let Some(counter) = responses.get(place).or_else(|| responses.first()) {
        counter.add(1);
    }
}

impl ClientShard {
    pub(crate) fn count_response(&self, status: u16) {
        count_response(&self.responses, status);
    }
}

impl ServerShard {
    pub(crate) fn count_response(&self, status: u16) {
        count_response(&self.responses, status);
    }
}

impl Live<ClientShard> {
    /// Counts a request.
    pub(crate) fn count_request(&self, own: &ClientShard, now: u64) {
        own.requests.add(1);
        let all = self.shards.iter().map(|shard| &shard.request_rate);
        self.common
            .highest_request_rate
            .count(&own.request_rate, now, all);
    }

    /// Counts a session that begins, in the part that a worker writes.
    pub(crate) fn count_session(&self, own: &ClientShard, now: u64) {
        own.sessions.add(1);
        let all = self.shards.iter().map(|shard| &shard.session_rate);
        self.common.highest_rate.count(&own.session_rate, now, all);
    }

    /// Counts a connection that was accepted.
    pub(crate) fn count_connection(&self, own: &ClientShard, now: u64) {
        own.connections.add(1);
        let all = self.shards.iter().map(|shard| &shard.connection_rate);
        let highest = &self.common.highest_connection_rate;
        highest.count(&own.connection_rate, now, all);
    }
}

impl Live<ServerShard> {
    /// Counts a session that was given to it.
    pub(crate) fn count_session(&self, own: &ServerShard, now: u64) {
        own.sessions.add(1);
        let all = self.shards.iter().map(|shard| &shard.session_rate);
        self.common.highest_rate.count(&own.session_rate, now, all);
    }
}

/// How many connections and sessions may begin in a second, in the whole process; 0 is unlimited.
#[derive(Debug)]
pub(crate) struct RateLimits {
    pub(crate) connections: AtomicU64,
    pub(crate) sessions: AtomicU64,
    /// Bytes that compression may be given.
    pub(crate) compression: AtomicU64,
    pub(crate) tls: AtomicU64,
}

impl RateLimits {
    /// What the configuration says.
    pub(crate) fn new(said: &isthmus_plan::Global) -> Self {
        Self {
            connections: AtomicU64::new(said.maxconnrate),
            sessions: AtomicU64::new(said.maxsessrate),
            compression: AtomicU64::new(said.http.compression_rate),
            tls: AtomicU64::new(said.maxsslrate),
        }
    }
}

/// The process as a whole.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) connections: Places,
    /// TLS connections with clients and servers, and how many there ever were.
    pub(crate) tls: Places,
    pub(crate) tls_connections: AtomicU64,
    pub(crate) stopping: AtomicBool,
    pub(crate) generation: AtomicU64,
    pub(crate) session_ids: AtomicU64,
    /// Where requests for services go.
    pub(crate) door: Arc<crate::door::Door>,
    /// Connections to servers.
    pub(crate) servers: Arc<Gauge>,
    /// Coders of bodies at work, where `maxzlibmem` limits them.
    pub(crate) coders: Arc<Gauge>,
    pub(crate) highest_session_rate: Peak,
    pub(crate) highest_connection_rate: Peak,
    pub(crate) highest_tls_rate: Peak,
    pub(crate) shards: Vec<Arc<ProcessShard>>,
}

/// What one worker counted for the process.
#[derive(Debug, Default)]
pub(crate) struct ProcessShard {
    pub(crate) connections: Counter,
    pub(crate) bytes_out: Counter,
    pub(crate) spliced_bytes_out: Counter,
    pub(crate) pipes_made: Counter,
    pub(crate) pipes_free: Gauge,
    pub(crate) pipes_closed: Counter,
    pub(crate) dropped_logs: Counter,
    pub(crate) failed_sessions: Counter,
    pub(crate) session_rate: Rate,
    pub(crate) connection_rate: Rate,
    /// Bytes given to compression, and what it made of them.
    pub(crate) compression_in: Rate,
    pub(crate) compression_out: Rate,
    /// TLS connections of clients.
    pub(crate) tls_rate: Rate,
    /// How busy the worker is.
    pub(crate) load: Load,
}

impl Process {
    /// How busy the workers are, percent of the time of the last second or so.
    pub(crate) fn busy_percent(&self, now: u64) -> u64 {
        let all = self.shards.iter().map(|shard| shard.load.seen(now));
        all.sum::<u64>()
            .checked_div(self.shards.len() as u64)
            .unwrap_or(0)
    }

    /// Whether fewer connections and sessions begin in a second than may (`maxconnrate`, `maxsessrate`), and
    /// fewer by `tls`, where the next one is (`maxsslrate`).
    pub(crate) fn is_below(&self, limits: &RateLimits, tls: bool, now: u64) -> bool {
        let below = |limit: u64, rate: fn(&ProcessShard) -> &Rate| {
            let shards = self.shards.iter();
            limit == 0 || shards.map(|shard| rate(shard).per_second(now)).sum::<u64>() < limit
        };
        below(limits.connections.load(Relaxed), |shard| {
            &shard.connection_rate
        }) && below(limits.sessions.load(Relaxed), |shard| &shard.session_rate)
            && (!tls || below(limits.tls.load(Relaxed), |shard| &shard.tls_rate))
    }

    /// Counts a session that begins, in the part that a worker writes.
    pub(crate) fn count_session(&self, own: &ProcessShard, now: u64) {
        let all = self.shards.iter().map(|shard| &shard.session_rate);
        self.highest_session_rate.count(&own.session_rate, now, all);
    }

    /// Counts a connection that was accepted.
    pub(crate) fn count_connection(&self, own: &ProcessShard, now: u64) {
        own.connections.add(1);
        let all = self.shards.iter().map(|shard| &shard.connection_rate);
        self.highest_connection_rate
            .count(&own.connection_rate, now, all);
    }

    /// Counts a TLS connection of a client whose place is held.
    pub(crate) fn count_tls(&self, own: &ProcessShard, now: u64) {
        self.tls.occupy();
        self.tls_connections.fetch_add(1, Relaxed);
        let all = self.shards.iter().map(|shard| &shard.tls_rate);
        self.highest_tls_rate.count(&own.tls_rate, now, all);
    }

    pub(crate) fn new(workers: usize) -> Self {
        Self {
            tls: Places::default(),
            tls_connections: AtomicU64::new(0),
            highest_tls_rate: Peak::default(),
            connections: Places::default(),
            stopping: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            session_ids: AtomicU64::new(0),
            highest_session_rate: Peak::default(),
            door: Arc::default(),
            servers: Arc::default(),
            coders: Arc::default(),
            highest_connection_rate: Peak::default(),
            shards: (0..workers)
                .map(|_| Arc::new(ProcessShard::default()))
                .collect(),
        }
    }
}

/// One TLS connection with a server, counted from its handshake on until it is closed.
#[derive(Debug)]
pub(crate) struct TlsPlace(Arc<Process>);

impl TlsPlace {
    /// Counts a connection, which no limit keeps from being made.
    pub(crate) fn new(process: &Arc<Process>) -> Self {
        process.tls.enter();
        process.tls_connections.fetch_add(1, Relaxed);
        Self(process.clone())
    }
}

impl Drop for TlsPlace {
    fn drop(&mut self) {
        self.0.tls.leave();
    }
}
