//! The PROXY header at the start of a connection: waiting for it, believing it, refusing it.

use isthmus_proto::proxy::{Addresses, Command, Decoded, Error, Header, decode};
use isthmus_sockets::Moved;

use crate::session::{Phase, Session};
use crate::view::View;
use crate::worker::{Step, Worker};

/// A header that is longer is refused; it would hold about 16 kB of TLVs.
const LONGEST: usize = 16 * 1024;

/// HAProxy's number and text (`fc_err`, `fc_err_str`) of what is no error of the header itself.
const CLOSED: (u8, &str) = (
    11,
    "Connection closed while waiting for PROXY protocol header",
);
const FAILED: (u8, &str) = (
    12,
    "Connection error while waiting for PROXY protocol header",
);
const LATE: (u8, &str) = (13, "Timeout while waiting for PROXY protocol header");
const UNLISTED: (u8, &str) = (
    16,
    "PROXY protocol header names a namespace that is not listed",
);
const STRANGER: (u8, &str) = (
    16,
    "Connection from an address that accept-proxy does not trust",
);

impl Worker {
    pub(crate) fn read_header(&mut self, session: &mut Session) -> Step {
        if !session.listener.trusts(session.peer) {
            return self.refuse_header(session, STRANGER);
        }
        if session.timed_out {
            return self.refuse_header(session, LATE);
        }
        while session.up.readable {
            let space = self.scratch.get_mut(..LONGEST).unwrap_or_default();
            match session.client.receive(space) {
                Moved::Bytes(count) => {
                    session.client_active = self.turn.now;
                    session
                        .up
                        .pending
                        .push(self.scratch.get(..count).unwrap_or_default());
                    if let Some(step) = self.judge_header(session) {
                        return step;
                    }
                }
                Moved::Later => session.up.readable = false,
                Moved::End if session.up.pending.is_empty() => {
                    return self.refuse_header(session, CLOSED);
                }
                Moved::End => {
                    let error = Error::Truncated;
                    return self.refuse_header(session, (error.fc_err(), error.fc_err_str()));
                }
                Moved::Broken(_) => return self.refuse_header(session, FAILED),
            }
        }
        Step::Wait
    }

    /// Looks at what has arrived; `None` if it may still become a header.
    fn judge_header(&mut self, session: &mut Session) -> Option<Step> {
        let received = std::mem::take(&mut session.up.pending);
        let judged = match decode(received.as_slice()) {
            Ok(Decoded::Header(header)) => Some(session.believe(&header).map(|()| header.len)),
            Ok(Decoded::Incomplete { need }) if need <= LONGEST => None,
            Ok(Decoded::Incomplete { .. }) => {
                let error = Error::TooLong;
                Some(Err((error.fc_err(), error.fc_err_str())))
            }
            Err(error) => Some(Err((error.fc_err(), error.fc_err_str()))),
        };
        session.up.pending = received;
        Some(match judged? {
            Ok(len) => {
                session.up.pending.consume(len);
                session.notes().header_bytes.set(len);
                session.client_active = self.turn.now;
                if session.listener.shared.acceptor.is_some() {
                    session.phase = Phase::ClientTls;
                    session.phase_began = self.turn.now;
                    return Some(Step::Again);
                }
                session.up.bytes += session.up.pending.as_slice().len() as u64;
                session.phase = session.frontend.shared.first_phase();
                if !self.open_session(session) {
                    return Some(Step::Close);
                }
                if session.phase == Phase::Request && !session.begins_h2() {
                    self.begin_request(session);
                }
                Step::Again
            }
            Err(reason) => self.refuse_header(session, reason),
        })
    }

    fn refuse_header(&mut self, session: &mut Session, (number, text): (u8, &'static str)) -> Step {
        for counters in [&session.frontend.counters, &session.listener.counters] {
            counters.bad_proxy_headers.add(1);
            if text == UNLISTED.1 {
                counters.unlisted_namespaces.add(1);
            }
        }
        let nothing = number == CLOSED.0 && session.up.pending.is_empty();
        self.log_embryonic(session, (number, text), nothing);
        // A sender that is wrong is told by a reset, as bytes that nobody will read would.
        let silent = number == CLOSED.0 || number == LATE.0 && session.up.pending.is_empty();
        if !silent {
            session.client.abort_on_close();
        }
        Step::Close
    }

    /// Counts and logs a connection that ended before it was a session; `nothing` says that the
    /// client had sent nothing.
    pub(crate) fn log_embryonic(
        &self,
        session: &Session,
        (number, text): (u8, &'static str),
        nothing: bool,
    ) {
        let notes = session.notes();
        notes.error.set(number);
        notes.error_text.set(text);
        for counters in [&session.frontend.counters, &session.listener.counters] {
            counters.failed_requests.add(1);
        }
        let logger = &session.frontend.shared.logger;
        let unwanted = logger.dontlognull && nothing;
        if !(logger.is_silent() || unwanted) {
            let view = View::new(session, &self.turn);
            logger.early_error(&view, |out| view.early_error(text, out));
        }
    }
}

impl Session {
    /// Takes over what a header says.
    fn believe(&mut self, header: &Header<'_>) -> Result<(), (u8, &'static str)> {
        let notes = self.notes();
        notes.received_proxy.set(true);
        let _ = notes.tlvs.set(header.tlvs.as_bytes().to_vec());
        if let (Command::Proxy, Some(Addresses::Inet { src, dst, .. })) =
            (header.command, header.addresses)
        {
            notes.proxy_source.set(Some(src));
            notes.proxy_destination.set(Some(dst));
        }
        let generation = self.frontend.generation.clone();
        for name in header.tlvs.netns() {
            match generation.listed(name) {
                Some(namespace) => self.source_namespace = Some(namespace.clone()),
                // A tenant's name that nobody listed is a mistake or an attack: the default
                // namespace must not be what it falls into.
                None if !generation.global.netns_unlisted_ignore => return Err(UNLISTED),
                None => {}
            }
        }
        Ok(())
    }
}
