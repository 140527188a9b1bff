//! The session of a connection itself: it reads and writes the socket, and has a session for each
//! stream do the rest.

use std::os::fd::AsFd;
use std::rc::Rc;

use isthmus_proto::http2::{Connection, ErrorCode, Head};
use isthmus_table::Event;

use super::connection::Shared;
use super::driving::Driven;
use super::settings::{patience, with_clients};
use super::state::StreamState;
use super::stream::Stream;
use super::unwritten::Driver;
use super::wire::{End, Wire};
use crate::session::{Phase, Session};
use crate::transport::Transport;
use crate::worker::{Step, Worker};

/// What a connection's own session holds.
#[derive(Debug)]
pub(crate) struct Mux {
    shared: Rc<Shared>,
    /// What was read and is no whole frame yet.
    incoming: Vec<u8>,
    leaving: bool,
    /// Glitches that stick tables know of.
    counted: u32,
}

impl Worker {
    /// Begins HTTP/2 on a session's connection, of which `received` was read already.
    pub(crate) fn begin_h2(&mut self, session: &mut Session, received: &[u8]) -> Step {
        let Ok(socket) = session.client.as_fd().try_clone_to_owned() else {
            return Step::Close;
        };
        let (settings, limits) = with_clients(&session.frontend.generation.global);
        let codec = Connection::server(settings, limits);
        let patience = patience(session.frontend.shared.plan.timeout_client);
        let driver = Driver::Session(session.key);
        session.mux = Some(Box::new(Mux {
            shared: Rc::new(Shared::new(
                (socket, true),
                (None, patience),
                driver,
                codec,
                self,
            )),
            incoming: received.to_vec(),
            leaving: false,
            counted: 0,
        }));
        session.phase = Phase::Mux;
        session.phase_began = self.turn.now;
        Step::Again
    }

    /// Reads frames, has streams answer, writes frames.
    pub(crate) fn multiplex(&mut self, session: &mut Session) -> Step {
        let Some(mut mux) = session.mux.take() else {
            return Step::Close;
        };
        mux.shared.drives(true);
        let step = self.multiplex_with(session, &mut mux);
        if step == Step::Close {
            self.lose_streams(&mux.shared, 0, false);
            if session.exchanges == 0 && mux.is_refused() && !session.was_silent() {
                // No exchange tells of it.
                session.end(b'P', b'R');
            }
        }
        mux.shared.drives(false);
        session.mux = Some(mux);
        step
    }

    fn multiplex_with(&mut self, session: &mut Session, mux: &mut Mux) -> Step {
        if std::mem::take(&mut session.timed_out) {
            if !mux.shared.end_unacknowledged(self.turn.now) {
                mux.leave(ErrorCode::NO_ERROR);
            }
            self.write_frames(&mux.shared.clone(), &mut session.wire());
            return Step::Close;
        }
        mux.shared.pass_time(self.turn.now);
        if self.is_outdated(session) && !mux.leaving {
            mux.leave(ErrorCode::NO_ERROR);
        }
        let shared = mux.shared.clone();
        let driven = self.drive_frames(&shared, &mut mux.incoming, session);
        mux.count_glitches(session, self.turn.now);
        if driven == Driven::Over || session.client_failed {
            return Step::Close;
        }
        if driven == Driven::More {
            self.busy.push(session.key);
        }
        if mux.is_over() && session.down.is_flushed() {
            return Step::Close;
        }
        mux.rest(self.turn.now, session);
        Step::Wait
    }

    /// The stream that a client's request opens.
    pub(super) fn asked(&mut self, head: &Head, end: bool) -> StreamState {
        let key = head
            .protocol()
            .filter(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
            .map(|_| websocket_key([self.turn.random(), self.turn.random()]));
        StreamState::asked(self.sessions.reserve(), head, end, key.as_deref())
    }

    /// Gives a stream of a client's connection a session.
    pub(super) fn open_stream(
        &mut self,
        session: &mut Session,
        shared: &Rc<Shared>,
        id: u32,
        state: StreamState,
    ) {
        let owner = state.owner;
        shared.inner.borrow_mut().streams.insert(id, state);
        session.exchanges = session.exchanges.saturating_add(1);
        let most = session.frontend.generation.global.http.h2.total_streams;
        if most > 0 && session.exchanges == most {
            let mut inner = shared.inner.borrow_mut();
            inner.codec.send_goaway(ErrorCode::NO_ERROR);
        }
        let transport = Transport::stream(Stream::asked(shared.clone(), id, owner));
        let names = (owner, self.next_session_id());
        let stream = session.for_stream(names, transport, self.turn.now);
        self.walk(Box::new(stream));
    }
}

impl End for Session {
    fn wire(&mut self) -> Wire<'_> {
        Wire {
            transport: &mut self.client,
            into: &mut self.up,
            out: &mut self.down,
            active: &mut self.client_active,
        }
    }

    fn client(&mut self) -> Option<&mut Session> {
        Some(self)
    }
}

/// A key for a WebSocket's opening over HTTP/1 (RFC 6455, 4.1); it proves nothing and hides
/// nothing.
fn websocket_key(random: [u64; 2]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let [high, low] = random;
    let number = u128::from(high) << 64 | u128::from(low);
    let digit = |value: u128| {
        let at = usize::try_from(value & 63).unwrap_or(0);
        DIGITS.get(at).map_or('A', |digit| char::from(*digit))
    };
    let mut key: String = (0..21).map(|at| digit(number >> (122 - 6 * at))).collect();
    // The last two bits of 128.
    key.push(digit(number << 4));
    key.push_str("==");
    key
}

impl Mux {
    /// When the client has taken too long to acknowledge our SETTINGS.
    pub(crate) fn settings_due(&self) -> Option<u64> {
        self.shared.settings_due()
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Whether streams are at work.
    pub(crate) fn is_idle(&self) -> bool {
        self.shared.is_idle()
    }

    /// No new streams from here on.
    fn leave(&mut self, code: ErrorCode) {
        self.leaving = true;
        self.shared.inner.borrow_mut().codec.send_goaway(code);
    }

    /// Whether the client broke the protocol, or never began to speak it.
    fn is_refused(&self) -> bool {
        let inner = self.shared.inner.borrow();
        inner.codec.error().is_some() || !inner.codec.has_settings()
    }

    fn is_over(&self) -> bool {
        let inner = self.shared.inner.borrow();
        inner.codec.is_finished() && inner.codec.output().is_empty() && inner.streams.is_empty()
    }

    /// Counts new glitches in the entries that the connection tracks (`glitch_cnt`).
    fn count_glitches(&mut self, session: &Session, now: u64) {
        let glitches = self.shared.inner.borrow().codec.glitches();
        if glitches > self.counted {
            let new = u64::from(glitches - self.counted);
            self.counted = glitches;
            session.count_tracked(Event::Glitch, new, now);
        }
    }

    /// Nothing is left to do for now.
    fn rest(&mut self, now: u64, session: &mut Session) {
        if !self.is_idle() {
            session.phase_began = now;
            return;
        }
        self.shared.rest();
    }
}
