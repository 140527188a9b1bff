//! MQTT's first messages (manual, section 7.3.1: `mqtt_is_valid`, `mqtt_field_value`; MQTT 3.1.1 and 5.0,
//! sections 2, 3.1 and 3.2): CONNECT of a client, CONNACK of a server.

use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::kind::Kind::{Bin, Bool, Str};
use crate::registry::Converter;
use crate::value::Sample;

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("mqtt_field_value", "string,string", Bin, Str, field_value).preparing(prepare),
    Converter::new("mqtt_is_valid", "", Bin, Bool, is_valid),
];

const CONNECT: i64 = 1;
const CONNACK: i64 = 2;

/// How a property's value is written (MQTT 5.0, 1.5 and 2.2.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    One,
    Two,
    Four,
    /// Text or bytes behind a length of two bytes.
    Text,
    /// Two texts; they may be repeated, and have no value here.
    Pair,
}

/// The properties of CONNECT, of the will inside it, and of CONNACK.
const OF_CONNECT: &[u8] = &[17, 33, 39, 34, 25, 23, 38, 21, 22];
const OF_WILL: &[u8] = &[24, 1, 2, 3, 8, 9, 38];
const OF_CONNACK: &[u8] = &[
    17, 33, 36, 37, 39, 18, 34, 31, 38, 40, 41, 42, 19, 26, 28, 21, 22,
];

const fn form(property: u8) -> Form {
    match property {
        19 | 33 | 34 => Form::Two,
        2 | 17 | 24 | 39 => Form::Four,
        3 | 8 | 9 | 18 | 21 | 22 | 26 | 28 | 31 => Form::Text,
        38 => Form::Pair,
        _ => Form::One,
    }
}

/// What may be asked for by name. Numbers of properties stand for themselves; these are beyond.
const NAMES: [(&[u8], i64, i64); 11] = [
    (b"flags", CONNECT, FLAGS),
    (b"protocol_name", CONNECT, PROTOCOL_NAME),
    (b"protocol_version", CONNECT, PROTOCOL_VERSION),
    (b"client_identifier", CONNECT, CLIENT_IDENTIFIER),
    (b"will_topic", CONNECT, WILL_TOPIC),
    (b"will_payload", CONNECT, WILL_PAYLOAD),
    (b"username", CONNECT, USERNAME),
    (b"password", CONNECT, PASSWORD),
    (b"keepalive", CONNECT, KEEPALIVE),
    (b"flags", CONNACK, FLAGS),
    (b"protocol_version", CONNACK, PROTOCOL_VERSION),
];
const FLAGS: i64 = 256;
const PROTOCOL_NAME: i64 = 257;
const PROTOCOL_VERSION: i64 = 258;
const CLIENT_IDENTIFIER: i64 = 259;
const WILL_TOPIC: i64 = 260;
const WILL_PAYLOAD: i64 = 261;
const USERNAME: i64 = 262;
const PASSWORD: i64 = 263;
const KEEPALIVE: i64 = 264;
const REASON_CODE: i64 = 265;

fn prepare(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let kind = match args
        .text(0)
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_slice()
    {
        b"connect" | b"1" => CONNECT,
        b"connack" | b"2" => CONNACK,
        _ => return Err("the packet's type is 'connect' or 'connack'".into()),
    };
    let name = args.text(1).unwrap_or_default().to_ascii_lowercase();
    let named = NAMES
        .iter()
        .find(|(known, of, _)| *known == name && *of == kind);
    let properties = if kind == CONNECT {
        [OF_CONNECT, OF_WILL]
    } else {
        [OF_CONNACK, &[]]
    };
    let number = std::str::from_utf8(&name)
        .ok()
        .and_then(|text| text.parse::<u8>().ok());
    let number = number.filter(|number| properties.iter().any(|list| list.contains(number)));
    let wanted = match (named, number) {
        (Some((_, _, wanted)), _) => *wanted,
        (None, Some(number)) => number.into(),
        (None, None) if name == b"reason_code" && kind == CONNACK => REASON_CODE,
        (None, None) => return Err("the packet has no such field or property".into()),
    };
    args.set(0, ArgValue::Int(kind));
    args.set(1, ArgValue::Int(wanted));
    Ok(())
}

/// What a message says, field by field.
type Fields = Vec<(i64, Sample<'static>)>;

/// Why a message has no fields.
#[derive(Debug, PartialEq, Eq)]
enum Flaw {
    /// More bytes are needed.
    Short,
    /// It is none.
    Wrong,
}

/// Bytes that are taken off from the front.
struct Reader<'m>(&'m [u8]);

impl<'m> Reader<'m> {
    fn take(&mut self, length: usize) -> Option<&'m [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, length: usize) -> Option<i64> {
        let bytes = self.take(length)?;
        Some(
            bytes
                .iter()
                .fold(0, |value, byte| value << 8 | i64::from(*byte)),
        )
    }

    /// Bytes behind a length of two bytes.
    fn text(&mut self) -> Option<&'m [u8]> {
        let length = self.number(2)?;
        self.take(usize::try_from(length).ok()?)
    }

    /// A number of at most four bytes, seven bits in each, the low ones first.
    fn variable(&mut self) -> Option<usize> {
        let mut value = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.number(1)?;
            value |= usize::try_from(byte & 0x7f).ok()? << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Properties behind their length, each of a list and once at most.
    fn properties(&mut self, allowed: &[u8], fields: &mut Fields) -> Option<()> {
        let length = self.variable()?;
        let mut inner = Self(self.take(length)?);
        let mut seen = Vec::new();
        while !inner.0.is_empty() {
            let property = u8::try_from(inner.number(1)?).ok()?;
            if !allowed.contains(&property) || seen.contains(&property) {
                return None;
            }
            let value = match form(property) {
                Form::One => Sample::Int(inner.number(1)?),
                Form::Two => Sample::Int(inner.number(2)?),
                Form::Four => Sample::Int(inner.number(4)?),
                Form::Text => text(inner.text()?),
                Form::Pair => {
                    inner.text()?;
                    inner.text()?;
                    continue;
                }
            };
            seen.push(property);
            fields.push((property.into(), value));
        }
        Some(())
    }
}

fn text(bytes: &[u8]) -> Sample<'static> {
    Sample::owned_text(bytes.to_vec())
}

/// Reads the message at the beginning: its type and its fields.
fn read(bytes: &[u8]) -> Result<(i64, Fields), Flaw> {
    let mut reader = Reader(bytes);
    let first = reader.number(1).ok_or(Flaw::Short)?;
    let mut after = Reader(reader.0);
    let Some(length) = after.variable() else {
        return Err(if reader.0.len() < 4 {
            Flaw::Short
        } else {
            Flaw::Wrong
        });
    };
    // Types are known before all is there, so that what is no such message is not waited for.
    let kind = match first {
        0x10 => CONNECT,
        0x20 => CONNACK,
        _ => return Err(Flaw::Wrong),
    };
    let mut body = Reader(after.take(length).ok_or(Flaw::Short)?);
    let fields = if kind == CONNECT {
        connect(&mut body)
    } else {
        connack(&mut body)
    };
    match fields {
        Some(fields) if body.0.is_empty() => Ok((kind, fields)),
        _ => Err(Flaw::Wrong),
    }
}

/// CONNECT (MQTT 5.0, 3.1): name and level of the protocol, flags, keep-alive, and what the flags
/// announce.
fn connect(body: &mut Reader<'_>) -> Option<Fields> {
    let name = body.text()?;
    let version = body.number(1)?;
    let known = (name == b"MQTT" || name == b"MQIsdp") && (3..=5).contains(&version);
    let flags = body.number(1).filter(|flags| known && flags & 1 == 0)?;
    let mut fields = vec![
        (PROTOCOL_NAME, text(name)),
        (PROTOCOL_VERSION, Sample::Int(version)),
        (FLAGS, Sample::Int(flags)),
        (KEEPALIVE, Sample::Int(body.number(2)?)),
    ];
    if version == 5 {
        body.properties(OF_CONNECT, &mut fields)?;
    }
    fields.push((CLIENT_IDENTIFIER, text(body.text()?)));
    if flags & 0x04 != 0 {
        if version == 5 {
            body.properties(OF_WILL, &mut fields)?;
        }
        fields.push((WILL_TOPIC, text(body.text()?)));
        fields.push((WILL_PAYLOAD, text(body.text()?)));
    }
    for (flag, field) in [(0x80, USERNAME), (0x40, PASSWORD)] {
        if flags & flag != 0 {
            fields.push((field, text(body.text()?)));
        }
    }
    Some(fields)
}

/// CONNACK (MQTT 5.0, 3.2), which has properties since version 5.
fn connack(body: &mut Reader<'_>) -> Option<Fields> {
    let flags = body.number(1).filter(|flags| *flags <= 1)?;
    let mut fields = vec![
        (FLAGS, Sample::Int(flags)),
        (REASON_CODE, Sample::Int(body.number(1)?)),
    ];
    let version = if body.0.is_empty() { 4 } else { 5 };
    if version == 5 {
        body.properties(OF_CONNACK, &mut fields)?;
    }
    fields.push((PROTOCOL_VERSION, Sample::Int(version)));
    Some(fields)
}

/// Nothing while the message is not whole.
fn is_valid<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    match read(&bytes) {
        Ok(_) => Some(Sample::Bool(true)),
        Err(Flaw::Wrong) => Some(Sample::Bool(false)),
        Err(Flaw::Short) => None,
    }
}

fn field_value<'a>(
    sample: Sample<'a>,
    args: &'a Args,
    _ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let (kind, fields) = read(&bytes).ok()?;
    let wanted = (args.int(0) == Some(kind)).then(|| args.int(1))?;
    let found = fields
        .into_iter()
        .find(|(field, _)| Some(*field) == wanted)?
        .1;
    crate::cast::cast(found, Str)
}
