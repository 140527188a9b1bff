//! Keys that both sides come to (RFC 7518, section 4.6): ECDH with the sender's ephemeral key, and the
//! Concat KDF of NIST SP 800-56A.

use aws_lc_rs::agreement::{
    Algorithm, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, agree,
};
use aws_lc_rs::digest::{Context, SHA256};

use super::token::{PublicKey, Token};
use crate::convert::base64_url_decoded;

/// A curve: its name, its bytes for each coordinate, and its algorithm.
struct Curve(&'static str, usize, &'static Algorithm);

const CURVES: [Curve; 3] = [
    Curve("P-256", 32, &ECDH_P256),
    Curve("P-384", 48, &ECDH_P384),
    Curve("P-521", 66, &ECDH_P521),
];

/// Our own private key.
pub struct Agreement {
    curve: &'static Curve,
    key: PrivateKey,
}

impl Agreement {
    /// The private key of a JWK: a number of as many bytes as the curve has (RFC 7518, 6.2.2.1).
    pub(super) fn from_number(curve: &str, number: &[u8]) -> Option<Self> {
        let curve = CURVES.iter().find(|Curve(name, ..)| *name == curve)?;
        let key = PrivateKey::from_private_key(curve.2, number).ok()?;
        Some(Self { curve, key })
    }

    /// The private key of a file: PKCS #8 or SEC 1 (RFC 5915), DER.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        CURVES.iter().find_map(|curve| {
            let key = PrivateKey::from_private_key_der(curve.2, der).ok()?;
            Some(Self { curve, key })
        })
    }

    /// So many bytes for a purpose, which is an algorithm's name.
    pub(super) fn derive(
        &self,
        token: &Token<'_>,
        purpose: &str,
        length: usize,
    ) -> Option<Vec<u8>> {
        let header = &token.header;
        let party = |text: &Option<String>| match text {
            Some(text) => base64_url_decoded(text.as_bytes()),
            None => Some(Vec::new()),
        };
        let (sender, recipient) = (party(&header.apu)?, party(&header.apv)?);
        let point = self.point(header.epk.as_ref()?)?;
        let peer = UnparsedPublicKey::new(self.curve.2, point);
        agree(&self.key, peer, (), |secret| {
            let parts = [purpose.as_bytes(), &sender, &recipient];
            concat_kdf(secret, parts, length).ok_or(())
        })
        .ok()
    }

    /// A point as ANSI X9.62 writes it; whether it is on the curve is seen when it is used.
    fn point(&self, key: &PublicKey) -> Option<Vec<u8>> {
        let Curve(name, size, _) = self.curve;
        let coordinate =
            |text: &str| base64_url_decoded(text.as_bytes()).filter(|number| number.len() == *size);
        if key.kty != "EC" || key.crv != *name {
            return None;
        }
        Some([vec![4], coordinate(&key.x)?, coordinate(&key.y)?].concat())
    }
}

/// RFC 7518, 4.6.2; `parts` are AlgorithmID, PartyUInfo and PartyVInfo.
pub(super) fn concat_kdf(secret: &[u8], parts: [&[u8]; 3], length: usize) -> Option<Vec<u8>> {
    let bits = u32::try_from(length.checked_mul(8)?).ok()?;
    let mut out = Vec::with_capacity(length.next_multiple_of(32));
    let mut round = 0_u32;
    while out.len() < length {
        round += 1;
        let mut hash = Context::new(&SHA256);
        hash.update(&round.to_be_bytes());
        hash.update(secret);
        for part in parts {
            hash.update(&u32::try_from(part.len()).ok()?.to_be_bytes());
            hash.update(part);
        }
        hash.update(&bits.to_be_bytes());
        out.extend_from_slice(hash.finish().as_ref());
    }
    out.truncate(length);
    Some(out)
}
