//! How many connections to a server a worker has, and how many of them it needs. One more than were
//! ever used at once is not kept: with `http-reuse safe` each client that asks once needs a
//! connection of its own, and thousands of them would idle until `pool-purge-delay` ends them.

use isthmus_stats::{Counter, Gauge};

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

/// A server's connections in one worker, which alone writes here, but for what others took.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    /// Still counted below as waiting, though another worker has them by now.
    taken_fresh: Gauge,
    taken_proven: Gauge,
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
        self.used() + self.idle() <= self.needed()
    }

    /// Used now.
    pub(crate) fn used(&self) -> u64 {
        self.used.get()
    }

    /// Waiting, having served one request.
    pub(crate) fn fresh(&self) -> u64 {
        self.fresh.get().saturating_sub(self.taken_fresh.get())
    }

    /// Waiting, having served several.
    pub(crate) fn proven(&self) -> u64 {
        self.proven.get().saturating_sub(self.taken_proven.get())
    }

    /// Waiting.
    pub(crate) fn idle(&self) -> u64 {
        self.fresh() + self.proven()
    }

    /// Counts one, by another worker, that the other has taken.
    pub(crate) fn take(&self, standing: Standing) {
        if let Some(taken) = self.taken(standing) {
            taken.enter();
        }
    }

    /// Takes note of one that another worker has taken: it is counted nowhere here any more.
    pub(crate) fn note_taken(&self, standing: Standing) {
        self.leave(standing);
        if let Some(taken) = self.taken(standing) {
            taken.leave();
        }
    }

    /// Whether others took some of which no note was taken.
    pub(crate) fn lost_some(&self) -> bool {
        // Each for itself: what the owner notes before it is counted makes one negative for a moment.
        self.taken_fresh.get() > 0 || self.taken_proven.get() > 0
    }

    /// As many as are thought to be needed.
    pub(crate) fn needed(&self) -> u64 {
        self.highest.get().max(self.before.get())
    }

    fn taken(&self, standing: Standing) -> Option<&Gauge> {
        match standing {
            Standing::Used => None,
            Standing::Fresh => Some(&self.taken_fresh),
            Standing::Proven => Some(&self.taken_proven),
        }
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
    fn what_another_worker_took_counts_no_more() {
        let demand = used(2);
        rests(&demand);
        rests(&demand);
        demand.take(Standing::Fresh);
        assert_eq!((demand.fresh(), demand.lost_some()), (1, true));
        demand.note_taken(Standing::Fresh);
        assert_eq!((demand.fresh(), demand.lost_some()), (1, false));
    }

    #[test]
    fn a_long_silence_leaves_only_what_is_used_now() {
        let demand = used(3);
        rests(&demand);
        assert!(!demand.needs_all(10 * WINDOW, WINDOW));
        assert_eq!((demand.used(), demand.fresh(), demand.needed()), (2, 1, 2));
    }
}
