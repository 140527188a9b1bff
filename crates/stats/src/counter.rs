//! Numbers with one writer and many readers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that one thread writes, most often a total that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds. Plain load and store: the only writer needs no atomic addition.
    pub fn add(&self, amount: u64) {
        self.0
            .store(self.0.load(Relaxed).wrapping_add(amount), Relaxed);
    }

    /// Says a number anew that may shrink.
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// The total.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number of things that are there now, written by every thread.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// One more; gives the new number.
    pub fn enter(&self) -> u64 {
        self.0.fetch_add(1, Relaxed) + 1
    }

    /// One less.
    pub fn leave(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// How many there are.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number of things that are there now under a limit, written by every thread. A place is taken
/// before it is known whether it will be used, so that no two threads take the last one; places that
/// are merely held are not counted as things, and nobody sees more than there ever were.
#[derive(Debug, Default)]
pub struct Places {
    /// In use: the lower half. Held: the upper half.
    both: AtomicU64,
}

/// One held place.
const HELD: u64 = 1 << 32;

impl Places {
    /// Holds a place if fewer than `limit` (0: no limit) are in use or held.
    pub fn hold(&self, limit: u64) -> bool {
        let before = self.both.fetch_add(HELD, Relaxed);
        if limit == 0 || (before >> 32) + before % HELD < limit {
            return true;
        }
        self.release();
        false
    }

    /// Gives a held place back.
    pub fn release(&self) {
        self.both.fetch_sub(HELD, Relaxed);
    }

    /// Uses a held place; gives how many are in use with it.
    pub fn occupy(&self) -> u64 {
        // One addition takes the hold away and counts the use, so that nobody sees it between.
        self.both.fetch_sub(HELD - 1, Relaxed).wrapping_add(1) % HELD
    }

    /// Takes and uses a place, whatever the limit; gives how many are in use with it.
    pub fn enter(&self) -> u64 {
        (self.both.fetch_add(1, Relaxed) + 1) % HELD
    }

    /// A place that was in use is free.
    pub fn leave(&self) {
        self.both.fetch_sub(1, Relaxed);
    }

    /// How many are in use.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.both.load(Relaxed) % HELD
    }
}

/// The highest value seen, written by every thread.
#[derive(Debug, Default)]
pub struct Highest(AtomicU64);

impl Highest {
    /// Shows it a value.
    pub fn see(&self, value: u64) {
        if value > self.0.load(Relaxed) {
            self.0.fetch_max(value, Relaxed);
        }
    }

    /// The highest so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_with_a_limit_let_no_more_in() {
        let places = Places::default();
        assert!(places.hold(2));
        assert!(places.hold(2));
        assert!(!places.hold(2));
        assert_eq!((places.occupy(), places.occupy()), (1, 2));
        assert!(!places.hold(2));
        assert_eq!(places.get(), 2);
        places.leave();
        assert!(places.hold(2));
        assert!(places.hold(0));
    }

    #[test]
    fn a_place_that_is_held_is_not_in_use() {
        let places = Places::default();
        assert!(places.hold(5));
        assert!(places.hold(5));
        assert_eq!(places.get(), 0);
        places.release();
        assert_eq!(places.occupy(), 1);
        assert_eq!(places.get(), 1);
    }

    #[test]
    fn the_highest_value_stays() {
        let highest = Highest::default();
        for value in [3, 9, 4] {
            highest.see(value);
        }
        assert_eq!(highest.get(), 9);
    }
}
