//! How busy a worker is: the share of its time in which it did not wait for events.

use isthmus_stats::Counter;

/// Milliseconds that are looked at together.
const PERIOD: u64 = 500;

/// The share of the last half second or so. The worker writes it, and anybody reads it. Reads no clock:
/// moments are milliseconds of the engine's.
#[derive(Debug, Default)]
pub(crate) struct Load {
    since: Counter,
    slept: Counter,
    busy: Counter,
    /// When the wait that lasts began, plus one; 0 while the worker works.
    waits: Counter,
}

impl Load {
    /// Takes note that the worker waits for events from now on.
    pub(crate) fn waits(&self, now: u64) {
        self.waits.set(now + 1);
    }

    /// Takes note that the wait is over.
    pub(crate) fn works(&self, now: u64) {
        let began = self.waits.get().saturating_sub(1);
        self.waits.set(0);
        self.slept.add(now.saturating_sub(began));
        let passed = now.saturating_sub(self.since.get());
        if passed >= PERIOD {
            self.busy.set(share(passed, self.slept.get()));
            self.since.set(now);
            self.slept.set(0);
        }
    }

    /// Percent of the time, as the worker itself sees it.
    pub(crate) fn busy_percent(&self) -> u64 {
        self.busy.get()
    }

    /// Percent of the time as others see it, who may come while it waits, or works, for long.
    pub(crate) fn seen(&self, now: u64) -> u64 {
        let passed = now.saturating_sub(self.since.get());
        if passed < PERIOD {
            return self.busy.get();
        }
        let waits = self.waits.get().checked_sub(1);
        let waited = waits.map_or(0, |began| now.saturating_sub(began));
        share(passed, self.slept.get() + waited)
    }
}

fn share(passed: u64, slept: u64) -> u64 {
    let busy = passed.saturating_sub(slept);
    (busy * 100).checked_div(passed).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slept(load: &Load, from: u64, to: u64) {
        load.waits(from);
        load.works(to);
    }

    #[test]
    fn a_share_is_that_of_the_last_period() {
        let load = Load::default();
        assert_eq!(load.busy_percent(), 0);
        slept(&load, 300, 400);
        assert_eq!(load.busy_percent(), 0);
        slept(&load, 475, 500);
        assert_eq!(load.busy_percent(), 75);
        slept(&load, 500, 10_500);
        assert_eq!(load.busy_percent(), 0);
        slept(&load, 11_000, 11_000);
        assert_eq!(load.busy_percent(), 100);
    }

    #[test]
    fn who_looks_sees_a_long_wait_and_long_work() {
        let load = Load::default();
        slept(&load, 500, 500);
        assert_eq!(load.seen(600), 100);
        load.waits(600);
        assert_eq!(load.seen(700), 100);
        assert_eq!(load.seen(1500), 10);
        assert_eq!(load.seen(100_500), 0);
        load.works(100_500);
        assert_eq!(load.seen(100_600), 0);
        assert_eq!(load.seen(102_500), 100);
    }
}
