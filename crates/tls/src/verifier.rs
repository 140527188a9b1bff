//! Who is believed: certificates of clients and of servers. The chains are verified by webpki.

use std::sync::Arc;

use isthmus_plan::tls::{ClientRules, ClientVerification, ServerTls};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use crate::certificate::Facts;
use crate::error::TlsError;
use crate::negotiation::schemes;
use crate::store::Store;

/// The verifier of clients' certificates that a bind line asks for.
pub(crate) fn of_clients(
    said: &ClientRules,
    store: &Store,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    if said.verify == ClientVerification::None {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let files = [&said.authorities[..], &said.hidden_authorities].concat();
    let roots = Arc::new(store.roots(&files));
    let named = if said.name_authorities {
        store.roots(&said.authorities).subjects()
    } else {
        Vec::new()
    };
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
        .clear_root_hint_subjects()
        .add_root_hint_subjects(named)
        .with_crls(store.revoked(&said.revocations))
        .enforce_revocation_expiration();
    if said.verify == ClientVerification::Optional {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map_err(TlsError::settings)
}

/// The verifier of a server's certificate: `verify`, `verifyhost`, `ca-file`, `crl-file`.
#[derive(Debug)]
pub(crate) struct OfServer {
    /// `None` believes everybody (`verify none`).
    chain: Option<Arc<WebPkiServerVerifier>>,
    host: Option<String>,
    provider: Arc<CryptoProvider>,
    /// What the server may sign with; empty: all that is supported.
    schemes: Vec<SignatureScheme>,
}

impl OfServer {
    pub(crate) fn new(
        said: &ServerTls,
        store: &Store,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let chain = if said.verify {
            let roots = Arc::new(store.roots(&said.authorities));
            let builder = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
                .with_crls(store.revoked(&said.revocations))
                .enforce_revocation_expiration();
            Some(builder.build().map_err(TlsError::settings)?)
        } else {
            None
        };
        Ok(Self {
            chain,
            host: said.verify_host.clone(),
            provider: provider.clone(),
            schemes: schemes(&said.negotiation.schemes),
        })
    }

    fn allowed(&self, scheme: SignatureScheme) -> Result<(), Error> {
        if self.schemes.is_empty() || self.schemes.contains(&scheme) {
            Ok(())
        } else {
            Err(rustls::PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
        }
    }
}

impl ServerCertVerifier for OfServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The chain is verified before the name, and the name is our own concern: without SNI
            // and verifyhost it does not matter, and common names count where there is no other.
            Ok(_)
            | Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => {}
            Err(error) => return Err(error),
        }
        let sent = match server_name {
            ServerName::DnsName(name) => Some(name.as_ref()),
            _ => None,
        };
        if let Some(host) = sent.or(self.host.as_deref()) {
            let facts = Facts::read(end_entity).ok_or(CertificateError::BadEncoding)?;
            if !facts.is_for(host) {
                return Err(CertificateError::NotValidForName.into());
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.allowed(dss.scheme)?;
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.allowed(dss.scheme)?;
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let all = self
            .provider
            .signature_verification_algorithms
            .supported_schemes();
        all.into_iter()
            .filter(|scheme| self.schemes.is_empty() || self.schemes.contains(scheme))
            .collect()
    }
}
