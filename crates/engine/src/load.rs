//! How busy a worker is: the share of its time in which it did not wait for events.

/// Milliseconds that are looked at together.
const PERIOD: u64 = 500;

/// The share of the last half second or so. Reads no clock.
#[derive(Debug, Default)]
pub(crate) struct Load {
    since: u64,
    slept: u64,
    busy: u64,
}

impl Load {
    /// Takes note of a wait for events that is over at `now`, and lasted that many milliseconds.
    pub(crate) fn slept(&mut self, now: u64, slept: u64) {
        self.slept += slept;
        let passed = now.saturating_sub(self.since);
        if passed >= PERIOD {
            let busy = passed.saturating_sub(self.slept);
            self.busy = (busy * 100).checked_div(passed).unwrap_or(0);
            (self.since, self.slept) = (now, 0);
        }
    }

    /// Percent of the time.
    pub(crate) fn busy_percent(&self) -> u64 {
        self.busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_that_of_the_last_period() {
        let mut load = Load::default();
        assert_eq!(load.busy_percent(), 0);
        load.slept(400, 100);
        assert_eq!(load.busy_percent(), 0);
        load.slept(500, 25);
        assert_eq!(load.busy_percent(), 75);
        load.slept(10_500, 10_000);
        assert_eq!(load.busy_percent(), 0);
        load.slept(11_000, 0);
        assert_eq!(load.busy_percent(), 100);
    }
}
