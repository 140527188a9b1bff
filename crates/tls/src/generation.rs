//! Certificates made while clients ask for them (`generate-certificates`): X.509 of version 3 for
//! one name, signed by an authority of ours (RFC 5280).

use std::collections::VecDeque;
use std::sync::Arc;

use ahash::AHashMap;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use parking_lot::Mutex;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{ServerConfig, SignatureScheme};

use crate::error::TlsError;
use crate::serving::Settings;
use crate::store::Held;
use isthmus_proto::der::{tag, write};

/// Seconds for which a certificate is valid before it was made: clocks differ.
const BEFORE: u64 = 24 * 3600;
/// Seconds for which it is valid afterwards; browsers take 398 days at the most.
const AFTER: u64 = 90 * 24 * 3600;
/// The longest name that fits the attribute `commonName` (RFC 5280 appendix A.1).
const LONGEST_COMMON_NAME: usize = 64;

/// `ecdsa-with-SHA256` and its kin, `sha256WithRSAEncryption`, `id-Ed25519`, as algorithm identifiers.
const ALGORITHMS: &[(SignatureScheme, &[u8])] = &[
    (
        SignatureScheme::ECDSA_NISTP256_SHA256,
        &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
    ),
    (
        SignatureScheme::ECDSA_NISTP384_SHA384,
        &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3],
    ),
    (
        SignatureScheme::ECDSA_NISTP521_SHA512,
        &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4],
    ),
    (
        SignatureScheme::RSA_PKCS1_SHA256,
        &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0],
    ),
    (SignatureScheme::ED25519, &[0x06, 3, 0x2b, 0x65, 0x70]),
];
const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 4, 3];
const ALTERNATIVE_NAMES: &[u8] = &[0x06, 3, 0x55, 0x1d, 0x11];
/// What extension `subjectAltName` marks host names with.
const DNS_NAME: u8 = 0x82;

#[derive(Default)]
struct Kept {
    made: AHashMap<Box<str>, Arc<ServerConfig>>,
    order: VecDeque<Box<str>>,
}

/// Makes certificates for names, and keeps the last ones.
pub(crate) struct Generator {
    authority: Held,
    key: Arc<dyn SigningKey>,
    settings: Arc<Settings>,
    most: usize,
    kept: Mutex<Kept>,
}

impl std::fmt::Debug for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Generator({})", self.most)
    }
}

impl Generator {
    /// Makes a key for all certificates, which an authority signs.
    pub(crate) fn new(
        authority: &Held,
        settings: Arc<Settings>,
        most: usize,
    ) -> Result<Self, TlsError> {
        let failed = |_| TlsError::settings("no key can be made for generated certificates");
        let random = aws_lc_rs::rand::SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
            .map_err(failed)?;
        let key = PrivatePkcs8KeyDer::from(key.as_ref().to_vec());
        let key = default_provider()
            .key_provider
            .load_private_key(key.into())
            .map_err(TlsError::settings)?;
        Ok(Self {
            authority: authority.clone(),
            key,
            settings,
            most,
            kept: Mutex::default(),
        })
    }

    /// The configuration that shows a certificate for a host, whose name is in lower case.
    pub(crate) fn config(&self, host: &str) -> Option<Arc<ServerConfig>> {
        if let Some(config) = self.kept.lock().made.get(host) {
            return Some(config.clone());
        }
        let certificate = self.certificate(host, UnixTime::now().as_secs())?;
        let mut chain = vec![CertificateDer::from(certificate)];
        chain.extend(self.authority.certified.cert.iter().cloned());
        let certified = Arc::new(CertifiedKey::new(chain, self.key.clone()));
        let config = Arc::new(self.settings.with(&certified).0);
        self.keep(host, &config);
        Some(config)
    }

    fn keep(&self, host: &str, config: &Arc<ServerConfig>) {
        if self.most == 0 {
            return;
        }
        let mut kept = self.kept.lock();
        while kept.order.len() >= self.most {
            let Some(oldest) = kept.order.pop_front() else {
                break;
            };
            kept.made.remove(&oldest);
        }
        if kept.made.insert(host.into(), config.clone()).is_none() {
            kept.order.push_back(host.into());
        }
    }

    /// A certificate for a host, as DER; `None` where the authority's key cannot sign.
    fn certificate(&self, host: &str, now: u64) -> Option<Vec<u8>> {
        let known: Vec<_> = ALGORITHMS.iter().map(|(scheme, _)| *scheme).collect();
        let signer = self.authority.certified.key.choose_scheme(&known)?;
        let (_, algorithm) = ALGORITHMS
            .iter()
            .find(|(scheme, _)| *scheme == signer.scheme())?;
        let algorithm = write(tag::SEQUENCE, &[algorithm]);
        let body = self.body(host, now, &algorithm)?;
        let signature = signer.sign(&body).ok()?;
        let signature = write(tag::BIT_STRING, &[&[0], &signature]);
        Some(write(tag::SEQUENCE, &[&body, &algorithm, &signature]))
    }

    fn body(&self, host: &str, now: u64, algorithm: &[u8]) -> Option<Vec<u8>> {
        let mut serial = [0; 16];
        aws_lc_rs::rand::fill(&mut serial).ok()?;
        // Positive, and of a fixed length (RFC 5280 section 4.1.2.2).
        serial[0] = serial[0] & 0x3f | 0x40;
        let last = u64::try_from(self.authority.facts.validity.1).ok()?;
        let validity = [
            time(now.saturating_sub(BEFORE)),
            time((now + AFTER).min(last)),
        ]
        .concat();
        let subject = if host.len() > LONGEST_COMMON_NAME {
            Vec::new()
        } else {
            let name = write(tag::UTF8_STRING, &[host.as_bytes()]);
            write(tag::SET, &[&write(tag::SEQUENCE, &[COMMON_NAME, &name])])
        };
        let names = write(tag::SEQUENCE, &[&write(DNS_NAME, &[host.as_bytes()])]);
        // Where there is no subject, the extension is critical (RFC 5280 section 4.2.1.6).
        let critical: &[u8] = if subject.is_empty() {
            &[1, 1, 0xff]
        } else {
            &[]
        };
        let names = write(tag::OCTET_STRING, &[&names]);
        let extension = write(tag::SEQUENCE, &[ALTERNATIVE_NAMES, critical, &names]);
        let extensions = write(tag::SEQUENCE, &[&extension]);
        Some(write(
            tag::SEQUENCE,
            &[
                &write(0xa0, &[&[tag::INTEGER, 1, 2]]),
                &write(tag::INTEGER, &[&serial]),
                algorithm,
                &write(tag::SEQUENCE, &[&self.authority.facts.subject]),
                &write(tag::SEQUENCE, &[&validity]),
                &write(tag::SEQUENCE, &[&subject]),
                self.key.public_key()?.as_ref(),
                &write(0xa3, &[&extensions]),
            ],
        ))
    }
}

/// A second since 1970 as a certificate writes it (RFC 5280 section 4.1.2.5).
fn time(second: u64) -> Vec<u8> {
    let (days, rest) = (second / 86400, second % 86400);
    // Years that begin in March have their leap day at the end; day 0 is 0000-03-01.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let clock = format!("{:02}{:02}{:02}Z", rest / 3600, rest / 60 % 60, rest % 60);
    if year < 2050 {
        let text = format!("{:02}{month:02}{date:02}{clock}", year % 100);
        write(tag::UTC_TIME, &[text.as_bytes()])
    } else {
        let text = format!("{year:04}{month:02}{date:02}{clock}");
        write(tag::GENERALIZED_TIME, &[text.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_certificates_have_them() {
        for (second, text) in [
            (0, "700101000000Z"),
            (951_825_600, "000229120000Z"),
            (2_524_607_999, "491231235959Z"),
            (2_524_608_000, "20500101000000Z"),
        ] {
            assert_eq!(time(second)[2..], *text.as_bytes());
        }
    }
}
