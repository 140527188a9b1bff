//! What both drivers of a connection do, a client's and a server's: frames are read and judged,
//! sessions of streams are told, frames are written.

use std::collections::HashMap;
use std::rc::Rc;

use isthmus_proto::http2::{ErrorCode, Event, Part};
use isthmus_sockets::Moved;

use super::connection::{Inner, Shared};
use super::state::StreamState;
use super::unwritten::Driver;
use super::wire::{End, Wire};
use crate::flow::Flushed;
use crate::session::Session;
use crate::worker::Worker;

/// Reads in one turn, so that one connection can't starve the others.
const SHARE: usize = 8;

/// How a connection stands when its driver has done what it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Driven {
    /// It waits for an event.
    Waits,
    /// Its share of this turn is used up.
    More,
    /// It is over.
    Over,
}

/// What an event asks of the worker.
enum Task {
    /// A request came: its stream.
    Open(u32, Box<StreamState>),
    /// Something became of a stream.
    Tell(u32, News),
    /// Something can be written on a stream, or on all.
    Unblock(Option<u32>),
    /// Streams behind this one were not seen by the peer, and never will be.
    Leave(u32),
    Nothing,
}

/// What a stream's session is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum News {
    Readable,
    Writable,
    /// What its request waited for is known: it can be sent, or never will be.
    Settled,
    Gone,
}

impl Worker {
    /// Reads and writes a connection.
    pub(super) fn drive_frames(
        &mut self,
        shared: &Rc<Shared>,
        incoming: &mut Vec<u8>,
        end: &mut impl End,
    ) -> Driven {
        for _ in 0..SHARE {
            if !self.take_frames(shared, incoming, end.client()) {
                // GOAWAY says why.
                self.write_frames(shared, &mut end.wire());
                return Driven::Over;
            }
            if !self.write_frames(shared, &mut end.wire()) {
                return Driven::Over;
            }
            let mut wire = end.wire();
            if shared.inner.borrow().codec.is_congested() || !wire.into.readable {
                return match wire.into.ended && !wire.into.readable {
                    true => Driven::Over,
                    false => Driven::Waits,
                };
            }
            match wire.read(incoming, self.turn.now) {
                Moved::Bytes(_) => shared.hears(self.turn.now),
                Moved::Later => {}
                Moved::End | Moved::Broken(_) => {
                    wire.into.ended = true;
                    return Driven::Over;
                }
            }
        }
        Driven::More
    }

    /// Judges what was read. False: the connection is to be ended.
    fn take_frames(
        &mut self,
        shared: &Rc<Shared>,
        incoming: &mut Vec<u8>,
        mut client: Option<&mut Session>,
    ) -> bool {
        let held = std::mem::take(incoming);
        let mut used = 0;
        // Sessions read when all that came is known: each then writes once, not once for each frame.
        let mut readable: Vec<u32> = Vec::new();
        let sound = loop {
            let rest = held.get(used..).unwrap_or_default();
            let task = {
                let mut inner = shared.inner.borrow_mut();
                let Inner { codec, streams, .. } = &mut *inner;
                match codec.receive(rest) {
                    Err(_) => break false,
                    Ok(received) => {
                        used += received.used;
                        match received.event {
                            None => break true,
                            Some(event) => {
                                if marks_secrets(&event) {
                                    shared.has_secrets();
                                }
                                self.task(streams, event)
                            }
                        }
                    }
                }
            };
            match task {
                Task::Tell(id, News::Readable) if readable.last() == Some(&id) => {}
                Task::Tell(id, News::Readable) => readable.push(id),
                task => self.carry_out(client.as_deref_mut(), shared, task),
            }
        };
        for id in readable {
            self.tell(shared, id, News::Readable);
        }
        self.settle(shared);
        *incoming = held;
        incoming.drain(..used);
        if incoming.is_empty() {
            *incoming = Vec::new();
        }
        sound
    }

    fn task(&mut self, streams: &mut HashMap<u32, StreamState>, event: Event<'_>) -> Task {
        match event {
            Event::Head { stream, end, head } if head.part() == Part::Request => {
                Task::Open(stream, Box::new(self.asked(head, end)))
            }
            Event::Head { stream, end, head } => change(streams, stream, |state| {
                state.head(head, end);
                News::Readable
            }),
            Event::Data { stream, bytes, end } => change(streams, stream, |state| {
                state.data(bytes, end);
                News::Readable
            }),
            Event::Reset { stream, code } => change(streams, stream, |state| {
                state.lose(code == ErrorCode::REFUSED_STREAM, Some(code));
                News::Gone
            }),
            Event::Failed { stream, .. } => change(streams, stream, |state| {
                state.lose(false, None);
                News::Gone
            }),
            Event::WindowOpened { stream } => Task::Unblock(stream),
            Event::SettingsChanged => Task::Unblock(None),
            Event::GoAway { last, .. } => Task::Leave(last),
            Event::Pong { .. } => Task::Nothing,
        }
    }

    fn carry_out(&mut self, client: Option<&mut Session>, shared: &Rc<Shared>, task: Task) {
        match (task, client) {
            (Task::Open(id, state), Some(client)) => self.open_stream(client, shared, id, *state),
            (Task::Tell(id, news), _) => self.tell(shared, id, news),
            (Task::Unblock(Some(id)), _) => self.unblock(shared, id),
            (Task::Unblock(None), _) => {
                let due = shared.hears_settings(self.turn.now);
                // A client's session has a timer of its own.
                if let (Driver::Link(_), Some(due)) = (shared.driver, due) {
                    self.next_purge = self.next_purge.min(due);
                }
                self.unblock_all(shared);
            }
            (Task::Leave(last), None) => self.lose_streams(shared, last, true),
            (Task::Open(..) | Task::Leave(_) | Task::Nothing, _) => {}
        }
    }

    /// Tells a stream's session something and walks it on.
    pub(super) fn tell(&mut self, shared: &Shared, id: u32, news: News) {
        let owner = shared.inner.borrow().streams.get(&id).map(|s| s.owner);
        if let Some(owner) = owner {
            self.walk_key(owner, |session| session.hear(shared.driver, news));
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
                ..
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
            self.tell(shared, id, News::Writable);
        }
    }

    fn unblock_all(&mut self, shared: &Rc<Shared>) {
        let blocked = shared.inner.borrow().blocked.clone();
        for id in blocked {
            self.unblock(shared, id);
        }
    }

    /// Goes on with requests that waited for the peer's SETTINGS, once those of a read are known.
    fn settle(&mut self, shared: &Rc<Shared>) {
        let unopened = {
            let mut inner = shared.inner.borrow_mut();
            if inner.unopened.is_empty() || !inner.codec.has_settings() {
                return;
            }
            std::mem::take(&mut inner.unopened)
        };
        for owner in unopened {
            self.walk_key(owner, |session| session.hear(shared.driver, News::Settled));
        }
    }

    /// Writes what the codec holds, and lets streams write more. False: the peer takes nothing
    /// any more.
    pub(super) fn write_frames(&mut self, shared: &Rc<Shared>, wire: &mut Wire<'_>) -> bool {
        loop {
            match wire.out.flush(wire.transport) {
                Flushed::Clean => {}
                Flushed::Blocked => return true,
                Flushed::Broken => return false,
            }
            let mut inner = shared.inner.borrow_mut();
            let output = inner.codec.output();
            if output.is_empty() {
                return true;
            }
            if !wire.out.writable {
                return true;
            }
            let Some(count) = wire.write(output, self.turn.now) else {
                return false;
            };
            inner.codec.sent(count);
            let room = inner.codec.output().is_empty() && !inner.blocked.is_empty();
            drop(inner);
            if room {
                self.unblock_all(shared);
            }
        }
    }

    /// Streams behind `last` are lost. Those that the peer `refused` it has not looked at: they may
    /// be asked for again elsewhere.
    pub(super) fn lose_streams(&mut self, shared: &Rc<Shared>, last: u32, refused: bool) {
        let ids: Vec<u32> = {
            let mut inner = shared.inner.borrow_mut();
            let behind = inner.streams.iter_mut().filter(|(id, _)| **id > last);
            behind
                .map(|(id, state)| {
                    state.lose(refused, None);
                    *id
                })
                .collect()
        };
        for id in ids {
            self.tell(shared, id, News::Gone);
        }
    }
}

fn marks_secrets(event: &Event<'_>) -> bool {
    matches!(event, Event::Head { head, .. } if head.has_secrets() || head.protocol().is_some())
}

fn change(
    streams: &mut HashMap<u32, StreamState>,
    id: u32,
    change: impl FnOnce(&mut StreamState) -> News,
) -> Task {
    match streams.get_mut(&id) {
        Some(state) => Task::Tell(id, change(state)),
        None => Task::Nothing,
    }
}

impl Session {
    /// Takes note of what became of a stream that is one of its ends.
    fn hear(&mut self, driver: Driver, news: News) {
        let (into, out, failed) = match driver {
            Driver::Session(_) => (&mut self.up, &mut self.down, &mut self.client_failed),
            Driver::Link(_) => (&mut self.down, &mut self.up, &mut self.server_failed),
        };
        match news {
            News::Readable => into.readable = true,
            News::Writable => out.writable = true,
            News::Settled => {
                into.readable = true;
                out.writable = true;
            }
            News::Gone => {
                into.readable = true;
                out.writable = true;
                *failed = true;
            }
        }
    }
}
