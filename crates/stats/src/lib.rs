//! Counters, rates and averages that one worker writes and anybody reads, and the framing of log
//! lines. No locks: each number has one writer, readers may see the one before.

#![forbid(unsafe_code)]

mod counter;
mod date;
mod rate;
mod sampler;
mod sliding;
mod syslog;

pub use counter::{Counter, Gauge, Highest, Places};
pub use rate::{Average, Peak, Rate};
pub use sampler::Sampler;
pub use sliding::Sliding;
pub use syslog::{Envelope, frame, is_sent};
