//! PEM, as far as the keys and certificates of tokens need it (RFC 7468).

use crate::convert::base64_decoded;

/// What the first block of a kind holds; `None` where there is none, or it is no base64.
pub(crate) fn block(pem: &[u8], kind: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once(&format!("-----BEGIN {kind}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {kind}-----"))?;
    let digits: Vec<u8> = body.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    base64_decoded(&digits)
}
