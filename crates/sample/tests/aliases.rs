//! The aliases that tell of an HTTP exchange write what HAProxy 2.6 was seen to write.

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]

mod support;

use isthmus_sample::{CompileEnv, Format, Names, Number, Side, Text};
use support::{Table, items};

fn written(format: &str, table: &Table) -> String {
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
    let format = Format::compile(&items(format), &mut env).expect("a format");
    let mut out = Vec::new();
    format.render(table, &mut out);
    String::from_utf8(out).expect("ASCII")
}

fn request(method: &str, target: &str, version: &str) -> Table {
    let mut table = Table::default();
    for (fact, text) in [
        (Text::RequestMethod, method),
        (Text::RequestTarget, target),
        (Text::RequestVersion, version),
    ] {
        table.texts.insert(fact, text.into());
    }
    table
}

#[test]
fn a_request_line_is_written_in_its_parts() {
    const PARTS: &str = "%HM|%HP|%HPO|%HQ|%HU|%HV|%r";
    for (method, target, expected) in [
        (
            "GET",
            "/a/b?c=d&e",
            "GET|/a/b|/a/b|?c=d&e|/a/b?c=d&e|HTTP/1.1|GET /a/b?c=d&e HTTP/1.1",
        ),
        (
            "GET",
            "http://h/a?b",
            "GET|http://h/a|/a|?b|http://h/a?b|HTTP/1.1|GET http://h/a?b HTTP/1.1",
        ),
        ("OPTIONS", "*", "OPTIONS|*|||*|HTTP/1.1|OPTIONS * HTTP/1.1"),
        (
            "GET",
            "http://h",
            "GET|http://h|||http://h|HTTP/1.1|GET http://h HTTP/1.1",
        ),
        (
            "GET",
            "/q\"?",
            "GET|/q#22|/q#22|?|/q#22?|HTTP/1.1|GET /q#22? HTTP/1.1",
        ),
        (
            "GET",
            "/a{|}b\\^`<>~",
            "GET|/a{|}b\\^`<>~|/a{|}b\\^`<>~||/a{|}b\\^`<>~|HTTP/1.1|GET /a{|}b\\^`<>~ HTTP/1.1",
        ),
    ] {
        assert_eq!(
            written(PARTS, &request(method, target, "HTTP/1.1")),
            expected,
            "{target}"
        );
    }
    let table = request("GET", "/a]\\b", "HTTP/1.0");
    assert_eq!(
        written("%{+E}HU %{+Q,+E}r", &table),
        "/a\\]\\\\b \"GET /a\\]\\\\b HTTP/1.0\""
    );
}

#[test]
fn a_long_request_line_is_cut_where_the_settings_say() {
    for (most, expected) in [
        (64, "GET|/abc?d|?d|HTTP/1.1|GET /abc?d HTTP/1.1"),
        (7, "GET|/ab||HTTP/1.1|GET /ab"),
        (4, "GET|||HTTP/1.1|GET "),
        (0, "GET|||HTTP/1.1|GET "),
    ] {
        let mut table = request("GET", "/abc?d", "HTTP/1.1");
        table.numbers.insert(Number::LoggedLineLength, most);
        assert_eq!(written("%HM|%HU|%HQ|%HV|%r", &table), expected, "{most}");
    }
}

#[test]
fn a_request_that_could_not_be_read_is_called_so() {
    let table = Table::default();
    assert_eq!(
        written("%HM %HP %HPO %HQ %HU %HV", &table),
        ["<BADREQ>"; 6].join(" ")
    );
    assert_eq!(written("%{+Q}r", &table), "\"<BADREQ>\"");
    assert_eq!(
        written("%{+M}CC %{+M}CS %{+Q}CC [%hr%hs%hrl%hsl] %tsc", &table),
        "- - \"\" [] ----"
    );
}

#[test]
fn captures_are_written_together_and_one_by_one() {
    let mut table = Table::default();
    table.numbers.insert(Number::RequestCaptures, 2);
    table.numbers.insert(Number::ResponseCaptures, 1);
    table
        .captures
        .insert((Side::Request, 0), b"he\"l]\\lo\tw".to_vec());
    table
        .captures
        .insert((Side::Response, 0), b"a#{|}\xc3\xa9".to_vec());
    for (format, expected) in [
        ("%hr", "{he#22l]\\lo#09w|}"),
        ("%{+Q}hr", "\"{he#22l]\\lo#09w|}\""),
        ("%{+E}hr", "{he#22l\\]\\\\lo#09w|}"),
        ("%{+M}hrl", "he#22l]\\lo#09w -"),
        ("%{+Q}hrl", "\"he#22l]\\lo#09w\" \"\""),
        ("%hs", "{a#23#7B#7C#7D#C3#A9}"),
        ("%hsl", "a#23#7B#7C#7D#C3#A9"),
    ] {
        assert_eq!(written(format, &table), expected, "{format}");
    }
}
