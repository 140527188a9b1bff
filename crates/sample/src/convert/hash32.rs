//! `crc32c`, the one 32-bit hash of the converters that `hash-type` does not have: the others are
//! the balance crate's.

/// `crc32c`: Castagnoli's CRC (RFC 4960, appendix B).
pub(super) fn crc32c(key: &[u8]) -> u32 {
    reflected_crc(key, &CRC32C)
}

static CRC32C: [u32; 256] = crc_table(0x82f6_3b78);

const fn crc_table(polynomial: u32) -> [u32; 256] {
    let mut table = [0_u32; 256];
    let mut rest: &mut [u32] = &mut table;
    let mut byte = 0;
    while let [first, others @ ..] = rest {
        let mut value = byte;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ polynomial
            } else {
                value >> 1
            };
            bit += 1;
        }
        *first = value;
        rest = others;
        byte += 1;
    }
    table
}

fn reflected_crc(key: &[u8], table: &[u32; 256]) -> u32 {
    let crc = key.iter().fold(u32::MAX, |crc, &byte| {
        let place = (crc ^ u32::from(byte)) & 0xff;
        // The table has an entry for each of the 256 places.
        (crc >> 8) ^ table.get(place as usize).copied().unwrap_or(0)
    });
    !crc
}
