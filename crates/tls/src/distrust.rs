//! Why a certificate is not believed, in OpenSSL's numbers, which rules and logs see.

use rustls::CertificateError;
use rustls::pki_types::CertificateDer;

use crate::faults::{Fault, number};

/// What was found wrong with a client's chain, whether it was ignored or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distrusted {
    /// The last error that was found (`ssl_c_verify`).
    pub last: u16,
    /// Where in the chain that was, from 0 for the client's own.
    pub last_depth: u8,
    /// The first error of the client's own certificate (`ssl_c_err`); 0 for none.
    pub own: u16,
    /// The first error behind it (`ssl_c_ca_err`); 0 for none.
    pub behind: u16,
    /// Where in the chain that was.
    pub behind_depth: u8,
    /// The chain that was shown.
    pub chain: Vec<CertificateDer<'static>>,
}

impl Distrusted {
    /// What faults say of a chain.
    pub(crate) fn of(
        faults: &[Fault],
        own: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
    ) -> Self {
        let depth = |fault: &Fault| u8::try_from(fault.depth).unwrap_or(u8::MAX);
        let behind = faults.iter().find(|fault| fault.depth > 0);
        let of_own = faults.iter().find(|fault| fault.depth == 0);
        let last = faults.last();
        let chain = std::iter::once(own).chain(sent);
        Self {
            last: last.map_or(0, |fault| fault.error),
            last_depth: last.map_or(0, depth),
            own: of_own.map_or(0, |fault| fault.error),
            behind: behind.map_or(0, |fault| fault.error),
            behind_depth: behind.map_or(0, depth),
            chain: chain.map(|each| each.clone().into_owned()).collect(),
        }
    }
}

/// The number of an error that webpki found and we did not.
pub(crate) fn error_number(error: &CertificateError) -> u16 {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => number::EXPIRED,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            number::NOT_YET_VALID
        }
        CertificateError::UnknownIssuer => number::UNKNOWN_ISSUER,
        CertificateError::Revoked => number::REVOKED,
        CertificateError::UnknownRevocationStatus => number::NO_CRL,
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => number::CRL_EXPIRED,
        CertificateError::UnhandledCriticalExtension => number::CRITICAL_EXTENSION,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            number::WRONG_PURPOSE
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            number::WRONG_NAME
        }
        CertificateError::BadSignature => number::BAD_SIGNATURE,
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            number::UNSUPPORTED_ALGORITHM
        }
        _ => number::UNSPECIFIED,
    }
}

/// The error, for the alert that a client is sent, of a fault that is not ignored.
pub(crate) fn alert(fault: u16) -> Option<CertificateError> {
    Some(match fault {
        number::EXPIRED | number::CRL_EXPIRED => CertificateError::Expired,
        number::NOT_YET_VALID => CertificateError::NotValidYet,
        number::REVOKED => CertificateError::Revoked,
        number::NO_CRL => CertificateError::UnknownRevocationStatus,
        number::SELF_SIGNED
        | number::SELF_SIGNED_IN_CHAIN
        | number::UNKNOWN_ISSUER
        | number::UNVERIFIED
        | number::NO_CRL_ISSUER
        | number::TOO_DEEP
        | number::NO_AUTHORITY => CertificateError::UnknownIssuer,
        number::BAD_SIGNATURE | number::CRL_UNVERIFIED => CertificateError::BadSignature,
        number::WRONG_PURPOSE => CertificateError::InvalidPurpose,
        _ => return None,
    })
}
