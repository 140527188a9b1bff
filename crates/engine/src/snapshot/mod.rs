//! Snapshots: the counters of all workers put together, in the order of the plan.

mod served;

use std::sync::atomic::Ordering::Relaxed;

use isthmus_plan::command::FrontendState;
use isthmus_plan::report::{ClientCounters, FrontendFacts, ListenerFacts, ProcessFacts, Snapshot};
use isthmus_stats::{Counter, Peak, Rate};

use self::served::backend;
use crate::generation::{Frontend, Generation, Listener};
use crate::live::{ClientShard, Live};

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
    let rate = |read: fn(&crate::live::ProcessShard) -> &Rate| -> u64 {
        process
            .shards
            .iter()
            .map(|shard| read(shard).per_second(now))
            .sum()
    };
    let workers = process.shards.len() as u64;
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
        tls_rate_max: peak(&process.highest_tls_rate, &process.shards, |s| &s.tls_rate),
        conn_rate: rate(|shard| &shard.connection_rate),
        conn_rate_max: peak(&process.highest_connection_rate, &process.shards, |s| {
            &s.connection_rate
        }),
        sess_rate: rate(|shard| &shard.session_rate),
        sess_rate_max: peak(&process.highest_session_rate, &process.shards, |s| {
            &s.session_rate
        }),
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
        idle_percent: 100_u64.saturating_sub(process.busy_percent(now)),
        failed_sessions: sum(|shard| shard.failed_sessions.get()),
        stopping: process.stopping.load(Relaxed),
    }
}

/// The highest that a rate of all workers together was.
fn peak<S>(highest: &Peak, shards: &[S], read: fn(&S) -> &Rate) -> u64 {
    highest.get(shards.iter().map(read))
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
        rate_max: peak(&live.common.highest_rate, &live.shards, |s| &s.session_rate),
        conn_rate: live.sum(|s| s.connection_rate.per_second(now)),
        conn_rate_max: peak(&live.common.highest_connection_rate, &live.shards, |s| {
            &s.connection_rate
        }),
        req_tot: live.sum(|s| s.requests.get()),
        req_rate: live.sum(|s| s.request_rate.per_second(now)),
        req_rate_max: peak(&live.common.highest_request_rate, &live.shards, |s| {
            &s.request_rate
        }),
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
        rate_limit: from.plan.rate_limit,
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
