//! Servers that came up and take their load step by step.

use isthmus_balance::{Limits, Server, ServerSettings, State, Weight};

use crate::NOW;

#[test]
fn a_slow_start_grows_the_weight_in_haproxys_steps_and_the_limit_in_a_line() {
    let server = Server::new(ServerSettings {
        id: 1,
        weight: Weight::new(10).unwrap(),
        backup: false,
        limits: Limits {
            maxconn: 50,
            ..Limits::default()
        },
        slowstart: 8_000,
    });
    assert_eq!(server.effective_weight(), 160);
    server.set_state(State::Down, NOW);
    server.set_state(State::Up, NOW);
    for (elapsed, weight, limit, throttle) in [
        (0, 10, 1, Some(6)),
        (1_040, 30, 6, Some(18)),
        (2_999, 50, 18, Some(31)),
        (7_999, 150, 49, Some(93)),
        (8_000, 160, 50, None),
    ] {
        assert_eq!(
            server.connection_limit(isthmus_balance::Load::default(), NOW + elapsed),
            Some(limit)
        );
        server.refresh_weight(NOW + elapsed);
        assert_eq!(server.effective_weight(), weight);
        assert_eq!(server.throttle(NOW + elapsed), throttle);
    }
    assert!(!server.refresh_weight(NOW + 20_000));
}

#[test]
fn the_end_of_a_slow_start_is_told_once_and_only_of_one_that_came_to_it() {
    let server = Server::new(ServerSettings {
        id: 1,
        weight: Weight::ONE,
        backup: false,
        limits: Limits::default(),
        slowstart: 2_000,
    });
    assert!(!server.take_warmed(NOW));
    for (between, told) in [
        (None, true),
        (Some(State::Down), false),
        (Some(State::Drain), false),
    ] {
        server.set_state(State::Maint, NOW);
        server.set_state(State::Up, NOW);
        assert!(!server.take_warmed(NOW + 1_999));
        if let Some(state) = between {
            server.set_state(state, NOW + 1_999);
        }
        // Whoever looks at the weight first does not take it away.
        server.refresh_weight(NOW + 2_000);
        assert_eq!(server.take_warmed(NOW + 2_000), told);
        assert!(!server.take_warmed(NOW + 9_000));
    }
}
