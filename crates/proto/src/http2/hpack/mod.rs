//! HPACK (RFC 7541): field lists as the frames of HTTP/2 carry them.
//!
//! Both directions keep a dynamic table of bounded size, which holds no memory until the first
//! field is put into it. Decoding writes names and values one behind the other into the caller's
//! text, so that a head is one buffer and a list of places in it. A block is always decoded whole,
//! also where its fields are of no use any more: the table must stay in step with the peer's.

mod decode;
mod dynamic;
mod encode;
mod huffman;
mod huffman_lengths;
mod integer;
mod static_table;

pub use decode::{DecodeError, Decoder, Sink};
pub use encode::{Encoder, Indexing};
pub use huffman::{huffman_decode, huffman_encode, huffman_length};

/// What the table counts for a field beside its bytes (RFC 7541, 4.1).
pub(crate) const OVERHEAD: usize = 32;
