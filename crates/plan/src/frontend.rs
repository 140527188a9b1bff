//! The client side: frontends and their binds.

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::http::HttpFrontend;
use crate::log::LogPolicy;
use crate::rule::{BackendChoice, Rule};
use crate::tls::BindTls;

/// A frontend, or the client side of a `listen`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frontend {
    /// Its name.
    pub name: String,
    /// Its number in statistics (`id`).
    pub id: u32,
    /// Starts without listening.
    pub disabled: bool,
    /// Most simultaneous connections; 0 means no limit of its own.
    pub maxconn: u64,
    /// Most new sessions per second; 0 means no limit (`rate-limit sessions`).
    pub rate_limit: u64,
    /// Where it listens.
    pub binds: Vec<Bind>,
    /// `timeout client`, milliseconds; `None` never.
    pub timeout_client: Option<u64>,
    /// `timeout client-fin`
    pub timeout_client_fin: Option<u64>,
    /// `timeout client-hs`
    pub timeout_client_hs: Option<u64>,
    /// `tcp-request inspect-delay`
    pub inspect_delay: u64,
    /// `tcp-request connection`
    pub connection_rules: Vec<Rule>,
    /// `tcp-request session`
    pub session_rules: Vec<Rule>,
    /// `tcp-request content`
    pub content_rules: Vec<Rule>,
    /// `use_backend`
    pub backend_choices: Vec<BackendChoice>,
    /// `default_backend`, or a `listen`'s own servers; index into the plan's backends.
    pub default_backend: Option<usize>,
    /// Lengths of the capture slots that `tcp-request content capture` and others declare.
    pub captures: Vec<usize>,
    /// What is logged.
    pub log: LogPolicy,
    /// `option` lines.
    pub options: FrontendOptions,
    /// What `mode http` adds; `None` is `mode tcp`, from beginning to end.
    pub http: Option<Box<HttpFrontend>>,
    /// It is in `mode tcp`; `http` is what holds for connections that become HTTP.
    pub switches: bool,
}

impl Frontend {
    /// Whether connections are HTTP from their first byte.
    #[must_use]
    pub fn begins_with_http(&self) -> bool {
        self.http.is_some() && !self.switches
    }
}

/// Options of a frontend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontendOptions {
    /// `option tcpka`/`clitcpka` and the counts.
    pub keepalive: KeepAlive,
    /// `option nolinger`
    pub nolinger: bool,
    /// `option splice-*`
    pub splice: Splice,
    /// `option independent-streams`: what the client is sent is no sign of its life.
    pub independent_streams: bool,
}

/// TCP keep-alive probes on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepAlive {
    /// Probes are sent.
    pub enabled: bool,
    /// Unanswered probes before the connection is given up; 0 leaves the kernel's.
    pub count: u32,
    /// Seconds of silence before the first probe; 0 leaves the kernel's.
    pub idle: u32,
    /// Seconds between probes; 0 leaves the kernel's.
    pub interval: u32,
}

/// When splice(2) is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splice {
    /// Where it seems to pay, both ways.
    pub auto: bool,
    /// Always from client to server.
    pub request: bool,
    /// Always from server to client.
    pub response: bool,
}

/// One address of a `bind` line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    /// Its number in statistics (`id`).
    pub id: u32,
    /// Its name (`name`), empty if it has none.
    pub name: String,
    /// Where it listens.
    pub address: Address,
    /// `file:line`, for messages.
    pub origin: String,
    /// Index into the plan's namespaces; `None` is the default namespace.
    pub namespace: Option<usize>,
    /// `accept-proxy`
    pub accept_proxy: bool,
    /// `accept-proxy from ...`: networks whose connections carry the header; empty means all.
    pub accept_proxy_from: Vec<String>,
    /// `backlog`; 0 leaves the choice to the engine.
    pub backlog: u32,
    /// `defer-accept`
    pub defer_accept: bool,
    /// `interface`
    pub interface: Option<String>,
    /// `maxconn` of the line; 0 means no limit of its own.
    pub maxconn: u64,
    /// `mss`; 0 leaves the kernel's.
    pub mss: i32,
    /// `shards`
    pub shards: Shards,
    /// `thread`: workers (counted from 0) that serve this line; empty means all.
    pub threads: Vec<usize>,
    /// `tcp-ut`, milliseconds; 0 leaves the kernel's.
    pub tcp_user_timeout: u32,
    /// `tfo`
    pub tfo: bool,
    /// `cc`: the algorithm against congestion; `None` is the kernel's own.
    pub congestion: Option<String>,
    /// `transparent`
    pub transparent: bool,
    /// `v6only`/`v4v6` for an IPv6 address: `Some(true)`, `Some(false)`.
    pub v6only: Option<bool>,
    /// Permission bits of a unix socket (`mode`).
    pub mode: Option<u32>,
    /// Owner of a unix socket (`user`, `uid`).
    pub uid: Option<u32>,
    /// Group of a unix socket (`group`, `gid`).
    pub gid: Option<u32>,
    /// `proto`: what clients speak, whatever they say. `Some(true)` is HTTP/2, `Some(false)` HTTP/1.
    pub h2: Option<bool>,
    /// `ssl`
    pub tls: Option<Box<BindTls>>,
}

/// How many sockets share one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Shards {
    /// One socket for each worker.
    ByThread {},
    /// This many.
    Count {
        /// Sockets; the workers are spread over them.
        count: usize,
    },
}
