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
    /// It offers the protocol [`CHALLENGE`] alone.
    pub challenge: bool,
}

/// What authorities offer that have a name proved (RFC 8737 section 6.2).
pub const CHALLENGE: &[u8] = b"acme-tls/1";

impl<'a> From<&'a rustls::server::ClientHello<'_>> for Hello<'a> {
    fn from(hello: &'a rustls::server::ClientHello<'_>) -> Self {
        Self {
            server_name: hello.server_name(),
            signature_schemes: hello.signature_schemes().to_vec(),
            cipher_suites: hello.cipher_suites().to_vec(),
            challenge: hello.alpn().is_some_and(|mut offered| {
                offered.next() == Some(CHALLENGE) && offered.next().is_none()
            }),
        }
    }
}
