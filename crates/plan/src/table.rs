//! Stick tables, and the rules that lead clients to servers by them (manual, `stick-table`, `stick`).

use serde::{Deserialize, Serialize};

use crate::expression::{Condition, Expression};

/// A `stick-table` line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StickTable {
    /// The proxy that has it.
    pub name: String,
    /// The type of its keys.
    pub key: TableKey,
    /// Entries at most.
    pub size: usize,
    /// Milliseconds after which an unused entry goes; never if absent.
    pub expire: Option<u64>,
    /// No entry makes room for another.
    pub nopurge: bool,
    /// Whether the client's source namespace is a part of keys.
    pub by_namespace: bool,
    /// `srvkey addr`: servers are remembered by address, not by name.
    pub server_by_address: bool,
    /// What is stored.
    pub stored: Vec<StoredData>,
}

/// The type of a table's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TableKey {
    /// IPv4 addresses.
    Ip {},
    /// IPv6 addresses.
    Ipv6 {},
    /// Integers of 32 bits.
    Integer {},
    /// Text.
    String {
        /// Bytes at most.
        len: usize,
    },
    /// Bytes.
    Binary {
        /// How many.
        len: usize,
    },
}

/// One type behind `store`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredData {
    /// Its name, for instance `conn_rate`.
    pub data: String,
    /// How many, of arrays; else 1.
    pub count: u16,
    /// Of rates, milliseconds; else 0.
    pub period: u32,
}

/// A `stick` line: `stick on` is two of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StickRule {
    /// What it does.
    pub what: Stick,
    /// What the key is made of.
    pub expression: Expression,
    /// Index into the plan's tables.
    pub table: usize,
    /// When; always if absent.
    pub condition: Option<Condition>,
    /// `file:line`, for messages.
    pub origin: String,
}

/// What a `stick` line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stick {
    /// Leads to the server that an entry remembers.
    Match,
    /// Remembers the server of a request.
    StoreRequest,
    /// Remembers the server of a response.
    StoreResponse,
}
