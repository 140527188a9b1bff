//! Tokens that are encrypted (RFC 7516, compact serialization), with the algorithms of RFC 7518:
//! `jwt_decrypt_cert`, `jwt_decrypt_jwk` and `jwt_decrypt_secret`. Reads no clock and no file.
//!
//! Whoever sends a token learns nothing of why it was not decrypted: there is one answer for all
//! that may be wrong with it.

mod agreement;
mod algorithm;
mod certificate;
mod content;
mod jwk;
mod rsa;
#[cfg(test)]
mod tests;
mod token;
mod wrap;

pub use algorithm::Allowed;
pub use certificate::Certificates;
pub(crate) use certificate::Found;

use arc_swap::ArcSwap;

use crate::convert::base64_url_decoded;
use agreement::Agreement;
use algorithm::{Encryption, Management};
use token::Token;

/// What a configuration says about tokens: which algorithms they may use, and the certificates.
#[derive(Debug, Default)]
pub struct Jose {
    /// Algorithms of encrypted tokens.
    pub allowed: Allowed,
    /// Certificates by name; they may be replaced while expressions use them.
    pub certificates: ArcSwap<Certificates>,
}

/// What tokens are decrypted with. It is never shown.
pub enum Key {
    /// Bytes that both sides know.
    Symmetric(Box<[u8]>),
    /// A private key on an elliptic curve.
    Curve(Agreement),
    /// A private key of RSA.
    Rsa(rsa::Rsa),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

impl Key {
    /// A secret as `jwt_decrypt_secret` has it: base64 of either alphabet, with padding or without.
    pub(crate) fn from_secret(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii_end();
        let end = text
            .iter()
            .rposition(|byte| *byte != b'=')
            .map_or(0, |at| at + 1);
        let digits: Vec<u8> = text.get(..end)?.iter().map(url_safe).collect();
        let bytes = base64_url_decoded(&digits).filter(|bytes| !bytes.is_empty())?;
        Some(Self::Symmetric(bytes.into()))
    }

    /// A JSON Web Key (RFC 7517) of type `oct`, `EC` or `RSA`, private where there is such a half.
    pub(crate) fn from_jwk(text: &[u8]) -> Option<Self> {
        jwk::read(text)
    }
}

fn url_safe(digit: &u8) -> u8 {
    match digit {
        b'+' => b'-',
        b'/' => b'_',
        other => *other,
    }
}

/// What a token holds; `None` where it is none, its algorithms are not allowed, the key is not the
/// right one, or anything of it was changed.
pub(crate) fn decrypt(token: &[u8], key: &Key, allowed: Allowed) -> Option<Vec<u8>> {
    let token = Token::read(token)?;
    let management = Management::named(&token.header.alg)?;
    let encryption = Encryption::named(&token.header.enc)?;
    if !allowed.management(management) || !allowed.encryption(encryption) {
        return None;
    }
    let content_key = content_key(&token, key, management, encryption)?;
    content::decrypt(encryption, &content_key, &token)
}

/// The key that the content is encrypted with, of the length that is asked for.
fn content_key(
    token: &Token<'_>,
    key: &Key,
    management: Management,
    encryption: Encryption,
) -> Option<Vec<u8>> {
    let length = encryption.key_length();
    let found = match (management, key) {
        (Management::Direct, Key::Symmetric(own)) => {
            token.encrypted_key.is_empty().then(|| own.to_vec())?
        }
        (Management::Wrap(bits), Key::Symmetric(own)) => {
            wrap::unwrap(sized(own, bits)?, &token.encrypted_key)?
        }
        (Management::GcmWrap(bits), Key::Symmetric(own)) => {
            wrap::gcm_unwrap(sized(own, bits)?, token)?
        }
        (Management::Agree, Key::Curve(own)) => {
            let direct = token.encrypted_key.is_empty();
            own.derive(token, &token.header.enc, length)
                .filter(|_| direct)?
        }
        (Management::AgreeWrap(bits), Key::Curve(own)) => {
            let wrapping = own.derive(token, &token.header.alg, bits / 8)?;
            wrap::unwrap(&wrapping, &token.encrypted_key)?
        }
        (Management::Rsa(padding), Key::Rsa(own)) => {
            own.decrypt(padding, &token.encrypted_key, length)?
        }
        _ => return None,
    };
    (found.len() == length).then_some(found)
}

/// A key, if it has so many bits.
fn sized(key: &[u8], bits: usize) -> Option<&[u8]> {
    (key.len() * 8 == bits).then_some(key)
}
