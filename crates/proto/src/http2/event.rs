//! What a connection tells its caller.

use super::code::ErrorCode;
use super::fault::Fault;
use super::head::Head;

/// Something that happened. It borrows what it tells of, so that nothing is copied.
#[derive(Debug)]
pub enum Event<'a> {
    /// A head or trailers; [`Head::part`] says which. A request's opens the stream.
    Head {
        /// Whose.
        stream: u32,
        /// Whether nothing follows.
        end: bool,
        /// What was received.
        head: &'a Head,
    },
    /// A part of a body. So many bytes are to be given to [`super::Connection::consumed`] once
    /// they were passed on.
    Data {
        /// Whose.
        stream: u32,
        /// May be empty where `end` is true.
        bytes: &'a [u8],
        /// Whether nothing follows.
        end: bool,
    },
    /// The peer reset a stream: nothing more can be sent or received on it.
    Reset {
        /// Which.
        stream: u32,
        /// Why. NO_ERROR from a server means that the rest of the request is not wanted, and the
        /// response is whole.
        code: ErrorCode,
    },
    /// We reset a stream for what the peer sent on it. A stream that is not known to the caller
    /// is one whose first head was refused.
    Failed {
        /// Which.
        stream: u32,
        /// What was wrong.
        fault: Fault,
    },
    /// The peer will end the connection. Streams of ours behind `last` were not processed and may
    /// be tried again elsewhere; no more can be opened.
    GoAway {
        /// The last stream that the peer has processed, or may yet.
        last: u32,
        /// Why.
        code: ErrorCode,
    },
    /// More can be sent: on one stream, or on all.
    WindowOpened {
        /// Which; `None` for all.
        stream: Option<u32>,
    },
    /// The peer's settings changed; windows may have opened, and more streams be allowed.
    SettingsChanged,
    /// An answer to [`super::Connection::send_ping`].
    Pong {
        /// What the peer sent back.
        payload: [u8; 8],
    },
}

/// What one call made of the bytes given.
#[derive(Debug)]
pub struct Received<'a> {
    /// How many bytes are done with. The rest is to be given again, with more behind it.
    pub used: usize,
    /// What happened. With `None` there is nothing to be had from these bytes: more are needed,
    /// or [`super::Connection::is_congested`].
    pub event: Option<Event<'a>>,
}
