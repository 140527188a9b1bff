//! What the poller watches: the ends of sessions, connections that many share, listening sockets.

use isthmus_sockets::Interest;

use crate::session::Session;
use crate::token::{End, Token};
use crate::transport::Transport;
use crate::worker::Worker;

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
        if !session.client.is_stream() {
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
