//! What a certificate says of itself (RFC 5280): the names it is for, and how long it is valid.

use isthmus_proto::der::{Value, Values, tag};

/// The attribute `commonName`, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// The extension `subjectAltName`, 2.5.29.17.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// Names of hosts among the alternative ones (RFC 5280 section 4.2.1.6).
const DNS_NAME: u8 = 0x82;
/// Addresses among them.
const IP_ADDRESS: u8 = 0x87;
/// Where extensions stand in the certificate's body.
const EXTENSIONS: u8 = 0xa3;
/// Where the version stands.
const VERSION: u8 = 0xa0;

/// What was read from a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The common names of the subject.
    pub(crate) common_names: Vec<String>,
    /// The host names among the alternative names.
    pub(crate) dns_names: Vec<String>,
    /// The addresses among the alternative names, 4 or 16 bytes.
    pub(crate) addresses: Vec<Vec<u8>>,
    /// The first and the last second of its validity, since 1970.
    pub(crate) validity: (i64, i64),
    /// The serial number.
    pub(crate) serial: Vec<u8>,
    /// The issuer's name, as DER.
    pub(crate) issuer: Vec<u8>,
    /// The subject's name, as DER.
    pub(crate) subject: Vec<u8>,
    /// The public key with its algorithm (SubjectPublicKeyInfo), as DER.
    pub(crate) key: Vec<u8>,
}

impl Facts {
    /// Reads a certificate; `None` where it is none.
    pub(crate) fn read(certificate: &[u8]) -> Option<Self> {
        let body = Values(certificate).of(tag::SEQUENCE)?;
        let mut fields = body.inside().of(tag::SEQUENCE)?.inside();
        fields.of(VERSION);
        let mut found = Self {
            serial: fields.of(tag::INTEGER)?.content.to_vec(),
            ..Self::default()
        };
        fields.of(tag::SEQUENCE)?;
        found.issuer = fields.of(tag::SEQUENCE)?.content.to_vec();
        let mut validity = fields.of(tag::SEQUENCE)?.inside();
        found.validity = (time(validity.next()?)?, time(validity.next()?)?);
        let subject = fields.of(tag::SEQUENCE)?;
        found.subject = subject.content.to_vec();
        found.common_names = common_names(subject);
        found.key = fields.of(tag::SEQUENCE)?.whole.to_vec();
        if let Some(extensions) = fields.find(|field| field.tag == EXTENSIONS) {
            found.alternative_names(extensions);
        }
        Some(found)
    }

    /// The names that clients may ask for: HAProxy takes the common names too.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let all = self.common_names.iter().chain(&self.dns_names);
        all.map(String::as_str)
    }

    /// Whether it is for a host: by its alternative names, and without any by its common names
    /// (RFC 6125 section 6.4.4).
    pub(crate) fn is_for(&self, host: &str) -> bool {
        if let Ok(address) = host.parse::<std::net::IpAddr>() {
            let bytes = match address {
                std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
                std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
            };
            return self.addresses.contains(&bytes);
        }
        let names = if self.dns_names.is_empty() {
            &self.common_names
        } else {
            &self.dns_names
        };
        names.iter().any(|name| crate::names::fits(name, host))
    }

    fn alternative_names(&mut self, extensions: Value<'_>) {
        let lists = extensions.inside();
        for extension in lists.flat_map(Value::inside) {
            let mut parts = extension.inside();
            let named = parts.of(tag::OID);
            parts.of(tag::BOOLEAN);
            if named.is_none_or(|oid| oid.content != ALTERNATIVE_NAMES) {
                continue;
            }
            let Some(value) = parts.of(tag::OCTET_STRING) else {
                continue;
            };
            for name in value.inside().flat_map(Value::inside) {
                match name.tag {
                    DNS_NAME => self.dns_names.push(text(name)),
                    IP_ADDRESS => self.addresses.push(name.content.to_vec()),
                    _ => {}
                }
            }
        }
    }
}

/// The common names in a distinguished name, in order.
fn common_names(name: Value<'_>) -> Vec<String> {
    let sets = name.inside().filter(|set| set.tag == tag::SET);
    sets.flat_map(Value::inside)
        .filter_map(|attribute| {
            let mut parts = attribute.inside();
            let named = parts.of(tag::OID)?;
            let value = parts.next()?;
            (named.content == COMMON_NAME).then(|| text(value))
        })
        .collect()
}

/// The text of a string of any kind; what is no text is replaced.
fn text(value: Value<'_>) -> String {
    if value.tag == tag::BMP_STRING {
        let units = value.content.chunks(2);
        let units: Vec<u16> = units
            .map(|pair| {
                pair.iter()
                    .fold(0, |sum, &byte| (sum << 8) | u16::from(byte))
            })
            .collect();
        return String::from_utf16_lossy(&units);
    }
    String::from_utf8_lossy(value.content).into_owned()
}

/// The seconds since 1970 of a time in a certificate (RFC 5280 section 4.1.2.5).
pub(crate) fn time(value: Value<'_>) -> Option<i64> {
    let digits = std::str::from_utf8(value.content).ok()?.strip_suffix('Z')?;
    let (year, rest) = match value.tag {
        tag::UTC_TIME => {
            let (year, rest) = digits.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        tag::GENERALIZED_TIME => {
            let (year, rest) = digits.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    if rest.len() != 10 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize| rest.get(from..from + 2)?.parse::<i64>().ok();
    let (month, day) = (part(0)?, part(2)?);
    let seconds = part(4)? * 3600 + part(6)? * 60 + part(8)?;
    Some(days(year, month, day) * 86400 + seconds)
}

/// The seconds since 1970 of a time in a certificate or revocation list; 0 where it is none.
#[must_use]
pub fn seconds(value: Value<'_>) -> i64 {
    time(value).unwrap_or_default()
}

/// Days from 1970-01-01 to a date, of the calendar we use today.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_since_1970() {
        for (tag, digits, seconds) in [
            (tag::UTC_TIME, "700101000000Z", 0),
            (tag::UTC_TIME, "000229120000Z", 951_825_600),
            (tag::UTC_TIME, "491231235959Z", 2_524_607_999),
            (tag::GENERALIZED_TIME, "20500101000000Z", 2_524_608_000),
            (tag::GENERALIZED_TIME, "99991231235959Z", 253_402_300_799),
        ] {
            let content = digits.as_bytes();
            assert_eq!(
                time(Value {
                    tag,
                    content,
                    whole: content
                }),
                Some(seconds),
                "{digits}"
            );
        }
        for digits in [
            "7001010000Z",
            "70010100000aZ",
            "700101000000",
            "Z",
            "\u{e9}0101000000Z",
        ] {
            let content = digits.as_bytes();
            assert_eq!(
                time(Value {
                    tag: tag::UTC_TIME,
                    content,
                    whole: content
                }),
                None,
                "{digits}"
            );
        }
    }

    #[test]
    fn a_certificate_tells_its_names_and_validity() {
        let mut parameters =
            rcgen::CertificateParams::new(["a.example".into(), "10.0.0.1".into()]).unwrap();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, "common.example");
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 2);
        parameters.not_after = rcgen::date_time_ymd(2051, 3, 4);
        let key = rcgen::KeyPair::generate().unwrap();
        let made = parameters.self_signed(&key).unwrap();
        let facts = Facts::read(made.der()).unwrap();
        assert!(facts.names().any(|name| name == "common.example"));
        assert_eq!(facts.dns_names, ["a.example"]);
        assert_eq!(facts.addresses, [[10, 0, 0, 1]]);
        assert_eq!(facts.validity, (1_577_923_200, 2_561_500_800));
        assert_eq!(facts.issuer, facts.subject);
        assert!(facts.is_for("A.example") && facts.is_for("10.0.0.1"));
        assert!(!facts.is_for("common.example") && !facts.is_for("10.0.0.2"));
        for cut in 0..made.der().len() {
            let _ = Facts::read(&made.der()[..cut]);
        }
    }
}
