//! crypt(3) as Unix had it at first: DES (FIPS 46-3) 25 times over zeros, with 12 bits of salt that swap bits
//! of the expansion. Only old files hold such hashes.
//!
//! DES permutes what it takes, and permutes it back at its end. Between two encryptions that is nothing, and
//! zeros stay what they are at the beginning, so that only the last permutation is left.

/// The permutation at the end.
const FINAL: [u8; 64] = [
    40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, 38, 6, 46, 14, 54, 22, 62, 30,
    37, 5, 45, 13, 53, 21, 61, 29, 36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27,
    34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9, 49, 17, 57, 25,
];
/// What the boxes' results are mixed by.
const PERMUTATION: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19,
    13, 30, 6, 22, 11, 4, 25,
];
/// Which bits of the key count.
const KEY: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60,
    52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29,
    21, 13, 5, 28, 20, 12, 4,
];
/// Which of them a round takes.
const ROUND_KEY: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52,
    31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
/// How far both halves of the key are turned before each round.
const SHIFTS: [u32; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
/// What six bits become, four rows of sixteen each.
const BOXES: [[u8; 64]; 8] = [
    [
        14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7, 0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12,
        11, 9, 5, 3, 8, 4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0, 15, 12, 8, 2, 4, 9,
        1, 7, 5, 11, 3, 14, 10, 0, 6, 13,
    ],
    [
        15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10, 3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1,
        10, 6, 9, 11, 5, 0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15, 13, 8, 10, 1, 3, 15,
        4, 2, 11, 6, 7, 12, 0, 5, 14, 9,
    ],
    [
        10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8, 13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5,
        14, 12, 11, 15, 1, 13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7, 1, 10, 13, 0, 6,
        9, 8, 7, 4, 15, 14, 3, 11, 5, 2, 12,
    ],
    [
        7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15, 13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2,
        12, 1, 10, 14, 9, 10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4, 3, 15, 0, 6, 10, 1,
        13, 8, 9, 4, 5, 11, 12, 7, 2, 14,
    ],
    [
        2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9, 14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15,
        10, 3, 9, 8, 6, 4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14, 11, 8, 12, 7, 1, 14,
        2, 13, 6, 15, 0, 9, 10, 4, 5, 3,
    ],
    [
        12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11, 10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13,
        14, 0, 11, 3, 8, 9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6, 4, 3, 2, 12, 9, 5,
        15, 10, 11, 14, 1, 7, 6, 0, 8, 13,
    ],
    [
        4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1, 13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5,
        12, 2, 15, 8, 6, 1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2, 6, 11, 13, 8, 1, 4,
        10, 7, 9, 5, 0, 15, 14, 2, 3, 12,
    ],
    [
        13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7, 1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6,
        11, 0, 14, 9, 2, 7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8, 2, 1, 14, 7, 4, 10,
        8, 13, 15, 12, 9, 0, 3, 5, 6, 11,
    ],
];

/// The hash of a password, of which eight characters count, as it stands behind the salt: 11 digits.
pub(super) fn crypt(password: &[u8], salt: u16) -> [u8; 11] {
    let key = (0..8).fold(0_u64, |key, at| {
        let character = password.get(at).copied().unwrap_or(0);
        key << 8 | u64::from(character << 1)
    });
    let keys = round_keys(key);
    let swapping = swapping(salt);
    let (left, right) = (0..25).fold((0, 0), |halves, _| encrypt(halves, &keys, swapping));
    let block = permuted(left << 32 | right, 64, &FINAL);
    let digits = |at: u32| {
        let bits = u128::from(block) << 2 >> (60 - 6 * at) & 63;
        super::digit(u32::try_from(bits).unwrap_or(0))
    };
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(digits)
}

/// The bits at some places of a number of so many bits, counted from 1 at the left.
fn permuted(bits: u64, width: u32, places: &[u8]) -> u64 {
    places.iter().fold(0, |out, place| {
        out << 1 | bits >> (width - u32::from(*place)) & 1
    })
}

fn round_keys(key: u64) -> [u64; 16] {
    const HALF: u64 = (1 << 28) - 1;
    let chosen = permuted(key, 64, &KEY);
    let (mut left, mut right) = (chosen >> 28, chosen & HALF);
    SHIFTS.map(|shift| {
        left = (left << shift | left >> (28 - shift)) & HALF;
        right = (right << shift | right >> (28 - shift)) & HALF;
        permuted(left << 28 | right, 56, &ROUND_KEY)
    })
}

/// Bit n of the salt swaps bits n and n + 24 of the expansion, counted from the left.
fn swapping(salt: u16) -> u64 {
    (0..12).fold(0, |mask, bit| {
        mask | u64::from(salt >> bit & 1) << (23 - bit)
    })
}

/// The sixteen rounds over both halves of a block, which end the other way round.
fn encrypt(halves: (u64, u64), keys: &[u64; 16], swapping: u64) -> (u64, u64) {
    let (left, right) = keys.iter().fold(halves, |(left, right), key| {
        (right, left ^ scrambled(right, *key, swapping))
    });
    (right, left)
}

fn scrambled(half: u64, key: u64, swapping: u64) -> u64 {
    // Each box takes four bits and one of each neighbour's; the outermost are neighbours.
    let ring = (half & 1) << 33 | half << 1 | half >> 31;
    let expanded = (0..8).fold(0, |out, at| out << 6 | ring >> (28 - 4 * at) & 63);
    let differing = (expanded >> 24 ^ expanded) & swapping;
    let input = expanded ^ (differing << 24 | differing) ^ key;
    let substituted = BOXES.iter().zip(0_u32..).fold(0, |out, (values, at)| {
        let six = input >> (42 - 6 * at) & 63;
        // The outer bits choose the row.
        let place = (six & 0x20) | (six & 1) << 4 | (six >> 1 & 15);
        let value = usize::try_from(place).ok().and_then(|at| values.get(at));
        out << 4 | u64::from(value.copied().unwrap_or(0))
    });
    permuted(substituted, 32, &PERMUTATION)
}
