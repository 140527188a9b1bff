//! What the engine says about the TLS of a plan before it is applied: facts that only X.509 tells,
//! and what cannot be used.

use serde::{Deserialize, Serialize};

/// What was found out about a plan's TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFacts {
    /// A row for each certificate of the plan; empty ones for those that cannot be read.
    pub certificates: Vec<CertificateFacts>,
    /// What cannot be used; without any, the plan's TLS can be applied.
    pub faults: Vec<TlsFault>,
}

/// What a certificate says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFacts {
    /// Its common names and alternative names of hosts.
    pub names: Vec<String>,
    /// The first second in which it is valid, since 1970.
    pub not_before: i64,
    /// The last one.
    pub not_after: i64,
    /// Why its OCSP response is not stapled; empty where it is, or there is none.
    pub ocsp: String,
}

/// What a certificate says of itself, for operators.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateDescription {
    /// The serial number, hexadecimal.
    pub serial: String,
    /// The first second in which it is valid, since 1970.
    pub not_before: i64,
    /// The last one.
    pub not_after: i64,
    /// Its alternative names, `DNS:a.example, IP Address:192.0.2.1`.
    pub names: String,
    /// Its key's kind and size, `RSA2048`.
    pub algorithm: String,
    /// Hexadecimal.
    pub sha1: String,
    /// `/C=DE/CN=a.example`
    pub subject: String,
    /// The same of its authority.
    pub issuer: String,
}

/// What a revocation list says of itself, for operators.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationDescription {
    /// 1 or 2.
    pub version: i64,
    /// The name of the algorithm that it is signed with.
    pub algorithm: String,
    /// `/C=DE/CN=CA`
    pub issuer: String,
    /// When it was made, in seconds since 1970.
    pub this_update: i64,
    /// When the next one is due.
    pub next_update: Option<i64>,
    /// What it revokes: serial numbers, hexadecimal, and when.
    pub revoked: Vec<(String, i64)>,
}

/// Something that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFault {
    /// What is at fault.
    pub subject: TlsSubject,
    /// What is wrong with it, in words.
    pub message: String,
}

/// A part of a plan that can be at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TlsSubject {
    /// A certificate or its key.
    Certificate {
        /// Its index.
        index: usize,
    },
    /// A file of authorities.
    Authority {
        /// Its index.
        index: usize,
    },
    /// A file of revocation lists.
    Revocation {
        /// Its index.
        index: usize,
    },
    /// A bind or server line.
    Line {
        /// Its `file:line`.
        origin: String,
    },
}
