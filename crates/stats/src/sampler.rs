//! `log ... sample <ranges>:<size>`: which lines of a target are sent. One counter for all
//! workers, because the period is counted over the whole process.

use std::sync::atomic::{AtomicU64, Ordering};

use isthmus_plan::LogSampling;

/// Counts the lines of one target. Lines that the target's level withholds are not counted
/// (observed on HAProxy 2.6): ask [`crate::is_sent`] first.
#[derive(Debug)]
pub struct Sampler {
    sampling: LogSampling,
    lines: AtomicU64,
}

impl Sampler {
    /// A sampler that has seen no line.
    #[must_use]
    pub fn new(sampling: LogSampling) -> Self {
        Self {
            sampling,
            lines: AtomicU64::new(0),
        }
    }

    /// Counts one line and says whether it is sent. A period of zero sends every line.
    pub fn take(&self) -> bool {
        let before = self.lines.fetch_add(1, Ordering::Relaxed);
        let Some(place) = before.checked_rem(u64::from(self.sampling.size)) else {
            return true;
        };
        let place = place + 1;
        self.sampling
            .ranges
            .iter()
            .any(|&(first, last)| (u64::from(first)..=u64::from(last)).contains(&place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(ranges: &[(u32, u32)], size: u32, lines: usize) -> Vec<usize> {
        let sampler = Sampler::new(LogSampling {
            ranges: ranges.to_vec(),
            size,
        });
        (1..=lines).filter(|_| sampler.take()).collect()
    }

    #[test]
    fn places_are_counted_from_one_and_again_after_each_period() {
        assert_eq!(sent(&[(2, 2)], 2, 8), [2, 4, 6, 8]);
        assert_eq!(sent(&[(1, 1)], 3, 8), [1, 4, 7]);
        assert_eq!(sent(&[(1, 2), (5, 5)], 5, 12), [1, 2, 5, 6, 7, 10, 11, 12]);
    }

    #[test]
    fn a_period_of_zero_sends_every_line() {
        assert_eq!(sent(&[(1, 1)], 0, 3), [1, 2, 3]);
    }

    #[test]
    fn several_workers_share_one_count() {
        let sampler = Sampler::new(LogSampling {
            ranges: vec![(1, 3)],
            size: 10,
        });
        let count = || (0..5_000).filter(|_| sampler.take()).count();
        let total: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
            workers.into_iter().map(|w| w.join().unwrap()).sum()
        });
        assert_eq!(total, 6_000);
    }
}
