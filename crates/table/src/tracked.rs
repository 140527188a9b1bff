//! An entry that somebody tracks: it does not expire, and counts one connection more as long as it is.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::data::{Data, Event};
use crate::entry::Entry;
use crate::table::Table;

/// A tracked entry. Dropping it gives up the connection that it counted.
#[derive(Debug)]
pub struct Tracked {
    table: Arc<Table>,
    entry: Arc<Entry>,
}

impl Tracked {
    /// Takes an entry whose trackers were counted already, under the lock of its shard.
    pub(crate) fn new(table: Arc<Table>, entry: Arc<Entry>, now: u64) -> Self {
        if let Some(current) = table.layout().cell(Data::ConnCur, 0) {
            entry.add(current, 1, now);
        }
        Self { table, entry }
    }

    /// Its table.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// The entry.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Counts events, as far as the table stores them.
    pub fn count(&self, event: Event, amount: u64, now: u64) {
        for cell in self.table.layout().event(event).into_iter().flatten() {
            self.entry.add(cell, amount, now);
        }
        self.entry.touch(now);
    }

    /// Gives the entry up; its time begins anew.
    pub fn release(self, now: u64) {
        self.entry.touch(now);
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        if let Some(current) = self.table.layout().cell(Data::ConnCur, 0) {
            self.entry.take_one(current);
        }
        self.entry.trackers.fetch_sub(1, Relaxed);
    }
}
