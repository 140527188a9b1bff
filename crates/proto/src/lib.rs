//! Codecs without I/O: bytes in, meaning out, and back. Nothing here opens a socket, reads a
//! clock or keeps state between calls; the engine's listeners and connectors call it.

#![forbid(unsafe_code)]

pub mod http;
pub mod http1;
pub mod http2;
pub mod proxy;
pub mod tls;
