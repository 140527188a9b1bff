//! The plan: one plain, versioned document that says everything the engine needs to run a
//! configuration. Python's `isthmus.plan` makes it, every name in it is resolved to an index, and
//! nothing in it needs a file, a clock or a resolver. Unknown fields are refused, so that the two
//! sides cannot drift apart silently; `tests/golden` holds documents both sides read.
//!
//! `command` travels the same way while the engine runs, `report` travels back.

#![forbid(unsafe_code)]

mod address;
mod backend;
mod bytestring;
mod caches;
pub mod command;
pub mod explain;
mod expression;
mod frontend;
pub mod http;
mod log;
mod patterns;
pub mod question;
pub mod report;
mod rule;
pub mod service;
mod table;
mod table_request;
pub mod tls;
pub mod tls_facts;
mod userlist;

use serde::{Deserialize, Serialize};

pub use address::{
    Address, ClientSource, ServerAddress, ServerNamespace, ServerPort, SourceAddress,
};
pub use backend::{
    Algorithm, Backend, BackendOptions, Hash, HashFunction, HashKind, ProxyHeader, ProxyTlv, Server,
};
pub use bytestring::ByteString;
pub use caches::{CacheFacts, CachedFacts};
pub use expression::{Acl, AclTest, Arg, Call, Condition, Expression, MatchMethod, Term};
pub use frontend::{Bind, Frontend, FrontendOptions, KeepAlive, Shards, Splice};
pub use log::{
    Encoding, Field, FormatItem, ItemType, LogAddress, LogFormat, LogOrigin, LogPolicy,
    LogSampling, LogStep, LogTarget, LogWhen,
};
pub use patterns::{
    ListAnswer, ListCheck, ListFacts, ListRefusal, ListRequest, ListUse, ListValues, Lookup,
    PatternList,
};
pub use rule::{
    Action, BackendChoice, BackendTarget, Family, GpcName, Rule, ServerChoice, ServerTarget,
};
pub use table::{Stick, StickRule, StickTable, StoredData, TableKey};
pub use table_request::{
    Comparison, TableAnswer, TableEntry, TableFacts, TableFilter, TableNumber, TableRefusal,
    TableRequest,
};
pub use userlist::{Password, User, Userlist};

/// The version of the document's shape. A plan of another version is refused.
pub const VERSION: u32 = 1;

/// Everything that the engine needs to run one configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Must be [`VERSION`].
    pub version: u32,
    /// Process-wide limits and settings.
    pub global: Global,
    /// Every namespace that the plan names; other parts refer to them by index.
    pub namespaces: Vec<Namespace>,
    /// Indexes of the namespaces that a NETNS TLV may pick (section `namespace_list`).
    pub namespace_list: Vec<usize>,
    /// Every file of patterns that ACLs and maps name; they refer to them by index.
    pub lists: Vec<PatternList>,
    /// Every userlist; expressions refer to them by index.
    pub userlists: Vec<Userlist>,
    /// Every stick table; rules and expressions refer to them by index.
    pub tables: Vec<StickTable>,
    /// Every file that TLS needs; binds and servers refer to them by index.
    pub tls: tls::TlsFiles,
    /// Every named and anonymous ACL; conditions refer to them by index.
    pub acls: Vec<Acl>,
    /// Frontends, and the client side of every `listen`.
    pub frontends: Vec<Frontend>,
    /// Backends, and the server side of every `listen`.
    pub backends: Vec<Backend>,
}

/// Process-wide limits and settings (section `global`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Global {
    /// Worker threads; 0 means one per usable processor.
    pub nbthread: usize,
    /// Most client connections of the process; 0 means no limit but the descriptors.
    pub maxconn: u64,
    /// `maxconnrate`: connections accepted in a second; 0 is unlimited.
    pub maxconnrate: u64,
    /// Descriptors that the process may have; 0 is unknown.
    pub files: u64,
    /// `maxsessrate`: sessions begun in a second; 0 is unlimited.
    pub maxsessrate: u64,
    /// `maxsslconn`: TLS connections of the process, with clients and servers, above which no client's is
    /// accepted; 0 is unlimited.
    pub maxsslconn: u64,
    /// `maxsslrate`: TLS connections of clients accepted in a second; 0 is unlimited.
    pub maxsslrate: u64,
    /// Host name written in logs (`log-send-hostname`); empty means none is sent.
    pub log_hostname: String,
    /// `node`/host name for the `%H` alias and the `hostname` fetch.
    pub hostname: String,
    /// Bytes of one buffer (`tune.bufsize`).
    pub bufsize: usize,
    /// Most connections accepted in a row (`tune.maxaccept`).
    pub maxaccept: usize,
    /// Most events taken from the poller at once (`tune.maxpollevents`).
    pub maxpollevents: usize,
    /// Bytes of a pipe used for splice(2) (`tune.pipesize`); 0 leaves the choice to the engine.
    pub pipesize: usize,
    /// Kernel buffer sizes in bytes, 0 for the kernel's own: client receive, client send, server receive, server send.
    pub socket_buffers: [usize; 4],
    /// Bytes that a client's connection and a server's may have in the kernel unsent (`tune.notsent-lowat.*`);
    /// 0 leaves the kernel's.
    pub unsent: [usize; 2],
    /// Whether clients whose port is below 1024 are dropped (`harden.reject-privileged-ports.tcp`).
    pub reject_privileged_ports: bool,
    /// Settings of HTTP mode.
    pub http: http::HttpGlobal,
    /// Whether splice(2) may be used at all (`nosplice`).
    pub splice: bool,
    /// What a TLV that names an unlisted namespace does: close (false) or fall through (true).
    pub netns_unlisted_ignore: bool,
    /// Milliseconds after which a graceful stop becomes a hard one; 0 never (`hard-stop-after`).
    pub hard_stop_after: u64,
    /// Variables of scope `proc` set at start (`set-var`, `set-var-fmt`), in this order: name and value.
    pub variables: Vec<(String, Assigned)>,
    /// `tune.vars.*-max-size`, where any is set.
    pub variable_limits: Option<VariableLimits>,
}

/// Bytes of variables at most (`tune.vars.*-max-size`); 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariableLimits {
    /// Of all scopes together.
    pub global: u64,
    /// Of the process, all sessions included.
    pub proc: u64,
    /// Of a session, its exchange included.
    pub sess: u64,
    /// Of an exchange, request or response included.
    pub txn: u64,
    /// Of a request or a response.
    pub reqres: u64,
}

/// What a variable is set to at start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Assigned {
    /// Text made of several pieces.
    Format(Vec<FormatItem>),
    /// A value.
    Expression(Expression),
}

/// A network namespace that the plan names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Namespace {
    /// The name as the configuration writes it; it is what logs and TLVs carry.
    pub name: String,
    /// The namespace file, for instance `/run/netns/red` or `/proc/42/ns/net`.
    pub path: String,
    /// Whether it may be missing, and is then waited for.
    pub optional: bool,
}

impl Plan {
    /// Reads a document.
    ///
    /// # Errors
    /// The text is not JSON, has an unknown or missing field, or is of another version.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let plan: Self = serde_json::from_slice(text).map_err(|e| format!("plan: {e}"))?;
        if plan.version == VERSION {
            Ok(plan)
        } else {
            Err(format!(
                "plan: version {} where {VERSION} is spoken",
                plan.version
            ))
        }
    }
}
