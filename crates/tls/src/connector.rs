//! One server line with `ssl`: what it is offered, and whether it is believed.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use isthmus_plan::tls::ServerTls;
use rustls::ClientConfig;
use rustls::client::{ResolvesClientCert, Resumption, Tls12Resumption};
use rustls::pki_types::ServerName;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::error::TlsError;
use crate::identity::Identity;
use crate::negotiation::{provider, schemes, versions};
use crate::servers::OfServer;
use crate::serving::Restricted;
use crate::store::Store;
use crate::watch::Secrets;

/// Names for which sessions of one server are kept, each with a few.
const NAMES_KEPT: usize = 256;

/// What stands for the name where there is none: an address that no server has (RFC 1122 section
/// 3.2.1.3), so that a name that is an address cannot be taken for it.
pub(crate) const NAMELESS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// How connections to a server are encrypted.
#[derive(Debug)]
pub struct Connector {
    config: Arc<ClientConfig>,
    identity: Identity<ServerTls>,
    /// The same for connections that must not speak HTTP/2.
    only_http1: Option<Arc<ClientConfig>>,
    /// The same, for connections whose first data may be sent early (`allow-0rtt`).
    early: Option<Arc<ClientConfig>>,
}

impl Connector {
    /// Makes the connector of a server line from the plan's files.
    ///
    /// # Errors
    /// What the line says cannot be done, for instance verifying without an authority.
    pub fn new(line: &ServerTls, store: &Store) -> Result<Self, TlsError> {
        let provider = provider(&line.negotiation);
        let verifier = OfServer::new(line, store, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions(&line.negotiation))
            .map_err(TlsError::settings)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match line.certificate {
            None => builder.with_no_client_auth(),
            Some(at) => builder.with_client_cert_resolver(own(line, store, at)?),
        };
        config.alpn_protocols = line.alpn.iter().map(|name| name.0.clone()).collect();
        config.key_log = Arc::new(Secrets);
        config.resumption = resumption(line);
        let only_http1 = line.alpn.iter().any(|name| name.0 == b"h2").then(|| {
            let mut config = config.clone();
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            // A session of HTTP/2's must not be resumed for HTTP/1.
            config.resumption = resumption(line);
            Arc::new(config)
        });
        let mut early = config.clone();
        early.enable_early_data = true;
        Ok(Self {
            config: Arc::new(config),
            identity: Identity::of_server(line, store),
            only_http1,
            early: may_be_early(line).then(|| Arc::new(early)),
        })
    }

    /// Makes the connector of a server line that had another one before, which stays, with its sessions,
    /// where line and files mean the same.
    ///
    /// # Errors
    /// As of [`Connector::new`].
    pub fn renewed(
        line: &ServerTls,
        store: &Store,
        before: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, TlsError> {
        match before {
            Some(before) if before.identity == Identity::of_server(line, store) => {
                Ok(before.clone())
            }
            _ => Self::new(line, store).map(Arc::new),
        }
    }

    /// The configuration for a connection.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        self.config.clone()
    }

    /// The configuration for a connection that must not speak HTTP/2.
    #[must_use]
    pub fn http1_config(&self) -> Arc<ClientConfig> {
        self.only_http1.as_ref().unwrap_or(&self.config).clone()
    }

    /// The configuration for a connection whose first data may be sent early, where the line allows it.
    #[must_use]
    pub fn early_config(&self) -> Option<Arc<ClientConfig>> {
        self.early.clone()
    }

    /// The name under which a connection is made, which its sessions are kept by too: that of `sni`,
    /// an address that no server has without one. An address is not sent (RFC 6066 section 3), but compared.
    ///
    /// # Errors
    /// The name is none that a host can have; it is known only once the `sni` expression was evaluated.
    pub fn server_name(&self, sni: Option<&str>) -> Result<ServerName<'static>, TlsError> {
        let Some(name) = sni.filter(|name| !name.is_empty()) else {
            return Ok(ServerName::from(NAMELESS));
        };
        let refused = || TlsError::settings(format!("`{name}` cannot be sent as SNI"));
        match ServerName::try_from(name.to_owned()) {
            Ok(known) if known != ServerName::from(NAMELESS) => Ok(known),
            _ => Err(refused()),
        }
    }
}

/// Whether data may be sent early: what is sent depends on the protocol, which is not known yet
/// where there is a choice.
fn may_be_early(line: &ServerTls) -> bool {
    line.early_data && line.alpn.iter().all(|name| name.0 == b"http/1.1")
}

fn own(
    line: &ServerTls,
    store: &Store,
    at: usize,
) -> Result<Arc<dyn ResolvesClientCert>, TlsError> {
    let held = store.certificate(at)?;
    let said = if line.client_schemes.is_empty() {
        &line.negotiation.schemes
    } else {
        &line.client_schemes
    };
    let mut certified = CertifiedKey::clone(&held.certified);
    if !said.is_empty() {
        certified.key = Arc::new(Restricted {
            key: certified.key,
            schemes: schemes(said),
        });
    }
    Ok(Arc::new(SingleCertAndKey::from(certified)))
}

fn resumption(line: &ServerTls) -> Resumption {
    if !line.reuse {
        return Resumption::disabled();
    }
    let kept = Resumption::in_memory_sessions(NAMES_KEPT);
    if line.tickets {
        kept
    } else {
        kept.tls12_resumption(Tls12Resumption::SessionIdOnly)
    }
}
