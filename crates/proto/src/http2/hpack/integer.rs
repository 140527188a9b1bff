//! Integers with a prefix (RFC 7541, 5.1).

use super::DecodeError;

/// The longest that is read: nothing that may be said in a block needs more, and a sender could
/// otherwise go on with zeros for as long as it likes.
const MAX_MORE: u32 = 5;

/// Reads an integer whose first byte, with `prefix` bits of it, is `first`; the rest of it is
/// taken off the front of `rest`.
#[inline]
pub(super) fn read(first: u8, prefix: u32, rest: &mut &[u8]) -> Result<u32, DecodeError> {
    let mask = (1_u32 << prefix) - 1;
    let mut value = u64::from(u32::from(first) & mask);
    if value < u64::from(mask) {
        return Ok(value as u32);
    }
    for place in 0..MAX_MORE {
        let (byte, behind) = rest.split_first().ok_or(DecodeError::Truncated)?;
        *rest = behind;
        value += u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return u32::try_from(value).map_err(|_| DecodeError::IntegerOverflow);
        }
    }
    Err(DecodeError::IntegerOverflow)
}

/// Writes an integer; `pattern` holds the bits before the prefix.
#[inline]
pub(super) fn write(mut value: usize, pattern: u8, prefix: u32, out: &mut Vec<u8>) {
    let mask = (1_usize << prefix) - 1;
    if value < mask {
        out.push(pattern | value as u8);
        return;
    }
    out.push(pattern | mask as u8);
    value -= mask;
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8], prefix: u32) -> Result<(u32, usize), DecodeError> {
        let (first, mut rest) = bytes.split_first().unwrap();
        read(*first, prefix, &mut rest).map(|value| (value, rest.len()))
    }

    #[test]
    fn rfc_7541_c_1_examples_are_read_and_written() {
        for (value, prefix, bytes) in [
            (10_u32, 5, &[0x0a][..]),
            (1337, 5, &[0x1f, 0x9a, 0x0a]),
            (42, 8, &[0x2a]),
        ] {
            let mut out = Vec::new();
            write(value as usize, 0, prefix, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(read_all(bytes, prefix), Ok((value, 0)));
        }
    }

    #[test]
    fn rfc_7541_5_1_integers_that_overflow_or_never_end_are_refused() {
        for bytes in [
            &[0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f][..],
            &[0x1f, 0xff, 0xff, 0xff, 0xff, 0x7f],
            &[0x1f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        ] {
            assert_eq!(read_all(bytes, 5), Err(DecodeError::IntegerOverflow));
        }
        assert_eq!(read_all(&[0x1f, 0x80], 5), Err(DecodeError::Truncated));
    }
}
