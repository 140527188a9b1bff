//! Snapshots: the counters of all workers put together, in the order of the plan.

use std::sync::atomic::Ordering::Relaxed;

use isthmus_balance::{Place, State};
use isthmus_plan::command::{AdminState, FrontendState};
use isthmus_plan::report::{
    BackendFacts, ClientCounters, FrontendFacts, ListenerFacts, ProcessFacts, ServerCounters,
    ServerFacts, Snapshot,
};
use isthmus_plan::{Address, Algorithm, ServerAddress, ServerPort};
use isthmus_stats::Counter;

use crate::facts::shown_weight;
use crate::generation::{Backend, Frontend, Generation, Listener, Server};
use crate::live::{ClientShard, Live, ServerShard};
use crate::server_state::Status;

/// Everything that the statistics show.
pub(crate) fn take(generation: &Generation, optional: &[bool], now: u64) -> Snapshot {
    let open_in = |name: &str| {
        let listeners = generation.frontends.iter().flat_map(|f| &f.listeners);
        let here = listeners.filter(|listener| {
            listener.open.load().is_some()
                && listener.namespace.as_ref().is_some_and(|n| n.name == name)
        });
        here.count() as u64
    };
    let namespaces = generation
        .namespaces
        .iter()
        .enumerate()
        .map(|(index, namespace)| {
            let optional = optional.get(index).copied().unwrap_or(false);
            let listed = generation.listed(&namespace.name).is_some();
            namespace.facts(optional, listed, open_in(&namespace.name))
        });
    Snapshot {
        process: process(generation, now),
        frontends: generation
            .frontends
            .iter()
            .map(|f| frontend(f, now))
            .collect(),
        backends: generation
            .backends
            .iter()
            .map(|b| backend(generation, b, now))
            .collect(),
        namespaces: namespaces.collect(),
    }
}

fn process(generation: &Generation, now: u64) -> ProcessFacts {
    let process = &generation.process;
    let sum = |read: fn(&crate::live::ProcessShard) -> u64| -> u64 {
        process.shards.iter().map(|shard| read(shard)).sum()
    };
    let rate = |read: fn(&crate::live::ProcessShard) -> &isthmus_stats::Rate| -> u64 {
        process
            .shards
            .iter()
            .map(|shard| read(shard).per_second(now))
            .sum()
    };
    let workers = process.shards.len() as u64;
    let idle = sum(|shard| shard.idle_ms.get());
    ProcessFacts {
        generation: process.generation.load(Relaxed),
        uptime_ms: now,
        nbthread: workers,
        curr_conns: process.connections.get(),
        cum_conns: sum(|shard| shard.connections.get()),
        maxconn: generation.maxconn.load(Relaxed),
        hard_maxconn: generation.global.maxconn,
        conn_rate_limit: generation.rates.connections.load(Relaxed),
        sess_rate_limit: generation.rates.sessions.load(Relaxed),
        curr_tls: process.tls.get(),
        cum_tls: process.tls_connections.load(Relaxed),
        max_tls: generation.global.maxsslconn,
        tls_rate_limit: generation.rates.tls.load(Relaxed),
        tls_rate: rate(|shard| &shard.tls_rate),
        tls_rate_max: process
            .highest_tls_rate
            .get(process.shards.iter().map(|s| &s.tls_rate)),
        conn_rate: rate(|shard| &shard.connection_rate),
        conn_rate_max: process
            .highest_connection_rate
            .get(process.shards.iter().map(|s| &s.connection_rate)),
        sess_rate: rate(|shard| &shard.session_rate),
        sess_rate_max: process
            .highest_session_rate
            .get(process.shards.iter().map(|s| &s.session_rate)),
        compression_rate_limit: generation.rates.compression.load(Relaxed),
        compression_rate_in: rate(|shard| &shard.compression_in),
        compression_rate_out: rate(|shard| &shard.compression_out),
        compression_memory_limit: generation.global.http.compression_memory,
        compression_memory: crate::http::coder_memory(process),
        total_bytes_out: sum(|shard| shard.bytes_out.get()),
        total_spliced_bytes_out: sum(|shard| shard.spliced_bytes_out.get()),
        pipes_used: sum(|s| s.pipes_made.get()).saturating_sub(sum(|s| s.pipes_closed.get())),
        pipes_free: sum(|shard| shard.pipes_free.get()),
        limited_searches: isthmus_pattern::limited_searches(),
        dropped_logs: sum(|shard| shard.dropped_logs.get()),
        idle_percent: (idle * 100)
            .checked_div(now * workers)
            .unwrap_or(100)
            .min(100),
        failed_sessions: sum(|shard| shard.failed_sessions.get()),
        stopping: process.stopping.load(Relaxed),
    }
}

fn clients(live: &Live<ClientShard>, now: u64) -> ClientCounters {
    ClientCounters {
        scur: live.common.current.get(),
        smax: live.common.highest.get(),
        stot: live.sum(|s| s.sessions.get()),
        conn_tot: live.sum(|s| s.connections.get()),
        bin: live.sum(|s| s.bytes_in.get()),
        bout: live.sum(|s| s.bytes_out.get()),
        dreq: live.sum(|s| s.denied_requests.get()),
        dresp: live.sum(|s| s.denied_responses.get()),
        wrew: live.sum(|s| s.failed_rewrites.get()),
        ereq: live.sum(|s| s.failed_requests.get()),
        intercepted: live.sum(|s| s.intercepted.get()),
        dcon: live.sum(|s| s.denied_connections.get()),
        dses: live.sum(|s| s.denied_sessions.get()),
        rate: live.sum(|s| s.session_rate.per_second(now)),
        rate_max: live
            .common
            .highest_rate
            .get(live.shards.iter().map(|s| &s.session_rate)),
        conn_rate: live.sum(|s| s.connection_rate.per_second(now)),
        conn_rate_max: live
            .common
            .highest_connection_rate
            .get(live.shards.iter().map(|s| &s.connection_rate)),
        req_tot: live.sum(|s| s.requests.get()),
        req_rate: live.sum(|s| s.request_rate.per_second(now)),
        req_rate_max: live
            .common
            .highest_request_rate
            .get(live.shards.iter().map(|s| &s.request_rate)),
        responses: by_digit(live, |s| &s.responses),
        comp_in: live.sum(|s| s.compression_in.get()),
        comp_out: live.sum(|s| s.compression_out.get()),
        comp_byp: live.sum(|s| s.compression_bypassed.get()),
        comp_rsp: live.sum(|s| s.compressed.get()),
        bad_proxy_headers: live.sum(|s| s.bad_proxy_headers.get()),
        unlisted_namespaces: live.sum(|s| s.unlisted_namespaces.get()),
    }
}

/// Responses by the first digit of their status.
fn by_digit<S: Default>(live: &Live<S>, read: impl Fn(&S) -> &[Counter; 6]) -> [u64; 6] {
    let mut all = [0; 6];
    for shard in &live.shards {
        for (sum, counter) in all.iter_mut().zip(read(shard)) {
            *sum += counter.get();
        }
    }
    all
}

fn frontend(from: &Frontend, now: u64) -> FrontendFacts {
    let counters = clients(&from.live, now);
    let open = from
        .listeners
        .iter()
        .any(|listener| listener.open.load().is_some());
    let maxconn = from.maxconn.load(Relaxed);
    let status = match (from.state(), maxconn > 0 && counters.scur >= maxconn) {
        (FrontendState::Paused, _) => "PAUSED",
        (FrontendState::Shut, _) => "STOP",
        (FrontendState::Open, _) if !open => "STOP",
        (FrontendState::Open, true) => "FULL",
        (FrontendState::Open, false) => "OPEN",
    };
    FrontendFacts {
        name: from.plan.name.clone(),
        id: from.plan.id,
        status: status.to_owned(),
        maxconn,
        http: from.plan.begins_with_http(),
        counters,
        listeners: from
            .listeners
            .iter()
            .map(|l| listener(from, l, now))
            .collect(),
    }
}

fn listener(frontend: &Frontend, from: &Listener, now: u64) -> ListenerFacts {
    let counters = clients(&from.live, now);
    let open = from.open.load_full();
    let maxconn = if from.plan.maxconn == 0 {
        frontend.maxconn.load(Relaxed)
    } else {
        from.plan.maxconn
    };
    let status = match &open {
        None if !frontend.listens() => "DOWN",
        None => "WAITING",
        Some(_) if maxconn > 0 && counters.scur >= maxconn => "FULL",
        Some(_) => "OPEN",
    };
    let name = &from.plan.name;
    ListenerFacts {
        name: if name.is_empty() {
            format!("sock-{}", from.plan.id)
        } else {
            name.clone()
        },
        id: from.plan.id,
        status: status.to_owned(),
        address: open.map(|open| open.address()).unwrap_or_default(),
        namespace: from
            .namespace
            .as_ref()
            .map_or_else(String::new, |n| n.name.clone()),
        maxconn,
        counters,
    }
}

fn servers(live: &Live<ServerShard>, now: u64) -> ServerCounters {
    let average = |read: fn(&ServerShard) -> &isthmus_stats::Average| {
        let parts = live.shards.iter().map(|shard| read(shard).parts());
        let (sum, samples) = parts.fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        sum.checked_div(samples).unwrap_or(0)
    };
    let last = live
        .shards
        .iter()
        .map(|shard| shard.last_session.get())
        .max()
        .unwrap_or(0);
    let lastsess = match last {
        0 => -1,
        at => i64::try_from(now.saturating_sub(at - 1) / 1000).unwrap_or(i64::MAX),
    };
    ServerCounters {
        qmax: live.common.queue_highest.get(),
        smax: live.common.highest.get(),
        stot: live.sum(|s| s.sessions.get()),
        bin: live.sum(|s| s.bytes_in.get()),
        bout: live.sum(|s| s.bytes_out.get()),
        dreq: live.sum(|s| s.denied_requests.get()),
        dresp: live.sum(|s| s.denied_responses.get()),
        wrew: live.sum(|s| s.failed_rewrites.get()),
        econ: live.sum(|s| s.failed_connections.get()),
        eresp: live.sum(|s| s.failed_responses.get()),
        wretr: live.sum(|s| s.retries.get()),
        wredis: live.sum(|s| s.redispatches.get()),
        lbtot: live.sum(|s| s.balanced.get()),
        rate: live.sum(|s| s.session_rate.per_second(now)),
        rate_max: live
            .common
            .highest_rate
            .get(live.shards.iter().map(|s| &s.session_rate)),
        cli_abrt: live.sum(|s| s.client_aborts.get()),
        srv_abrt: live.sum(|s| s.server_aborts.get()),
        comp_in: live.sum(|s| s.compression_in.get()),
        comp_out: live.sum(|s| s.compression_out.get()),
        comp_byp: live.sum(|s| s.compression_bypassed.get()),
        comp_rsp: live.sum(|s| s.compressed.get()),
        used_connections: live.sum(|s| s.demand.used()),
        fresh_connections: live.sum(|s| s.demand.fresh()),
        proven_connections: live.sum(|s| s.demand.proven()),
        needed_connections: live.sum(|s| s.demand.needed()),
        lastsess,
        qtime: average(|s| &s.queue_time),
        ctime: average(|s| &s.connect_time),
        ttime: average(|s| &s.total_time),
        qtime_max: live.common.highest_queue_time.get(),
        ctime_max: live.common.highest_connect_time.get(),
        ttime_max: live.common.highest_total_time.get(),
        connect: live.sum(|s| s.connects.get()),
        reuse: live.sum(|s| s.reuses.get()),
        rtime: average(|s| &s.response_time),
        rtime_max: live.common.highest_response_time.get(),
        responses: by_digit(live, |s| &s.responses),
        ..ServerCounters::default()
    }
}

fn backend(generation: &Generation, from: &Backend, now: u64) -> BackendFacts {
    let usable = |backup: bool| {
        let fits =
            move |s: &&std::sync::Arc<Server>| s.plan.backup == backup && s.state.balanced.usable();
        from.servers.iter().filter(fits)
    };
    let (active, backup) = (usable(false).count() as u64, usable(true).count() as u64);
    let weigh = |server: &std::sync::Arc<Server>| {
        u64::from(shown_weight(server.state.balanced.effective_weight()))
    };
    let weight = if active > 0 {
        usable(false).map(weigh).sum()
    } else {
        usable(true).map(weigh).sum()
    };
    let changed = from
        .servers
        .iter()
        .map(|s| s.state.status().changed)
        .max()
        .unwrap_or(0);
    let mut counters = servers(&from.live, now);
    counters.scur = from.live.common.current.get();
    counters.qcur = from.line.len(Place::Backend) as u64;
    BackendFacts {
        name: from.plan.name.clone(),
        id: from.plan.id,
        status: if active + backup > 0 || from.servers.is_empty() {
            "UP"
        } else {
            "DOWN"
        }
        .into(),
        weight,
        active,
        backup,
        chkdown: 0,
        last_change: now.saturating_sub(changed) / 1000,
        downtime: 0,
        algorithm: algorithm(&from.plan.algorithm).to_owned(),
        http: from.plan.http.is_some(),
        counters,
        servers: from
            .servers
            .iter()
            .map(|s| server(generation, from, s, now))
            .collect(),
    }
}

fn algorithm(from: &Algorithm) -> &'static str {
    match from {
        Algorithm::Roundrobin {} => "roundrobin",
        Algorithm::StaticRr {} => "static-rr",
        Algorithm::Leastconn {} => "leastconn",
        Algorithm::First {} => "first",
        Algorithm::Random { .. } => "random",
        Algorithm::Source { .. } => "source",
        Algorithm::Uri { .. } => "uri",
        Algorithm::UrlParam { .. } => "url_param",
        Algorithm::Header { .. } => "hdr",
        Algorithm::RdpCookie { .. } => "rdp-cookie",
        Algorithm::Hash { .. } => "hash",
    }
}

fn server(generation: &Generation, backend: &Backend, from: &Server, now: u64) -> ServerFacts {
    let balanced = &from.state.balanced;
    let status = from.state.status();
    let checked = from.plan.checked || from.plan.track.is_some();
    let followed = crate::following::tracked(generation, from);
    let tracked = followed.map(|(b, s)| format!("{}/{}", b.plan.name, s.plan.name));
    let follows = status.admin != AdminState::Maint && status.inherited == AdminState::Maint;
    let by_way = tracked.as_ref().filter(|_| follows);
    let via = by_way.map(|tracked| format!("MAINT (via {tracked})"));
    let shown = match balanced.state() {
        State::Maint => via.as_deref().unwrap_or("MAINT"),
        State::Down => "DOWN",
        State::Drain => "DRAIN",
        State::Up if balanced.effective_weight() == 0 => "DRAIN",
        State::Up if !checked => "no check",
        State::Up => "UP",
    };
    let down_now = balanced.state() == State::Down;
    let since = now.saturating_sub(status.changed);
    let mut counters = servers(&from.live, now);
    counters.scur = u64::from(balanced.current());
    counters.qcur = backend.line.len(Place::Server(from.at)) as u64;
    let limits = balanced.limits();
    let admin_state = admin_bits(&status);
    let throttle = balanced.throttle(now.max(1));
    ServerFacts {
        name: from.plan.name.clone(),
        id: from.plan.id,
        status: shown.to_owned(),
        reason: status.reason,
        address: address(&from.plan.address),
        namespace: from.namespace_shown(),
        weight: u64::from(shown_weight(balanced.effective_weight())),
        user_weight: u64::from(balanced.user_weight().get()),
        initial_weight: u64::from(balanced.initial_weight().get()),
        maxconn: u64::from(limits.maxconn),
        maxqueue: u64::from(limits.maxqueue),
        backup: from.plan.backup,
        checked,
        tracked: tracked.unwrap_or_default(),
        op_state: match balanced.state() {
            State::Maint | State::Down => 0,
            State::Up if throttle.is_some() => 1,
            State::Up | State::Drain => 2,
        },
        throttle: throttle.unwrap_or(0),
        admin_state,
        chkdown: from.state.falls.get(),
        last_change: since / 1000,
        downtime: (status.downtime + if down_now { since } else { 0 }) / 1000,
        idle_limit: from.plan.http.pool_max,
        idle_purge_ms: from.plan.http.pool_purge,
        idle_by_worker: from
            .live
            .shards
            .iter()
            .map(|shard| shard.demand.fresh() + shard.demand.proven())
            .collect(),
        counters,
    }
}

/// The bits of `srv_admin_state`.
fn admin_bits(status: &Status) -> u8 {
    let own = match (status.admin, status.by_configuration) {
        (AdminState::Maint, true) => 4,
        (AdminState::Maint, false) => 1,
        (AdminState::Drain, _) => 8,
        (AdminState::Ready, _) => 0,
    };
    let inherited = match status.inherited {
        AdminState::Maint => 2,
        AdminState::Drain => 16,
        AdminState::Ready => 0,
    };
    own | inherited
}

fn address(from: &ServerAddress) -> String {
    let shown = |port: &ServerPort| match port {
        ServerPort::Fixed { port } => format!(":{port}"),
        ServerPort::Client { offset: 0 } => String::new(),
        ServerPort::Client { offset } => format!(":{offset:+}"),
    };
    match from {
        ServerAddress::Inet { ip: Some(ip), port } if ip.is_ipv6() => {
            format!("[{ip}]{}", shown(port))
        }
        ServerAddress::Inet { ip: Some(ip), port } => format!("{ip}{}", shown(port)),
        ServerAddress::Inet { ip: None, port } => format!("*{}", shown(port)),
        ServerAddress::Unresolved { name, port } => format!("{name}{}", shown(port)),
        ServerAddress::Local { address } => match address {
            Address::Inet { ip, port } => format!("{ip}:{port}"),
            Address::Unix { path } => path.clone(),
            Address::Abstract { name, .. } => format!("abns@{name}"),
            Address::Fd { fd } => format!("fd@{fd}"),
            Address::Sockpair { fd } => format!("sockpair@{fd}"),
        },
    }
}
