//! Why a certificate is not believed, in OpenSSL's numbers, which configurations and logs use.

use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error};

use crate::certificate::Facts;

/// A certificate that is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distrusted {
    /// OpenSSL's number of the reason.
    pub error: u16,
    /// Which of the chain it is about, from 0 for the peer's own.
    pub depth: u8,
    /// The chain that was shown.
    pub chain: Vec<CertificateDer<'static>>,
}

impl Distrusted {
    /// What an error of verification says of a chain at a time; `None` for other errors.
    pub(crate) fn of(
        error: &Error,
        own: &CertificateDer<'_>,
        behind: &[CertificateDer<'_>],
        now: i64,
    ) -> Option<Self> {
        let Error::InvalidCertificate(error) = error else {
            return None;
        };
        let chain: Vec<_> = std::iter::once(own).chain(behind).collect();
        let (error, depth) = judge(error, &chain, now);
        Some(Self {
            error,
            depth: u8::try_from(depth).unwrap_or(u8::MAX),
            chain: chain
                .iter()
                .map(|each| CertificateDer::clone(each).into_owned())
                .collect(),
        })
    }
}

/// The number, and the place in the chain: webpki does not tell where it found the fault.
fn judge(error: &CertificateError, chain: &[&CertificateDer<'_>], now: i64) -> (u16, usize) {
    let read = |at: usize| chain.get(at).and_then(|each| Facts::read(each));
    let place = |fault: &dyn Fn(&Facts) -> bool| {
        let found = (0..chain.len()).find(|&at| read(at).is_some_and(|facts| fault(&facts)));
        found.unwrap_or(0)
    };
    let last = chain.len().saturating_sub(1);
    let ends_itself = read(last).is_some_and(|facts| facts.issuer == facts.subject);
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            (10, place(&|facts| facts.validity.1 < now))
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            (9, place(&|facts| facts.validity.0 > now))
        }
        CertificateError::UnknownIssuer if ends_itself && last == 0 => (18, 0),
        CertificateError::UnknownIssuer if ends_itself => (19, last),
        CertificateError::UnknownIssuer => (20, last),
        CertificateError::Revoked => (23, 0),
        CertificateError::UnknownRevocationStatus => (3, 0),
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => (12, 0),
        CertificateError::UnhandledCriticalExtension => (34, 0),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            (26, 0)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (62, 0)
        }
        CertificateError::BadSignature => (7, 0),
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (76, 0),
        // What webpki does not even look at, such as certificates of version 1.
        _ => match read(0) {
            Some(facts) if facts.issuer == facts.subject => (18, 0),
            Some(facts) if facts.validity.1 < now => (10, 0),
            Some(facts) if facts.validity.0 > now => (9, 0),
            _ => (1, 0),
        },
    }
}
