//! Log formats (manual, section 8.2.6): compiled from the plan's items, written for a session.

use std::borrow::Cow;

use isthmus_plan::{Encoding, Field, FormatItem, ItemType};

use crate::alias::{Alias, find_alias};
use crate::args::CompileEnv;
use crate::cast::to_str;
use crate::context::Context;
use crate::encoding::{Encoder, Value};
use crate::expression::Compiled;
use crate::value::Sample;

/// Bytes that most values of headers and variables fit into, so that one allocation does.
const SHORT: usize = 64;

/// A log format, ready to be written any number of times.
#[derive(Debug, Default)]
pub struct Format {
    items: Vec<Item>,
}

#[derive(Debug)]
enum Item {
    Literal(Box<[u8]>),
    Alias(&'static Alias, Flags),
    Expression(Compiled, Flags),
    Encoded(Encoding, ItemType, Box<Item>),
    Record(Record),
}

/// Named items, written as one object or map.
#[derive(Debug)]
struct Record {
    encoding: Encoding,
    binary: bool,
    fields: Vec<(Box<[u8]>, ItemType, Item)>,
}

/// What a format's braces ask for: `%{+Q,+E}[...]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// Between quotes.
    pub(crate) quote: bool,
    /// `"`, `\` and `]` behind a backslash.
    pub(crate) escape: bool,
    /// Numbers and addresses in hexadecimal.
    pub(crate) hex: bool,
    /// `-` where there is nothing.
    pub(crate) mandatory: bool,
    /// Bytes as they are, NUL and control characters included.
    pub(crate) binary: bool,
}

impl Flags {
    /// Letters as they stand in braces; signs are taken, other letters refused.
    fn parse(letters: &str) -> Result<Self, String> {
        let mut flags = Self::default();
        let mut on = true;
        for letter in letters.chars() {
            match letter {
                '+' => on = true,
                '-' => on = false,
                ',' | ' ' => {}
                'Q' => flags.quote = on,
                'E' => flags.escape = on,
                'X' => flags.hex = on,
                'M' => flags.mandatory = on,
                'B' => flags.binary = on,
                other => return Err(format!("unknown log format flag '{other}'")),
            }
        }
        Ok(flags)
    }
}

impl Item {
    fn compile(item: &FormatItem, env: &mut CompileEnv<'_>) -> Result<Self, String> {
        Ok(match item {
            FormatItem::Literal { text } => Self::Literal(text.as_bytes().into()),
            FormatItem::Encoded {
                encoding,
                r#type,
                item,
            } => Self::Encoded(*encoding, *r#type, Box::new(Self::single(item, env)?)),
            FormatItem::Record {
                encoding,
                binary,
                fields,
            } => Self::Record(Record::compile((*encoding, *binary), fields, env)?),
            FormatItem::Alias { .. } | FormatItem::Expression { .. } => Self::single(item, env)?,
        })
    }

    /// An alias or an expression.
    fn single(item: &FormatItem, env: &mut CompileEnv<'_>) -> Result<Self, String> {
        match item {
            FormatItem::Alias { name, flags } => {
                let alias =
                    find_alias(name).ok_or_else(|| format!("no such log format alias '{name}'"))?;
                env.names.tls.facts |= alias.asks_tls();
                Ok(Self::Alias(alias, Flags::parse(flags)?))
            }
            FormatItem::Expression { expression, flags } => Ok(Self::Expression(
                Compiled::compile(expression, env)?,
                Flags::parse(flags)?,
            )),
            _ => Err("neither an alias nor an expression is to be encoded".to_owned()),
        }
    }

    /// What it stands for, as the type that was asked for.
    fn value<'c>(&'c self, ctx: &'c dyn Context, kind: ItemType) -> Value<'c> {
        let value = match self {
            Self::Alias(alias, flags) => alias.value(ctx, *flags),
            Self::Expression(expression, _) => Value::One(expression.value(ctx)),
            Self::Literal(_) | Self::Encoded(..) | Self::Record(_) => Value::One(None),
        };
        value.typed(kind)
    }
}

impl Record {
    fn compile(
        (encoding, binary): (Encoding, bool),
        fields: &[Field],
        env: &mut CompileEnv<'_>,
    ) -> Result<Self, String> {
        let fields: Result<_, String> = fields
            .iter()
            .map(|field| {
                let item = Item::single(&field.item, env)?;
                Ok((field.name.as_bytes().into(), field.r#type, item))
            })
            .collect();
        Ok(Self {
            encoding,
            binary,
            fields: fields?,
        })
    }

    fn write(&self, ctx: &dyn Context, out: &mut Vec<u8>) {
        let mut encoder = Encoder::new(self.encoding, self.binary);
        encoder.begin();
        for (at, (name, kind, item)) in self.fields.iter().enumerate() {
            encoder.key(name, at == 0);
            encoder.value(item.value(ctx, *kind));
        }
        encoder.end();
        encoder.finish(out);
    }
}

impl Format {
    /// Compiles the items of a format.
    ///
    /// # Errors
    /// An alias or a flag is unknown, or an expression does not compile.
    pub fn compile(items: &[FormatItem], env: &mut CompileEnv<'_>) -> Result<Self, String> {
        let items: Result<Vec<Item>, String> =
            items.iter().map(|item| Item::compile(item, env)).collect();
        Ok(Self { items: items? })
    }

    /// Whether nothing stands in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Writes a line for a log behind what `out` holds already. Control characters are written as
    /// `#` and two digits (manual, section 8.6), so that a line stays one line.
    pub fn render(&self, ctx: &dyn Context, out: &mut Vec<u8>) {
        self.write(
            ctx,
            Output {
                bytes: out,
                printable: true,
            },
        );
    }

    /// The text with its bytes as they are: for variables, names and headers.
    #[must_use]
    pub fn to_bytes(&self, ctx: &dyn Context) -> Vec<u8> {
        self.text(ctx).into_owned()
    }

    /// The same, borrowed where nothing of it depends on the session.
    #[must_use]
    pub fn text(&self, ctx: &dyn Context) -> Cow<'_, [u8]> {
        if let [Item::Literal(text)] = self.items.as_slice() {
            return Cow::Borrowed(text);
        }
        let mut bytes = Vec::with_capacity(SHORT);
        self.write(
            ctx,
            Output {
                bytes: &mut bytes,
                printable: false,
            },
        );
        Cow::Owned(bytes)
    }

    fn write(&self, ctx: &dyn Context, mut out: Output<'_>) {
        // In a log line spaces separate: between an item that writes nothing and the next there
        // are not two of them (manual, section 8.2.6).
        let mut spaced = out.printable;
        for item in &self.items {
            let before = out.bytes.len();
            match item {
                Item::Literal(text) if out.printable => {
                    for &byte in text {
                        if byte != b' ' || !spaced {
                            out.bytes.push(byte);
                        }
                        spaced = byte == b' ';
                    }
                    continue;
                }
                Item::Literal(text) => out.bytes.extend_from_slice(text),
                Item::Alias(alias, flags) => alias.write(ctx, *flags, &mut out),
                Item::Encoded(encoding, kind, item) => {
                    let mut encoder = Encoder::new(*encoding, false);
                    encoder.value(item.value(ctx, *kind));
                    encoder.finish(out.bytes);
                }
                Item::Record(record) => record.write(ctx, out.bytes),
                Item::Expression(expression, flags) => match expression.value(ctx) {
                    Some(Sample::Bin(bytes)) if flags.binary => out.bytes.extend_from_slice(&bytes),
                    found => out.text(found.and_then(to_str).as_deref(), *flags),
                },
            }
            spaced &= out.bytes.len() == before;
        }
    }
}

/// Where a format is written.
pub(crate) struct Output<'o> {
    pub(crate) bytes: &'o mut Vec<u8>,
    /// Whether control characters are replaced.
    pub(crate) printable: bool,
}

impl Output<'_> {
    /// Writes a text with a format's flags.
    pub(crate) fn text(&mut self, text: Option<&[u8]>, flags: Flags) {
        let text = text.unwrap_or_default();
        if flags.quote {
            self.bytes.push(b'"');
        }
        if text.is_empty() && !flags.quote && flags.mandatory {
            self.bytes.push(b'-');
        }
        if self.printable || flags.escape {
            for &byte in text {
                self.byte(byte, flags);
            }
        } else {
            self.bytes.extend_from_slice(text);
        }
        if flags.quote {
            self.bytes.push(b'"');
        }
    }

    fn byte(&mut self, byte: u8, flags: Flags) {
        match byte {
            b'"' | b'\\' | b']' if flags.escape => self.bytes.extend_from_slice(&[b'\\', byte]),
            0..=31 | 127 if self.printable => {
                self.bytes.push(b'#');
                isthmus_pattern::to_hex(&[byte], self.bytes);
            }
            _ => self.bytes.push(byte),
        }
    }
}
