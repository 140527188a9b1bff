//! Forwarding: bytes from one side to the other, with back-pressure, half-close, splice(2) for
//! bulk transfers, and an end for every way in which a side may leave.

use isthmus_sockets::{Moved, Pipe, abort_on_close, fill_pipe};

use crate::flow::{Flow, Flushed, Pumped};
use crate::session::Session;
use crate::transport::Transport;
use crate::worker::{Step, Worker};

/// Reads of one direction in one turn, so that one session can't starve the others.
const SHARE: usize = 16;
/// Full reads in a row after which a flow is a bulk transfer that splice(2) serves better.
const BULK: u8 = 2;
/// Bytes of a pipe where `tune.pipesize` says nothing: a large one saves wake-ups.
const PIPE: usize = 1024 * 1024;

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Client to server.
    Up,
    /// Server to client.
    Down,
}

impl Worker {
    /// Moves what can be moved, both ways.
    pub(crate) fn forward(&mut self, session: &mut Session) -> Step {
        if std::mem::take(&mut session.timed_out) && session.strike(self.turn.now) {
            return Step::Close;
        }
        let up = self.pump(session, Way::Up);
        match up {
            Pumped::SourceBroken => return session.client_broke(),
            Pumped::DestinationBroken => session.server_broke(),
            Pumped::Idle | Pumped::More => {}
        }
        let down = self.pump(session, Way::Down);
        match down {
            Pumped::SourceBroken => {
                session.server_broke();
                // What it sent before is still passed on.
                if self.pump(session, Way::Down) == Pumped::DestinationBroken {
                    return session.client_broke();
                }
            }
            Pumped::DestinationBroken => return session.client_broke(),
            Pumped::Idle | Pumped::More => {}
        }
        if session.down.shut && (session.up.shut || session.dying) {
            return Step::Close;
        }
        if up == Pumped::More || down == Pumped::More {
            self.busy.push(session.key);
        }
        Step::Wait
    }

    fn pump(&mut self, session: &mut Session, way: Way) -> Pumped {
        for _ in 0..SHARE {
            let Some(server) = &mut session.server else {
                return Pumped::Idle;
            };
            let (flow, source, destination) = match way {
                Way::Up => (&mut session.up, &mut session.client, server),
                Way::Down => (&mut session.down, server, &mut session.client),
            };
            if flow.shut {
                return Pumped::Idle;
            }
            match flow.flush(destination) {
                Flushed::Clean => {}
                Flushed::Blocked => return Pumped::Idle,
                Flushed::Broken => return Pumped::DestinationBroken,
            }
            if flow.ended {
                self.pass_end(session, way);
                return Pumped::Idle;
            }
            if !flow.readable {
                return Pumped::Idle;
            }
            let before = flow.bytes;
            let spliced = flow.bulk >= BULK
                && source.is_plain()
                && destination.is_plain()
                && session
                    .frontend
                    .splices(session.backend.as_deref(), way == Way::Up);
            let moved = if spliced {
                self.splice(session, way)
            } else {
                let scratch = &mut *self.scratch;
                copy(flow, source, destination, scratch)
            };
            self.note(session, way, before);
            match moved {
                Pumped::Idle => {}
                other => return other,
            }
        }
        Pumped::More
    }

    /// Counts what a read brought; a byte that moved is activity on both sides, unless `option
    /// independent-streams` takes what is sent for no sign of the receiver's life.
    fn note(&mut self, session: &mut Session, way: Way, before: u64) {
        let flow = match way {
            Way::Up => &session.up,
            Way::Down => &session.down,
        };
        let moved = flow.bytes - before;
        if moved > 0 {
            let now = self.turn.now;
            if way == Way::Up || !session.frontend.shared.plan.options.independent_streams {
                session.client_active = now;
            }
            match way {
                Way::Up => session.note_sent_to_server(now),
                Way::Down => session.server_active = now,
            }
            self.turn.counters.bytes_out.add(moved);
        }
    }

    /// Passes the end of one direction on.
    fn pass_end(&self, session: &mut Session, way: Way) {
        let now = self.turn.now;
        match way {
            Way::Up => {
                session.up.shut = true;
                session.server_active = now;
                let Some(server) = &mut session.server else {
                    return;
                };
                let nolinger = session
                    .backend
                    .as_ref()
                    .is_some_and(|b| b.shared.plan.options.nolinger);
                if nolinger {
                    abort_on_close(server);
                    session.dying = true;
                    session.down.ended = true;
                } else if !session.down.shut || server.is_stream() {
                    server.shutdown_write();
                }
                // Where both directions of sockets are over, closing says the same.
            }
            Way::Down => {
                session.down.shut = true;
                session.client_active = now;
                // A stream that only goes is reset (RFC 9113, 8.5).
                if !session.dying && (!session.up.shut || session.client.is_stream()) {
                    session.client.shutdown_write();
                }
            }
        }
    }

    /// Moves bytes through a pipe, without copying them.
    fn splice(&mut self, session: &mut Session, way: Way) -> Pumped {
        let Some(server) = &mut session.server else {
            return Pumped::Idle;
        };
        let (flow, source, destination) = match way {
            Way::Up => (&mut session.up, &mut session.client, server),
            Way::Down => (&mut session.down, server, &mut session.client),
        };
        if flow.pipe.is_none() {
            let size = match session.frontend.generation.global.pipesize {
                0 => PIPE,
                size => size,
            };
            match self.free_pipe().map_or_else(|| Pipe::new(size), Ok) {
                Ok(pipe) => flow.pipe = Some(Box::new(pipe)),
                Err(_) => {
                    // Out of descriptors: copying works without.
                    flow.bulk = 0;
                    return Pumped::Idle;
                }
            }
            self.turn.counters.pipes_made.add(1);
        }
        let Some(pipe) = flow.pipe.as_deref_mut() else {
            return Pumped::Idle;
        };
        match fill_pipe(&*source, pipe, usize::MAX) {
            Moved::Bytes(count) => {
                flow.bytes += count as u64;
                self.turn.counters.spliced_bytes_out.add(count as u64);
                if count < SMALL {
                    flow.bulk = 0;
                }
                match flow.flush(destination) {
                    Flushed::Broken => Pumped::DestinationBroken,
                    _ => Pumped::Idle,
                }
            }
            Moved::Later => {
                flow.readable = false;
                Pumped::Idle
            }
            Moved::End => {
                flow.ended = true;
                Pumped::Idle
            }
            Moved::Broken(_) => Pumped::SourceBroken,
        }
    }

    fn free_pipe(&mut self) -> Option<Pipe> {
        let pipe = self.pipes.pop()?;
        self.turn.counters.pipes_free.leave();
        Some(pipe)
    }

    /// Takes a pipe back for the next bulk transfer; one that still holds bytes is closed.
    pub(crate) fn recover_pipe(&mut self, flow: &mut Flow) {
        if let Some(pipe) = flow.pipe.take() {
            self.turn.counters.pipes_closed.add(1);
            if pipe.held() == 0 && self.pipes.len() < 64 {
                self.pipes.push(*pipe);
                self.turn.counters.pipes_free.enter();
            }
        }
    }
}

/// A spliced read of less is no bulk transfer any more.
const SMALL: usize = 1024;

/// Reads into the worker's buffer and writes from it; what can't be written now is kept.
fn copy(
    flow: &mut Flow,
    source: &mut Transport,
    destination: &mut Transport,
    scratch: &mut [u8],
) -> Pumped {
    let size = scratch.len();
    match source.receive(scratch) {
        Moved::Bytes(count) => {
            flow.bytes += count as u64;
            let bytes = scratch.get(..count).unwrap_or_default();
            if count < size {
                // A stream socket gives less than was asked for only when it is empty: the next
                // byte makes a new edge. What was closed before has nothing left to give.
                flow.readable = flow.urgent || source.holds_end();
                flow.ended = flow.closing && !flow.urgent;
                flow.bulk = 0;
            } else {
                flow.bulk = flow.bulk.saturating_add(1);
            }
            flow.write(destination, bytes)
        }
        Moved::Later => {
            flow.readable = false;
            Pumped::Idle
        }
        Moved::End => {
            flow.readable = false;
            flow.ended = true;
            Pumped::Idle
        }
        Moved::Broken(_) => Pumped::SourceBroken,
    }
}

impl Session {
    /// The client's connection broke: the server is told by a reset, unless it had left already.
    fn client_broke(&mut self) -> Step {
        self.end(b'C', b'D');
        if let Some(server) = self.server.as_ref().filter(|_| !self.down.ended) {
            abort_on_close(server);
        }
        Step::Close
    }

    /// The server's connection broke: what it sent still goes to the client, then the session ends.
    fn server_broke(&mut self) {
        self.end(b'S', b'D');
        self.dying = true;
        self.up.shut = true;
        self.up.ended = true;
        self.down.ended = true;
        self.down.readable = false;
    }

    /// A timeout struck. A side that was silent for too long counts as having ended; one that
    /// takes no bytes ends the session. True: it is over.
    fn strike(&mut self, now: u64) -> bool {
        let mut over = false;
        if self.client_deadline() <= now {
            self.end(b'c', b'D');
            over |= !self.down.is_flushed() || self.up.ended;
            self.up.ended = true;
            self.up.readable = false;
        }
        if self.server_deadline() <= now {
            self.end(b's', b'D');
            over |= !self.up.is_flushed() || self.down.ended;
            self.down.ended = true;
            self.down.readable = false;
        }
        over
    }
}
