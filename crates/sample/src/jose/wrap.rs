//! Content keys that are encrypted with a key that both sides know: AES key wrap (RFC 3394) and GCM
//! (RFC 7518, 4.7).

use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockDecrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::token::Token;
use crate::cipher::gcm_open;
use crate::convert::base64_url_decoded;

/// What a wrapped key begins with (RFC 3394, 2.2.3.1).
const INITIAL: [u8; 8] = [0xa6; 8];
/// A content key has 64 bytes at most, and wrapping adds 8.
const LONGEST: usize = 72;

/// Unwraps a key. One walk for all three sizes: aws-lc-rs wraps with keys of 128 and 256 bits only.
pub(super) fn unwrap(key: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
    match key.len() {
        16 => unwrap_with(&Aes128::new_from_slice(key).ok()?, wrapped),
        24 => unwrap_with(&Aes192::new_from_slice(key).ok()?, wrapped),
        32 => unwrap_with(&Aes256::new_from_slice(key).ok()?, wrapped),
        _ => None,
    }
}

/// RFC 3394, 2.2.2, by indexes.
fn unwrap_with(cipher: &impl BlockDecrypt, wrapped: &[u8]) -> Option<Vec<u8>> {
    if wrapped.len() > LONGEST || wrapped.len() % 8 != 0 || wrapped.len() < 24 {
        return None;
    }
    let (first, rest) = wrapped.split_first_chunk::<8>()?;
    let (mut head, mut words) = (*first, rest.to_vec());
    let count = u64::try_from(words.len() / 8).ok()?;
    for round in (0..6).rev() {
        for (at, word) in words.chunks_exact_mut(8).enumerate().rev() {
            let step = count * round + u64::try_from(at).ok()? + 1;
            let mixed = u64::from_be_bytes(head) ^ step;
            let mut block = [&mixed.to_be_bytes()[..], word].concat();
            cipher.decrypt_block(GenericArray::from_mut_slice(&mut block));
            let (left, right) = block.split_first_chunk::<8>()?;
            head = *left;
            word.copy_from_slice(right);
        }
    }
    verify_slices_are_equal(&head, &INITIAL).ok()?;
    Some(words)
}

/// Decrypts a key whose nonce and tag stand in the header.
pub(super) fn gcm_unwrap(key: &[u8], token: &Token<'_>) -> Option<Vec<u8>> {
    let part = |text: &Option<String>| base64_url_decoded(text.as_ref()?.as_bytes());
    let (iv, tag) = (part(&token.header.iv)?, part(&token.header.tag)?);
    gcm_open(key, &iv, &[], &token.encrypted_key, &tag)
}
