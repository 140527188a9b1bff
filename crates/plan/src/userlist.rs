//! Userlists: who may pass `http_auth` and `http_auth_group`.

use serde::{Deserialize, Serialize};

use crate::bytestring::ByteString;

/// A section `userlist`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Userlist {
    /// Its name.
    pub name: String,
    /// Its users, no two of one name.
    pub users: Vec<User>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name.
    pub name: ByteString,
    /// What must be said; nobody passes as a user without.
    pub password: Option<Password>,
    /// The names of the user's groups.
    pub groups: Vec<ByteString>,
}

/// How a password is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Password {
    /// As it is (`insecure-password`).
    Plain {
        /// The password.
        text: ByteString,
    },
    /// As crypt(3) writes it (`password`).
    Hashed {
        /// `$id$salt$hash`.
        hash: ByteString,
    },
}
