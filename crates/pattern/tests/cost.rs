//! What a lookup costs in short and in long lists. Run it by hand, in release:
//! `cargo test --release -p isthmus-pattern --test cost -- --ignored --nocapture`.

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]
#![allow(clippy::print_stdout, reason = "it is there to be read")]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use isthmus_pattern::{Columns, Hosts, Input, List, View};
use isthmus_plan::{ListValues, MatchMethod};

const LOOKUPS: u32 = 400_000;

fn load(method: MatchMethod, count: u32) -> Arc<View> {
    let text: String = (0..count)
        .map(|n| format!("{} b{n}\n", key(method, n)))
        .collect();
    let list = List::read(Arc::from(text.as_bytes()), Columns::Two, Hosts::new());
    list.view(method, false, ListValues::Text)
        .expect("entries that fit")
}

fn key(method: MatchMethod, n: u32) -> String {
    match method {
        MatchMethod::Ip => format!("{}/24", Ipv4Addr::from(n << 8)),
        MatchMethod::Beg => format!("/tenants/{n}/v1/"),
        _ => format!("host{n}.example.com"),
    }
}

/// Nanoseconds of one lookup, of which `asked` different ones come in turn.
fn nanoseconds(view: &View, asked: &[Vec<u8>]) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..5 {
        let mut found = 0_u32;
        let start = Instant::now();
        for text in asked.iter().cycle().take(LOOKUPS as usize) {
            found += u32::from(
                view.find(Input::Str(text), |m| m.value(<[u8]>::len))
                    .is_some(),
            );
        }
        assert_eq!(found, LOOKUPS);
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(LOOKUPS));
    }
    best
}

#[test]
#[ignore = "measures; needs a quiet machine"]
fn a_long_list_costs_what_a_short_one_does() {
    println!(
        "method  entries  10 of them  any of them   (ns for one lookup; a request costs about 15,000)"
    );
    for method in [MatchMethod::Str, MatchMethod::Beg, MatchMethod::Ip] {
        for count in [10, 100_000, 1_000_000] {
            let start = Instant::now();
            let view = load(method, count);
            let loaded = start.elapsed();
            let text = |n: u32| match method {
                MatchMethod::Ip => Ipv4Addr::from((n << 8) + 7).to_string().into_bytes(),
                MatchMethod::Beg => format!("/tenants/{n}/v1/users").into_bytes(),
                _ => key(method, n).into_bytes(),
            };
            let few: Vec<Vec<u8>> = (0..10).map(|n| text(n * (count / 10))).collect();
            let many: Vec<Vec<u8>> = (0..50_000_u64)
                .map(|n| text(u32::try_from(n * 7919 % u64::from(count)).expect("fits")))
                .collect();
            println!(
                "{method:?} {count:>9} {:>10.0} {:>10.0}    loaded in {loaded:.2?}",
                nanoseconds(&view, &few),
                nanoseconds(&view, &many),
            );
        }
    }
}
