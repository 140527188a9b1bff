//! Settings of a bind line in rustls's terms: everything of a `ServerConfig` but the certificate.

use std::sync::Arc;

use isthmus_plan::tls::{BindTls, BindTlsSettings};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{ServerConfig, SignatureAlgorithm, SignatureScheme};

use crate::clients;
use crate::error::TlsError;
use crate::identity::{Policy, demands};
use crate::negotiation::{provider, schemes, versions};
use crate::path::Trust;
use crate::sessions::{Cache, Serves, Tickets};
use crate::store::Store;
use crate::watch::Secrets;

/// Bytes of early data that are taken before the handshake is over: a record, as OpenSSL does.
const EARLY_DATA: u32 = 16 * 1024;

/// What all entries with the same settings share, sessions included.
#[derive(Debug)]
pub(crate) struct Settings {
    config: ServerConfig,
    schemes: Vec<SignatureScheme>,
    policy: Policy,
    /// Whom clients' certificates are of; `None` where nobody is asked for one.
    pub(crate) trust: Option<Arc<Trust>>,
}

impl Settings {
    /// Makes the settings of a line. Those of the line `before` that mean the same hand on their sessions
    /// and ticket keys.
    pub(crate) fn new(
        said: &BindTlsSettings,
        line: &BindTls,
        store: &Store,
        before: &[Arc<Self>],
    ) -> Result<Self, TlsError> {
        let provider = provider(&said.negotiation);
        let trust = clients::trust(&said.client, store, &provider);
        let verifier = clients::verifier(&said.client, store, &provider, trust.as_ref())?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions(&said.negotiation))
            .map_err(TlsError::settings)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(Nothing));
        config.ignore_client_order = !said.client_order;
        config.alpn_protocols = said.alpn.iter().map(|name| name.0.clone()).collect();
        config.key_log = Arc::new(Secrets);
        let serves = match said.early_data {
            true => Serves::Once,
            false => Serves::Always,
        };
        config.session_storage = Arc::new(Cache::new(line.sessions, line.lifetime, serves));
        if clients::ignores(&said.client) {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        } else if said.early_data {
            // Early data can be replayed; rustls takes it of sessions kept here alone, each once
            // (RFC 8446 section 8.1), so there are no tickets.
            config.max_early_data_size = EARLY_DATA;
            // What came early may be answered before the handshake is over.
            config.send_half_rtt_data = true;
        } else if said.tickets {
            config.ticketer = Arc::new(Tickets::new(
                &line.ticket_keys,
                line.lifetime,
                demands(&said.client, store),
            )?);
        }
        let policy = Policy::new(said, line, store);
        if let Some(known) = before.iter().find(|known| known.policy == policy) {
            config.session_storage = known.config.session_storage.clone();
            config.ticketer = known.config.ticketer.clone();
        }
        let schemes = schemes(&said.negotiation.schemes);
        Ok(Self {
            config,
            schemes,
            policy,
            trust,
        })
    }

    /// The configuration with which a certificate is shown.
    pub(crate) fn with(&self, certified: &Arc<CertifiedKey>) -> (ServerConfig, Arc<CertifiedKey>) {
        let certified = if self.schemes.is_empty() {
            certified.clone()
        } else {
            let mut restricted = CertifiedKey::clone(certified);
            restricted.key = Arc::new(Restricted {
                key: certified.key.clone(),
                schemes: self.schemes.clone(),
            });
            Arc::new(restricted)
        };
        let mut config = self.config.clone();
        config.cert_resolver = Arc::new(SingleCertAndKey::from(certified.clone()));
        (config, certified)
    }
}

/// Stands where the certificate is not known yet.
#[derive(Debug)]
struct Nothing;

impl ResolvesServerCert for Nothing {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// A key that signs with some schemes only (`sigalgs`), in our order of preference.
#[derive(Debug)]
pub(crate) struct Restricted {
    pub(crate) key: Arc<dyn SigningKey>,
    pub(crate) schemes: Vec<SignatureScheme>,
}

impl SigningKey for Restricted {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let common = self.schemes.iter().filter(|each| offered.contains(each));
        common
            .copied()
            .find_map(|scheme| self.key.choose_scheme(&[scheme]))
    }

    fn public_key(&self) -> Option<rustls::pki_types::SubjectPublicKeyInfoDer<'_>> {
        self.key.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}
