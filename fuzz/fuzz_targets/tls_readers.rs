//! Any bytes are read as certificates, chains, OCSP responses and lists of the revoked without a panic, the
//! same each time; what rules and logs ask of a certificate is told of whatever could be read.

#![no_main]

use isthmus_proto::der::{Values, write};
use isthmus_sample::{Certificate, Name, Revocations};
use isthmus_tls::{legible, seconds};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_800_000_000;

fn name(name: Name<'_>) {
    let _ = (name.one_line(), name.rfc2253());
    for occurrence in [-3, -1, 0, 1, 2] {
        let _ = (
            name.entry(b"CN", occurrence),
            name.entry(b"1.2.3", occurrence),
        );
    }
}

fuzz_target!(|bytes: &[u8]| {
    let read = legible(bytes, NOW);
    assert_eq!(read, legible(bytes, NOW));
    if let Some(found) = Certificate::read(bytes) {
        name(found.subject());
        name(found.issuer());
        let (first, last) = found.validity();
        let _ = (
            seconds(first),
            seconds(last),
            found.not_before(),
            found.not_after(),
        );
        let _ = (
            found.signature_algorithm(),
            found.key_algorithm(),
            found.key_description(),
        );
        let _ = (found.alternative_names(), found.is_self_issued());
    }
    if let Some(found) = Revocations::read(bytes) {
        name(found.issuer.clone());
        let _ = (
            found.signature_algorithm(),
            found.revoked.len(),
            seconds(found.this_update),
        );
    }
    // What is read is what was there, and can be written again.
    let mut length = 0;
    for value in Values(bytes) {
        length += value.whole.len();
        let again = write(value.tag, &[value.content]);
        assert_eq!(
            Values(&again).next().map(|value| value.content),
            Some(value.content)
        );
    }
    assert!(length <= bytes.len());
});
