//! What is negotiated: the plan's names for versions, suites, groups and signature schemes in
//! rustls's terms.

use std::sync::Arc;

use isthmus_plan::tls::{Group, Negotiation, Scheme, Suite, TlsVersion};
use rustls::crypto::aws_lc_rs::{self, cipher_suite as suites, kx_group as groups};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion, version};

use crate::finished::told;

/// The cryptography of a line: what it says, and our order of preference where it says nothing.
pub(crate) fn provider(said: &Negotiation) -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    let wanted: Vec<SupportedCipherSuite> = said.suites.iter().copied().map(suite).collect();
    // The two lists of a line are for a version each: where one is silent, ours stands in.
    let silent = |tls13: bool| !wanted.iter().any(|suite| is_tls13(suite) == tls13);
    provider
        .cipher_suites
        .retain(|suite| silent(is_tls13(suite)));
    provider.cipher_suites.splice(0..0, wanted);
    for suite in &mut provider.cipher_suites {
        *suite = told(*suite);
    }
    if !said.groups.is_empty() {
        provider.kx_groups = said.groups.iter().copied().map(group).collect();
    }
    Arc::new(provider)
}

fn is_tls13(suite: &SupportedCipherSuite) -> bool {
    suite.version().version == rustls::ProtocolVersion::TLSv1_3
}

/// The versions of a line; both where it names none.
pub(crate) fn versions(said: &Negotiation) -> Vec<&'static SupportedProtocolVersion> {
    let wanted = |version| said.versions.is_empty() || said.versions.contains(&version);
    let both = [
        (TlsVersion::Tls13, &version::TLS13),
        (TlsVersion::Tls12, &version::TLS12),
    ];
    both.into_iter()
        .filter(|(version, _)| wanted(*version))
        .map(|(_, known)| known)
        .collect()
}

fn suite(suite: Suite) -> SupportedCipherSuite {
    match suite {
        Suite::Aes128Gcm => suites::TLS13_AES_128_GCM_SHA256,
        Suite::Aes256Gcm => suites::TLS13_AES_256_GCM_SHA384,
        Suite::Chacha20 => suites::TLS13_CHACHA20_POLY1305_SHA256,
        Suite::EcdsaAes128Gcm => suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        Suite::EcdsaAes256Gcm => suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        Suite::EcdsaChacha20 => suites::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        Suite::RsaAes128Gcm => suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        Suite::RsaAes256Gcm => suites::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        Suite::RsaChacha20 => suites::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    }
}

fn group(group: Group) -> &'static dyn SupportedKxGroup {
    match group {
        Group::X25519 => groups::X25519,
        Group::Secp256r1 => groups::SECP256R1,
        Group::Secp384r1 => groups::SECP384R1,
        Group::X25519mlkem768 => groups::X25519MLKEM768,
        Group::Secp256r1mlkem768 => groups::SECP256R1MLKEM768,
    }
}

/// Signature schemes in rustls's terms.
pub(crate) fn schemes(said: &[Scheme]) -> Vec<SignatureScheme> {
    said.iter()
        .map(|scheme| match scheme {
            Scheme::EcdsaSecp256r1Sha256 => SignatureScheme::ECDSA_NISTP256_SHA256,
            Scheme::EcdsaSecp384r1Sha384 => SignatureScheme::ECDSA_NISTP384_SHA384,
            Scheme::EcdsaSecp521r1Sha512 => SignatureScheme::ECDSA_NISTP521_SHA512,
            Scheme::Ed25519 => SignatureScheme::ED25519,
            Scheme::RsaPssSha256 => SignatureScheme::RSA_PSS_SHA256,
            Scheme::RsaPssSha384 => SignatureScheme::RSA_PSS_SHA384,
            Scheme::RsaPssSha512 => SignatureScheme::RSA_PSS_SHA512,
            Scheme::RsaPkcs1Sha256 => SignatureScheme::RSA_PKCS1_SHA256,
            Scheme::RsaPkcs1Sha384 => SignatureScheme::RSA_PKCS1_SHA384,
            Scheme::RsaPkcs1Sha512 => SignatureScheme::RSA_PKCS1_SHA512,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_for_one_version_leaves_the_other_to_us() {
        let said = Negotiation {
            suites: vec![Suite::RsaAes128Gcm, Suite::EcdsaAes128Gcm],
            ..Negotiation::default()
        };
        let names: Vec<_> = provider(&said)
            .cipher_suites
            .iter()
            .map(SupportedCipherSuite::suite)
            .collect();
        assert_eq!(names.len(), 5);
        assert_eq!(
            names[0],
            suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.suite()
        );
        assert_eq!(provider(&Negotiation::default()).cipher_suites.len(), 9);
    }
}
