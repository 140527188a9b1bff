//! What may be stored and what may be served (manual, section 6.1; RFC 9111). Decides by fields
//! alone: no clock is read and nothing is kept.

use isthmus_proto::http::elements;
use isthmus_proto::http1::View as Head;

use super::store::Variant;

/// What a request says about being served from a cache.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// It may not be served: `no-cache`, `max-age=0`, Pragma.
    pub(super) fresh: bool,
    /// Its response may not be stored: `no-store`.
    pub(super) unstored: bool,
    /// It carries credentials, or wants a part only.
    pub(super) private: bool,
    pub(super) host: Vec<u8>,
    pub(super) variant: Variant,
    pub(super) none_match: Vec<Vec<u8>>,
    pub(super) modified_since: Option<Vec<u8>>,
}

impl Asked {
    pub(super) fn read(head: &Head<'_>) -> Self {
        let mut asked = Self::default();
        let (mut codings, mut referers) = (Vec::new(), Vec::new());
        let (mut pragma, mut control) = (false, false);
        head.for_each_id(|_, name, value| {
            match name {
                b"host" => asked.host = value.to_ascii_lowercase(),
                b"authorization" | b"range" => asked.private = true,
                b"cache-control" => {
                    control = true;
                    for said in elements(value).map(<[u8]>::to_ascii_lowercase) {
                        asked.fresh |= said == b"no-cache" || number(&said, b"max-age") == Some(0);
                        asked.unstored |= said == b"no-store";
                    }
                }
                b"pragma" => pragma |= value.eq_ignore_ascii_case(b"no-cache"),
                b"accept-encoding" => {
                    codings.extend(elements(value).map(<[u8]>::to_ascii_lowercase));
                }
                b"referer" => referers.extend_from_slice(value),
                b"if-none-match" => {
                    asked.none_match.extend(elements(value).map(<[u8]>::to_vec));
                }
                b"if-modified-since" => asked.modified_since = Some(value.to_vec()),
                _ => {}
            }
            true
        });
        asked.fresh |= pragma && !control;
        // The order in which codings are named says nothing.
        codings.sort();
        asked.variant = Variant {
            accept_encoding: Some(codings.join(&b","[..])),
            referer: Some(referers),
        };
        asked
    }

    /// Whether the client holds the same already (RFC 9110, 13.2.2).
    pub(super) fn has(&self, etag: Option<&[u8]>, modified: Option<i64>, now: i64) -> bool {
        if !self.none_match.is_empty() {
            let plain = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
            let mine = etag.map(plain);
            return self
                .none_match
                .iter()
                .any(|tag| tag == b"*" || mine.as_ref().is_some_and(|mine| plain(tag) == *mine));
        }
        let since = self.modified_since.as_deref().and_then(|at| date(at, now));
        matches!((since, modified), (Some(since), Some(modified)) if modified <= since)
    }
}

/// What a response says about being stored.
#[derive(Debug, Default)]
pub(super) struct Said {
    refuses: bool,
    shared_age: Option<u64>,
    age_most: Option<u64>,
    expires: Option<Option<i64>>,
    date: Option<i64>,
    vary: Vec<Vec<u8>>,
    pub(super) age: u64,
    pub(super) etag: Option<Vec<u8>>,
    pub(super) modified: Option<i64>,
}

impl Said {
    pub(super) fn read(head: &Head<'_>, now: i64) -> Self {
        let mut said = Self::default();
        head.for_each_id(|_, name, value| {
            match name {
                b"cache-control" => said.read_control(value),
                // A cookie is one client's: it is never served to another.
                b"set-cookie" | b"content-range" => said.refuses = true,
                b"expires" => said.expires = Some(date(value, now)),
                b"date" => said.date = date(value, now),
                b"age" => said.age = digits(value).unwrap_or(0),
                b"etag" => said.etag = Some(value.to_vec()),
                b"last-modified" => said.modified = date(value, now),
                b"vary" => said
                    .vary
                    .extend(elements(value).map(<[u8]>::to_ascii_lowercase)),
                _ => {}
            }
            true
        });
        said
    }

    fn read_control(&mut self, value: &[u8]) {
        for word in elements(value).map(<[u8]>::to_ascii_lowercase) {
            let name = word.split(|byte| *byte == b'=').next();
            self.refuses |= matches!(
                name.map(<[u8]>::trim_ascii),
                Some(b"no-store" | b"no-cache" | b"private")
            );
            self.shared_age = self.shared_age.or(number(&word, b"s-maxage"));
            self.age_most = self.age_most.or(number(&word, b"max-age"));
        }
    }

    /// For how many seconds it may be served; `None` if it may not be stored. What says no time
    /// but can be validated is fresh for as long as the cache allows.
    pub(super) fn lifetime(&self, most: u64, now: i64) -> Option<u64> {
        if self.refuses {
            return None;
        }
        let expires = self.expires.map(|at| {
            let at = at.unwrap_or(0) - self.date.unwrap_or(now);
            u64::try_from(at).unwrap_or(0)
        });
        let lifetime = match (self.shared_age.or(self.age_most), expires) {
            _ if self.age_most == Some(0) => return None,
            (Some(0), _) => return None,
            (Some(age), _) | (None, Some(age)) => age,
            (None, None) if self.etag.is_some() || self.modified.is_some() => most,
            (None, None) => return None,
        };
        let left = lifetime.min(most).saturating_sub(self.age);
        (left > 0).then_some(left)
    }

    /// What of the request the response depends on; `None` if that cannot be told.
    pub(super) fn variant(&self, asked: &Variant, vary: bool) -> Option<Variant> {
        let mut variant = Variant::default();
        for name in self.vary.iter().filter(|name| !name.is_empty()) {
            match name.as_slice() {
                _ if !vary => return None,
                b"accept-encoding" => variant.accept_encoding.clone_from(&asked.accept_encoding),
                b"referer" => variant.referer.clone_from(&asked.referer),
                _ => return None,
            }
        }
        Some(variant)
    }
}

fn date(value: &[u8], now: i64) -> Option<i64> {
    isthmus_sample::parse_http_date(std::str::from_utf8(value).ok()?, now)
}

/// The number of a directive such as `max-age=5`.
fn number(word: &[u8], name: &[u8]) -> Option<u64> {
    let rest = word.strip_prefix(name)?.trim_ascii_start();
    let value = rest.strip_prefix(b"=")?.trim_ascii();
    // What is no number is not understood, and then it is not fresh (RFC 9111, 4.2.1).
    Some(
        digits(
            value
                .strip_prefix(b"\"")
                .map_or(value, |v| v.strip_suffix(b"\"").unwrap_or(v)),
        )
        .unwrap_or(0),
    )
}

fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0_u64, |number, digit| {
        number
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use isthmus_proto::http1::{ResponseHead, Rewrite, Rules};

    const NOW: i64 = 1_795_000_000;

    fn said(fields: &str) -> Said {
        let mut bytes = format!("HTTP/1.1 200 OK\r\n{fields}\r\n").into_bytes();
        let mut head = ResponseHead::default();
        head.read(&mut bytes, &Rules::default()).unwrap();
        let rewrite = Rewrite::default();
        Said::read(&Head::response(&head, &bytes, &rewrite), NOW)
    }

    #[test]
    fn lifetimes_are_explicit_or_the_response_can_be_validated() {
        let cases = [
            ("", None),
            ("Cache-Control: max-age=30\r\n", Some(30)),
            ("Cache-Control: MAX-AGE=\"30\"\r\n", Some(30)),
            ("Cache-Control: max-age=900\r\n", Some(60)),
            ("Cache-Control: max-age=30, s-maxage=5\r\n", Some(5)),
            ("Cache-Control: max-age=0, s-maxage=5\r\n", None),
            ("Cache-Control: max-age=30\r\nAge: 20\r\n", Some(10)),
            (
                "Cache-Control: max-age=30\r\nAge: 99999999999999999999\r\n",
                None,
            ),
            ("Cache-Control: max-age=0\r\n", None),
            ("Cache-Control: max-age=soon\r\n", None),
            ("Cache-Control: max-age=30, private\r\n", None),
            ("Cache-Control: no-cache=\"a\", max-age=30\r\n", None),
            ("Cache-Control: no-store\r\nETag: \"a\"\r\n", None),
            ("Cache-Control: max-age=30\r\nSet-Cookie: a=b\r\n", None),
            (
                "Cache-Control: max-age=30\r\nContent-Range: bytes 0-1/2\r\n",
                None,
            ),
            ("ETag: \"a\"\r\n", Some(60)),
            ("Last-Modified: Sat, 28 Nov 2020 05:00:00 GMT\r\n", Some(60)),
            ("Expires: Sat, 28 Nov 2037 05:00:00 GMT\r\n", Some(60)),
            ("Expires: Sat, 28 Nov 2020 05:00:00 GMT\r\n", None),
            ("Expires: 0\r\nETag: \"a\"\r\n", None),
        ];
        for (fields, expected) in cases {
            assert_eq!(said(fields).lifetime(60, NOW), expected, "{fields}");
        }
    }

    #[test]
    fn a_response_that_varies_by_other_fields_is_not_stored() {
        let asked = Variant {
            accept_encoding: Some(b"gzip".to_vec()),
            referer: Some(b"r".to_vec()),
        };
        let varying = |value: &str| said(&format!("Vary: {value}\r\n"));
        let gzip = varying("Accept-Encoding").variant(&asked, true).unwrap();
        assert_eq!(gzip.accept_encoding, asked.accept_encoding);
        assert_eq!(gzip.referer, None);
        assert!(varying("Accept-Encoding").variant(&asked, false).is_none());
        assert!(varying("Cookie").variant(&asked, true).is_none());
        assert!(varying("*").variant(&asked, true).is_none());
        assert!(said("").variant(&asked, false).is_some());
    }
}
