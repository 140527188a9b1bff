//! Log formats made of arbitrary aliases, flags and literals compile or are refused, and are written
//! for arbitrary heads without a panic; no line becomes two.

#![no_main]

use isthmus_plan::{ByteString, Encoding, Field, FormatItem, ItemType};
use isthmus_proto::http1::{Progress, RequestHead, Rewrite, Rules, View};
use isthmus_sample::{Bytes, CompileEnv, Context, Format, Names, Number, Side, Text, aliases};
use libfuzzer_sys::fuzz_target;

/// An exchange of which the request's head has come.
struct Exchange<'d> {
    head: &'d RequestHead,
    bytes: &'d [u8],
    rewrite: &'d Rewrite,
}

impl Context for Exchange<'_> {
    fn head(&self, side: Side) -> Option<View<'_>> {
        matches!(side, Side::Request).then(|| View::request(self.head, self.bytes, self.rewrite))
    }

    fn text(&self, _fact: Text) -> Option<Bytes<'_>> {
        Some(Bytes::Borrowed(self.bytes))
    }

    fn number(&self, _fact: Number) -> Option<i64> {
        i64::try_from(self.bytes.len()).ok()
    }
}

/// Takes a word of at most so many bytes off the front.
fn word<'d>(data: &mut &'d [u8], most: usize) -> &'d [u8] {
    let Some((first, rest)) = data.split_first() else {
        return b"";
    };
    let (word, rest) = rest.split_at((usize::from(*first) % (most + 1)).min(rest.len()));
    *data = rest;
    word
}

fn encoding(choice: u8) -> Encoding {
    match choice % 2 {
        0 => Encoding::Json,
        _ => Encoding::Cbor,
    }
}

fn kind_of(choice: u8) -> ItemType {
    match choice % 4 {
        0 => ItemType::Own,
        1 => ItemType::Str,
        2 => ItemType::Sint,
        _ => ItemType::Bool,
    }
}

/// Whether what was written for encoded items alone is text that a reader of JSON takes.
fn is_readable(items: &[FormatItem], line: &[u8]) -> bool {
    let encoded =
        |item: &FormatItem| matches!(item, FormatItem::Encoded { .. } | FormatItem::Record { .. });
    !items.iter().all(encoded)
        || std::str::from_utf8(line).is_ok_and(|text| !text.chars().any(char::is_control))
}

fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let names: Vec<&str> = aliases().map(|(name, _)| name).collect();
    let mut items = Vec::new();
    while let Some((kind, rest)) = data.split_first().filter(|_| items.len() < 8) {
        data = rest;
        let mut alias = || FormatItem::Alias {
            name: names[usize::from(*kind) % names.len()].to_owned(),
            flags: String::from_utf8_lossy(word(&mut data, 6)).into_owned(),
        };
        items.push(match kind % 8 {
            0 => FormatItem::Literal {
                text: ByteString(word(&mut data, 8).iter().map(|byte| byte | 32).collect()),
            },
            1 => FormatItem::Encoded {
                encoding: encoding(kind / 8),
                r#type: kind_of(kind / 16),
                item: Box::new(alias()),
            },
            2 => FormatItem::Record {
                encoding: encoding(kind / 8),
                binary: false,
                fields: vec![Field {
                    r#type: kind_of(kind / 16),
                    item: alias(),
                    name: ByteString(word(&mut data, 8).to_vec()),
                }],
            },
            _ => alias(),
        });
    }
    let mut bytes = data.to_vec();
    let mut head = RequestHead::default();
    if !matches!(
        head.read(&mut bytes, &Rules::default()),
        Ok(Progress::Complete(_))
    ) {
        return;
    }
    let mut names = Names::default();
    let mut env = CompileEnv {
        names: &mut names,
        env: &|_| None,
        acl: &|_| None,
        lists: &[],
        userlists: &[],
        tables: &[],
        jose: &Default::default(),
    };
    if let Ok(format) = Format::compile(&items, &mut env) {
        let exchange = Exchange {
            head: &head,
            bytes: &bytes,
            rewrite: &Rewrite::default(),
        };
        let mut line = Vec::new();
        format.render(&exchange, &mut line);
        assert!(!line.contains(&b'\n'));
        assert!(is_readable(&items, &line));
    }
});
