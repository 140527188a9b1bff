//! HTTP mode: a session's exchanges one after the other.
//!
//! ```text
//! Request ─▶ Judge ─▶ JudgeBackend ─▶ Choose ─▶ Depart ─▶ Exchange ─▶ Request, closed
//!    │          │            │          (the phases of TCP mode)  │
//!    └──────────┴────────────┴───── an answer of the proxy's ─────┴─▶ Forwarding (a tunnel)
//! ```

mod answer;
mod bandwidth;
mod body;
mod buffer;
mod cache;
mod coding;
mod compile;
mod compress;
mod edit;
mod end;
mod exchange;
mod filter;
mod forwarding;
mod idle;
mod judge;
mod message;
mod pump;
mod request;
mod response;
mod stream;
mod view;

pub(crate) use cache::Cache;
pub(crate) use compile::HttpSide;
pub(crate) use idle::{Idle, Link};
pub(crate) use stream::{Store, Stream};
