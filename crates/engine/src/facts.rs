//! Numbers of frontends, backends and servers, as fetches and statistics count them.

use isthmus_balance::{Place, State};
use isthmus_sample::{BackendNumber, FrontendNumber, ServerNumber};

use crate::generation::{Backend, Frontend, Server};

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What a fetch of a timeout says where none is set, as HAProxy: a rule can compare it.
pub(crate) const UNLIMITED: u64 = 0;

/// A number of a frontend.
pub(crate) fn frontend_number(frontend: &Frontend, fact: FrontendNumber, now: u64) -> Option<i64> {
    Some(match fact {
        FrontendNumber::Id => i64::from(frontend.plan.id),
        FrontendNumber::Connections => signed(frontend.live.common.current.get()),
        FrontendNumber::SessionRate => signed(
            frontend
                .live
                .sum(|shard| shard.session_rate.per_second(now)),
        ),
        FrontendNumber::RequestRate => signed(
            frontend
                .live
                .sum(|shard| shard.request_rate.per_second(now)),
        ),
        FrontendNumber::TarpitTimeout => {
            signed(frontend.plan.http.as_ref()?.common.timeout_tarpit?)
        }
        FrontendNumber::ClientTimeout => signed(frontend.plan.timeout_client.unwrap_or(UNLIMITED)),
    })
}

/// A number of a backend.
pub(crate) fn backend_number(backend: &Backend, fact: BackendNumber, now: u64) -> Option<i64> {
    let plan = &backend.plan;
    Some(match fact {
        BackendNumber::Id => i64::from(plan.id),
        BackendNumber::Connections => signed(backend.live.common.current.get()),
        BackendNumber::FreeConnections => free_connections(backend, false, now),
        BackendNumber::Slots => free_connections(backend, true, now),
        BackendNumber::SessionRate => {
            signed(backend.live.sum(|shard| shard.session_rate.per_second(now)))
        }
        BackendNumber::UsableServers => count(usable(backend)),
        BackendNumber::Queue => count(waiting(backend)),
        BackendNumber::AverageQueue => {
            let servers = usable(backend).max(1);
            count(waiting(backend).div_ceil(servers))
        }
        BackendNumber::ServerTimeout => signed(plan.timeout_server.unwrap_or(UNLIMITED)),
        BackendNumber::TunnelTimeout => signed(plan.timeout_tunnel.unwrap_or(UNLIMITED)),
        BackendNumber::ConnectTimeout => signed(plan.timeout_connect.unwrap_or(UNLIMITED)),
        BackendNumber::QueueTimeout => signed(plan.timeout_queue.unwrap_or(UNLIMITED)),
        BackendNumber::TarpitTimeout => 0,
        BackendNumber::MaxRetries => i64::from(plan.retries),
    })
}

/// Active servers that are up, or backup ones where no active one is.
pub(crate) fn usable(backend: &Backend) -> usize {
    let of = |backup: bool| {
        let servers = backend.servers.iter();
        servers
            .filter(|s| s.plan.backup == backup && s.state.balanced.usable())
            .count()
    };
    match of(false) {
        0 => of(true),
        active => active,
    }
}

/// Sessions that wait in the backend's queue and in those of its servers.
fn waiting(backend: &Backend) -> usize {
    let servers = (0..backend.servers.len()).map(|at| backend.line.len(Place::Server(at)));
    backend.line.len(Place::Backend) + servers.sum::<usize>()
}

/// What the usable servers (and their queues) could still take, -1 without limit.
fn free_connections(backend: &Backend, queues: bool, now: u64) -> i64 {
    let mut free = 0;
    for server in backend.servers.iter().filter(|s| s.state.balanced.usable()) {
        let room = free_slots(backend, server, now);
        let limits = server.state.balanced.limits();
        if room < 0 || (queues && limits.maxqueue == 0) {
            return -1;
        }
        free += room;
        if queues {
            let queued = i64::from(server.state.balanced.queued());
            free += (i64::from(limits.maxqueue) - queued).max(0);
        }
    }
    free
}

fn free_slots(backend: &Backend, server: &Server, now: u64) -> i64 {
    backend.balancer.limit(server.at, now).map_or(-1, |limit| {
        (i64::from(limit) - i64::from(server.state.balanced.current())).max(0)
    })
}

/// A number of a server.
pub(crate) fn server_number(
    backend: &Backend,
    server: &Server,
    fact: ServerNumber,
    now: u64,
) -> Option<i64> {
    let balanced = &server.state.balanced;
    Some(match fact {
        ServerNumber::Id => i64::from(server.plan.id),
        ServerNumber::Connections => i64::from(balanced.current()),
        ServerNumber::FreeConnections => free_slots(backend, server, now),
        ServerNumber::Up => i64::from(matches!(balanced.state(), State::Up | State::Drain)),
        ServerNumber::Queue => i64::from(balanced.queued()),
        ServerNumber::SessionRate => {
            signed(server.live.sum(|shard| shard.session_rate.per_second(now)))
        }
        ServerNumber::Weight => i64::from(shown_weight(balanced.effective_weight())),
        ServerNumber::UserWeight => i64::from(balanced.user_weight().get()),
        ServerNumber::InitialWeight => i64::from(balanced.initial_weight().get()),
    })
}

/// The balancer counts weights in sixteenths; statistics show them rounded up.
pub(crate) fn shown_weight(sixteenths: u32) -> u32 {
    sixteenths.div_ceil(16)
}
