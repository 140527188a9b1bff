//! What expressions and conditions say while data is still to come.

#![allow(
    clippy::expect_used,
    clippy::too_many_lines,
    reason = "a test that cannot go on ends"
)]

mod support;

use isthmus_plan::{Acl, AclTest, ByteString, Condition, MatchMethod, Term};
use isthmus_sample::{
    CompileEnv, End, Fetched, Names, Number, Program, Sample, Side, TcpInfo, Text, Verdict,
};
use support::{Table, compile, parse};

fn fetched<'a>(
    text: &str,
    table: &'a Table,
    keep: &'a mut Vec<isthmus_sample::Compiled>,
) -> Fetched<'a> {
    keep.push(compile(text, &mut Names::default()).expect("an expression"));
    keep.last().expect("just pushed").eval(table)
}

fn received(bytes: &[u8], growing: bool) -> Table {
    Table {
        request: Some((bytes.to_vec(), growing)),
        inspecting: growing,
        ..Table::default()
    }
}

/// Expression, bytes received, value and whether it may change while open, value once closed.
type PayloadCase = (
    &'static str,
    &'static [u8],
    Option<Sample<'static>>,
    bool,
    Option<Sample<'static>>,
);

#[test]
fn payload_waits_for_bytes_that_may_still_come() {
    let bytes = |bytes: &'static [u8]| Some(Sample::Bin(bytes.into()));
    let text = |text: &'static [u8]| Some(Sample::text(text));
    let cases: &[PayloadCase] = &[
        (
            "req.len",
            b"",
            Some(Sample::Int(0)),
            true,
            Some(Sample::Int(0)),
        ),
        (
            "req.len",
            b"abc",
            Some(Sample::Int(3)),
            true,
            Some(Sample::Int(3)),
        ),
        (
            "req.payload(0,3)",
            b"abcd",
            bytes(b"abc"),
            false,
            bytes(b"abc"),
        ),
        (
            "req.payload(1,3)",
            b"abcd",
            bytes(b"bcd"),
            false,
            bytes(b"bcd"),
        ),
        ("req.payload(2,3)", b"abcd", None, true, None),
        (
            "req.payload(0,0)",
            b"abcd",
            bytes(b"abcd"),
            true,
            bytes(b"abcd"),
        ),
        (
            "req.payload(2,0)",
            b"abcd",
            bytes(b"cd"),
            true,
            bytes(b"cd"),
        ),
        ("req.payload(5,0)", b"abcd", None, true, None),
        (
            "req.payload_lv(0,1)",
            b"\x03abcd",
            bytes(b"abc"),
            false,
            bytes(b"abc"),
        ),
        ("req.payload_lv(0,1)", b"\x05abcd", None, true, None),
        (
            "req.payload_lv(0,2)",
            b"\x00\x01abcd",
            bytes(b"a"),
            false,
            bytes(b"a"),
        ),
        (
            "req.payload_lv(1,2,+1)",
            b"x\x00\x02abcd",
            bytes(b"bc"),
            false,
            bytes(b"bc"),
        ),
        (
            "req.payload_lv(1,2,0)",
            b"x\x00\x02abcd",
            bytes(b"x\x00"),
            false,
            bytes(b"x\x00"),
        ),
        ("req.payload_lv(0,1)", b"\x00", None, false, None),
        ("req.payload_lv(3,1)", b"a", None, true, None),
        ("payload(0,1)", b"a", bytes(b"a"), false, bytes(b"a")),
        ("res.payload(0,1)", b"a", None, false, None),
        ("wait_end", b"", None, true, Some(Sample::Bool(true))),
        (
            "req.payload(0,3),lower",
            b"ABC",
            text(b"abc"),
            false,
            text(b"abc"),
        ),
        ("req.payload(0,3),lower", b"AB", None, true, None),
    ];
    for (expression, bytes, value, may_change, closed) in cases {
        let mut keep = Vec::new();
        let open = received(bytes, true);
        let found = fetched(expression, &open, &mut keep);
        assert_eq!(
            (&found.sample, found.may_change),
            (value, *may_change),
            "{expression}, open"
        );
        let mut keep = Vec::new();
        let table = received(bytes, false);
        let found = fetched(expression, &table, &mut keep);
        assert_eq!(
            (&found.sample, found.may_change),
            (closed, false),
            "{expression}, closed"
        );
    }
}

/// A program of ACLs that each hold one test.
fn program(tests: &[(&str, MatchMethod, &str)]) -> Program {
    let acls: Vec<Acl> = tests
        .iter()
        .map(|(expression, method, pattern)| Acl {
            name: (*expression).to_owned(),
            tests: vec![AclTest {
                expression: parse(expression).expect("an expression"),
                method: *method,
                ignore_case: false,
                patterns: vec![ByteString::from(*pattern)],
                id: 0,
                description: String::new(),
                files: Vec::new(),
            }],
        })
        .collect();
    let mut names = Names::default();
    let mut env = CompileEnv {
        names: &mut names,
        env: &|_| None,
        acl: &|_| None,
        lists: &[],
        userlists: &[],
        tables: &[],
        jose: &std::sync::Arc::default(),
    };
    Program::compile(&acls, &mut env).expect("ACLs")
}

fn condition(
    program: &Program,
    unless: bool,
    any_of: &[&[i32]],
) -> isthmus_sample::CompiledCondition {
    // 1 is the first ACL, -1 the first ACL negated.
    let term = |acl: &i32| Term {
        negate: *acl < 0,
        acl: usize::try_from(acl.abs() - 1).expect("counted from 1"),
    };
    let any_of = any_of
        .iter()
        .map(|all_of| all_of.iter().map(term).collect())
        .collect();
    program
        .condition(&Condition { unless, any_of })
        .expect("a condition")
}

#[test]
fn a_condition_waits_only_where_what_is_known_cannot_decide() {
    use Verdict::{Fail, Pass, Wait};
    let program = program(&[
        ("always_true", MatchMethod::Bool, ""),
        ("always_false", MatchMethod::Bool, ""),
        ("req.payload(0,3)", MatchMethod::Str, "abc"),
    ]);
    let cases: &[(bool, &[&[i32]], Verdict)] = &[
        (false, &[&[1]], Pass),
        (false, &[&[2]], Fail),
        (false, &[&[3]], Wait),
        (false, &[&[-3]], Wait),
        (true, &[&[3]], Wait),
        (true, &[&[1]], Fail),
        (true, &[&[2]], Pass),
        (false, &[&[1, 3]], Wait),
        (false, &[&[3, 2]], Fail),
        (false, &[&[3, -1]], Fail),
        (false, &[&[3], &[1]], Pass),
        (false, &[&[3], &[2]], Wait),
        (false, &[&[2], &[-2]], Pass),
        (true, &[&[3], &[1]], Fail),
        (false, &[], Fail),
        (true, &[], Pass),
    ];
    let table = received(b"ab", true);
    for (unless, any_of, verdict) in cases {
        let compiled = condition(&program, *unless, any_of);
        assert_eq!(
            program.eval(&compiled, &table),
            *verdict,
            "unless {unless}, {any_of:?}"
        );
    }
    let last = Table {
        inspecting: false,
        ..received(b"ab", true)
    };
    assert_eq!(
        program.eval(&condition(&program, false, &[&[3]]), &last),
        Fail
    );
    assert_eq!(
        program.eval(
            &condition(&program, false, &[&[3]]),
            &received(b"abc", true)
        ),
        Pass
    );
}

#[test]
fn evaluation_stops_at_the_first_term_that_decides() {
    let program = program(&[
        ("always_false", MatchMethod::Bool, ""),
        ("src", MatchMethod::Ip, "10.0.0.0/8"),
        ("always_true", MatchMethod::Bool, ""),
    ]);
    let table = Table::default();
    for any_of in [&[&[1, 2][..]][..], &[&[3], &[2]], &[&[3], &[-2]]] {
        program.eval(&condition(&program, false, any_of), &table);
        assert_eq!(table.asked.get(), 0, "{any_of:?}");
    }
    program.eval(&condition(&program, false, &[&[3, 2]]), &table);
    assert_eq!(table.asked.get(), 1);
}

#[test]
fn a_condition_over_an_unknown_acl_is_refused() {
    let program = program(&[("always_true", MatchMethod::Bool, "")]);
    let term = Term {
        negate: false,
        acl: 1,
    };
    assert!(
        program
            .condition(&Condition {
                unless: false,
                any_of: vec![vec![term]]
            })
            .is_err()
    );
}

#[test]
fn the_fetch_acl_holds_when_all_its_acls_do() {
    use Verdict::{Fail, Pass, Wait};
    let named = |name: &[u8]| {
        [&b"yes"[..], b"no", b"wait"]
            .iter()
            .position(|n| *n == name)
    };
    let table = Table {
        acls: vec![Pass, Fail, Wait],
        inspecting: true,
        ..Table::default()
    };
    let (yes, no) = (Some(Sample::Bool(true)), Some(Sample::Bool(false)));
    for (text, expected) in [
        ("acl(yes)", (yes.clone(), false)),
        ("acl(no)", (no.clone(), false)),
        ("acl(!no)", (yes.clone(), false)),
        ("acl(yes,!no)", (yes, false)),
        ("acl(yes,no)", (no.clone(), false)),
        ("acl(yes,wait)", (None, true)),
        ("acl(wait,no)", (no, false)),
    ] {
        let mut names = Names::default();
        let mut env = CompileEnv {
            names: &mut names,
            env: &|_| None,
            acl: &named,
            lists: &[],
            userlists: &[],
            tables: &[],
            jose: &std::sync::Arc::default(),
        };
        let expression = parse(text).expect("an expression");
        let compiled = isthmus_sample::Compiled::compile(&expression, &mut env).expect("compiles");
        let found = compiled.eval(&table);
        assert_eq!((found.sample, found.may_change), expected, "{text}");
    }
}

#[test]
fn facts_come_from_the_context() {
    let mut table = Table::default();
    table.endpoints.insert(
        End::ServerDst,
        "[2001:db8::1]:443".parse().expect("an address"),
    );
    table.texts.insert(Text::SrcNetns, b"red".to_vec());
    table
        .numbers
        .insert(Number::AcceptDate, 1_234_567_890_123_456);
    table.numbers.insert(Number::TimeRequest, 5);
    table.numbers.insert(Number::TimeHandshake, 2);
    table.numbers.insert(Number::TimeIdle, 1);
    table.numbers.insert(Number::SessionNumber, 0x1_0000_0007);
    table.tlvs.insert(0x30, b"blue".to_vec());
    table.tlvs.insert(0xe1, b"custom".to_vec());
    table.tcp.insert((Side::Request, TcpInfo::Rtt), 2500);
    table.now = Some(1_700_000_000_250_000);
    let text = |text: &'static str| Some(Sample::text(text.as_bytes()));
    let cases = [
        ("bc_dst_port", Some(Sample::Int(443))),
        ("src", None),
        ("src_netns", text("red")),
        ("dst_netns", None),
        ("fc_pp_tlv(NETNS)", text("blue")),
        ("fc_pp_tlv(0x30)", text("blue")),
        ("fc_pp_tlv(225)", text("custom")),
        ("fc_pp_tlv(ALPN)", None),
        ("fc_rtt", Some(Sample::Int(2))),
        ("fc_rtt(us)", Some(Sample::Int(2500))),
        ("accept_date", Some(Sample::Int(1_234_567_890))),
        ("accept_date(ms)", Some(Sample::Int(1_234_567_890_123))),
        ("req.timer.tq", Some(Sample::Int(8))),
        ("txn.id32", Some(Sample::Int(7))),
        ("date", Some(Sample::Int(1_700_000_000))),
        ("date(-5)", Some(Sample::Int(1_699_999_995))),
        ("date(5,ms)", Some(Sample::Int(1_700_000_000_255))),
        ("date_us", Some(Sample::Int(250_000))),
        ("date,utime(%F)", text("2023-11-14")),
        ("date(0,ms),ms_utime(%T.%3N)", text("22:13:20.250")),
        ("str(a=1&b=2&c),param(b)", text("2")),
        ("str(a=1&b=2&c),param(c)", text("")),
        ("str(a=1&b=2&c),param(d)", None),
        ("str(a=1;b=2),param(b,;)", text("2")),
        ("str(hello),reverse", text("olleh")),
        ("str(www.example.com),reverse_dom", text("com.example.www")),
        ("bin(a1),base2", text("10100001")),
        ("bin(0102),le2dec(,2)", text("513")),
    ];
    for (expression, expected) in cases {
        let mut keep = Vec::new();
        assert_eq!(
            fetched(expression, &table, &mut keep).sample,
            expected,
            "{expression}"
        );
    }
}

#[test]
fn random_values_stay_in_their_range_and_uuids_have_their_version() {
    let table = Table::default();
    for _ in 0..200 {
        let mut keep = Vec::new();
        let Some(Sample::Int(value)) = fetched("rand(10)", &table, &mut keep).sample else {
            unreachable!("rand gives an integer")
        };
        assert!((0..10).contains(&value));
        let mut keep = Vec::new();
        let Some(Sample::Str(uuid)) = fetched("uuid", &table, &mut keep).sample else {
            unreachable!("uuid gives text")
        };
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.get(14), Some(&b'4'));
        assert!(uuid.get(19).is_some_and(|b| b"89ab".contains(b)));
    }
}

#[test]
fn wrong_expressions_say_what_is_wrong() {
    for (text, part) in [
        ("bin(01),add(1)", "converter 'add' cannot be applied"),
        ("src,field(1)", "missing arguments"),
        ("str(a),lower(x)", "too many arguments"),
        ("var(foo.bar)", "scope"),
        ("str(a),field(0,_)", "index"),
        ("str(a),regsub('(','')", "regsub"),
        ("fc_rtt(days)", "'us' or 'ms'"),
        ("acl(nope)", "no such ACL"),
    ] {
        let error = compile(text, &mut Names::default()).expect_err(text);
        assert!(error.contains(part), "{text}: {error}");
    }
}
