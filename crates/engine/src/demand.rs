//! How many connections to a server a worker has, and how many of them it needs. One more than were
//! ever used at once is not kept: with `http-reuse safe` each client that asks once needs a
//! connection of its own, and thousands of them would idle until `pool-purge-delay` ends them.

use isthmus_stats::Counter;

/// What a connection does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A session has it.
    Used,
    /// It waits, and has served one request.
    Fresh,
    /// It waits, and has served several.
    Proven,
}

/// A server's connections in one worker, which alone writes here.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    used: Counter,
    fresh: Counter,
    proven: Counter,
    /// Most used at once since the window began, and in the window before.
    highest: Counter,
    before: Counter,
    /// When the window began, engine milliseconds.
    since: Counter,
}

impl Demand {
    /// Counts a connection that has come to stand so.
    pub(crate) fn enter(&self, standing: Standing) {
        let counter = self.counter(standing);
        counter.set(counter.get() + 1);
        if standing == Standing::Used {
            self.highest.set(self.highest.get().max(self.used.get()));
        }
    }

    /// Counts one that stands so no longer.
    pub(crate) fn leave(&self, standing: Standing) {
        let counter = self.counter(standing);
        counter.set(counter.get().saturating_sub(1));
    }

    /// Whether what there is now is no more than was in use at once lately: in this window, or
    /// in the one before it. A window is so many milliseconds long.
    pub(crate) fn needs_all(&self, now: u64, window: u64) -> bool {
        let age = now.saturating_sub(self.since.get());
        if age >= window {
            let before = match age >= 2 * window {
                true => self.used.get(),
                false => self.highest.get(),
            };
            self.before.set(before);
            self.highest.set(self.used.get());
            self.since.set(now);
        }
        self.used() + self.fresh() + self.proven() <= self.needed()
    }

    /// Used now.
    pub(crate) fn used(&self) -> u64 {
        self.used.get()
    }

    /// Waiting, having served one request.
    pub(crate) fn fresh(&self) -> u64 {
        self.fresh.get()
    }

    /// Waiting, having served several.
    pub(crate) fn proven(&self) -> u64 {
        self.proven.get()
    }

    /// As many as are thought to be needed.
    pub(crate) fn needed(&self) -> u64 {
        self.highest.get().max(self.before.get())
    }

    fn counter(&self, standing: Standing) -> &Counter {
        match standing {
            Standing::Used => &self.used,
            Standing::Fresh => &self.fresh,
            Standing::Proven => &self.proven,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Demand, Standing};

    const WINDOW: u64 = 5000;

    fn used(count: usize) -> Demand {
        let demand = Demand::default();
        (0..count).for_each(|_| demand.enter(Standing::Used));
        demand
    }

    fn rests(demand: &Demand) {
        demand.leave(Standing::Used);
        demand.enter(Standing::Fresh);
    }

    #[test]
    fn as_many_are_needed_as_were_used_at_once() {
        let demand = used(2);
        assert!(demand.needs_all(0, WINDOW));
        rests(&demand);
        rests(&demand);
        assert!(demand.needs_all(1, WINDOW));
        demand.enter(Standing::Used);
        assert!(
            !demand.needs_all(2, WINDOW),
            "a third, and never three at once"
        );
    }

    #[test]
    fn a_peak_is_forgotten_two_windows_later() {
        let demand = used(3);
        (0..3).for_each(|_| rests(&demand));
        for (now, needed) in [(WINDOW, true), (WINDOW + 1, true), (2 * WINDOW, false)] {
            assert_eq!(demand.needs_all(now, WINDOW), needed, "at {now}");
        }
        assert_eq!(demand.needed(), 0);
    }

    #[test]
    fn a_long_silence_leaves_only_what_is_used_now() {
        let demand = used(3);
        rests(&demand);
        assert!(!demand.needs_all(10 * WINDOW, WINDOW));
        assert_eq!((demand.used(), demand.fresh(), demand.needed()), (2, 1, 2));
    }
}
