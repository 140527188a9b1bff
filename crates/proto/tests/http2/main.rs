//! HTTP/2 as RFC 9113 tells it, one test for each rule, named by it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "builders beside the tests may fail as tests do"
)]

#[allow(dead_code, reason = "not every frame is in a test yet")]
mod capture;
mod messages;
