//! One bind line with `ssl`: which certificate, and which settings, a client gets.

use std::sync::Arc;

use isthmus_plan::explain::Found;
use isthmus_plan::tls::{BindTls, TlsEntry, TlsVersion};
use rustls::pki_types::UnixTime;
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ServerConfig, SignatureAlgorithm, SupportedCipherSuite};

use crate::error::TlsError;
use crate::generation::Generator;
use crate::hello::Hello;
use crate::identity::Identity;
use crate::names::NameTable;
use crate::ocsp::Response;
use crate::path::Trust;
use crate::serving::Settings;
use crate::store::{Held, Store};

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
    /// What to use while the OCSP response holds.
    stapling: Stapling,
    certified: Arc<CertifiedKey>,
    /// TLS 1.2 suites that this entry can do, where it does TLS 1.2.
    suites: Vec<CipherSuite>,
    tls13: bool,
    /// The settings with the first of the line's rules that are alike, so that equal ones are equal.
    rules: usize,
    /// The name of the certificate's file.
    name: Box<str>,
    trust: Option<Arc<Trust>>,
}

impl Entry {
    /// The configuration of this moment.
    fn config(&self) -> Arc<ServerConfig> {
        let stapled = self.stapling.as_ref().filter(|(response, _)| {
            let now = UnixTime::now().as_secs();
            i64::try_from(now).is_ok_and(|now| response.holds(now))
        });
        stapled.map_or(&self.config, |(_, config)| config).clone()
    }

    /// Whether a configuration is its own.
    fn has(&self, config: &Arc<ServerConfig>) -> bool {
        let stapling = self.stapling.as_ref().map(|(_, config)| config);
        Arc::ptr_eq(&self.config, config) || stapling.is_some_and(|own| Arc::ptr_eq(own, config))
    }

    /// Whether a handshake with a client is possible.
    fn suits(&self, hello: &Hello<'_>) -> bool {
        !self.rank(hello).0
    }

    /// How badly a certificate suits a client, the least being best: no handshake is possible; none
    /// with TLS 1.2, which may be all that the client has, as a hello does not tell us versions; RSA.
    fn rank(&self, hello: &Hello<'_>) -> (bool, bool, bool) {
        let offered = &hello.cipher_suites;
        let signs = self.certified.key.choose_scheme(&hello.signature_schemes);
        let tls12 = self.suites.iter().any(|suite| offered.contains(suite));
        let tls13 = self.tls13 && offered.iter().any(|&suite| is_tls13(suite));
        let possible = signs.is_some() && (tls12 || tls13);
        let rsa = self.certified.key.algorithm() == SignatureAlgorithm::RSA;
        (!possible, !self.suites.is_empty() && !tls12, rsa)
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
    /// All entries have the same rules for clients' certificates.
    uniform: bool,
    generator: Option<Generator>,
    /// What proves names to authorities, by these names.
    challenges: Vec<(String, Arc<ServerConfig>)>,
    settings: Vec<Arc<Settings>>,
    identity: Identity<BindTls>,
}

impl Acceptor {
    /// Makes the acceptor of a bind line from the plan's files.
    ///
    /// # Errors
    /// What the line says cannot be done, for instance verifying clients without an authority.
    pub fn new(line: &BindTls, store: &Store) -> Result<Self, TlsError> {
        Self::made(line, store, None, Identity::of_bind(line, store))
    }

    /// Makes the acceptor of a bind line that had another one before, which stays where line and files
    /// mean the same. Sessions and ticket keys stay with settings that mean the same, whatever the
    /// certificates.
    ///
    /// # Errors
    /// As of [`Acceptor::new`].
    pub fn renewed(
        line: &BindTls,
        store: &Store,
        before: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, TlsError> {
        let identity = Identity::of_bind(line, store);
        match before {
            Some(before) if before.identity == identity => Ok(before.clone()),
            _ => Self::made(line, store, before.map(|a| &**a), identity).map(Arc::new),
        }
    }

    fn made(
        line: &BindTls,
        store: &Store,
        before: Option<&Self>,
        identity: Identity<BindTls>,
    ) -> Result<Self, TlsError> {
        let known = before.map_or(&[][..], |before| &before.settings);
        let settings = line
            .settings
            .iter()
            .map(|said| Settings::new(said, line, store, known).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let mut made = Self {
            entries: Vec::with_capacity(line.entries.len()),
            names: NameTable::default(),
            defaults: Vec::new(),
            strict: line.strict_sni,
            uniform: true,
            generator: generator(line, settings.first(), store)?,
            challenges: Vec::new(),
            settings,
            identity,
        };
        for said in &line.entries {
            made.add(said, line, store)?;
        }
        let mut rules = made.entries.iter().map(|entry| entry.rules);
        let first = rules.next();
        made.uniform = rules.all(|each| Some(each) == first);
        Ok(made)
    }

    fn add(&mut self, said: &TlsEntry, line: &BindTls, store: &Store) -> Result<(), TlsError> {
        let held = store.certificate(said.certificate)?;
        let (Some(own), Some(text)) = (
            self.settings.get(said.settings).cloned(),
            line.settings.get(said.settings),
        ) else {
            return Err(TlsError::settings(
                "an entry has settings that are not there",
            ));
        };
        if said.challenge {
            let config = Arc::new(own.with(&held.certified).0);
            let names = said.filters.iter().map(|name| name.to_ascii_lowercase());
            self.challenges
                .extend(names.map(|name| (name, config.clone())));
            return Ok(());
        }
        let at = self.entries.len();
        let versions = &text.negotiation.versions;
        let does = |version| versions.is_empty() || versions.contains(&version);
        let (config, stapling, certified) = configured(&own, held);
        let suites = suites_for(&config, certified.key.algorithm());
        self.names.add(at, &said.filters, held.facts.names());
        if said.default {
            self.defaults.push(at);
        }
        self.entries.push(Entry {
            config,
            stapling,
            certified,
            suites: if does(TlsVersion::Tls12) {
                suites
            } else {
                Vec::new()
            },
            tls13: does(TlsVersion::Tls13),
            rules: same_rules(line, said.settings),
            name: store.name(said.certificate).into(),
            trust: own.trust.clone(),
        });
        Ok(())
    }

    /// Chooses the certificate and settings for a client: an entry with its name, else (or where the
    /// client can verify none of them) one with a wildcard, else the default. Where several are alike, one whose key the client can verify is
    /// chosen, ECDSA before RSA.
    ///
    /// # Errors
    /// With `strict-sni`, a client whose name no entry is for.
    pub fn choose(&self, hello: &Hello<'_>) -> Result<Arc<ServerConfig>, Refusal> {
        if let Some(config) = self.proof(hello) {
            return Ok(config);
        }
        let found = self.named(hello.server_name);
        if found.is_empty()
            && let (Some(generator), Some(name)) = (&self.generator, hello.server_name)
            && let Some(config) = generator.config(&name.to_ascii_lowercase())
        {
            return Ok(config);
        }
        if found.is_empty() && self.strict {
            return Err(Refusal::UnknownName);
        }
        let candidates = if found.is_empty() {
            &self.defaults
        } else {
            &found
        };
        let best = self.best(candidates, hello).ok_or(Refusal::UnknownName)?;
        let entry = match best.suits(hello) {
            true => best,
            false => self.wildcard_instead(best, hello).unwrap_or(best),
        };
        Ok(entry.config())
    }

    fn best(&self, candidates: &[usize], hello: &Hello<'_>) -> Option<&Entry> {
        let known = candidates.iter().filter_map(|&at| self.entries.get(at));
        known.min_by_key(|entry| entry.rank(hello))
    }

    /// The entry with a wildcard that a client can verify, where it can verify none of those with its
    /// name; it must not demand anything else of clients.
    fn wildcard_instead(&self, named: &Entry, hello: &Hello<'_>) -> Option<&Entry> {
        let host = hello.server_name?.to_ascii_lowercase();
        let found = self.best(&self.names.wildcards(&host), hello)?;
        (found.rules == named.rules && found.suits(hello)).then_some(found)
    }

    /// Whether all entries have the same rules for clients' certificates, so that it does not matter
    /// under which name a client came.
    #[must_use]
    pub fn is_uniform(&self) -> bool {
        self.uniform
    }

    /// Whether a request for `host` may come over a connection whose SNI was `sni`: false where the
    /// two lead to entries with other rules for clients' certificates, or the host to none that is
    /// served (`strict-sni`). Such a request is answered with 421 (RFC 9110 section 15.5.20).
    #[must_use]
    pub fn serves(&self, sni: Option<&str>, host: &str) -> bool {
        let rules = |name| {
            let found = self.named(name);
            let first = found.first().or(self.defaults.first());
            first.and_then(|&at| Some(self.entries.get(at)?.rules))
        };
        rules(sni) == rules(Some(host))
    }

    /// The certificate that goes with a configuration that [`Acceptor::choose`] gave, and its
    /// file's name.
    #[must_use]
    pub fn shown(&self, config: &Arc<ServerConfig>) -> Option<(&[u8], &str)> {
        let entry = self.entries.iter().find(|entry| entry.has(config))?;
        Some((entry.certified.cert.first()?, &entry.name))
    }

    /// Whom a configuration that [`Acceptor::choose`] gave believes, where it asks clients for certificates.
    #[must_use]
    pub fn trust(&self, config: &Arc<ServerConfig>) -> Option<Arc<Trust>> {
        let entry = self.entries.iter().find(|entry| entry.has(config));
        match entry {
            Some(entry) => entry.trust.clone(),
            None => self.settings.first()?.trust.clone(),
        }
    }

    /// How a client that asks for a name would be answered, and the files' names of the certificates
    /// of which one would be shown.
    #[must_use]
    pub fn candidates(&self, name: Option<&str>) -> (Found, Vec<&str>) {
        let named = self.named(name);
        let (found, entries) = match named.is_empty() {
            false => (Found::Named, &named),
            true if self.generator.is_some() && name.is_some() => return (Found::Made, Vec::new()),
            true if self.strict => return (Found::Refused, Vec::new()),
            true => (Found::Default, &self.defaults),
        };
        let entries = entries.iter().filter_map(|&at| self.entries.get(at));
        (found, entries.map(|entry| &*entry.name).collect())
    }

    /// What an authority is shown that has a name proved.
    fn proof(&self, hello: &Hello<'_>) -> Option<Arc<ServerConfig>> {
        if self.challenges.is_empty() || !hello.challenge {
            return None;
        }
        let name = hello.server_name?.to_ascii_lowercase();
        let found = self.challenges.iter().find(|(known, _)| *known == name);
        found.map(|(_, config)| config.clone())
    }

    fn named(&self, name: Option<&str>) -> Vec<usize> {
        name.map(|name| self.names.find(&name.to_ascii_lowercase()))
            .unwrap_or_default()
    }
}

/// The first settings of a line with the same rules for clients' certificates.
fn same_rules(line: &BindTls, settings: usize) -> usize {
    let rules = line.settings.get(settings).map(|said| &said.client);
    let first = line
        .settings
        .iter()
        .position(|said| Some(&said.client) == rules);
    first.unwrap_or(settings)
}

type Stapling = Option<(Response, Arc<ServerConfig>)>;

/// The configuration that shows a certificate, the one that staples too, and the certificate.
fn configured(
    settings: &Settings,
    held: &Held,
) -> (Arc<ServerConfig>, Stapling, Arc<CertifiedKey>) {
    let Ok(response) = &held.ocsp else {
        let (config, certified) = settings.with(&held.certified);
        return (Arc::new(config), None, certified);
    };
    let stapling = Arc::new(settings.with(&held.certified).0);
    let mut bare = CertifiedKey::clone(&held.certified);
    bare.ocsp = None;
    let (config, certified) = settings.with(&Arc::new(bare));
    (
        Arc::new(config),
        Some((response.clone(), stapling)),
        certified,
    )
}

/// What makes certificates for names without one, with the line's own settings.
fn generator(
    line: &BindTls,
    settings: Option<&Arc<Settings>>,
    store: &Store,
) -> Result<Option<Generator>, TlsError> {
    let (Some(said), Some(settings)) = (&line.generation, settings) else {
        return Ok(None);
    };
    let authority = store.certificate(said.authority)?;
    Generator::new(authority, settings.clone(), said.kept).map(Some)
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
