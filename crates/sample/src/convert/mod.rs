//! The converters: tables of rows, one small function each.

mod address;
mod base64;
mod cipher;
mod debug;
mod encode;
mod fix;
mod forwarded;
mod hash;
mod hash32;
mod integer;
mod json;
mod jwt;
mod jwt_decrypt;
mod jwt_verify;
mod language;
mod map;
mod mqtt;
mod packet;
mod protobuf;
mod proxy;
mod regsub;

pub use regsub::substitute;
mod string;
mod table;
mod time;
mod variable;
mod when;
mod word;
mod x509;

use crate::registry::Converter;

/// Decodes base64 as `b64dec` does.
pub(crate) fn base64_decoded(text: &[u8]) -> Option<Vec<u8>> {
    base64::decode(text, base64::STANDARD, true)
}

/// Decodes base64 as tokens have it: for URLs, without padding (RFC 7515, section 2).
pub(crate) fn base64_url_decoded(text: &[u8]) -> Option<Vec<u8>> {
    base64::decode(text, base64::URL_SAFE, false).filter(|_| !text.contains(&b'='))
}

/// Encodes as [`base64_url_decoded`] decodes.
#[cfg(test)]
pub(crate) fn base64_url_encoded(bytes: &[u8]) -> Vec<u8> {
    base64::encode(bytes, base64::URL_SAFE, false)
}

/// Every table.
pub(crate) const TABLES: &[&[Converter]] = &[
    address::CONVERTERS,
    cipher::CONVERTERS,
    debug::CONVERTERS,
    encode::CONVERTERS,
    fix::CONVERTERS,
    forwarded::CONVERTERS,
    hash::CONVERTERS,
    integer::CONVERTERS,
    json::CONVERTERS,
    jwt::CONVERTERS,
    jwt_decrypt::CONVERTERS,
    jwt_verify::CONVERTERS,
    language::CONVERTERS,
    map::CONVERTERS,
    map::OTHERS,
    mqtt::CONVERTERS,
    packet::CONVERTERS,
    protobuf::CONVERTERS,
    proxy::CONVERTERS,
    regsub::CONVERTERS,
    string::CONVERTERS,
    table::CONVERTERS,
    table::OTHERS,
    time::CONVERTERS,
    variable::CONVERTERS,
    when::CONVERTERS,
    word::CONVERTERS,
    x509::CONVERTERS,
];
