//! The version, as request and status lines carry it (RFC 9112, 2.3).

use super::error::{Error, ErrorKind};
use super::rules::Rules;
use crate::http::Version;

/// `HTTP/1.1`.
const LEN: usize = 8;
/// The most bytes of a version where any protocol's is let pass (`RTSP/1.0`, `HTTP/1.10`).
const UNSAFE_LEN: usize = 24;

/// Reads the version at `at`, up to a byte that ends it: its length and value, or nothing yet.
#[inline]
pub(super) fn version(
    buf: &[u8],
    at: usize,
    rules: &Rules,
) -> Result<Option<(usize, Version)>, Error> {
    let text = buf.get(at..).unwrap_or_default();
    match text {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b'\r', ..] => {
            return Ok(Some((LEN, Version::HTTP_11)));
        }
        _ if rules.accept_unsafe => return unsafe_version(text, at),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor, ..]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            let version = Version {
                major: major - b'0',
                minor: minor - b'0',
            };
            return match text.get(LEN) {
                None => Ok(None),
                Some(b'\r' | b'\n' | b' ' | b'\t') if version.major != 1 => {
                    Err(ErrorKind::UnsupportedVersion.at(at))
                }
                Some(_) => Ok(Some((LEN, version))),
            };
        }
        _ => {}
    }
    match first_wrong(text) {
        Some(wrong) => Err(ErrorKind::BadVersion.at(at + wrong)),
        None => Ok(None),
    }
}

/// The first byte, of at most eight, that no version has there.
fn first_wrong(text: &[u8]) -> Option<usize> {
    let fits = |(have, want): (&u8, &u8)| match want {
        b'0' => have.is_ascii_digit(),
        want => have == want,
    };
    text.iter().zip(b"HTTP/0.0").position(|pair| !fits(pair))
}

/// Any protocol's name and version, with any number of digits; numbers over 255 are no version.
fn unsafe_version(text: &[u8], at: usize) -> Result<Option<(usize, Version)>, Error> {
    let bad = Err(ErrorKind::BadVersion.at(at));
    let visible = |byte: &u8| byte.is_ascii_graphic();
    let len = text
        .iter()
        .take(UNSAFE_LEN)
        .take_while(|b| visible(b))
        .count();
    if len == UNSAFE_LEN {
        return bad;
    }
    if len == text.len() {
        return Ok(None);
    }
    let parsed = text
        .get(..len)
        .and_then(|word| std::str::from_utf8(word).ok())
        .and_then(unsafe_word);
    match parsed {
        Some(version) => Ok(Some((len, version))),
        None => bad,
    }
}

fn unsafe_word(word: &str) -> Option<Version> {
    let (name, numbers) = word.split_once('/')?;
    let (major, minor) = numbers.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_uppercase()) {
        return None;
    }
    if !digits(major) || !digits(minor) {
        return None;
    }
    Some(Version {
        major: major.parse().ok()?,
        minor: minor.parse().ok()?,
    })
}
