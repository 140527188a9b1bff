//! HTTP/2: one connection, many streams.
//!
//! ```text
//!   socket ─▶ mux.rs (the connection's own session) ─▶ connection.rs (codec and streams, shared)
//!                                                        │ text of HTTP/1.1, in and out
//!                                                        ▼
//!                    a session for each stream, whose transport is stream.rs
//! ```
//!
//! A stream is a session like any other: it reads its request as HTTP/1.1 and writes its response
//! so, and all that is built for sessions holds for it. `outbound` makes frames of what it writes.

mod connection;
mod mux;
mod outbound;
mod stream;

pub(crate) use connection::Shared;
pub(crate) use mux::Mux;
pub(crate) use stream::Stream;
