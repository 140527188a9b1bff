//! A part of a table under one lock: entries by key, and which of them was used longest ago.

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::entry::Entry;

/// An entry in the set, found by its key.
#[derive(Debug, Clone)]
struct Held(Arc<Entry>);

impl Borrow<[u8]> for Held {
    fn borrow(&self) -> &[u8] {
        self.0.key()
    }
}

impl Hash for Held {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key().hash(state);
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.0.key() == other.0.key()
    }
}

impl Eq for Held {}

/// An entry in the order of use: when it was used, as far as the queue knows, and which came first of those
/// used in one millisecond.
#[derive(Debug)]
struct Waiting {
    since: u64,
    turn: u64,
    entry: Arc<Entry>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        (self.since, self.turn) == (other.since, other.turn)
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.since, self.turn).cmp(&(other.since, other.turn))
    }
}

/// How many entries are looked at for one that may go: what is used stays ahead of what makes room, and a
/// table full of tracked entries must not cost a search of all of them for each new key.
const MOST_LOOKED_AT: usize = 256;

/// Entries of a table.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    entries: HashSet<Held, ahash::RandomState>,
    /// Every entry once, by when it was last used or earlier: uses are not noted here, but seen when an entry
    /// comes to the front. Entries that left the table may still be there.
    queue: BinaryHeap<Reverse<Waiting>>,
    turn: u64,
}

/// Whether an entry has not been used for longer than `expire` (milliseconds), and nobody tracks it.
pub(crate) fn is_over(entry: &Entry, expire: Option<u64>, now: u64) -> bool {
    expire.is_some_and(|expire| entry.trackers() == 0 && entry.idle(now) >= expire)
}

impl Shard {
    pub(crate) fn find(&self, key: &[u8]) -> Option<&Arc<Entry>> {
        self.entries.get(key).map(|held| &held.0)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter().map(|held| &held.0)
    }

    pub(crate) fn insert(&mut self, entry: Arc<Entry>) {
        self.entries.insert(Held(entry.clone()));
        let since = entry.touched.load(Relaxed);
        self.wait(entry, since);
        // Keys that are removed by hand leave something behind; what is left behind stays small.
        if self.queue.len() > 2 * self.entries.len() + 64 {
            self.queue
                .retain(|Reverse(waiting)| !waiting.entry.gone.load(Relaxed));
        }
    }

    fn wait(&mut self, entry: Arc<Entry>, since: u64) {
        self.turn += 1;
        self.queue.push(Reverse(Waiting {
            since,
            turn: self.turn,
            entry,
        }));
    }

    /// Removes an entry that nobody tracks; whether it did.
    pub(crate) fn remove(&mut self, entry: &Entry) -> bool {
        if entry.trackers() > 0 || entry.gone.swap(true, Relaxed) {
            return false;
        }
        self.entries.remove(entry.key())
    }

    /// Removes at most `most` entries that are over; how many it did.
    pub(crate) fn expire(&mut self, expire: u64, now: u64, most: usize) -> usize {
        let mut removed = 0;
        for _ in 0..MOST_LOOKED_AT {
            let due = |Reverse(first): &Reverse<Waiting>| {
                first.entry.gone.load(Relaxed) || now.saturating_sub(first.since) >= expire
            };
            if removed == most || !self.queue.peek().is_some_and(due) {
                break;
            }
            removed += usize::from(self.drop_first(now, |entry| is_over(entry, Some(expire), now)));
        }
        removed
    }

    /// Removes the entry that was used longest ago of those that nobody tracks; whether there was one.
    pub(crate) fn evict(&mut self, now: u64) -> bool {
        (0..MOST_LOOKED_AT.min(self.queue.len())).any(|_| self.drop_first(now, |_| true))
    }

    /// Takes the first entry of the queue and removes it if it has not been used since it was put there,
    /// nobody tracks it, and it may go; else it waits again. Whether one was removed.
    fn drop_first(&mut self, now: u64, may_go: impl Fn(&Entry) -> bool) -> bool {
        let Some(Reverse(Waiting { since, entry, .. })) = self.queue.pop() else {
            return false;
        };
        if entry.gone.load(Relaxed) {
            return false;
        }
        let touched = entry.touched.load(Relaxed);
        if entry.trackers() > 0 {
            self.wait(entry, now.max(since));
            false
        } else if touched > since || !may_go(&entry) {
            self.wait(entry, touched.max(since));
            false
        } else {
            self.remove(&entry)
        }
    }
}
