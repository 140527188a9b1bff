//! The facts that fetches and log aliases ask a context for, by name. A context answers those
//! that it knows, and `None` to the rest.

use crate::context::Side;

/// An end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// The client, after PROXY headers and `set-src` (`src`, `%ci`).
    Src,
    /// What the client connected to, after PROXY headers and `set-dst` (`dst`, `%fi`).
    Dst,
    /// The client as the client's connection has it: PROXY headers count, `set-src` of content rules does not (`fc_src`).
    ClientSrc,
    /// What the client's connection says that it connected to (`fc_dst`).
    ClientDst,
    /// The proxy's end of the connection to the server (`bc_src`, `%bi`).
    ServerSrc,
    /// The server's end (`bc_dst`, `%si`).
    ServerDst,
}

/// A number of a stream, or of the connection that carries it beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Multiplexed {
    /// The stream's identifier, 0 where a connection has one stream (`fs.id`, `bs.id`).
    Id,
    /// 1 when the peer gave the stream up (`fs.aborted`, `bs.aborted`).
    Aborted,
    /// The code with which the peer reset the stream (`fs.rst_code`, `bs.rst_code`).
    Reset,
    /// Anomalies of the connection (`fc_glitches`, `bc_glitches`).
    Glitches,
    /// Streams that are open (`fc_nb_streams`, `bc_nb_streams`).
    Streams,
    /// Streams that may be open at once (`fc_settings_streams_limit`, `bc_settings_streams_limit`).
    MostStreams,
}

/// What a buffer holds of an HTTP message, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Held {
    /// What is at hand (`internal.htx.data`, `internal.htx.used`).
    Data,
    /// What there is room for (`internal.htx.size`).
    Size,
    /// What there is still room for (`internal.htx.free`, `internal.htx.free_data`).
    Free,
    /// 1 when the message's end is at hand (`internal.htx.has_eom`).
    End,
}

/// A number that belongs to the session, the request or the process. Times are milliseconds
/// unless said otherwise, -1 for what was never reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Number {
    /// Client connections of the process (`act_conn`, `%ac`).
    ActiveConnections,
    /// Process identifier (`pid`, `%pid`).
    Pid,
    /// Seconds since the process started (`uptime`).
    Uptime,
    /// Number of the worker, from 0 (`thread`).
    Thread,
    /// 1 when the process is about to stop (`stopping`).
    Stopping,
    /// Sessions since the process started, at this one (`%rt`, `txn.id32`).
    SessionNumber,
    /// Lines logged by the frontend, this one included (`%lc`).
    LogNumber,
    /// Identifier of the bind line (`so_id`).
    ListenerId,
    /// Sessions on the bind line (`dst_conn`).
    ListenerConnections,
    /// 1 when the client sent a PROXY header (`fc_rcvd_proxy`).
    ReceivedProxy,
    /// Whether the client's address is one of this machine's (`src_is_local`).
    SrcIsLocal,
    /// Whether the destination address is one of this machine's (`dst_is_local`).
    DstIsLocal,
    /// As [`Number::SrcIsLocal`], for the connection's own address (`fc_src_is_local`).
    ClientSrcIsLocal,
    /// As [`Number::DstIsLocal`], for the connection's own address (`fc_dst_is_local`).
    ClientDstIsLocal,
    /// Error code of the client's connection (`fc_err`).
    ClientError,
    /// Error code of the server's connection (`bc_err`).
    ServerError,
    /// 1 when the server's connection was taken from the pool (`bc_reused`).
    ServerConnectionReused,
    /// What is known of the client's or the server's stream, and of the connection under it.
    Of(Side, Multiplexed),
    /// What a side's buffer holds of an HTTP message; nothing outside HTTP.
    Held(Side, Held),
    /// When the session was accepted: microseconds of wall-clock time (`accept_date`, `%t`).
    AcceptDate,
    /// When the request began: microseconds of wall-clock time (`request_date`, `%tr`).
    RequestDate,
    /// Handshakes: PROXY header, TLS (`%Th`, `fc.timer.handshake`).
    TimeHandshake,
    /// Idle before the request (`%Ti`, `req.timer.idle`).
    TimeIdle,
    /// From the first byte to the end of the request (`%TR`, `req.timer.hdr`).
    TimeRequest,
    /// Waiting in queues (`%Tw`, `req.timer.queue`).
    TimeQueue,
    /// Connecting to the server (`%Tc`, `bc.timer.connect`).
    TimeConnect,
    /// The server's response (`%Tr`, `res.timer.hdr`).
    TimeResponse,
    /// Sending data (`%Td`, `res.timer.data`).
    TimeData,
    /// Active time, from the request to the end (`%Ta`, `txn.timer.total`).
    TimeActive,
    /// From accept to the end (`%Tt`, `fc.timer.total`).
    TimeTotal,
    /// As the user sees it: from the request with its handshakes to the end (`%Tu`, `txn.timer.user`).
    TimeUser,
    /// Bytes from the client (`%U`, `bytes_in`, `req.bytes_in`).
    BytesIn,
    /// Bytes from the server (`%B`, `bytes_out`, `res.bytes_in`).
    BytesOut,
    /// Bytes sent to the server (`req.bytes_out`).
    BytesToServer,
    /// Bytes sent to the client (`res.bytes_out`).
    BytesToClient,
    /// Connection retries (`%rc`, `txn.conn_retries`).
    Retries,
    /// 1 when the session was redispatched to another server (`%rc`'s `+`, `txn.redispatched`).
    Redispatched,
    /// Place in the server's queue when it left it (`%sq`, `bc_srv_queue`).
    ServerQueuePosition,
    /// Place in the backend's queue when it left it (`%bq`, `bc_be_queue`).
    BackendQueuePosition,
    /// The queue's priority class (`prio_class`).
    PriorityClass,
    /// The queue's priority offset (`prio_offset`).
    PriorityOffset,
    /// Status given to the client (`%ST`, `txn.status`).
    Status,
    /// 1 if a cache answers, 0 if it is asked and a server does (`res.cache_hit`).
    CacheHit,
    /// Whether the response is compressed by this proxy.
    Coded,
    /// Status given by the server (`server_status`).
    ServerStatus,
    /// `timeout client` as it is now (`cur_client_timeout`).
    ClientTimeout,
    /// `timeout server` as it is now (`cur_server_timeout`).
    ServerTimeout,
    /// `timeout tunnel` as it is now (`cur_tunnel_timeout`).
    TunnelTimeout,
    /// `timeout connect` as it is now (`cur_connect_timeout`).
    ConnectTimeout,
    /// `timeout queue` as it is now (`cur_queue_timeout`).
    QueueTimeout,
    /// Retries allowed as it is now (`cur_max_retries`).
    MaxRetries,
    /// Line of the last rule that ended an evaluation (`last_rule_line`).
    LastRuleLine,
    /// How busy this worker is, percent of its time (`cpu_usage_thr`).
    WorkerUsage,
    /// How busy all workers are (`cpu_usage_grp`, `cpu_usage_proc`).
    ProcessUsage,
    /// Times that the session was given the processor (`cpu_calls`).
    CpuCalls,
    /// Nanoseconds of processor time, on average per call (`cpu_ns_avg`).
    CpuNsAverage,
    /// Nanoseconds of processor time (`cpu_ns_tot`).
    CpuNsTotal,
    /// Nanoseconds spent waiting for the processor, on average per call (`lat_ns_avg`).
    LatencyNsAverage,
    /// Nanoseconds spent waiting for the processor (`lat_ns_tot`).
    LatencyNsTotal,
    /// Capture slots of the frontend (`%hr`).
    RequestCaptures,
    /// Capture slots of the frontend for responses (`%hs`).
    ResponseCaptures,
    /// Bytes of a request line that logs show (`tune.http.logurilen`).
    LoggedLineLength,
    /// 1 in the first exchange of the client's connection (`http_first_req`).
    FirstRequest,
    /// Major version of HTTP on the client's connection (`fc_http_major`).
    ClientHttpMajor,
    /// Major version of HTTP on the server's connection (`bc_http_major`).
    ServerHttpMajor,
    /// `timeout tarpit` as it is now (`cur_tarpit_timeout`).
    TarpitTimeout,
    /// 1 when the line is written before the session's end (`option logasap`): what still grows
    /// is then written with a `+`.
    Unfinished,
}

/// A name or another text that belongs to the session or the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Text {
    /// Which moment or rule a log line is written for (`%OG`).
    LogOrigin,
    /// Frontend's name (`fe_name`, `%f`).
    FrontendName,
    /// Name of the frontend's default backend (`fe_defbe`).
    FrontendDefaultBackend,
    /// Backend's name (`be_name`, `%b`); `None` before one is chosen.
    BackendName,
    /// Server's name (`srv_name`, `%s`); `None` before one is chosen.
    ServerName,
    /// The same for `srv_name`, where a cache is none.
    ServerNameAlone,
    /// Bind line's name (`so_name`).
    ListenerName,
    /// Source namespace of the client's connection (`src_netns`); `None` for the default one.
    SrcNetns,
    /// Namespace of the connection to the server (`dst_netns`); `None` for the default one.
    DstNetns,
    /// AUTHORITY TLV (`fc_pp_authority`).
    PpAuthority,
    /// UNIQUE_ID TLV (`fc_pp_unique_id`).
    PpUniqueId,
    /// The first SYN as the kernel saved it (`fc_saved_syn`).
    SavedSyn,
    /// The session's unique id, made when first asked for (`unique-id`, `%ID`).
    UniqueId,
    /// Machine's name (`hostname`, `%H`).
    Hostname,
    /// Two letters of termination state (`%ts`, `txn.sess_term_state`).
    TerminationState,
    /// File of the last rule that ended an evaluation (`last_rule_file`).
    LastRuleFile,
    /// File and line of the last rule that ended an evaluation (`last_entity`).
    LastRule,
    /// File and line of the rule that waits (`waiting_entity`).
    WaitingRule,
    /// The cache that answers (`res.cache_name`).
    CacheName,
    /// The algorithm with which the response is compressed by this proxy.
    CodingName,
    /// The request's method as it came (`capture.req.method`, `%HM`); kept until the log.
    RequestMethod,
    /// The request's target as it came (`capture.req.uri`, `%HU`); kept until the log.
    RequestTarget,
    /// The request's version, `HTTP/1.0` or `HTTP/1.1` (`capture.req.ver`, `%HV`).
    RequestVersion,
    /// The response's version, `HTTP/1.0` or `HTTP/1.1` (`capture.res.ver`).
    ResponseVersion,
    /// The request's cookie that is captured, `name=value` (`%CC`).
    RequestCookie,
    /// The response's cookie that is captured, `name=value` (`%CS`).
    ResponseCookie,
    /// Two letters of termination state that tell of the persistence cookie (`%tsc`).
    CookieState,
    /// Short name of the client connection's error (`fc_err_name`).
    ClientErrorName,
    /// Description of the client connection's error (`fc_err_str`).
    ClientErrorText,
    /// Short name of the server connection's error (`bc_err_name`).
    ServerErrorName,
    /// Description of the server connection's error (`bc_err_str`).
    ServerErrorText,
}

/// A number of a frontend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrontendNumber {
    /// Its identifier (`fe_id`).
    Id,
    /// Sessions now (`fe_conn`, `%fc`).
    Connections,
    /// Sessions in the last second (`fe_sess_rate`).
    SessionRate,
    /// Requests in the last second (`fe_req_rate`).
    RequestRate,
    /// `timeout client` as configured, milliseconds (`fe_client_timeout`).
    ClientTimeout,
    /// `timeout tarpit` as configured, milliseconds (`fe_tarpit_timeout`).
    TarpitTimeout,
}

/// A number of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackendNumber {
    /// Its identifier (`be_id`).
    Id,
    /// Sessions now (`be_conn`, `%bc`).
    Connections,
    /// Sessions that its usable servers could still take; -1 without limit (`be_conn_free`).
    FreeConnections,
    /// Sessions that fit into its usable servers and their queues; -1 without limit (`connslots`).
    Slots,
    /// Sessions in the last second (`be_sess_rate`).
    SessionRate,
    /// Usable servers (`nbsrv`).
    UsableServers,
    /// Sessions queued, in the backend and on its servers (`queue`).
    Queue,
    /// Sessions queued per usable server (`avg_queue`).
    AverageQueue,
    /// `timeout server`, milliseconds (`be_server_timeout`).
    ServerTimeout,
    /// `timeout tunnel`, milliseconds (`be_tunnel_timeout`).
    TunnelTimeout,
    /// `timeout connect`, milliseconds (`be_connect_timeout`).
    ConnectTimeout,
    /// `timeout queue`, milliseconds (`be_queue_timeout`).
    QueueTimeout,
    /// `retries` (`be_max_retries`).
    MaxRetries,
    /// `timeout tarpit`, milliseconds (`be_tarpit_timeout`).
    TarpitTimeout,
}

/// A number of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerNumber {
    /// Its identifier (`srv_id`).
    Id,
    /// Sessions now (`srv_conn`, `%sc`).
    Connections,
    /// Sessions it could still take; -1 without limit (`srv_conn_free`).
    FreeConnections,
    /// 1 when it may take traffic (`srv_is_up`).
    Up,
    /// Sessions in its queue (`srv_queue`).
    Queue,
    /// Sessions in the last second (`srv_sess_rate`).
    SessionRate,
    /// Effective weight (`srv_weight`).
    Weight,
    /// Weight that an operator set (`srv_uweight`).
    UserWeight,
    /// Weight of the configuration (`srv_iweight`).
    InitialWeight,
}

/// A figure of `TCP_INFO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TcpInfo {
    /// Smoothed round-trip time, microseconds (`fc_rtt`).
    Rtt,
    /// Its variance, microseconds (`fc_rttvar`).
    RttVariance,
    /// Segments sent and not acknowledged (`fc_unacked`).
    Unacked,
    /// Segments acknowledged selectively (`fc_sacked`).
    Sacked,
    /// Segments sent again (`fc_retrans`).
    Retransmitted,
    /// Forward acknowledgements (`fc_fackets`).
    ForwardAcked,
    /// Segments held lost (`fc_lost`).
    Lost,
    /// Reordering metric (`fc_reordering`).
    Reordering,
}
