//! What log formats in JSON and CBOR write (manual, section 8.2.6): HAProxy 2.6 has neither, so the
//! expected bytes are the newer manual's examples and those of RFC 8949.

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]

mod support;

use isthmus_plan::{ByteString, Encoding, Field, FormatItem, ItemType};
use isthmus_sample::{CompileEnv, Context, End, Format, Names, Number, Sample, Side, Text, VarRef};
use support::{Table, items};

/// The only alias or expression of a format.
fn item(text: &str) -> FormatItem {
    let found = items(text).into_iter();
    let mut found = found.filter(|item| !matches!(item, FormatItem::Literal { .. }));
    found.next().expect("an item")
}

fn record(encoding: Encoding, binary: bool, fields: &[(&str, ItemType, &str)]) -> FormatItem {
    let field = |(name, kind, text): &(&str, ItemType, &str)| Field {
        name: ByteString::from(*name),
        r#type: *kind,
        item: item(text),
    };
    FormatItem::Record {
        encoding,
        binary,
        fields: fields.iter().map(field).collect(),
    }
}

fn alone(encoding: Encoding, kind: ItemType, text: &str) -> FormatItem {
    FormatItem::Encoded {
        encoding,
        r#type: kind,
        item: Box::new(item(text)),
    }
}

fn try_compile(item: FormatItem, names: &mut Names) -> Result<Format, String> {
    let mut env = CompileEnv {
        names,
        env: &|_| None,
        acl: &|_| None,
        lists: &[],
        tables: &[],
        jose: &std::sync::Arc::default(),
        userlists: &[],
    };
    Format::compile(&[item], &mut env)
}

/// An exchange with two captured fields.
struct Exchange(Table);

impl Context for Exchange {
    fn variable(&self, variable: VarRef) -> Option<Sample<'_>> {
        self.0.variable(variable)
    }

    fn number(&self, fact: Number) -> Option<i64> {
        self.0.number(fact)
    }

    fn text(&self, fact: Text) -> Option<isthmus_sample::Bytes<'_>> {
        self.0.text(fact)
    }

    fn endpoint(&self, end: End) -> Option<std::net::SocketAddr> {
        self.0.endpoint(end)
    }

    fn capture(&self, _side: Side, slot: usize) -> Option<isthmus_sample::Bytes<'_>> {
        [&b"a|\xff"[..], b""].get(slot).map(|text| (*text).into())
    }
}

fn exchange(names: &mut Names) -> Exchange {
    let mut table = Table::default();
    let address = "192.0.2.1:4711".parse().expect("an address");
    table.endpoints.insert(End::Src, address);
    for (fact, value) in [
        (Number::AcceptDate, 1_795_235_692_007_000),
        (Number::Status, 200),
        (Number::BytesOut, 5),
        (Number::Unfinished, 1),
        (Number::Retries, 3),
        (Number::Redispatched, 1),
        (Number::TimeQueue, -1),
        (Number::RequestCaptures, 2),
    ] {
        table.numbers.insert(fact, value);
    }
    for (fact, text) in [
        (Text::RequestMethod, "GET"),
        (Text::RequestTarget, "/\"\u{e9}"),
        (Text::RequestVersion, "HTTP/1.1"),
    ] {
        table.texts.insert(fact, text.into());
    }
    let text = names.variable(b"txn.str").expect("a variable");
    table.set(text, Sample::text(b"a\"\n]\\\x00\x7f\xc3\xa9\xff"));
    let bin = names.variable(b"txn.bin").expect("a variable");
    table.set(bin, Sample::Bin(b"ab\x00\xff"[..].into()));
    Exchange(table)
}

fn written(item: FormatItem) -> Vec<u8> {
    let mut names = Names::default();
    let exchange = exchange(&mut names);
    let format = try_compile(item, &mut names).expect("a format");
    let (mut line, bytes) = (Vec::new(), format.to_bytes(&exchange));
    format.render(&exchange, &mut line);
    assert_eq!(line, bytes, "a log line and a variable get the same");
    bytes
}

#[test]
fn the_manuals_examples_are_written_as_it_says() {
    let named = [("named_field", ItemType::Own, "%[str(ok)]")];
    let cases: [(FormatItem, &str); 4] = [
        (
            record(Encoding::Json, false, &named),
            r#"{"named_field": "ok"}"#,
        ),
        (
            record(Encoding::Cbor, false, &named),
            "BF6B6E616D65645F6669656C64626F6BFF",
        ),
        (
            alone(Encoding::Json, ItemType::Own, "%[bool(true)]"),
            "true",
        ),
        (alone(Encoding::Cbor, ItemType::Own, "%[bool(true)]"), "F5"),
    ];
    for (item, expected) in cases {
        assert_eq!(String::from_utf8_lossy(&written(item)), expected);
    }
}

#[test]
fn every_kind_of_value_has_its_form_in_json_and_in_cbor() {
    let cases = [
        ("%[int(4)]", "4", "04"),
        ("%[int(-1)]", "-1", "20"),
        ("%[int(-500)]", "-500", "3901F3"),
        ("%[int(23)]", "23", "17"),
        ("%[int(24)]", "24", "1818"),
        ("%[int(1000)]", "1000", "1903E8"),
        ("%[int(1000000)]", "1000000", "1A000F4240"),
        (
            "%[int(1000000000000)]",
            "1000000000000",
            "1B000000E8D4A51000",
        ),
        ("%[bool(false)]", "false", "F4"),
        ("%[src]", r#""192.0.2.1""#, "693139322E302E322E31"),
        ("%[var(txn.none)]", "null", "F6"),
        ("%[var(txn.bin)]", r#""ab""#, "626162"),
        (
            "%[var(txn.str)]",
            "\"a\\\"\\n]\\\\\\u0000\\u007F\u{e9}\\u00FF\"",
            "4A61220A5D5C007FC3A9FF",
        ),
        ("%ci", r#""192.0.2.1""#, "693139322E302E322E31"),
        ("%{+X}ci", r#""C0000201""#, "684330303030323031"),
        ("%cp", "4711", "191267"),
        ("%{+X}cp", r#""1267""#, "6431323637"),
        ("%ST", "200", "18C8"),
        ("%ms", "7", "07"),
        ("%Ts", "1795235692", "1A6B011F6C"),
        ("%rc", "3", "03"),
        ("%B", "5", "05"),
        ("%Tw", "-1", "20"),
        ("%CC", "null", "F6"),
        ("%sslv", "null", "F6"),
        ("%ts", r#""--""#, "622D2D"),
        ("%s", r#""<NOSRV>""#, "673C4E4F5352563E"),
        ("%HM", r#""GET""#, "63474554"),
        ("%HU", "\"/\\\"\u{e9}\"", "642F22C3A9"),
        ("%hr", r##""{a#7C#FF|}""##, "6A7B612337432346467C7D"),
        ("%hs", "null", "F6"),
        ("%hrl", "[\"a|\\u00FF\", \"\"]", "8243617CFF60"),
        ("%hsl", "[]", "80"),
    ];
    for (text, json, cbor) in cases {
        let got = [Encoding::Json, Encoding::Cbor].map(|encoding| {
            let bytes = written(alone(encoding, ItemType::Own, text));
            String::from_utf8(bytes).expect("JSON and digits are UTF-8")
        });
        assert_eq!(got, [json, cbor], "{text}");
    }
}

#[test]
fn a_type_behind_the_name_changes_the_value() {
    let cases = [
        ("%[int(0)]", ItemType::Bool, "false"),
        ("%[int(7)]", ItemType::Bool, "true"),
        ("%[int(7)]", ItemType::Str, r#""7""#),
        ("%[str(12)]", ItemType::Sint, "12"),
        ("%[bool(true)]", ItemType::Sint, "1"),
        ("%[bool(true)]", ItemType::Str, r#""1""#),
        ("%ST", ItemType::Str, r#""200""#),
        ("%cp", ItemType::Bool, "true"),
        ("%[var(txn.none)]", ItemType::Sint, "null"),
    ];
    for (text, kind, expected) in cases {
        let bytes = written(alone(Encoding::Json, kind, text));
        assert_eq!(String::from_utf8_lossy(&bytes), expected, "{text} {kind:?}");
    }
}

#[test]
fn bin_keeps_bytes_and_writes_cbor_as_it_is() {
    let fields = [
        ("b", ItemType::Own, "%[var(txn.bin)]"),
        ("n", ItemType::Own, "%cp"),
    ];
    assert_eq!(
        written(record(Encoding::Cbor, true, &fields)),
        b"\xbf\x61b\x44ab\x00\xff\x61n\x19\x12\x67\xff"
    );
    assert_eq!(
        written(record(Encoding::Json, true, &fields)),
        br#"{"b": "ab\u0000\u00FF", "n": 4711}"#
    );
    let FormatItem::Expression { expression, .. } = item("%[var(txn.bin)]") else {
        unreachable!("an expression")
    };
    let flags = "BM".to_owned();
    assert_eq!(
        written(FormatItem::Expression { expression, flags }),
        b"ab\x00\xff"
    );
}

#[test]
fn keys_are_escaped_as_values_are() {
    let fields = [
        ("a\"b", ItemType::Own, "%cp"),
        ("\u{e9}", ItemType::Own, "%cp"),
    ];
    let bytes = written(record(Encoding::Json, false, &fields));
    assert_eq!(
        String::from_utf8_lossy(&bytes),
        "{\"a\\\"b\": 4711, \"\u{e9}\": 4711}"
    );
}

#[test]
fn a_record_without_fields_is_an_empty_object() {
    assert_eq!(written(record(Encoding::Json, false, &[])), b"{}");
    assert_eq!(written(record(Encoding::Cbor, false, &[])), b"BFFF");
}

#[test]
fn what_is_neither_an_alias_nor_an_expression_is_refused() {
    let inner = Box::new(record(Encoding::Json, false, &[]));
    let nested = FormatItem::Encoded {
        encoding: Encoding::Json,
        r#type: ItemType::Own,
        item: inner,
    };
    assert!(try_compile(nested, &mut Names::default()).is_err());
}
