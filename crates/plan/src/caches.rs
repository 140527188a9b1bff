//! What caches hold, as the runtime API shows it (`show cache`).

use serde::{Deserialize, Serialize};

/// A cache of the plan in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheFacts {
    /// Its name.
    pub name: String,
    /// Its memory in bytes.
    pub size: u64,
    /// What it holds, the one used longest ago first.
    pub objects: Vec<CachedFacts>,
}

/// A stored response.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CachedFacts {
    /// Identifies it within its cache until it is used again.
    pub turn: u64,
    /// Of its key: what tells it from others without showing a tenant's addresses.
    pub hash: u32,
    /// Of the request's fields on which it depends; 0 if it depends on none.
    pub variant: u64,
    /// Its share of the cache's memory in bytes.
    pub size: u64,
    /// How many exchanges are being answered with it.
    pub users: u64,
    /// Seconds until it is no longer fresh; negative if it is so already.
    pub expires: i64,
}
