//! One turn of a worker's loop, as evaluations and sessions see it.

use std::cell::Cell;
use std::sync::Arc;

use crate::clock::Clock;
use crate::live::ProcessShard;

/// What all evaluations and sessions of one turn of the loop share.
pub(crate) struct Turn {
    /// Engine milliseconds.
    pub(crate) now: u64,
    pub(crate) clock: Clock,
    pub(crate) worker: usize,
    pub(crate) counters: Arc<ProcessShard>,
    seed: Cell<u64>,
    /// The minute for which the offset of local time is known, and the offset.
    offset: Cell<(i64, i32)>,
}

impl Turn {
    pub(crate) fn new(clock: Clock, worker: usize, counters: Arc<ProcessShard>, seed: u64) -> Self {
        let offset = Cell::new((i64::MIN, 0));
        Self {
            now: clock.now(),
            clock,
            worker,
            counters,
            seed: Cell::new(seed),
            offset,
        }
    }

    /// 64 random bits (SplitMix64): good enough to balance by, no secret.
    pub(crate) fn random(&self) -> u64 {
        let seed = self.seed.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.seed.set(seed);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Seconds to add to UTC for local time at a moment.
    pub(crate) fn utc_offset(&self, at: i64) -> i32 {
        let (minute, offset) = self.offset.get();
        if minute == at / 60 {
            return offset;
        }
        let offset = isthmus_sockets::utc_offset(at);
        self.offset.set((at / 60, offset));
        offset
    }
}
