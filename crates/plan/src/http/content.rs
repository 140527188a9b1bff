//! What is done to bodies: compression, caching, bandwidth limits.

use serde::{Deserialize, Serialize};

use crate::expression::Expression;

/// `compression`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compression {
    /// Of responses: `gzip`, `deflate`, `raw-deflate`, `identity`, in order of preference.
    pub response: Vec<String>,
    /// Of requests: the one algorithm.
    pub request: Option<String>,
    /// Media types of responses that are compressed; empty means all.
    pub response_types: Vec<String>,
    /// Media types of requests that are compressed; empty means all.
    pub request_types: Vec<String>,
    /// `offload`: servers are not asked to compress.
    pub offload: bool,
    /// `minsize-res`: shorter bodies are left alone.
    pub response_minimum: u64,
    /// `minsize-req`
    pub request_minimum: u64,
}

/// A section `cache`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Its name.
    pub name: String,
    /// `total-max-size`, bytes.
    pub size: u64,
    /// `max-object-size`, bytes.
    pub object: u64,
    /// `max-age`, seconds.
    pub max_age: u64,
    /// `process-vary`
    pub vary: bool,
    /// `max-secondary-entries`
    pub variants: usize,
}

/// `filter bwlim-in` or `bwlim-out`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandwidthLimit {
    /// Its name, which `set-bandwidth-limit` uses.
    pub name: String,
    /// Whether what the client sends is limited (`bwlim-in`), or what it is sent.
    pub incoming: bool,
    /// What is limited.
    pub limited: Limited,
    /// `min-size`: bytes forwarded at once at least.
    pub minimum: u64,
}

/// What a bandwidth limit counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Limited {
    /// Each stream by itself, once `set-bandwidth-limit` is said.
    Stream {
        /// `default-limit`, bytes.
        limit: u64,
        /// `default-period`, milliseconds.
        period: u64,
    },
    /// All streams of one key together.
    Key {
        /// `limit`, bytes.
        limit: u64,
        /// `key`
        key: Expression,
        /// `table`: index into the plan's tables.
        table: usize,
    },
}
