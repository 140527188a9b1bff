//! What operators ask of stick tables while the engine runs, and what it answers (the management manual's
//! `show table`, `set table` and `clear table`).

use serde::{Deserialize, Serialize};

use crate::bytestring::ByteString;
use crate::table::{StoredData, TableKey};

/// What is asked of the tables of the plan in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TableRequest {
    /// Which tables there are.
    Tables {},
    /// The entries that all filters let through.
    Entries {
        /// The table's name.
        table: String,
        /// The filters.
        filters: Vec<TableFilter>,
    },
    /// The entry of a key.
    Entry {
        /// The table's name.
        table: String,
        /// The key as it is typed.
        key: ByteString,
        /// The client's source namespace; empty for the default one.
        namespace: String,
    },
    /// Sets numbers of a key's entry, which is made if there is none.
    Set {
        /// The table's name.
        table: String,
        /// The key as it is typed.
        key: ByteString,
        /// The client's source namespace; empty for the default one.
        namespace: String,
        /// What is set.
        numbers: Vec<TableNumber>,
    },
    /// Removes the entries that all filters let through and nobody tracks.
    Clear {
        /// The table's name.
        table: String,
        /// The filters.
        filters: Vec<TableFilter>,
    },
    /// Removes the entry of a key.
    Remove {
        /// The table's name.
        table: String,
        /// The key as it is typed.
        key: ByteString,
        /// The client's source namespace; empty for the default one.
        namespace: String,
    },
}

/// A number of an entry is compared; of arrays the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableFilter {
    /// The type's name.
    pub data: String,
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub value: i64,
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less or equal.
    Le,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Greater.
    Gt,
}

/// A number of an entry, and what it is set to; of arrays the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableNumber {
    /// The type's name.
    pub data: String,
    /// The number.
    pub value: u64,
}

/// The answer to a [`TableRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TableAnswer {
    /// Every table, in the order of the configuration.
    Tables {
        /// The tables.
        tables: Vec<TableFacts>,
    },
    /// Entries in the order of their keys.
    Entries {
        /// The table.
        table: TableFacts,
        /// The entries.
        entries: Vec<TableEntry>,
    },
    /// It is done.
    Done {},
    /// Nothing was changed.
    Refused {
        /// Why.
        why: TableRefusal,
    },
}

/// Why nothing is shown or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableRefusal {
    /// There is no such table.
    Table,
    /// No key of the table can be written so.
    Key,
    /// There is no such entry.
    Entry,
    /// Somebody tracks the entry.
    InUse,
    /// The table is full, and no entry may go.
    Full,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableFacts {
    /// The proxy that has it.
    pub name: String,
    /// The type of its keys.
    pub key: TableKey,
    /// Entries at most.
    pub size: usize,
    /// Entries.
    pub used: usize,
    /// What is stored.
    pub stored: Vec<StoredData>,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableEntry {
    /// Its key, as text or as the bytes that it is.
    pub key: ByteString,
    /// The client's source namespace; empty for the default one.
    pub namespace: String,
    /// How many track it.
    pub trackers: u32,
    /// Milliseconds until it goes; absent where it never does.
    pub expires: Option<u64>,
    /// What is stored, array after array, in the order of the table's types; 0 for what is text.
    pub numbers: Vec<u64>,
    /// The server that is remembered, by name or address.
    pub server: Option<ByteString>,
}
