//! What a configuration says of balancing (`balance`, `hash-type`), and the key of a request.
//! How a server is chosen from it is balancer.rs's matter.

use std::net::IpAddr;

use crate::hash::{self, Function};

/// How hashes are mapped to servers (`hash-type`'s first argument).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// `map-based`: a static map of the weights, the default.
    #[default]
    MapBased,
    /// `consistent`: a ring, on which a change moves only the changed server's keys.
    Consistent,
}

/// `hash-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashType {
    /// How a hash finds its server.
    pub method: Method,
    /// How a key becomes a hash.
    pub function: Function,
    /// Whether the hash is mixed once more.
    pub avalanche: bool,
}

impl HashType {
    /// What a `hash-type` line means: `consistent` without a function means sdbm with avalanche.
    #[must_use]
    pub fn new(method: Method, function: Option<Function>, avalanche: bool) -> Self {
        let implied = method == Method::Consistent && function.is_none();
        Self {
            method,
            function: function.unwrap_or_default(),
            avalanche: avalanche || implied,
        }
    }

    /// The hash of a key.
    #[must_use]
    pub fn hash(self, key: Key<'_>) -> u32 {
        let raw = match key {
            Key::Source(address) => hash::source(address),
            Key::Bytes(bytes) => self.function.apply(bytes),
            Key::Integer(number) => self.function.apply(&number.to_be_bytes()),
        };
        if self.avalanche {
            hash::avalanche(raw)
        } else {
            raw
        }
    }
}

/// What a request is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// The client's address, for `balance source` (which uses no hash function).
    Source(IpAddr),
    /// The bytes of a string, a binary sample, or an address (4 or 16) for every other hash.
    Bytes(&'a [u8]),
    /// An integer sample of `balance hash`: hashed as eight bytes in network order.
    Integer(i64),
}

/// `balance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `roundrobin`.
    RoundRobin,
    /// `static-rr`.
    StaticRoundRobin,
    /// `leastconn`.
    LeastConn,
    /// `first`.
    First,
    /// `random(draws)`; `factor` is `hash-balance-factor`, 0 for none.
    Random {
        /// How many servers are drawn, of which the least loaded is chosen.
        draws: u32,
        /// `hash-balance-factor` in percent, 0 for none.
        factor: u32,
    },
    /// `source`, `hash`, `uri`, `hdr` and every other algorithm that has a key.
    Hash {
        /// `hash-type`.
        hash_type: HashType,
        /// `hash-balance-factor` in percent, 0 for none; plays a part with `consistent` only.
        factor: u32,
    },
}
