//! What a connection's driver (its mux, or a server's link) and the sessions of its streams share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use isthmus_proto::http2::{Connection, ErrorCode};
use isthmus_sample::TlsFacts;
use isthmus_sockets::Moved;

use super::asking::Asking;
use super::outbound::{Outbound, Unsendable};
use super::secrets::Secrets;
use super::state::StreamState;
use super::unwritten::{Driver, Unwritten};
use crate::slab::Key;
use crate::worker::Worker;

/// The codec, and the streams over it.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) codec: Connection,
    pub(super) streams: HashMap<u32, StreamState>,
    /// Streams for which something waits that windows or output had no room for.
    pub(super) blocked: Vec<u32>,
    /// Sessions whose requests wait for the peer's SETTINGS.
    pub(super) unopened: Vec<Key>,
    /// Where requests are read on their way to the peer.
    pub(super) asking: Asking,
}

/// A connection of HTTP/2.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The driver's socket, to be asked and told things.
    pub(super) socket: OwnedFd,
    /// Who reads and writes it.
    pub(super) driver: Driver,
    /// TLS lies under it.
    https: bool,
    /// What is known of a server's TLS, where anybody asks.
    facts: Option<Arc<TlsFacts>>,
    pub(super) inner: RefCell<Inner>,
    /// The driver has something to write, or a stream less, and is told of it.
    told: Cell<bool>,
    driven: Cell<bool>,
    over: Cell<bool>,
    /// Counts of what the peer may not do too often drained last.
    drained: Cell<u64>,
    /// When the peer was last heard of.
    heard: Cell<u64>,
    /// How long it may take to acknowledge our SETTINGS once it has sent its own, and until when.
    patience: u64,
    acknowledged_by: Cell<u64>,
    /// The peer has marked fields as never to be indexed.
    secretive: Cell<bool>,
    unwritten: Rc<Unwritten>,
}

impl Shared {
    pub(super) fn new(
        (socket, https): (OwnedFd, bool),
        (facts, patience): (Option<Arc<TlsFacts>>, u64),
        driver: Driver,
        codec: Connection,
        worker: &Worker,
    ) -> Self {
        Self {
            socket,
            driver,
            https,
            facts,
            inner: RefCell::new(Inner {
                codec,
                streams: HashMap::new(),
                blocked: Vec::new(),
                unopened: Vec::new(),
                asking: Asking::default(),
            }),
            told: Cell::new(false),
            driven: Cell::new(false),
            over: Cell::new(false),
            drained: Cell::new(worker.turn.now),
            heard: Cell::new(worker.turn.now),
            patience,
            acknowledged_by: Cell::new(u64::MAX),
            secretive: Cell::new(false),
            unwritten: worker.unwritten.clone(),
        }
    }

    /// Lets counts of what the peer may not do too often drain.
    pub(super) fn pass_time(&self, now: u64) {
        let drained = self.drained.get();
        let seconds = now.saturating_sub(drained) / 1000;
        if seconds > 0 {
            self.drained.set(drained + seconds * 1000);
            let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            self.inner.borrow_mut().codec.pass_seconds(seconds);
        }
    }

    /// The peer has sent SETTINGS. If they are its first: until when it is to have acknowledged
    /// ours.
    pub(super) fn hears_settings(&self, now: u64) -> Option<u64> {
        let by = now + self.patience;
        (self.acknowledged_by.get() == u64::MAX).then(|| {
            self.acknowledged_by.set(by);
            by
        })
    }

    /// When the peer has taken too long to acknowledge our SETTINGS; `None` once it has.
    pub(crate) fn settings_due(&self) -> Option<u64> {
        let awaits = !self.over.get() && self.inner.borrow().codec.awaits_acknowledgement();
        awaits.then_some(self.acknowledged_by.get())
    }

    /// Ends the connection if the peer has taken too long; whether it has.
    pub(super) fn end_unacknowledged(&self, now: u64) -> bool {
        let mut inner = self.inner.borrow_mut();
        self.acknowledged_by.get() <= now && inner.codec.end_unacknowledged()
    }

    /// What is known of a server's TLS, where anybody asks.
    pub(crate) fn facts(&self) -> Option<&Arc<TlsFacts>> {
        self.facts.as_ref()
    }

    /// Whether a request can be sent over it now.
    pub(crate) fn can_open(&self) -> bool {
        !self.over.get() && self.inner.borrow().codec.can_open()
    }

    /// Whether it serves no further request, whatever becomes of those that it serves.
    pub(crate) fn is_leaving(&self) -> bool {
        self.over.get() || self.inner.borrow().codec.is_leaving()
    }

    /// The peer was heard of.
    pub(super) fn hears(&self, now: u64) {
        self.heard.set(now);
    }

    /// For how long the peer has been silent, milliseconds.
    pub(crate) fn silence(&self, now: u64) -> u64 {
        now.saturating_sub(self.heard.get())
    }

    /// Nothing is read or written any more.
    pub(super) fn end(&self) {
        self.over.set(true);
    }

    /// Whether nothing is read or written any more.
    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Gives memory back while no stream is at work.
    pub(super) fn rest(&self) {
        let mut inner = self.inner.borrow_mut();
        if inner.codec.output().is_empty() {
            inner.codec.shrink();
            inner.streams = HashMap::new();
            inner.asking = Asking::default();
        }
    }

    /// Whether no stream is at work.
    pub(crate) fn is_idle(&self) -> bool {
        self.inner.borrow().streams.is_empty()
    }

    /// Whether a stream was refused unseen: its request may be sent again.
    pub(super) fn was_refused(&self, id: u32) -> bool {
        let inner = self.inner.borrow();
        inner.streams.get(&id).is_some_and(|stream| stream.refused)
    }

    /// The peer has marked a field as never to be indexed.
    pub(super) fn has_secrets(&self) {
        self.secretive.set(true);
    }

    /// Fields that the peer marked so in the last head of a stream.
    pub(super) fn secrets(&self, id: u32) -> Option<Rc<Secrets>> {
        if !self.secretive.get() {
            return None;
        }
        self.inner.borrow().streams.get(&id)?.secrets.clone()
    }

    /// Marks fields so in what is written on a stream from now on.
    pub(super) fn conceal(&self, id: u32, secrets: Rc<Secrets>) {
        if let Some(stream) = self.inner.borrow_mut().streams.get_mut(&id) {
            stream.outbound.conceal(secrets);
        }
    }

    /// Opens a stream with a request's head, and what follows it. `None`: the peer's SETTINGS are
    /// awaited, which say whether it can be asked for that.
    pub(super) fn open(
        &self,
        owner: Key,
        pieces: &[&[u8]],
        secrets: Option<&Secrets>,
    ) -> Result<Option<u32>, Unsendable> {
        let (id, behind) = {
            let mut inner = self.inner.borrow_mut();
            let Inner {
                codec,
                streams,
                unopened,
                asking,
                ..
            } = &mut *inner;
            asking.read(pieces)?;
            if asking.asks_tunnel() && !codec.has_settings() {
                unopened.push(owner);
                return Ok(None);
            }
            let (id, state) = match asking.send(owner, (self.https, secrets), codec) {
                // What a server allows may stand in another SETTINGS frame of its first words.
                Err(Unsendable) if asking.asks_tunnel() && codec.awaits_acknowledgement() => {
                    unopened.push(owner);
                    return Ok(None);
                }
                opened => opened?,
            };
            streams.insert(id, state);
            (id, asking.take_behind())
        };
        self.tell_driver();
        if !behind.is_empty() {
            self.tell(id, |outbound, codec| outbound.write(id, codec, &behind))?;
        }
        Ok(Some(id))
    }

    /// Has the driver go on at the end of this turn; that is said once, and not while it does.
    pub(super) fn tell_driver(&self) {
        if !self.driven.get() && !self.told.replace(true) {
            self.unwritten.push(self.driver);
        }
    }

    /// Notes that the driver is at work, or has been: then all is written that could be.
    pub(super) fn drives(&self, driven: bool) {
        self.driven.set(driven);
        self.told.set(false);
    }

    pub(super) fn receive(&self, id: u32, space: &mut [u8]) -> Moved {
        let mut inner = self.inner.borrow_mut();
        let Inner { codec, streams, .. } = &mut *inner;
        let Some(stream) = streams.get_mut(&id) else {
            return Moved::End;
        };
        let count = stream.inbound.take(space);
        if count == 0 {
            return match (stream.reset, stream.ended) {
                (true, _) => Moved::Broken(isthmus_sockets::Errno::CONNRESET),
                (false, true) => Moved::End,
                (false, false) => Moved::Later,
            };
        }
        if stream.inbound.is_empty() && stream.uncredited > 0 {
            codec.consumed(id, std::mem::take(&mut stream.uncredited));
            self.tell_driver();
        }
        Moved::Bytes(count)
    }

    /// Whether a stream's session has something to read.
    pub(super) fn holds_inbound(&self, id: u32) -> bool {
        let inner = self.inner.borrow();
        let stream = inner.streams.get(&id);
        stream.is_some_and(|stream| !stream.inbound.is_empty())
    }

    /// Whether nothing follows what a stream's session has to read.
    pub(super) fn holds_end(&self, id: u32) -> bool {
        let inner = self.inner.borrow();
        inner.streams.get(&id).is_some_and(|stream| stream.ended)
    }

    /// Takes what a session writes; all of it, or nothing.
    pub(super) fn send(&self, id: u32, pieces: &[&[u8]]) -> Moved {
        let total = pieces.iter().map(|piece| piece.len()).sum();
        let told = self.tell(id, |outbound, codec| {
            if !outbound.has_room() {
                return Ok(false);
            }
            for piece in pieces {
                outbound.write(id, codec, piece)?;
            }
            Ok(true)
        });
        match told {
            Ok(true) => Moved::Bytes(total),
            Ok(false) => Moved::Later,
            Err(Unsendable) => Moved::Broken(isthmus_sockets::Errno::PIPE),
        }
    }

    /// The session writes no more.
    pub(super) fn finish(&self, id: u32) {
        // What cannot end well is reset when its session goes.
        let _ = self.tell(id, |outbound, codec| outbound.finish(id, codec));
    }

    /// Whether something of a stream waits for room.
    pub(super) fn holds(&self, id: u32) -> bool {
        let inner = self.inner.borrow();
        let stream = inner.streams.get(&id).filter(|stream| !stream.reset);
        stream.is_some_and(|stream| stream.outbound.holds())
    }

    fn tell<T>(
        &self,
        id: u32,
        does: impl FnOnce(&mut Outbound, &mut Connection) -> Result<T, Unsendable>,
    ) -> Result<T, Unsendable> {
        let mut inner = self.inner.borrow_mut();
        let Inner {
            codec,
            streams,
            blocked,
            ..
        } = &mut *inner;
        let stream = streams.get_mut(&id).filter(|stream| !stream.reset);
        let stream = stream.ok_or(Unsendable)?;
        self.tell_driver();
        let outcome = does(&mut stream.outbound, codec);
        if stream.outbound.holds() && !blocked.contains(&id) {
            blocked.push(id);
        }
        outcome
    }

    /// A stream's session is gone. What is not over by now never will be.
    pub(super) fn leave(&self, id: u32) {
        let mut inner = self.inner.borrow_mut();
        let Some(stream) = inner.streams.remove(&id) else {
            return;
        };
        self.tell_driver();
        inner.blocked.retain(|blocked| *blocked != id);
        if stream.reset {
            return;
        }
        let code = match (self.driver, stream.outbound.is_over()) {
            (Driver::Link(_), _) => ErrorCode::CANCEL,
            // A response that is whole needs no more of the request (RFC 9113, 8.1).
            (Driver::Session(_), true) => ErrorCode::NO_ERROR,
            (Driver::Session(_), false) => ErrorCode::INTERNAL_ERROR,
        };
        inner.codec.send_reset(id, code);
    }
}
