//! The end of a session: counters, the log line, slots and sockets given back.

use isthmus_plan::LogWhen;
use isthmus_plan::report::SessionFacts;
use isthmus_sockets::Moved;

use crate::live::{Common, ServerShard};
use crate::session::{Ending, Phase, Session};
use crate::turn::Turn;
use crate::view::View;
use crate::worker::Worker;

impl Worker {
    /// Ends a session: everything that it held is given back, then it is logged.
    pub(crate) fn finish(&mut self, mut session: Box<Session>) {
        if session.speaks_http() {
            return self.finish_http(session);
        }
        if session.armed != u64::MAX {
            self.wheel.clear(session.key.index);
        }
        if session.phase == Phase::Queued {
            self.leave_line(&session);
        }
        if session.phase != Phase::Forwarding {
            self.drain_client(&mut session);
        }
        let held_slot = session.give_slot_back();
        // The log shows the backend and the server without this session, the frontend with it.
        if let Some(backend) = &session.backend {
            backend.shared.live.common.current.leave();
        }
        self.count(&session);
        if session.counted {
            self.log_at(&session, LogWhen::End);
        }
        if held_slot {
            self.pass_slot_on(&session);
        }
        self.recover_pipe(&mut session.up);
        self.recover_pipe(&mut session.down);
        if session.frontend.shared.plan.options.nolinger {
            session.client.abort_on_close();
        }
        self.say_goodbye(&mut session);
        self.discard(session);
    }

    /// Tells both ends, within TLS, that the session ended as it should. One that was cut short
    /// just breaks off, so that nobody takes half of a message for all of it.
    pub(crate) fn say_goodbye(&self, session: &mut Session) {
        let ending = session.ending.unwrap_or(Ending::NORMAL);
        if ending == Ending::NORMAL || ending.phase == b'R' {
            session.client.say_goodbye();
            if let Some(server) = &mut session.server {
                server.say_goodbye();
            }
        }
    }

    /// Reads what the client sent to a session that never reached a server: it counts as received,
    /// and a close over unread bytes would reset the connection instead of ending it.
    pub(crate) fn drain_client(&mut self, session: &mut Session) {
        if matches!(session.phase, Phase::Header | Phase::ClientTls) {
            return;
        }
        let bufsize = session.frontend.generation.global.bufsize;
        let space = self.scratch.get_mut(..bufsize).unwrap_or_default();
        if let (false, Moved::Bytes(count)) = (space.is_empty(), session.client.receive(space)) {
            session.up.bytes += count as u64;
        }
    }

    pub(crate) fn count(&self, session: &Session) {
        let (up, down) = (session.up.bytes, session.down.bytes);
        session.count_tracked_bytes(self.turn.now);
        for counters in [&session.frontend.counters, &session.listener.counters] {
            counters.bytes_in.add(up);
            counters.bytes_out.add(down);
            if session
                .ending
                .is_some_and(|e| e.phase == b'R' && !matches!(e.cause, b'P' | b'L' | b'I'))
            {
                counters.failed_requests.add(1);
            }
        }
        if let Some(backend) = &session.backend {
            self.count_at(&backend.counters, &backend.shared.live.common, session);
        }
        if let Some(chosen) = &session.chosen {
            self.count_at(&chosen.counters, &chosen.shared.live.common, session);
        }
    }

    fn count_at(&self, counters: &ServerShard, common: &Common, session: &Session) {
        counters.bytes_in.add(session.up.bytes);
        counters.bytes_out.add(session.down.bytes);
        match session.ending.unwrap_or(Ending::NORMAL) {
            Ending {
                cause: b'C' | b'c',
                phase: b'D',
            } => counters.client_aborts.add(1),
            Ending {
                cause: b'S' | b's',
                phase: b'D',
            } => counters.server_aborts.add(1),
            _ => {}
        }
        let moments = &session.moments;
        let exchange = session.http.as_deref().map(|stream| &stream.moments);
        let began = exchange.map_or(moments.accepted, |of| of.began.unwrap_or(of.idle_since));
        let total = self.turn.now.saturating_sub(began);
        counters.total_time.add(total);
        common.highest_total_time.see(total);
        if let Some(unqueued) = moments.unqueued {
            let asked = exchange.and_then(|of| of.requested);
            let queued = unqueued.saturating_sub(asked.unwrap_or(moments.handshaken));
            counters.queue_time.add(queued);
            common.highest_queue_time.see(queued);
            if let Some(connected) = moments.connected {
                let connect = connected.saturating_sub(unqueued);
                counters.connect_time.add(connect);
                common.highest_connect_time.see(connect);
                if let Some(responded) = exchange.and_then(|of| of.responded) {
                    let waited = responded.saturating_sub(connected);
                    counters.response_time.add(waited);
                    common.highest_response_time.see(waited);
                }
            }
        }
    }

    /// Writes the session's line if this is the moment for it.
    pub(crate) fn log_at(&self, session: &Session, moment: LogWhen) {
        let logger = &session.frontend.shared.logger;
        if logger.is_silent() {
            return;
        }
        let failed = session
            .ending
            // What the proxy answers itself is no error, unless it refuses.
            .is_some_and(|ending| ending != Ending::NORMAL && ending.cause != b'L');
        // In HTTP mode a server that fails says so in its status (`option log-separate-errors`).
        let failed = failed || session.http.as_ref().is_some_and(|s| s.status >= 500);
        let written = match logger.when {
            LogWhen::Accept => true,
            LogWhen::Connect => match &session.http {
                Some(stream) => stream.logged,
                None => session.moments.connected.is_some(),
            },
            LogWhen::End => false,
        };
        let step = session.step_of(moment);
        // A session that failed before its early moment is logged at the end after all.
        let due = match logger.has_steps() {
            true => logger.logs_at(step),
            false => logger.when == moment || moment == LogWhen::End && !written,
        };
        if !due {
            return;
        }
        let nothing = match &session.http {
            // A page of the proxy's own is no data of a client's that said nothing.
            Some(stream) => stream.moments.began.is_none(),
            // As HAProxy has it: a greeting of the server's makes a probe no less of one.
            None => session.up.bytes == 0,
        };
        if moment == LogWhen::End
            && (logger.dontlog_normal && !failed || logger.dontlognull && nothing)
        {
            return;
        }
        match logger.has_steps() {
            true => self.write_step(session, step, failed),
            false => logger.session(&View::new(session, &self.turn), failed),
        }
    }
}

impl ServerShard {
    /// Notes that a session began.
    pub(crate) fn note_session(&self, now: u64) {
        let last = self.last_session.get();
        self.last_session.add((now + 1).saturating_sub(last));
    }
}

impl View<'_> {
    /// The built-in line of a connection that failed before it was a session.
    pub(crate) fn early_error(&self, text: &str, out: &mut Vec<u8>) {
        use std::io::Write;
        let session = self.session;
        let plan = &session.listener.shared.plan;
        let bind = if plan.name.is_empty() {
            plan.id.to_string()
        } else {
            plan.name.clone()
        };
        session.frontend.shared.logger.prefix.render(self, out);
        let _ = write!(out, "{}/{bind}: {text}", session.frontend.shared.plan.name);
    }
}

impl Session {
    /// The session as `show sess` tells of it.
    pub(crate) fn facts(&self, turn: &Turn) -> SessionFacts {
        use std::os::fd::AsRawFd;
        let source = self
            .source()
            .map_or_else(|| "unix".to_owned(), |a| a.to_string());
        let last = self.client_active.max(self.server_active);
        let deadline = self.deadline();
        let expires = match deadline {
            u64::MAX => -1,
            at => i64::try_from(at.saturating_sub(turn.now)).unwrap_or(i64::MAX),
        };
        let namespace = self.server_namespace().map(|n| n.name.clone());
        SessionFacts {
            id: self.id,
            src: source,
            frontend: self.frontend.shared.plan.name.clone(),
            backend: self
                .backend
                .as_ref()
                .map_or_else(|| "<NONE>".to_owned(), |b| b.shared.plan.name.clone()),
            server: self
                .chosen
                .as_ref()
                .map_or_else(|| "<none>".to_owned(), |s| s.shared.plan.name.clone()),
            src_netns: self
                .source_namespace
                .as_ref()
                .map_or_else(String::new, |n| n.name.clone()),
            dst_netns: namespace.unwrap_or_default(),
            age_ms: turn.now.saturating_sub(self.moments.accepted),
            idle_ms: turn.now.saturating_sub(last),
            expires_ms: expires,
            state: self.phase.word().to_owned(),
            bytes_in: self.up.bytes,
            bytes_out: self.down.bytes,
            thread: turn.worker as u64,
            fds: (
                self.client.as_raw_fd(),
                self.server.as_ref().map_or(-1, AsRawFd::as_raw_fd),
            ),
        }
    }
}
