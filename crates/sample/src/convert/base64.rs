//! Base64 (RFC 4648), as lenient as HAProxy: left-over bits need not be zero, and a padded text
//! may be followed by another.

/// The alphabet of section 4.
pub(super) const STANDARD: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The alphabet of section 5, for URLs and file names.
pub(super) const URL_SAFE: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes bytes, with `=` up to a multiple of four characters where padding is asked for.
pub(super) fn encode(bytes: &[u8], alphabet: &[u8; 64], padded: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place <= chunk.len() {
                let index = bits >> (18 - 6 * place) & 63;
                out.extend(alphabet.get(index as usize));
            } else if padded {
                out.push(b'=');
            }
        }
    }
    out
}

/// Decodes text; `None` on a character outside the alphabet, a group of one character, or, where
/// padding is asked for, a length that is not a multiple of four.
pub(super) fn decode(text: &[u8], alphabet: &[u8; 64], padded: bool) -> Option<Vec<u8>> {
    if padded && text.len() % 4 != 0 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    for group in text.chunks(4) {
        let end = group.iter().position(|b| *b == b'=').unwrap_or(group.len());
        let (digits, padding) = group.split_at_checked(end)?;
        if digits.len() < 2 || padding.iter().any(|b| *b != b'=') {
            return None;
        }
        let mut bits = 0_u32;
        for digit in digits {
            let value = alphabet.iter().position(|letter| letter == digit)?;
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        bits <<= 6 * (4 - digits.len());
        let [_, bytes @ ..] = bits.to_be_bytes();
        out.extend(bytes.iter().take(digits.len() - 1));
    }
    Some(out)
}
