//! A plan compiled: what the workers share while it is in force. It never changes; what does
//! change (counters, server state, open sockets) stands behind the `live` parts and outlives it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use arc_swap::{ArcSwap, ArcSwapOption};
use isthmus_balance::{Balancer, Key};
use isthmus_plan as plan;
use isthmus_plan::command::FrontendState;
use isthmus_sample::{Compiled, Program, Sample, VarRef};
use isthmus_sockets::{ConnectOptions, ListenTarget};
use std::os::fd::OwnedFd;

use crate::http::{HttpSide, RequestPart, Shelf};
use crate::live::{ClientShard, Live, Process, RateLimits};
use crate::logging::Logger;
use crate::namespace::Namespace;
use crate::proxy_header::HeaderMaker;
use crate::queue::WaitingLine;
use crate::rules::{Choice, Rule};
use crate::server_state::ServerLive;
use crate::session::Phase;

/// A plan in force.
pub(crate) struct Generation {
    pub(crate) number: u64,
    pub(crate) global: plan::Global,
    /// Client connections at most; an operator may lower it.
    pub(crate) maxconn: AtomicU64,
    /// Connections and sessions that may begin in a second; an operator may change them.
    pub(crate) rates: RateLimits,
    pub(crate) process: Arc<Process>,
    pub(crate) program: Program,
    /// What is kept of the TLS of its connections.
    pub(crate) tls: crate::tls_facts::Kept,
    /// Lists of patterns, as operators name them.
    pub(crate) lists: Vec<crate::patterns::Listed>,
    /// Stick tables, and what the plan says of each.
    pub(crate) tables: Vec<(plan::StickTable, Arc<isthmus_table::Table>)>,
    pub(crate) frontends: Vec<Arc<Frontend>>,
    pub(crate) backends: Vec<Arc<Backend>>,
    /// Where each backend stands, by name.
    pub(crate) backend_names: HashMap<Box<[u8]>, usize>,
    pub(crate) namespaces: Vec<Arc<Namespace>>,
    /// Namespaces that a NETNS TLV may pick.
    pub(crate) listed: Vec<Arc<Namespace>>,
    pub(crate) proc_variables: Arc<crate::variables::ProcVariables>,
    /// Names of variables, this plan's and those of plans before it.
    pub(crate) names: isthmus_sample::Names,
    /// What expressions about tokens look at.
    pub(crate) jose: Arc<isthmus_sample::Jose>,
    /// What the configuration sets of them.
    pub(crate) assigned: Vec<(VarRef, Option<Sample<'static>>)>,
}

impl Generation {
    /// Where the backend of a name stands.
    pub(crate) fn backend_named(&self, name: &[u8]) -> Option<usize> {
        self.backend_names.get(name).copied()
    }

    /// The namespace that a NETNS TLV picks by name.
    pub(crate) fn listed(&self, name: &str) -> Option<&Arc<Namespace>> {
        self.listed.iter().find(|namespace| namespace.name == name)
    }
}

/// A frontend, or the client side of a `listen`.
pub(crate) struct Frontend {
    pub(crate) plan: plan::Frontend,
    pub(crate) live: Arc<Live<ClientShard>>,
    pub(crate) listeners: Vec<Arc<Listener>>,
    pub(crate) connection_rules: Vec<Rule>,
    pub(crate) session_rules: Vec<Rule>,
    pub(crate) content_rules: Vec<Rule>,
    pub(crate) choices: Vec<Choice>,
    pub(crate) logger: Logger,
    /// The backend whose content rules are this frontend's own: both are one `listen`.
    pub(crate) own_backend: Option<usize>,
    /// What HTTP mode adds.
    pub(crate) http: Option<HttpSide>,
    /// Connections at most, its own limit or the process's; an operator may change it.
    pub(crate) maxconn: AtomicU64,
    /// Whether an operator closed it: a [`FrontendState`].
    pub(crate) gate: AtomicU8,
}

impl Frontend {
    /// Whether it listens, as far as operators say.
    pub(crate) fn state(&self) -> FrontendState {
        match self.gate.load(Relaxed) {
            gate if gate == FrontendState::Paused as u8 => FrontendState::Paused,
            gate if gate == FrontendState::Shut as u8 => FrontendState::Shut,
            _ => FrontendState::Open,
        }
    }

    /// Whether its listeners are to be open.
    pub(crate) fn listens(&self) -> bool {
        !self.plan.disabled && self.state() == FrontendState::Open
    }
}

impl Frontend {
    /// What a session does first, once there is nothing to wait for before it.
    pub(crate) fn first_phase(&self) -> Phase {
        match self.http {
            Some(_) if !self.plan.switches => Phase::Request,
            _ => Phase::Inspect,
        }
    }
}

impl Listener {
    /// What a connection does once there is no PROXY header to wait for any more.
    pub(crate) fn phase_behind_header(&self, frontend: &Frontend) -> Phase {
        match self.acceptor {
            Some(_) => Phase::ClientTls,
            None => frontend.first_phase(),
        }
    }
}

/// One address of a `bind` line.
pub(crate) struct Listener {
    pub(crate) plan: plan::Bind,
    pub(crate) live: Arc<Live<ClientShard>>,
    pub(crate) namespace: Option<Arc<Namespace>>,
    /// `ssl`: how clients are spoken to; another one where certificates are replaced.
    pub(crate) acceptor: Option<ArcSwap<isthmus_tls::Acceptor>>,
    /// `accept-proxy from`: networks; empty means everybody.
    pub(crate) trusted: Vec<(std::net::IpAddr, u8)>,
    /// The open sockets; none while the namespace is absent.
    pub(crate) open: ArcSwapOption<OpenListener>,
    /// Why the last attempt to open them failed.
    pub(crate) error: parking_lot::Mutex<String>,
}

/// Open listening sockets of one bind.
pub(crate) struct OpenListener {
    pub(crate) sockets: Vec<OwnedFd>,
    pub(crate) target: Option<ListenTarget>,
    /// The namespace's identity when they were opened.
    pub(crate) identity: Option<isthmus_sockets::Identity>,
    /// The line for which they were opened: another one needs other sockets.
    pub(crate) bind: plan::Bind,
    /// Accepted connections arrive over `sockpair@`, as descriptors.
    pub(crate) sockpair: bool,
}

/// A backend, or the server side of a `listen`.
pub(crate) struct Backend {
    /// The number of the plan that it belongs to.
    pub(crate) generation: u64,
    pub(crate) plan: plan::Backend,
    pub(crate) index: usize,
    pub(crate) live: Arc<Live<crate::live::ServerShard>>,
    pub(crate) servers: Vec<Arc<Server>>,
    pub(crate) balancer: Balancer,
    pub(crate) line: WaitingLine,
    pub(crate) hash_key: HashKey,
    pub(crate) content_rules: Vec<Rule>,
    pub(crate) choices: Vec<Choice>,
    pub(crate) stick_rules: Vec<crate::sticking::StickRule>,
    pub(crate) logger: Logger,
    /// What HTTP mode adds.
    pub(crate) http: Option<HttpSide>,
}

/// What the balancing algorithm hashes.
#[derive(Debug)]
pub(crate) enum HashKey {
    Nothing,
    Source,
    Expression(Compiled),
    /// A part of a request (HTTP mode).
    Part(RequestPart),
}

impl HashKey {
    /// An integer or the bytes of any other sample, as the balancer hashes them.
    pub(crate) fn of_sample<'k>(
        sample: &'k isthmus_sample::Sample<'_>,
        space: &'k mut [u8; 16],
    ) -> Key<'k> {
        match sample {
            Sample::Bool(value) => Key::Integer(i64::from(*value)),
            Sample::Int(value) => Key::Integer(*value),
            Sample::Ipv4(ip) => {
                space[..4].copy_from_slice(&ip.octets());
                Key::Bytes(&space[..4])
            }
            Sample::Ipv6(ip) => {
                space.copy_from_slice(&ip.octets());
                Key::Bytes(&space[..])
            }
            Sample::Str(bytes) | Sample::Bin(bytes) => Key::Bytes(bytes),
        }
    }
}

/// A server.
pub(crate) struct Server {
    pub(crate) plan: plan::Server,
    pub(crate) at: usize,
    pub(crate) live: Arc<Live<crate::live::ServerShard>>,
    pub(crate) state: Arc<ServerLive>,
    /// `namespace NAME`; `None` is the default one, or the client's with `namespace *`.
    pub(crate) namespace: Option<Arc<Namespace>>,
    /// What connecting needs, but for what the client decides.
    pub(crate) options: ConnectOptions,
    pub(crate) header: Option<HeaderMaker>,
    /// `ssl`: how it is spoken to.
    pub(crate) connector: Option<ArcSwap<isthmus_tls::Connector>>,
    /// How its health check speaks to it, where that is TLS.
    pub(crate) check_connector: Option<ArcSwap<isthmus_tls::Connector>>,
    /// `sni`
    pub(crate) sni: Option<Compiled>,
    /// `usesrc hdr_ip(...)`
    pub(crate) usesrc: Option<Compiled>,
    /// Its value of the persistence cookie.
    pub(crate) cookie: Option<Vec<u8>>,
    /// Idle connections of each worker that the others may take; none where they may not.
    pub(crate) shelves: Box<[Shelf]>,
}
