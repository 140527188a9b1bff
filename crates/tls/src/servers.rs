//! Which servers are believed: `verify`, `verifyhost`, `ca-file`, `crl-file` of a server line. webpki
//! verifies the chains, names are ours.

use std::sync::Arc;

use isthmus_plan::tls::ServerTls;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use crate::certificate::Facts;
use crate::clients::allowed;
use crate::connector::NAMELESS;
use crate::error::TlsError;
use crate::negotiation::schemes;
use crate::own_lists::OwnLists;
use crate::path::{Authorities, Trust};
use crate::revocation::{for_webpki, read};
use crate::store::Store;

/// The verifier of a server's certificate: `verify`, `verifyhost`, `ca-file`, `crl-file`.
#[derive(Debug)]
pub(crate) struct OfServer {
    /// `None` believes everybody (`verify none`).
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// What looks into revocation lists that webpki does not take.
    own_lists: Option<OwnLists>,
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
        let (mut chain, mut own_lists) = (None, None);
        if said.verify {
            let revoked = store.revoked(&said.revocations);
            let taken = for_webpki(&revoked);
            let beside = taken.len() < revoked.len();
            let roots = Arc::new(store.roots(&said.authorities));
            let mut builder = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
                .with_crls(taken)
                .enforce_revocation_expiration();
            if beside {
                builder = builder.allow_unknown_revocation_status();
                let authorities = store.authorities(&said.authorities).cloned();
                let trust = Trust {
                    authorities: Authorities::new(authorities),
                    known: provider.signature_verification_algorithms,
                };
                own_lists = Some(OwnLists {
                    lists: read(&revoked),
                    trust: Arc::new(trust),
                });
            }
            chain = Some(builder.build().map_err(TlsError::settings)?);
        }
        Ok(Self {
            chain,
            own_lists,
            host: said.verify_host.clone(),
            provider: provider.clone(),
            schemes: schemes(&said.negotiation.schemes),
        })
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
        let verify = |sent: &[CertificateDer<'_>]| {
            match chain.verify_server_cert(end_entity, sent, server_name, ocsp_response, now) {
                // The chain is verified before the name, and the name is our own concern: without SNI
                // and verifyhost it does not matter, and common names count where there is no other.
                Ok(_)
                | Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )) => Ok(()),
                Err(error) => Err(error),
            }
        };
        match &self.own_lists {
            None => verify(intermediates)?,
            Some(lists) => lists.verify(end_entity, intermediates, now, verify)?,
        }
        // An address that `sni` gives is compared as a name is, though it is not sent.
        let asked = (*server_name != ServerName::from(NAMELESS)).then(|| server_name.to_str());
        if let Some(host) = asked.as_deref().or(self.host.as_deref()) {
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
        allowed(&self.schemes, dss.scheme)?;
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        allowed(&self.schemes, dss.scheme)?;
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
