//! An entry: a key, the numbers that are kept of it, and when it was last used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use isthmus_stats::Sliding;
use parking_lot::Mutex;

use crate::layout::{Cell, Layout};

/// An entry of a table. Whoever holds it may read and write its numbers; it may have left the table meanwhile.
#[derive(Debug)]
pub struct Entry {
    key: Box<[u8]>,
    words: Box<[AtomicU64]>,
    server_key: Option<Mutex<Option<Arc<[u8]>>>>,
    /// When it was last used, engine milliseconds.
    pub(crate) touched: AtomicU64,
    /// How many track it: it stays as long as anybody does.
    pub(crate) trackers: AtomicU32,
    /// It left the table.
    pub(crate) gone: AtomicBool,
}

impl Entry {
    pub(crate) fn new(key: &[u8], layout: &Layout, now: u64) -> Self {
        Self {
            key: key.into(),
            words: (0..layout.words()).map(|_| AtomicU64::new(0)).collect(),
            server_key: layout.text().then(Mutex::default),
            touched: AtomicU64::new(now),
            trackers: AtomicU32::new(0),
            gone: AtomicBool::new(false),
        }
    }

    /// The bytes of its key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// How many track it.
    #[must_use]
    pub fn trackers(&self) -> u32 {
        self.trackers.load(Relaxed)
    }

    /// Notes that it was used: its time begins anew.
    pub fn touch(&self, now: u64) {
        self.touched.store(now, Relaxed);
    }

    /// Milliseconds since it was last used.
    #[must_use]
    pub fn idle(&self, now: u64) -> u64 {
        now.saturating_sub(self.touched.load(Relaxed))
    }

    fn number(&self, cell: Cell) -> Option<&AtomicU64> {
        self.words.get(cell.at)
    }

    fn slots(&self, cell: Cell) -> Option<&[AtomicU64; 2]> {
        self.words.get(cell.at..cell.at + 2)?.try_into().ok()
    }

    /// A number, or a rate at `now`.
    #[must_use]
    pub fn get(&self, cell: Cell, now: u64) -> u64 {
        let found = match cell.period {
            0 => self.number(cell).map(|number| number.load(Relaxed)),
            period => self
                .slots(cell)
                .map(|slots| Sliding::over(period).get(slots, now)),
        };
        found.unwrap_or(0)
    }

    /// Adds to a number, and gives the new one; of a rate, counts so many events.
    pub fn add(&self, cell: Cell, amount: u64, now: u64) -> u64 {
        if cell.period > 0 {
            if let Some(slots) = self.slots(cell) {
                Sliding::over(cell.period).count(slots, amount, now);
            }
            return self.get(cell, now);
        }
        let add = |number: &AtomicU64| number.fetch_add(amount, Relaxed).wrapping_add(amount);
        self.number(cell).map_or(0, add)
    }

    /// Takes one from a number that is not zero.
    pub(crate) fn take_one(&self, cell: Cell) {
        if let Some(number) = self.number(cell) {
            let _ = number.fetch_update(Relaxed, Relaxed, |held| held.checked_sub(1));
        }
    }

    /// Sets a number, or a rate as if so many events had come just now, and gives what it was.
    pub fn set(&self, cell: Cell, value: u64, now: u64) -> u64 {
        let before = self.get(cell, now);
        if cell.period > 0 {
            if let Some(slots) = self.slots(cell) {
                Sliding::over(cell.period).set(slots, value, now);
            }
        } else if let Some(number) = self.number(cell) {
            number.store(value, Relaxed);
        }
        before
    }

    /// The server that is remembered by its name or address.
    #[must_use]
    pub fn server_key(&self) -> Option<Arc<[u8]>> {
        self.server_key.as_ref()?.lock().clone()
    }

    /// Remembers a server by its name or address, if the table stores that.
    pub fn set_server_key(&self, name: &[u8]) {
        if let Some(place) = &self.server_key {
            let mut place = place.lock();
            if place.as_deref() != Some(name) {
                *place = Some(name.into());
            }
        }
    }
}
