//! HTTP/2: one connection, many streams.
//!
//! ```text
//!   a client's socket ─▶ mux.rs (a session of its own)     ┐
//!                                                          ├─▶ driving.rs ─▶ connection.rs (codec
//!   a server's socket ─▶ upstream.rs (on the server's link)┘                  and streams, shared)
//!                                                                     │ text of HTTP/1.1,
//!                                                                     ▼ in and out
//!                              the sessions of the streams, one of whose ends is stream.rs
//! ```
//!
//! The session of a client's stream is like any other: it reads its request as HTTP/1.1 and writes
//! its response so, and all that is built for sessions holds for it. Towards a server it is the
//! other way about. `asking` makes a stream of a request's head, `outbound` makes frames of what
//! follows, and of responses.

mod asking;
mod connection;
mod driving;
mod facts;
mod mux;
mod outbound;
mod secrets;
mod settings;
mod state;
mod stream;
mod unwritten;
mod upstream;
mod wire;

pub(crate) use connection::Shared;
pub(crate) use facts::StreamFacts;
pub(crate) use mux::Mux;
pub(crate) use secrets::Secrets;
pub(crate) use stream::Stream;
pub(crate) use unwritten::Unwritten;
pub(crate) use upstream::Upstream;
