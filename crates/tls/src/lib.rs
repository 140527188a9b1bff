//! TLS, from the plan to ready rustls configurations: which certificate a client is shown, what is
//! negotiated, who is believed. Holds no socket and opens no file: the engine moves the records.
//!
//! `Store` holds the files of a plan, read once; an `Acceptor` is one bind line, a `Connector` one
//! server line, a `Channel` one connection.

#![forbid(unsafe_code)]

mod acceptor;
mod certificate;
mod channel;
mod check;
mod clients;
mod connector;
mod distrust;
mod early;
mod error;
mod failure;
mod faults;
mod finished;
mod generation;
mod hello;
mod identity;
mod legible;
mod names;
mod negotiation;
mod ocsp;
mod own_lists;
mod path;
mod records;
mod revocation;
mod servers;
mod serving;
mod sessions;
mod shown;
mod store;
mod unbuffered;
mod watch;

pub use acceptor::{Acceptor, Refusal};
pub use certificate::seconds;
pub use channel::{Channel, Failure, Received};
pub use check::check;
pub use connector::Connector;
pub use distrust::Distrusted;
pub use error::{Fault, TlsError};
pub use failure::Reason;
pub use hello::{CHALLENGE, Hello};
pub use legible::{Legible, legible};
pub use path::Trust;
pub use store::Store;
pub use watch::{Secret, Witnessed};
