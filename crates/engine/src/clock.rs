//! The engine's clock, read once for each turn of a worker's loop.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since the engine started, and what the wall clock showed then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    wall_start: Duration,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let wall_start = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            start: Instant::now(),
            wall_start,
        }
    }

    /// Milliseconds since the engine started.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Microseconds since 1970 at a moment of this clock. The wall clock may have been set since
    /// the start: what it shows now is the base.
    pub(crate) fn wall_us(&self, at: u64) -> u64 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(self.wall_start);
        let passed = self
            .start
            .elapsed()
            .saturating_sub(Duration::from_millis(at));
        u64::try_from(now.saturating_sub(passed).as_micros()).unwrap_or(0)
    }
}
