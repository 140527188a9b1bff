//! Balancing algorithms, hashes, queues and server state: which server gets the next request,
//! who waits, and when a server counts as up.
//!
//! It opens no socket, reads no clock and draws no random number; `now` and seeds are arguments.
//! What HAProxy 2.6 does was found by its manual and by asking a running one
//! (tests/conformance/balance_oracle); the recorded answers are this crate's golden tests.
//!
//! ```text
//! Server      what is true of one server now: weight, state, connections (atomics)
//! Balancer    picks a server: wheel (roundrobin), slots (static-rr, map-based),
//!             ring (consistent, random), load order (leastconn), id order (first)
//! Queue       who waits for a server or for the backend
//! Health      rise and fall
//! ```

#![forbid(unsafe_code)]

mod algorithm;
mod balancer;
mod eligible;
pub mod hash;
mod health;
mod load;
mod queue;
mod ring;
mod server;
mod slots;
mod wheel;

pub use algorithm::{Algorithm, HashType, Key, Method};
pub use balancer::Balancer;
pub use health::{Change, Health, Intervals};
pub use queue::{Place, Priority, Queue, Ticket, Times};
pub use server::{Limits, Load, Server, ServerSettings, State, Weight};
