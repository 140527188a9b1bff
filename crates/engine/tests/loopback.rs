//! Whole sessions over loopback: a plan is applied, bytes cross, ends close in every way.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use isthmus_engine::Engine;
use isthmus_plan::Plan;
use isthmus_plan::report::{Event, Snapshot};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(10);
const BULK: usize = 10_000_000;

/// An engine with one frontend and one server, which the test plays itself.
struct Ground {
    engine: Engine,
    front: SocketAddr,
    origin: TcpListener,
}

impl Ground {
    /// Starts with a plan that `edit` has changed: it gets the bind and the server, and the plan.
    fn with(edit: impl FnOnce(&mut Value)) -> Self {
        let origin = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut plan: Value =
            serde_json::from_str(include_str!("../../../tests/golden/loopback.json")).unwrap();
        server(&mut plan)["address"]["port"]["port"] = json!(origin.local_addr().unwrap().port());
        edit(&mut plan);
        let engine = Engine::start(2).unwrap();
        let plan: Plan = serde_json::from_value(plan).unwrap();
        let report = engine.apply(&plan, &isthmus_engine::Files::new());
        assert_eq!(report.errors, []);
        let front = report.listeners[0].2.parse().unwrap();
        Self {
            engine,
            front,
            origin,
        }
    }

    fn plain() -> Self {
        Self::with(|_| {})
    }

    fn client(&self) -> TcpStream {
        let client = TcpStream::connect(self.front).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_nodelay(true).unwrap();
        client
    }

    fn accept(&self) -> TcpStream {
        let (server, _) = self.origin.accept().unwrap();
        server.set_read_timeout(Some(PATIENCE)).unwrap();
        server
    }

    /// A client and the origin's end of its session.
    fn session(&self) -> (TcpStream, TcpStream) {
        (self.client(), self.accept())
    }

    fn wait(&self, holds: impl Fn(&Snapshot) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(&self.engine.snapshot()) {
            assert!(Instant::now() < end, "it did not happen in time");
            std::thread::yield_now();
        }
    }

    /// Every session has ended and given back what it held.
    fn wait_for_the_end(&self) {
        self.wait(|snapshot| snapshot.process.curr_conns == 0);
        assert!(self.engine.sessions().is_empty());
        assert_eq!(self.engine.snapshot().process.failed_sessions, 0);
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.engine.stop(false);
        let end = Instant::now() + PATIENCE;
        while !self.engine.events(PATIENCE).contains(&Event::Stopped {}) {
            assert!(Instant::now() < end, "it did not stop");
        }
    }
}

fn bind(plan: &mut Value) -> &mut Value {
    &mut plan["frontends"][0]["binds"][0]
}

fn server(plan: &mut Value) -> &mut Value {
    &mut plan["backends"][0]["servers"][0]
}

fn splice(plan: &mut Value) {
    plan["frontends"][0]["options"]["splice"]["auto"] = json!(true);
}

fn send_proxy(plan: &mut Value, version: u8) {
    server(plan)["proxy_header"] = json!({
        "version": version, "crc32c": false, "unique_id": false, "authority": false,
        "ssl": false, "ssl_parts": [], "tlvs": []
    });
}

fn read_exactly(from: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    from.read_exact(&mut bytes).unwrap();
    bytes
}

fn read_all(from: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Whether the other side reset the connection.
fn was_reset(from: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    matches!(from.read_to_end(&mut bytes), Err(error) if error.kind() == ErrorKind::ConnectionReset)
}

/// Closes a socket so that its peer sees a reset: there are bytes that nobody read.
fn reset(mut socket: TcpStream, mut other: &TcpStream) {
    other.write_all(b"unread").unwrap();
    socket.peek(&mut [0]).unwrap();
    // What was written before arrives before the reset.
    socket.flush().unwrap();
}

#[test]
fn bytes_cross_in_both_directions() {
    let ground = Ground::plain();
    let (mut client, mut server) = ground.session();
    client.write_all(b"question").unwrap();
    assert_eq!(read_exactly(&mut server, 8), b"question");
    server.write_all(b"answer").unwrap();
    assert_eq!(read_exactly(&mut client, 6), b"answer");
    drop((client, server));
    ground.wait_for_the_end();
}

#[test]
fn the_client_may_end_first_and_still_read() {
    let ground = Ground::plain();
    let (mut client, mut server) = ground.session();
    client.write_all(b"last").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut server), b"last");
    server.write_all(b"answer after the end").unwrap();
    drop(server);
    assert_eq!(read_all(&mut client), b"answer after the end");
    ground.wait_for_the_end();
}

#[test]
fn the_server_may_end_first_and_still_read() {
    let ground = Ground::plain();
    let (mut client, mut server) = ground.session();
    server.write_all(b"last").unwrap();
    server.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut client), b"last");
    client.write_all(b"question after the end").unwrap();
    drop(client);
    assert_eq!(read_all(&mut server), b"question after the end");
    ground.wait_for_the_end();
}

/// Bytes that differ from place to place, so that a swap or a loss shows.
fn pattern(seed: usize) -> Vec<u8> {
    (0..BULK)
        .map(|i| ((i * 31 + i / 251 + seed) & 0xff) as u8)
        .collect()
}

fn writes(mut to: TcpStream, bytes: Vec<u8>) -> JoinHandle<()> {
    spawn(move || {
        to.write_all(&bytes).unwrap();
        to.shutdown(Shutdown::Write).unwrap();
    })
}

/// Reads in small bites, which keeps the engine waiting for the reader.
fn reads_slowly(mut from: TcpStream) -> JoinHandle<Vec<u8>> {
    spawn(move || {
        let mut all = Vec::with_capacity(BULK);
        let mut bite = [0; 8 * 1024];
        loop {
            match from.read(&mut bite).unwrap() {
                0 => return all,
                count => all.extend_from_slice(&bite[..count]),
            }
            std::thread::yield_now();
        }
    })
}

fn bulk(ground: &Ground) {
    let (client, server) = ground.session();
    let writers = [
        writes(client.try_clone().unwrap(), pattern(1)),
        writes(server.try_clone().unwrap(), pattern(2)),
    ];
    // Nobody reads before both directions are stuck: they are full, yet within bounds.
    let end = Instant::now() + PATIENCE;
    let moved = || {
        ground
            .engine
            .sessions()
            .iter()
            .map(|s| s.bytes_in)
            .sum::<u64>()
    };
    while moved() == 0 {
        assert!(Instant::now() < end, "nothing moved");
        std::thread::yield_now();
    }
    let readers = [reads_slowly(server), reads_slowly(client)];
    for (reader, seed) in readers.into_iter().zip([1, 2]) {
        assert!(reader.join().unwrap() == pattern(seed));
    }
    for writer in writers {
        writer.join().unwrap();
    }
    ground.wait_for_the_end();
}

#[test]
fn ten_megabytes_cross_both_ways_at_once_to_slow_readers() {
    bulk(&Ground::plain());
}

#[test]
fn ten_megabytes_cross_both_ways_at_once_spliced() {
    let ground = Ground::with(splice);
    bulk(&ground);
    assert!(ground.engine.snapshot().process.total_spliced_bytes_out > 0);
    assert_eq!(ground.engine.snapshot().process.pipes_used, 0);
}

#[test]
fn pipes_are_kept_for_the_next_bulk_transfer() {
    let ground = Ground::with(splice);
    let pipes = || {
        let process = ground.engine.snapshot().process;
        (process.pipes_used, process.pipes_free)
    };
    assert_eq!(pipes(), (0, 0));
    bulk(&ground);
    ground.wait_for_the_end();
    let (used, free) = pipes();
    assert_eq!(used, 0);
    assert!(
        (1..=2).contains(&free),
        "one for each direction at most: {free}"
    );
    bulk(&ground);
    ground.wait_for_the_end();
    // The other worker may have served this one.
    assert!((free..=4).contains(&pipes().1), "{:?}", pipes());
}

#[test]
fn a_reset_by_the_client_ends_the_server_connection() {
    let ground = Ground::plain();
    let (client, mut server) = ground.session();
    reset(client, &server);
    let ended = was_reset(&mut server);
    assert!(ended || read_all(&mut server).is_empty());
    drop(server);
    ground.wait_for_the_end();
    assert_eq!(ground.engine.snapshot().backends[0].counters.cli_abrt, 1);
}

#[test]
fn a_reset_by_the_server_ends_the_client_connection() {
    let ground = Ground::plain();
    let (mut client, server) = ground.session();
    reset(server, &client);
    let ended = was_reset(&mut client);
    assert!(ended || read_all(&mut client).is_empty());
    drop(client);
    ground.wait_for_the_end();
    assert_eq!(ground.engine.snapshot().backends[0].counters.srv_abrt, 1);
}

#[test]
fn a_refused_connect_without_retries_ends_the_session_at_once() {
    let ground = Ground::with(|plan| {
        let unused = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = unused.local_addr().unwrap().port();
        server(plan)["address"]["port"]["port"] = json!(port);
    });
    let mut client = ground.client();
    assert!(was_reset(&mut client) || read_all(&mut client).is_empty());
    ground.wait_for_the_end();
    let snapshot = ground.engine.snapshot();
    assert_eq!(snapshot.backends[0].counters.econ, 1);
    assert_eq!(snapshot.backends[0].counters.wretr, 0);
}

#[test]
fn a_version_1_header_is_sent() {
    let ground = Ground::with(|plan| send_proxy(plan, 1));
    let (mut client, mut server) = ground.session();
    client.write_all(b"x").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let (from, to) = (client.local_addr().unwrap().port(), ground.front.port());
    let expected = format!("PROXY TCP4 127.0.0.1 127.0.0.1 {from} {to}\r\nx");
    assert_eq!(read_all(&mut server), expected.as_bytes());
}

fn version_2(from: u16, to: u16) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01".to_vec();
    header.extend(from.to_be_bytes());
    header.extend(to.to_be_bytes());
    header
}

#[test]
fn a_version_2_header_is_sent() {
    let ground = Ground::with(|plan| send_proxy(plan, 2));
    let (client, mut server) = ground.session();
    client.shutdown(Shutdown::Write).unwrap();
    let expected = version_2(client.local_addr().unwrap().port(), ground.front.port());
    assert_eq!(read_all(&mut server), expected);
}

#[test]
fn headers_of_both_versions_are_taken_off_and_believed() {
    let ground = Ground::with(|plan| {
        bind(plan)["accept_proxy"] = json!(true);
        send_proxy(plan, 1);
    });
    let first = b"PROXY TCP4 127.0.0.1 127.0.0.1 1000 2000\r\n".to_vec();
    for header in [first.clone(), version_2(1000, 2000)] {
        let mut client = ground.client();
        // The header and the bytes behind it come in one piece.
        client
            .write_all(&[&header[..], b"behind"].concat())
            .unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut server = ground.accept();
        assert_eq!(read_all(&mut server), [&first[..], b"behind"].concat());
    }
}

#[test]
fn a_header_that_comes_byte_by_byte_is_taken() {
    let ground = Ground::with(|plan| bind(plan)["accept_proxy"] = json!(true));
    let mut client = ground.client();
    for byte in version_2(1, 2) {
        client.write_all(&[byte]).unwrap();
    }
    client.write_all(b"behind").unwrap();
    let mut server = ground.accept();
    assert_eq!(read_exactly(&mut server, 6), b"behind");
}

#[test]
fn what_is_no_header_is_refused_and_counted() {
    let ground = Ground::with(|plan| bind(plan)["accept_proxy"] = json!(true));
    let mut client = ground.client();
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(was_reset(&mut client) || read_all(&mut client).is_empty());
    ground.wait_for_the_end();
    let snapshot = ground.engine.snapshot();
    assert_eq!(snapshot.frontends[0].counters.bad_proxy_headers, 1);
}
