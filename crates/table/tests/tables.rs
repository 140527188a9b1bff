//! Tables at work: size, expiry, who makes room, and what is tracked.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

use std::collections::HashMap;
use std::sync::Arc;

use isthmus_table::{Data, Event, Key, KeyType, Settings, Stored, Table, Value};
use proptest::prelude::*;

fn table(size: usize, expire: Option<u64>, nopurge: bool) -> Arc<Table> {
    let stored = [Data::ConnCur, Data::ConnCnt, Data::Gpc0].map(|data| Stored {
        data,
        count: 1,
        period: 0,
    });
    Arc::new(Table::new(&Settings {
        name: "t".to_owned(),
        key: KeyType::Integer,
        size,
        expire,
        nopurge,
        by_namespace: false,
        stored: stored.to_vec(),
    }))
}

fn key(table: &Table, number: u32) -> Key {
    table.key(Value::Integer(number.into()), b"").unwrap()
}

fn keys(table: &Table, now: u64) -> Vec<i64> {
    let number = |value| match value {
        Value::Integer(number) => number,
        other => panic!("{other:?}"),
    };
    table
        .entries(now)
        .iter()
        .map(|shown| number(shown.key().0))
        .collect()
}

#[test]
fn the_entry_used_longest_ago_makes_room() {
    let table = table(3, None, false);
    for number in 1..=3 {
        table.entry(&key(&table, number), number.into()).unwrap();
    }
    table.entry(&key(&table, 1), 4).unwrap();
    table.entry(&key(&table, 4), 5).unwrap();
    assert_eq!(keys(&table, 5), [1, 3, 4]);
    table.entry(&key(&table, 5), 6).unwrap();
    assert_eq!(keys(&table, 6), [1, 4, 5]);
    table.entry(&key(&table, 6), 7).unwrap();
    assert_eq!(keys(&table, 7), [4, 5, 6]);
}

#[test]
fn a_table_that_must_not_purge_refuses_new_keys_until_old_ones_expire() {
    let table = table(2, Some(100), true);
    for number in 1..=2 {
        assert!(table.entry(&key(&table, number), 0).is_some());
    }
    assert!(table.entry(&key(&table, 3), 50).is_none());
    assert!(table.entry(&key(&table, 1), 50).is_some());
    assert!(table.entry(&key(&table, 3), 100).is_some());
    assert_eq!(keys(&table, 100), [1, 3]);
}

#[test]
fn looking_an_entry_up_does_not_keep_it() {
    let table = table(10, Some(100), false);
    let one = key(&table, 1);
    table.entry(&one, 0).unwrap();
    assert!(table.find(&one, 99).is_some());
    assert!(table.find(&one, 100).is_none());
    assert_eq!(table.used(100), 0);
}

#[test]
fn a_tracked_entry_neither_expires_nor_makes_room() {
    let table = table(1, Some(100), false);
    let (one, two) = (key(&table, 1), key(&table, 2));
    let tracked = table.track(&one, 0).unwrap();
    tracked.count(Event::Connection, 1, 0);
    assert!(table.entry(&two, 50).is_none());
    assert!(!table.remove(&one));
    assert!(table.find(&one, 500).is_some());
    tracked.release(500);
    assert!(table.find(&one, 599).is_some());
    assert!(table.entry(&two, 600).is_some());
    assert_eq!(keys(&table, 600), [2]);
}

#[test]
fn an_entry_that_comes_back_begins_at_nothing() {
    let table = table(1, Some(100), false);
    let one = key(&table, 1);
    let gpc0 = table.layout().gpc(0).unwrap();
    let entry = table.entry(&one, 0).unwrap();
    assert_eq!(entry.add(gpc0, 2, 0), 2);
    assert_eq!(table.entry(&one, 99).unwrap().get(gpc0, 99), 2);
    assert_eq!(table.entry(&one, 199).unwrap().get(gpc0, 199), 0);
}

#[test]
fn settings_of_entries_make_another_table_and_others_do_not() {
    let old = table(10, None, false);
    let mut settings = Settings {
        name: "t".to_owned(),
        key: KeyType::Integer,
        size: 20,
        expire: Some(5),
        nopurge: true,
        by_namespace: false,
        stored: old.layout().stored().to_vec(),
    };
    assert!(old.adopt(&settings) && old.size() == 20);
    settings.stored.pop();
    assert!(!old.adopt(&settings));
}

#[test]
fn workers_that_come_at_once_never_exceed_the_size_and_leak_no_connection() {
    let table = table(5000, Some(1_000_000), false);
    std::thread::scope(|scope| {
        for worker in 0..4_u32 {
            let table = &table;
            scope.spawn(move || {
                for number in 0..5_000_u32 {
                    let one = key(table, number * 4 + worker);
                    let shared = key(table, number % 7 + 1_000_000);
                    let tracked = [table.track(&one, 1), table.track(&shared, 1)];
                    drop(tracked);
                }
            });
        }
    });
    assert!(table.used(1) <= 5000);
    let current = table.layout().cell(Data::ConnCur, 0).unwrap();
    assert!(
        table
            .entries(1)
            .iter()
            .all(|shown| shown.entry.get(current, 1) == 0)
    );
    assert_eq!(table.entries(1).len(), table.used(1));
}

#[derive(Debug, Clone)]
enum Step {
    Use(u32),
    Track(u32),
    Release(usize),
    Remove(u32),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..12_u32).prop_map(Step::Use),
        3 => (0..12_u32).prop_map(Step::Track),
        3 => (0..8_usize).prop_map(Step::Release),
        1 => (0..12_u32).prop_map(Step::Remove),
        2 => (1..60_u64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn size_expiry_and_current_connections_hold_whatever_happens(
        steps in steps(), size in 1..8_usize, nopurge: bool,
    ) {
        let table = table(size, Some(100), nopurge);
        let current = table.layout().cell(Data::ConnCur, 0).unwrap();
        let mut now = 0;
        let mut held = Vec::new();
        let mut last_use: HashMap<u32, u64> = HashMap::new();
        for step in steps {
            match step {
                Step::Use(number) => {
                    if table.entry(&key(&table, number), now).is_some() {
                        last_use.insert(number, now);
                    }
                }
                Step::Track(number) => {
                    if let Some(tracked) = table.track(&key(&table, number), now) {
                        held.push((number, tracked));
                        last_use.insert(number, now);
                    }
                }
                Step::Release(at) if at < held.len() => {
                    let (number, tracked) = held.swap_remove(at);
                    tracked.release(now);
                    last_use.insert(number, now);
                }
                Step::Release(_) => {}
                Step::Remove(number) => {
                    let tracked = held.iter().any(|(one, _)| *one == number);
                    prop_assert!(!(table.remove(&key(&table, number)) && tracked));
                }
                Step::Wait(time) => now += time,
            }
            prop_assert!(table.used(now) <= size);
            for shown in table.entries(now) {
                let (Value::Integer(number), _) = shown.key() else { panic!() };
                let trackers = held.iter().filter(|(one, _)| i64::from(*one) == number).count();
                prop_assert_eq!(shown.entry.get(current, now), trackers as u64);
                let used = last_use[&u32::try_from(number).unwrap()];
                prop_assert!(trackers > 0 || now - used < 100);
            }
            for (number, _) in &held {
                prop_assert!(table.find(&key(&table, *number), now).is_some());
            }
        }
    }
}
