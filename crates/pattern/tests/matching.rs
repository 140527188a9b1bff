//! Sets of patterns: what matches, what is refused, and that size costs little.

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]

use std::net::IpAddr;

use isthmus_pattern::{Input, Matcher, from_hex, leading_int, to_hex};
use isthmus_plan::MatchMethod;
use proptest::prelude::*;

/// Every method that compares with patterns.
const COMPARING: [MatchMethod; 11] = [
    MatchMethod::Int,
    MatchMethod::Ip,
    MatchMethod::Bin,
    MatchMethod::Len,
    MatchMethod::Str,
    MatchMethod::Sub,
    MatchMethod::Reg,
    MatchMethod::Beg,
    MatchMethod::End,
    MatchMethod::Dir,
    MatchMethod::Dom,
];

fn matcher(method: MatchMethod, icase: bool, patterns: &[&str]) -> Matcher {
    let patterns: Vec<&[u8]> = patterns.iter().map(|p| p.as_bytes()).collect();
    Matcher::compile(method, icase, &patterns).expect("patterns")
}

fn ip(text: &str) -> Input<'static> {
    Input::Ip(text.parse().expect("an address"))
}

#[test]
fn no_pattern_matches_nothing_but_presence_and_truth() {
    for method in COMPARING {
        assert!(
            !matcher(method, false, &[]).matches(Input::Str(b"1")),
            "{method:?}"
        );
    }
    assert!(matcher(MatchMethod::Found, false, &[]).matches(Input::Str(b"")));
    assert!(matcher(MatchMethod::Bool, false, &[]).matches(Input::Int(1)));
    assert!(!matcher(MatchMethod::Bool, false, &[]).matches(Input::Int(0)));
}

#[test]
fn ranges_that_touch_or_overlap_are_one() {
    let set = matcher(MatchMethod::Int, false, &["1:5", "3:9", "10", "20:", ":-5"]);
    for value in [i64::MIN, -5, 1, 5, 6, 9, 10, 20, i64::MAX] {
        assert!(set.matches(Input::Int(value)), "{value}");
    }
    for value in [-4, 0, 11, 19] {
        assert!(!set.matches(Input::Int(value)), "{value}");
    }
}

#[test]
fn a_wrong_pattern_is_named_by_its_place() {
    for (method, patterns, index) in [
        (MatchMethod::Int, ["1", "x", "2"], 1),
        (MatchMethod::Len, ["1", "2", ":"], 2),
        (MatchMethod::Ip, ["::1", "10.0.0.0/8", "10.0.0.0/40"], 2),
        (MatchMethod::Bin, ["0g", "00", "01"], 0),
        (MatchMethod::Reg, ["a", "[", "b"], 1),
    ] {
        let bytes = patterns.map(str::as_bytes);
        let error = Matcher::compile(method, false, &bytes).expect_err("a wrong pattern");
        assert_eq!(error.index, index, "{method:?}");
        assert!(
            error
                .to_string()
                .starts_with(&format!("pattern {}", index + 1))
        );
    }
}

#[test]
fn a_version_is_two_integers_and_a_dot() {
    let set = matcher(MatchMethod::Int, false, &["3.0:3.1"]);
    assert!(set.matches(Input::Int(0x3_0000)));
    assert!(set.matches(Input::Int(0x3_0001)));
    assert!(!set.matches(Input::Int(0x3_0002)));
}

#[test]
fn networks_of_both_families_see_through_each_other() {
    let patterns = ["10.0.0.0/8", "2001:db8::/32", "::ffff:1.2.3.0/120"];
    let set = matcher(MatchMethod::Ip, false, &patterns);
    for inside in [
        "10.255.0.1",
        "2001:db8:ffff::",
        "1.2.3.4",
        "::ffff:10.0.0.1",
        "2002:0a01::",
    ] {
        assert!(set.matches(ip(inside)), "{inside}");
    }
    for outside in [
        "11.0.0.1",
        "2001:db9::",
        "1.2.4.4",
        "::ffff:11.0.0.1",
        "2002:0b01::",
    ] {
        assert!(!set.matches(ip(outside)), "{outside}");
    }
}

#[test]
fn text_is_folded_on_both_sides_without_regard_to_case() {
    for (method, pattern, text) in [
        (MatchMethod::Str, "WoRd", "wOrD"),
        (MatchMethod::Beg, "WoRd", "wOrDs"),
        (MatchMethod::End, "WoRd", "swOrD"),
        (MatchMethod::Sub, "WoRd", "swOrDs"),
        (MatchMethod::Dir, "WoRd", "/a/wOrD?x"),
        (MatchMethod::Dom, "WoRd", "a.wOrD:80"),
        (MatchMethod::Reg, "^WoRd$", "wOrD"),
    ] {
        let input = Input::Str(text.as_bytes());
        assert!(
            matcher(method, true, &[pattern]).matches(input),
            "{method:?}"
        );
        assert!(
            !matcher(method, false, &[pattern]).matches(input),
            "{method:?}"
        );
    }
}

#[test]
fn a_hundred_thousand_patterns_are_matched_in_a_blink() {
    let many = |pattern: fn(u32) -> String| (0..100_000).map(pattern).collect::<Vec<_>>();
    let names = many(|n| format!("host{n}.example.com"));
    let nets = many(|n| format!("{}/{}", IpAddr::V4((n << 12).into()), 20 + n % 13));
    let ranges = many(|n| format!("{}:{}", n * 10, n * 10 + 3));
    let compile = |method, icase, patterns: &[String]| {
        matcher(
            method,
            icase,
            &patterns.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    let sets = [
        (
            compile(MatchMethod::Str, false, &names),
            Input::Str(b"host99999.example.com"),
        ),
        (
            compile(MatchMethod::Beg, false, &names),
            Input::Str(b"host99999.example.com."),
        ),
        (
            compile(MatchMethod::End, true, &names),
            Input::Str(b"www.HOST99999.example.com"),
        ),
        (
            compile(MatchMethod::Sub, false, &names),
            Input::Str(b"www.host99999.example.com."),
        ),
        (compile(MatchMethod::Ip, false, &nets), ip("24.105.240.0")),
        (
            compile(MatchMethod::Int, false, &ranges),
            Input::Int(999_993),
        ),
    ];
    let start = std::time::Instant::now();
    for (set, input) in &sets {
        for _ in 0..10_000 {
            assert!(set.matches(*input), "{:?}", set.method());
        }
    }
    // 60,000 tests; going through the patterns one by one would take minutes.
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn no_pattern_and_no_input_panic(
        patterns in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..8), 0..4),
        text in proptest::collection::vec(any::<u8>(), 0..16),
        icase: bool,
        number: i64,
    ) {
        let patterns: Vec<&[u8]> = patterns.iter().map(Vec::as_slice).collect();
        for method in COMPARING {
            if let Ok(set) = Matcher::compile(method, icase, &patterns) {
                for input in [Input::Str(&text), Input::Bin(&text), Input::Int(number)] {
                    let _ = set.matches(input);
                }
            }
        }
        let _ = leading_int(&text);
    }

    #[test]
    fn affixes_and_substrings_are_what_the_standard_library_says(
        patterns in proptest::collection::vec("[ab/.]{0,3}", 1..4),
        text in "[ab/.]{0,8}",
    ) {
        let words: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let says = |method| matcher(method, false, &words).matches(Input::Str(text.as_bytes()));
        prop_assert_eq!(says(MatchMethod::Str), words.iter().any(|p| text == *p));
        prop_assert_eq!(says(MatchMethod::Beg), words.iter().any(|p| text.starts_with(p)));
        prop_assert_eq!(says(MatchMethod::End), words.iter().any(|p| text.ends_with(p)));
        prop_assert_eq!(says(MatchMethod::Sub), words.iter().any(|p| text.contains(p)));
    }

    #[test]
    fn networks_contain_what_their_mask_says(network: u32, bits in 0_u8..=32, address: u32) {
        let text = format!("{}/{bits}", IpAddr::V4(network.into()));
        let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
        let expected = network & mask == address & mask;
        let set = matcher(MatchMethod::Ip, false, &[&text]);
        prop_assert_eq!(set.matches(Input::Ip(IpAddr::V4(address.into()))), expected);
    }

    #[test]
    fn hexadecimal_digits_come_back_as_the_same_bytes(
        bytes in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut digits = Vec::new();
        to_hex(&bytes, &mut digits);
        prop_assert_eq!(from_hex(&digits), Some(bytes));
    }
}
