//! HTTP/2 (RFC 9113) and HPACK (RFC 7541) without I/O, for both ends of a connection.
//!
//! ```text
//!   bytes read --> Connection::receive --> Event { Head | Data | Reset | GoAway | ... }
//!                    receive.rs            which frame may come, and where its payload goes
//!                    receive_head.rs       HEADERS, CONTINUATION --> hpack --> Head
//!                    receive_data.rs       DATA, windows
//!                    receive_control.rs    SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM
//!                    guard.rs              what a peer may not do too often
//!   Connection::send_* --> send.rs, send_fields.rs --> hpack --> Connection::output --> written
//! ```
//!
//! Events borrow: a head stands in one buffer that the next head uses again, and data is what the
//! caller read. Nothing is queued on the way in; what waits to go out is bounded. A frame need not
//! fit the caller's buffer, and an idle connection holds little more than the two tables of HPACK.
//!
//! The h2 crate is not used: it brings its own buffers and wakers, and hides the limits that a
//! proxy must set.

mod code;
mod connection;
mod event;
mod fault;
mod frame;
mod guard;
mod head;
mod head_check;
pub mod hpack;
mod http1_text;
mod limits;
mod output;
mod receive;
mod receive_control;
mod receive_data;
mod receive_head;
mod send;
mod send_fields;
mod settings;
mod streams;

pub use code::ErrorCode;
pub use connection::Connection;
pub use event::{Event, Received};
pub use fault::{Error, Fault};
pub use frame::PREFACE;
pub use head::{Field, Head, Part};
pub use limits::Limits;
pub use send::{RequestLine, SendError};
pub use send_fields::FieldSink;
pub use settings::{PeerSettings, Settings};
