//! Certificates that tokens are verified and decrypted with (`jwt` of a crt-store).

use std::collections::HashMap;

use isthmus_plan::tls::TlsFiles;

use super::Key;
use super::agreement::Agreement;
use super::rsa::Rsa;
use crate::pem::block;
use crate::tls::Certificate;

/// The certificates of a plan by name.
#[derive(Debug, Default)]
pub struct Certificates(HashMap<Box<[u8]>, Option<Pair>>);

/// A certificate's two keys.
#[derive(Debug)]
pub(crate) struct Pair {
    /// SubjectPublicKeyInfo, DER.
    pub(crate) public: Box<[u8]>,
    /// `None` for one that nothing is decrypted with: Ed25519, or RSA of an odd size.
    pub(crate) private: Option<Key>,
}

/// What is known of a name.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// A certificate that tokens may use.
    Usable(&'a Pair),
    /// A certificate without `jwt on`.
    Unavailable,
    /// No certificate.
    Unknown,
}

impl Certificates {
    /// Those of a plan. One that cannot be read was refused already.
    #[must_use]
    pub fn new(files: &TlsFiles) -> Self {
        let pairs = files.certificates.iter().map(|file| {
            let name: Box<[u8]> = file.name.as_bytes().into();
            let pair = file.jwt.then(|| {
                let public = public(file.chain.as_bytes())?;
                let private = private(file.key.0.as_bytes());
                Some(Pair { public, private })
            });
            (name, pair.flatten())
        });
        Self(pairs.collect())
    }

    /// What is known of a name.
    pub(crate) fn find(&self, name: &[u8]) -> Found<'_> {
        match self.0.get(name) {
            Some(Some(pair)) => Found::Usable(pair),
            Some(None) => Found::Unavailable,
            None => Found::Unknown,
        }
    }
}

fn public(chain: &[u8]) -> Option<Box<[u8]>> {
    let der = block(chain, "CERTIFICATE")?;
    Some(Certificate::read(&der)?.public_key().into())
}

fn private(pem: &[u8]) -> Option<Key> {
    if let Some(der) = block(pem, "RSA PRIVATE KEY") {
        return Rsa::from_pkcs1(&der).map(Key::Rsa);
    }
    let der = block(pem, "EC PRIVATE KEY").or_else(|| block(pem, "PRIVATE KEY"))?;
    let rsa = Rsa::from_pkcs8(&der).map(Key::Rsa);
    rsa.or_else(|| Agreement::from_der(&der).map(Key::Curve))
}
