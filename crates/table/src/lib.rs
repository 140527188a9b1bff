//! Stick tables: what is remembered of keys such as addresses, for a time and up to a number of them (manual,
//! `stick-table`). A table opens no socket and reads no clock: `now` comes in as engine milliseconds.
//!
//! ```text
//! Table ── Shard (a lock) ── Entry (atomics) ◀── Tracked (a session that counts there)
//! ```
//!
//! Looking a key up takes the lock of its shard for that long; who tracks an entry holds it and needs no lock.

#![forbid(unsafe_code)]

mod data;
mod entry;
mod key;
mod layout;
mod shard;
mod table;
mod tracked;

pub use data::{Data, Event};
pub use entry::Entry;
pub use key::{Key, KeyType, Value};
pub use layout::{Cell, Layout, Stored};
pub use table::{Settings, Shown, Table};
pub use tracked::Tracked;
