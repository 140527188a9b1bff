//! Values of a log format in JSON (RFC 8259) and in CBOR (RFC 8949): one alone, or the named items
//! of a whole format (manual, section 8.2.6, `+json` and `+cbor`).

use isthmus_plan::{Encoding, ItemType};

use crate::cast::{cast, write_int};
use crate::kind::Kind;
use crate::value::Sample;

/// What stands behind an item.
#[derive(Debug)]
pub(crate) enum Value<'c> {
    /// A sample, or nothing.
    One(Option<Sample<'c>>),
    /// Texts.
    Many(Vec<Vec<u8>>),
}

impl Value<'_> {
    /// The value as the type that was asked for; nothing if it cannot be.
    pub(crate) fn typed(self, kind: ItemType) -> Self {
        let kind = match kind {
            ItemType::Own => return self,
            ItemType::Str => Kind::Str,
            ItemType::Sint => Kind::Int,
            ItemType::Bool => Kind::Bool,
        };
        match self {
            Self::One(sample) => Self::One(sample.and_then(|sample| cast(sample, kind))),
            Self::Many(texts) => Self::Many(texts),
        }
    }
}

/// Writes values behind what it holds already.
pub(crate) struct Encoder {
    encoding: Encoding,
    /// Bytes stay bytes, NUL included.
    binary: bool,
    bytes: Vec<u8>,
}

impl Encoder {
    /// One that has written nothing.
    pub(crate) const fn new(encoding: Encoding, binary: bool) -> Self {
        let bytes = Vec::new();
        Self {
            encoding,
            binary,
            bytes,
        }
    }

    /// Hands over what was written: CBOR as hexadecimal digits, but for `+bin`.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Cbor if !self.binary => isthmus_pattern::to_hex(&self.bytes, out),
            _ => out.extend_from_slice(&self.bytes),
        }
    }

    /// Begins an object or a map, whose length need not be known.
    pub(crate) fn begin(&mut self) {
        self.bytes.push(match self.encoding {
            Encoding::Json => b'{',
            Encoding::Cbor => 0xbf,
        });
    }

    /// Writes the key of the next value; `first` says that nothing stands before it.
    pub(crate) fn key(&mut self, name: &[u8], first: bool) {
        match self.encoding {
            Encoding::Json => {
                if !first {
                    self.bytes.extend_from_slice(b", ");
                }
                json_text(name, &mut self.bytes);
                self.bytes.extend_from_slice(b": ");
            }
            Encoding::Cbor => self.cbor_text(name),
        }
    }

    /// Ends what `begin` began.
    pub(crate) fn end(&mut self) {
        self.bytes.push(match self.encoding {
            Encoding::Json => b'}',
            Encoding::Cbor => 0xff,
        });
    }

    /// Writes a value.
    pub(crate) fn value(&mut self, value: Value<'_>) {
        match (self.encoding, value) {
            (Encoding::Json, Value::One(sample)) => self.json(sample),
            (Encoding::Cbor, Value::One(sample)) => self.cbor(sample),
            (Encoding::Json, Value::Many(texts)) => {
                self.bytes.push(b'[');
                for (at, text) in texts.iter().enumerate() {
                    if at > 0 {
                        self.bytes.extend_from_slice(b", ");
                    }
                    json_text(text, &mut self.bytes);
                }
                self.bytes.push(b']');
            }
            (Encoding::Cbor, Value::Many(texts)) => {
                self.cbor_head(ARRAY, texts.len() as u64);
                for text in &texts {
                    self.cbor_text(text);
                }
            }
        }
    }

    fn json(&mut self, sample: Option<Sample<'_>>) {
        match self.whole(sample) {
            None => self.bytes.extend_from_slice(b"null"),
            Some(Sample::Bool(true)) => self.bytes.extend_from_slice(b"true"),
            Some(Sample::Bool(false)) => self.bytes.extend_from_slice(b"false"),
            Some(Sample::Int(value)) => write_int(value, &mut self.bytes),
            Some(Sample::Bin(bytes)) => json_text(&bytes, &mut self.bytes),
            Some(other) => {
                let text = cast(other, Kind::Str);
                if let Some(Sample::Str(text)) = text {
                    json_text(&text, &mut self.bytes);
                }
            }
        }
    }

    fn cbor(&mut self, sample: Option<Sample<'_>>) {
        match self.whole(sample) {
            None => self.bytes.push(0xf6),
            Some(Sample::Bool(value)) => self.bytes.push(0xf4 + u8::from(value)),
            Some(Sample::Int(value)) => match u64::try_from(value) {
                Ok(value) => self.cbor_head(POSITIVE, value),
                // -1 - n is written as n.
                Err(_) => self.cbor_head(NEGATIVE, (-1 - value).unsigned_abs()),
            },
            Some(Sample::Bin(bytes)) => self.cbor_bytes(&bytes),
            Some(other) => {
                if let Some(Sample::Str(text)) = cast(other, Kind::Str) {
                    self.cbor_text(&text);
                }
            }
        }
    }

    /// The sample, its bytes as text unless they are to stay as they are.
    fn whole<'s>(&self, sample: Option<Sample<'s>>) -> Option<Sample<'s>> {
        match sample? {
            Sample::Bin(bytes) if !self.binary => cast(Sample::Bin(bytes), Kind::Str),
            other => Some(other),
        }
    }

    /// Text; what is not UTF-8 can only be bytes (RFC 8949, 3.1).
    fn cbor_text(&mut self, text: &[u8]) {
        if std::str::from_utf8(text).is_err() {
            return self.cbor_bytes(text);
        }
        self.cbor_head(TEXT, text.len() as u64);
        self.bytes.extend_from_slice(text);
    }

    fn cbor_bytes(&mut self, bytes: &[u8]) {
        self.cbor_head(BYTES, bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// A major type with its argument, in as few bytes as possible (RFC 8949, 3).
    fn cbor_head(&mut self, major: u8, value: u64) {
        let big_endian = value.to_be_bytes();
        let (width, mark) = match value {
            0..=23 => {
                let [.., small] = big_endian;
                return self.bytes.push(major | small);
            }
            24..=0xff => (1, 24),
            0x100..=0xffff => (2, 25),
            0x1_0000..=0xffff_ffff => (4, 26),
            _ => (8, 27),
        };
        self.bytes.push(major | mark);
        let digits = big_endian.get(big_endian.len() - width..);
        self.bytes.extend_from_slice(digits.unwrap_or_default());
    }
}

/// The major types of CBOR (RFC 8949, 3.1).
const POSITIVE: u8 = 0;
const NEGATIVE: u8 = 1 << 5;
const BYTES: u8 = 2 << 5;
const TEXT: u8 = 3 << 5;
const ARRAY: u8 = 4 << 5;

/// A string of JSON. It is UTF-8 whatever came: a byte that is none stands as the character of its
/// number, so that nothing is lost and no reader refuses the line.
fn json_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            json_character(character, out);
        }
        for byte in chunk.invalid() {
            json_escape(*byte, out);
        }
    }
    out.push(b'"');
}

fn json_character(character: char, out: &mut Vec<u8>) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => {
            let code = u32::from(character);
            json_escape(u8::try_from(code).unwrap_or(b'?'), out);
        }
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

fn json_escape(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\u00");
    isthmus_pattern::to_hex(&[byte], out);
}
