//! A certificate as fetches tell of it (RFC 5280), in OpenSSL's words.

use isthmus_proto::der::{Value, Values, tag};

use super::distinguished_name::Name;

/// Where the version stands.
const VERSION: u8 = 0xa0;
/// Where the extensions stand.
const EXTENSIONS: u8 = 0xa3;
/// The extension `subjectAltName`, 2.5.29.17.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// The extension `certificatePolicies`, 2.5.29.32 (RFC 5280, 4.2.1.4).
const POLICIES: &[u8] = &[0x55, 0x1d, 0x20];

/// The parts of a certificate that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// All of it, DER.
    pub der: &'a [u8],
    /// 1 to 3 (`ssl_c_version`).
    pub version: i64,
    /// The serial number's bytes (`ssl_c_serial`).
    pub serial: &'a [u8],
    signature: &'a [u8],
    issuer: Value<'a>,
    not_before: Value<'a>,
    not_after: Value<'a>,
    subject: Value<'a>,
    key: Value<'a>,
    extensions: Option<Value<'a>>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate; `None` where the bytes are none.
    #[must_use]
    pub fn read(der: &'a [u8]) -> Option<Self> {
        let body = Values(der).of(tag::SEQUENCE)?;
        let mut fields = body.inside().of(tag::SEQUENCE)?.inside();
        let version = fields.of(VERSION).and_then(|value| value.inside().next());
        let serial = fields.of(tag::INTEGER)?.content;
        let signature = fields.of(tag::SEQUENCE)?.inside().of(tag::OID)?.content;
        let issuer = fields.of(tag::SEQUENCE)?;
        let mut validity = fields.of(tag::SEQUENCE)?.inside();
        Some(Self {
            der,
            version: version.map_or(0, |value| number(value.content)) + 1,
            serial: serial
                .strip_prefix(&[0])
                .filter(|rest| !rest.is_empty())
                .unwrap_or(serial),
            signature,
            issuer,
            not_before: validity.next()?,
            not_after: validity.next()?,
            subject: fields.of(tag::SEQUENCE)?,
            key: fields.of(tag::SEQUENCE)?,
            extensions: fields.find(|field| field.tag == EXTENSIONS),
        })
    }

    /// Who it was issued to.
    #[must_use]
    pub fn subject(&self) -> Name<'a> {
        Name::new(self.subject)
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> Name<'a> {
        Name::new(self.issuer)
    }

    /// Whether it was issued to who issued it.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Since when and until when it is valid, as it was written.
    #[must_use]
    pub fn validity(&self) -> (Value<'a>, Value<'a>) {
        (self.not_before, self.not_after)
    }

    /// Since when it is valid, `YYMMDDhhmmssZ`.
    #[must_use]
    pub fn not_before(&self) -> Vec<u8> {
        date(self.not_before)
    }

    /// Until when it is valid, `YYMMDDhhmmssZ`.
    #[must_use]
    pub fn not_after(&self) -> Vec<u8> {
        date(self.not_after)
    }

    /// The name of the algorithm that it is signed with.
    #[must_use]
    pub fn signature_algorithm(&self) -> Option<&'static str> {
        algorithm(self.signature)
    }

    /// Its key with the algorithm's identifier: SubjectPublicKeyInfo, DER.
    #[must_use]
    pub fn public_key(&self) -> &'a [u8] {
        self.key.whole
    }

    /// The name of its key's algorithm.
    #[must_use]
    pub fn key_algorithm(&self) -> Option<&'static str> {
        let mut kind = self.key.inside().of(tag::SEQUENCE)?.inside();
        algorithm(kind.of(tag::OID)?.content)
    }

    /// Its key's kind and size as PROXY headers tell them: `RSA2048`, `EC256`.
    #[must_use]
    pub fn key_description(&self) -> Option<String> {
        const BIT_STRING: u8 = 0x03;
        let mut parts = self.key.inside();
        let mut kind = parts.of(tag::SEQUENCE)?.inside();
        let name = algorithm(kind.of(tag::OID)?.content)?;
        let (_, key) = parts.of(BIT_STRING)?.content.split_first()?;
        Some(match name {
            "rsaEncryption" => {
                let mut numbers = Values(key).of(tag::SEQUENCE)?.inside();
                format!("RSA{}", bits(numbers.of(tag::INTEGER)?.content))
            }
            "id-ecPublicKey" => format!("EC{}", curve_bits(kind.of(tag::OID)?.content)?),
            other => other.to_owned(),
        })
    }

    /// Its alternative names as OpenSSL writes them: `DNS:a.example, IP Address:192.0.2.1`.
    #[must_use]
    pub fn alternative_names(&self) -> Option<Vec<u8>> {
        let names = self.extension(ALTERNATIVE_NAMES)?;
        let written: Vec<Vec<u8>> = names.inside().map(alternative_name).collect();
        Some(written.join(&b", "[..]))
    }

    /// The identifiers of the policies that it was issued under, between commas: `2.23.140.1.2.1`.
    #[must_use]
    pub fn policies(&self) -> Option<Vec<u8>> {
        let policies = self.extension(POLICIES)?.inside();
        let names: Vec<String> = policies
            .filter_map(|policy| policy.inside().of(tag::OID))
            .map(|name| dotted(name.content))
            .collect();
        (!names.is_empty()).then(|| names.join(",").into_bytes())
    }

    /// The value of an extension.
    fn extension(&self, wanted: &[u8]) -> Option<Value<'a>> {
        self.extensions?
            .inside()
            .flat_map(Value::inside)
            .find_map(|extension| {
                let mut parts = extension.inside();
                let name = parts.of(tag::OID)?;
                parts.of(tag::BOOLEAN);
                let value = parts.of(tag::OCTET_STRING)?;
                (name.content == wanted).then(|| value.inside().next())?
            })
    }
}

/// A small number.
pub(super) fn number(bytes: &[u8]) -> i64 {
    let few = bytes.get(..7).unwrap_or(bytes);
    few.iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte))
}

/// How many bits a number has.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let rest = number.get(zeros..).unwrap_or_default();
    rest.first()
        .map_or(0, |first| rest.len() * 8 - first.leading_zeros() as usize)
}

/// A time; those with four digits of the year lose the first two, as with HAProxy.
fn date(value: Value<'_>) -> Vec<u8> {
    let text = value.content;
    let skipped = if value.tag == tag::GENERALIZED_TIME {
        2
    } else {
        0
    };
    text.get(skipped..).unwrap_or_default().to_vec()
}

/// An identifier in the usual notation.
pub(super) fn dotted(oid: &[u8]) -> String {
    let mut arcs: Vec<u128> = Vec::new();
    let mut arc = 0u128;
    for byte in oid {
        arc = arc << 7 | u128::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.push(first);
                arc -= first * 40;
            }
            arcs.push(arc);
            arc = 0;
        }
    }
    let arcs: Vec<String> = arcs.iter().map(ToString::to_string).collect();
    arcs.join(".")
}

fn alternative_name(name: Value<'_>) -> Vec<u8> {
    let labelled = |label: &str| [label.as_bytes(), name.content].concat();
    match name.tag {
        0x81 => labelled("email:"),
        0x82 => labelled("DNS:"),
        0x86 => labelled("URI:"),
        0x87 => [&b"IP Address:"[..], &address(name.content)].concat(),
        0x88 => format!("Registered ID:{}", dotted(name.content)).into_bytes(),
        0xa4 => {
            let name = name.inside().next().map(Name::new);
            let text = name.map(|name| name.one_line()).unwrap_or_default();
            [&b"DirName:"[..], &text].concat()
        }
        0xa0 => b"othername:<unsupported>".to_vec(),
        _ => b"<unsupported>".to_vec(),
    }
}

fn address(bytes: &[u8]) -> Vec<u8> {
    if let Ok([a, b, c, d]) = <[u8; 4]>::try_from(bytes) {
        return format!("{a}.{b}.{c}.{d}").into_bytes();
    }
    let words: Vec<String> = bytes
        .chunks(2)
        .map(|pair| format!("{:X}", number(pair)))
        .collect();
    words.join(":").into_bytes()
}

/// OpenSSL's short name of an algorithm.
pub(super) fn algorithm(oid: &[u8]) -> Option<&'static str> {
    Some(match oid {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, last] => match last {
            1 => "rsaEncryption",
            4 => "RSA-MD5",
            5 => "RSA-SHA1",
            10 => "RSASSA-PSS",
            11 => "RSA-SHA256",
            12 => "RSA-SHA384",
            13 => "RSA-SHA512",
            14 => "RSA-SHA224",
            _ => return None,
        },
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1] => "id-ecPublicKey",
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] => "ecdsa-with-SHA1",
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, last] => match last {
            1 => "ecdsa-with-SHA224",
            2 => "ecdsa-with-SHA256",
            3 => "ecdsa-with-SHA384",
            4 => "ecdsa-with-SHA512",
            _ => return None,
        },
        [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1] => "DSA",
        [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3] => "DSA-SHA1",
        [0x2b, 0x65, 0x70] => "ED25519",
        [0x2b, 0x65, 0x71] => "ED448",
        _ => return None,
    })
}

/// Bits of an elliptic curve.
fn curve_bits(oid: &[u8]) -> Option<u16> {
    Some(match oid {
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7] => 256,
        [0x2b, 0x81, 0x04, 0x00, 0x22] => 384,
        [0x2b, 0x81, 0x04, 0x00, 0x23] => 521,
        [0x2b, 0x81, 0x04, 0x00, 0x0a] => 256,
        [0x2b, 0x81, 0x04, 0x00, 0x21] => 224,
        _ => return None,
    })
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
