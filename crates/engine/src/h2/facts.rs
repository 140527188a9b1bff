//! What expressions ask of a stream and of its connection (`fs.*`, `bs.*`, `fc_glitches` and their
//! like).

use isthmus_sample::{Multiplexed, Side};

use super::connection::Shared;
use super::mux::Mux;
use super::stream::Stream;
use crate::session::Session;
use crate::transport::Transport;

/// What was known of a stream at some moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StreamFacts {
    /// HTTP/1 and TCP have none.
    is_stream: bool,
    /// 0 where there is none but the connection itself.
    id: u32,
    /// What the peer's RST_STREAM said.
    code: Option<u32>,
    /// The peer, or the end of the connection, has given it up.
    lost: bool,
    glitches: u32,
    streams: usize,
    most: u32,
}

impl StreamFacts {
    /// Of a connection that carries one stream, and has no names for such things.
    fn single() -> Self {
        Self {
            streams: 1,
            most: 1,
            ..Self::default()
        }
    }

    fn number(&self, fact: Multiplexed) -> Option<i64> {
        Some(match fact {
            Multiplexed::Id => i64::from(self.id),
            Multiplexed::Aborted => i64::from(self.lost),
            Multiplexed::Reset => i64::from(self.code?),
            Multiplexed::Glitches => i64::from(self.glitches),
            Multiplexed::Streams => i64::try_from(self.streams).unwrap_or(i64::MAX),
            Multiplexed::MostStreams => i64::from(self.most),
        })
    }
}

impl Shared {
    /// What is known of a stream, and of the connection.
    fn facts_of(&self, id: u32) -> StreamFacts {
        let inner = self.inner.borrow();
        let stream = inner.streams.get(&id);
        StreamFacts {
            is_stream: true,
            id,
            code: stream.and_then(|stream| stream.code),
            lost: stream.is_some_and(|stream| stream.lost),
            glitches: inner.codec.glitches(),
            streams: inner.streams.len(),
            most: inner.codec.most_streams(),
        }
    }
}

impl Stream {
    /// What is known of it.
    pub(crate) fn facts(&self) -> StreamFacts {
        self.connection().facts_of(self.id())
    }
}

impl Mux {
    fn facts(&self) -> StreamFacts {
        self.shared().facts_of(0)
    }
}

impl Session {
    /// What is known of one of its ends; `None` of a server's that there is not.
    pub(crate) fn multiplexed(&self, side: Side, fact: Multiplexed) -> Option<i64> {
        let known = match side {
            Side::Request => self.client_stream(),
            Side::Response => self.server_stream()?,
        };
        let number = known.number(fact);
        match fact {
            Multiplexed::Aborted => Some(i64::from(number == Some(1) || self.was_left_by(side))),
            _ => number,
        }
    }

    /// The major version of HTTP on the server's connection.
    pub(crate) fn server_major(&self) -> Option<i64> {
        Some(1 + i64::from(self.server_stream()?.is_stream))
    }

    fn client_stream(&self) -> StreamFacts {
        let stream = self.client.stream_facts();
        let whole = || self.mux.as_deref().map(Mux::facts);
        stream.or_else(whole).unwrap_or(StreamFacts::single())
    }

    fn server_stream(&self) -> Option<StreamFacts> {
        match &self.server {
            Some(server) => Some(server.stream_facts().unwrap_or(StreamFacts::single())),
            None => self.http.as_deref()?.past_server,
        }
    }

    /// Whether it is known otherwise that the peer went before the end.
    fn was_left_by(&self, side: Side) -> bool {
        let cause = self.ending.map(|ending| ending.cause);
        match side {
            Side::Request => self.client_failed || cause == Some(b'C'),
            Side::Response => self.server_failed || cause == Some(b'S'),
        }
    }

    /// Keeps what is known of the server's stream for the log, and for the rules of an answer in
    /// its place.
    pub(crate) fn remember_stream(&mut self) {
        if !self.frontend.shared.logger.tells_stream && !self.server_failed {
            return;
        }
        let known = self.server.as_ref().map(|server| {
            let stream = Transport::stream_facts(server);
            stream.unwrap_or(StreamFacts::single())
        });
        if let (Some(known), Some(stream)) = (known, self.http.as_deref_mut()) {
            stream.past_server = Some(known);
        }
    }
}
