//! Revocation lists (RFC 5280 section 5): what they say, and which can be used. webpki takes those alone that
//! keep to the profile; those of version 1, and such without extensions or without a date for the next one, are
//! looked into by ourselves (`own_lists`).

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use isthmus_proto::der::{Value, Values, tag};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::CertificateRevocationListDer;
use webpki::{BorrowedCertRevocationList, Error};

use crate::certificate::{Facts, time};
use crate::shown::{Shown, bits};

/// Where extensions stand in a list's body.
const EXTENSIONS: u8 = 0xa0;
/// How version 2 is written.
const VERSION_2: &[u8] = &[1];

/// A list of what an authority has revoked.
#[derive(Debug)]
pub(crate) struct Revoked {
    pub(crate) issuer: Vec<u8>,
    /// The second from which it holds.
    pub(crate) since: i64,
    /// The second at which the next list is due.
    pub(crate) until: i64,
    /// Whether it has critical extensions, which say that it is about a part of what was issued.
    pub(crate) partial: bool,
    serials: HashSet<Vec<u8>, ahash::RandomState>,
    body: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    /// The key that was found to have signed it.
    signer: OnceLock<Vec<u8>>,
}

impl Revoked {
    /// Reads a list, whole and strictly: what is behind a fault must not count as not revoked. `None` where
    /// it is none, or one of its entries has a critical extension.
    pub(crate) fn read(list: &CertificateRevocationListDer<'_>) -> Option<Self> {
        let mut all = Values(list);
        let list = all.of(tag::SEQUENCE)?;
        ends(&all)?;
        let mut parts = list.inside();
        let body = parts.of(tag::SEQUENCE)?;
        let algorithm = parts.of(tag::SEQUENCE)?.content;
        let signature = bits(parts.of(tag::BIT_STRING)?)?;
        ends(&parts)?;
        let mut fields = body.inside();
        let version = fields.of(tag::INTEGER);
        let signed_by = fields.of(tag::SEQUENCE)?.content;
        let issuer = fields.of(tag::SEQUENCE)?.content.to_vec();
        let since = time(fields.next()?)?;
        let until = fields.of(tag::UTC_TIME);
        let until = until.or_else(|| fields.of(tag::GENERALIZED_TIME));
        let mut serials = HashSet::default();
        let mut entries = fields.of(tag::SEQUENCE).map_or(Values(&[]), Value::inside);
        while !entries.0.is_empty() {
            serials.insert(entry(entries.of(tag::SEQUENCE)?)?);
        }
        let extensions = fields.of(EXTENSIONS);
        ends(&fields)?;
        let wrong = version.is_some_and(|version| version.content != VERSION_2)
            || version.is_none() && extensions.is_some()
            || signed_by != algorithm;
        if wrong {
            return None;
        }
        Some(Self {
            issuer,
            since,
            until: until.map_or(Some(i64::MAX), time)?,
            partial: match extensions {
                None => false,
                Some(all) => any_critical(all.inside().of(tag::SEQUENCE)?)?,
            },
            serials,
            body: body.whole.to_vec(),
            algorithm: algorithm.to_vec(),
            signature: signature.to_vec(),
            signer: OnceLock::new(),
        })
    }

    /// Of the lists of an issuer the one that counts: the latest of those that hold now, else the latest.
    pub(crate) fn latest<'l>(lists: impl Iterator<Item = &'l Self>, now: i64) -> Option<&'l Self> {
        lists.min_by_key(|list| {
            let holds = list.since <= now && now <= list.until;
            (!holds, Reverse((list.since, list.until)))
        })
    }

    pub(crate) fn holds(&self, facts: &Facts) -> bool {
        self.serials.contains(&facts.serial)
    }

    /// Whether it bears the signature of a certificate's key. Lists may be long: one is hashed once for the
    /// key that signed it, not in each handshake. Another key is always tried: the first one that fits may be
    /// made to, by whoever knows the signature.
    pub(crate) fn is_signed_by(&self, by: &Shown<'_>, known: &WebPkiSupportedAlgorithms) -> bool {
        if self.signer.get() == Some(&by.facts.key) {
            return true;
        }
        let right = by.signed((&self.algorithm, &self.body, &self.signature), known);
        if right {
            let _ = self.signer.set(by.facts.key.clone());
        }
        right
    }

    /// Leaves nothing that could be hashed.
    #[cfg(test)]
    pub(crate) fn forget_body(&mut self) {
        self.body.clear();
    }
}

/// The serial number of an entry; `None` where it is none that is understood.
fn entry(entry: Value<'_>) -> Option<Vec<u8>> {
    let mut parts = entry.inside();
    let serial = parts.of(tag::INTEGER)?.content.to_vec();
    time(parts.next()?)?;
    let critical = parts.of(tag::SEQUENCE).map_or(Some(false), any_critical)?;
    ends(&parts)?;
    (!critical).then_some(serial)
}

/// Whether one of some extensions is critical; `None` where they cannot be read.
fn any_critical(extensions: Value<'_>) -> Option<bool> {
    let mut extensions = extensions.inside();
    let mut found = false;
    while !extensions.0.is_empty() {
        let mut parts = extensions.of(tag::SEQUENCE)?.inside();
        parts.of(tag::OID)?;
        found |= parts
            .of(tag::BOOLEAN)
            .is_some_and(|said| said.content != [0]);
        parts.of(tag::OCTET_STRING)?;
        ends(&parts)?;
    }
    Some(found)
}

fn ends(values: &Values<'_>) -> Option<()> {
    values.0.is_empty().then_some(())
}

/// Those of some lists that webpki takes.
pub(crate) fn for_webpki(
    lists: &[CertificateRevocationListDer<'static>],
) -> Vec<CertificateRevocationListDer<'static>> {
    let takes = |list: &&CertificateRevocationListDer<'_>| {
        BorrowedCertRevocationList::from_der(list).is_ok()
    };
    lists.iter().filter(takes).cloned().collect()
}

/// Reads those of some lists that can be read.
pub(crate) fn read(lists: &[CertificateRevocationListDer<'_>]) -> Arc<[Revoked]> {
    lists.iter().filter_map(Revoked::read).collect()
}

/// Why a list, as DER, cannot be used; `None` where it can.
pub(crate) fn unusable(list: &CertificateRevocationListDer<'_>) -> Option<String> {
    let error = BorrowedCertRevocationList::from_der(list).err()?;
    match Revoked::read(list) {
        Some(read) if !read.partial => None,
        _ => Some(reason(&error)),
    }
}

fn reason(error: &Error) -> String {
    match error {
        Error::UnsupportedDeltaCrl => "it tells changes to another one (a delta CRL)".into(),
        Error::UnsupportedIndirectCrl => "it is for other authorities' certificates too".into(),
        Error::UnsupportedCriticalExtension => "a critical extension of it is not known".into(),
        _ => format!("it is malformed ({error:?})"),
    }
}

#[cfg(test)]
mod tests {
    use isthmus_proto::der::write;

    use super::*;

    const SERIAL: [u8; 3] = [tag::INTEGER, 1, 7];

    /// A list of these fields, whose signature nobody looks at.
    fn list(fields: &[&[u8]]) -> CertificateRevocationListDer<'static> {
        let algorithm = write(tag::SEQUENCE, &[&[6, 1, 1]]);
        let body = write(tag::SEQUENCE, fields);
        write(tag::SEQUENCE, &[&body, &algorithm, &[3, 2, 0, 0]]).into()
    }

    fn time(day: u8) -> Vec<u8> {
        let digits = format!("2001{day:02}000000Z");
        write(tag::UTC_TIME, &[digits.as_bytes()])
    }

    fn extensions(parts: &[&[u8]]) -> Vec<u8> {
        write(tag::SEQUENCE, &[&write(tag::SEQUENCE, parts)])
    }

    const NUMBER: &[u8] = &[6, 3, 0x55, 0x1d, 20, 4, 3, 2, 1, 1];
    const DELTA: &[u8] = &[6, 3, 0x55, 0x1d, 27, 1, 1, 0xff, 4, 3, 2, 1, 1];

    #[test]
    fn a_list_is_taken_unless_it_is_for_a_part_or_malformed() {
        let version = &[tag::INTEGER, 1, 1][..];
        let algorithm = &write(tag::SEQUENCE, &[&[6, 1, 1]])[..];
        let other = &write(tag::SEQUENCE, &[&[6, 1, 2]])[..];
        let issuer = &write(tag::SEQUENCE, &[])[..];
        let time = &time(1)[..];
        let extended = |one: &[u8]| write(EXTENSIONS, &[&extensions(&[one])]);
        let (number, delta) = (&extended(NUMBER)[..], &extended(DELTA)[..]);
        let entries = |critical: &[u8]| {
            let more = extensions(&[&[6, 3, 0x55, 0x1d, 99], critical, &[4, 0]]);
            let one = write(tag::SEQUENCE, &[&SERIAL, time, &more]);
            write(tag::SEQUENCE, &[&one])
        };
        let (entry, critical) = (&entries(&[])[..], &entries(&[1, 1, 0xff])[..]);
        let garbage = &write(tag::SEQUENCE, &[&[4, 0]])[..];
        for (fields, reason) in [
            (&[version, algorithm, issuer, time, time, number][..], None),
            (&[algorithm, issuer, time, time], None),
            (&[algorithm, issuer, time], None),
            (&[algorithm, issuer, time, time, entry], None),
            (&[version, algorithm, issuer, time, time], None),
            (&[version, algorithm, issuer, time, number], None),
            (
                &[version, algorithm, issuer, time, time, delta],
                Some("delta"),
            ),
            (
                &[algorithm, issuer, time, time, critical],
                Some("malformed"),
            ),
            (&[algorithm, issuer, time, time, garbage], Some("malformed")),
            (&[algorithm, issuer, time, time, number], Some("malformed")),
            (&[algorithm, issuer, time, time, time], Some("malformed")),
            (&[other, issuer, time, time], Some("malformed")),
            (
                &[&[tag::INTEGER, 1, 2], algorithm, issuer, time],
                Some("malformed"),
            ),
        ] {
            let found = unusable(&list(fields));
            assert_eq!(found.is_some(), reason.is_some(), "{found:?} {reason:?}");
            let found = found.unwrap_or_default();
            assert!(
                found.contains(reason.unwrap_or_default()),
                "{found} {reason:?}"
            );
        }
        let nothing = CertificateRevocationListDer::from(&b""[..]);
        assert!(unusable(&nothing).is_some_and(|reason| reason.contains("malformed")));
    }

    #[test]
    fn the_latest_list_that_holds_counts() {
        let algorithm = &write(tag::SEQUENCE, &[&[6, 1, 1]])[..];
        let named = |name: u8| write(tag::SEQUENCE, &[&[4, 1, name]]);
        let made = |name: u8, first: u8, last: u8| {
            Revoked::read(&list(&[algorithm, &named(name), &time(first), &time(last)])).unwrap()
        };
        let lists = [made(1, 1, 3), made(1, 2, 4), made(1, 8, 9), made(2, 4, 5)];
        let of = |name| lists.iter().filter(move |list| list.issuer == name);
        let day = |day: u8| {
            let (zero, one) = (lists[0].since, i64::from(day) - 1);
            zero + one * 86400
        };
        for (today, first) in [(1, 1), (2, 2), (4, 2), (5, 8), (8, 8)] {
            let found = Revoked::latest(of(&[4, 1, 1]), day(today)).unwrap();
            assert_eq!(found.since, day(first), "on day {today}");
        }
        assert!(Revoked::latest(of(&[4, 1, 3]), 0).is_none());
    }
}
