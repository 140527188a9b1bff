//! Whatever arguments and payload: compiling refuses or evaluating answers, and nothing panics.

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]

mod support;

use isthmus_plan::{Acl, AclTest, Arg, ByteString, Call, Expression, FormatItem, MatchMethod};
use isthmus_proto::http1::{RequestHead, ResponseHead};
use isthmus_sample::{CompileEnv, Format, Names, Program, Sample, Side, converters, fetches};
use proptest::prelude::*;
use support::{Message, Table};

fn arg() -> impl Strategy<Value = Arg> {
    let words = prop_oneof![
        Just("txn.a".to_owned()),
        Just("us".to_owned()),
        Just("g".to_owned()),
        Just("sha256".to_owned()),
        Just("utf8s".to_owned()),
        Just("%Y %j %N %G %%".to_owned()),
        Just("$.a[0]".to_owned()),
        Just("[a-z]*".to_owned()),
        Just("_./".to_owned()),
        Just("x-a".to_owned()),
        Just("c".to_owned()),
        Just("ARGV".to_owned()),
        Just("connect".to_owned()),
        Just("password".to_owned()),
        Just("24".to_owned()),
        "\\PC{0,8}",
    ];
    prop_oneof![
        prop_oneof![any::<i64>(), -3_i64..9].prop_map(|value| Arg::Int { value }),
        words.prop_map(|word| Arg::Str {
            value: ByteString(word.into_bytes())
        }),
        proptest::collection::vec(any::<u8>(), 0..6).prop_map(|v| Arg::Str {
            value: ByteString(v)
        }),
        any::<u8>().prop_map(|bits| Arg::Mask { bits }),
        Just(Arg::Absent {}),
        Just(Arg::Userlist { userlist: 0 }),
        Just(Arg::Var {
            name: "txn.a".to_owned()
        }),
        Just(Arg::Server {
            backend: 0,
            server: 3
        }),
    ]
}

fn call(names: Vec<&'static str>) -> impl Strategy<Value = Call> {
    let args = proptest::collection::vec(arg(), 0..4);
    (proptest::sample::select(names), args).prop_map(|(name, args)| Call {
        name: name.to_owned(),
        args,
    })
}

fn expression() -> impl Strategy<Value = Expression> {
    let fetch = prop_oneof![
        call(fetches().map(|fetch| fetch.name).collect()),
        call(vec![
            "str",
            "bin",
            "int",
            "var",
            "req.payload",
            "req.payload_lv"
        ]),
    ];
    let converters = call(converters().map(|converter| converter.name).collect());
    (fetch, proptest::collection::vec(converters, 0..4))
        .prop_map(|(fetch, converters)| Expression { fetch, converters })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn evaluating_never_panics(
        expression in expression(),
        payload in proptest::collection::vec(any::<u8>(), 0..40),
        growing: bool,
        value in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut names = Names::default();
        let variable = names.variable(b"txn.a").expect("a variable");
        let mut env = CompileEnv { names: &mut names, env: &|_| None, acl: &|_| Some(0), lists: &[], userlists: &[], tables: &[], jose: &Default::default() };
        let item = FormatItem::Expression { expression, flags: "+Q,+E".to_owned() };
        if let Ok(format) = Format::compile(&[item], &mut env) {
            let table = Table {
                request: Some((payload, growing)),
                inspecting: growing,
                now: Some(1_700_000_000_000_000),
                ..Table::default()
            };
            table.set(variable, Sample::owned_text(value));
            let mut line = Vec::new();
            format.render(&table, &mut line);
            prop_assert!(!line.iter().any(|b| *b < 32));
        }
    }

    #[test]
    fn evaluating_over_http_never_panics(
        expression in expression(),
        target in "/[!-\"$-~]{0,20}",
        field in "[ -~\t]{0,30}",
        cookie in "[a-c=;,\" \\\\$]{0,20}",
        credentials in "(Basic |Bearer |basic)[a-zA-Z0-9+/=.: ]{0,16}",
        body in proptest::collection::vec(any::<u8>(), 0..40),
        response: bool,
    ) {
        let fields = format!(
            "X-A: {field}\r\nCookie: {cookie}\r\nSet-Cookie: {cookie}\r\nAuthorization: {credentials}\r\n\r\n"
        );
        let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\n{fields}");
        let answer = format!("HTTP/1.1 200 OK\r\n{fields}");
        let mut table = Table {
            request_head: Message::read(&[request.as_bytes(), &body].concat(), RequestHead::read).ok(),
            response_head: Message::read(&[answer.as_bytes(), &body].concat(), ResponseHead::read).ok(),
            ..Table::default()
        };
        table.side = response.then_some(Side::Response);
        prop_assert!(table.request_head.is_some() && table.response_head.is_some());
        let mut names = Names::default();
        let mut env = CompileEnv {
            names: &mut names,
            env: &|_| None,
            acl: &|_| Some(0),
            lists: &[],
            userlists: &support::userlists(),
            tables: &[],
            jose: &std::sync::Arc::default(),
        };
        let item = FormatItem::Expression { expression: expression.clone(), flags: "+E".to_owned() };
        if let Ok(format) = Format::compile(&[item], &mut env) {
            let mut line = Vec::new();
            format.render(&table, &mut line);
            prop_assert!(!line.iter().any(|b| *b < 32));
        }
        let test = AclTest {
            expression,
            method: MatchMethod::Sub,
            ignore_case: true,
            patterns: vec![ByteString(b"a".to_vec())],
            id: 0,
            description: String::new(),
            files: Vec::new(),
        };
        let acl = Acl { name: "a".to_owned(), tests: vec![test] };
        if let Ok(program) = Program::compile(&[acl], &mut env) {
            let _ = program.acl(0, &table);
        }
    }
}
