//! Counts what a peer asks for, and says when it is enough.

use super::fault::Fault;
use super::limits::Limits;

/// What is counted, beside glitches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    Reset,
    Control,
    EmptyData,
    WindowUpdate,
}

/// Counters of one connection.
#[derive(Debug, Default)]
pub(super) struct Guard {
    glitches: u32,
    counts: [u32; 4],
    limits: [u32; 4],
    glitch_limit: u32,
}

impl Guard {
    pub fn new(limits: &Limits) -> Self {
        Self {
            glitches: 0,
            counts: [0; 4],
            limits: [
                limits.resets,
                limits.control,
                limits.empty_data,
                limits.window_updates,
            ],
            glitch_limit: limits.glitches,
        }
    }

    pub fn glitches(&self) -> u32 {
        self.glitches
    }

    /// Counts an anomaly.
    pub fn glitch(&mut self) -> Result<(), Fault> {
        self.glitches = self.glitches.saturating_add(1);
        match self.glitch_limit > 0 && self.glitches >= self.glitch_limit {
            true => Err(Fault::Glitches),
            false => Ok(()),
        }
    }

    /// Counts what costs us.
    pub fn spend(&mut self, cost: Cost, amount: u32) -> Result<(), Fault> {
        let limit = self.limits.get(cost as usize).copied().unwrap_or(0);
        let Some(count) = self.counts.get_mut(cost as usize) else {
            return Ok(());
        };
        *count = count.saturating_add(amount);
        if limit == 0 || *count <= limit {
            return Ok(());
        }
        Err(match cost {
            Cost::Reset => Fault::Resets,
            Cost::Control => Fault::Control,
            Cost::EmptyData => Fault::EmptyData,
            Cost::WindowUpdate => Fault::WindowUpdates,
        })
    }

    /// Pays back for work that was worth its while.
    pub fn earn(&mut self, cost: Cost, amount: u32) {
        if let Some(count) = self.counts.get_mut(cost as usize) {
            *count = count.saturating_sub(amount);
        }
    }

    /// Lets a tenth of each limit drain away for every second.
    pub fn drain(&mut self, seconds: u32) {
        for (count, limit) in self.counts.iter_mut().zip(self.limits) {
            let share = (limit / 10).max(1);
            *count = count.saturating_sub(share.saturating_mul(seconds));
        }
    }
}
