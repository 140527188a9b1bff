//! Answers that the proxy makes itself.

use serde::{Deserialize, Serialize};

use super::Text;
use crate::bytestring::ByteString;

/// An answer of the proxy's own (`http-request return`, `http-error`, `errorfile`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// 200..=599; of `errorfile` lines, the status that it stands for.
    pub status: u16,
    /// What it says.
    pub content: ReplyContent,
    /// `content-type`; none is sent without a body.
    pub content_type: Option<ByteString>,
    /// `hdr`: names and values.
    pub headers: Vec<(String, Text)>,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ReplyContent {
    /// Nothing: a head without a body.
    Empty {},
    /// What the proxy answers with this status, `errorfile` lines included.
    Default {},
    /// A whole HTTP message, head included, as `errorfile` files hold it. Empty: the connection
    /// is closed without an answer.
    Message {
        /// The message.
        message: ByteString,
    },
    /// A body as it stands.
    Literal {
        /// The body.
        body: ByteString,
    },
    /// A body from a log format.
    Format {
        /// Makes the body.
        format: Text,
    },
}
