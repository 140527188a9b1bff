//! What the poller watches: the ends of sessions, connections that many share, listening sockets.

use isthmus_sockets::Interest;

use crate::session::{Phase, Session};
use crate::token::{End, Token};
use crate::transport::Transport;
use crate::worker::Worker;

/// So long a client that waits for its first answer goes unwatched, milliseconds.
const GLANCE: u64 = 50;

impl Worker {
    /// Watches what a session waits for at its two ends.
    pub(crate) fn watch(&self, session: &mut Session) -> std::io::Result<()> {
        let incoming = |writable| {
            if writable {
                Interest::Incoming
            } else {
                Interest::BothWays
            }
        };
        let key = session.key;
        let wanted = incoming(session.down.writable);
        let token = Token::session(key, End::Client);
        if self.glance_at(session).is_none() && !session.client.is_stream() {
            self.watch_end(&session.client, token, &mut session.client_watch, wanted)?;
        }
        let Some(server) = session.server.as_ref().filter(|server| !server.is_stream()) else {
            return Ok(());
        };
        let wanted = incoming(session.up.writable);
        let token = session
            .link
            .map_or_else(|| Token::session(key, End::Server), Token::link);
        self.watch_end(server, token, &mut session.server_watch, wanted)
    }

    /// When a client that is not watched yet is to be watched, if that is later than now. Who has
    /// sent a whole request has nothing to say until it is answered, but that it leaves: most
    /// connections that serve one request are over before that would matter.
    pub(crate) fn glance_at(&self, session: &Session) -> Option<u64> {
        let watched = session.client_watch.is_some() || session.client.is_stream();
        if watched || !session.awaits_nothing_of_client() {
            return None;
        }
        let at = session.client_active.saturating_add(GLANCE);
        (at > self.turn.now).then_some(at)
    }

    /// Room to write is watched from the first time it is missing: most connections never need it.
    pub(crate) fn watch_end(
        &self,
        end: &Transport,
        token: u64,
        watched: &mut Option<Interest>,
        wanted: Interest,
    ) -> std::io::Result<()> {
        match *watched {
            None => self.poll.add(end, token, wanted)?,
            Some(Interest::Incoming) if wanted == Interest::BothWays => {
                self.poll.change(end, token, wanted)?;
            }
            Some(_) => return Ok(()),
        }
        *watched = Some(wanted);
        Ok(())
    }

    /// Watches a listening socket.
    pub(crate) fn watch_listener(
        &self,
        socket: impl std::os::fd::AsFd,
        index: usize,
        shared: bool,
    ) -> std::io::Result<()> {
        let interest = if shared {
            Interest::SharedListener
        } else {
            Interest::Readable
        };
        self.poll.add(socket, Token::listener(index), interest)
    }
}

impl Session {
    /// Whether a whole request is here, and its answer is not held up by the client.
    fn awaits_nothing_of_client(&self) -> bool {
        let on_its_way = matches!(
            self.phase,
            Phase::Queued | Phase::Connecting | Phase::Joining | Phase::ServerTls | Phase::Exchange
        );
        let whole = |stream: &crate::http::Stream| stream.request.reading.is_done();
        on_its_way && self.down.writable && self.http.as_deref().is_some_and(whole)
    }
}
