//! What log formats write, beside lines that a real HAProxy 2.6 wrote for the same formats.

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]

mod support;

use isthmus_plan::FormatItem;

use isthmus_sample::{CompileEnv, End, Format, Names, Number, Sample, Text};
use support::{Table, items};

fn format(text: &str, names: &mut Names) -> Format {
    let mut env = CompileEnv {
        names,
        env: &|_| None,
        acl: &|_| None,
        lists: &[],
        userlists: &[],
        tables: &[],
        jose: &std::sync::Arc::default(),
    };
    Format::compile(&items(text), &mut env).expect("a format")
}

fn session(names: &mut Names) -> Table {
    let mut table = Table::default();
    for (end, address) in [
        (End::Src, "127.0.0.1:48334"),
        (End::Dst, "127.0.0.1:34409"),
        (End::ServerSrc, "127.0.0.1:49600"),
        (End::ServerDst, "127.0.0.1:40651"),
    ] {
        table
            .endpoints
            .insert(end, address.parse().expect("an address"));
    }
    for (fact, value) in [
        (Number::AcceptDate, 1_795_235_692_453_000),
        (Number::Pid, 0x692),
        (Number::TimeTotal, 50),
        (Number::TimeConnect, 0),
        (Number::TimeQueue, -1),
        (Number::BytesOut, 5),
        (Number::BytesIn, 6),
        (Number::ActiveConnections, 1),
        (Number::Retries, 2),
    ] {
        table.numbers.insert(fact, value);
    }
    for (fact, text) in [
        (Text::FrontendName, "f"),
        (Text::BackendName, "b"),
        (Text::ServerName, "s1"),
        (Text::TerminationState, "--"),
        (Text::Hostname, "vm"),
    ] {
        table.texts.insert(fact, text.into());
    }
    let text = names.variable(b"txn.str").expect("a variable");
    table.set(text, Sample::text(b"a\"\n]\\#\x7f\xc3\xa9"));
    let bin = names.variable(b"txn.bin").expect("a variable");
    table.set(bin, Sample::Bin(b"\n\"H\x00\x7f"[..].into()));
    table
}

#[test]
fn formats_write_what_haproxy_writes() {
    for (text, expected) in [
        (
            "%{+X}ci:%{+X}cp %{+X}fi:%{+X}fp",
            "7F000001:BCCE 7F000001:8669",
        ),
        ("%{+X}Ts %{+X}rt %{+X}pid %{+X}ms", "6B011F6C 0000 0692 1C5"),
        (
            "%{+X}si:%{+X}sp %{+X}bi:%{+X}bp",
            "7F000001:9ECB 7F000001:C1C0",
        ),
        ("%{+X}Tt %{+X}B %{+X}U %{+X}ac %{+X}lc", "50 5 6 1 0000"),
        ("%ci:%cp %Ts %rt %ms", "127.0.0.1:48334 1795235692 0 453"),
        (
            "%{+Q}ci %{+Q}f %{+Q}s %{+Q}ts %{+Q}ID %{+Q}cp",
            "\"127.0.0.1\" \"f\" \"s1\" -- \"\" 48334",
        ),
        ("%ID|%{-M}ID|%{+E}ID|%H", "-||-|vm"),
        (
            "%t|%T|%Tl",
            "21/Nov/2026:04:34:52.453|21/Nov/2026:04:34:52 +0000|21/Nov/2026:04:34:52 +0000",
        ),
        (
            "%{+X}t|%{+Q}t|%{+Q}ms",
            "21/Nov/2026:04:34:52.453|21/Nov/2026:04:34:52.453|453",
        ),
        ("%Tw/%Tc/%Tt %rc %%", "-1/0/50 2 %"),
        (
            "%[var(txn.missing)]|%{+Q}[var(txn.missing)]|%{-M}[var(txn.missing)]|%[str()]",
            "-|\"\"||-",
        ),
        (
            "%{+X}[src]|%{+X}[int(255)]|%{+Q}[int(5)]|%[bool(true)]",
            "127.0.0.1|255|\"5\"|1",
        ),
        ("%{+E}[str(a)]", "a"),
    ] {
        let mut names = Names::default();
        let table = session(&mut names);
        let mut out = Vec::new();
        format(text, &mut names).render(&table, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{text}");
    }
}

#[test]
fn a_line_is_one_line_whatever_a_sample_holds() {
    for (text, logged, raw) in [
        (
            "%[var(txn.str)]",
            &b"a\"#0A]\\##7F\xc3\xa9"[..],
            &b"a\"\n]\\#\x7f\xc3\xa9"[..],
        ),
        (
            "%{+E}[var(txn.str)]",
            b"a\\\"#0A\\]\\\\##7F\xc3\xa9",
            b"a\\\"\n\\]\\\\#\x7f\xc3\xa9",
        ),
        ("%{+Q}[var(txn.bin)]", b"\"#0A\"H\"", b"\"\n\"H\""),
    ] {
        let mut names = Names::default();
        let table = session(&mut names);
        let format = format(text, &mut names);
        let mut out = Vec::new();
        format.render(&table, &mut out);
        assert_eq!(
            out.escape_ascii().to_string(),
            logged.escape_ascii().to_string(),
            "{text}"
        );
        let bytes = format.to_bytes(&table);
        assert_eq!(
            bytes.escape_ascii().to_string(),
            raw.escape_ascii().to_string(),
            "{text}"
        );
    }
}

#[test]
fn what_a_session_does_not_have_is_a_dash_or_a_zero() {
    let mut names = Names::default();
    let mut out = Vec::new();
    format("%ci:%cp %b %s %si:%sp %bi:%bp %ts %rc %ac", &mut names)
        .render(&Table::default(), &mut out);
    assert_eq!(
        String::from_utf8_lossy(&out),
        "-:- - <NOSRV> -:- -:- -- 0 0"
    );
}

#[test]
fn local_time_carries_its_offset() {
    let mut names = Names::default();
    let table = Table {
        utc_offset: -12_600,
        ..session(&mut names)
    };
    let mut out = Vec::new();
    format("%t|%T|%Tl", &mut names).render(&table, &mut out);
    let expected = "21/Nov/2026:01:04:52.453|21/Nov/2026:04:34:52 +0000|21/Nov/2026:01:04:52 -0330";
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

#[test]
fn redispatched_sessions_have_a_plus_before_their_retries() {
    let mut names = Names::default();
    let mut table = session(&mut names);
    table.numbers.insert(Number::Redispatched, 1);
    let mut out = Vec::new();
    format("%rc", &mut names).render(&table, &mut out);
    assert_eq!(out, b"+2");
}

#[test]
fn unknown_aliases_and_flags_are_refused() {
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
    for (name, flags) in [("nope", ""), ("ci", "Z")] {
        let item = FormatItem::Alias {
            name: name.to_owned(),
            flags: flags.to_owned(),
        };
        assert!(Format::compile(&[item], &mut env).is_err());
    }
}
