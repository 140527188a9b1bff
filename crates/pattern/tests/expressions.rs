//! Regular expressions that the linear engine cannot hold.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use isthmus_pattern::{Columns, Expression, Input, List, limited_searches};
use isthmus_plan::{ListValues, MatchMethod};

fn is_match(pattern: &str, text: &str) -> bool {
    let expression = Expression::new(pattern.as_bytes(), false);
    expression
        .unwrap_or_else(|error| panic!("{pattern}: {error}"))
        .is_match(text.as_bytes())
}

#[test]
fn look_around_and_back_references_match_as_in_pcre() {
    for (pattern, text, expected) in [
        ("^/(?!adm)", "/adm", false),
        ("^/(?!adm)", "/xadm", true),
        ("(?<=a)b", "xab", true),
        ("(?<=a)b", "xb", false),
        (r"(.)\1$", "abb", true),
        (r"(.)\1$", "aba", false),
        ("a|b(?=c)|d", "xd", true),
        ("(?x) (?=a) a # a comment", "za", true),
        (r"(?=a)\Qa)", "za)", true),
        ("a++b", "xaab", true),
        ("a++a", "aaa", false),
        (r"^[*+]\++$", "*++", true),
        ("^(?!a)", "\n", true),
    ] {
        assert_eq!(is_match(pattern, text), expected, "{pattern} on {text}");
    }
}

#[test]
fn groups_are_found_from_an_offset_on() {
    let expression = Expression::new(b"(?=X)(x)(Y)?", true).expect("an expression");
    let groups = expression.groups_at(b"x-xy", 1).expect("a match");
    assert_eq!(groups.whole(), Some((2, 4)));
    assert_eq!(groups.get(2), Some(&b"y"[..]));
    assert_eq!(groups.get(3), None);
    assert!(expression.groups_at(b"x-xy", 3).is_none());
}

#[test]
fn what_no_engine_can_compile_is_refused() {
    for (pattern, part) in [
        ("(?!a", "missing closing parenthesis"),
        (r"\1", "non-existent"),
        ("a[z-a]", "range out of order"),
        ("(?=a)a)(?:b", "unmatched closing parenthesis"),
        ("(?=a)(?R)?", "put the pattern in a group"),
    ] {
        let error = Expression::new(pattern.as_bytes(), false).expect_err(pattern);
        assert!(error.contains(part), "{pattern}: {error}");
    }
}

#[test]
fn a_search_ends_at_its_limit_wherever_it_began() {
    let before = limited_searches();
    let text = "a".repeat(16384);
    let began = Instant::now();
    for pattern in ["a+(?=b)", "(a+)+(?=b)", "(a|aa)+(?=c)"] {
        assert!(!is_match(pattern, &text), "{pattern}");
    }
    assert!(limited_searches() >= before + 3);
    // Without the limit, or with one for each place where a match might begin, these take minutes.
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_first_of_a_list_matches_whichever_engine_holds_it() {
    let text: Arc<[u8]> = Arc::from(&b"^/a\n^/(?!a)\n^/b\n^/(?=a)\n"[..]);
    let list = List::read(text, Columns::One, Default::default());
    let view = list
        .view(MatchMethod::Reg, false, ListValues::Unused)
        .expect("a view");
    for (text, key) in [("/a", "^/a"), ("/b", "^/(?!a)"), ("x", "")] {
        let found = view.find(Input::Str(text.as_bytes()), |found| found.key().to_vec());
        assert_eq!(found.unwrap_or_default(), key.as_bytes(), "{text}");
    }
}
