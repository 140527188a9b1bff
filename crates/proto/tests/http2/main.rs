//! HTTP/2 as RFC 9113 tells it, one test for each rule, named by it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "builders beside the tests may fail as tests do"
)]

mod capture;
mod compression;
mod floods;
mod frames;
mod messages;
mod pair;
mod properties;
mod semantics;
mod settings;
mod streams;
mod windows;
