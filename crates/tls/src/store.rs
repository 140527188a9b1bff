//! The files of a plan, read once: certificates with their keys, authorities, revocation lists.

use std::sync::Arc;

use isthmus_plan::tls::{Certificate, PemFile, TlsFiles};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::certificate::Facts;
use crate::error::{Fault, TlsError};

/// A certificate that can be shown: its chain and key, and what it says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) certified: Arc<CertifiedKey>,
    pub(crate) facts: Facts,
}

/// What every acceptor and connector of a plan is made from.
#[derive(Debug, Default)]
pub struct Store {
    certificates: Vec<Held>,
    authorities: Vec<Vec<CertificateDer<'static>>>,
    revocations: Vec<Vec<CertificateRevocationListDer<'static>>>,
}

impl Store {
    /// Reads every file.
    ///
    /// # Errors
    /// The first file that is not what it should be.
    pub fn new(files: &TlsFiles) -> Result<Self, TlsError> {
        let certificates = files.certificates.iter().enumerate();
        let authorities = files.authorities.iter().enumerate();
        let revocations = files.revocations.iter().enumerate();
        Ok(Self {
            certificates: certificates
                .map(|(at, file)| held(file).map_err(|e| TlsError::new(Fault::Certificate(at), e)))
                .collect::<Result<_, _>>()?,
            authorities: authorities
                .map(|(at, file)| {
                    authority(file).map_err(|e| TlsError::new(Fault::Authority(at), e))
                })
                .collect::<Result<_, _>>()?,
            revocations: revocations
                .map(|(at, file)| {
                    revocation(file).map_err(|e| TlsError::new(Fault::Revocation(at), e))
                })
                .collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn certificate(&self, at: usize) -> Result<&Held, TlsError> {
        self.certificates
            .get(at)
            .ok_or_else(|| TlsError::settings(format!("the plan has no certificate {at}")))
    }

    /// The authorities of some files together.
    pub(crate) fn roots(&self, files: &[usize]) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        let known = files.iter().filter_map(|&at| self.authorities.get(at));
        roots.add_parsable_certificates(known.flatten().cloned());
        roots
    }

    /// The revocation lists of some files together.
    pub(crate) fn revoked(&self, files: &[usize]) -> Vec<CertificateRevocationListDer<'static>> {
        let known = files.iter().filter_map(|&at| self.revocations.get(at));
        known.flatten().cloned().collect()
    }
}

pub(crate) fn held(file: &Certificate) -> Result<Held, String> {
    let name = &file.name;
    let chain = certificates(file.chain.as_bytes())
        .map_err(|e| format!("certificate `{name}` cannot be read: {e}"))?;
    let first = chain
        .first()
        .ok_or_else(|| format!("`{name}` holds no certificate"))?;
    let facts = Facts::read(first).ok_or_else(|| format!("`{name}` is no X.509 certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(file.key.0.as_bytes())
        .map_err(|_| format!("`{name}` has no private key that can be read"))?;
    let provider = aws_lc_rs::default_provider();
    let mut certified = CertifiedKey::from_der(chain, key, &provider).map_err(|e| match e {
        rustls::Error::InconsistentKeys(_) => {
            format!("the private key of `{name}` is not the certificate's")
        }
        other => format!("the private key of `{name}` cannot be used: {other}"),
    })?;
    certified.ocsp = file.ocsp.as_ref().map(|bytes| bytes.as_bytes().to_vec());
    Ok(Held {
        certified: Arc::new(certified),
        facts,
    })
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())
}

pub(crate) fn authority(file: &PemFile) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = certificates(file.pem.as_bytes())
        .map_err(|e| format!("authorities `{}` cannot be read: {e}", file.name))?;
    let mut roots = RootCertStore::empty();
    let (good, _) = roots.add_parsable_certificates(found.iter().cloned());
    if good == 0 {
        return Err(format!("`{}` holds no authority's certificate", file.name));
    }
    Ok(found)
}

pub(crate) fn revocation(
    file: &PemFile,
) -> Result<Vec<CertificateRevocationListDer<'static>>, String> {
    let found: Vec<_> = CertificateRevocationListDer::pem_slice_iter(file.pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| format!("revocation list `{}` cannot be read: {e}", file.name))?;
    if found.is_empty() {
        return Err(format!("`{}` holds no revocation list", file.name));
    }
    Ok(found)
}
