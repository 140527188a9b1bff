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
use crate::identity::{Digest, digest};
use crate::ocsp::{self, Response};
use crate::revocation::unusable;

/// A certificate that can be shown: its chain and key, and what it says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) name: String,
    pub(crate) certified: Arc<CertifiedKey>,
    pub(crate) facts: Facts,
    /// How long the OCSP response of `certified` holds, or why there is none.
    pub(crate) ocsp: Result<Response, String>,
    /// What tells it from what the file held before.
    pub(crate) digest: Digest,
}

/// What every acceptor and connector of a plan is made from.
#[derive(Debug, Default)]
pub struct Store {
    certificates: Vec<Held>,
    authorities: Vec<(Digest, Vec<CertificateDer<'static>>)>,
    revocations: Vec<(Digest, Vec<CertificateRevocationListDer<'static>>)>,
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
                    let found = authority(file);
                    found
                        .map(|found| (digest(&[Some(file.pem.as_bytes())]), found))
                        .map_err(|e| TlsError::new(Fault::Authority(at), e))
                })
                .collect::<Result<_, _>>()?,
            revocations: revocations
                .map(|(at, file)| {
                    let found = revocation(file);
                    found
                        .map(|found| (digest(&[Some(file.pem.as_bytes())]), found))
                        .map_err(|e| TlsError::new(Fault::Revocation(at), e))
                })
                .collect::<Result<_, _>>()?,
        })
    }

    /// The name of a certificate's file.
    pub(crate) fn name(&self, at: usize) -> &str {
        self.certificates.get(at).map_or("", |held| &held.name)
    }

    pub(crate) fn certificate(&self, at: usize) -> Result<&Held, TlsError> {
        self.certificates
            .get(at)
            .ok_or_else(|| TlsError::settings(format!("the plan has no certificate {at}")))
    }

    /// The authorities of some files together.
    pub(crate) fn roots(&self, files: &[usize]) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.authorities(files).cloned());
        roots
    }

    /// The certificates of the authorities of some files.
    pub(crate) fn authorities(
        &self,
        files: &[usize],
    ) -> impl Iterator<Item = &CertificateDer<'static>> {
        let known = files.iter().filter_map(|&at| self.authorities.get(at));
        known.flat_map(|(_, found)| found)
    }

    /// The revocation lists of some files together.
    pub(crate) fn revoked(&self, files: &[usize]) -> Vec<CertificateRevocationListDer<'static>> {
        let known = files.iter().filter_map(|&at| self.revocations.get(at));
        known.flat_map(|(_, found)| found).cloned().collect()
    }

    /// What tells the contents of a file of authorities from others.
    pub(crate) fn authority_digest(&self, at: usize) -> Digest {
        let found = self.authorities.get(at);
        found.map(|(digest, _)| *digest).unwrap_or_default()
    }

    /// What tells the contents of a file of revocation lists from others.
    pub(crate) fn revocation_digest(&self, at: usize) -> Digest {
        let found = self.revocations.get(at);
        found.map(|(digest, _)| *digest).unwrap_or_default()
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
    let key = aws_lc_rs::default_provider()
        .key_provider
        .load_private_key(key)
        .map_err(|_| {
            format!(
                "the private key of `{name}` cannot be used: it is no RSA key of 2048 to 8192 bits, \
                 no ECDSA key on P-256, P-384 or P-521, and no Ed25519 key"
            )
        })?;
    // Compared here, as webpki would not look into certificates of version 1.
    if key
        .public_key()
        .is_some_and(|public| public.as_ref() != facts.key)
    {
        return Err(format!(
            "the private key of `{name}` is not the certificate's"
        ));
    }
    let mut certified = CertifiedKey::new(chain, key);
    let ocsp = match &file.ocsp {
        None => Err(String::new()),
        Some(bytes) => ocsp::read(bytes.as_bytes(), &facts.serial),
    };
    if let (Ok(_), Some(bytes)) = (&ocsp, &file.ocsp) {
        certified.ocsp = Some(bytes.as_bytes().to_vec());
    }
    Ok(Held {
        name: name.clone(),
        certified: Arc::new(certified),
        facts,
        ocsp,
        digest: digest(&[
            Some(file.name.as_bytes()),
            Some(file.chain.as_bytes()),
            Some(file.key.0.as_bytes()),
            file.ocsp.as_ref().map(|part| part.as_bytes()),
        ]),
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
    if let Some(reason) = found.iter().find_map(unusable) {
        return Err(format!(
            "revocation list `{}` cannot be used: {reason}",
            file.name
        ));
    }
    Ok(found)
}
