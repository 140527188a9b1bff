//! A token in parts (RFC 7516, section 7.1), and its header (sections 4.1 and RFC 7518, 4.6.1, 4.7.1).

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::convert::base64_url_decoded;

/// What the header says. One of these names that stands twice makes it no header (RFC 7516, section 4).
#[derive(Deserialize)]
pub(super) struct Header {
    /// How the content's key is encrypted.
    pub(super) alg: String,
    /// How the content is encrypted.
    pub(super) enc: String,
    /// The nonce of a key that is encrypted with GCM.
    pub(super) iv: Option<String>,
    /// The tag of a key that is encrypted with GCM.
    pub(super) tag: Option<String>,
    /// The sender's ephemeral key.
    pub(super) epk: Option<PublicKey>,
    /// What is known of the sender.
    pub(super) apu: Option<String>,
    /// What is known of the recipient.
    pub(super) apv: Option<String>,
    #[serde(default, deserialize_with = "present")]
    zip: bool,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// Whether a member is there, whatever it says: also `null`, which would be none to an [`Option`].
fn present<'de, D: Deserializer<'de>>(member: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(member).map(|_| true)
}

/// A public key on an elliptic curve (RFC 7518, 6.2.1).
#[derive(Deserialize)]
pub(super) struct PublicKey {
    pub(super) kty: String,
    pub(super) crv: String,
    pub(super) x: String,
    pub(super) y: String,
}

/// The parts between the dots, decoded.
pub(super) struct Token<'a> {
    pub(super) header: Header,
    /// The header as it was written: what is authenticated beside the content.
    pub(super) protected: &'a [u8],
    pub(super) encrypted_key: Vec<u8>,
    pub(super) iv: Vec<u8>,
    pub(super) content: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl<'a> Token<'a> {
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        let mut parts = text.split(|byte| *byte == b'.');
        let protected = parts.next()?;
        let mut next = || base64_url_decoded(parts.next()?);
        let (encrypted_key, iv, content, tag) = (next()?, next()?, next()?, next()?);
        if parts.next().is_some() {
            return None;
        }
        let header: Header = serde_json::from_slice(&base64_url_decoded(protected)?).ok()?;
        // What is not understood must be (`crit`), or would be read as something else (`zip`).
        if header.zip || header.crit {
            return None;
        }
        Some(Self {
            header,
            protected,
            encrypted_key,
            iv,
            content,
            tag,
        })
    }
}
