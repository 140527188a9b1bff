//! Distinguished names (RFC 5280, 4.1.2.4) as OpenSSL writes them, and single attributes of them.

use isthmus_proto::der::{Value, tag};

use super::certificate::dotted;

/// `UTF8String`
const UTF8_STRING: u8 = 0x0c;
/// `PrintableString`, `TeletexString`, `IA5String`: a byte for each character.
const BYTE_STRINGS: [u8; 5] = [0x12, 0x13, 0x14, 0x16, 0x1a];
/// `UniversalString`: four bytes for each character.
const UNIVERSAL_STRING: u8 = 0x1c;

/// A distinguished name.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a>(Value<'a>);

/// An attribute of a name.
#[derive(Debug, Clone, Copy)]
struct Attribute<'a> {
    kind: &'a [u8],
    value: Value<'a>,
}

impl<'a> Name<'a> {
    pub(super) const fn new(value: Value<'a>) -> Self {
        Self(value)
    }

    /// Its relative names, in order, each of one attribute or several.
    fn relative(self) -> impl Iterator<Item = Value<'a>> {
        self.0.inside().filter(|set| set.tag == tag::SET)
    }

    fn attributes(self) -> impl Iterator<Item = Attribute<'a>> {
        self.relative().flat_map(attributes_of)
    }

    /// All of it, `/C=DE/O=Example/CN=www`.
    #[must_use]
    pub fn one_line(self) -> Vec<u8> {
        let mut out = Vec::new();
        for attribute in self.attributes() {
            out.push(b'/');
            out.extend_from_slice(attribute.name().as_bytes());
            out.push(b'=');
            out.extend_from_slice(attribute.value.content);
        }
        out
    }

    /// All of it as LDAP writes it, the last first: `CN=www,O=Example,C=DE` (RFC 2253).
    #[must_use]
    pub fn rfc2253(self) -> Vec<u8> {
        let relative: Vec<_> = self.relative().collect();
        let written: Vec<Vec<u8>> = relative
            .into_iter()
            .rev()
            .map(|set| {
                let parts: Vec<_> = attributes_of(set).map(Attribute::rfc2253).collect();
                parts.join(&b'+')
            })
            .collect();
        written.join(&b',')
    }

    /// The value of an attribute by its short name, whatever the case: the occurrence of that
    /// number, from 1 or, with negative ones, from the end; none has the number 0.
    #[must_use]
    pub fn entry(self, name: &[u8], occurrence: i64) -> Option<&'a [u8]> {
        let named =
            |attribute: &Attribute<'_>| attribute.name().as_bytes().eq_ignore_ascii_case(name);
        let mut found = self.attributes().filter(named);
        let chosen = match usize::try_from(occurrence) {
            Ok(from_start) => found.nth(from_start.checked_sub(1)?),
            Err(_) => {
                let all: Vec<_> = found.collect();
                let back = usize::try_from(occurrence.unsigned_abs()).ok()?;
                all.get(all.len().checked_sub(back)?).copied()
            }
        };
        chosen.map(|attribute| attribute.value.content)
    }
}

fn attributes_of(set: Value<'_>) -> impl Iterator<Item = Attribute<'_>> {
    set.inside().filter_map(|attribute| {
        let mut parts = attribute.inside();
        Some(Attribute {
            kind: parts.of(tag::OID)?.content,
            value: parts.next()?,
        })
    })
}

impl Attribute<'_> {
    fn name(self) -> std::borrow::Cow<'static, str> {
        short_name(self.kind).map_or_else(|| dotted(self.kind).into(), Into::into)
    }

    fn rfc2253(self) -> Vec<u8> {
        let mut out = self.name().as_bytes().to_vec();
        out.push(b'=');
        match self.text().filter(|_| short_name(self.kind).is_some()) {
            Some(text) => escape(&text, &mut out),
            None => {
                // What is no text, or of an unknown kind, is told by its bytes.
                out.push(b'#');
                let mut der = vec![self.value.tag];
                let length = self.value.content.len();
                match u8::try_from(length) {
                    Ok(short) if short < 0x80 => der.push(short),
                    Ok(short) => der.extend([0x81, short]),
                    Err(_) => {
                        let [.., high, low] = length.to_be_bytes();
                        der.extend([0x82, high, low]);
                    }
                }
                der.extend_from_slice(self.value.content);
                isthmus_pattern::to_hex(&der, &mut out);
            }
        }
        out
    }

    /// The value as UTF-8.
    fn text(self) -> Option<Vec<u8>> {
        let bytes = self.value.content;
        let wide = |width: usize| -> String {
            let units = bytes.chunks_exact(width).map(|unit| {
                let code = unit.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            });
            units.collect()
        };
        match self.value.tag {
            UTF8_STRING => Some(bytes.to_vec()),
            kind if BYTE_STRINGS.contains(&kind) => Some(wide(1).into_bytes()),
            tag::BMP_STRING => Some(wide(2).into_bytes()),
            UNIVERSAL_STRING => Some(wide(4).into_bytes()),
            _ => None,
        }
    }
}

/// Escapes what means something in RFC 2253, control characters, and what is not ASCII.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    let last = text.len().saturating_sub(1);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            0..=31 | 127..=255 => {
                out.push(b'\\');
                isthmus_pattern::to_hex(&[byte], out);
                continue;
            }
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' => out.push(b'\\'),
            b'#' if at == 0 => out.push(b'\\'),
            b' ' if at == 0 || at == last => out.push(b'\\'),
            _ => {}
        }
        out.push(byte);
    }
}

/// OpenSSL's short name of an attribute's kind.
fn short_name(kind: &[u8]) -> Option<&'static str> {
    Some(match kind {
        [0x55, 0x04, last] => match last {
            3 => "CN",
            4 => "SN",
            5 => "serialNumber",
            6 => "C",
            7 => "L",
            8 => "ST",
            9 => "street",
            10 => "O",
            11 => "OU",
            12 => "title",
            13 => "description",
            15 => "businessCategory",
            17 => "postalCode",
            20 => "telephoneNumber",
            41 => "name",
            42 => "GN",
            43 => "initials",
            44 => "generationQualifier",
            45 => "x500UniqueIdentifier",
            46 => "dnQualifier",
            65 => "pseudonym",
            97 => "organizationIdentifier",
            _ => return None,
        },
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1] => "UID",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25] => "DC",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "emailAddress",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 2] => "unstructuredName",
        [0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x3c, 2, 1, last] => match last {
            1 => "jurisdictionL",
            2 => "jurisdictionST",
            3 => "jurisdictionC",
            _ => return None,
        },
        _ => return None,
    })
}
