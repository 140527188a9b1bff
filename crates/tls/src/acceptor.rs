//! One bind line with `ssl`: which certificate, and which settings, a client gets.

use std::sync::Arc;

use isthmus_plan::tls::{BindTls, TlsVersion};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ServerConfig, SignatureAlgorithm, SupportedCipherSuite};

use crate::error::TlsError;
use crate::hello::Hello;
use crate::names::NameTable;
use crate::serving::Settings;
use crate::store::Store;

/// Why a client gets no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No entry is for the name, or it sent none, and the line says `strict-sni`.
    UnknownName,
}

impl Refusal {
    /// The record with the alert that tells the client: fatal `unrecognized_name` (RFC 6066 section 3).
    #[must_use]
    pub const fn alert(self) -> [u8; 7] {
        match self {
            Self::UnknownName => [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70],
        }
    }
}

#[derive(Debug)]
struct Entry {
    config: Arc<ServerConfig>,
    certified: Arc<CertifiedKey>,
    /// TLS 1.2 suites that this entry can do, where it does TLS 1.2.
    suites: Vec<CipherSuite>,
    tls13: bool,
    settings: usize,
}

impl Entry {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.certified.key.algorithm()
    }

    /// Whether a handshake with this certificate can succeed, as far as signatures go.
    fn suits(&self, hello: &Hello<'_>) -> bool {
        let offered = &hello.cipher_suites;
        let signs = || self.certified.key.choose_scheme(&hello.signature_schemes);
        let tls13 = self.tls13 && offered.iter().any(|&suite| is_tls13(suite));
        (tls13 || self.suites.iter().any(|suite| offered.contains(suite))) && signs().is_some()
    }
}

/// Whether a suite is one of TLS 1.3 (RFC 8446 appendix B.4).
fn is_tls13(suite: CipherSuite) -> bool {
    u16::from(suite) >> 8 == 0x13
}

/// The certificates of a bind line, and who is shown which.
#[derive(Debug)]
pub struct Acceptor {
    entries: Vec<Entry>,
    names: NameTable,
    defaults: Vec<usize>,
    strict: bool,
}

impl Acceptor {
    /// Makes the acceptor of a bind line from the plan's files.
    ///
    /// # Errors
    /// What the line says cannot be done, for instance verifying clients without an authority.
    pub fn new(line: &BindTls, store: &Store) -> Result<Self, TlsError> {
        let settings = line
            .settings
            .iter()
            .map(|said| Settings::new(said, line, store))
            .collect::<Result<Vec<_>, _>>()?;
        let mut made = Self {
            entries: Vec::with_capacity(line.entries.len()),
            names: NameTable::default(),
            defaults: Vec::new(),
            strict: line.strict_sni,
        };
        for (at, said) in line.entries.iter().enumerate() {
            let held = store.certificate(said.certificate)?;
            let (Some(own), Some(text)) = (
                settings.get(said.settings),
                line.settings.get(said.settings),
            ) else {
                return Err(TlsError::settings(
                    "an entry has settings that are not there",
                ));
            };
            let (config, certified) = own.with(&held.certified);
            let versions = &text.negotiation.versions;
            let does = |version| versions.is_empty() || versions.contains(&version);
            let suites = suites_for(&config, certified.key.algorithm());
            made.names.add(at, &said.filters, held.facts.names());
            if said.default {
                made.defaults.push(at);
            }
            made.entries.push(Entry {
                config: Arc::new(config),
                certified,
                suites: if does(TlsVersion::Tls12) {
                    suites
                } else {
                    Vec::new()
                },
                tls13: does(TlsVersion::Tls13),
                settings: said.settings,
            });
        }
        Ok(made)
    }

    /// Chooses the certificate and settings for a client: an entry with its name, else one with a
    /// wildcard, else the default. Where several are alike, one whose key the client can verify is
    /// chosen, ECDSA before RSA.
    ///
    /// # Errors
    /// With `strict-sni`, a client whose name no entry is for.
    pub fn choose(&self, hello: &Hello<'_>) -> Result<Arc<ServerConfig>, Refusal> {
        let found = self.named(hello.server_name);
        if found.is_empty() && self.strict {
            return Err(Refusal::UnknownName);
        }
        let candidates = if found.is_empty() {
            &self.defaults
        } else {
            &found
        };
        let entry = candidates
            .iter()
            .filter_map(|&at| self.entries.get(at))
            .min_by_key(|entry| {
                (
                    !entry.suits(hello),
                    entry.algorithm() == SignatureAlgorithm::RSA,
                )
            })
            .ok_or(Refusal::UnknownName)?;
        Ok(entry.config.clone())
    }

    /// Whether a request for `host` may come over a connection whose SNI was `sni`: false where the
    /// two lead to entries of other settings, such as other rules for clients' certificates. Such a
    /// request is answered with 421 (RFC 9110 section 15.5.20).
    #[must_use]
    pub fn serves(&self, sni: Option<&str>, host: &str) -> bool {
        let settings = |name| {
            let found = self.named(name);
            let first = found.first().or(self.defaults.first());
            first.and_then(|&at| Some(self.entries.get(at)?.settings))
        };
        settings(sni) == settings(Some(host))
    }

    fn named(&self, name: Option<&str>) -> Vec<usize> {
        name.map(|name| self.names.find(&name.to_ascii_lowercase()))
            .unwrap_or_default()
    }
}

/// The TLS 1.2 suites of a configuration that a key can be used with.
fn suites_for(config: &ServerConfig, key: SignatureAlgorithm) -> Vec<CipherSuite> {
    let suites = config.crypto_provider().cipher_suites.iter();
    suites
        .filter(|suite| matches!(suite, SupportedCipherSuite::Tls12(_)))
        .filter(|suite| suite.usable_for_signature_algorithm(key))
        .map(SupportedCipherSuite::suite)
        .collect()
}
