//! table: statuses: the usual reasons and the proxy's own words.

use std::borrow::Cow;

/// What HAProxy calls a status that has no name of its own: by its class.
fn class(status: u16) -> &'static str {
    match status / 100 {
        2 => "Success",
        3 => "Redirection",
        4 => "Client Error",
        5 => "Server Error",
        _ => "Other",
    }
}

/// The usual reason phrase of a status (RFC 9110, 15; RFC 6585; RFC 8470).
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Payload Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        418 => "I'm a Teapot",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        511 => "Network Authentication Required",
        other => class(other),
    }
}

/// What the proxy says with a status.
fn words(status: u16) -> &'static str {
    match status {
        200 => "The service is ready.",
        400 => "This is not a valid HTTP request.",
        401 => "Valid credentials are needed here.",
        403 => "The rules of this service forbid the request.",
        404 => "There is nothing under this address.",
        405 => "This method is not allowed here.",
        407 => "The proxy needs valid credentials.",
        408 => "The request did not arrive in time.",
        410 => "What was here is gone.",
        413 => "The request is too large.",
        414 => "The address is too long.",
        421 => "The request was sent to the wrong place.",
        422 => "The request cannot be processed.",
        425 => "The request came too early.",
        429 => "Too many requests were sent in a short time.",
        431 => "The fields of the request are too large.",
        500 => "The proxy could not process the request.",
        501 => "The proxy does not know how to do this.",
        502 => "The server's response was not valid or not complete.",
        503 => "No server can take the request now.",
        504 => "The server did not answer in time.",
        505 => "This version of HTTP is not spoken here.",
        _ => "The request was not processed.",
    }
}

/// Without it a 401 would be none (RFC 9110, 15.5.2); `auth` puts another in its place.
pub(super) const CHALLENGE: &str = "www-authenticate: Basic realm=\"isthmus\"\r\n";

/// Whether a byte of a value must not stand in a head (RFC 9110, 5.5): it would end the line, or the
/// message's reader would refuse it.
fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

/// Appends a value that was made of anything: what must not stand in a head as `%HH`, as HAProxy
/// writes it.
pub(super) fn push_encoded(out: &mut Vec<u8>, value: &[u8]) {
    push_without(is_control, out, value);
}

fn push_without(unwanted: fn(u8) -> bool, out: &mut Vec<u8>, value: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in value {
        if unwanted(byte) {
            let digit = |at: u8| DIGITS.get(usize::from(at)).copied().unwrap_or_default();
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        } else {
            out.push(byte);
        }
    }
}

/// A value as [`push_encoded`] writes it.
pub(super) fn encoded(value: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    // Every byte is looked at, so that it is done for many at once: most values hold none.
    let any = |found, byte: &u8| found | is_control(*byte);
    if !value.iter().fold(false, any) {
        return value;
    }
    let mut out = Vec::with_capacity(value.len() + 16);
    push_encoded(&mut out, &value);
    Cow::Owned(out)
}

/// The same for a part of a request's target, which ends at the first blank.
pub(super) fn encoded_target(value: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let ends = |byte: u8| byte <= b' ' || byte == 0x7f;
    if !value.iter().copied().any(ends) {
        return value;
    }
    let mut out = Vec::with_capacity(value.len() + 16);
    push_without(ends, &mut out, &value);
    Cow::Owned(out)
}

/// The built-in answer with a status: a whole HTTP message.
pub(super) fn built_in(status: u16) -> Vec<u8> {
    let words = words(status);
    let reason = match status {
        // HAProxy's own pages are spelled so, and logs and scripts may know them.
        400 => "Bad request",
        408 => "Request Time-out",
        504 => "Gateway Time-out",
        status => reason(status),
    };
    let body = match status {
        100..=199 | 204 | 304 => String::new(),
        _ => format!("<html><body><h1>{status} {reason}</h1>\n{words}\n</body></html>\n"),
    };
    let length = body.len();
    let more = match status {
        401 => CHALLENGE,
        _ => "",
    };
    format!(
        "HTTP/1.1 {status} {reason}\r\ncontent-length: {length}\r\ncache-control: no-cache\r\n\
         content-type: text/html\r\n{more}\r\n{body}"
    )
    .into_bytes()
}
