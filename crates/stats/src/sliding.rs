//! Rates over periods of any length, counted by any number of threads.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Events of the current period and of the one before, in two slots as those of [`crate::Rate`]: a slot holds
/// the number of its period and its count. Who keeps the slots says how long a period is (milliseconds).
#[derive(Debug, Clone, Copy)]
pub struct Sliding {
    period: u64,
}

/// The number of a period (its lowest bits), and how many events it had.
const fn unpacked(slot: u64) -> (u32, u32) {
    ((slot >> 32) as u32, slot as u32)
}

const fn packed(number: u32, events: u32) -> u64 {
    (number as u64) << 32 | events as u64
}

impl Sliding {
    /// Rates over periods of that many milliseconds, at least one.
    #[must_use]
    pub fn over(period: u32) -> Self {
        Self {
            period: u64::from(period.max(1)),
        }
    }

    /// The number of the period at `now`. Numbers begin at one, so that slots never written belong to none.
    fn number(self, now: u64) -> u32 {
        (now / self.period).wrapping_add(2) as u32
    }

    /// The slot of a period, and its neighbour's.
    fn slots(slots: &[AtomicU64; 2], number: u32) -> (&AtomicU64, &AtomicU64) {
        let [even, odd] = slots;
        if number % 2 == 0 {
            (even, odd)
        } else {
            (odd, even)
        }
    }

    /// Counts events at `now`.
    pub fn count(self, slots: &[AtomicU64; 2], events: u64, now: u64) {
        let number = self.number(now);
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        let (own, _) = Self::slots(slots, number);
        // Two threads may both begin a period: whoever comes second adds to what the first wrote.
        let _ = own.fetch_update(Relaxed, Relaxed, |slot| match unpacked(slot) {
            (of, counted) if of == number => Some(packed(number, counted.saturating_add(events))),
            _ => Some(packed(number, events)),
        });
    }

    /// Makes the rate what it would be if so many events had come just now, and none before.
    pub fn set(self, slots: &[AtomicU64; 2], events: u64, now: u64) {
        let number = self.number(now);
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        let (own, other) = Self::slots(slots, number);
        own.store(packed(number, events), Relaxed);
        other.store(0, Relaxed);
    }

    /// Events of the period that ends at `now`: those of the current one, and the share of the one before
    /// that still lies within.
    #[must_use]
    pub fn get(self, slots: &[AtomicU64; 2], now: u64) -> u64 {
        let number = self.number(now);
        let (own, other) = Self::slots(slots, number);
        let of = |slot: &AtomicU64, wanted: u32| match unpacked(slot.load(Relaxed)) {
            (number, events) if number == wanted => u64::from(events),
            _ => 0,
        };
        let left = self.period - now % self.period;
        of(own, number) + of(other, number.wrapping_sub(1)) * left / self.period
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_fades_over_the_period_that_follows() {
        let (slots, rate) = (Default::default(), Sliding::over(10_000));
        assert_eq!(rate.get(&slots, 0), 0);
        rate.count(&slots, 60, 5_000);
        rate.count(&slots, 40, 9_999);
        for (now, expected) in [
            (9_999, 100),
            (10_000, 100),
            (15_000, 50),
            (19_999, 0),
            (20_000, 0),
        ] {
            assert_eq!(rate.get(&slots, now), expected, "{now}");
        }
        rate.count(&slots, 1, 35_000);
        assert_eq!(rate.get(&slots, 35_000), 1);
    }

    #[test]
    fn a_rate_that_is_set_forgets_what_came_before() {
        let (slots, rate) = (Default::default(), Sliding::over(1000));
        rate.count(&slots, 9, 900);
        rate.set(&slots, 5, 1_100);
        assert_eq!(rate.get(&slots, 1_100), 5);
        assert_eq!(rate.get(&slots, 2_000), 5);
        assert_eq!(rate.get(&slots, 2_500), 2);
    }

    #[test]
    fn no_event_of_several_threads_is_lost() {
        let (slots, rate) = (<[AtomicU64; 2]>::default(), Sliding::over(60_000));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| rate.count(&slots, 1, 70_000)));
            }
        });
        assert_eq!(rate.get(&slots, 70_000), 4000);
    }

    #[test]
    fn no_number_can_break_it() {
        let (slots, rate) = (Default::default(), Sliding::over(0));
        rate.count(&slots, u64::MAX, u64::MAX);
        rate.count(&slots, u64::MAX, u64::MAX);
        assert_eq!(rate.get(&slots, u64::MAX), u64::from(u32::MAX));
    }
}
