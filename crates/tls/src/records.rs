//! How much data each record carries: `tune.ssl.hard-maxrecord` always, `tune.ssl.maxrecord` at the beginning
//! of what is sent, since a peer can read a record only once it has all of it.

use crate::channel::FRAGMENT;

/// Records that count as the beginning: some tens of packets, after which a connection is fast enough.
const BEGINNING: u32 = 40;

/// The sizes of the records that a channel sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Records {
    most: usize,
    first: usize,
    /// How many were sent since the peer last said something.
    sent: u32,
}

impl Records {
    /// Records of at most so many bytes, and at the beginning; 0 is no limit of ours.
    pub(crate) fn new(most: usize, first: usize) -> Self {
        let allowed = |said: usize| {
            if said == 0 {
                FRAGMENT
            } else {
                said.min(FRAGMENT)
            }
        };
        Self {
            most: allowed(most),
            first: allowed(first).min(allowed(most)),
            sent: 0,
        }
    }

    /// What the peer said makes what is sent next a beginning.
    pub(crate) fn begin(&mut self) {
        self.sent = 0;
    }

    /// How many bytes the next record carries at most.
    pub(crate) fn next(&mut self) -> usize {
        if self.sent >= BEGINNING {
            return self.most;
        }
        self.sent += 1;
        self.first
    }
}
