//! What is wrong with a client's chain, in OpenSSL's numbers and order: first where the path ends, then what
//! each certificate may be used for, then what was revoked, then signatures and dates from the top down.
//! Configurations name these numbers (`ca-ignore-err`), and rules see them (`ssl_c_err`).

use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::path::{End, Path};
use crate::revocation::Revoked;
use crate::shown::Shown;

/// OpenSSL's numbers of errors (openssl-verify(1)).
pub(crate) mod number {
    pub(crate) const UNSPECIFIED: u16 = 1;
    pub(crate) const NO_CRL: u16 = 3;
    pub(crate) const BAD_SIGNATURE: u16 = 7;
    pub(crate) const CRL_UNVERIFIED: u16 = 8;
    pub(crate) const NOT_YET_VALID: u16 = 9;
    pub(crate) const EXPIRED: u16 = 10;
    pub(crate) const CRL_NOT_YET_VALID: u16 = 11;
    pub(crate) const CRL_EXPIRED: u16 = 12;
    pub(crate) const SELF_SIGNED: u16 = 18;
    pub(crate) const SELF_SIGNED_IN_CHAIN: u16 = 19;
    pub(crate) const UNKNOWN_ISSUER: u16 = 20;
    pub(crate) const UNVERIFIED: u16 = 21;
    pub(crate) const REVOKED: u16 = 23;
    pub(crate) const TOO_DEEP: u16 = 25;
    pub(crate) const WRONG_PURPOSE: u16 = 26;
    pub(crate) const NO_CRL_ISSUER: u16 = 33;
    pub(crate) const CRITICAL_EXTENSION: u16 = 34;
    pub(crate) const NO_CRL_SIGN: u16 = 35;
    pub(crate) const WRONG_NAME: u16 = 62;
    pub(crate) const UNSUPPORTED_ALGORITHM: u16 = 76;
    pub(crate) const NO_AUTHORITY: u16 = 79;
}

/// What lists can be the reason of.
pub(crate) const OF_LISTS: [u16; 7] = [
    number::NO_CRL,
    number::CRL_UNVERIFIED,
    number::CRL_NOT_YET_VALID,
    number::CRL_EXPIRED,
    number::REVOKED,
    number::NO_CRL_ISSUER,
    number::NO_CRL_SIGN,
];

/// A fault, and which certificate of the path has it, from 0 for the client's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) error: u16,
    pub(crate) depth: usize,
}

/// Finds faults.
pub(crate) struct Search<'s> {
    /// What was revoked; nothing is, where there are no lists.
    pub(crate) lists: &'s [Revoked],
    /// Whether a list has to speak of all that its authority issued. One that does not can revoke then, but
    /// clears nobody.
    pub(crate) whole: bool,
    pub(crate) known: &'s WebPkiSupportedAlgorithms,
    /// The second that dates are compared with.
    pub(crate) now: i64,
}

impl Search<'_> {
    /// All faults of a path.
    pub(crate) fn faults(&self, path: &Path<'_>) -> Vec<Fault> {
        let mut found = Vec::new();
        let last = path.steps.len().saturating_sub(1);
        match (path.end, last) {
            (End::Authority, _) => {}
            (End::Itself, 0) => found.push((number::SELF_SIGNED, 0)),
            (End::Itself, _) => found.push((number::SELF_SIGNED_IN_CHAIN, last)),
            (End::Nowhere, _) => found.push((number::UNKNOWN_ISSUER, last)),
        }
        // An authority that is believed is so whatever it says (RFC 5280 section 6.1.1).
        let judged = match path.end {
            End::Authority if last > 0 => path.steps.get(..last),
            _ => path.steps.get(..),
        };
        let judged = judged.unwrap_or_default();
        uses(judged, &mut found);
        if !self.lists.is_empty() {
            // An authority at the very top may be on its own list.
            let listed = match path.steps.last() {
                Some(top) if top.is_its_own() => path.steps.as_slice(),
                _ => judged,
            };
            self.revocations(path, listed, &mut found);
        }
        self.signatures(path, judged.len(), &mut found);
        let fault = |(error, depth)| Fault { error, depth };
        found.into_iter().map(fault).collect()
    }

    /// Adds what lists say of the first steps of a path.
    fn revocations(&self, path: &Path<'_>, listed: &[Shown<'_>], found: &mut Vec<(u16, usize)>) {
        for (depth, step) in listed.iter().enumerate() {
            let of_issuer = || {
                let lists = self.lists.iter();
                lists.filter(|list| list.issuer == step.facts.issuer)
            };
            let unclear = |list: &&Revoked| self.whole && list.partial;
            let in_part = of_issuer()
                .filter(unclear)
                .any(|list| list.holds(&step.facts));
            let counting = of_issuer().filter(|list| !unclear(list));
            let Some(list) = Revoked::latest(counting, self.now) else {
                found.push((number::NO_CRL, depth));
                if in_part {
                    found.push((number::REVOKED, depth));
                }
                continue;
            };
            let itself = step.is_its_own().then_some(step);
            let by = path.steps.get(depth + 1).or(itself);
            // The last one's issuer, whose list it would be, is not known.
            if path.end == End::Nowhere && depth + 1 == listed.len() {
                found.push((number::NO_CRL_ISSUER, depth));
                found.push((number::CRL_UNVERIFIED, depth));
            }
            if by.is_some_and(|by| !by.signs_lists) {
                found.push((number::NO_CRL_SIGN, depth));
            }
            if list.since > self.now {
                found.push((number::CRL_NOT_YET_VALID, depth));
            } else if list.until < self.now {
                found.push((number::CRL_EXPIRED, depth));
            }
            if by.is_some_and(|by| !list.is_signed_by(by, self.known)) {
                found.push((number::CRL_UNVERIFIED, depth));
            }
            if in_part || list.holds(&step.facts) {
                found.push((number::REVOKED, depth));
            }
        }
    }

    fn signatures(&self, path: &Path<'_>, judged: usize, found: &mut Vec<(u16, usize)>) {
        let steps = &path.steps;
        if path.end == End::Nowhere && steps.len() == 1 {
            found.push((number::UNVERIFIED, 0));
        }
        for (depth, step) in steps.iter().enumerate().rev() {
            match steps.get(depth + 1) {
                Some(by) if !step.is_signed_by(by, self.known) => {
                    found.push((number::BAD_SIGNATURE, depth));
                }
                // Who stands above everybody and has no issuer is not looked at.
                None if path.end == End::Nowhere && depth > 0 => continue,
                _ => {}
            }
            if depth >= judged {
                continue;
            }
            if step.facts.validity.0 > self.now {
                found.push((number::NOT_YET_VALID, depth));
            } else if step.facts.validity.1 < self.now {
                found.push((number::EXPIRED, depth));
            }
        }
    }
}

/// What certificates may be used for.
fn uses(judged: &[Shown<'_>], found: &mut Vec<(u16, usize)>) {
    // Authorities that are their own issuers do not make a path longer (RFC 5280 section 6.1.4).
    let mut below = 0;
    for (depth, step) in judged.iter().enumerate() {
        if depth > 0 && !step.is_authority {
            found.push((number::NO_AUTHORITY, depth));
        }
        if !step.for_clients || depth > 0 && !step.is_authority {
            found.push((number::WRONG_PURPOSE, depth));
        }
        if depth > 0 && step.length.is_some_and(|length| below > length) {
            found.push((number::TOO_DEEP, depth));
        }
        if depth > 0 && !step.is_its_own() {
            below += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
        CrlIssuingDistributionPoint, CrlScope, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
        RevokedCertParams, SerialNumber, date_time_ymd,
    };
    use rustls::crypto::aws_lc_rs::default_provider;
    use rustls::pki_types::CertificateDer;

    use super::*;
    use crate::path::Authorities;

    fn named(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    struct Authority {
        certificate: CertificateDer<'static>,
        issuer: Issuer<'static, KeyPair>,
    }

    fn authority() -> Authority {
        let (mut params, key) = (named("x"), KeyPair::generate().unwrap());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority {
            certificate: params.self_signed(&key).unwrap().der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    impl Authority {
        fn client(&self, serial: u64) -> CertificateDer<'static> {
            let mut params = named("client");
            params.serial_number = Some(SerialNumber::from(serial));
            let key = KeyPair::generate().unwrap();
            params.signed_by(&key, &self.issuer).unwrap().der().clone()
        }

        /// A list of all that it issued, or of clients and servers alone.
        fn list(&self, serial: u64, partial: bool) -> Revoked {
            let only = CrlIssuingDistributionPoint {
                distribution_point: CrlDistributionPoint {
                    uris: vec!["http://a.example/".to_owned()],
                },
                scope: Some(CrlScope::UserCertsOnly),
            };
            let list = CertificateRevocationListParams {
                this_update: date_time_ymd(2020, 1, 1),
                next_update: date_time_ymd(2040, 1, 1),
                crl_number: SerialNumber::from(1),
                issuing_distribution_point: partial.then_some(only),
                revoked_certs: vec![RevokedCertParams {
                    serial_number: SerialNumber::from(serial),
                    revocation_time: date_time_ymd(2020, 1, 1),
                    reason_code: None,
                    invalidity_date: None,
                }],
                key_identifier_method: KeyIdMethod::Sha256,
            };
            Revoked::read(list.signed_by(&self.issuer).unwrap().der()).unwrap()
        }
    }

    #[test]
    fn a_list_for_a_part_revokes_and_clears_nobody_where_lists_have_to_be_whole() {
        let known = default_provider().signature_verification_algorithms;
        let of = authority();
        let authorities = Authorities::new(std::iter::once(of.certificate.clone()));
        let (partial, whole) = (|| of.list(5, true), || of.list(6, false));
        assert!(partial().partial && !whole().partial);
        let (missing, revoked) = (number::NO_CRL, number::REVOKED);
        for (lists, serial, expected) in [
            (vec![partial()], 5, &[missing, revoked][..]),
            (vec![partial()], 7, &[missing]),
            (vec![partial(), whole()], 5, &[revoked]),
            (vec![partial(), whole()], 6, &[revoked]),
            (vec![partial(), whole()], 7, &[]),
            (vec![whole()], 5, &[]),
        ] {
            let client = of.client(serial);
            let path = Path::find(&client, &[], &authorities, &known).unwrap();
            let search = Search {
                lists: &lists,
                whole: true,
                known: &known,
                now: 1_700_000_000,
            };
            let found = search.faults(&path).into_iter();
            let found: Vec<u16> = found
                .filter(|fault| fault.depth == 0)
                .map(|f| f.error)
                .collect();
            assert_eq!(found, expected, "{serial} {lists:?}");
        }
    }

    #[test]
    fn a_list_is_hashed_once_for_the_key_that_signed_it() {
        let known = default_provider().signature_verification_algorithms;
        let (of, other) = (authority(), authority());
        let signed_by = |list: &Revoked, by: &Authority| {
            list.is_signed_by(&Shown::read(&by.certificate).unwrap(), &known)
        };
        let mut list = of.list(5, false);
        for _ in 0..2 {
            assert!(!signed_by(&list, &other));
            assert!(signed_by(&list, &of));
        }
        list.forget_body();
        assert!(signed_by(&list, &of) && !signed_by(&list, &other));
        let mut fresh = of.list(5, false);
        fresh.forget_body();
        assert!(!signed_by(&fresh, &of));
    }
}
