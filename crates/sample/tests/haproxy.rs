//! Every expression in `data/haproxy.tsv` gives what a real HAProxy was seen to give.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on ends"
)]

mod support;

use isthmus_sample::{End, Kind, Names, Number, Sample, Text, cast};
use support::{Table, compile};

/// Where Isthmus differs from HAProxy 2.6 on purpose, and why.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "int(1),add()",
        "an operand is mandatory, as the signature says",
    ),
    (
        "int(1),add",
        "an operand is mandatory, as the signature says",
    ),
    ("bin(),mqtt_is_valid", "an empty argument is an empty value"),
    ("bin(),fix_is_valid", "an empty argument is an empty value"),
    (
        "bin(383d4649582e342e3401393d390133353d410134393d0131303d30393901),fix_is_valid",
        "no value may be empty, as the manual says",
    ),
    ("..,protobuf(0),hex", "fields are numbered from 1"),
    ("..,protobuf(3,double)", "what is no number is 0"),
    ("..,protobuf(6,float)", "a negative number stays one"),
    (
        "bin(01..,ungrpc(48.59.1,int32)",
        "a compressed message is not searched",
    ),
    (
        "..,jwt_header_query",
        "without a path the part itself is given, as the manual says",
    ),
    (
        "..,jwt_header_query()",
        "without a path the part itself is given, as the manual says",
    ),
    (
        "..,jwt_payload_query",
        "without a path the part itself is given, as the manual says",
    ),
    ("bin(),length", "an empty argument is an empty value"),
    ("bin(),be2dec(:,2)", "an empty argument is an empty value"),
    ("str(a\"b)", "the quotes are the parser's business"),
    ("str(a\\,b)", "the escapes are the parser's business"),
    ("str(a\"b),json", "the quotes are the parser's business"),
    (
        "str(a b/c?d=e&f~g-h_i.j!k*l'm\"),url_enc",
        "the quotes are the parser's business",
    ),
    (
        "str(abc!$()*[]{}|\\^`<>:;@+,#),url_enc",
        "the parentheses are the parser's business",
    ),
    ("str(a/b\\c),json", "the escapes are the parser's business"),
    (
        "str(host:abc),port_only",
        "a port that is no number is no port",
    ),
    (
        "str(SGVsbG8=),ub64dec",
        "padding ends the text instead of becoming a byte",
    ),
    (
        "str('{\"a\":{\"b\":[1,2,{\"c\":\"d\"}]}}'),json_query('$.a.b')",
        "arrays are text since 2.7",
    ),
    (
        "str('{\"a\":[]}'),json_query('$.a')",
        "arrays are text since 2.7",
    ),
    (
        "str('{\"a\":[\"x\",true]}'),json_query('$.a')",
        "arrays are text since 2.7",
    ),
    ("int(-1),utime(%F %T)", "moments before 1970 are dates too"),
    ("req.payload(0,3)", "HAProxy has no payload in HTTP mode"),
];

/// Names that 2.6 does not know.
const NEWER: &[&str] = &[
    "reverse",
    "reverse_dom",
    "param(",
    "ms_utime",
    "us_utime",
    "us_ltime",
    "ms_ltime",
    "fe_exists",
    "srv_is_up",
    "bytes(txn",
    "bytes(1,txn",
    "be_name",
    "srv_name",
    "bc_src",
];

#[test]
fn every_recorded_expression_gives_what_haproxy_gave() {
    let mut wrong = Vec::new();
    let mut compared = 0;
    for line in include_str!("data/haproxy.tsv").lines() {
        let (expression, expected) = line.split_once('\t').expect("two columns");
        if DIFFERENT.iter().any(|(text, _)| is_meant(text, expression))
            || NEWER
                .iter()
                .any(|name| expected == "!" && expression.contains(name))
        {
            continue;
        }
        compared += 1;
        let actual = evaluate(expression);
        let expected = (expected != "!").then(|| bytes(expected));
        if actual.as_ref().ok() != expected.as_ref() {
            let show = |bytes: &[u8]| bytes.escape_ascii().to_string();
            wrong.push(format!(
                "{expression}\n    HAProxy {:?}\n    Isthmus {:?}",
                expected.as_deref().map(show),
                actual.as_deref().map(show)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared > 400, "only {compared} were compared");
}

/// Whether an expression is one that a text stands for: `..` is anything.
fn is_meant(text: &str, expression: &str) -> bool {
    match text.split_once("..") {
        Some((begin, end)) => expression.starts_with(begin) && expression.ends_with(end),
        None => text == expression,
    }
}

/// What `%[...]` writes into an HTTP body.
fn evaluate(text: &str) -> Result<Vec<u8>, String> {
    let mut names = Names::default();
    let mut table = Table::default();
    let client = "127.0.0.1:40000".parse().expect("an address");
    for end in [End::Src, End::Dst] {
        table.endpoints.insert(end, client);
    }
    for fact in [Number::SrcIsLocal, Number::DstIsLocal, Number::ListenerId] {
        table.numbers.insert(fact, 1);
    }
    table.numbers.insert(Number::ReceivedProxy, 0);
    table
        .frontends
        .insert((None, isthmus_sample::FrontendNumber::Id), 1);
    table.texts.insert(Text::FrontendName, b"main".to_vec());
    table.request = Some((vec![b'x'; 78], false));
    let mut set = |name: &str, value| {
        table.set(names.variable(name.as_bytes()).expect("a variable"), value);
    };
    set("txn.number", Sample::Int(7));
    set("txn.word", Sample::text(b"word"));
    set("txn.bytes", Sample::Bin(b"Hi,"[..].into()));
    set("txn.address", Sample::Ipv4([127, 0, 0, 1].into()));
    let compiled = compile(text, &mut names)?;
    let value = match compiled.value(&table) {
        Some(Sample::Bin(bytes)) => Some(bytes),
        Some(sample) => match cast(sample, Kind::Str) {
            Some(Sample::Str(text)) => Some(text),
            _ => None,
        },
        None => None,
    };
    let mut out = Vec::new();
    for byte in value.unwrap_or_default().iter() {
        match byte {
            b'\t' | 32..=126 | 128.. => out.push(*byte),
            other => out.extend_from_slice(format!("%{other:02X}").as_bytes()),
        }
    }
    Ok(out)
}

/// Reads Python's notation of bytes.
fn bytes(repr: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut characters = repr[2..repr.len() - 1].chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            out.push(u8::try_from(c).expect("ASCII"));
            continue;
        }
        match characters.next().expect("an escaped character") {
            'x' => {
                let digits: String = characters.by_ref().take(2).collect();
                out.push(u8::from_str_radix(&digits, 16).expect("hexadecimal"));
            }
            't' => out.push(b'\t'),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            other => out.push(u8::try_from(other).expect("ASCII")),
        }
    }
    out
}
