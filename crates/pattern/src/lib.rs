//! ACL and map matching: lists of patterns with values, compiled for the match methods that are asked
//! of them, against which samples are tested (manual, section 7.1). A hundred thousand patterns cost
//! little more than one, where the method allows it.
//!
//! ```text
//! List ── batches of entries ─▶ View (one per method) ── layers: a compiled Set for each batch
//! ```
//!
//! Nothing here knows fetches or sessions: [`Input`] is all it sees of a sample.

#![forbid(unsafe_code)]

mod address;
mod affix;
mod backtracking;
mod batch;
mod exact;
mod expression;
mod expressions;
mod hex;
mod input;
mod integer;
mod keys;
mod lines;
mod list;
mod matcher;
mod network;
mod set;
mod steps;
mod substring;
mod view;

pub use address::{embedded_ipv4, write_ip};
pub use backtracking::limited_searches;
pub use expression::{Expression, Groups};
pub use hex::{from_hex, to_hex};
pub use input::{Input, leading_int};
pub use lines::Columns;
pub use list::{Entry, Facts, List, Refusal, Which};
pub use matcher::Matcher;
pub use set::Hosts;
pub use view::{Match, PatternError, View, address, integer};
