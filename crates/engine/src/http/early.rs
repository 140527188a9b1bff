//! Waiting for the client's handshake: `wait-for-handshake`, and requests that came early and whose
//! method is not safe.

use super::judge::Judged;
use crate::secured::Handshake;
use crate::session::Session;
use crate::worker::Worker;

/// Milliseconds that a handshake may take where no timeout says so.
const USUAL: u64 = 10_000;

impl Worker {
    /// Passes once the handshake is over, from when on nobody else can have sent the request.
    pub(super) fn await_handshake(&mut self, session: &mut Session) -> Judged {
        if session.client.is_early() {
            match session.client.shake_hands(false) {
                Handshake::Done => {}
                Handshake::Waits => {
                    session.up.readable = false;
                    session.down.writable &= !session.client.holds_sealed();
                    return self.wait_for_handshake(session);
                }
                _ => {
                    session.end(b'C', b'R');
                    return Judged::Close;
                }
            }
        }
        if session.client_failed {
            session.end(b'C', b'R');
            return Judged::Close;
        }
        session.stream().resume_at = 0;
        Judged::Pass
    }

    fn wait_for_handshake(&mut self, session: &mut Session) -> Judged {
        let now = self.turn.now;
        let plan = &session.frontend.shared.plan;
        let limit = plan.timeout_client_hs.or(plan.timeout_client);
        let stream = session.stream();
        if stream.resume_at == 0 {
            stream.resume_at = now + limit.unwrap_or(USUAL);
        }
        if now < stream.resume_at {
            return Judged::Wait;
        }
        stream.resume_at = 0;
        stream.close = true;
        session.end(b'c', b'R');
        self.answer_status(session, 408);
        Judged::Answered
    }
}
