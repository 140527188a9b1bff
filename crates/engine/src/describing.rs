//! What certificates and revocation lists say of themselves, for operators.

use isthmus_plan::tls_facts::{CertificateDescription, RevocationDescription};
use isthmus_sample::{Certificate, Revocations};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use sha1::{Digest, Sha1};

/// Describes every certificate of a PEM file, in order; what is none is passed over.
#[must_use]
pub fn describe_certificates(pem: &[u8]) -> Vec<CertificateDescription> {
    let found = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
    found.filter_map(|der| described(&der)).collect()
}

fn described(der: &[u8]) -> Option<CertificateDescription> {
    let read = Certificate::read(der)?;
    let (not_before, not_after) = read.validity();
    Some(CertificateDescription {
        serial: hex(read.serial),
        not_before: isthmus_tls::seconds(not_before),
        not_after: isthmus_tls::seconds(not_after),
        names: text(&read.alternative_names().unwrap_or_default()),
        algorithm: read.key_description().unwrap_or_default(),
        sha1: hex(&Sha1::digest(der)),
        subject: text(&read.subject().one_line()),
        issuer: text(&read.issuer().one_line()),
    })
}

/// Describes every revocation list of a PEM file, in order; what is none is passed over.
#[must_use]
pub fn describe_revocations(pem: &[u8]) -> Vec<RevocationDescription> {
    let found = CertificateRevocationListDer::pem_slice_iter(pem).filter_map(Result::ok);
    let lists = found.filter_map(|der| {
        let list = Revocations::read(&der)?;
        Some(RevocationDescription {
            version: list.version,
            algorithm: list.signature_algorithm().unwrap_or_default().to_owned(),
            issuer: text(&list.issuer.one_line()),
            this_update: isthmus_tls::seconds(list.this_update),
            next_update: list.next_update.map(isthmus_tls::seconds),
            revoked: list
                .revoked
                .iter()
                .map(|(serial, when)| (hex(serial), isthmus_tls::seconds(*when)))
                .collect(),
        })
    });
    lists.collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
