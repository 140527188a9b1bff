//! What TLS says in the clear (RFC 8446, 4 and 5): the first handshake message of a stream, and
//! what a ClientHello asks for. Nothing here decrypts or negotiates: content rules look at it to
//! choose a backend for bytes that are forwarded as they are.

mod hello;
mod message;
mod ssl2;

pub use hello::{ClientHello, Extensions, extension};
pub use message::{Message, NotTls};
pub use ssl2::ssl2_version;
