//! What HTTP mode adds to frontends, backends and servers (manual, section 4).

mod action;
mod content;
mod cookie;
mod reply;

use serde::{Deserialize, Serialize};

use crate::bytestring::ByteString;
use crate::expression::Condition;
use crate::log::FormatItem;

pub use action::{
    Delay, HttpAction, HttpRule, ListChange, NameMatch, Redirect, RedirectTarget, TargetPart,
    TimeoutKind,
};
pub use content::{BandwidthLimit, Cache, Compression, Limited};
pub use cookie::{Cookie, CookieMode};
pub use reply::{Reply, ReplyContent};

/// What both sides of a proxy may say. Where a frontend and a backend both do, both hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpProxy {
    /// `http-request`, and `redirect` behind them.
    pub request_rules: Vec<HttpRule>,
    /// `http-response`
    pub response_rules: Vec<HttpRule>,
    /// `http-after-response`
    pub after_response_rules: Vec<HttpRule>,
    /// What happens to connections behind an exchange.
    pub connection: ConnectionMode,
    /// `option http-buffer-request`
    pub buffer_request: bool,
    /// `option forwardfor`
    pub forwardfor: Option<AddressHeader>,
    /// `option originalto`
    pub originalto: Option<AddressHeader>,
    /// `timeout tarpit`, or what stands for it, milliseconds.
    pub timeout_tarpit: Option<u64>,
    /// `timeout http-request`, milliseconds.
    pub timeout_request: Option<u64>,
    /// `timeout http-keep-alive`, milliseconds.
    pub timeout_keep_alive: Option<u64>,
    /// Answers instead of the built-in ones, by status (`errorfile`, `errorloc`, `http-error`, `errorfiles`).
    pub errors: Vec<Reply>,
    /// What becomes of fields whose names hold other bytes than letters, digits and hyphens.
    pub restrict_names: RestrictNames,
    /// `compression`
    pub compression: Option<Compression>,
    /// `filter bwlim-in`, `bwlim-out`
    pub bandwidth_limits: Vec<BandwidthLimit>,
}

/// What HTTP mode adds to a frontend.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpFrontend {
    /// What a backend may say too.
    pub common: HttpProxy,
    /// `monitor-uri`
    pub monitor_uri: Option<ByteString>,
    /// `monitor fail`: the monitor answers 503 if one holds.
    pub monitor_fail: Vec<Condition>,
    /// `option http-ignore-probes`
    pub ignore_probes: bool,
    /// `option http-use-proxy-header`
    pub use_proxy_header: bool,
    /// `option disable-h2-upgrade`
    pub no_h2_upgrade: bool,
    /// `option accept-unsafe-violations-in-http-request`
    pub accept_unsafe: bool,
    /// `option h1-case-adjust-bogus-client`
    pub adjust_case: bool,
    /// `option http-drop-response-trailers`
    pub drop_response_trailers: bool,
    /// `option idle-close-on-response`: clients that idle are let be when the process stops.
    pub idle_close_on_response: bool,
    /// `unique-id-header`
    pub unique_id_header: Option<String>,
    /// `capture request header`: the name, and the index of its slot among the frontend's captures.
    pub request_captures: Vec<(String, usize)>,
    /// `capture response header`: the name, and the index of its slot in `response_slots`.
    pub response_captures: Vec<(String, usize)>,
    /// Lengths of the response's capture slots.
    pub response_slots: Vec<usize>,
    /// `capture cookie`
    pub capture_cookie: Option<CookieCapture>,
}

/// What HTTP mode adds to a backend.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpBackend {
    /// What a frontend may say too.
    pub common: HttpProxy,
    /// `option forwarded`
    pub forwarded: Option<Forwarded>,
    /// `http-reuse`
    pub reuse: Reuse,
    /// `retry-on`
    pub retry_on: Vec<RetryOn>,
    /// `option accept-unsafe-violations-in-http-response`
    pub accept_unsafe: bool,
    /// `option h1-case-adjust-bogus-server`
    pub adjust_case: bool,
    /// `option http-pretend-keepalive`
    pub pretend_keepalive: bool,
    /// `option http-drop-request-trailers`
    pub drop_request_trailers: bool,
    /// `max-keep-alive-queue`: with so many waiting, a client's last server is not preferred.
    pub max_keep_alive_queue: Option<u32>,
    /// `option prefer-last-server`
    pub prefer_last_server: bool,
    /// `http-send-name-header`
    pub name_header: Option<String>,
    /// `cookie`
    pub cookie: Option<Cookie>,
    /// `option persist`: the server of a cookie is used though it is down.
    pub persist: bool,
    /// `force-persist`
    pub force_persist: Vec<Condition>,
    /// `ignore-persist`
    pub ignore_persist: Vec<Condition>,
    /// `option checkcache`
    pub check_cache: bool,
}

/// What HTTP mode adds to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpServer {
    /// `cookie`: the server's value of the persistence cookie.
    pub cookie: Option<ByteString>,
    /// `redir`: GET and HEAD are sent there instead.
    pub redir: Option<ByteString>,
    /// `pool-max-conn`; -1 is no limit.
    pub pool_max: i64,
    /// `pool-low-conn`
    pub pool_low: u64,
    /// `pool-purge-delay`, milliseconds.
    pub pool_purge: u64,
    /// `max-reuse`; -1 is no limit.
    pub max_reuse: i64,
    /// `proto`, `alpn`
    pub protocol: ServerProtocol,
    /// `ws`
    pub websockets: WebSocketProtocol,
}

/// What is spoken with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerProtocol {
    /// HTTP/1.
    H1,
    /// HTTP/2, without asking (`proto h2`).
    H2,
    /// What TLS agrees on (`alpn`).
    Negotiated,
}

/// What WebSockets are opened over (`ws`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebSocketProtocol {
    /// HTTP/1, which TLS then offers alone.
    H1,
    /// What everything else goes over.
    Same,
}

/// What happens to connections behind an exchange; the later one wins where two proxies meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionMode {
    /// `option http-keep-alive`: both stay.
    #[default]
    KeepAlive,
    /// `option http-server-close`: the client's stays.
    ServerClose,
    /// `option httpclose`: neither stays.
    Close,
}

/// Which idle connections a request may be sent over (`http-reuse`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reuse {
    /// None but this client's own.
    Never,
    /// For the first request of a client, those that have served more than one; later ones any.
    #[default]
    Safe,
    /// For the first request too, those that were reused before.
    Aggressive,
    /// Any.
    Always,
}

/// Failures after which a request is sent once more (`retry-on`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RetryOn {
    /// `conn-failure`
    ConnFailure {},
    /// `empty-response`
    EmptyResponse {},
    /// `junk-response`
    JunkResponse {},
    /// `response-timeout`
    ResponseTimeout {},
    /// `0rtt-rejected`
    EarlyDataRejected {},
    /// A status of the server.
    Status {
        /// 401, 403, 404, 408, 421, 425, 429, 500, 501, 502, 503 or 504.
        status: u16,
    },
}

/// `http-restrict-req-hdr-names`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestrictNames {
    /// They pass.
    #[default]
    Preserve,
    /// They are removed.
    Delete,
    /// The request is answered with 403.
    Reject,
}

/// `option forwardfor` and `option originalto`: an address in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressHeader {
    /// The header's name.
    pub name: String,
    /// `except`: networks, for instance `127.0.0.0/8`, whose addresses are not written.
    pub except: Vec<String>,
    /// `if-none`: only where the request has none.
    pub if_none: bool,
}

/// `option forwarded` (RFC 7239); each parameter is written if it is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forwarded {
    /// `proto`
    pub proto: bool,
    /// `host` and `host-expr`
    pub host: Option<ForwardedNode>,
    /// `by` and `by-expr`
    pub by: Option<ForwardedNode>,
    /// `by_port` and `by_port-expr`
    pub by_port: Option<ForwardedNode>,
    /// `for` and `for-expr`
    pub r#for: Option<ForwardedNode>,
    /// `for_port` and `for_port-expr`
    pub for_port: Option<ForwardedNode>,
}

/// A parameter's value: the connection's own, or an expression's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardedNode {
    /// Instead of the connection's own.
    pub expression: Option<crate::expression::Expression>,
}

/// `capture cookie`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CookieCapture {
    /// The name, or its beginning.
    pub name: String,
    /// Whether the name is only a beginning; `name=` is a whole one.
    pub prefix: bool,
    /// Bytes at most, name included.
    pub len: usize,
}

/// What HTTP/2 keeps to (`tune.h2.*`); sizes in bytes, 0 is no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct H2 {
    /// `tune.h2.header-table-size`
    pub header_table: u32,
    /// `tune.h2.fe.initial-window-size`
    pub window: u32,
    /// `tune.h2.fe.max-concurrent-streams`
    pub streams: u32,
    /// `tune.h2.max-frame-size`
    pub frame: u32,
    /// `tune.h2.fe.glitches-threshold`
    pub glitches: u32,
    /// `tune.h2.fe.max-total-streams`: a connection ends behind so many.
    pub total_streams: u32,
    /// `tune.h2.be.initial-window-size`
    pub server_window: u32,
    /// `tune.h2.be.max-concurrent-streams`
    pub server_streams: u32,
    /// `tune.h2.be.glitches-threshold`
    pub server_glitches: u32,
}

/// Process-wide settings of HTTP mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpGlobal {
    /// `tune.maxrewrite`: bytes of a buffer that a head as received may not use.
    pub maxrewrite: usize,
    /// `tune.http.maxhdr`
    pub maxhdr: usize,
    /// `tune.http.logurilen`
    pub loguri_len: usize,
    /// `h1-case-adjust` and `h1-case-adjust-file`: names in lower case, and as they are written.
    pub case_adjust: Vec<(String, String)>,
    /// `h1-accept-payload-with-any-method`
    pub payload_any_method: bool,
    /// `tune.comp.maxlevel`
    pub compression_level: u32,
    /// `tune.pool-low-fd-ratio`: percent of the descriptors above which a server keeps one idle connection.
    pub pool_low: u64,
    /// `tune.pool-high-fd-ratio`: percent of the descriptors above which none is kept.
    pub pool_high: u64,
    /// `tune.idle-pool.shared`: a worker may take another's idle connections.
    pub share_idle: bool,
    /// `maxcomprate`: bytes that compression may be given in a second; 0 is unlimited.
    pub compression_rate: u64,
    /// `maxcompcpuusage`: percent of its time that a worker may be busy and still compress.
    pub compression_cpu: u64,
    /// `maxzlibmem`: bytes that the coders of bodies may use; 0 is unlimited.
    pub compression_memory: u64,
    /// Sections `cache`.
    pub caches: Vec<Cache>,
    /// Services that rules name (`use-service python.NAME`), as they name them; they refer to
    /// them by index.
    pub services: Vec<String>,
    /// HTTP/2.
    pub h2: H2,
    /// Statuses that are the client's fault (`http-err-codes`): first and last of each range.
    pub error_codes: Vec<(u16, u16)>,
    /// Statuses that are the server's fault (`http-fail-codes`).
    pub failure_codes: Vec<(u16, u16)>,
    /// `tune.python.queue`: requests that may wait for their services to begin.
    pub service_queue: usize,
    /// `tune.python.service-timeout`: how long a service may stay silent, milliseconds; 0 is for
    /// ever.
    pub service_timeout: u64,
}

/// Text that a rule makes.
pub type Text = Vec<FormatItem>;
