//! The registry's rows against the list that HAProxy 3.5 prints with `-dKall`.

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]

use std::collections::BTreeSet;

use isthmus_sample::{converters, fetches, vocabulary};

/// Names of our own.
const OURS: [&str; 2] = ["src_netns", "dst_netns"];

fn printed(name: &str, signature: &str) -> String {
    if signature.is_empty() {
        name.to_owned()
    } else {
        format!("{name}({signature})")
    }
}

#[test]
fn every_fetch_and_converter_stands_in_the_list_as_haproxy_prints_it() {
    let list: BTreeSet<&str> = include_str!("data/keywords.txt").lines().collect();
    let mut missing = Vec::new();
    for fetch in fetches().filter(|fetch| !OURS.contains(&fetch.name)) {
        let columns: Vec<String> = fetch.valid.columns().chars().map(String::from).collect();
        let shown = printed(fetch.name, fetch.signature);
        missing.push(format!(
            "[ {} ] {shown}: {}",
            columns.join(" "),
            fetch.output.name()
        ));
    }
    for c in converters() {
        let shown = printed(c.name, c.signature);
        missing.push(format!(
            "{shown}: {} => {}",
            c.output.name(),
            c.input.name()
        ));
    }
    missing.retain(|line| !list.contains(line.as_str()));
    assert!(
        missing.is_empty(),
        "not in the list:\n{}",
        missing.join("\n")
    );
}

#[test]
fn no_name_is_registered_twice() {
    let mut seen = BTreeSet::new();
    assert!(fetches().all(|fetch| seen.insert(fetch.name)));
    seen.clear();
    assert!(converters().all(|converter| seen.insert(converter.name)));
}

#[test]
fn the_vocabulary_says_what_the_parser_needs() {
    let json = serde_json::to_value(vocabulary()).expect("plain data");
    let find = |list: &str, name: &str| {
        let rows = json[list].as_array().expect("a list");
        rows.iter()
            .find(|row| row["name"] == name)
            .expect("a row")
            .clone()
    };
    let fetch = find("fetches", "be_conn");
    assert_eq!(fetch["signature"], "backend");
    assert_eq!(fetch["args"][0]["type"], "backend");
    assert_eq!(fetch["args"][0]["optional"], true);
    assert_eq!(fetch["output"], "sint");
    assert_eq!(fetch["valid"], "YYYYYYYYYYYYYYYYYYYY.Y");
    let converter = find("converters", "add_item");
    assert_eq!(converter["args"][1]["optional"], false);
    assert_eq!(converter["args"][2]["optional"], true);
    assert_eq!(find("acls", "payload")["method"], "bin");
    assert_eq!(find("aliases", "ci")["late"], false);
    assert_eq!(find("aliases", "Tt")["late"], true);
    let inputs = find("methods", "int")["inputs"].clone();
    assert!(inputs.as_array().expect("a list").contains(&"sint".into()));
    assert!(!inputs.as_array().expect("a list").contains(&"bin".into()));
}
