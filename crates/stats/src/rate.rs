//! Events per second and averages over the last samples, as HAProxy's statistics count them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::counter::Highest;

/// Events of the current second and of the one before, written by one thread.
///
/// Even seconds have one slot and odd ones the other. A slot holds its second and its count in one number, so
/// that no reader takes the one for the other's.
#[derive(Debug, Default)]
pub struct Rate {
    slots: [AtomicU64; 2],
}

/// A second, and how many events it had.
type Counted = (u32, u32);

const fn packed((second, events): Counted) -> u64 {
    (second as u64) << 32 | events as u64
}

const fn unpacked(slot: u64) -> Counted {
    ((slot >> 32) as u32, slot as u32)
}

/// Seconds since the engine's start fit for a hundred years.
fn second(now: u64) -> u32 {
    u32::try_from(now / 1000).unwrap_or(u32::MAX)
}

impl Rate {
    fn slot(&self, second: u32) -> &AtomicU64 {
        let [even, odd] = &self.slots;
        if second % 2 == 0 { even } else { odd }
    }

    /// Counts as many events at `now` (milliseconds).
    pub fn add(&self, now: u64, events: u64) {
        self.count(now, u32::try_from(events).unwrap_or(u32::MAX), |_| {});
    }

    /// Counts events at `now` (milliseconds). `forget` is called before the count of an earlier second is
    /// given up for them, with that second.
    fn count(&self, now: u64, more: u32, forget: impl FnOnce(u32)) {
        let second = second(now);
        let slot = self.slot(second);
        let (counted, events) = unpacked(slot.load(Relaxed));
        let events = if counted == second {
            events.saturating_add(more)
        } else {
            forget(counted);
            more
        };
        slot.store(packed((second, events)), Relaxed);
    }

    /// Events of one second, as far as they are still known.
    fn of(&self, second: u32) -> u64 {
        let (counted, events) = unpacked(self.slot(second).load(Relaxed));
        if counted == second { events.into() } else { 0 }
    }

    /// The seconds whose events are known.
    fn known(&self) -> [u32; 2] {
        let [even, odd] = &self.slots;
        [even, odd].map(|slot| unpacked(slot.load(Relaxed)).0)
    }

    /// Events of the second that ends at `now`: those of the current second and the share of the
    /// one before that still lies within.
    #[must_use]
    pub fn per_second(&self, now: u64) -> u64 {
        let (second, past) = (second(now), now % 1000);
        let previous = second.checked_sub(1).map_or(0, |before| self.of(before));
        self.of(second) + previous * (1000 - past) / 1000
    }
}

/// The most events that several threads together had in one second. Nobody adds up while events come: a sum is
/// taken when the first of the threads gives its count up, and when somebody asks.
#[derive(Debug, Default)]
pub struct Peak(Highest);

impl Peak {
    /// Counts one event of the thread that writes `own`, which is one of `all`.
    pub fn count<'a>(&self, own: &Rate, now: u64, all: impl Iterator<Item = &'a Rate>) {
        own.count(now, 1, |second| {
            self.0.see(all.map(|rate| rate.of(second)).sum());
        });
    }

    /// The highest so far.
    #[must_use]
    pub fn get<'a>(&self, all: impl Iterator<Item = &'a Rate> + Clone) -> u64 {
        for second in all.clone().flat_map(Rate::known) {
            self.0.see(all.clone().map(|rate| rate.of(second)).sum());
        }
        self.0.get()
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

    fn count(rate: &Rate, now: u64, times: usize) {
        for _ in 0..times {
            rate.count(now, 1, |_| {});
        }
    }

    #[test]
    fn a_rate_fades_over_the_second_that_follows() {
        let rate = Rate::default();
        count(&rate, 5_500, 100);
        assert_eq!(rate.per_second(5_900), 100);
        assert_eq!(rate.per_second(6_000), 100);
        assert_eq!(rate.per_second(6_500), 50);
        assert_eq!(rate.per_second(7_000), 0);
        count(&rate, 9_000, 1);
        assert_eq!(rate.per_second(9_000), 1);
    }

    #[test]
    fn many_events_at_once_weigh_as_many() {
        let rate = Rate::default();
        rate.add(5_500, 1_000);
        rate.add(5_600, 500);
        assert_eq!(rate.per_second(5_900), 1_500);
        rate.add(5_900, u64::MAX);
        assert_eq!(rate.per_second(5_900), u64::from(u32::MAX));
    }

    /// Threads that count at the same moments, by (millisecond, thread, events).
    fn peak_of(events: &[(u64, usize, usize)]) -> u64 {
        let (peak, threads) = (Peak::default(), [Rate::default(), Rate::default()]);
        for (now, thread, times) in events {
            for _ in 0..*times {
                peak.count(&threads[*thread], *now, threads.iter());
            }
        }
        peak.get(threads.iter())
    }

    #[test]
    fn a_peak_is_of_the_sum_of_all_threads() {
        assert_eq!(peak_of(&[(500, 0, 3), (900, 1, 4)]), 7);
        assert_eq!(peak_of(&[(5_500, 0, 3), (5_900, 1, 4), (6_000, 0, 6)]), 7);
    }

    #[test]
    fn a_peak_stays_though_nobody_looks_while_it_lasts() {
        let burst = [(5_500, 0, 3), (5_900, 1, 4)];
        for later in [6_000, 7_000, 8_000, 60_000] {
            for order in [[0, 1], [1, 0]] {
                let after = order.map(|thread| (later, thread, 1));
                let much_later = order.map(|thread| (later + 2_000, thread, 1));
                let events = [burst, after, much_later].concat();
                assert_eq!(peak_of(&events), 7, "{events:?}");
            }
        }
    }

    #[test]
    fn a_thread_that_lags_behind_still_counts_in_its_second() {
        let events = [(5_900, 0, 5), (6_001, 0, 1), (5_999, 1, 2), (7_000, 0, 1)];
        assert_eq!(peak_of(&events), 7);
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
