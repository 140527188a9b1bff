//! Numbers with one writer and many readers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A total that only grows, written by one thread.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds. Plain load and store: the only writer needs no atomic addition.
    pub fn add(&self, amount: u64) {
        self.0
            .store(self.0.load(Relaxed).wrapping_add(amount), Relaxed);
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

    /// One more unless that would be more than `limit` (0: no limit); gives the new number.
    pub fn enter_below(&self, limit: u64) -> Option<u64> {
        let now = self.enter();
        if limit == 0 || now <= limit {
            return Some(now);
        }
        self.leave();
        None
    }

    /// How many there are.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
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
    fn a_gauge_with_a_limit_lets_no_more_in() {
        let gauge = Gauge::default();
        assert_eq!(gauge.enter_below(2), Some(1));
        assert_eq!(gauge.enter_below(2), Some(2));
        assert_eq!(gauge.enter_below(2), None);
        assert_eq!(gauge.get(), 2);
        gauge.leave();
        assert_eq!(gauge.enter_below(2), Some(2));
        assert_eq!(gauge.enter_below(0), Some(3));
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
