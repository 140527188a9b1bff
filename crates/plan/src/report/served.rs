//! What a running engine tells of backends and their servers.

use serde::{Deserialize, Serialize};

/// A backend (`show stat`, type 1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendFacts {
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: u32,
    /// `UP` or `DOWN`.
    pub status: String,
    /// Sum of the usable servers' weights.
    pub weight: u64,
    /// Usable active servers.
    pub active: u64,
    /// Usable backup servers.
    pub backup: u64,
    /// Times that the last usable server went down.
    pub chkdown: u64,
    /// Seconds since the state last changed.
    pub last_change: u64,
    /// Seconds spent down.
    pub downtime: u64,
    /// The algorithm's name.
    pub algorithm: String,
    /// Whether it is in `mode http`.
    pub http: bool,
    /// What its sessions did.
    pub counters: ServerCounters,
    /// Its servers.
    pub servers: Vec<ServerFacts>,
}

/// A server (`show stat`, type 2).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerFacts {
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: u32,
    /// `UP`, `DOWN`, `MAINT`, `DRAIN`, `NOLB` or `no check`.
    pub status: String,
    /// Why it is in that state, empty if nobody said.
    pub reason: String,
    /// The address, `*` parts as written.
    pub address: String,
    /// `namespace`: the name, `*`, or empty for the default one.
    pub namespace: String,
    /// Effective weight.
    pub weight: u64,
    /// Weight that an operator set.
    pub user_weight: u64,
    /// Weight of the configuration.
    pub initial_weight: u64,
    /// Limit of its connections.
    pub maxconn: u64,
    /// Limit of its queue.
    pub maxqueue: u64,
    /// Whether it is a backup.
    pub backup: bool,
    /// Whether its health is checked or tracked.
    pub checked: bool,
    /// `backend/server` that it tracks, else empty.
    pub tracked: String,
    /// Operational state: 0 stopped, 1 starting (slowstart), 2 running, 3 stopping.
    pub op_state: u8,
    /// How much of its weight a slow start lets it have, in percent; 0 without a slow start under way.
    pub throttle: u32,
    /// Administrative state bits as `show servers state` prints them: 1 forced maintenance, 4 by configuration, 8 forced drain.
    pub admin_state: u8,
    /// Times it went down.
    pub chkdown: u64,
    /// Seconds since the state last changed.
    pub last_change: u64,
    /// Seconds spent down.
    pub downtime: u64,
    /// `pool-max-conn`: limit of the connections that wait, negative without one.
    pub idle_limit: i64,
    /// `pool-purge-delay`, milliseconds.
    pub idle_purge_ms: u64,
    /// Connections that wait, for each worker.
    pub idle_by_worker: Vec<u64>,
    /// What its sessions did.
    pub counters: ServerCounters,
}

/// What sessions did at a backend or server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerCounters {
    /// Waiting in the queue now.
    pub qcur: u64,
    /// Most in the queue at once.
    pub qmax: u64,
    /// Sessions now.
    pub scur: u64,
    /// Most sessions at once.
    pub smax: u64,
    /// Sessions in all.
    pub stot: u64,
    /// Bytes to servers.
    pub bin: u64,
    /// Bytes from servers.
    pub bout: u64,
    /// Requests denied.
    pub dreq: u64,
    /// Responses denied.
    pub dresp: u64,
    /// Changes of heads that rules could not make.
    pub wrew: u64,
    /// Bytes given to compression.
    pub comp_in: u64,
    /// Bytes that compression made of them.
    pub comp_out: u64,
    /// Bytes that it would have been given but for the limits of compression.
    pub comp_byp: u64,
    /// Responses compressed.
    pub comp_rsp: u64,
    /// Connection errors.
    pub econ: u64,
    /// Response errors.
    pub eresp: u64,
    /// Connection retries.
    pub wretr: u64,
    /// Redispatches to another server.
    pub wredis: u64,
    /// Times a server was chosen by balancing.
    pub lbtot: u64,
    /// Sessions in the last second.
    pub rate: u64,
    /// Highest `rate`.
    pub rate_max: u64,
    /// Transfers aborted by the client.
    pub cli_abrt: u64,
    /// Transfers aborted by the server.
    pub srv_abrt: u64,
    /// Seconds since the last session, -1 if there was none.
    pub lastsess: i64,
    /// Average queue time of the last 1024 sessions, milliseconds.
    pub qtime: u64,
    /// Average connect time of the last 1024 sessions, milliseconds.
    pub ctime: u64,
    /// Average total time of the last 1024 sessions, milliseconds.
    pub ttime: u64,
    /// Highest queue time, milliseconds.
    pub qtime_max: u64,
    /// Highest connect time, milliseconds.
    pub ctime_max: u64,
    /// Highest total time, milliseconds.
    pub ttime_max: u64,
    /// Connections tried.
    pub connect: u64,
    /// Requests that went over a connection that was there already.
    pub reuse: u64,
    /// Connections to it that an exchange uses now.
    pub used_connections: u64,
    /// Connections that wait for another request and have served one.
    pub fresh_connections: u64,
    /// Connections that wait for another request and have served several.
    pub proven_connections: u64,
    /// Connections that it is thought to need at once.
    pub needed_connections: u64,
    /// Average time until the response's head, of the last 1024 exchanges, milliseconds.
    pub rtime: u64,
    /// Highest such time, milliseconds.
    pub rtime_max: u64,
    /// Responses by the first digit of their status, 1 to 5; the others stand first.
    pub responses: [u64; 6],
}
