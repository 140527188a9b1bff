//! JSON Web Keys (RFC 7517; RFC 7518, section 6).

use serde::Deserialize;

use super::Key;
use super::agreement::Agreement;
use super::rsa::Rsa;
use crate::convert::base64_url_decoded;

/// The members that a key to decrypt with may have. One that stands twice makes it no key.
#[derive(Deserialize)]
struct Members {
    kty: String,
    crv: Option<String>,
    k: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

/// Reads a key; `None` for one of another type, and one without its private half.
pub(super) fn read(text: &[u8]) -> Option<Key> {
    let members: Members = serde_json::from_slice(text).ok()?;
    let number = |member: &Option<String>| {
        let bytes = base64_url_decoded(member.as_ref()?.as_bytes())?;
        (!bytes.is_empty()).then_some(bytes)
    };
    match members.kty.as_str() {
        "oct" => Some(Key::Symmetric(number(&members.k)?.into())),
        "EC" => {
            let curve = members.crv.as_ref()?;
            Agreement::from_number(curve, &number(&members.d)?).map(Key::Curve)
        }
        "RSA" => Rsa::from_numbers(&[
            number(&members.n)?,
            number(&members.e)?,
            number(&members.d)?,
            number(&members.p)?,
            number(&members.q)?,
            number(&members.dp)?,
            number(&members.dq)?,
            number(&members.qi)?,
        ])
        .map(Key::Rsa),
        _ => None,
    }
}
