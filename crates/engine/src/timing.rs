//! What a session learns from events, and when it has waited for too long.

use isthmus_plan::http::TimeoutKind;
use isthmus_sockets::Ready;

use crate::session::{Phase, Session};
use crate::token::End;

/// A client that must send a PROXY header and for which no timeout is configured.
const HEADER_TIMEOUT: u64 = 10_000;
const NEVER: u64 = u64::MAX;

fn after(start: u64, limit: Option<u64>) -> u64 {
    limit.map_or(NEVER, |limit| start.saturating_add(limit))
}

impl Session {
    /// Takes note of an event.
    pub(crate) fn see(&mut self, ready: Ready, end: End) {
        let (incoming, outgoing) = match end {
            End::Client => (&mut self.up, &mut self.down),
            End::Server => (&mut self.down, &mut self.up),
        };
        incoming.readable |= ready.readable || ready.read_closed || ready.failed;
        incoming.closing |= ready.read_closed;
        incoming.urgent |= ready.urgent;
        outgoing.writable |= ready.writable || ready.failed;
        if ready.failed {
            match end {
                End::Client => self.client_failed = true,
                End::Server => self.server_failed = true,
            }
        }
        self.settle_early(end);
    }

    /// Takes note that the session's timer fired.
    pub(crate) fn time_out(&mut self, now: u64) {
        self.timed_out = self.deadline() <= now;
    }

    /// When the present phase has lasted for too long; `u64::MAX` for never.
    pub(crate) fn deadline(&self) -> u64 {
        let frontend = &self.frontend.shared.plan;
        let backend = self.backend.as_ref().map(|backend| &backend.shared.plan);
        match self.phase {
            Phase::Header | Phase::ClientTls => {
                let limit = frontend.timeout_client_hs.or(frontend.timeout_client);
                after(self.phase_began, Some(limit.unwrap_or(HEADER_TIMEOUT)))
            }
            // A question has its own patience, whatever the inspection delay says.
            Phase::Inspect | Phase::InspectBackend if self.asks_until().is_some() => {
                self.asks_until().unwrap_or(NEVER)
            }
            Phase::Inspect => {
                after(self.phase_began, Some(frontend.inspect_delay)).min(self.client_silence())
            }
            Phase::InspectBackend => {
                after(self.phase_began, backend.map(|b| b.inspect_delay)).min(self.client_silence())
            }
            Phase::Queued => {
                let usual = backend.and_then(|b| b.timeout_queue.or(b.timeout_connect));
                after(self.phase_began, self.timeout(TimeoutKind::Queue, usual))
            }
            Phase::Connecting | Phase::Joining | Phase::ServerTls => {
                let usual = backend.and_then(|b| b.timeout_connect);
                after(self.phase_began, self.timeout(TimeoutKind::Connect, usual))
            }
            Phase::Pausing => after(self.phase_began, Some(self.turn_around())),
            Phase::Choose | Phase::Depart => NEVER,
            Phase::Request => self.request_deadline(),
            Phase::Mux => {
                let due = self.mux.as_ref().and_then(|mux| mux.settings_due());
                self.mux_deadline().min(due.unwrap_or(NEVER))
            }
            Phase::Judge | Phase::JudgeBackend => self.rules_deadline(),
            // Rules of a response that wait have their own patience.
            Phase::Exchange | Phase::Serving if self.is_held() => self.rules_deadline(),
            Phase::Exchange => self
                .exchange_client_deadline()
                .min(self.exchange_server_deadline())
                .min(self.bandwidth_deadline()),
            Phase::Serving => self.service_deadline().min(self.bandwidth_deadline()),
            Phase::Lingering => after(self.phase_began, Some(crate::http::LONGEST_LINGERING)),
            Phase::Forwarding => self.client_deadline().min(self.server_deadline()),
        }
    }

    /// When the client has taken too long over its request (`timeout http-request`), or over
    /// beginning one (`timeout http-keep-alive`).
    fn request_deadline(&self) -> u64 {
        let frontend = &self.frontend.shared.plan;
        let Some(http) = &frontend.http else {
            return NEVER;
        };
        let common = &http.common;
        let idle = self.exchanges > 0 && self.http.is_none();
        let limit = match idle {
            true => common.timeout_keep_alive.or(common.timeout_request),
            false => common.timeout_request,
        };
        after(self.phase_began, limit.or(frontend.timeout_client))
    }

    /// When a connection of HTTP/2 has idled for too long, or its client has taken nothing.
    fn mux_deadline(&self) -> u64 {
        let frontend = &self.frontend.shared.plan;
        if !self.down.writable || self.down.sealed {
            return self.client_silence();
        }
        if !self.mux.as_ref().is_some_and(|mux| mux.is_idle()) {
            return NEVER;
        }
        let common = frontend.http.as_ref().map(|http| &http.common);
        let limit = common.and_then(|common| common.timeout_keep_alive.or(common.timeout_request));
        after(self.phase_began, limit.or(frontend.timeout_client))
    }

    /// When a rule that waits goes on.
    fn rules_deadline(&self) -> u64 {
        match self.http.as_deref().map_or(0, |stream| stream.resume_at) {
            0 => self.client_silence(),
            at => at,
        }
    }

    fn tunnel(&self) -> Option<u64> {
        let backend = self.backend.as_ref();
        let usual = backend.and_then(|backend| backend.shared.plan.timeout_tunnel);
        self.timeout(TimeoutKind::Tunnel, usual)
    }

    /// What goes out to the server is activity of its side, unless `option independent-streams`
    /// takes it for no sign of the server's life.
    pub(crate) fn note_sent_to_server(&mut self, now: u64) {
        if !self.server_is_independent() {
            self.server_active = now;
        }
    }

    /// `option independent-streams` of the backend.
    pub(crate) fn server_is_independent(&self) -> bool {
        let backend = self.backend.as_ref();
        backend.is_some_and(|backend| backend.shared.plan.options.independent_streams)
    }

    /// Whether the client, idle as it is, may send one more request though the process stops.
    pub(crate) fn closes_on_response(&self) -> bool {
        let plan = self.frontend.shared.plan.http.as_ref();
        plan.is_some_and(|http| http.idle_close_on_response)
    }

    /// When the client has been silent, or has taken nothing, for too long.
    pub(crate) fn client_deadline(&self) -> u64 {
        if self.up.ended && (self.down.is_flushed() || self.down.shut) {
            return NEVER;
        }
        let plan = &self.frontend.shared.plan;
        let fin = plan.timeout_client_fin.filter(|_| self.down.shut);
        after(
            self.client_active,
            fin.or(self.tunnel()).or(plan.timeout_client),
        )
    }

    /// When the server has been silent, or has taken nothing, for too long.
    pub(crate) fn server_deadline(&self) -> u64 {
        if self.down.ended && (self.up.is_flushed() || self.up.shut) {
            return NEVER;
        }
        let plan = self.backend.as_ref().map(|backend| &backend.shared.plan);
        let fin = plan
            .and_then(|plan| plan.timeout_server_fin)
            .filter(|_| self.up.shut);
        let usual = plan.and_then(|plan| plan.timeout_server);
        after(self.server_active, fin.or(self.tunnel()).or(usual))
    }

    /// Whether the client has been silent for longer than `timeout client` before the server
    /// connection stood. Who has sent a request of HTTP has nothing more to say.
    pub(crate) fn client_timed_out(&self, now: u64) -> bool {
        self.http.is_none() && self.client_silence() <= now
    }

    /// When `timeout client` strikes a client that is silent.
    fn client_silence(&self) -> u64 {
        after(self.client_active, self.frontend.shared.plan.timeout_client)
    }

    /// Whether the client gave up while a server or its slot was awaited: a reset, or with `option
    /// abortonclose` the end of what it sends. The reason is noted.
    pub(crate) fn client_gone(&mut self) -> bool {
        let broken = self.client_failed;
        if !broken && !self.is_aborted() {
            return false;
        }
        let phase = match self.phase {
            _ if broken && self.http.is_none() => b'D',
            Phase::Queued => b'Q',
            _ => b'C',
        };
        self.end(b'C', phase);
        true
    }

    /// Whether the client's FIN is taken for its leaving (`option abortonclose`).
    pub(crate) fn is_aborted(&self) -> bool {
        (self.up.closing || self.up.ended)
            && self
                .backend
                .as_ref()
                .is_some_and(|b| b.shared.plan.options.abortonclose)
    }

    /// Whether the client ended without having sent a byte: nobody is left to retry for.
    pub(crate) fn client_finished_silently(&self) -> bool {
        (self.up.closing || self.up.ended)
            && self.http.is_none()
            && self.up.pending.is_empty()
            && self.up.bytes == 0
            && !self.client.holds_bytes()
    }
}
