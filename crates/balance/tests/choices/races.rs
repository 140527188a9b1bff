//! Threads that reach for the same slots.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use isthmus_balance::{Algorithm, Balancer};

use crate::{NOW, server};

/// How often each thread takes a slot in the tests of races.
const ROUNDS: u32 = 100_000;

#[test]
fn threads_that_race_for_the_last_slot_never_take_more_than_maxconn() {
    for (algorithm, maxconn) in [
        (Algorithm::RoundRobin, 1),
        (Algorithm::LeastConn, 1),
        (Algorithm::LeastConn, 2),
    ] {
        let balancer = Balancer::new(algorithm, vec![server(1, 1, maxconn, false)], false, 0);
        let (held, most) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..=maxconn {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        if balancer.reserve(0, NOW) {
                            most.fetch_max(held.fetch_add(1, SeqCst) + 1, SeqCst);
                            held.fetch_sub(1, SeqCst);
                            balancer.disconnected(0);
                        }
                    }
                });
            }
        });
        assert!(
            most.load(SeqCst) <= maxconn,
            "{algorithm:?}: {most:?} of {maxconn}"
        );
        assert_eq!(balancer.servers()[0].current(), 0);
    }
}

#[test]
fn nobody_passes_those_who_wait_but_the_first_of_them() {
    let balancer = Balancer::new(
        Algorithm::RoundRobin,
        vec![server(1, 1, 1, false)],
        false,
        0,
    );
    assert!(balancer.reserve(0, NOW));
    balancer.queued(0);
    balancer.disconnected(0);
    assert!(!balancer.reserve(0, NOW));
    assert!(balancer.reserve_for_next(0, NOW));
    assert!(!balancer.reserve_for_next(0, NOW));
}
