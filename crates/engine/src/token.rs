//! What the poller's events belong to, as the 64 bits that it keeps for each descriptor.

use crate::slab::Key;

/// Which end of a session an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Client,
    Server,
}

/// What an event belongs to.
pub(crate) enum Token {
    Session(Key, End),
    /// A server's connection that may outlive the session that uses it.
    Link(Key),
    Listener(usize),
    Mailbox,
}

const NO_SESSION: u64 = u32::MAX as u64;

impl Token {
    pub(crate) const MAILBOX: u64 = u64::MAX;
    const LINK: u64 = 1 << 63;

    pub(crate) fn link(key: Key) -> u64 {
        Self::LINK | u64::from(key.generation) << 33 | u64::from(key.index) << 1
    }

    pub(crate) fn session(key: Key, end: End) -> u64 {
        u64::from(key.generation) << 33 | u64::from(key.index) << 1 | u64::from(end == End::Server)
    }

    pub(crate) fn listener(index: usize) -> u64 {
        (index as u64) << 33 | NO_SESSION << 1
    }

    pub(crate) fn read(token: u64) -> Self {
        if token == Self::MAILBOX {
            return Self::Mailbox;
        }
        let index = token >> 1 & NO_SESSION;
        let upper = (token & !Self::LINK) >> 33;
        if index == NO_SESSION {
            return Self::Listener(usize::try_from(upper).unwrap_or(usize::MAX));
        }
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let key = Key {
            index: narrow(index),
            generation: narrow(upper),
        };
        if token & Self::LINK != 0 {
            return Self::Link(key);
        }
        Self::Session(
            key,
            if token & 1 == 1 {
                End::Server
            } else {
                End::Client
            },
        )
    }
}
