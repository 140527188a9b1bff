//! Content keys that are encrypted to a public key of RSA (RFC 7518, sections 4.2 and 4.3).

use aws_lc_rs::rand;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey,
    Pkcs1PrivateDecryptingKey, PrivateDecryptingKey,
};
use isthmus_proto::der::{tag, write};

use super::algorithm::Padding;

/// What PKCS #8 says of a key of RSA: version 0, and the algorithm's identifier (RFC 8017, A.1).
const RSA_ENCRYPTION: [u8; 18] = [
    2, 1, 0, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0,
];

/// A private key of 2048 to 8192 bits, ready for each padding.
pub struct Rsa {
    oaep: OaepPrivateDecryptingKey,
    pkcs1: Pkcs1PrivateDecryptingKey,
}

impl Rsa {
    /// A key in PKCS #8, DER.
    pub(super) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let key = PrivateDecryptingKey::from_pkcs8(der).ok()?;
        Some(Self {
            oaep: OaepPrivateDecryptingKey::new(key.clone()).ok()?,
            pkcs1: Pkcs1PrivateDecryptingKey::new(key).ok()?,
        })
    }

    /// A key in PKCS #1, DER.
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let key = write(tag::OCTET_STRING, &[der]);
        Self::from_pkcs8(&write(tag::SEQUENCE, &[&RSA_ENCRYPTION, &key]))
    }

    /// A key as its numbers: n, e, d, p, q, dp, dq and qi.
    pub(super) fn from_numbers(numbers: &[Vec<u8>; 8]) -> Option<Self> {
        let version = [0].as_slice();
        let values = std::iter::once(version).chain(numbers.iter().map(Vec::as_slice));
        let inside: Vec<u8> = values.flat_map(integer).collect();
        Self::from_pkcs1(&write(tag::SEQUENCE, &[&inside]))
    }

    /// The content's key of `length` bytes.
    pub(super) fn decrypt(&self, padding: Padding, key: &[u8], length: usize) -> Option<Vec<u8>> {
        let oaep = match padding {
            Padding::OaepSha1 => &OAEP_SHA1_MGF1SHA1,
            Padding::OaepSha256 => &OAEP_SHA256_MGF1SHA256,
            Padding::Pkcs1 => return self.decrypt_pkcs1(key, length),
        };
        let mut room = vec![0; self.oaep.min_output_size()];
        let found = self.oaep.decrypt(oaep, key, &mut room, None).ok()?;
        Some(found.to_vec())
    }

    /// Whoever could tell wrong padding from a wrong tag could decrypt with our key, message by message
    /// (RFC 3218). So a key that cannot be read is one of random bytes, made beforehand in any case, and
    /// what fails is the content's tag (RFC 7516, section 11.5).
    fn decrypt_pkcs1(&self, key: &[u8], length: usize) -> Option<Vec<u8>> {
        let mut random = vec![0; length];
        rand::fill(&mut random).ok()?;
        let mut room = vec![0; self.pkcs1.min_output_size()];
        let found = self.pkcs1.decrypt(key, &mut room);
        match found {
            Ok(found) if found.len() == length => Some(found.to_vec()),
            _ => Some(random),
        }
    }
}

/// A number that is not negative, in as few bytes as DER wants.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(zeros..).unwrap_or_default();
    // A first bit that is set would make it negative.
    let sign: &[u8] = match digits.first() {
        Some(first) if *first < 0x80 => &[],
        _ => &[0],
    };
    write(tag::INTEGER, &[sign, digits])
}
