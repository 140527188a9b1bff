//! Events per second and averages over the last samples, as HAProxy's statistics count them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Events of the current second and of the one before, written by one thread.
#[derive(Debug, Default)]
pub struct Rate {
    /// The second that is being counted.
    second: AtomicU64,
    current: AtomicU64,
    previous: AtomicU64,
}

impl Rate {
    /// Counts one event at `now` (milliseconds) and gives the number of this second's events.
    pub fn count(&self, now: u64) -> u64 {
        self.turn(now / 1000);
        let events = self.current.load(Relaxed) + 1;
        self.current.store(events, Relaxed);
        events
    }

    fn turn(&self, second: u64) {
        let counted = self.second.load(Relaxed);
        if counted == second {
            return;
        }
        let last = if counted + 1 == second {
            self.current.load(Relaxed)
        } else {
            0
        };
        self.previous.store(last, Relaxed);
        self.current.store(0, Relaxed);
        self.second.store(second, Relaxed);
    }

    /// Events of the second that ends at `now`: those of the current second and the share of the
    /// one before that still lies within.
    #[must_use]
    pub fn per_second(&self, now: u64) -> u64 {
        let (second, past) = (now / 1000, now % 1000);
        let counted = self.second.load(Relaxed);
        let (current, previous) = if counted == second {
            (self.current.load(Relaxed), self.previous.load(Relaxed))
        } else if counted + 1 == second {
            (0, self.current.load(Relaxed))
        } else {
            (0, 0)
        };
        current + previous * (1000 - past) / 1000
    }
}

/// A sliding average over about the last 1024 samples, written by one thread.
#[derive(Debug, Default)]
pub struct Average {
    sum: AtomicU64,
    samples: AtomicU64,
}

/// How many samples weigh in: HAProxy's statistics average "over the 1024 last requests".
const WINDOW: u64 = 1024;

impl Average {
    /// Adds a sample.
    pub fn add(&self, value: u64) {
        let (sum, samples) = (self.sum.load(Relaxed), self.samples.load(Relaxed));
        if samples < WINDOW {
            self.samples.store(samples + 1, Relaxed);
            self.sum.store(sum + value, Relaxed);
        } else {
            self.sum.store(sum - sum.div_ceil(WINDOW) + value, Relaxed);
        }
    }

    /// Sum and number of the samples that weigh in, so that several can be put together.
    #[must_use]
    pub fn parts(&self) -> (u64, u64) {
        (self.sum.load(Relaxed), self.samples.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_fades_over_the_second_that_follows() {
        let rate = Rate::default();
        for _ in 0..100 {
            rate.count(5_500);
        }
        assert_eq!(rate.per_second(5_900), 100);
        assert_eq!(rate.per_second(6_000), 100);
        assert_eq!(rate.per_second(6_500), 50);
        assert_eq!(rate.per_second(7_000), 0);
        rate.count(9_000);
        assert_eq!(rate.per_second(9_000), 1);
    }

    #[test]
    fn an_average_follows_the_last_samples() {
        let average = Average::default();
        for _ in 0..WINDOW {
            average.add(10);
        }
        for _ in 0..20 * WINDOW {
            average.add(30);
        }
        let (sum, samples) = average.parts();
        assert!((28..=30).contains(&(sum / samples)), "{}", sum / samples);
    }
}
