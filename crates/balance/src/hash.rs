//! The 32-bit hash functions of `hash-type`, which are converters too.
//!
//! sdbm and djb2 are the published string hashes, crc32 is IEEE 802.3's. wt6 exists in HAProxy
//! only; its constants were solved for from HAProxy's answers (balance_oracle/derive_wt6.py).

use std::net::IpAddr;

/// A function of `hash-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Function {
    /// `sdbm`, the default.
    #[default]
    Sdbm,
    /// `djb2`.
    Djb2,
    /// `wt6`.
    Wt6,
    /// `crc32`.
    Crc32,
    /// `none` (HAProxy 3.x): the key's own number, for keys that are hashes already.
    None,
}

impl Function {
    /// The function's value for `key`.
    #[must_use]
    pub fn apply(self, key: &[u8]) -> u32 {
        match self {
            Self::Sdbm => sdbm(key),
            Self::Djb2 => djb2(key),
            Self::Wt6 => wt6(key),
            Self::Crc32 => crc32(key),
            Self::None => none(key),
        }
    }
}

/// `sdbm`: each byte added to the hash times 65599.
#[must_use]
pub fn sdbm(key: &[u8]) -> u32 {
    key.iter().fold(0, |hash: u32, &byte| {
        hash.wrapping_mul(65599).wrapping_add(u32::from(byte))
    })
}

/// `djb2`: each byte added to the hash times 33, from 5381.
#[must_use]
pub fn djb2(key: &[u8]) -> u32 {
    key.iter().fold(5381, |hash: u32, &byte| {
        hash.wrapping_mul(33).wrapping_add(u32::from(byte))
    })
}

/// `wt6`: two words, one fed by XOR and one by addition, which change places at every byte and
/// are rotated by amounts taken from themselves.
#[must_use]
pub fn wt6(key: &[u8]) -> u32 {
    let (mut xored, mut summed) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut summed_turn, mut xored_turn) = (6, 18);
    for &byte in key {
        let byte = u32::from(byte);
        let fed = !(xored ^ byte);
        xored = (!summed.wrapping_add(byte)).rotate_left(summed_turn);
        summed = fed.rotate_left(xored_turn);
        let turns = (xored >> 16) ^ (summed & 0xffff);
        summed_turn = turns & 0x1f;
        xored_turn = turns >> 11;
    }
    xored ^ summed
}

/// The table of CRC-32 with the reflected polynomial 0xedb88320.
const CRC32_TABLE: [u32; 256] = crc32_table();

const fn crc32_table() -> [u32; 256] {
    let mut table = [0_u32; 256];
    let mut rest: &mut [u32] = &mut table;
    let mut byte = 0;
    while let [first, others @ ..] = rest {
        let mut value = byte;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ 0xedb8_8320
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

/// `crc32`: the CRC of Ethernet, gzip and PNG.
#[must_use]
pub fn crc32(key: &[u8]) -> u32 {
    let crc = key.iter().fold(u32::MAX, |crc, &byte| {
        let place = (crc ^ u32::from(byte)) & 0xff;
        // The table has an entry for each of the 256 places.
        (crc >> 8) ^ CRC32_TABLE.get(place as usize).copied().unwrap_or(0)
    });
    !crc
}

/// `none`: the last four bytes of the key as a number in network order, fewer as they are. Of HAProxy 3.x's
/// own reading of the key nothing was observed: 2.6 does not have it.
#[must_use]
pub fn none(key: &[u8]) -> u32 {
    key.iter()
        .fold(0, |number: u32, &byte| (number << 8) | u32::from(byte))
}

/// `avalanche`: Bob Jenkins' full avalanche mix of a 32-bit integer, and a last multiplication
/// that spreads the two lowest bits over the two highest (seen in HAProxy's answers).
#[must_use]
pub fn avalanche(value: u32) -> u32 {
    let mut a = value;
    a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    a = (a ^ 0xc761_c23c) ^ (a >> 19);
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    a.wrapping_mul(0xc000_0001)
}

/// What `balance source` hashes: an IPv4 address as a number, the XOR of the four
/// 32-bit words of an IPv6 address. The function of `hash-type` plays no part in it.
#[must_use]
pub fn source(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => address.to_bits(),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let folded = bits ^ (bits >> 64);
            (folded ^ (folded >> 32)) as u32
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_gives_the_check_value_of_its_catalogue_entry() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn each_function_gives_what_haproxy_2_6_was_seen_to_give() {
        assert_eq!(wt6(b""), 0xf99a_0360);
        assert_eq!(wt6(b"a"), 0x714b_f225);
        assert_eq!(wt6(b"ab"), 0x12b8_a5f9);
        assert_eq!(wt6(b"\xff\x80"), 0x52b9_998d);
        assert_eq!(sdbm(b"ab"), 0x0061_1841);
        assert_eq!(djb2(b"ab"), 0x0059_7728);
        assert_eq!(crc32(b"ab"), 0x9e83_486d);
        assert_eq!(avalanche(0), 0xab4e_d927);
        assert_eq!(avalanche(0x61), 0x6d1e_ff97);
    }

    #[test]
    fn an_ipv6_source_is_the_xor_of_its_words() {
        let address = "0001:0002:0010:0020:0100:0200:1000:2000".parse().unwrap();
        assert_eq!(source(address), 0x1111_2222);
    }
}
