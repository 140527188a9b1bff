//! Of backends and their servers.

use isthmus_balance::{Place, State};
use isthmus_plan::command::AdminState;
use isthmus_plan::report::{BackendFacts, ServerCounters, ServerFacts};
use isthmus_plan::{Address, Algorithm, ServerAddress, ServerPort};

use super::{by_digit, peak};
use crate::facts::shown_weight;
use crate::generation::{Backend, Generation, Server};
use crate::live::{Live, ServerShard};
use crate::server_state::Status;

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
        rate_max: peak(&live.common.highest_rate, &live.shards, |s| &s.session_rate),
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

pub(super) fn backend(generation: &Generation, from: &Backend, now: u64) -> BackendFacts {
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
