//! Decrypting what a token holds (RFC 7518, section 5).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use super::algorithm::Encryption;
use super::token::Token;
use crate::cipher::{cbc_open, gcm_open};

/// The content; `None` where it or its header were changed.
pub(super) fn decrypt(encryption: Encryption, key: &[u8], token: &Token<'_>) -> Option<Vec<u8>> {
    match encryption {
        Encryption::Gcm(_) => gcm_open(key, &token.iv, token.protected, &token.content, &token.tag),
        Encryption::CbcHmac(bits) => cbc(bits, key, token),
    }
}

/// CBC that HMAC authenticates (section 5.2): nothing is decrypted before the tag was found right, so
/// that padding tells nobody anything.
fn cbc(bits: usize, key: &[u8], token: &Token<'_>) -> Option<Vec<u8>> {
    let half = bits / 8;
    let (authenticating, encrypting) = key.split_at_checked(half)?;
    let algorithm = match bits {
        128 => hmac::HMAC_SHA256,
        192 => hmac::HMAC_SHA384,
        _ => hmac::HMAC_SHA512,
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, authenticating));
    let length = u64::try_from(token.protected.len()).ok()?.checked_mul(8)?;
    for part in [
        token.protected,
        &token.iv,
        &token.content,
        &length.to_be_bytes()[..],
    ] {
        context.update(part);
    }
    let made = context.sign();
    verify_slices_are_equal(made.as_ref().get(..half)?, &token.tag).ok()?;
    cbc_open(encrypting, &token.iv, &token.content)
}
