//! What a balancer never does and always does, whatever the servers.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic)] // This whole file is a test.

mod races;
mod slow_starts;

use std::sync::Arc;

use isthmus_balance::{
    Algorithm, Balancer, HashType, Key, Limits, Method, Place, Priority, Queue, Server,
    ServerSettings, State, Times, Weight,
};
use proptest::prelude::*;

const NOW: u64 = 50_000;
const CONSISTENT: HashType = HashType {
    method: Method::Consistent,
    function: isthmus_balance::hash::Function::Sdbm,
    avalanche: true,
};

fn server(id: u32, weight: u16, maxconn: u32, backup: bool) -> Arc<Server> {
    let limits = Limits {
        maxconn,
        ..Limits::default()
    };
    let weight = Weight::new(weight).unwrap();
    Arc::new(Server::new(ServerSettings {
        id,
        weight,
        backup,
        limits,
        slowstart: 0,
    }))
}

fn equal(count: u32) -> Vec<Arc<Server>> {
    (1..=count).map(|id| server(id, 1, 0, false)).collect()
}

fn algorithms() -> impl Strategy<Value = Algorithm> {
    let map = HashType::default();
    prop_oneof![
        Just(Algorithm::RoundRobin),
        Just(Algorithm::StaticRoundRobin),
        Just(Algorithm::LeastConn),
        Just(Algorithm::First),
        (1_u32..4).prop_map(|draws| Algorithm::Random { draws, factor: 0 }),
        Just(Algorithm::Random {
            draws: 2,
            factor: 125
        }),
        Just(Algorithm::Hash {
            hash_type: map,
            factor: 0
        }),
        Just(Algorithm::Hash {
            hash_type: CONSISTENT,
            factor: 0
        }),
        Just(Algorithm::Hash {
            hash_type: CONSISTENT,
            factor: 150
        }),
    ]
}

#[derive(Clone, Debug)]
enum Event {
    Pick {
        key: Option<i64>,
        excluded: Option<usize>,
    },
    Close(usize),
    State(usize, State),
    Weight(usize, u16),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let states = prop_oneof![
        Just(State::Up),
        Just(State::Down),
        Just(State::Maint),
        Just(State::Drain)
    ];
    let event = prop_oneof![
        8 => (any::<Option<i64>>(), prop::option::of(0_usize..6))
            .prop_map(|(key, excluded)| Event::Pick { key, excluded }),
        2 => any::<usize>().prop_map(Event::Close),
        1 => (any::<usize>(), states).prop_map(|(at, state)| Event::State(at, state)),
        1 => (any::<usize>(), 0_u16..=20).prop_map(|(at, weight)| Event::Weight(at, weight)),
    ];
    prop::collection::vec(event, 1..200)
}

fn servers() -> impl Strategy<Value = Vec<Arc<Server>>> {
    let one = (
        0_u16..=8,
        prop_oneof![Just(0_u32), 1_u32..4],
        prop::bool::weighted(0.2),
    );
    prop::collection::vec(one, 1..7).prop_map(|rows| {
        let number = |at: usize| u32::try_from(at + 1).unwrap();
        let made = rows.into_iter().enumerate();
        made.map(|(at, (weight, maxconn, backup))| server(number(at), weight, maxconn, backup))
            .collect()
    })
}

proptest! {
    #[test]
    fn only_a_usable_server_is_picked_and_a_backup_only_when_no_other_is_left(
        algorithm in algorithms(), servers in servers(), events in events(), seed: u64,
    ) {
        let balancer = Balancer::new(algorithm, servers.clone(), false, 0);
        let mut open = Vec::new();
        for (number, event) in events.into_iter().enumerate() {
            match event {
                Event::Pick { key, excluded } => {
                    let seed = seed.wrapping_add(number as u64);
                    let Some(at) = balancer.pick(key.map(Key::Integer), seed, excluded, NOW) else {
                        continue;
                    };
                    let chosen = &servers[at];
                    prop_assert!(chosen.usable());
                    let active = servers.iter().any(|server| server.usable() && !server.backup());
                    prop_assert!(!(active && chosen.backup()));
                    let waits = matches!(algorithm, Algorithm::Hash { .. }) && key.is_some();
                    prop_assert!(waits || balancer.has_room(at, NOW));
                    balancer.connected(at);
                    open.push(at);
                }
                Event::Close(_) if open.is_empty() => {}
                Event::Close(which) => {
                    let which = which % open.len();
                    balancer.disconnected(open.swap_remove(which));
                }
                Event::State(at, state) => {
                    servers[at % servers.len()].set_state(state, NOW);
                    balancer.on_state_change();
                }
                Event::Weight(at, weight) => {
                    servers[at % servers.len()].set_weight(Weight::new(weight).unwrap(), NOW);
                    balancer.on_state_change();
                }
            }
        }
    }

    #[test]
    fn turns_over_a_whole_cycle_are_as_the_weights(
        weights in prop::collection::vec(1_u16..=40, 1..9), is_static: bool,
    ) {
        let servers: Vec<_> =
            (1..).zip(&weights).map(|(id, weight)| server(id, *weight, 0, false)).collect();
        let algorithm =
            if is_static { Algorithm::StaticRoundRobin } else { Algorithm::RoundRobin };
        let balancer = Balancer::new(algorithm, servers, false, 0);
        let cycle: u32 = weights.iter().map(|weight| u32::from(*weight)).sum();
        let mut counts = vec![0_u32; weights.len()];
        // A window of roundrobin is sixteen cycles long.
        for _ in 0..cycle * 16 {
            counts[balancer.pick(None, 0, None, NOW).unwrap()] += 1;
        }
        for (count, weight) in counts.iter().zip(&weights) {
            // Within a window the last turn of a cycle may be pushed into the next window.
            prop_assert!(count.abs_diff(u32::from(*weight) * 16) <= u32::from(!is_static));
        }
    }

    #[test]
    fn a_queue_keeps_the_order_of_arrival_and_loses_nobody(
        steps in prop::collection::vec((0_u8..4, 0_usize..3), 0..200),
    ) {
        let mut queue = Queue::default();
        let mut waiting: Vec<(Place, u32)> = Vec::new();
        let mut tickets = Vec::new();
        for (token, (step, at)) in (0_u32..).zip(steps) {
            match step {
                0 | 1 => {
                    let place = if step == 0 { Place::Backend } else { Place::Server(at) };
                    let times = Times { now: u64::from(token), deadline: u64::from(token) + 60 };
                    tickets.push(
                        queue.enqueue(place, token, Priority::default(), times, 0).unwrap(),
                    );
                    waiting.push((place, token));
                }
                2 => {
                    let mine = |entry: &(Place, u32)| entry.0 == Place::Backend || entry.0 == Place::Server(at);
                    let expected = waiting.iter().position(mine).map(|first| waiting.remove(first));
                    prop_assert_eq!(queue.dequeue(at, true), expected);
                }
                _ => {
                    while let Some((place, gone)) = queue.expire(u64::from(token)) {
                        prop_assert!(u64::from(gone) + 60 <= u64::from(token));
                        let first = waiting.iter().position(|entry| *entry == (place, gone));
                        waiting.remove(first.unwrap());
                    }
                    let oldest = waiting.iter().map(|entry| u64::from(entry.1) + 60).min();
                    prop_assert_eq!(queue.next_deadline(), oldest);
                }
            }
        }
        let left = tickets.into_iter().filter_map(|ticket| queue.remove(ticket)).count();
        prop_assert_eq!(left, waiting.len());
        prop_assert!(queue.is_empty());
    }
}

#[test]
fn a_lower_class_then_an_earlier_shifted_arrival_leaves_the_queue_first() {
    let mut queue = Queue::default();
    let rows = [
        ("late", 0, 0),
        ("shifted", 0, -500),
        ("class", -1, 9000),
        ("behind", 3, -9000),
    ];
    for (now, (token, class, offset)) in (100..).zip(rows) {
        let times = Times {
            now,
            deadline: u64::MAX,
        };
        queue
            .enqueue(
                Place::Backend,
                token,
                Priority::new(class, offset),
                times,
                0,
            )
            .unwrap();
    }
    let order: Vec<_> = std::iter::from_fn(|| queue.dequeue(0, true))
        .map(|(_, t)| t)
        .collect();
    assert_eq!(order, ["class", "shifted", "late", "behind"]);
    assert_eq!(queue.next_deadline(), None);
}

#[test]
fn a_full_queue_gives_the_entry_back_and_a_lost_server_gives_up_its_own() {
    let mut queue = Queue::default();
    let times = Times {
        now: 1,
        deadline: 9,
    };
    let place = Place::Server(2);
    for token in ["a", "b"] {
        queue
            .enqueue(place, token, Priority::default(), times, 2)
            .unwrap();
    }
    assert_eq!(
        queue.enqueue(place, "c", Priority::default(), times, 2),
        Err("c")
    );
    assert_eq!(queue.dequeue(1, true), None);
    assert_eq!(queue.drain_server(2), ["a", "b"]);
    assert!(queue.is_empty());
}

#[test]
fn a_consistent_hash_goes_on_to_the_server_haproxy_was_seen_to_redispatch_to() {
    // Five servers, `balance hash` of the keys "0" to "7"; server N refuses connections and
    // `option redispatch 1` sends the request elsewhere.
    let seen = [
        [3, 3, 4, 3, 5, 5, 3, 4],
        [3, 3, 4, 3, 5, 1, 1, 4],
        [1, 1, 4, 1, 5, 1, 1, 4],
        [3, 3, 5, 3, 5, 1, 1, 2],
        [3, 3, 4, 3, 1, 1, 1, 4],
    ];
    let hash = Algorithm::Hash {
        hash_type: CONSISTENT,
        factor: 0,
    };
    let balancer = Balancer::new(hash, equal(5), false, 0);
    for (refusing, servers) in seen.into_iter().enumerate() {
        for (key, server) in (b'0'..).zip(servers) {
            let chosen = balancer.pick(Some(Key::Bytes(&[key])), 0, Some(refusing), NOW);
            assert_eq!(
                chosen.map(|at| at + 1),
                Some(server),
                "key {key}, {refusing} refuses"
            );
        }
    }
}

#[test]
fn a_map_based_hash_stays_with_its_server_even_when_that_refused_as_in_haproxy() {
    let hash = Algorithm::Hash {
        hash_type: HashType::default(),
        factor: 0,
    };
    let balancer = Balancer::new(hash, equal(5), false, 0);
    let key = Some(Key::Bytes(b"0"));
    assert_eq!(balancer.pick(key, 0, None, NOW), Some(3));
    assert_eq!(balancer.pick(key, 0, Some(3), NOW), Some(3));
}

#[test]
fn an_excluded_server_is_picked_only_when_it_is_the_only_choice() {
    let keyless = [
        Algorithm::RoundRobin,
        Algorithm::StaticRoundRobin,
        Algorithm::LeastConn,
        Algorithm::First,
    ];
    for algorithm in keyless {
        let servers = equal(2);
        let balancer = Balancer::new(algorithm, servers.clone(), false, 0);
        for _ in 0..5 {
            assert_eq!(
                balancer.pick(None, 0, Some(0), NOW),
                Some(1),
                "{algorithm:?}"
            );
        }
        servers[1].set_state(State::Down, NOW);
        balancer.on_state_change();
        assert_eq!(
            balancer.pick(None, 0, Some(0), NOW),
            Some(0),
            "{algorithm:?}"
        );
    }
}

#[test]
fn random_draws_follow_the_weights_and_more_draws_avoid_the_busy() {
    let servers = vec![server(1, 1, 0, false), server(2, 3, 0, false)];
    let one = Balancer::new(
        Algorithm::Random {
            draws: 1,
            factor: 0,
        },
        servers.clone(),
        false,
        0,
    );
    let second = (0..10_000)
        .filter(|seed| one.pick(None, *seed, None, NOW) == Some(1))
        .count();
    assert!((6_000..9_000).contains(&second), "{second}");
    let many = Balancer::new(
        Algorithm::Random {
            draws: 8,
            factor: 0,
        },
        servers,
        false,
        0,
    );
    for _ in 0..100 {
        many.connected(1);
    }
    let second = (0..1_000)
        .filter(|seed| many.pick(None, *seed, None, NOW) == Some(1))
        .count();
    assert!(second < 300, "{second}");
}

/// Run with `cargo test --release -p isthmus-balance -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn a_pick_takes_this_many_nanoseconds() {
    let algorithms = [
        Algorithm::RoundRobin,
        Algorithm::StaticRoundRobin,
        Algorithm::LeastConn,
        Algorithm::Random {
            draws: 2,
            factor: 0,
        },
        Algorithm::Hash {
            hash_type: CONSISTENT,
            factor: 0,
        },
    ];
    for algorithm in algorithms {
        let balancer = Balancer::new(algorithm, equal(16), false, 0);
        let begin = std::time::Instant::now();
        let rounds = 1_000_000_u32;
        for round in 0..rounds {
            let key = Some(Key::Integer(round.into()));
            let at = balancer.pick(key, round.into(), None, NOW).unwrap();
            balancer.connected(at);
            balancer.disconnected(at);
        }
        println!(
            "{:>4} ns {algorithm:?}",
            begin.elapsed().as_nanos() / u128::from(rounds)
        );
    }
}
