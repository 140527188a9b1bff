//! A server's connection: its link reads and writes the socket, sessions send requests over it.

use std::os::fd::AsFd;
use std::rc::Rc;

use isthmus_proto::http2::{Connection, ErrorCode};
use isthmus_sockets::{Interest, Ready};

use super::connection::Shared;
use super::driving::Driven;
use super::settings::{patience, with_servers};
use super::stream::Stream;
use super::unwritten::Driver;
use super::wire::{End, Wire};
use crate::flow::Flow;
use crate::session::Session;
use crate::slab::Key;
use crate::token::Token;
use crate::transport::Transport;
use crate::worker::Worker;

/// What a link holds of a connection that many share.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) shared: Rc<Shared>,
    transport: Transport,
    watch: Option<Interest>,
    /// What was read and is no whole frame yet.
    incoming: Vec<u8>,
    into: Flow,
    out: Flow,
    active: u64,
    failed: bool,
}

impl Worker {
    /// Makes a session's new connection one that others can share, on the link `key`. `None`: out
    /// of descriptors.
    pub(crate) fn make_upstream(&self, session: &mut Session, key: Key) -> Option<Box<Upstream>> {
        let transport = session.server.take()?;
        let socket = transport.as_fd().try_clone_to_owned().ok()?;
        // Window updates are small, and the server waits for them.
        isthmus_sockets::set_nodelay(&transport);
        let (settings, limits) = with_servers(&session.frontend.generation.global);
        let codec = Connection::client(settings, limits);
        let end = (socket, !transport.is_plain());
        let facts = transport.facts().cloned();
        let timeout = session.backend.as_ref()?.shared.plan.timeout_server;
        let upstream = Upstream {
            shared: Rc::new(Shared::new(
                end,
                (facts, patience(timeout)),
                Driver::Link(key),
                codec,
                self,
            )),
            transport,
            watch: session.server_watch.take(),
            incoming: Vec::new(),
            into: Flow {
                readable: session.down.readable,
                closing: session.down.closing,
                ..Flow::default()
            },
            // A PROXY header goes before everything else.
            out: Flow {
                pending: std::mem::take(&mut session.up.pending),
                sealed: session.up.sealed,
                writable: session.up.writable,
                ..Flow::default()
            },
            active: self.turn.now,
            failed: false,
        };
        upstream.shared.tell_driver();
        Some(Box::new(upstream))
    }

    /// Writes every connection that streams wrote something for in this turn.
    pub(crate) fn write_shared(&mut self) {
        for driver in self.unwritten.take() {
            match driver {
                Driver::Session(key) => self.walk_key(key, |_| {}),
                Driver::Link(key) => self.drive_link(key, |_| {}),
            }
        }
    }

    /// Tells a server's connection something, and reads and writes what there is.
    pub(crate) fn drive_link(&mut self, key: Key, tell: impl FnOnce(&mut Upstream)) {
        let Some(mut upstream) = self.take_upstream(key) else {
            return;
        };
        tell(&mut upstream);
        let shared = upstream.shared.clone();
        shared.drives(true);
        shared.pass_time(self.turn.now);
        let mut incoming = std::mem::take(&mut upstream.incoming);
        let driven = self.drive_frames(&shared, &mut incoming, &mut *upstream);
        upstream.incoming = incoming;
        let over = driven == Driven::Over || upstream.failed;
        if over {
            shared.end();
            self.lose_streams(&shared, 0, false);
        }
        shared.drives(false);
        if driven == Driven::More && !over {
            shared.tell_driver();
        }
        if over || !self.watch_upstream(&mut upstream, key) {
            shared.end();
        } else if shared.is_idle() {
            shared.rest();
        }
        self.put_upstream(key, upstream);
    }

    /// Ends connections to servers that have not acknowledged our SETTINGS in time; says when to
    /// look again.
    pub(crate) fn end_unacknowledged(&mut self) -> u64 {
        let now = self.turn.now;
        let mut next = u64::MAX;
        let mut late = Vec::new();
        for (key, link) in self.links.iter() {
            match link.settings_due() {
                Some(due) if due <= now => late.push(key),
                Some(due) => next = next.min(due),
                None => {}
            }
        }
        for key in late {
            self.drive_link(key, |upstream| {
                upstream.shared.end_unacknowledged(now);
            });
        }
        next
    }

    fn watch_upstream(&self, upstream: &mut Upstream, key: Key) -> bool {
        let wanted = match upstream.out.writable {
            true => Interest::Incoming,
            false => Interest::BothWays,
        };
        let (end, watch) = (&upstream.transport, &mut upstream.watch);
        self.watch_end(end, Token::link(key), watch, wanted).is_ok()
    }
}

impl End for Upstream {
    fn wire(&mut self) -> Wire<'_> {
        Wire {
            transport: &mut self.transport,
            into: &mut self.into,
            out: &mut self.out,
            active: &mut self.active,
        }
    }

    fn client(&mut self) -> Option<&mut Session> {
        None
    }
}

impl Upstream {
    /// What the poller saw.
    pub(crate) fn see(&mut self, ready: Ready) {
        self.into.readable |= ready.readable || ready.read_closed || ready.failed;
        self.into.closing |= ready.read_closed;
        self.out.writable |= ready.writable || ready.failed;
        self.failed |= ready.failed && !ready.readable;
    }

    /// Ends the connection, whose streams are over, as the peer would have it ended.
    pub(crate) fn finish(mut self: Box<Self>, worker: &mut Worker) {
        let shared = self.shared.clone();
        if shared.is_over() {
            return;
        }
        shared.drives(true);
        {
            let mut inner = shared.inner.borrow_mut();
            inner.codec.send_goaway(ErrorCode::NO_ERROR);
        }
        worker.write_frames(&shared, &mut self.wire());
        self.transport.say_goodbye();
    }
}

impl Shared {
    /// A stream over it for a session.
    pub(crate) fn stream_for(self: &Rc<Self>, owner: Key) -> Stream {
        Stream::to_open(self.clone(), owner)
    }
}
