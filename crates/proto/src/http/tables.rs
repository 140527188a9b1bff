//! Which bytes may stand where: one table look-up per byte, no branches.

/// The marks that a token may hold beside letters and digits (RFC 9110, 5.6.2).
const TOKEN_MARKS: &[u8] = b"!#$%&'*+-.^_`|~";
/// The marks that a registered name may hold: unreserved, sub-delims and `%` (RFC 3986, 3.2.2).
const HOST_MARKS: &[u8] = b"-._~!$&'()*+,;=%";

static LOWER_TOKEN: [u8; 256] = lowered(TOKEN_MARKS);
static LOWER_HOST: [u8; 256] = lowered(HOST_MARKS);

/// For each byte of letters, digits and `marks` itself in lower case; for all others zero.
const fn lowered(mut marks: &[u8]) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            set(&mut table, byte, byte.to_ascii_lowercase());
        }
        byte += 1;
    }
    while let [mark, rest @ ..] = marks {
        set(&mut table, *mark, *mark);
        marks = rest;
    }
    table
}

#[allow(clippy::indexing_slicing, reason = "a byte cannot miss a table of 256")]
const fn set(table: &mut [u8; 256], at: u8, to: u8) {
    table[at as usize] = to;
}

/// The byte in lower case if it may stand in a token, else zero.
#[inline]
pub(crate) fn lower_token(byte: u8) -> u8 {
    LOWER_TOKEN.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Whether the byte may stand in a token.
#[inline]
pub(crate) fn token(byte: u8) -> bool {
    lower_token(byte) != 0
}

/// Whether the byte may stand in a registered name.
#[inline]
pub(crate) fn pchar_host(byte: u8) -> bool {
    LOWER_HOST.get(usize::from(byte)).copied().unwrap_or(0) != 0
}
