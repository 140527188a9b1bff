//! A session as expressions see it: the answers to what fetches, conditions and log formats ask.

use std::borrow::Cow;
use std::net::SocketAddr;

use isthmus_proto::proxy::Tlvs;
use isthmus_sample::{
    BackendNumber, Bytes, Context, End, FrontendNumber, Number, Payload, Sample, Scope,
    ServerNumber, Side, TcpInfo, Text, TlsFacts, VarRef, Verdict,
};
use isthmus_sockets::{local_name, tcp_info};

use crate::facts;
use crate::session::{Notes, Phase, Session};
use crate::turn::Turn;
use crate::view_numbers::signed;

/// What an evaluation may look at.
pub(crate) struct View<'v> {
    pub(crate) session: &'v Session,
    pub(crate) turn: &'v Turn,
    /// Nothing more will be known.
    pub(crate) last_call: bool,
}

impl<'v> View<'v> {
    pub(crate) fn new(session: &'v Session, turn: &'v Turn) -> Self {
        Self {
            session,
            turn,
            last_call: true,
        }
    }

    /// Milliseconds from one moment to another, -1 where one was not reached.
    pub(crate) fn between(from: Option<u64>, to: Option<u64>) -> i64 {
        from.zip(to)
            .map_or(-1, |(from, to)| signed(to.saturating_sub(from)))
    }

    /// The session's unique id, made when first asked for.
    pub(crate) fn unique_id(&self) -> &[u8] {
        let notes = self.session.notes();
        notes
            .unique_id
            .get_or_init(|| self.session.frontend.shared.logger.unique_id.to_bytes(self))
    }

    /// Whether variables of a scope live now: those of the request do before the response is there,
    /// those of the response from then on (manual, 2.8).
    pub(crate) fn holds(&self, scope: Scope) -> bool {
        match scope {
            Scope::Req => self.session.http.is_none() || !self.session.judges_response(),
            Scope::Res => self.session.http.is_none() || self.session.judges_response(),
            Scope::Sess | Scope::Txn | Scope::Proc | Scope::Check => true,
        }
    }

    fn pp_text(&self, kind: u8) -> Option<Bytes<'_>> {
        let notes = self.session.notes.get()?;
        Tlvs::from_bytes(notes.tlvs.get()?)
            .ok()?
            .get(kind)
            .map(Cow::Borrowed)
    }
}

impl Context for View<'_> {
    fn endpoint(&self, end: End) -> Option<SocketAddr> {
        let session = self.session;
        match end {
            End::Src => session.source(),
            End::Dst => session.destination(),
            End::ClientSrc => session.peer.inet(),
            End::ClientDst => local_name(&session.client).inet(),
            End::ServerSrc => match &session.server {
                Some(server) => local_name(server).inet(),
                None => session.notes.get().and_then(|n| n.server_source.get()),
            },
            End::ServerDst => session
                .notes
                .get()
                .and_then(|n| n.server_address.get())
                .or_else(|| {
                    session
                        .chosen
                        .as_ref()
                        .and_then(|chosen| chosen.shared.fixed_address())
                }),
        }
    }

    fn unix_port(&self, end: End) -> Option<i64> {
        let session = self.session;
        match end {
            End::Src | End::Dst | End::ClientSrc | End::ClientDst => {
                let unix = session.peer == isthmus_sockets::Peer::Unix;
                unix.then(|| i64::from(session.listener.shared.plan.id))
            }
            End::ServerSrc | End::ServerDst => {
                let address = &session.chosen.as_ref()?.shared.plan.address;
                matches!(address, isthmus_plan::ServerAddress::Local { .. }).then_some(0)
            }
        }
    }

    fn number(&self, fact: Number) -> Option<i64> {
        match fact {
            Number::ActiveConnections => Some(signed(
                self.session.frontend.generation.process.connections.get(),
            )),
            Number::Pid => Some(i64::from(std::process::id())),
            Number::Uptime => Some(signed(self.turn.now / 1000)),
            Number::Unfinished => Some(i64::from(
                self.session.frontend.shared.logger.when == isthmus_plan::LogWhen::Connect,
            )),
            Number::WorkerUsage => Some(signed(self.turn.counters.load.busy_percent())),
            Number::ProcessUsage => {
                let process = &self.session.frontend.generation.process;
                Some(signed(process.busy_percent(self.turn.now)))
            }
            Number::Thread => i64::try_from(self.turn.worker).ok(),
            Number::Stopping => {
                let process = &self.session.frontend.generation.process;
                Some(i64::from(
                    process.stopping.load(std::sync::atomic::Ordering::Relaxed),
                ))
            }
            Number::TimeHandshake
            | Number::TimeQueue
            | Number::TimeConnect
            | Number::TimeIdle
            | Number::TimeRequest
            | Number::TimeResponse
            | Number::TimeData
            | Number::TimeActive
            | Number::TimeTotal
            | Number::TimeUser => Some(self.timer(fact)),
            _ => self.session_number(fact),
        }
    }

    fn text(&self, fact: Text) -> Option<Bytes<'_>> {
        let session = self.session;
        let generation = &session.frontend.generation;
        match fact {
            Text::FrontendName => Some(Cow::Borrowed(session.frontend.shared.plan.name.as_bytes())),
            Text::FrontendDefaultBackend => {
                let index = session.frontend.shared.plan.default_backend?;
                Some(Cow::Borrowed(
                    generation.backends.get(index)?.plan.name.as_bytes(),
                ))
            }
            // Before a backend is chosen the frontend stands for it, as in HAProxy's logs.
            Text::BackendName => Some(Cow::Borrowed(match &session.backend {
                Some(backend) => backend.shared.plan.name.as_bytes(),
                None => session.frontend.shared.plan.name.as_bytes(),
            })),
            Text::ServerName if session.service().is_some() => {
                Some(Cow::Borrowed(session.service()?.shown.as_bytes()))
            }
            Text::ServerName if session.serves_from_cache() => Some(Cow::Borrowed(b"<CACHE>")),
            Text::ServerNameAlone if session.serves_from_cache() => None,
            Text::ServerNameAlone => self.text(Text::ServerName),
            Text::ServerName => Some(Cow::Borrowed(
                session.chosen.as_ref()?.shared.plan.name.as_bytes(),
            )),
            Text::ListenerName => {
                let name = session.listener.shared.plan.name.as_bytes();
                (!name.is_empty()).then_some(Cow::Borrowed(name))
            }
            Text::SrcNetns => Some(Cow::Borrowed(
                session.source_namespace.as_ref()?.name.as_bytes(),
            )),
            Text::DstNetns => {
                let namespace = session.server_namespace()?;
                Some(Cow::Owned(namespace.name.as_bytes().to_vec()))
            }
            Text::PpAuthority => self.pp_text(isthmus_proto::proxy::kind::AUTHORITY),
            Text::PpUniqueId => self.pp_text(isthmus_proto::proxy::kind::UNIQUE_ID),
            Text::UniqueId if self.lacks_request() => None,
            Text::UniqueId if !session.frontend.shared.logger.unique_id.is_empty() => {
                Some(Cow::Borrowed(self.unique_id()))
            }
            Text::LogOrigin => Some(Cow::Borrowed(session.log_origin().as_bytes())),
            Text::Hostname => Some(Cow::Borrowed(generation.global.hostname.as_bytes())),
            // What ends before its PROXY header is through is the proxy's refusal.
            Text::TerminationState if session.phase == Phase::Header => Some(Cow::Borrowed(b"PR")),
            Text::TerminationState => {
                let ending = session.ending.unwrap_or(crate::session::Ending::NORMAL);
                Some(Cow::Owned(vec![ending.cause, ending.phase]))
            }
            Text::ClientErrorText => {
                let text = session.notes.get()?.error_text.get();
                (!text.is_empty()).then_some(Cow::Borrowed(text.as_bytes()))
            }
            _ => self.http_text(fact),
        }
    }

    fn head(&self, side: Side) -> Option<isthmus_proto::http1::View<'_>> {
        self.http_head(side)
    }

    fn content(&self, side: Side) -> Option<isthmus_sample::Content<'_>> {
        self.http_content(side)
    }

    fn frontend_number(&self, frontend: Option<usize>, fact: FrontendNumber) -> Option<i64> {
        let generation = &self.session.frontend.generation;
        let frontend = match frontend {
            Some(index) => generation.frontends.get(index)?,
            None => &self.session.frontend.shared,
        };
        facts::frontend_number(frontend, fact, self.turn.now)
    }

    fn backend_number(&self, backend: Option<usize>, fact: BackendNumber) -> Option<i64> {
        let generation = &self.session.frontend.generation;
        let backend = match backend {
            Some(index) => generation.backends.get(index)?,
            None => &self.session.backend.as_ref()?.shared,
        };
        facts::backend_number(backend, fact, self.turn.now)
    }

    fn server_number(&self, server: Option<(usize, usize)>, fact: ServerNumber) -> Option<i64> {
        let generation = &self.session.frontend.generation;
        let (backend, server) = match server {
            Some((backend, server)) => {
                let backend = generation.backends.get(backend)?;
                (backend, backend.servers.get(server)?)
            }
            None => (
                &self.session.backend.as_ref()?.shared,
                &self.session.chosen.as_ref()?.shared,
            ),
        };
        facts::server_number(backend, server, fact, self.turn.now)
    }

    fn find_server(&self, backend: Option<&[u8]>, server: &[u8]) -> Option<(usize, usize)> {
        let generation = &self.session.frontend.generation;
        let backend = match backend {
            Some(name) => generation.backend_named(name)?,
            None => self.session.backend.as_ref()?.shared.index,
        };
        let servers = &generation.backends.get(backend)?.servers;
        servers
            .iter()
            .position(|s| s.plan.name.as_bytes() == server)
            .map(|at| (backend, at))
    }

    fn find_proxy(&self, frontend: bool, name: &[u8]) -> Option<usize> {
        let generation = &self.session.frontend.generation;
        if frontend {
            generation
                .frontends
                .iter()
                .position(|f| f.plan.name.as_bytes() == name)
        } else {
            generation.backend_named(name)
        }
    }

    fn payload(&self, side: Side) -> Option<Payload<'_>> {
        // In HTTP mode what flows is no head: that one is at hand by itself.
        if self.session.speaks_http() {
            return None;
        }
        let flow = match side {
            Side::Request => &self.session.up,
            Side::Response => &self.session.down,
        };
        let growing = !self.last_call && !flow.ended;
        Some(Payload {
            bytes: flow.pending.as_slice(),
            growing,
        })
    }

    fn is_final(&self) -> bool {
        self.last_call
    }

    fn pp_tlv(&self, kind: u8) -> Option<Bytes<'_>> {
        self.pp_text(kind)
    }

    fn speaks_tls(&self, side: Side) -> Option<bool> {
        self.session.speaks_tls(side)
    }

    fn tls(&self, side: Side) -> Option<&TlsFacts> {
        self.session.tls_facts(side)
    }

    fn layers(&self, side: Side, wanted: i64) -> Option<String> {
        self.layers(side, wanted)
    }

    fn side(&self) -> Side {
        match self.session.http.is_some() && self.session.judges_response() {
            true => Side::Response,
            false => Side::Request,
        }
    }

    fn flows_early(&self) -> bool {
        self.session.client.is_early()
    }

    fn tcp_info(&self, side: Side, fact: TcpInfo) -> Option<i64> {
        let info = match side {
            Side::Request => tcp_info(&self.session.client)?,
            Side::Response => tcp_info(self.session.server.as_ref()?)?,
        };
        Some(i64::from(match fact {
            TcpInfo::Rtt => info.rtt,
            TcpInfo::RttVariance => info.rttvar,
            TcpInfo::Unacked => info.unacked,
            TcpInfo::Sacked => info.sacked,
            TcpInfo::Retransmitted => info.retrans,
            TcpInfo::ForwardAcked => info.fackets,
            TcpInfo::Lost => info.lost,
            TcpInfo::Reordering => info.reordering,
        }))
    }

    fn capture(&self, side: Side, slot: usize) -> Option<Bytes<'_>> {
        let notes = self.session.notes.get()?;
        let captures = match side {
            Side::Request => notes.captures.borrow(),
            Side::Response => notes.response_captures.borrow(),
        };
        captures.get(slot)?.clone().map(Cow::Owned)
    }

    fn set_capture(&self, side: Side, slot: usize, value: &[u8]) -> bool {
        self.session.keep(side, slot, value)
    }

    fn variable(&self, variable: VarRef) -> Option<Sample<'_>> {
        if variable.scope == Scope::Proc {
            return self
                .session
                .frontend
                .generation
                .proc_variables
                .get(variable.id);
        }
        if !self.holds(variable.scope) {
            return None;
        }
        let place = Notes::scope(variable.scope)?;
        let scopes = self.session.notes.get()?.variables.borrow();
        scopes.get(place)?.get(variable.id).cloned()
    }

    fn set_variable(&self, variable: VarRef, value: Option<Sample<'static>>) -> bool {
        let generation = &self.session.frontend.generation;
        let limits = generation.global.variable_limits.as_ref();
        if variable.scope == Scope::Proc {
            let process = &generation.proc_variables;
            if let Some(limits) = limits {
                return process.set_within(limits, variable.id, value);
            }
            process.set(variable.id, value);
            return true;
        }
        // Before the session was admitted there is no transaction that could hold a variable.
        if variable.scope != Scope::Sess && !self.session.counted {
            return false;
        }
        if !self.holds(variable.scope) {
            return false;
        }
        if let Some(limits) = limits {
            let which = (variable.scope, variable.id);
            return self.session.set_within(limits, which, value);
        }
        let Some(place) = Notes::scope(variable.scope) else {
            return false;
        };
        let mut scopes = self.session.notes().variables.borrow_mut();
        let Some(scope) = scopes.get_mut(place) else {
            return false;
        };
        scope.set(variable.id, value);
        true
    }

    fn each_variable(&self, scope: Scope, visit: &mut dyn FnMut(&[u8], &Sample<'_>)) {
        self.visit_variables(scope, visit);
    }

    fn acl(&self, index: usize) -> Verdict {
        self.session.frontend.generation.program.acl(index, self)
    }

    fn tracked(&self, counter: usize) -> Option<&isthmus_table::Tracked> {
        self.session.tracked(counter)
    }

    fn now_ms(&self) -> u64 {
        self.turn.now
    }

    fn running_ms(&self) -> u64 {
        self.turn.clock.now()
    }

    fn now_wall_us(&self) -> Option<i64> {
        Some(signed(self.turn.clock.wall_us(self.turn.now)))
    }

    fn utc_offset(&self, at: i64) -> i32 {
        self.turn.utc_offset(at)
    }

    fn print(&self, descriptor: i32, line: &[u8]) {
        // Who reads it may be gone.
        let _ = isthmus_sockets::write_line(descriptor, line);
    }

    fn random(&self) -> Option<u64> {
        Some(self.turn.random())
    }
}
