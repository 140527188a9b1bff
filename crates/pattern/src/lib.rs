//! ACL and map matching: sets of patterns, compiled for one match method, against which samples
//! are tested (manual, section 7.1). A hundred thousand patterns cost little more than one.
//!
//! Nothing here knows fetches or sessions: [`Input`] is all it sees of a sample.

#![forbid(unsafe_code)]

mod address;
mod hex;
mod input;
mod integer;
mod matcher;
mod network;
mod text;

pub use address::{embedded_ipv4, write_ip};
pub use hex::{from_hex, to_hex};
pub use input::{Input, leading_int};
pub use matcher::{Matcher, PatternError};
