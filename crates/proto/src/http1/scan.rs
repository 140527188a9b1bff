//! Runs of allowed bytes, eight at a time. One pass both searches the end and refuses what may
//! not stand before it, where memchr would need a second pass to look at the bytes.

use crate::http::lower_token;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte below `limit` (at most 128). A borrow can mark bytes above the
/// lowest marked one wrongly: only the lowest counts.
#[inline]
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGHS
}

/// The high bit of each byte that is `byte`, with the same caution.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * u64::from(byte)), 1)
}

/// Length of the run up to the first byte that `marks` marks, or of all there is.
#[inline]
fn run(bytes: &[u8], marks: impl Fn(u64) -> u64) -> usize {
    let mut rest = bytes;
    let mut len = 0;
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        let hit = marks(u64::from_le_bytes(*chunk));
        if hit != 0 {
            return len + (hit.trailing_zeros() / 8) as usize;
        }
        len += 8;
        rest = behind;
    }
    // Zeros fill up the last word: they are marked always, as control bytes.
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let hit = marks(u64::from_le_bytes(last));
    len + ((hit.trailing_zeros() / 8) as usize).min(rest.len())
}

/// Length of the run of bytes that may stand in a field's value: no control bytes but tabs.
#[inline]
pub(crate) fn value(bytes: &[u8]) -> usize {
    let mut len = 0;
    loop {
        let rest = bytes.get(len..).unwrap_or_default();
        len += run(rest, |word| below(word, 0x20) | equal(word, 0x7f));
        if bytes.get(len) != Some(&b'\t') {
            return len;
        }
        len += 1;
    }
}

/// Length of the run of bytes that may stand in a target: what is visible, without `#`.
#[inline]
pub(crate) fn target(bytes: &[u8]) -> usize {
    run(bytes, |word| {
        below(word, 0x21) | equal(word, 0x7f) | equal(word, b'#') | (word & HIGHS)
    })
}

/// The same where `#` and high bytes are let pass.
#[inline]
pub(super) fn unsafe_target(bytes: &[u8]) -> usize {
    run(bytes, |word| below(word, 0x21) | equal(word, 0x7f))
}

/// Turns a name to lower case in place up to the first byte that may not stand in one, and
/// returns how far that is.
#[inline]
pub(super) fn lower_name(bytes: &mut [u8]) -> usize {
    let mut len = 0;
    for byte in bytes {
        let lower = lower_token(*byte);
        if lower == 0 {
            break;
        }
        *byte = lower;
        len += 1;
    }
    len
}

/// The same where any visible or high byte is let pass.
pub(super) fn lower_unsafe_name(bytes: &mut [u8]) -> usize {
    let mut len = 0;
    for byte in bytes {
        if *byte <= b' ' || *byte == 0x7f || *byte == b':' {
            break;
        }
        byte.make_ascii_lowercase();
        len += 1;
    }
    len
}
