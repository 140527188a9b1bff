//! HTTP mode: a session's exchanges one after the other.
//!
//! ```text
//! Request ─▶ Judge ─▶ JudgeBackend ─▶ Choose ─▶ Depart ─▶ Exchange ─▶ Request, closed
//!    │          │            │          (the phases of TCP mode)  │
//!    └──────────┴────────────┴───── an answer of the proxy's ─────┴─▶ Forwarding (a tunnel)
//!               └────────────┴─▶ Serving (a service answers) ─▶ Request, closed
//! ```

mod again;
mod answer;
mod awaiting;
mod bandwidth;
mod body;
mod buffer;
mod cache;
mod cacheable;
mod captures;
mod coder;
mod coding;
mod compile;
mod compress;
mod cookie_guard;
mod crowding;
mod deliberating;
mod early;
mod edit;
mod end;
mod exchange;
mod filter;
mod forwarded;
mod forwarding;
mod framing;
mod hashing;
mod idle;
mod joining;
mod judge;
mod linger;
mod link;
mod message;
mod misdirected;
mod own_links;
mod persistence;
mod pump;
mod request;
mod response;
mod restraint;
mod restricting;
mod sending_away;
mod service;
mod shared_limit;
mod shared_links;
mod shelf;
mod spelling;
mod stream;
mod taking;
mod view;
pub(crate) mod websocket;

pub(crate) use body::{Reading, Writing, push_chunk};
pub use service::{Call, CallBody, Gone, Refused};

pub(crate) use cache::Cache;
pub(crate) use compile::HttpSide;
pub(crate) use crowding::Counted;
pub(crate) use hashing::RequestPart;
pub(crate) use linger::LONGEST as LONGEST_LINGERING;
pub(crate) use link::{Idle, Link};
pub(crate) use persistence::server_cookie;
pub(crate) use restraint::coder_memory;
pub(crate) use service::Service;
pub(crate) use shelf::Shelf;
pub(crate) use stream::{Stage, Store, Stream};
