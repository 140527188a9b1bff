//! What of a head is for one connection only, and is not sent on (RFC 9110, 7.6.1).

use super::facts::{Facts, bit, is_h2c};
use super::fields::{Field, Fields};
use super::request::RequestHead;
use super::response::{Exchange, ResponseHead};
use super::rewrite::{FieldId, Rewrite};
use crate::http::{FieldName, elements};

/// The most names that a sender's Connection may list. More are not looked for, so that a list
/// of thousands costs no more than a list of these; no honest sender names as many.
const MOST_OPTIONS: usize = 64;

/// How a head is sent on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Forward<'a> {
    /// Names, in lower case, that the proxy sets: no Connection may have them removed.
    pub protected: &'a [&'a [u8]],
    /// Whether a chunked body stays chunked, and Transfer-Encoding with it. It must not for
    /// HTTP/1.0 recipients; a caller that chunks a body anew adds the field itself.
    pub chunks: bool,
}

impl RequestHead {
    /// Removes what is not for the server: Connection and what it lists, Keep-Alive,
    /// Proxy-Connection, TE but for `trailers`, HTTP2-Settings, and Upgrade unless it is a real
    /// one. Content-Length goes where Transfer-Encoding overrules it. Whether the connection to
    /// the server is to persist is the caller's to add.
    pub fn forward(&self, buf: &[u8], how: Forward<'_>, rewrite: &mut Rewrite) {
        let keep = Keep {
            upgrade: self.asks_upgrade(),
            framing: true,
        };
        strip(&self.fields, &self.facts, buf, how, keep, rewrite);
    }
}

impl ResponseHead {
    /// Removes what is not for the client, as [`RequestHead::forward`] does. 1xx and 204 lose
    /// their framing fields too, which they must not have (RFC 9110, 8.6).
    pub fn forward(&self, buf: &[u8], exchange: Exchange, how: Forward<'_>, rewrite: &mut Rewrite) {
        let keep = Keep {
            upgrade: exchange.upgrade && self.status() == 101,
            framing: !matches!(self.status(), 100..=199 | 204),
        };
        strip(&self.fields, &self.facts, buf, how, keep, rewrite);
    }
}

#[derive(Clone, Copy)]
struct Keep {
    upgrade: bool,
    framing: bool,
}

fn strip(
    fields: &Fields,
    facts: &Facts,
    buf: &[u8],
    how: Forward<'_>,
    keep: Keep,
    rewrite: &mut Rewrite,
) {
    let hop = bit(FieldName::Connection)
        | bit(FieldName::KeepAlive)
        | bit(FieldName::ProxyConnection)
        | bit(FieldName::Te)
        | bit(FieldName::Upgrade)
        | bit(FieldName::Http2Settings)
        | bit(FieldName::TransferEncoding)
        | bit(FieldName::ContentLength);
    if facts.seen & hop == 0 {
        return;
    }
    let mut lengths = 0;
    for (index, field) in (0..).zip(fields.as_slice()) {
        let id = FieldId::Received(index);
        let remove = match field.known {
            FieldName::Connection
            | FieldName::KeepAlive
            | FieldName::ProxyConnection
            | FieldName::Http2Settings => true,
            FieldName::Te => !keep_trailers(field, id, buf, rewrite),
            FieldName::Upgrade => !keep.upgrade || !keep_protocols(field, id, buf, rewrite),
            FieldName::TransferEncoding => !how.chunks || !keep.framing,
            FieldName::ContentLength => {
                lengths += 1;
                facts.chunked || !keep.framing || lengths > 1
            }
            _ => false,
        };
        if remove {
            rewrite.remove(id);
        }
    }
    if facts.seen & bit(FieldName::Connection) != 0 {
        strip_listed(fields, buf, how, rewrite);
    }
    if keep.upgrade {
        rewrite.add(b"connection", b"upgrade");
    }
}

/// Of TE only `trailers` may be passed on: the proxy takes no other coding (RFC 9110, 10.1.4).
fn keep_trailers(field: &Field, id: FieldId, buf: &[u8], rewrite: &mut Rewrite) -> bool {
    let value = field.value.of(buf);
    let keeps = elements(value).any(|coding| coding.eq_ignore_ascii_case(b"trailers"));
    if keeps && value != b"trailers" {
        rewrite.set_value(id, b"trailers");
    }
    keeps
}

/// Takes `h2c` out of an Upgrade; false if nothing else was in it.
fn keep_protocols(field: &Field, id: FieldId, buf: &[u8], rewrite: &mut Rewrite) -> bool {
    let value = field.value.of(buf);
    if !elements(value).any(is_h2c) {
        return true;
    }
    let mut others = Vec::new();
    for protocol in elements(value).filter(|protocol| !is_h2c(protocol)) {
        if !others.is_empty() && !protocol.is_empty() {
            others.extend_from_slice(b", ");
        }
        others.extend_from_slice(protocol);
    }
    rewrite.set_value(id, &others);
    !others.is_empty()
}

/// Removes the fields that Connection names, but for those that are everybody's.
fn strip_listed(fields: &Fields, buf: &[u8], how: Forward<'_>, rewrite: &mut Rewrite) {
    let listing = fields.as_slice().iter();
    let options = listing
        .filter(|field| field.known == FieldName::Connection)
        .flat_map(|field| elements(field.value.of(buf)))
        .filter(|option| !is_own_option(option))
        .take(MOST_OPTIONS);
    for option in options {
        for (index, field) in (0..).zip(fields.as_slice()) {
            let name = field.name.of(buf);
            let kept = field.known.is_end_to_end() || field.known.is_hop_by_hop();
            if !kept && name.eq_ignore_ascii_case(option) && !how.protected.contains(&name) {
                rewrite.remove(FieldId::Received(index));
            }
        }
    }
}

/// Options that name no field.
fn is_own_option(option: &[u8]) -> bool {
    option.eq_ignore_ascii_case(b"close") || option.eq_ignore_ascii_case(b"keep-alive")
}
