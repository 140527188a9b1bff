//! Converters of the Forwarded field (manual, section 7.3.1; RFC 7239, 4 to 6).

use std::net::{Ipv4Addr, Ipv6Addr};

use isthmus_proto::http::Authority;

use crate::args::{Args, CompileEnv};
use crate::context::Context;
use crate::kind::Kind::{Any, Bool, Str};
use crate::registry::Converter;
use crate::value::Sample;

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("rfc7239_field", "string", Str, Str, field).preparing(prepare_field),
    Converter::new("rfc7239_is_valid", "", Str, Bool, is_valid),
    Converter::new("rfc7239_n2nn", "", Str, Any, node_name),
    Converter::new("rfc7239_n2np", "", Str, Any, node_port),
    Converter::new("rfc7239_nn", "", Any, Str, to_node_name),
    Converter::new("rfc7239_np", "", Any, Str, to_node_port),
];

/// The parameters that RFC 7239 registers.
const NAMES: [&[u8]; 4] = [b"proto", b"host", b"for", b"by"];

fn prepare_field(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let known = args.text(0).is_some_and(|name| NAMES.contains(&name));
    known
        .then_some(())
        .ok_or_else(|| "the field is 'proto', 'host', 'for' or 'by'".into())
}

/// The value of a parameter in a list's one element; `None` where the element is malformed.
struct Element {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Element {
    /// Reads `name=value;name=value`: names of tokens in any case, each once, values of tokens or
    /// quoted strings.
    fn read(text: &[u8]) -> Option<Self> {
        let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut rest = text;
        loop {
            let equal = rest.iter().position(|byte| *byte == b'=')?;
            let (name, behind) = rest.split_at_checked(equal)?;
            let name = name.to_ascii_lowercase();
            let new = pairs.iter().all(|(other, _)| *other != name);
            let (value, after) = value(behind.get(1..)?)?;
            if !new || !fits(&name, &value) {
                return None;
            }
            pairs.push((name, value));
            match after {
                [] => return Some(Self { pairs }),
                [b';', more @ ..] => rest = more,
                _ => return None,
            }
        }
    }

    fn find(self, name: &[u8]) -> Option<Vec<u8>> {
        self.pairs
            .into_iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }
}

/// A token or a quoted string without its quotes, and what is behind it.
fn value(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let Some(mut rest) = text.strip_prefix(b"\"") else {
        let end = text
            .iter()
            .position(|byte| !is_token(*byte))
            .unwrap_or(text.len());
        let (token, behind) = text.split_at_checked(end)?;
        return (!token.is_empty()).then(|| (token.to_vec(), behind));
    };
    let mut out = Vec::new();
    loop {
        match rest {
            [b'"', behind @ ..] => return Some((out, behind)),
            [b'\\', byte, behind @ ..] | [byte, behind @ ..] => {
                out.push(*byte);
                rest = behind;
            }
            [] => return None,
        }
    }
}

/// A byte of a token (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether a parameter may have a value.
fn fits(name: &[u8], value: &[u8]) -> bool {
    match name {
        b"for" | b"by" => Node::read(value).is_some(),
        b"proto" => value == b"http" || value == b"https",
        b"host" => Authority::parse(value).is_some_and(|place| !place.host.is_empty()),
        _ => false,
    }
}

/// Who a node is (RFC 7239, 6).
enum Name<'t> {
    Ipv4(Ipv4Addr),
    Ipv6(Ipv6Addr),
    /// `unknown`, or an identifier behind an underscore.
    Hidden(&'t [u8]),
}

/// Which port a node has.
enum Port<'t> {
    Number(u16),
    Hidden(&'t [u8]),
}

struct Node<'t> {
    name: Name<'t>,
    port: Option<Port<'t>>,
}

impl<'t> Node<'t> {
    fn read(text: &'t [u8]) -> Option<Self> {
        let (name, behind) = if let Some(rest) = text.strip_prefix(b"[") {
            let end = rest.iter().position(|byte| *byte == b']')?;
            let (address, behind) = rest.split_at_checked(end)?;
            let address = std::str::from_utf8(address).ok()?.parse().ok()?;
            (Name::Ipv6(address), behind.get(1..)?)
        } else {
            let end = text
                .iter()
                .position(|byte| *byte == b':')
                .unwrap_or(text.len());
            let (name, behind) = text.split_at_checked(end)?;
            (Self::plain_name(name)?, behind)
        };
        let port = match behind {
            [] => None,
            [b':', port @ ..] => Some(Self::port(port)?),
            _ => return None,
        };
        Some(Self { name, port })
    }

    fn plain_name(name: &'t [u8]) -> Option<Name<'t>> {
        if name == b"unknown" || is_hidden(name) {
            return Some(Name::Hidden(name));
        }
        Some(Name::Ipv4(std::str::from_utf8(name).ok()?.parse().ok()?))
    }

    fn port(port: &'t [u8]) -> Option<Port<'t>> {
        if is_hidden(port) {
            return Some(Port::Hidden(port));
        }
        let digits = port.len() <= 5 && port.iter().all(u8::is_ascii_digit);
        let number = digits.then(|| std::str::from_utf8(port).ok()?.parse().ok())??;
        Some(Port::Number(number))
    }
}

/// An obfuscated identifier (RFC 7239, 6.3).
fn is_hidden(text: &[u8]) -> bool {
    let mark = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    matches!(text, [b'_', rest @ ..] if !rest.is_empty() && rest.iter().all(mark))
}

fn is_valid<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    Some(Sample::Bool(Element::read(&text).is_some()))
}

fn field<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    Element::read(&text)?
        .find(args.text(0)?)
        .map(Sample::owned_text)
}

fn node_name<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    Some(match Node::read(&text)?.name {
        Name::Ipv4(ip) => Sample::Ipv4(ip),
        Name::Ipv6(ip) => Sample::Ipv6(ip),
        Name::Hidden(name) => Sample::owned_text(name.to_vec()),
    })
}

/// A node's name (RFC 7239, 6): an address, an obfuscated identifier, or `unknown`.
fn to_node_name<'a>(
    sample: Sample<'a>,
    _args: &'a Args,
    _ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    Some(Sample::owned_text(match sample {
        Sample::Ipv4(ip) => ip.to_string().into_bytes(),
        Sample::Ipv6(ip) => format!("[{ip}]").into_bytes(),
        Sample::Str(text) if text.is_empty() => b"unknown".to_vec(),
        Sample::Str(text) => hidden(&text)?,
        _ => return None,
    }))
}

/// A node's port (RFC 7239, 6): a number of at most five digits, or an obfuscated identifier.
fn to_node_port<'a>(
    sample: Sample<'a>,
    _args: &'a Args,
    _ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    Some(Sample::owned_text(match sample {
        Sample::Int(port) => u16::try_from(port).ok()?.to_string().into_bytes(),
        Sample::Str(text) => hidden(&text)?,
        _ => return None,
    }))
}

/// An obfuscated identifier made of a text; `None` where it has other characters.
fn hidden(text: &[u8]) -> Option<Vec<u8>> {
    let made = [b"_", text].concat();
    is_hidden(&made).then_some(made)
}

fn node_port<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Str(text) = sample else {
        return None;
    };
    Some(match Node::read(&text)?.port? {
        Port::Number(number) => Sample::Int(number.into()),
        Port::Hidden(name) => Sample::owned_text(name.to_vec()),
    })
}
