//! Lists of patterns: ACL and map files as the plan names them, and what is asked of them while the
//! engine runs (the runtime API's `show map`, `add acl` and the like). What a file holds travels
//! beside the plan, as bytes by digest.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bytestring::ByteString;
use crate::expression::MatchMethod;

/// A list that has a name: a file, or one that is in memory only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternList {
    /// Its number in the runtime API.
    pub id: u32,
    /// The file as the configuration writes it.
    pub name: String,
    /// Who uses it, as the runtime API tells.
    pub description: String,
    /// Whether its lines are a key and a value (maps), or a pattern (ACLs).
    pub two_columns: bool,
    /// Whether an ACL compares with it.
    pub acl: bool,
    /// What the file holds; empty where there is no file.
    pub digest: String,
    /// Addresses of the host names that stand in it.
    pub hosts: Vec<(ByteString, IpAddr)>,
}

/// A list that an ACL compares with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListUse {
    /// Index into the plan's lists.
    pub list: usize,
    /// `-i` before the file.
    pub ignore_case: bool,
}

/// What the values of a list must be for a use of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListValues {
    /// Nobody looks at them.
    Unused,
    /// Text.
    Text,
    /// Integers.
    Integers,
    /// Addresses.
    Addresses,
}

/// A use of a file, which its text is checked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListCheck {
    /// Whether its lines are a key and a value.
    pub two_columns: bool,
    /// How its keys are compared.
    pub method: MatchMethod,
    /// What its values must be.
    pub values: ListValues,
    /// Addresses of the host names that stand in it.
    pub hosts: Vec<(ByteString, IpAddr)>,
}

/// What is asked of a list of the plan in force, by its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ListRequest {
    /// Which lists there are.
    Lists {},
    /// The entries of a version, else of the one matched against.
    Entries {
        /// The list.
        list: u32,
        /// The version.
        version: Option<u32>,
    },
    /// What a text matches, for each use of the list.
    Lookup {
        /// The list.
        list: u32,
        /// The text.
        text: ByteString,
    },
    /// Adds entries, all or none.
    Add {
        /// The list.
        list: u32,
        /// The version.
        version: Option<u32>,
        /// Keys and values.
        entries: Vec<(ByteString, ByteString)>,
    },
    /// Changes the value of all entries with a key, or of the one with a number.
    Set {
        /// The list.
        list: u32,
        /// The key.
        key: ByteString,
        /// The entry's number, if it is meant by that.
        entry: Option<u32>,
        /// The value.
        value: ByteString,
    },
    /// Deletes all entries with a key, or the one with a number.
    Delete {
        /// The list.
        list: u32,
        /// The key.
        key: ByteString,
        /// The entry's number, if it is meant by that.
        entry: Option<u32>,
    },
    /// Deletes all entries of a version, else of the one matched against.
    Clear {
        /// The list.
        list: u32,
        /// The version.
        version: Option<u32>,
    },
    /// Makes room for another version.
    Prepare {
        /// The list.
        list: u32,
    },
    /// Puts a version in place of the one matched against.
    Commit {
        /// The list.
        list: u32,
        /// The version.
        version: u32,
    },
}

/// The answer to a [`ListRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ListAnswer {
    /// Every list, by number.
    Lists {
        /// The lists.
        lists: Vec<ListFacts>,
    },
    /// Entries: number, key, value.
    Entries {
        /// The entries, in the order of the list.
        entries: Vec<(u32, ByteString, ByteString)>,
    },
    /// What a text matches.
    Found {
        /// One for each use of the list.
        uses: Vec<Lookup>,
    },
    /// A version was made.
    Version {
        /// Its number.
        version: u32,
    },
    /// It is done.
    Done {},
    /// Nothing was changed.
    Refused {
        /// Why.
        why: ListRefusal,
        /// What is wrong with an entry.
        message: String,
    },
}

/// Why a list was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListRefusal {
    /// There is no such list in the plan in force.
    List,
    /// No version of this number can be written or committed.
    Version,
    /// No entry is meant.
    NotFound,
    /// A key or a value does not fit.
    Wrong,
}

/// A list of the plan in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListFacts {
    /// Its number.
    pub id: u32,
    /// The file; empty for the patterns of an ACL line.
    pub name: String,
    /// Who uses it.
    pub description: String,
    /// Whether its entries have values.
    pub two_columns: bool,
    /// Whether an ACL compares with it.
    pub acl: bool,
    /// The version that is matched against.
    pub current: u32,
    /// The last version that was prepared.
    pub next: u32,
    /// Entries of all versions.
    pub entries: usize,
}

/// What a text matches in one use of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// How keys are compared.
    pub method: MatchMethod,
    /// Whether case is ignored.
    pub ignore_case: bool,
    /// What values must be.
    pub values: ListValues,
    /// Key and value of the entry that matches; for `found` and `bool` both are empty.
    pub found: Option<(ByteString, ByteString)>,
}
