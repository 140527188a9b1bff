//! AES in its two modes, for converters and for tokens. A key's length says which AES it is; what has no
//! fitting length is `None`, as is what does not decrypt.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockCipher, BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use aes::{Aes128, Aes192, Aes256};
use aws_lc_rs::aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Bytes of a tag of GCM.
pub(crate) const TAG: usize = 16;

fn gcm(key: &[u8]) -> Option<LessSafeKey> {
    let algorithm = match key.len() {
        16 => &AES_128_GCM,
        24 => &AES_192_GCM,
        32 => &AES_256_GCM,
        _ => return None,
    };
    UnboundKey::new(algorithm, key).ok().map(LessSafeKey::new)
}

/// Decrypts with GCM, with a nonce of 96 bits and a tag of 128.
pub(crate) fn gcm_open(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    content: &[u8],
    tag: &[u8],
) -> Option<Vec<u8>> {
    if tag.len() != TAG {
        return None;
    }
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut sealed = [content, tag].concat();
    let opened = gcm(key)?.open_in_place(nonce, Aad::from(aad), &mut sealed);
    let length = opened.ok()?.len();
    sealed.truncate(length);
    Some(sealed)
}

/// Encrypts with GCM, with a nonce of 96 bits: what it made, and the tag.
pub(crate) fn gcm_seal(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    content: &[u8],
) -> Option<(Vec<u8>, Vec<u8>)> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut sealed = content.to_vec();
    let tag = gcm(key)?.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut sealed);
    Some((sealed, tag.ok()?.as_ref().to_vec()))
}

/// Decrypts with CBC and PKCS #7's padding.
pub(crate) fn cbc_open(key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    match key.len() {
        16 => open::<Aes128>(key, iv, content),
        24 => open::<Aes192>(key, iv, content),
        _ => open::<Aes256>(key, iv, content),
    }
}

/// Encrypts with CBC and PKCS #7's padding.
pub(crate) fn cbc_seal(key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    match key.len() {
        16 => seal::<Aes128>(key, iv, content),
        24 => seal::<Aes192>(key, iv, content),
        _ => seal::<Aes256>(key, iv, content),
    }
}

fn open<C>(key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>>
where
    C: BlockCipher + BlockDecryptMut,
    cbc::Decryptor<C>: KeyIvInit + BlockDecryptMut,
{
    let cipher = cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?;
    cipher.decrypt_padded_vec_mut::<Pkcs7>(content).ok()
}

fn seal<C>(key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>>
where
    C: BlockCipher + BlockEncryptMut,
    cbc::Encryptor<C>: KeyIvInit + BlockEncryptMut,
{
    let cipher = cbc::Encryptor::<C>::new_from_slices(key, iv).ok()?;
    Some(cipher.encrypt_padded_vec_mut::<Pkcs7>(content))
}
