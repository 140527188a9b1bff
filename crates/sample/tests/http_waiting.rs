//! What fetches of HTTP say before a message is there, after rules have changed it, and once it is gone.

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]

mod support;

use std::sync::Arc;

use isthmus_plan::{Acl, AclTest, ByteString, MatchMethod, Password, User, Userlist};
use isthmus_proto::http1::{FieldId, RequestHead, StartLine};
use isthmus_sample::{CompileEnv, Compiled, Names, Number, Program, Sample, Text, Users, Verdict};
use support::{Message, Table, compile, parse};

fn value(expression: &str, table: &Table) -> Option<Sample<'static>> {
    let compiled = compile(expression, &mut Names::default()).expect(expression);
    compiled.value(table).map(Sample::into_owned)
}

fn verdict(expression: &str, pattern: &str, table: &Table) -> Verdict {
    let test = AclTest {
        expression: parse(expression).expect(expression),
        method: MatchMethod::Str,
        ignore_case: false,
        patterns: vec![ByteString(pattern.as_bytes().to_vec())],
        id: 0,
        description: String::new(),
        files: Vec::new(),
    };
    let mut names = Names::default();
    let mut env = CompileEnv {
        names: &mut names,
        env: &|_| None,
        acl: &|_| None,
        lists: &[],
        userlists: &support::userlists(),
        tables: &[],
        jose: &std::sync::Arc::default(),
    };
    let acl = Acl {
        name: "a".to_owned(),
        tests: vec![test],
    };
    Program::compile(&[acl], &mut env)
        .expect("an ACL")
        .acl(0, table)
}

fn request(text: &str) -> Table {
    Table {
        request_head: Message::read(text.as_bytes(), RequestHead::read).ok(),
        ..Table::default()
    }
}

#[test]
fn a_head_that_may_still_come_is_waited_for() {
    let mut table = Table {
        awaits: true,
        inspecting: true,
        ..Table::default()
    };
    let all = [
        "path",
        "method",
        "req.hdr(host)",
        "req.cook(a)",
        "urlp(a)",
        "req.ver",
        "req.proto_http",
        "req.body",
        "req.body_param(a)",
        "base32+src",
        "http_auth_user",
    ];
    for expression in all {
        let compiled = compile(expression, &mut Names::default()).expect(expression);
        let found = compiled.eval(&table);
        assert!(found.sample.is_none() && found.may_change, "{expression}");
        if expression != "req.proto_http" {
            assert_eq!(
                verdict(expression, "x", &table),
                Verdict::Wait,
                "{expression}"
            );
        }
    }
    table.awaits = false;
    table.inspecting = false;
    for expression in all {
        let compiled = compile(expression, &mut Names::default()).expect(expression);
        assert!(!compiled.eval(&table).may_change, "{expression}");
        assert_eq!(value(expression, &table), None, "{expression}");
    }
}

#[test]
fn a_body_that_still_grows_may_change_what_is_said_of_it() {
    let mut table = request("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\na=1&b");
    table.inspecting = true;
    let message = table.request_head.as_mut().expect("a request");
    message.growing = true;
    let compiled = compile("req.body_len", &mut Names::default()).expect("an expression");
    let found = compiled.eval(&table);
    assert_eq!(found.sample, Some(Sample::Int(5)));
    assert!(found.may_change);
    assert_eq!(verdict("req.body_param(b)", "2", &table), Verdict::Wait);
    assert_eq!(verdict("req.body_param(a)", "1", &table), Verdict::Pass);
}

#[test]
fn what_rules_changed_is_what_fetches_find() {
    let mut table = request("GET /a?b=c HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-A: 2\r\n\r\n");
    let message = table.request_head.as_mut().expect("a request");
    let rewrite = &mut message.rewrite;
    rewrite.remove(FieldId::Received(1));
    assert!(rewrite.set(StartLine::Target, b"/new?b=d") && rewrite.add(b"x-a", b"3, 4"));
    for (expression, expected) in [
        ("path", "/new"),
        ("urlp(b)", "d"),
        ("url", "/new?b=d"),
        ("req.hdr(x-a,1)", "2"),
        ("req.hdr(x-a)", "4"),
        ("req.fhdr(x-a)", "3, 4"),
        ("req.hdr_names", "host,x-a,x-a"),
    ] {
        let expected = Sample::text(expected.as_bytes());
        assert_eq!(value(expression, &table), Some(expected), "{expression}");
    }
    assert_eq!(value("req.hdr_cnt(x-a)", &table), Some(Sample::Int(3)));
}

#[test]
fn what_is_kept_of_a_message_is_known_when_its_head_is_gone() {
    let mut table = Table::default();
    for (fact, text) in [
        (Text::RequestMethod, "GET"),
        (Text::RequestTarget, "http://h/a?b"),
        (Text::RequestVersion, "HTTP/1.0"),
        (Text::ResponseVersion, "HTTP/1.1"),
    ] {
        table.texts.insert(fact, text.into());
    }
    table.numbers.insert(Number::Status, 503);
    for (expression, expected) in [
        ("method", "GET"),
        ("req.ver", "1.0"),
        ("res.ver", "1.1"),
        ("capture.req.uri", "/a?b"),
        ("capture.req.ver", "HTTP/1.0"),
    ] {
        let expected = Sample::text(expected.as_bytes());
        assert_eq!(value(expression, &table), Some(expected), "{expression}");
    }
    assert_eq!(value("status", &table), Some(Sample::Int(503)));
    assert_eq!(value("req.proto_http", &table), Some(Sample::Bool(true)));
    assert_eq!(value("path", &table), None);
}

#[test]
fn nobody_passes_as_a_user_without_a_password() {
    // `carl:` and `carl:x`
    for credentials in ["Y2FybDo=", "Y2FybDp4"] {
        let text =
            format!("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {credentials}\r\n\r\n");
        let table = request(&text);
        assert_eq!(value("http_auth(staff)", &table), Some(Sample::Bool(false)));
        assert_eq!(
            verdict("http_auth_group(staff)", "all", &table),
            Verdict::Fail
        );
    }
}

#[test]
fn guesses_count_for_a_userlist_whichever_rule_asks_it() {
    // One wrong password is what may be guessed in a row: 600,000 rounds are reckoned as 0.6 s.
    let hash = "$6$rounds=600000$saltsalt$C.0xt6Q7zwQYHJ6NsZYs8OOAiwcqRlSd8lNaIeNKwdAmosgVYr/ZKdpRv4gY9a46e.jT2.kqj7nrZiuMjvHgf0";
    let ann = User {
        name: ByteString::from("ann"),
        password: Some(Password::Hashed {
            hash: ByteString::from(hash),
        }),
        groups: Vec::new(),
    };
    let list = Userlist {
        name: "slow".to_owned(),
        users: vec![ann],
    };
    let mut env = CompileEnv {
        names: &mut Names::default(),
        env: &|_| None,
        acl: &|_| None,
        lists: &[],
        userlists: &[Arc::new(Users::compile(&list).expect("a userlist"))],
        tables: &[],
        jose: &Arc::default(),
    };
    let expression = parse("http_auth(slow)").expect("an expression");
    let mut mention = || Compiled::compile(&expression, &mut env).expect("compiles");
    let (first, second) = (mention(), mention());
    let asked = |mention: &Compiled, credentials: &str| {
        let table = request(&format!(
            "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {credentials}\r\n\r\n"
        ));
        mention.value(&table).map(Sample::into_owned)
    };
    // `ann:0`, and `ann:hunter2` when there is no time left.
    assert_eq!(asked(&first, "YW5uOjA="), Some(Sample::Bool(false)));
    let right = asked(&second, "YW5uOmh1bnRlcjI=");
    assert_eq!(right, Some(Sample::Bool(false)));
}
