//! Lists of patterns with values: which entry of several wins, and what operators may change, each
//! as HAProxy was seen to do it; and against a matcher that goes through the entries one by one.

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]

use std::sync::Arc;

use isthmus_pattern::{Columns, Facts, Hosts, Input, List, Refusal, View, Which};
use isthmus_plan::{ListValues, MatchMethod};
use proptest::prelude::*;

fn map(text: &str) -> List {
    List::read(Arc::from(text.as_bytes()), Columns::Two, Hosts::new())
}

fn view(list: &List, method: MatchMethod) -> Arc<View> {
    let view = list.view(method, false, ListValues::Text);
    view.expect("entries that fit")
}

fn value(view: &View, input: Input<'_>) -> Option<String> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    view.find(input, |found| found.value(text))
}

fn text<'t>(text: &'t str) -> Input<'t> {
    Input::Str(text.as_bytes())
}

fn ip(text: &str) -> Input<'static> {
    Input::Ip(text.parse().expect("an address"))
}

#[test]
fn of_several_entries_the_longest_wins_in_trees_and_the_first_in_lists() {
    use MatchMethod::{Beg, Dir, Dom, End, Int, Reg, Str, Sub};
    let words = "abc one\nab two\nabcd three\nABC four\nabc five\n";
    for (method, entries, input, expected) in [
        (Str, words, "abc", "one"),
        (Beg, words, "abcde", "three"),
        (Beg, words, "abx", "two"),
        (End, words, "xabc", "one"),
        (End, "c last\nabc longer\n", "xabc", "last"),
        (Sub, words, "xabcdx", "one"),
        (Dir, "b/c two\nb one\n", "/a/b/c", "two"),
        (
            Dom,
            "example.com one\nwww two\ncom three\n",
            "www.example.com",
            "one",
        ),
        (Reg, "^a(.) got\n^a any\n", "ab", "got"),
        (Reg, "^a(.) got\n^a any\n", "a", "any"),
        (Int, "1:5 low\n3 three\n:9 nine\n", "3", "low"),
        (Int, "1:5 low\n3 three\n:9 nine\n", "7", "nine"),
    ] {
        let found = value(&view(&map(entries), method), text(input));
        assert_eq!(found.as_deref(), Some(expected), "{method:?} {input}");
    }
}

#[test]
fn the_longest_prefix_wins_and_the_own_family_before_the_other() {
    let list = map(
        "2.22.246.0/23 uk\n10.0.0.0/8 ten\n10.0.0.0/8 again\n10.1.0.0/16 one\n\
                    10.1.2.3 host\n::ffff:10.1.2.0/120 mapped\n2001:db8::/32 doc\n10.0.3.0/255.0.255.0 odd\n",
    );
    let view = view(&list, MatchMethod::Ip);
    for (address, expected) in [
        ("10.1.2.3", Some("host")),
        ("10.1.9.9", Some("one")),
        ("10.9.9.9", Some("ten")),
        ("::ffff:10.1.2.4", Some("mapped")),
        ("::ffff:10.9.9.9", Some("ten")),
        ("2002:a01:203::", Some("host")),
        ("2001:db8::1", Some("doc")),
        ("2.22.247.255", Some("uk")),
        ("2.22.248.0", None),
        ("9.255.255.255", None),
        ("11.0.0.0", None),
    ] {
        assert_eq!(value(&view, ip(address)).as_deref(), expected, "{address}");
    }
    let both = map("0.0.0.0/0 all4\n::/0 all6\n");
    let both = self::view(&both, MatchMethod::Ip);
    assert_eq!(value(&both, ip("10.0.0.1")).as_deref(), Some("all4"));
    assert_eq!(value(&both, ip("::ffff:10.0.0.1")).as_deref(), Some("all6"));
}

#[test]
fn an_entry_that_is_deleted_uncovers_the_next_best() {
    let list = map("10.0.0.0/8 ten\n10.0.0.0/8 again\n10.1.0.0/16 one\n");
    let view = view(&list, MatchMethod::Ip);
    list.delete(Which::Key(b"10.1.0.0/16"))
        .expect("it is there");
    assert_eq!(value(&view, ip("10.1.0.1")).as_deref(), Some("ten"));
    list.delete(Which::Id(1)).expect("it is there");
    assert_eq!(value(&view, ip("10.1.0.1")).as_deref(), Some("again"));
    assert_eq!(list.delete(Which::Id(1)), Err(Refusal::NotFound));
    list.delete(Which::Key(b"10.0.0.0/8")).expect("it is there");
    assert_eq!(value(&view, ip("10.1.0.1")), None);
}

#[test]
fn a_value_changes_for_all_entries_of_a_key_or_for_one() {
    let list = map("a 1\na 2\n");
    let view = view(&list, MatchMethod::Str);
    list.set(Which::Key(b"a"), b"3").expect("it is there");
    assert_eq!(value(&view, text("a")).as_deref(), Some("3"));
    list.set(Which::Id(2), b"4").expect("it is there");
    let values: Vec<Vec<u8>> = list.entries(None).into_iter().map(|e| e.value).collect();
    assert_eq!(values, [b"3", b"4"]);
    assert_eq!(list.set(Which::Key(b"b"), b"5"), Err(Refusal::NotFound));
}

#[test]
fn what_does_not_fit_any_use_of_a_list_is_refused_whole() {
    let list = map("a 1\n");
    let numbers = list.view(MatchMethod::Str, false, ListValues::Integers);
    let numbers = numbers.expect("integers");
    for (key, value) in [("b", "x"), ("b", "12z"), ("b", "-")] {
        let entries: [(&[u8], &[u8]); 2] = [(b"ok", b"1"), (key.as_bytes(), value.as_bytes())];
        assert!(
            matches!(list.add(None, &entries), Err(Refusal::Wrong(_))),
            "{value}"
        );
    }
    assert!(matches!(
        list.set(Which::Key(b"a"), b"x"),
        Err(Refusal::Wrong(_))
    ));
    assert_eq!(list.facts().entries, 1);
    assert!(list.view(MatchMethod::Ip, false, ListValues::Text).is_err());
    assert!(!list.touched());
    assert_eq!(value(&numbers, text("a")).as_deref(), Some("1"));
}

#[test]
fn a_prepared_version_is_matched_against_only_once_it_is_committed() {
    let list = map("a old\n");
    let view = view(&list, MatchMethod::Str);
    assert_eq!(list.add(Some(1), &[(b"a", b"x")]), Err(Refusal::Version));
    assert_eq!((list.prepare(), list.prepare()), (1, 2));
    list.add(Some(2), &[(b"a", b"new")]).expect("prepared");
    list.add(Some(1), &[(b"a", b"never")]).expect("prepared");
    assert_eq!(value(&view, text("a")).as_deref(), Some("old"));
    assert_eq!(list.commit(3), Err(Refusal::Version));
    list.commit(2).expect("prepared");
    assert_eq!(value(&view, text("a")).as_deref(), Some("new"));
    let facts = Facts {
        current: 2,
        next: 2,
        entries: 1,
    };
    assert_eq!(list.facts(), facts);
    assert_eq!(list.commit(1), Err(Refusal::Version));
    list.clear(Some(9));
    assert_eq!(list.facts(), facts);
    list.clear(None);
    assert_eq!(value(&view, text("a")), None);
}

#[test]
fn host_names_stand_for_the_addresses_that_are_given_with_the_list() {
    let hosts = Hosts::from([(
        b"localhost".to_vec(),
        "127.0.0.1".parse().expect("an address"),
    )]);
    let list = List::read(
        Arc::from(&b"localhost\n10.0.0.0/8\n"[..]),
        Columns::One,
        hosts,
    );
    let view = list.view(MatchMethod::Ip, false, ListValues::Unused);
    assert!(view.expect("addresses").matches(ip("127.0.0.1")));
}

#[test]
fn the_lines_of_a_file_that_are_wrong_are_named() {
    let text: Arc<[u8]> = Arc::from(&b"# x\n10.0.0.0/8 a\n\nnot v\n1.2.3.4/33 b\n"[..]);
    let uses = (MatchMethod::Ip, ListValues::Text);
    let wrong = List::check(&text, Columns::Two, uses, &Hosts::new(), 9);
    let lines: Vec<usize> = wrong.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [4, 5]);
    assert_eq!(wrong[0].1, "'not' is not a valid IPv4 or IPv6 address");
}

/// How a matcher without any index finds the winner.
fn naive(method: MatchMethod, entries: &[(String, String)], text: &str) -> Option<String> {
    let matching = entries.iter().filter(|(key, _)| match method {
        MatchMethod::Str => text == key,
        MatchMethod::Beg => text.starts_with(key.as_str()),
        MatchMethod::End => text.ends_with(key.as_str()),
        _ => text.contains(key.as_str()),
    });
    let best = if method == MatchMethod::Beg {
        matching.reduce(|best, each| {
            if each.0.len() > best.0.len() {
                each
            } else {
                best
            }
        })
    } else {
        matching.take(1).next()
    };
    best.map(|(_, value)| value.clone())
}

#[derive(Debug, Clone)]
enum Change {
    Add(String),
    Set(String),
    Delete(String),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let key = "[ab]{1,4}";
    let change = prop_oneof![
        4 => key.prop_map(Change::Add),
        1 => key.prop_map(Change::Set),
        2 => key.prop_map(Change::Delete),
    ];
    proptest::collection::vec(change, 0..40)
}

proptest! {
    #[test]
    fn after_any_changes_lookups_find_what_going_through_the_entries_finds(
        file in proptest::collection::vec("[ab]{1,4}", 0..10),
        changes in changes(),
        texts in proptest::collection::vec("[ab]{0,6}", 1..10),
    ) {
        let mut entries: Vec<(String, String)> =
            file.iter().enumerate().map(|(n, key)| (key.clone(), format!("f{n}"))).collect();
        let lines: String = entries.iter().map(|(key, value)| format!("{key} {value}\n")).collect();
        let list = map(&lines);
        let methods = [MatchMethod::Str, MatchMethod::Beg, MatchMethod::End, MatchMethod::Sub];
        let views = methods.map(|method| view(&list, method));
        for (n, change) in changes.iter().enumerate() {
            let value = format!("c{n}");
            match change {
                Change::Add(key) => {
                    list.add(None, &[(key.as_bytes(), value.as_bytes())]).expect("fits");
                    entries.push((key.clone(), value));
                }
                Change::Set(key) => {
                    let done = list.set(Which::Key(key.as_bytes()), value.as_bytes()).is_ok();
                    let mut meant = entries.iter_mut().filter(|(k, _)| k == key).peekable();
                    prop_assert_eq!(done, meant.peek().is_some());
                    meant.for_each(|(_, v)| v.clone_from(&value));
                }
                Change::Delete(key) => {
                    let done = list.delete(Which::Key(key.as_bytes())).is_ok();
                    prop_assert_eq!(done, entries.iter().any(|(k, _)| k == key));
                    entries.retain(|(k, _)| k != key);
                }
            }
        }
        for view in &views {
            for each in &texts {
                let expected = naive(view.method(), &entries, each);
                prop_assert_eq!(value(view, text(each)), expected, "{:?} {}", view.method(), each);
            }
        }
        let shown: Vec<(Vec<u8>, Vec<u8>)> =
            list.entries(None).into_iter().map(|e| (e.key, e.value)).collect();
        let expected: Vec<(Vec<u8>, Vec<u8>)> =
            entries.into_iter().map(|(k, v)| (k.into_bytes(), v.into_bytes())).collect();
        prop_assert_eq!(shown, expected);
    }

    #[test]
    fn the_longest_network_wins_whatever_lies_in_what(
        networks in proptest::collection::vec((0_u8..8, 0_u8..=6), 0..12),
        deleted in proptest::collection::vec(0_usize..12, 0..4),
        address in 0_u8..64,
    ) {
        // Six bits of an address are in play, so that networks meet.
        let mut rows: Vec<(u8, u8, String)> = networks
            .iter()
            .enumerate()
            .map(|(n, (high, bits))| (high << 3, *bits, format!("v{n}")))
            .collect();
        let lines: String =
            rows.iter().map(|(net, bits, v)| format!("10.0.0.{net}/{} {v}\n", 26 + bits)).collect();
        let list = map(&lines);
        let view = view(&list, MatchMethod::Ip);
        for at in deleted {
            if list.delete(Which::Id(u32::try_from(at + 1).expect("small"))).is_ok() {
                rows.retain(|(_, _, v)| *v != format!("v{at}"));
            }
        }
        let holds = |net: u8, bits: u8| (net ^ address) >> (6 - bits) == 0;
        let best = rows
            .iter()
            .filter(|(net, bits, _)| holds(*net, *bits))
            .reduce(|best, each| if each.1 > best.1 { each } else { best });
        let found = value(&view, ip(&format!("10.0.0.{address}")));
        prop_assert_eq!(found, best.map(|(_, _, v)| v.clone()));
    }

    #[test]
    fn the_first_range_wins(
        ranges in proptest::collection::vec((-5_i64..10, 0_i64..6), 0..10),
        deleted in proptest::collection::vec(1_u32..10, 0..3),
        number in -8_i64..20,
    ) {
        let lines: String = ranges
            .iter()
            .enumerate()
            .map(|(n, (first, length))| format!("{first}:{} v{n}\n", first + length))
            .collect();
        let list = map(&lines);
        let view = view(&list, MatchMethod::Int);
        for id in &deleted {
            let _ = list.delete(Which::Id(*id));
        }
        let mut holding = ranges.iter().enumerate().filter(|(n, (first, length))| {
            (*first..=first + length).contains(&number)
                && !deleted.iter().any(|id| *id as usize == n + 1)
        });
        let expected = holding.next().map(|(n, _)| format!("v{n}"));
        prop_assert_eq!(value(&view, Input::Int(number)), expected);
    }
}
