//! Expressions and conditions, lowered: every name is known to exist and every argument typed.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bytestring::ByteString;
use crate::patterns::ListUse;

/// A fetch and the converters behind it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expression {
    /// The sample fetch.
    pub fetch: Call,
    /// Converters, applied in order.
    pub converters: Vec<Call>,
}

/// A fetch or converter by its registered name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Registered name.
    pub name: String,
    /// Arguments as its signature asks for; trailing optional ones may be left out.
    pub args: Vec<Arg>,
}

/// An argument of a fetch or converter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Arg {
    /// An integer; times are milliseconds, sizes are bytes.
    Int {
        /// The value.
        value: i64,
    },
    /// A string.
    Str {
        /// The bytes.
        value: ByteString,
    },
    /// An address.
    Ip {
        /// The address.
        value: IpAddr,
    },
    /// A netmask given as prefix length.
    Mask {
        /// Bits, 0..=32 for IPv4 or 0..=128 for IPv6.
        bits: u8,
    },
    /// A variable, for instance `txn.name`.
    Var {
        /// Scope and name.
        name: String,
    },
    /// A frontend.
    Frontend {
        /// Index into the plan's frontends.
        frontend: usize,
    },
    /// A backend.
    Backend {
        /// Index into the plan's backends.
        backend: usize,
    },
    /// A server.
    Server {
        /// Index into the plan's backends.
        backend: usize,
        /// Index into the backend's servers.
        server: usize,
    },
    /// A file of patterns.
    List {
        /// Index into the plan's lists.
        list: usize,
    },
    /// A userlist.
    Userlist {
        /// Index into the plan's userlists.
        userlist: usize,
    },
    /// A stick table.
    Table {
        /// Index into the plan's tables.
        table: usize,
    },
    /// An optional argument left out before one that is given.
    Absent {},
}

/// How a sample is compared with patterns (`-m`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchMethod {
    /// There is a sample.
    Found,
    /// The sample is true, or a non-zero integer.
    Bool,
    /// Integer and ranges.
    Int,
    /// Address in a network.
    Ip,
    /// Hexadecimal bytes equal.
    Bin,
    /// Length of the string as an integer.
    Len,
    /// Strings equal.
    Str,
    /// Substring.
    Sub,
    /// Regular expression.
    Reg,
    /// Prefix.
    Beg,
    /// Suffix.
    End,
    /// Substring delimited by slashes.
    Dir,
    /// Substring delimited by slashes, question marks, dots or colons.
    Dom,
}

/// An ACL: it is true when any of its tests is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acl {
    /// Its name, or the text of an anonymous one.
    pub name: String,
    /// One for each line that declares the name.
    pub tests: Vec<AclTest>,
}

/// One sample compared with a set of patterns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AclTest {
    /// What is compared.
    pub expression: Expression,
    /// How it is compared.
    pub method: MatchMethod,
    /// `-i`: without regard to case.
    pub ignore_case: bool,
    /// The patterns as written on the line: a list of their own.
    pub patterns: Vec<ByteString>,
    /// The number of that list in the runtime API.
    pub id: u32,
    /// What the runtime API tells about that list.
    pub description: String,
    /// The files of patterns (`-f`).
    pub files: Vec<ListUse>,
}

/// `if` or `unless` some alternative holds; an alternative holds when all its terms do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The whole is negated.
    pub unless: bool,
    /// Alternatives separated by `or`.
    pub any_of: Vec<Vec<Term>>,
}

/// One ACL of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// `!`
    pub negate: bool,
    /// Index into the plan's ACLs.
    pub acl: usize,
}
