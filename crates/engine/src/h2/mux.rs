//! The session of a connection itself: it reads and writes the socket, and has a session for each
//! stream do the rest.

use std::os::fd::AsFd;
use std::rc::Rc;

use isthmus_proto::http2::{Connection, ErrorCode, Event, Limits, Part, Settings};
use isthmus_sockets::Moved;

use super::connection::{Inner, Shared, StreamState};
use super::stream::Stream;
use crate::flow::Flushed;
use crate::session::{Phase, Session};
use crate::transport::Transport;
use crate::worker::{Step, Worker};

/// Bytes read of the socket at once.
const READ: usize = 32 * 1024;
/// Reads in one turn, so that one connection can't starve the others.
const SHARE: usize = 8;

/// What a connection's own session holds.
#[derive(Debug)]
pub(crate) struct Mux {
    shared: Rc<Shared>,
    /// What was read and is no whole frame yet.
    incoming: Vec<u8>,
    /// Counts of what the peer may not do too often drained last.
    drained: u64,
    leaving: bool,
}

/// What an event asks of the worker.
enum Task {
    /// A request came: its stream, and whether the session for it was made room for.
    Open(u32, Box<StreamState>),
    /// Something can be read.
    Readable(u32),
    /// Something can be written, on one stream or all.
    Writable(Option<u32>),
    /// The stream is gone.
    Gone(u32),
    Nothing,
}

impl Worker {
    /// Begins HTTP/2 on a session's connection, of which `received` was read already.
    pub(crate) fn begin_h2(&mut self, session: &mut Session, received: &[u8]) -> Step {
        let Ok(socket) = session.client.as_fd().try_clone_to_owned() else {
            return Step::Close;
        };
        let (settings, limits) = session.h2_settings();
        let codec = Connection::server(settings, limits);
        session.mux = Some(Box::new(Mux {
            shared: Rc::new(Shared::new(socket, session.key, codec)),
            incoming: received.to_vec(),
            drained: self.turn.now,
            leaving: false,
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
        mux.shared.walks(true);
        let step = self.multiplex_with(session, &mut mux);
        if step == Step::Close {
            self.close_streams(&mux);
        }
        mux.shared.walks(false);
        session.mux = Some(mux);
        step
    }

    fn multiplex_with(&mut self, session: &mut Session, mux: &mut Mux) -> Step {
        if std::mem::take(&mut session.timed_out) {
            mux.leave(ErrorCode::NO_ERROR);
            self.write_frames(session, mux);
            return Step::Close;
        }
        mux.pass_time(self.turn.now);
        if self.is_outdated(session) && !mux.leaving {
            mux.leave(ErrorCode::NO_ERROR);
        }
        let mut more = true;
        for _ in 0..SHARE {
            if !self.take_frames(session, mux) {
                // GOAWAY says why.
                self.write_frames(session, mux);
                return Step::Close;
            }
            if !self.write_frames(session, mux) {
                return Step::Close;
            }
            if mux.shared.inner.borrow().codec.is_congested() || !session.up.readable {
                more = false;
                break;
            }
            match mux.read(session) {
                Moved::Bytes(_) => session.client_active = self.turn.now,
                Moved::Later => {}
                Moved::End | Moved::Broken(_) => {
                    session.up.ended = true;
                    return Step::Close;
                }
            }
        }
        if session.client_failed || (session.up.ended && !session.up.readable) {
            return Step::Close;
        }
        if more {
            self.busy.push(session.key);
        }
        if mux.is_over() && session.down.is_flushed() {
            return Step::Close;
        }
        mux.rest(self.turn.now, session);
        Step::Wait
    }

    /// Judges what was read. False: the connection is to be ended.
    fn take_frames(&mut self, session: &mut Session, mux: &mut Mux) -> bool {
        let shared = mux.shared.clone();
        let incoming = std::mem::take(&mut mux.incoming);
        let mut used = 0;
        let sound = loop {
            let rest = incoming.get(used..).unwrap_or_default();
            let task = {
                let mut inner = shared.inner.borrow_mut();
                let Inner { codec, streams, .. } = &mut *inner;
                match codec.receive(rest) {
                    Err(_) => break false,
                    Ok(received) => {
                        used += received.used;
                        match received.event {
                            None => break true,
                            Some(event) => self.task(streams, event),
                        }
                    }
                }
            };
            self.carry_out(session, &shared, task);
        };
        mux.incoming = incoming;
        mux.incoming.drain(..used);
        if mux.incoming.is_empty() {
            mux.incoming = Vec::new();
        }
        sound
    }

    fn task(
        &mut self,
        streams: &mut std::collections::HashMap<u32, StreamState>,
        event: Event<'_>,
    ) -> Task {
        match event {
            Event::Head { stream, end, head } if head.part() == Part::Request => {
                let key = head
                    .protocol()
                    .filter(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
                    .map(|_| websocket_key([self.turn.random(), self.turn.random()]));
                let owner = self.sessions.reserve();
                let state = StreamState::new(owner, head, end, key.as_deref());
                Task::Open(stream, Box::new(state))
            }
            Event::Head { stream, head, .. } => match streams.get_mut(&stream) {
                Some(state) => {
                    state.end(Some(head));
                    Task::Readable(stream)
                }
                None => Task::Nothing,
            },
            Event::Data { stream, bytes, end } => match streams.get_mut(&stream) {
                Some(state) => {
                    state.data(bytes, end);
                    Task::Readable(stream)
                }
                None => Task::Nothing,
            },
            Event::Reset { stream, .. } => lose(streams, stream),
            Event::Failed { stream, .. } => lose(streams, stream),
            Event::WindowOpened { stream } => Task::Writable(stream),
            Event::SettingsChanged => Task::Writable(None),
            Event::GoAway { .. } | Event::Pong { .. } => Task::Nothing,
        }
    }

    fn carry_out(&mut self, session: &mut Session, shared: &Rc<Shared>, task: Task) {
        match task {
            Task::Open(id, state) => {
                let owner = state.owner;
                shared.inner.borrow_mut().streams.insert(id, *state);
                session.exchanges = session.exchanges.saturating_add(1);
                let most = session.frontend.generation.global.http.h2.total_streams;
                if most > 0 && session.exchanges == most {
                    shared
                        .inner
                        .borrow_mut()
                        .codec
                        .send_goaway(ErrorCode::NO_ERROR);
                }
                let transport = Transport::stream(Stream::new(shared.clone(), id));
                let names = (owner, self.next_session_id());
                let stream = session.for_stream(names, transport, self.turn.now);
                self.walk(Box::new(stream));
            }
            Task::Readable(id) => self.wake(shared, id, |stream| stream.up.readable = true),
            Task::Writable(Some(id)) => self.unblock(shared, id),
            Task::Writable(None) => self.unblock_all(shared),
            Task::Gone(id) => self.wake(shared, id, |stream| {
                stream.up.readable = true;
                stream.down.writable = true;
                stream.client_failed = true;
            }),
            Task::Nothing => {}
        }
    }

    /// Tells a stream's session something and walks it on.
    fn wake(&mut self, shared: &Rc<Shared>, id: u32, tell: impl FnOnce(&mut Session)) {
        let owner = shared.inner.borrow().streams.get(&id).map(|s| s.owner);
        if let Some(owner) = owner {
            self.walk_key(owner, tell);
        }
    }

    /// Goes on with what waited for a window.
    fn unblock(&mut self, shared: &Rc<Shared>, id: u32) {
        let free = {
            let mut inner = shared.inner.borrow_mut();
            let Inner {
                codec,
                streams,
                blocked,
            } = &mut *inner;
            if !blocked.contains(&id) {
                return;
            }
            let free = streams.get_mut(&id).is_none_or(|s| s.flush(id, codec));
            if free {
                blocked.retain(|blocked| *blocked != id);
            }
            free
        };
        if free {
            self.wake(shared, id, |stream| stream.down.writable = true);
        }
    }

    fn unblock_all(&mut self, shared: &Rc<Shared>) {
        let blocked = shared.inner.borrow().blocked.clone();
        for id in blocked {
            self.unblock(shared, id);
        }
    }

    /// Writes what the codec holds, and lets streams write more. False: the client takes nothing
    /// any more.
    fn write_frames(&mut self, session: &mut Session, mux: &mut Mux) -> bool {
        loop {
            match session.down.flush(&mut session.client) {
                Flushed::Clean => {}
                Flushed::Blocked => return true,
                Flushed::Broken => return false,
            }
            let mut inner = mux.shared.inner.borrow_mut();
            let output = inner.codec.output();
            if output.is_empty() {
                break;
            }
            if !session.down.writable {
                return true;
            }
            match session.client.send(output) {
                Moved::Bytes(count) => {
                    inner.codec.sent(count);
                    session.client_active = self.turn.now;
                    session.down.sealed = session.client.holds_sealed();
                    session.down.writable = !session.down.sealed;
                }
                Moved::Later | Moved::End => session.down.writable = false,
                Moved::Broken(_) => return false,
            }
            let room = inner.codec.output().is_empty() && !inner.blocked.is_empty();
            drop(inner);
            if room {
                let shared = mux.shared.clone();
                self.unblock_all(&shared);
            }
        }
        true
    }

    /// The connection is over, and with it all of its streams.
    fn close_streams(&mut self, mux: &Mux) {
        let ids: Vec<u32> = mux.shared.inner.borrow().streams.keys().copied().collect();
        for id in ids {
            if let Some(state) = mux.shared.inner.borrow_mut().streams.get_mut(&id) {
                state.reset = true;
            }
            self.wake(&mux.shared, id, |stream| {
                stream.up.readable = true;
                stream.down.writable = true;
                stream.client_failed = true;
            });
        }
    }
}

fn lose(streams: &mut std::collections::HashMap<u32, StreamState>, id: u32) -> Task {
    match streams.get_mut(&id) {
        Some(state) => {
            state.reset = true;
            Task::Gone(id)
        }
        None => Task::Nothing,
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

impl Session {
    /// What HTTP/2 with this client keeps to (`tune.h2.*`).
    fn h2_settings(&self) -> (Settings, Limits) {
        let global = &self.frontend.generation.global;
        let (h2, most) = (&global.http.h2, global.http.maxhdr);
        let settings = Settings {
            header_table_size: h2.header_table,
            initial_window: h2.window,
            max_concurrent_streams: h2.streams,
            max_frame_size: h2.frame,
            max_header_list_size: u32::try_from(global.bufsize * 4).unwrap_or(u32::MAX),
            ..Settings::default()
        };
        let limits = Limits {
            glitches: h2.glitches,
            fields: u32::try_from(most.saturating_sub(1)).unwrap_or(u32::MAX),
            ..Limits::default()
        };
        (settings, limits)
    }
}

impl Mux {
    /// Whether streams are at work.
    pub(crate) fn is_idle(&self) -> bool {
        self.shared.inner.borrow().streams.is_empty()
    }

    fn read(&mut self, session: &mut Session) -> Moved {
        let held = self.incoming.len();
        self.incoming.resize(held + READ, 0);
        let space = self.incoming.get_mut(held..).unwrap_or_default();
        let moved = session.client.receive(space);
        let count = match moved {
            Moved::Bytes(count) => count,
            _ => 0,
        };
        self.incoming.truncate(held + count);
        if count < READ {
            session.up.readable = false;
            session.up.ended |= session.up.closing;
        }
        session.up.bytes += count as u64;
        moved
    }

    /// No new streams from here on.
    fn leave(&mut self, code: ErrorCode) {
        self.leaving = true;
        self.shared.inner.borrow_mut().codec.send_goaway(code);
    }

    fn is_over(&self) -> bool {
        let inner = self.shared.inner.borrow();
        inner.codec.is_finished() && inner.codec.output().is_empty() && inner.streams.is_empty()
    }

    fn pass_time(&mut self, now: u64) {
        let seconds = now.saturating_sub(self.drained) / 1000;
        if seconds > 0 {
            self.drained += seconds * 1000;
            let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            self.shared.inner.borrow_mut().codec.pass_seconds(seconds);
        }
    }

    /// Nothing is left to do for now.
    fn rest(&mut self, now: u64, session: &mut Session) {
        if !self.is_idle() {
            session.phase_began = now;
            return;
        }
        let mut inner = self.shared.inner.borrow_mut();
        if inner.codec.output().is_empty() {
            inner.codec.shrink();
            inner.streams = std::collections::HashMap::new();
        }
    }
}
