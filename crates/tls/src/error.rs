//! What can be wrong with the TLS of a plan, and which of its files is at fault.

use std::fmt;

/// Which part of the plan is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A certificate or its key, by index.
    Certificate(usize),
    /// A file of authorities, by index.
    Authority(usize),
    /// A file of revoked certificates, by index.
    Revocation(usize),
    /// What a bind or server line says.
    Settings,
}

/// Why there is no TLS configuration: the operator's fault, told before anything starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsError {
    /// What is at fault.
    pub fault: Fault,
    /// What is wrong with it, in words.
    pub message: String,
}

impl TlsError {
    pub(crate) fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
        }
    }

    pub(crate) fn settings(message: impl fmt::Display) -> Self {
        Self::new(Fault::Settings, message.to_string())
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TlsError {}
