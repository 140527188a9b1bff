//! Rules: an action and the condition under which it is taken.

use serde::{Deserialize, Serialize};

use crate::expression::{Condition, Expression};
use crate::log::{FormatItem, LogOrigin};

/// One line of a rule set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What is done.
    pub action: Action,
    /// When; always if absent.
    pub condition: Option<Condition>,
    /// `file:line`, for messages.
    pub origin: String,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Stops the evaluation of the set: the connection passes.
    Accept {},
    /// Closes the connection.
    Reject {},
    /// Drops the connection without telling the client.
    SilentDrop {
        /// `rst-ttl`: reset with this hop limit instead of relying on TCP_REPAIR.
        rst_ttl: Option<u8>,
    },
    /// Ends the evaluation of the set: the connection becomes HTTP (`switch-mode http`).
    SwitchMode {
        /// `proto`: whether it is HTTP/2; `None` leaves that to what the client sends.
        h2: Option<bool>,
    },
    /// The connection must begin with a PROXY header (`expect-proxy layer4`).
    ExpectProxy {},
    /// Sets a variable from an expression.
    SetVar {
        /// Scope and name.
        name: String,
        /// Its new value.
        expression: Expression,
        /// Conditions `ifexists`, `ifset`, ... that must hold for the variable to be set.
        conditions: Vec<String>,
    },
    /// Sets a variable from a log format.
    SetVarFmt {
        /// Scope and name.
        name: String,
        /// Its new value.
        format: Vec<FormatItem>,
        /// Conditions `ifexists`, `ifset`, ... that must hold for the variable to be set.
        conditions: Vec<String>,
    },
    /// Forgets a variable.
    UnsetVar {
        /// Scope and name.
        name: String,
    },
    /// Replaces the client's address for all that follows.
    SetSrc {
        /// Evaluates to an address.
        expression: Expression,
    },
    /// Replaces the client's port.
    SetSrcPort {
        /// Evaluates to a port.
        expression: Expression,
    },
    /// Replaces the destination address.
    SetDst {
        /// Evaluates to an address.
        expression: Expression,
    },
    /// Replaces the destination port.
    SetDstPort {
        /// Evaluates to a port.
        expression: Expression,
    },
    /// Keeps a sample for the log.
    Capture {
        /// What is kept.
        expression: Expression,
        /// Bytes at most.
        len: usize,
        /// Index of the frontend's capture slot.
        slot: usize,
    },
    /// Changes the level at which the session is logged; `None` is `silent`.
    SetLogLevel {
        /// Syslog severity 0..=7.
        level: Option<u8>,
    },
    /// Writes a line to the log (`do-log`).
    DoLog {
        /// Where the rule stands.
        log_origin: LogOrigin,
    },
    /// Sets the netfilter mark of packets to the client (`set-fc-mark`) or to the server
    /// (`set-bc-mark`).
    SetMark {
        /// The server's connection is meant.
        server: bool,
        /// Evaluates to the mark.
        value: Expression,
    },
    /// Sets the DS field of packets to the client (`set-fc-tos`) or to the server (`set-bc-tos`).
    SetTos {
        /// The server's connection is meant.
        server: bool,
        /// Evaluates to the whole byte.
        value: Expression,
    },
    /// Replaces `retries` for this stream (`set-retries`).
    SetRetries {
        /// Evaluates to how often, 0..=100.
        value: Expression,
    },
    /// Asks for a name's address, waits for the answer and stores it in a variable, which stays as
    /// it is where there is none.
    DoResolve {
        /// Scope and name of the variable.
        name: String,
        /// The section `resolvers` that is asked.
        resolvers: String,
        /// Of which family an address is preferred.
        prefer: Family,
        /// How long the session waits at most, milliseconds.
        patience: u64,
        /// Evaluates to the name.
        expression: Expression,
    },
    /// Tracks the entry of a key, unless the counter tracks one already (`track-sc0` and the like).
    Track {
        /// The counter's number.
        counter: usize,
        /// What the key is made of.
        expression: Expression,
        /// Index into the plan's tables.
        table: usize,
    },
    /// Adds to a general purpose counter of a tracked entry (`sc-inc-gpc`, `sc-add-gpc`).
    AddGpc {
        /// Which general purpose counter.
        gpc: GpcName,
        /// The counter's number.
        counter: usize,
        /// Evaluates to what is added.
        amount: Expression,
    },
    /// Sets a tag of a tracked entry (`sc-set-gpt`).
    SetGpt {
        /// Which tag; `None` is `gpt0` or the first of the array.
        index: Option<usize>,
        /// The counter's number.
        counter: usize,
        /// Evaluates to the tag.
        value: Expression,
    },
}

/// A family of IP addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// IPv4
    Ipv4,
    /// IPv6
    Ipv6,
}

/// A general purpose counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum GpcName {
    /// `gpc0` or `gpc1`, or an element of the array where that is stored instead.
    Own {
        /// 0 or 1.
        index: usize,
    },
    /// An element of the array `gpc`.
    Element {
        /// Its place.
        index: usize,
    },
}

/// One `use_backend` line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendChoice {
    /// The backend.
    pub target: BackendTarget,
    /// When; always if absent.
    pub condition: Option<Condition>,
    /// `file:line`, for messages.
    pub origin: String,
}

/// The backend that a `use_backend` line chooses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum BackendTarget {
    /// A backend by index.
    Fixed {
        /// Index into the plan's backends.
        backend: usize,
    },
    /// A backend whose name a log format gives.
    Dynamic {
        /// Evaluates to a name; an unknown one falls through to the default backend.
        format: Vec<FormatItem>,
    },
}

/// One `use-server` line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerChoice {
    /// The server.
    pub target: ServerTarget,
    /// When; always if absent.
    pub condition: Option<Condition>,
    /// `file:line`, for messages.
    pub origin: String,
}

/// The server that a `use-server` line chooses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ServerTarget {
    /// A server by index.
    Fixed {
        /// Index into the backend's servers.
        server: usize,
    },
    /// A server whose name a log format gives.
    Dynamic {
        /// Evaluates to a name; an unknown one falls through to balancing.
        format: Vec<FormatItem>,
    },
}
