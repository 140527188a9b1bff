//! `option forwarded`: who asked, through what, in one field (RFC 7239).

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

use isthmus_plan::http as from;
use isthmus_proto::http::FieldList;
use isthmus_sample::{Compiled, Sample};

use crate::rules::Compiler;
use crate::session::Session;
use crate::view::View;

/// The parameters that are written.
pub(crate) struct Forwarded {
    proto: bool,
    host: Option<Node>,
    by: Endpoint,
    r#for: Endpoint,
}

/// An address, and a port beside it.
struct Endpoint {
    name: Option<Node>,
    port: Option<Node>,
}

/// Where a value is taken from: the connection, or an expression.
enum Node {
    Own,
    Computed(Compiled),
}

impl Forwarded {
    pub(super) fn compile(
        from: &from::Forwarded,
        origin: &str,
        compiler: &mut Compiler<'_>,
    ) -> Self {
        let mut node = |from: &Option<from::ForwardedNode>| {
            from.as_ref().and_then(|node| match &node.expression {
                None => Some(Node::Own),
                Some(expression) => compiler.expression(origin, expression).map(Node::Computed),
            })
        };
        Self {
            proto: from.proto,
            host: node(&from.host),
            by: Endpoint {
                name: node(&from.by),
                port: node(&from.by_port),
            },
            r#for: Endpoint {
                name: node(&from.r#for),
                port: node(&from.for_port),
            },
        }
    }

    /// The field's value; empty where nothing can be said.
    pub(super) fn value(&self, session: &Session, view: &View<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        if self.proto {
            out.extend_from_slice(b"proto=http");
        }
        if let Some(host) = &self.host {
            let said = match host {
                Node::Own => view.http_head(isthmus_sample::Side::Request).map(|head| {
                    let mut found = Vec::new();
                    head.for_each(&mut |name, value| {
                        let is_host = name == b"host";
                        if is_host {
                            found.extend_from_slice(value);
                        }
                        !is_host
                    });
                    found
                }),
                Node::Computed(expression) => text(expression, view),
            };
            if let Some(said) = said.filter(|said| !said.is_empty()) {
                begin(&mut out, "host");
                quote(&mut out, &said);
            }
        }
        let (source, destination) = (session.source(), session.destination());
        for (key, endpoint, own) in [("by", &self.by, destination), ("for", &self.r#for, source)] {
            if endpoint.name.is_some() || endpoint.port.is_some() {
                begin(&mut out, key);
                write_node(
                    &mut out,
                    &endpoint.name(own, view),
                    &endpoint.port(own, view),
                );
            }
        }
        out
    }
}

impl Endpoint {
    fn name(&self, own: Option<SocketAddr>, view: &View<'_>) -> Name {
        match &self.name {
            None => Name::Unknown,
            Some(Node::Own) => own.map_or(Name::Unknown, |own| Name::Address(own.ip())),
            Some(Node::Computed(expression)) => match expression.value(view) {
                Some(Sample::Ipv4(ip)) => Name::Address(ip.into()),
                Some(Sample::Ipv6(ip)) => Name::Address(ip.into()),
                Some(_) => text(expression, view).map_or(Name::Unknown, |text| Name::of(&text)),
                None => Name::Unknown,
            },
        }
    }

    fn port(&self, own: Option<SocketAddr>, view: &View<'_>) -> Vec<u8> {
        match &self.port {
            None => Vec::new(),
            Some(Node::Own) => own.map_or_else(Vec::new, |own| own.port().to_string().into()),
            Some(Node::Computed(expression)) => match expression.value(view) {
                Some(Sample::Int(port)) if u16::try_from(port).is_ok() => port.to_string().into(),
                Some(_) => text(expression, view).map_or_else(Vec::new, |text| port(&text)),
                None => Vec::new(),
            },
        }
    }
}

fn text(expression: &Compiled, view: &View<'_>) -> Option<Vec<u8>> {
    match expression.value_as(view, isthmus_sample::Kind::Str)? {
        Sample::Str(text) => Some(text.into_owned()),
        _ => None,
    }
}

/// A node's name (RFC 7239, 6).
#[derive(Debug, PartialEq, Eq)]
enum Name {
    Address(IpAddr),
    /// With its underscore.
    Obfuscated(Vec<u8>),
    Unknown,
}

impl Name {
    fn of(said: &[u8]) -> Self {
        let address = std::str::from_utf8(said).ok();
        if let Some(ip) = address.and_then(|text| text.parse().ok()) {
            return Self::Address(ip);
        }
        match obfuscated(said) {
            Some(_) if said == b"unknown" => Self::Unknown,
            Some(name) => Self::Obfuscated(name),
            None => Self::Unknown,
        }
    }
}

/// An identifier that tells nothing, made right by an underscore (RFC 7239, 6.3).
fn obfuscated(said: &[u8]) -> Option<Vec<u8>> {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if said.is_empty() || !said.iter().all(fits) {
        return None;
    }
    let mark: &[u8] = if said.starts_with(b"_") { b"" } else { b"_" };
    Some([mark, said].concat())
}

/// A port that is given as text: a number, or an identifier that tells nothing.
fn port(said: &[u8]) -> Vec<u8> {
    let number = std::str::from_utf8(said).ok();
    match number.and_then(|text| text.parse::<u16>().ok()) {
        Some(number) => number.to_string().into(),
        None => obfuscated(said).unwrap_or_default(),
    }
}

fn begin(out: &mut Vec<u8>, key: &str) {
    if !out.is_empty() {
        out.push(b';');
    }
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
}

/// A quoted string (RFC 9110, 5.6.4); what cannot stand in one is left out.
fn quote(out: &mut Vec<u8>, said: &[u8]) {
    out.push(b'"');
    for byte in said {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0..=31 | 127 => {}
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}

/// Brackets and ports make quotes necessary (RFC 7239, 6).
fn write_node(out: &mut Vec<u8>, name: &Name, port: &[u8]) {
    let quoted = !port.is_empty() || matches!(name, Name::Address(IpAddr::V6(_)));
    if quoted {
        out.push(b'"');
    }
    // Writing to a vector cannot fail.
    let _ = match name {
        Name::Address(IpAddr::V4(ip)) => write!(out, "{ip}"),
        Name::Address(IpAddr::V6(ip)) => write!(out, "[{ip}]"),
        Name::Obfuscated(name) => out.write_all(name),
        Name::Unknown => out.write_all(b"unknown"),
    };
    if !port.is_empty() {
        out.push(b':');
        out.extend_from_slice(port);
    }
    if quoted {
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::{Name, port, quote, write_node};

    #[test]
    fn a_node_is_written_as_rfc_7239_has_it() {
        for (name, port, expected) in [
            ("127.0.0.1", "", "127.0.0.1"),
            ("127.0.0.1", "80", "\"127.0.0.1:80\""),
            ("::1", "", "\"[::1]\""),
            ("::1", "10", "\"[::1]:10\""),
            ("_haproxy", "", "_haproxy"),
            ("000000002B1F4D63", "", "_000000002B1F4D63"),
            ("a", "_b", "\"_a:_b\""),
            ("unknown", "", "unknown"),
            ("a b", "", "unknown"),
            ("", "1", "\"unknown:1\""),
            ("a\";for=1", "", "unknown"),
        ] {
            let mut out = Vec::new();
            write_node(&mut out, &Name::of(name.as_bytes()), port.as_bytes());
            assert_eq!(String::from_utf8_lossy(&out), expected, "{name} {port}");
        }
    }

    #[test]
    fn a_port_is_a_number_or_an_identifier() {
        for (said, expected) in [
            ("80", "80"),
            ("65536", "_65536"),
            ("_x", "_x"),
            ("x", "_x"),
            ("a b", ""),
            ("", ""),
        ] {
            assert_eq!(port(said.as_bytes()), expected.as_bytes(), "{said}");
        }
    }

    #[test]
    fn a_host_cannot_leave_its_quotes() {
        let mut out = Vec::new();
        quote(&mut out, b"a\";for=\\\r\nb");
        assert_eq!(out, b"\"a\\\";for=\\\\b\"");
    }
}
