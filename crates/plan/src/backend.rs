//! The server side: backends and their servers.

use serde::{Deserialize, Serialize};

use crate::address::{ServerAddress, ServerNamespace, SourceAddress};
use crate::bytestring::ByteString;
use crate::expression::Expression;
use crate::frontend::{KeepAlive, Splice};
use crate::http::{HttpBackend, HttpServer};
use crate::log::{FormatItem, LogPolicy};
use crate::rule::{Rule, ServerChoice};
use crate::table::StickRule;
use crate::tls::ServerTls;

/// A backend, or the server side of a `listen`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// Its name.
    pub name: String,
    /// Its number in statistics (`id`).
    pub id: u32,
    /// Refuses all traffic.
    pub disabled: bool,
    /// How a server is chosen.
    pub algorithm: Algorithm,
    /// Its servers, in the order of the configuration.
    pub servers: Vec<Server>,
    /// `fullconn`: connections at which servers reach their `maxconn`.
    pub fullconn: u64,
    /// `timeout connect`, milliseconds; `None` never.
    pub timeout_connect: Option<u64>,
    /// `timeout server`
    pub timeout_server: Option<u64>,
    /// `timeout server-fin`
    pub timeout_server_fin: Option<u64>,
    /// `timeout queue`; falls back to `timeout connect`.
    pub timeout_queue: Option<u64>,
    /// `timeout tunnel`: replaces both sides' timeouts once data flowed both ways.
    pub timeout_tunnel: Option<u64>,
    /// `retries`
    pub retries: u32,
    /// `option redispatch`: 0 off; N > 0 every N retries; -1 on the last one.
    pub redispatch: i32,
    /// `tcp-request inspect-delay`
    pub inspect_delay: u64,
    /// `tcp-request content`
    pub content_rules: Vec<Rule>,
    /// `use-server`
    pub server_choices: Vec<ServerChoice>,
    /// `stick`
    pub stick_rules: Vec<StickRule>,
    /// `source` for servers without one.
    pub source: Option<SourceAddress>,
    /// Where events of its servers are logged.
    pub log: LogPolicy,
    /// `option` lines.
    pub options: BackendOptions,
    /// What `mode http` adds; `None` is `mode tcp`.
    pub http: Option<Box<HttpBackend>>,
}

/// Options of a backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendOptions {
    /// `option tcpka`/`srvtcpka` and the counts.
    pub keepalive: KeepAlive,
    /// `option nolinger`
    pub nolinger: bool,
    /// `option splice-*`
    pub splice: Splice,
    /// `option independent-streams`: what the server is sent is no sign of its life.
    pub independent_streams: bool,
    /// `option abortonclose`
    pub abortonclose: bool,
    /// `option allbackups`
    pub allbackups: bool,
}

/// How a server is chosen (`balance`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Algorithm {
    /// Weighted round robin.
    Roundrobin {},
    /// Weighted round robin over a fixed map.
    StaticRr {},
    /// The server with the fewest connections.
    Leastconn {},
    /// The first server that has a free slot.
    First {},
    /// The least loaded of some servers drawn at random.
    Random {
        /// How many are drawn.
        draws: u32,
    },
    /// A hash of the client's address.
    Source {
        /// How the hash is used.
        hash: Hash,
    },
    /// A hash of the target's path, or of more of it.
    Uri {
        /// `len`: bytes that count; 0 is all.
        len: usize,
        /// `depth`: directories that count; 0 is all.
        depth: usize,
        /// `whole`: the query counts too.
        whole: bool,
        /// `path-only`: scheme and authority do not count.
        path_only: bool,
        /// How the hash is used.
        hash: Hash,
    },
    /// A hash of a parameter of the query, or of a form that is posted.
    UrlParam {
        /// The parameter's name.
        name: ByteString,
        /// `check_post`
        check_post: bool,
        /// How the hash is used.
        hash: Hash,
    },
    /// A hash of a header.
    Header {
        /// Its name.
        name: String,
        /// `use_domain_only`: of a host name only the part before the top domains counts.
        domain_only: bool,
        /// How the hash is used.
        hash: Hash,
    },
    /// A hash of an RDP cookie.
    RdpCookie {
        /// The cookie's name.
        name: ByteString,
        /// How the hash is used.
        hash: Hash,
    },
    /// A hash of a sample.
    Hash {
        /// What is hashed.
        expression: Expression,
        /// How the hash is used.
        hash: Hash,
    },
}

/// `hash-type` and `hash-balance-factor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hash {
    /// How a hash leads to a server.
    pub kind: HashKind,
    /// The function.
    pub function: HashFunction,
    /// Whether the result is mixed once more.
    pub avalanche: bool,
    /// Percentage of the average load a server may have; 0 means no bound.
    pub balance_factor: u32,
}

/// How a hash leads to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashKind {
    /// Modulo the total weight, over a table.
    MapBased,
    /// Around a ring.
    Consistent,
}

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashFunction {
    /// sdbm
    Sdbm,
    /// djb2
    Djb2,
    /// wt6
    Wt6,
    /// crc32
    Crc32,
    /// The key itself, as an integer.
    None,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its number in statistics and in the consistent hash (`id`).
    pub id: u32,
    /// `file:line`, for messages.
    pub origin: String,
    /// Where it is.
    pub address: ServerAddress,
    /// In which namespace it is reached.
    pub namespace: ServerNamespace,
    /// `weight`, 0..=256.
    pub weight: u32,
    /// `maxconn`; 0 means no limit.
    pub maxconn: u64,
    /// `minconn`; 0 means that `maxconn` is fixed.
    pub minconn: u64,
    /// `maxqueue`; 0 means no limit.
    pub maxqueue: u64,
    /// `backup`
    pub backup: bool,
    /// `disabled`: starts in maintenance.
    pub disabled: bool,
    /// `slowstart`, milliseconds; 0 means none.
    pub slowstart: u64,
    /// `track`: the server whose health this one shares, by backend and server index.
    pub track: Option<(usize, usize)>,
    /// Whether something decides about its health (`check`); otherwise it is up for good.
    pub checked: bool,
    /// Whether it is down until its check, or that of the server it tracks, says otherwise (`init-state`).
    pub starts_down: bool,
    /// `send-proxy*`
    pub proxy_header: Option<ProxyHeader>,
    /// `source`
    pub source: Option<SourceAddress>,
    /// `tcp-ut`, milliseconds; 0 leaves the kernel's.
    pub tcp_user_timeout: u32,
    /// `tfo`
    pub tfo: bool,
    /// `cc`: the algorithm against congestion; `None` is the kernel's own.
    pub congestion: Option<String>,
    /// `non-stick`
    pub non_stick: bool,
    /// What HTTP mode adds.
    pub http: HttpServer,
    /// `on-marked-down shutdown-sessions`
    pub shut_on_down: bool,
    /// `on-marked-up shutdown-backup-sessions`
    pub shut_backups_on_up: bool,
    /// `ssl`
    pub tls: Option<Box<ServerTls>>,
    /// The TLS of its health check (`check-ssl`).
    pub check_tls: Option<Box<ServerTls>>,
}

/// The PROXY protocol header that a server is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyHeader {
    /// 1 or 2.
    pub version: u8,
    /// `proxy-v2-options crc32c`
    pub crc32c: bool,
    /// `proxy-v2-options unique-id`
    pub unique_id: bool,
    /// `proxy-v2-options authority`
    pub authority: bool,
    /// `send-proxy-v2-ssl` or `proxy-v2-options ssl`
    pub ssl: bool,
    /// Parts of the SSL block: `cert-cn`, `ssl-cipher`, `cert-sig`, `cert-key`.
    pub ssl_parts: Vec<String>,
    /// `set-proxy-v2-tlv-fmt`
    pub tlvs: Vec<ProxyTlv>,
}

/// One `set-proxy-v2-tlv-fmt(id) format`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyTlv {
    /// The TLV's type.
    pub id: u8,
    /// Its value.
    pub format: Vec<FormatItem>,
}
