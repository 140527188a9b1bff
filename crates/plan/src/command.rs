//! What Python asks of a running engine besides a new plan. Names are used, not indexes, since a
//! command may cross a new plan on its way.

use serde::{Deserialize, Serialize};

/// A request to a running engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// An operator's decision about a server (`set server B/S state`).
    SetServerAdmin {
        /// Backend's name.
        backend: String,
        /// Server's name.
        server: String,
        /// The new state.
        state: AdminState,
    },
    /// A health check's decision about a server.
    SetServerHealth {
        /// Backend's name.
        backend: String,
        /// Server's name.
        server: String,
        /// Usable or not.
        up: bool,
        /// Why, for statistics and the log.
        reason: String,
    },
    /// `set server B/S weight`
    SetServerWeight {
        /// Backend's name.
        backend: String,
        /// Server's name.
        server: String,
        /// 0..=256.
        weight: u32,
    },
    /// `set var NAME VALUE`: sets a variable of scope `proc`.
    SetVariable {
        /// The variable, with its scope.
        name: String,
        /// What it is set to.
        value: crate::Assigned,
    },
    /// `shutdown session ID`
    ShutdownSession {
        /// The number that identifies it.
        id: u64,
    },
    /// `shutdown sessions server B/S`
    ShutdownServerSessions {
        /// Backend's name.
        backend: String,
        /// Server's name.
        server: String,
    },
    /// `set maxconn server B/S`
    SetServerMaxconn {
        /// Backend's name.
        backend: String,
        /// Server's name.
        server: String,
        /// 0 is unlimited.
        maxconn: u32,
    },
    /// `set maxconn frontend F`
    SetFrontendMaxconn {
        /// Frontend's name.
        frontend: String,
        /// 0 is unlimited.
        maxconn: u64,
    },
    /// `set maxconn global`
    SetMaxconn {
        /// At most what the configuration says; 0 is that.
        maxconn: u64,
    },
    /// `enable`, `disable`, `shutdown frontend F`
    SetFrontendState {
        /// Frontend's name.
        frontend: String,
        /// The new state.
        state: FrontendState,
    },
    /// `set rate-limit connections|sessions|http-compression global`
    SetRateLimit {
        /// What is limited.
        what: RateLimit,
        /// In a second; 0 is unlimited.
        limit: u64,
    },
    /// Writes a line to the log targets of a proxy, or of every proxy.
    Log {
        /// Frontend's or backend's name; `None` every distinct target of the plan.
        proxy: Option<String>,
        /// Syslog severity 0..=7.
        level: u8,
        /// The message.
        message: String,
    },
}

/// An operator's decision about a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminState {
    /// Takes traffic when healthy.
    Ready,
    /// Takes no new sessions but persistent ones.
    Drain,
    /// Takes no traffic, and is not checked.
    Maint,
}

/// An operator's decision about a frontend. Its sessions go on in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrontendState {
    /// It listens.
    Open,
    /// Its ports are released until it is opened again.
    Paused,
    /// Its ports are released for good.
    Shut,
}

/// What the process as a whole may do so often in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateLimit {
    /// Client connections (`maxconnrate`).
    Connections,
    /// Sessions (`maxsessrate`).
    Sessions,
    /// Bytes given to compression (`maxcomprate`).
    #[serde(rename = "http-compression")]
    HttpCompression,
    /// Client connections over TLS (`maxsslrate`).
    #[serde(rename = "ssl-sessions")]
    TlsConnections,
}
