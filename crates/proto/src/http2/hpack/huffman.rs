//! The Huffman code of strings (RFC 7541, 5.2 and appendix B), by tables made from the code's
//! lengths at compile time.

use super::DecodeError;
use super::huffman_lengths::LENGTHS;

const EOS: u16 = 256;
/// Codes of so many bits or fewer are decoded by one look-up: all of letters, digits and most
/// marks.
const FAST_BITS: u32 = 10;
const LONGEST: usize = 30;

/// Code and bits of each byte.
static CODES: [(u32, u8); 257] = codes();
/// For the next [`FAST_BITS`] bits: the symbol and above it its length, or zero for longer codes.
static FAST: [u16; 1 << FAST_BITS] = fast();
/// Symbols by code.
static ORDER: [u16; 257] = order();
/// For each length: the first code of a greater length, aligned left in 32 bits, and what to add
/// to a code of this length to have its place in [`ORDER`].
static CLASSES: [(u32, i32); LONGEST + 1] = classes();

#[allow(clippy::indexing_slicing, reason = "evaluated when compiling only")]
const fn order() -> [u16; 257] {
    let mut order = [0; 257];
    let (mut at, mut length) = (0, 0);
    while length <= LONGEST {
        let mut symbol = 0;
        while symbol < 257 {
            if LENGTHS[symbol] as usize == length {
                order[at] = symbol as u16;
                at += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    order
}

#[allow(clippy::indexing_slicing, reason = "evaluated when compiling only")]
const fn codes() -> [(u32, u8); 257] {
    let order = order();
    let mut codes = [(0, 0); 257];
    let (mut at, mut code, mut length) = (0, 0_u32, 0);
    while at < 257 {
        let symbol = order[at] as usize;
        code <<= LENGTHS[symbol] - length;
        length = LENGTHS[symbol];
        codes[symbol] = (code, length);
        code = code.wrapping_add(1);
        at += 1;
    }
    codes
}

#[allow(clippy::indexing_slicing, reason = "evaluated when compiling only")]
const fn fast() -> [u16; 1 << FAST_BITS] {
    let codes = codes();
    let mut fast = [0; 1 << FAST_BITS];
    let mut symbol = 0;
    while symbol < 256 {
        let (code, length) = codes[symbol];
        if length as u32 <= FAST_BITS {
            let free = FAST_BITS - length as u32;
            let mut low = 0;
            while low < 1 << free {
                fast[((code << free) | low) as usize] = symbol as u16 | ((length as u16) << 8);
                low += 1;
            }
        }
        symbol += 1;
    }
    fast
}

#[allow(clippy::indexing_slicing, reason = "evaluated when compiling only")]
const fn classes() -> [(u32, i32); LONGEST + 1] {
    let (order, codes) = (order(), codes());
    let mut classes = [(0, 0); LONGEST + 1];
    let mut at = 0;
    while at < 257 {
        let (code, length) = codes[order[at] as usize];
        // The last code of a class decides its limit; the offset is the same for all of them.
        let offset = at as i32 - code as i32;
        let limit = (code as u64 + 1) << (32 - length as u32);
        let limit = if limit > u32::MAX as u64 {
            u32::MAX
        } else {
            limit as u32
        };
        classes[length as usize] = (limit, offset);
        at += 1;
    }
    classes
}

/// Appends the decoded string to `out`: at most 8/5 of the coded bytes.
///
/// # Errors
/// EOS inside, and padding that is longer than seven bits or not all ones.
pub fn huffman_decode(coded: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    out.reserve(coded.len() * 2);
    let mut rest = coded;
    // The next bits, aligned left.
    let (mut bits, mut count) = (0_u64, 0_u32);
    loop {
        while count <= 56 {
            let Some((byte, behind)) = rest.split_first() else {
                break;
            };
            bits |= u64::from(*byte) << (56 - count);
            count += 8;
            rest = behind;
        }
        let entry = FAST
            .get((bits >> (64 - FAST_BITS)) as usize)
            .copied()
            .unwrap_or(0);
        let (symbol, length) = match entry {
            0 => long((bits >> 32) as u32),
            entry => (entry & 0xff, u32::from(entry >> 8)),
        };
        if length > count {
            break;
        }
        if symbol == EOS {
            return Err(DecodeError::Huffman);
        }
        out.push(symbol as u8);
        bits <<= length;
        count -= length;
    }
    let ones = !0_u64 << (64 - count.max(1));
    if count > 7 || (count > 0 && bits != ones) {
        return Err(DecodeError::Huffman);
    }
    Ok(())
}

/// The symbol and length of a code that is longer than [`FAST_BITS`].
fn long(next: u32) -> (u16, u32) {
    for (length, (limit, offset)) in (0_u32..).zip(&CLASSES).skip(FAST_BITS as usize + 1) {
        if next < *limit || length == LONGEST as u32 {
            let place = (next >> (32 - length)) as i32 + offset;
            let symbol = ORDER.get(place as usize).copied().unwrap_or(EOS);
            return (symbol, length);
        }
    }
    (EOS, LONGEST as u32)
}

/// How many bytes the coded string has.
#[must_use]
pub fn huffman_length(plain: &[u8]) -> usize {
    let length = |byte: &u8| {
        LENGTHS
            .get(usize::from(*byte))
            .map_or(0, |bits| u64::from(*bits))
    };
    let bits: u64 = plain.iter().map(length).sum();
    bits.div_ceil(8) as usize
}

/// Appends the coded string to `out`.
pub fn huffman_encode(plain: &[u8], out: &mut Vec<u8>) {
    let (mut bits, mut count) = (0_u64, 0_u32);
    for byte in plain {
        let (code, length) = CODES.get(usize::from(*byte)).copied().unwrap_or_default();
        bits = (bits << length) | u64::from(code);
        count += u32::from(length);
        while count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    if count > 0 {
        let padding = 8 - count;
        out.push(((bits << padding) | ((1 << padding) - 1)) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_rfc_7541_appendix_b() {
        for (symbol, code, length) in [
            (b'0', 0x0, 5),
            (b'a', 0x3, 5),
            (b' ', 0x14, 6),
            (b'A', 0x21, 6),
            (b'z', 0x7b, 7),
            (b'&', 0xf8, 8),
            (b'!', 0x3f8, 10),
            (b'|', 0x7fc, 11),
            (b'\\', 0x7fff0, 19),
            (0, 0x1ff8, 13),
            (10, 0x3fff_fffc, 30),
            (249, 0xfff_fffe, 28),
        ] {
            assert_eq!(CODES[usize::from(symbol)], (code, length), "{symbol}");
        }
        assert_eq!(CODES[256], (0x3fff_ffff, 30));
    }

    #[test]
    fn every_byte_survives_in_every_bit_position() {
        for shift in 0..8 {
            for byte in 0..=255_u8 {
                let plain = [vec![b'0'; shift], vec![byte, b'x', byte]].concat();
                let (mut coded, mut back) = (Vec::new(), Vec::new());
                huffman_encode(&plain, &mut coded);
                assert_eq!(coded.len(), huffman_length(&plain));
                assert_eq!(huffman_decode(&coded, &mut back), Ok(()));
                assert_eq!(back, plain);
            }
        }
    }

    #[test]
    fn rfc_7541_5_2_padding_and_eos_that_are_wrong_are_refused() {
        for coded in [
            &[0xff][..],                     // eight bits of padding
            &[0x07, 0xff],                   // `0`, then eleven bits of padding
            &[0x00],                         // `0`, then padding of zeros
            &[0x06],                         // `0`, then padding of ones and a zero
            &[0xff, 0xff, 0xff, 0xff],       // EOS and padding
            &[0x07, 0xff, 0xff, 0xff, 0xff], // EOS behind a symbol
        ] {
            let result = huffman_decode(coded, &mut Vec::new());
            assert_eq!(result, Err(DecodeError::Huffman), "{coded:x?}");
        }
        assert_eq!(huffman_decode(&[0x07], &mut Vec::new()), Ok(()));
        assert_eq!(huffman_decode(&[], &mut Vec::new()), Ok(()));
    }
}
