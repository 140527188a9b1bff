//! Decrypting what a token holds (RFC 7518, section 5).

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut, KeyIvInit};
use aes::{Aes128, Aes192, Aes256};
use aws_lc_rs::aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use super::algorithm::Encryption;
use super::token::Token;

/// Bytes of a tag of GCM.
const TAG: usize = 16;

/// The content; `None` where it or its header were changed.
pub(super) fn decrypt(encryption: Encryption, key: &[u8], token: &Token<'_>) -> Option<Vec<u8>> {
    match encryption {
        Encryption::Gcm(_) => gcm(key, &token.iv, token.protected, &token.content, &token.tag),
        Encryption::CbcHmac(bits) => cbc(bits, key, token),
    }
}

/// GCM with a nonce of 96 bits and a tag of 128; the key's length says which AES it is.
pub(super) fn gcm(
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
    content: &[u8],
    tag: &[u8],
) -> Option<Vec<u8>> {
    let algorithm = match key.len() {
        16 => &AES_128_GCM,
        24 => &AES_192_GCM,
        32 => &AES_256_GCM,
        _ => return None,
    };
    if tag.len() != TAG {
        return None;
    }
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
    let mut sealed = [content, tag].concat();
    let opened = key.open_in_place(nonce, Aad::from(aad), &mut sealed).ok()?;
    Some(opened.to_vec())
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
    match bits {
        128 => opened::<Aes128>(encrypting, &token.iv, &token.content),
        192 => opened::<Aes192>(encrypting, &token.iv, &token.content),
        _ => opened::<Aes256>(encrypting, &token.iv, &token.content),
    }
}

fn opened<C>(key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>>
where
    C: aes::cipher::BlockCipher + BlockDecryptMut,
    cbc::Decryptor<C>: KeyIvInit + BlockDecryptMut,
{
    let cipher = cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?;
    cipher.decrypt_padded_vec_mut::<Pkcs7>(content).ok()
}
