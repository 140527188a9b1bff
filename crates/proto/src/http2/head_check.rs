//! What makes a head malformed (RFC 9113, 8.1.1). The rules are those of HTTP/1 beside: what
//! passes can be written as HTTP/1 and is read there as the same.

use super::fault::Fault;
use super::head::{Head, Part, Pseudo};
use crate::http::{Authority, FieldName, Method, lower_token, token};
use crate::http1::scan;

/// A regular field's name: a token in lower case (8.2.1). The RFC lets other visible bytes pass;
/// HTTP/1 does not, so they could not be forwarded.
#[inline]
pub(super) fn name(name: &[u8]) -> Result<(), Fault> {
    let fits = !name.is_empty()
        && name
            .iter()
            .all(|byte| lower_token(*byte) == *byte && *byte > 0);
    fits.then_some(()).ok_or(Fault::FieldName)
}

/// A value: no control bytes but tabs, no whitespace around it (8.2.1).
#[inline]
pub(super) fn value(value: &[u8]) -> Result<(), Fault> {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let fits = scan::value(value) == value.len() && !blank(value.first()) && !blank(value.last());
    fits.then_some(()).ok_or(Fault::FieldValue)
}

/// Fields that are about a connection of HTTP/1 may not come (8.2.2).
pub(super) fn connection_field(known: FieldName, value: &[u8]) -> Result<(), Fault> {
    match known {
        FieldName::Te if value.eq_ignore_ascii_case(b"trailers") => Ok(()),
        FieldName::Te
        | FieldName::Connection
        | FieldName::KeepAlive
        | FieldName::ProxyConnection
        | FieldName::TransferEncoding
        | FieldName::Upgrade => Err(Fault::ConnectionField),
        _ => Ok(()),
    }
}

pub(super) fn content_length(value: &[u8]) -> Result<u64, Fault> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| digits);
    text.and_then(|text| text.parse().ok())
        .ok_or(Fault::ContentLength)
}

/// Which pseudo field it is, in the part of a message where it may be (8.3).
pub(super) fn pseudo(name: &[u8], part: Part) -> Result<Pseudo, Fault> {
    let request = match name {
        b":status" if matches!(part, Part::Response | Part::Interim) => return Ok(Pseudo::Status),
        b":method" => Pseudo::Method,
        b":scheme" => Pseudo::Scheme,
        b":authority" => Pseudo::Authority,
        b":path" => Pseudo::Path,
        b":protocol" => Pseudo::Protocol,
        _ => return Err(Fault::PseudoUnknown),
    };
    match part {
        Part::Request => Ok(request),
        _ => Err(Fault::PseudoUnknown),
    }
}

pub(super) fn method(value: &[u8]) -> Result<Method, Fault> {
    match !value.is_empty() && value.iter().all(|byte| token(*byte)) {
        true => Ok(Method::of(value)),
        false => Err(Fault::Method),
    }
}

pub(super) fn status(value: &[u8]) -> Result<u16, Fault> {
    match *value {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            let digit = |byte: u8| u16::from(byte - b'0');
            Ok(digit(a) * 100 + digit(b) * 10 + digit(c))
        }
        _ => Err(Fault::Status),
    }
}

/// A request as a whole (8.3.1, 8.5; RFC 8441, 4).
pub(super) fn request(head: &Head, connect_protocol: bool) -> Result<(), Fault> {
    if head.pseudo(Pseudo::Method).is_none() {
        return Err(Fault::PseudoMissing);
    }
    let connect = head.method() == Method::Connect;
    if head.protocol().is_some() && !(connect && connect_protocol) {
        return Err(Fault::Protocol);
    }
    let tunnel = connect && head.protocol().is_none();
    match (head.scheme(), head.path()) {
        (None, None) if tunnel => {}
        (Some(scheme), Some(path)) if !tunnel => target(scheme, path, head.method())?,
        _ => return Err(Fault::PseudoMissing),
    }
    if let Some(protocol) = head.protocol() {
        if protocol.is_empty() || !protocol.iter().all(|byte| token(*byte)) {
            return Err(Fault::Protocol);
        }
    }
    match head.authority() {
        None if connect => Err(Fault::PseudoMissing),
        None => Ok(()),
        Some(authority) => place(head, authority, tunnel),
    }
}

fn target(scheme: &[u8], path: &[u8], method: Method) -> Result<(), Fault> {
    let mark = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let begins = scheme.first().is_some_and(u8::is_ascii_alphabetic);
    if !begins || !scheme.iter().all(mark) {
        return Err(Fault::Scheme);
    }
    match path {
        b"*" if method == Method::Options => Ok(()),
        [b'/', ..] if scan::target(path) == path.len() => Ok(()),
        _ => Err(Fault::Path),
    }
}

/// Whether the authority is one, and Host says nothing else.
fn place(head: &Head, text: &[u8], tunnel: bool) -> Result<(), Fault> {
    let authority = Authority::parse(text).ok_or(Fault::Authority)?;
    if authority.host.is_empty() || (tunnel && authority.port.is_none()) {
        return Err(Fault::Authority);
    }
    let Some(host) = head.host() else {
        return Ok(());
    };
    if host == text {
        return Ok(());
    }
    let defaults: &[u16] = match head.scheme() {
        Some(b"http") => &[80],
        Some(b"https") => &[443],
        _ => &[],
    };
    match Authority::parse(host) {
        Some(host) if host.same_place(&authority, defaults) => Ok(()),
        _ => Err(Fault::HostMismatch),
    }
}

/// A response as a whole (8.3.2).
pub(super) fn response(head: &mut Head) -> Result<(), Fault> {
    match head.status() {
        0 => Err(Fault::PseudoMissing),
        // Switching protocols is not of HTTP/2 (8.6).
        101 => Err(Fault::Interim),
        100..=199 => {
            head.part = Part::Interim;
            Ok(())
        }
        _ => Ok(()),
    }
}
