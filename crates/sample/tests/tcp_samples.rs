//! Every row of `data/tcp_samples.txt` gives what a real HAProxy was seen to give, or what the
//! row says about Isthmus.

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]

mod support;

use isthmus_sample::{Kind, Names, Sample, cast};
use support::{Table, compile};

#[test]
fn every_recorded_row_gives_what_haproxy_gave() {
    let (mut wrong, mut compared) = (Vec::new(), 0);
    let (mut title, mut table) = ("", Table::default());
    for line in include_str!("data/tcp_samples.txt").lines() {
        if let Some(text) = line.strip_prefix("# ") {
            title = text;
        } else if let Some(hex) = line.strip_prefix("> ") {
            let bytes = isthmus_pattern::from_hex(hex.as_bytes()).expect("hexadecimal digits");
            table.request = Some((bytes, false));
        } else if !line.is_empty() {
            let columns: Vec<&str> = line.split('\t').collect();
            let (expression, haproxy) = (columns.first(), columns.get(1));
            let expected = columns.get(2).or(haproxy).expect("two columns");
            let expression = expression.expect("an expression");
            let actual = answer(expression, &table);
            compared += 1;
            if actual != **expected {
                wrong.push(format!(
                    "{title}\n    {expression}: {expected}, Isthmus {actual}"
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared > 200, "only {compared} were compared");
}

fn answer(expression: &str, table: &Table) -> String {
    let Ok(compiled) = compile(expression, &mut Names::default()) else {
        return "!".to_owned();
    };
    let Some(Sample::Bin(bytes)) = compiled
        .value(table)
        .and_then(|found| cast(found, Kind::Bin))
    else {
        return "-".to_owned();
    };
    let mut digits = Vec::new();
    isthmus_pattern::to_hex(&bytes, &mut digits);
    String::from_utf8(digits).expect("ASCII")
}

#[test]
fn what_is_cut_off_is_waited_for_while_more_may_come() {
    let rows = include_str!("data/tcp_samples.txt").lines();
    let mut hello = Vec::new();
    for line in rows {
        if let Some(hex) = line.strip_prefix("> ") {
            hello = isthmus_pattern::from_hex(hex.as_bytes()).expect("hexadecimal digits");
            break;
        }
    }
    let mut table = Table::default();
    let name = compile("req.ssl_sni", &mut Names::default()).expect("an expression");
    for length in [1, 4, 5, 9, 100, hello.len() - 1] {
        table.request = Some((hello.iter().take(length).copied().collect(), true));
        let found = name.eval(&table);
        assert!(found.may_change && found.sample.is_none(), "{length}");
    }
    table.request = Some((hello, true));
    let found = name.eval(&table);
    assert_eq!(found.sample, Some(Sample::text(b"www.example.com")));
    assert!(!found.may_change);
}
