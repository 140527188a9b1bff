//! What a client asks for.

use rustls::{CipherSuite, SignatureScheme};

/// What of a ClientHello decides which certificate and which settings its client gets.
#[derive(Debug, Clone, Default)]
pub struct Hello<'a> {
    /// The name in SNI, as sent.
    pub server_name: Option<&'a str>,
    /// What the client can verify.
    pub signature_schemes: Vec<SignatureScheme>,
    /// The suites that it offers.
    pub cipher_suites: Vec<CipherSuite>,
}
