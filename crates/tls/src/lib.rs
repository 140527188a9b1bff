//! TLS without I/O: certificates and who gets which, and the records of one connection.

mod channel;

pub use channel::{Channel, Failure, Received};
mod stub;
pub use stub::*;
