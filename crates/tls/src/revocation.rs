//! Whether a revocation list can be used: webpki takes those alone that keep to RFC 5280 section 5, and
//! does not tell in words what is missing.

use isthmus_proto::der::{Values, tag};
use webpki::{BorrowedCertRevocationList, Error};

/// Where extensions stand in a list's body.
const EXTENSIONS: u8 = 0xa0;

const VERSION_1: &str = "it is of version 1; `openssl ca -gencrl` writes version 2 where its \
     configuration has a `crlnumber`, or with `-crlexts <section>`";
const BARE: &str = "it has no extensions, neither its number nor its authority's key identifier; \
     `openssl ca -gencrl` writes them where its configuration has a `crlnumber`, or with `-crlexts <section>`";

/// Why a list, as DER, cannot be used; `None` where it can.
pub(crate) fn unusable(list: &[u8]) -> Option<String> {
    let error = BorrowedCertRevocationList::from_der(list).err()?;
    Some(missing(list).map_or_else(|| other(&error), ToOwned::to_owned))
}

/// What RFC 5280 wants of every list, and this one does not have.
fn missing(list: &[u8]) -> Option<&'static str> {
    let body = Values(list).of(tag::SEQUENCE)?.inside().of(tag::SEQUENCE)?;
    let mut fields = body.inside();
    if fields.of(tag::INTEGER).is_none() {
        return Some(VERSION_1);
    }
    fields.of(tag::SEQUENCE)?;
    fields.of(tag::SEQUENCE)?;
    fields.next()?;
    let next = fields.of(tag::UTC_TIME);
    if next.or_else(|| fields.of(tag::GENERALIZED_TIME)).is_none() {
        return Some("it does not say when the next one is due");
    }
    fields.of(tag::SEQUENCE);
    let extensions = fields.of(EXTENSIONS);
    extensions.is_none().then_some(BARE)
}

fn other(error: &Error) -> String {
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

    /// A list of these fields, whose signature nobody looks at.
    fn list(fields: &[&[u8]]) -> Vec<u8> {
        let algorithm = write(tag::SEQUENCE, &[&[6, 1, 1]]);
        let body = write(tag::SEQUENCE, fields);
        write(tag::SEQUENCE, &[&body, &algorithm, &[3, 2, 0, 0]])
    }

    #[test]
    fn a_list_that_does_not_keep_to_the_profile_is_refused_with_the_reason() {
        let version = [tag::INTEGER, 1, 1];
        let algorithm = write(tag::SEQUENCE, &[&[6, 1, 1]]);
        let issuer = write(tag::SEQUENCE, &[]);
        let time = write(tag::UTC_TIME, &[b"200101000000Z"]);
        let number = [6, 3, 0x55, 0x1d, 20, 4, 3, 2, 1, 1];
        let delta = [6, 3, 0x55, 0x1d, 27, 4, 3, 2, 1, 1];
        let extended = |one: &[u8]| {
            let one = write(tag::SEQUENCE, &[one]);
            write(EXTENSIONS, &[&write(tag::SEQUENCE, &[&one])])
        };
        let (number, delta) = (extended(&number), extended(&delta));
        let [version, algorithm, issuer, time] = [&version[..], &algorithm, &issuer, &time];
        for (fields, reason) in [
            (&[version, algorithm, issuer, time, time, &number][..], None),
            (&[algorithm, issuer, time, time], Some("version 1")),
            (
                &[version, algorithm, issuer, time, time],
                Some("no extensions"),
            ),
            (
                &[version, algorithm, issuer, time, &number],
                Some("the next one"),
            ),
            (
                &[version, algorithm, issuer, time, time, &delta],
                Some("delta"),
            ),
        ] {
            let found = unusable(&list(fields));
            assert_eq!(found.is_some(), reason.is_some(), "{found:?} {reason:?}");
            assert!(
                found
                    .unwrap_or_default()
                    .contains(reason.unwrap_or_default())
            );
        }
        assert!(unusable(b"").is_some_and(|reason| reason.contains("malformed")));
    }
}
