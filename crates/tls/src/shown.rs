//! A certificate of a chain as those see it who look for its issuer: whose signature it bears, and what it
//! may be used for (RFC 5280 section 4.2.1).

use isthmus_proto::der::{Value, Values, tag};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::AlgorithmIdentifier;

use crate::certificate::Facts;

/// Where extensions stand in the certificate's body.
const EXTENSIONS: u8 = 0xa3;
/// The length of the path below an authority, in `basicConstraints`.
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// The purpose `clientAuth`, 1.3.6.1.5.5.7.3.2.
const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
/// `keyCertSign` in the first byte of `keyUsage`.
const SIGNS_CERTIFICATES: u8 = 0x04;
/// `cRLSign` in the first byte of `keyUsage`.
const SIGNS_LISTS: u8 = 0x02;

/// One certificate.
#[derive(Debug, Clone)]
pub(crate) struct Shown<'a> {
    /// What it says of itself.
    pub(crate) facts: Facts,
    /// Whether its own signature may be on certificates.
    pub(crate) is_authority: bool,
    /// Whether its signature may be on revocation lists.
    pub(crate) signs_lists: bool,
    /// How many authorities may stand between it and the end of a chain.
    pub(crate) length: Option<u64>,
    /// Whether it may be a client's, or an authority's of clients.
    pub(crate) for_clients: bool,
    /// Whether it says something that is not looked into here, such as which names are allowed below it.
    pub(crate) says_more: bool,
    /// All of its bytes.
    pub(crate) whole: &'a [u8],
    body: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    key_algorithm: &'a [u8],
    key: &'a [u8],
}

impl<'a> Shown<'a> {
    /// Reads a certificate; `None` where it is none.
    pub(crate) fn read(certificate: &'a [u8]) -> Option<Self> {
        let facts = Facts::read(certificate)?;
        let mut parts = Values(certificate).of(tag::SEQUENCE)?.inside();
        let body = parts.of(tag::SEQUENCE)?;
        let algorithm = parts.of(tag::SEQUENCE)?.content;
        let signature = bits(parts.of(tag::BIT_STRING)?)?;
        let mut fields = body.inside();
        // Algorithm, issuer, validity, subject, key.
        let mut key = fields.by_ref().filter(|field| field.tag == tag::SEQUENCE);
        let mut key = key.nth(4)?.inside();
        let key_algorithm = key.of(tag::SEQUENCE)?.content;
        let key = bits(key.of(tag::BIT_STRING)?)?;
        let mut found = Self {
            facts,
            is_authority: false,
            signs_lists: true,
            length: None,
            for_clients: true,
            says_more: false,
            whole: certificate,
            body: body.whole,
            algorithm,
            signature,
            key_algorithm,
            key,
        };
        let extensions = fields.find(|field| field.tag == EXTENSIONS);
        let mut signs = true;
        for extension in extensions.into_iter().flat_map(Value::inside) {
            for each in extension.inside() {
                found.extension(each, &mut signs);
            }
        }
        found.is_authority &= signs;
        Some(found)
    }

    fn extension(&mut self, extension: Value<'_>, signs: &mut bool) {
        let mut parts = extension.inside();
        let Some(named) = parts.of(tag::OID) else {
            return;
        };
        let critical = parts
            .of(tag::BOOLEAN)
            .is_some_and(|said| said.content != [0]);
        let Some(value) = parts.of(tag::OCTET_STRING) else {
            return;
        };
        let inner = value.inside().next();
        let mut inside = inner.map_or(Values(&[]), Value::inside);
        match named.content {
            BASIC_CONSTRAINTS => {
                let said = inside.of(tag::BOOLEAN);
                self.is_authority = said.is_some_and(|said| said.content != [0]);
                let length = inside.of(tag::INTEGER);
                self.length = length.map(|length| number(length.content));
            }
            KEY_USAGE => {
                let first = inner.and_then(bits).and_then(|bits| bits.first().copied());
                let may = |what| first.is_some_and(|first| first & what != 0);
                *signs = may(SIGNS_CERTIFICATES);
                self.signs_lists = may(SIGNS_LISTS);
            }
            EXTENDED_KEY_USAGE => {
                self.for_clients = inside.any(|purpose| purpose.content == CLIENT_AUTH);
            }
            NAME_CONSTRAINTS => self.says_more = true,
            ALTERNATIVE_NAMES => {}
            _ => self.says_more |= critical,
        }
    }

    /// Whether it names itself as its issuer.
    pub(crate) fn is_its_own(&self) -> bool {
        self.facts.issuer == self.facts.subject
    }

    /// Whether it bears the signature of another's key.
    pub(crate) fn is_signed_by(
        &self,
        other: &Shown<'_>,
        known: &WebPkiSupportedAlgorithms,
    ) -> bool {
        other.signed((self.algorithm, self.body, self.signature), known)
    }

    /// Whether a signature over a body, by an algorithm, is of its key.
    pub(crate) fn signed(
        &self,
        (algorithm, body, signature): (&[u8], &[u8], &[u8]),
        known: &WebPkiSupportedAlgorithms,
    ) -> bool {
        let mut fitting = known.all.iter().filter(|each| {
            let is = |id: AlgorithmIdentifier, bytes: &[u8]| id.as_ref() == bytes;
            is(each.signature_alg_id(), algorithm)
                && is(each.public_key_alg_id(), self.key_algorithm)
        });
        fitting.any(|each| each.verify_signature(self.key, body, signature).is_ok())
    }
}

/// The bytes of a bit string that has no bits over; `None` for others.
pub(crate) fn bits(value: Value<'_>) -> Option<&[u8]> {
    match (value.tag, value.content.split_first()?) {
        // `keyUsage` may have bits over, which are 0.
        (tag::BIT_STRING, (unused, bytes)) if *unused < 8 => Some(bytes),
        _ => None,
    }
}

/// A whole number; what is larger than it can be counts as very large.
fn number(bytes: &[u8]) -> u64 {
    if bytes.len() > 8 {
        return u64::MAX;
    }
    bytes
        .iter()
        .fold(0, |sum, &byte| (sum << 8) | u64::from(byte))
}
