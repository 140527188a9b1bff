//! What our own readers of DER make of bytes that anybody may have sent: for those who try them with bytes
//! that mean nothing (fuzz/). Nothing else needs it.

use isthmus_proto::der::Values;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::certificate::Facts;
use crate::distrust::Distrusted;
use crate::faults::Search;
use crate::ocsp;
use crate::path::{Authorities, Path};
use crate::revocation::Revoked;

/// What was legible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legible {
    /// Whether the bytes begin with a certificate.
    pub certificate: bool,
    /// Whether they begin with a list of revoked certificates.
    pub list: bool,
    /// Why they are no OCSP response to staple.
    pub response: Result<(), String>,
    /// What is wrong with a chain of the values that follow each other in them, of which the last is believed.
    pub chain: Option<Distrusted>,
}

/// Reads bytes as whatever a peer, a responder or a file may hold. `now` is in seconds since 1970.
#[must_use]
pub fn legible(bytes: &[u8], now: i64) -> Legible {
    let facts = Facts::read(bytes);
    if let Some(facts) = &facts {
        let _ = (
            facts.names().count(),
            facts.is_for("a.example"),
            facts.is_for("::1"),
        );
    }
    let serial = facts.as_ref().map(|facts| facts.serial.as_slice());
    let response = ocsp::read(bytes, serial.unwrap_or(&[1]));
    let list = Revoked::read(&CertificateRevocationListDer::from(bytes));
    let values: Vec<_> = Values(bytes)
        .map(|value| CertificateDer::from(value.whole))
        .collect();
    let believed = values.last().map(|last| last.clone().into_owned());
    let authorities = Authorities::new(believed.into_iter());
    let sent = values.get(1..).unwrap_or_default();
    let known = default_provider().signature_verification_algorithms;
    let chain = values.first().and_then(|own| {
        let path = Path::find(own, sent, &authorities, &known)?;
        let lists: Vec<Revoked> = Revoked::read(&CertificateRevocationListDer::from(bytes))
            .into_iter()
            .collect();
        let search = Search {
            lists: &lists,
            whole: false,
            known: &known,
            now,
        };
        Some(Distrusted::of(&search.faults(&path), own, sent))
    });
    Legible {
        certificate: facts.is_some(),
        list: list.is_some(),
        response: response.map(|response| {
            let _ = response.holds(now);
        }),
        chain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_alone_is_its_own_authority_and_nothing_else_is_legible() {
        let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        let found = legible(made.cert.der(), 1_700_000_000);
        assert!(found.certificate && !found.list && found.response.is_err());
        assert_eq!(found.chain.map(|chain| chain.last), Some(0));
        assert!(!legible(b"garbage", 0).certificate);
    }
}
