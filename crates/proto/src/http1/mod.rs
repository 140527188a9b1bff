//! HTTP/1.0 and 1.1 (RFC 9112) without I/O: heads, body framing, chunks, and heads as edited.
//!
//! A head is read once, in place: [`RequestHead`] and [`ResponseHead`] hold spans into the
//! caller's read buffer, in which names have been turned to lower case. Both are made to be used
//! again (`clear`), so that a connection's second request allocates nothing. A head that comes in
//! pieces is read on from where the last piece ended: the work is linear in its length, and what
//! is wrong is found at its first wrong byte. [`Rewrite`] holds what rules change, and writes the
//! result as runs of unchanged bytes with the changes between them.
//!
//! httparse is not used: it takes bare LF for a line's end, gives slices where edits need spans,
//! and starts over with every piece.
//!
//! Strict, because what two parsers read differently smuggles requests: HAProxy 2.6's verdicts
//! stand beside ours in tests/data/http1_malformed.txt, with the reason wherever ours is stricter.

mod chunk;
mod chunk_encode;
mod error;
mod facts;
mod fields;
mod forward;
mod framing;
mod lines;
mod request;
mod response;
mod rewrite;
mod rules;
pub(crate) mod scan;
mod span;
mod start_line;
mod trailers;
mod view;

pub use chunk::{Chunks, Piece};
pub use chunk_encode::{CHUNK_END, ChunkHead, LAST_CHUNK, LAST_CHUNK_BEFORE_TRAILERS};
pub use error::{Error, ErrorKind};
pub use facts::Persistence;
pub use fields::{Field, Fields, Received};
pub use forward::Forward;
pub use request::RequestHead;
pub use response::{Exchange, ResponseHead};
pub use rewrite::{FieldId, Rewrite, StartLine};
pub use rules::Rules;
pub use span::Span;
pub use trailers::{Trailers, is_forbidden_trailer};
pub use view::{CaseAdjust, View};

/// How far reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is wrong so far; call again with more bytes behind the same ones.
    Incomplete,
    /// All is there, in so many bytes.
    Complete(usize),
}
