//! Cookies in Cookie and Set-Cookie values (RFC 6265), as far as a proxy must find one and take
//! it out.

use std::ops::Range;

/// A cookie in a value: where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookiePair {
    /// The name, without the blanks around it.
    pub name: Range<usize>,
    /// The value, without the blanks around it; of a pair in quotes with them.
    pub value: Range<usize>,
}

/// The cookies of a Cookie value, in order. What has no `=` is none.
pub fn cookies(value: &[u8]) -> impl Iterator<Item = CookiePair> + '_ {
    let mut start = 0;
    value.split(|byte| *byte == b';').filter_map(move |part| {
        let at = start;
        start += part.len() + 1;
        pair(part, at)
    })
}

/// The cookie that a Set-Cookie value sets; what stands behind its first semicolon are attributes.
#[must_use]
pub fn set_cookie(value: &[u8]) -> Option<CookiePair> {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    pair(value.get(..end)?, 0)
}

fn pair(part: &[u8], at: usize) -> Option<CookiePair> {
    let equals = memchr::memchr(b'=', part)?;
    let trimmed = |range: Range<usize>| {
        let text = part.get(range.clone()).unwrap_or_default();
        let before = text.len() - text.trim_ascii_start().len();
        let start = at + range.start + before;
        start..start + text.trim_ascii().len()
    };
    Some(CookiePair {
        name: trimmed(0..equals),
        value: trimmed(equals + 1..part.len()),
    })
}

/// A Cookie value without the cookies that `drop` says; nothing if no other is left.
#[must_use]
pub fn without(value: &[u8], mut drop: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for part in value.split(|byte| *byte == b';') {
        let equals = memchr::memchr(b'=', part).unwrap_or(part.len());
        let name = part.get(..equals).unwrap_or_default().trim_ascii();
        let kept = part.trim_ascii();
        if kept.is_empty() || drop(name) {
            continue;
        }
        if !out.is_empty() {
            out.extend_from_slice(b"; ");
        }
        out.extend_from_slice(kept);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str) -> Vec<(&str, &str)> {
        cookies(value.as_bytes())
            .map(|pair| (&value[pair.name], &value[pair.value]))
            .collect()
    }

    #[test]
    fn cookies_are_found_whatever_stands_around_them() {
        assert_eq!(found("a=1; b=2"), [("a", "1"), ("b", "2")]);
        assert_eq!(
            found(" a = 1 ;;b=x=y; c; d="),
            [("a", "1"), ("b", "x=y"), ("d", "")]
        );
        assert_eq!(found(""), []);
    }

    #[test]
    fn a_cookie_is_taken_out_with_its_separator() {
        let table = [
            ("x=1; s=A; y=2", "x=1; y=2"),
            ("s=A", ""),
            ("s=A; y=2", "y=2"),
            ("x=1;s=A", "x=1"),
            ("ss=A; as=B", "ss=A; as=B"),
        ];
        for (value, wanted) in table {
            let left = without(value.as_bytes(), |name| name == b"s");
            assert_eq!(String::from_utf8_lossy(&left), wanted, "{value}");
        }
    }

    #[test]
    fn attributes_set_no_cookie() {
        let pair = set_cookie(b"a=b; path=/");
        assert_eq!(
            pair,
            Some(CookiePair {
                name: 0..1,
                value: 2..3
            })
        );
    }
}
