//! Rise and fall of one server's health. Holds no socket and reads no clock: the checker feeds it
//! results, acts on the changes it returns, and asks when to check next.

/// `inter`, `fastinter` and `downinter` in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// `inter`.
    pub inter: u64,
    /// `fastinter`; `inter` where it is not set.
    pub fastinter: Option<u64>,
    /// `downinter`; `inter` where it is not set.
    pub downinter: Option<u64>,
}

/// A server's health went over or under the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `rise` checks in a row succeeded.
    Up,
    /// `fall` checks in a row failed.
    Down,
}

/// The count of checks of one server.
///
/// ```text
/// 0 ........ rise-1 | rise ........ rise+fall-1
/// down    rising    | falling          up
/// ```
/// A success goes one up, over the line straight to the top; a failure goes one down, under the line
/// straight to 0.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    rise: u32,
    fall: u32,
    level: u32,
    checked: bool,
    since: u64,
}

impl Health {
    /// A server that is up and was never checked: one failure brings it down, as in HAProxy,
    /// where a server that starts is trusted only until its first check. `rise` and `fall` of 0 count as 1.
    #[must_use]
    pub fn new(rise: u32, fall: u32, now: u64) -> Self {
        let (rise, fall) = (rise.max(1), fall.max(1));
        Self {
            rise,
            fall,
            level: rise,
            checked: false,
            since: now,
        }
    }

    /// Whether the server counts as up.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        self.level >= self.rise
    }

    /// When it last went up or down, in the caller's milliseconds.
    #[must_use]
    pub const fn since(&self) -> u64 {
        self.since
    }

    /// How far it is, from 0 to rise + fall - 1 (`show servers state`, `check_health`).
    #[must_use]
    pub const fn level(&self) -> u32 {
        self.level
    }

    /// Force a state, as an operator does (`set server B/S health up|down`).
    pub fn force(&mut self, up: bool, now: u64) {
        if up != self.is_up() {
            self.since = now;
        }
        self.level = if up { self.top() } else { 0 };
        self.checked = true;
    }

    /// One failure from now on is enough (`on-error sudden-death`, `observe`).
    pub fn weaken(&mut self) {
        self.level = self.level.min(self.rise);
    }

    /// Count one check's result; `Some` when it changed whether the server is up.
    pub fn on_result(&mut self, ok: bool, now: u64) -> Option<Change> {
        let was_up = self.is_up();
        self.checked = true;
        self.level = if ok {
            self.level + 1
        } else {
            self.level.saturating_sub(1)
        };
        if ok && self.is_up() {
            self.level = self.top();
        } else if !ok && !self.is_up() {
            self.level = 0;
        }
        let change = match (was_up, self.is_up()) {
            (false, true) => Change::Up,
            (true, false) => Change::Down,
            _ => return None,
        };
        self.since = now;
        Some(change)
    }

    /// How long to wait before the next check: `inter` when up for sure, `downinter` when down for sure, `fastinter` in
    /// between and before the first check.
    #[must_use]
    pub fn next_interval(&self, intervals: &Intervals) -> u64 {
        let Intervals {
            inter,
            fastinter,
            downinter,
        } = *intervals;
        if !self.checked {
            fastinter.unwrap_or(inter)
        } else if self.level == self.top() {
            inter
        } else if self.level == 0 {
            downinter.unwrap_or(inter)
        } else {
            fastinter.unwrap_or(inter)
        }
    }

    const fn top(&self) -> u32 {
        self.rise + self.fall - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fall_three_needs_three_failures_in_a_row() {
        let mut health = Health::new(2, 3, 0);
        assert_eq!(health.on_result(true, 1), None);
        let results = [
            (false, None),
            (false, None),
            (true, None),
            (false, None),
            (false, None),
        ];
        for (ok, change) in results {
            assert_eq!(health.on_result(ok, 2), change);
        }
        assert_eq!(health.on_result(false, 3), Some(Change::Down));
        assert_eq!((health.is_up(), health.since()), (false, 3));
    }

    #[test]
    fn rise_two_needs_two_successes_in_a_row() {
        let mut health = Health::new(2, 3, 0);
        health.force(false, 1);
        let results = [
            (true, None),
            (false, None),
            (true, None),
            (true, Some(Change::Up)),
        ];
        for (ok, change) in results {
            assert_eq!(health.on_result(ok, 2), change);
        }
        assert_eq!(health.level(), 4);
    }

    #[test]
    fn a_server_that_was_never_checked_falls_at_the_first_failure() {
        assert_eq!(Health::new(2, 3, 0).on_result(false, 1), Some(Change::Down));
    }

    #[test]
    fn the_interval_depends_on_how_sure_the_state_is() {
        let all = Intervals {
            inter: 2000,
            fastinter: Some(500),
            downinter: Some(9000),
        };
        let none = Intervals {
            inter: 2000,
            fastinter: None,
            downinter: None,
        };
        let mut health = Health::new(2, 2, 0);
        assert_eq!(health.next_interval(&all), 500);
        for (ok, interval) in [
            (true, 2000),
            (false, 500),
            (false, 9000),
            (true, 500),
            (true, 2000),
        ] {
            health.on_result(ok, 1);
            assert_eq!(health.next_interval(&all), interval);
            assert_eq!(health.next_interval(&none), 2000);
        }
    }
}
