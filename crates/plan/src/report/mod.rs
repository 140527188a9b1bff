//! What a running engine tells: snapshots of counters and states, sessions, and events.
//! Amounts are totals since start unless they say otherwise; rates are per second.

use serde::{Deserialize, Serialize};

mod served;

pub use served::{BackendFacts, ServerCounters, ServerFacts};

/// Everything that the statistics show, taken at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The process as a whole.
    pub process: ProcessFacts,
    /// Frontends in the order of the plan.
    pub frontends: Vec<FrontendFacts>,
    /// Backends in the order of the plan.
    pub backends: Vec<BackendFacts>,
    /// Namespaces that the plan names.
    pub namespaces: Vec<NamespaceFacts>,
}

/// The process as a whole (`show info`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessFacts {
    /// Number of the plan in force, counted from 1.
    pub generation: u64,
    /// Milliseconds since the engine started.
    pub uptime_ms: u64,
    /// Worker threads.
    pub nbthread: u64,
    /// Client connections now.
    pub curr_conns: u64,
    /// Client connections ever accepted.
    pub cum_conns: u64,
    /// Limit of client connections.
    pub maxconn: u64,
    /// That limit as configured.
    pub hard_maxconn: u64,
    /// `maxconnrate`; 0 is unlimited.
    pub conn_rate_limit: u64,
    /// `maxsessrate`; 0 is unlimited.
    pub sess_rate_limit: u64,
    /// TLS connections now, with clients and servers.
    pub curr_tls: u64,
    /// TLS connections ever.
    pub cum_tls: u64,
    /// `maxsslconn`; 0 is unlimited.
    pub max_tls: u64,
    /// `maxsslrate`; 0 is unlimited.
    pub tls_rate_limit: u64,
    /// TLS connections of clients accepted in the last second.
    pub tls_rate: u64,
    /// Highest `tls_rate`.
    pub tls_rate_max: u64,
    /// Connections accepted in the last second, the highest of such, and the same for sessions.
    pub conn_rate: u64,
    /// Highest `conn_rate`.
    pub conn_rate_max: u64,
    /// Sessions begun in the last second.
    pub sess_rate: u64,
    /// Highest `sess_rate`.
    pub sess_rate_max: u64,
    /// `maxcomprate` in bytes; 0 is unlimited.
    pub compression_rate_limit: u64,
    /// Bytes given to compression in the last second.
    pub compression_rate_in: u64,
    /// Bytes that compression made in the last second.
    pub compression_rate_out: u64,
    /// `maxzlibmem` in bytes; 0 is unlimited.
    pub compression_memory_limit: u64,
    /// Bytes that compression uses, where that is limited.
    pub compression_memory: u64,
    /// Bytes sent to clients and servers.
    pub total_bytes_out: u64,
    /// Of these, bytes moved by splice(2).
    pub total_spliced_bytes_out: u64,
    /// Pipes in use now.
    pub pipes_used: u64,
    /// Pipes kept for reuse.
    pub pipes_free: u64,
    /// Log lines that a target did not take.
    pub dropped_logs: u64,
    /// Searches by regular expressions that ended at their limit, as if nothing matched.
    pub limited_searches: u64,
    /// Percent of the last second in which the workers slept.
    pub idle_percent: u64,
    /// Sessions ended by an error of the engine itself.
    pub failed_sessions: u64,
    /// Whether the engine was asked to stop and waits for its sessions.
    pub stopping: bool,
}

/// A frontend (`show stat`, type 0).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontendFacts {
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: u32,
    /// `OPEN`, `FULL`, `STOP` or `PAUSED`.
    pub status: String,
    /// Limit of its connections.
    pub maxconn: u64,
    /// New sessions in a second that it takes (`rate-limit sessions`); 0 is unlimited.
    pub rate_limit: u64,
    /// Whether it is in `mode http`.
    pub http: bool,
    /// What its clients did.
    pub counters: ClientCounters,
    /// Its binds.
    pub listeners: Vec<ListenerFacts>,
}

/// A bind (`show stat`, type 3).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerFacts {
    /// Its name, `sock-N` if it has none.
    pub name: String,
    /// Its number.
    pub id: u32,
    /// `OPEN`, `FULL` or `WAITING` (for its namespace).
    pub status: String,
    /// The address it listens on, the port as bound.
    pub address: String,
    /// Its namespace, empty for the default one.
    pub namespace: String,
    /// Limit of its connections.
    pub maxconn: u64,
    /// What its clients did.
    pub counters: ClientCounters,
}

/// What clients did at a frontend or bind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCounters {
    /// Sessions now.
    pub scur: u64,
    /// Most sessions at once.
    pub smax: u64,
    /// Sessions in all.
    pub stot: u64,
    /// Connections in all, with those refused by rules.
    pub conn_tot: u64,
    /// Bytes from clients.
    pub bin: u64,
    /// Bytes to clients.
    pub bout: u64,
    /// Requests denied by content rules.
    pub dreq: u64,
    /// Responses denied.
    pub dresp: u64,
    /// Changes of heads that rules could not make.
    pub wrew: u64,
    /// Requests that the frontend itself answered, without denying them.
    pub intercepted: u64,
    /// Bytes given to compression.
    pub comp_in: u64,
    /// Bytes that compression made of them.
    pub comp_out: u64,
    /// Bytes that it would have been given but for the limits of compression.
    pub comp_byp: u64,
    /// Responses compressed.
    pub comp_rsp: u64,
    /// Request errors: timeouts, closes, malformed headers.
    pub ereq: u64,
    /// Connections refused by `tcp-request connection`.
    pub dcon: u64,
    /// Sessions refused by `tcp-request session`.
    pub dses: u64,
    /// Sessions in the last second.
    pub rate: u64,
    /// Highest `rate`.
    pub rate_max: u64,
    /// Connections in the last second.
    pub conn_rate: u64,
    /// Highest `conn_rate`.
    pub conn_rate_max: u64,
    /// Requests in all, with those that were none (HTTP mode, as all that follow but the last two).
    pub req_tot: u64,
    /// Requests in the last second.
    pub req_rate: u64,
    /// Highest `req_rate`.
    pub req_rate_max: u64,
    /// Responses by the first digit of their status, 1 to 5; the others stand first.
    pub responses: [u64; 6],
    /// PROXY headers that were refused.
    pub bad_proxy_headers: u64,
    /// NETNS TLVs that named an unlisted namespace.
    pub unlisted_namespaces: u64,
}

/// A namespace that the plan names (`show namespaces`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamespaceFacts {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: String,
    /// Whether it exists now.
    pub present: bool,
    /// Whether it may be missing.
    pub optional: bool,
    /// Whether a NETNS TLV may pick it.
    pub listed: bool,
    /// The inode that identifies it in the kernel, 0 when absent.
    pub inode: u64,
    /// Times it was entered anew because it had been re-created.
    pub reentered: u64,
    /// Sockets created in it.
    pub sockets_created: u64,
    /// Sockets kept ready in it.
    pub sockets_ready: u64,
    /// Listeners open in it.
    pub listeners: u64,
    /// Sessions whose client came from it.
    pub sessions: u64,
    /// Why it can't be used, empty if it can.
    pub error: String,
}

/// One session (`show sess`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionFacts {
    /// Identifies the session while it lives.
    pub id: u64,
    /// Client's address.
    pub src: String,
    /// Frontend's name.
    pub frontend: String,
    /// Backend's name, `<NONE>` before one is chosen.
    pub backend: String,
    /// Server's name, `<none>` before one is chosen.
    pub server: String,
    /// The client connection's source namespace, empty for the default one.
    pub src_netns: String,
    /// The server connection's namespace, empty for the default one.
    pub dst_netns: String,
    /// Milliseconds since it began.
    pub age_ms: u64,
    /// Milliseconds since the last byte.
    pub idle_ms: u64,
    /// Milliseconds until the next timeout, -1 if there is none.
    pub expires_ms: i64,
    /// `header`, `rules`, `queue`, `connect`, `forward` or `close`.
    pub state: String,
    /// Bytes from the client.
    pub bytes_in: u64,
    /// Bytes from the server.
    pub bytes_out: u64,
    /// The worker that serves it.
    pub thread: u64,
    /// Client and server descriptors, -1 if there is none.
    pub fds: (i32, i32),
}

/// Something that happened which the control plane may act on or tell about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// A namespace came, went, or was re-created.
    Namespace {
        /// Its name.
        name: String,
        /// `appeared`, `vanished`, `reentered` or `failed`.
        what: String,
        /// More about it, for the log.
        detail: String,
    },
    /// A bind opened or failed after the plan was applied.
    Listener {
        /// Frontend's name.
        frontend: String,
        /// `file:line`
        origin: String,
        /// Why it could not be opened, empty when it was.
        error: String,
    },
    /// A server's slow start has come to its end.
    Warmed {
        /// Backend's name.
        backend: String,
        /// Server's name.
        server: String,
    },
    /// A graceful or hard stop has come to its end.
    Stopped {},
}

/// What came of applying a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyReport {
    /// Number of the plan now in force.
    pub generation: u64,
    /// Binds that are open, as `frontend`, configured origin and bound address.
    pub listeners: Vec<(String, String, String)>,
    /// What failed: origin and message. Where there is any, nothing was changed.
    pub errors: Vec<(String, String)>,
}
