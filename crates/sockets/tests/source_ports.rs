//! A range of source ports: each connection to one target takes another, until none is left.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::{SocketAddr, TcpListener};

use isthmus_sockets::{ConnectOptions, SourceBinding, connect, local_name};

/// Three neighbouring ports that are free now.
fn three_ports() -> u16 {
    loop {
        let first = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if first < 65_000 && (first..first + 3).all(free) {
            return first;
        }
    }
}

#[test]
fn connections_take_turns_through_the_range_until_it_is_used_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    let first = three_ports();
    let source = SourceBinding {
        local: Some(SocketAddr::from(([127, 0, 0, 1], first))),
        last_port: first + 2,
        ..SourceBinding::default()
    };
    let options = ConnectOptions {
        source,
        ..ConnectOptions::default()
    };
    let open = || connect(target, &options, None, false);
    let held: Vec<_> = (0..3).map(|_| open().unwrap()).collect();
    let port = |at: usize| local_name(&held[at].socket).inet().unwrap().port();
    let mut ports: Vec<u16> = (0..3).map(port).collect();
    ports.sort_unstable();
    assert_eq!(ports, [first, first + 1, first + 2]);
    assert_eq!(
        open().unwrap_err().kind(),
        std::io::ErrorKind::AddrNotAvailable
    );
    drop(held);
}
