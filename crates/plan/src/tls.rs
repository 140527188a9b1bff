//! TLS: what `ssl` on a bind or server line comes to. Files were read by whoever made the plan, and
//! travel once in [`TlsFiles`], however many lines name them; ciphers, curves and versions are
//! already those that can be done.

use serde::{Deserialize, Serialize};

use crate::bytestring::ByteString;
use crate::expression::Expression;

/// Bytes that no log and no message may show: private keys and ticket keys.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub ByteString);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// What TLS needs beside its lines: every file, each once, to which settings refer by index, and
/// what is kept of handshakes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// Certificates with their keys.
    pub certificates: Vec<Certificate>,
    /// Files of authorities (`ca-file`, `ca-verify-file`).
    pub authorities: Vec<PemFile>,
    /// Files of revoked certificates (`crl-file`).
    pub revocations: Vec<PemFile>,
    /// `tune.ssl.capture-buffer-size`: bytes that are kept of the lists of a ClientHello.
    pub capture: usize,
    /// `tune.ssl.keylog`: whether secrets are kept.
    pub keylog: bool,
    /// `tune.ssl.hard-maxrecord`: bytes of data in a record at most; 0 is as many as TLS allows.
    pub record: usize,
    /// `tune.ssl.maxrecord`: the same at the beginning of what is sent; 0 is no other limit.
    pub first_records: usize,
    /// `jwt.decrypt_alg_list`: how keys of encrypted tokens may be; empty leaves the choice to us.
    pub token_algorithms: Vec<String>,
    /// `jwt.decrypt_enc_list`: how encrypted tokens may be; empty leaves the choice to us.
    pub token_encryptions: Vec<String>,
}

/// A certificate, the chain behind it, and its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The file's name, as messages and the runtime API show it.
    pub name: String,
    /// PEM: the certificate first, then what leads to its authority.
    pub chain: ByteString,
    /// PEM: the private key.
    pub key: Secret,
    /// An OCSP response to staple, DER.
    pub ocsp: Option<ByteString>,
    /// PEM: the authority's certificate, where the chain lacks it (`.issuer`).
    pub issuer: Option<ByteString>,
    /// Whether tokens may be verified and decrypted with it (`jwt`).
    pub jwt: bool,
}

/// A file of PEM blocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PemFile {
    /// The file's name, or `@system-ca`.
    pub name: String,
    /// What it holds.
    pub pem: ByteString,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// A cipher suite; the first three are TLS 1.3's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suite {
    /// `TLS_AES_128_GCM_SHA256`
    Aes128Gcm,
    /// `TLS_AES_256_GCM_SHA384`
    Aes256Gcm,
    /// `TLS_CHACHA20_POLY1305_SHA256`
    Chacha20,
    /// `ECDHE-ECDSA-AES128-GCM-SHA256`
    EcdsaAes128Gcm,
    /// `ECDHE-ECDSA-AES256-GCM-SHA384`
    EcdsaAes256Gcm,
    /// `ECDHE-ECDSA-CHACHA20-POLY1305`
    EcdsaChacha20,
    /// `ECDHE-RSA-AES128-GCM-SHA256`
    RsaAes128Gcm,
    /// `ECDHE-RSA-AES256-GCM-SHA384`
    RsaAes256Gcm,
    /// `ECDHE-RSA-CHACHA20-POLY1305`
    RsaChacha20,
}

/// A group for key exchange (`curves`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// `X25519`
    X25519,
    /// `P-256`
    Secp256r1,
    /// `P-384`
    Secp384r1,
    /// `X25519MLKEM768`
    X25519mlkem768,
    /// `SecP256r1MLKEM768`
    Secp256r1mlkem768,
}

/// A signature scheme (`sigalgs`, `client-sigalgs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// `ecdsa_secp256r1_sha256`
    EcdsaSecp256r1Sha256,
    /// `ecdsa_secp384r1_sha384`
    EcdsaSecp384r1Sha384,
    /// `ecdsa_secp521r1_sha512`
    EcdsaSecp521r1Sha512,
    /// `ed25519`
    Ed25519,
    /// `rsa_pss_rsae_sha256`
    RsaPssSha256,
    /// `rsa_pss_rsae_sha384`
    RsaPssSha384,
    /// `rsa_pss_rsae_sha512`
    RsaPssSha512,
    /// `rsa_pkcs1_sha256`
    RsaPkcs1Sha256,
    /// `rsa_pkcs1_sha384`
    RsaPkcs1Sha384,
    /// `rsa_pkcs1_sha512`
    RsaPkcs1Sha512,
}

/// What is negotiated. Each list is in the order of preference; an empty one leaves the choice to us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Negotiation {
    /// `ssl-min-ver` to `ssl-max-ver`.
    pub versions: Vec<TlsVersion>,
    /// `ciphersuites`, then `ciphers`.
    pub suites: Vec<Suite>,
    /// `curves`, `ecdhe`
    pub groups: Vec<Group>,
    /// `sigalgs`: what our own key may sign with, and on a server line what the server's may.
    pub schemes: Vec<Scheme>,
}

/// Whether clients show certificates (`verify` of a bind line).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientVerification {
    /// They are not asked.
    #[default]
    None,
    /// They are asked, and may have none.
    Optional,
    /// Without one there is no connection.
    Required,
}

/// Errors of verification that end no handshake: OpenSSL's numbers (`ca-ignore-err`, `crt-ignore-err`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IgnoredErrors {
    /// All of them.
    pub all: bool,
    /// These.
    pub numbers: Vec<u32>,
}

/// How clients' certificates are verified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientRules {
    /// `verify`
    pub verify: ClientVerification,
    /// `ca-file`: indexes of authorities that clients are told of.
    pub authorities: Vec<usize>,
    /// `ca-verify-file`: indexes of authorities that clients are not told of.
    pub hidden_authorities: Vec<usize>,
    /// False for `no-ca-names`: clients are told of no authority.
    pub name_authorities: bool,
    /// `crl-file`: indexes of revocations.
    pub revocations: Vec<usize>,
    /// `client-sigalgs`
    pub schemes: Vec<Scheme>,
    /// `ca-ignore-err`: in certificates of the chain.
    pub ignored_in_chain: IgnoredErrors,
    /// `crt-ignore-err`: in the client's own certificate.
    pub ignored: IgnoredErrors,
}

/// What a bind line, or a line of its crt-list, says about handshakes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindTlsSettings {
    /// Versions, ciphers, curves.
    pub negotiation: Negotiation,
    /// `prefer-client-ciphers`
    pub client_order: bool,
    /// `alpn`, in the order of preference.
    pub alpn: Vec<ByteString>,
    /// Clients' certificates.
    pub client: ClientRules,
    /// False for `no-tls-tickets`: sessions are kept here, not by clients.
    pub tickets: bool,
    /// `allow-0rtt`
    pub early_data: bool,
}

/// A certificate of a bind line, and for which names it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsEntry {
    /// Index into [`TlsFiles::certificates`].
    pub certificate: usize,
    /// Index into [`BindTls::settings`].
    pub settings: usize,
    /// SNI filters of a crt-list (`*.example.org`, `!www.example.org`); empty: the certificate's names.
    pub filters: Vec<String>,
    /// `default-crt`, or else the first certificate: shown where no name fits.
    pub default: bool,
    /// Shown only to authorities that have the name of its one filter proved by TLS-ALPN-01 (RFC 8737).
    pub challenge: bool,
}

/// `generate-certificates`: certificates made for names that no entry has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// `ca-sign-file`: index of the authority's certificate and key.
    pub authority: usize,
    /// `tune.ssl.ssl-ctx-cache-size`: how many are kept.
    pub kept: usize,
}

/// `ssl` on a bind line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindTls {
    /// Distinct settings of the entries; the first are the line's own.
    pub settings: Vec<BindTlsSettings>,
    /// Certificates in the order in which they were named.
    pub entries: Vec<TlsEntry>,
    /// `strict-sni`: no certificate for other names.
    pub strict_sni: bool,
    /// `tls-ticket-keys`: 48 or 80 bytes each, the newest last but one; empty: made here.
    pub ticket_keys: Vec<Secret>,
    /// `generate-certificates`
    pub generation: Option<Generation>,
    /// `tune.ssl.cachesize`: sessions that are kept here.
    pub sessions: usize,
    /// `tune.ssl.lifetime`, seconds.
    pub lifetime: u32,
}

/// `ssl` on a server line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// Versions, ciphers, curves.
    pub negotiation: Negotiation,
    /// `alpn`, in the order of preference.
    pub alpn: Vec<ByteString>,
    /// `verify required`
    pub verify: bool,
    /// `verifyhost`: the name that a certificate must have where no SNI is sent.
    pub verify_host: Option<String>,
    /// `ca-file`: indexes of authorities.
    pub authorities: Vec<usize>,
    /// `crl-file`: indexes of revocations.
    pub revocations: Vec<usize>,
    /// `crt`: index of our own certificate.
    pub certificate: Option<usize>,
    /// `client-sigalgs`: what our own key may sign with; empty: `sigalgs`, or all.
    pub client_schemes: Vec<Scheme>,
    /// `sni`: the name to send; without it, none is.
    pub sni: Option<Expression>,
    /// False for `no-ssl-reuse`: sessions are not resumed.
    pub reuse: bool,
    /// False for `no-tls-tickets`.
    pub tickets: bool,
    /// `allow-0rtt`
    pub early_data: bool,
}
