//! Two connections joined back to back: whatever the order of things and however bytes are cut,
//! all that is sent arrives, and no window is overrun.

use std::collections::{BTreeMap, VecDeque};

use isthmus_proto::http2::{Connection, Event, Limits, Part, RequestLine, SendError, Settings};
use proptest::collection::vec;
use proptest::prelude::*;

/// What one end sends and receives on a stream.
#[derive(Debug, Default)]
struct Message {
    /// Bytes to send yet; none before the head may be sent.
    left: Option<usize>,
    total: usize,
    received: usize,
    /// Received and not passed on.
    held: usize,
    ended: bool,
}

/// The byte at a place of a stream's body.
fn byte(stream: u32, at: usize) -> u8 {
    (stream as usize * 31 + at * 7 + at / 256) as u8
}

struct End {
    conn: Connection,
    /// Bytes on their way to it.
    wire: VecDeque<u8>,
    messages: BTreeMap<u32, Message>,
}

impl End {
    fn new(conn: Connection) -> Self {
        Self {
            conn,
            wire: VecDeque::new(),
            messages: BTreeMap::new(),
        }
    }

    /// Receives up to `count` bytes of the wire.
    fn receive(&mut self, count: usize, answer: usize) {
        let bytes: Vec<u8> = self.wire.iter().take(count).copied().collect();
        let mut used = 0;
        loop {
            let received = self.conn.receive(&bytes[used..]).unwrap();
            used += received.used;
            let Some(event) = received.event else { break };
            match event {
                Event::Head { stream, end, head } => {
                    let message = self.messages.entry(stream).or_default();
                    if head.part() == Part::Request {
                        message.left = Some(answer);
                        message.total = answer;
                    }
                    message.ended |= end;
                }
                Event::Data { stream, bytes, end } => {
                    let message = self.messages.get_mut(&stream).unwrap();
                    for byte_in in bytes {
                        assert_eq!(*byte_in, byte(stream, message.received));
                        message.received += 1;
                    }
                    message.held += bytes.len();
                    message.ended |= end;
                }
                Event::SettingsChanged | Event::WindowOpened { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        self.wire.drain(..used);
    }

    /// Moves up to `count` bytes of output to the other end.
    fn write(&mut self, to: &mut Self, count: usize) {
        let count = count.min(self.conn.output().len());
        to.wire.extend(&self.conn.output()[..count]);
        self.conn.sent(count);
    }

    /// Sends up to `count` bytes of a stream's body, and its end with the last.
    fn send(&mut self, stream: u32, count: usize) {
        let Some(message) = self.messages.get_mut(&stream) else {
            return;
        };
        let Some(left) = message.left else { return };
        let count = count.min(left);
        let at = message.total - left;
        let bytes: Vec<u8> = (at..at + count).map(|at| byte(stream, at)).collect();
        let end = count == left;
        match self.conn.send_data(stream, &bytes, end) {
            Ok(taken) => {
                message.left = match left - taken {
                    0 if end => None,
                    left => Some(left),
                }
            }
            Err(SendError::Order) => self
                .conn
                .send_response(stream, 200, false, |out| out.field(b"x-same", b"same"))
                .unwrap(),
            Err(error) => panic!("{error:?}"),
        }
    }

    fn pass_on(&mut self, stream: u32, count: usize) {
        if let Some(message) = self.messages.get_mut(&stream) {
            let count = count.min(message.held);
            message.held -= count;
            self.conn.consumed(stream, count);
        }
    }
}

#[derive(Debug, Clone)]
struct Plan {
    client: Settings,
    server: Settings,
    output: u32,
    request: usize,
    response: usize,
    streams: usize,
    steps: Vec<(u8, u32, usize)>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let settings = (1_u32..3000, 65535_u32..200_000, 1_u32..6, 0_u32..5000).prop_map(
        |(initial_window, connection_window, max_concurrent_streams, header_table_size)| Settings {
            initial_window,
            connection_window,
            max_concurrent_streams,
            header_table_size,
            ..Settings::default()
        },
    );
    let steps = vec((0_u8..8, 0_u32..8, 1_usize..4000), 0..300);
    let sizes = (0_usize..9000, 0_usize..9000);
    (
        settings.clone(),
        settings,
        100_u32..20_000,
        sizes,
        1_usize..8,
        steps,
    )
        .prop_map(
            |(client, server, output, (request, response), streams, steps)| Plan {
                client,
                server,
                output,
                request,
                response,
                streams,
                steps,
            },
        )
}

struct Pair {
    plan: Plan,
    client: End,
    server: End,
    opened: usize,
}

impl Pair {
    fn new(plan: &Plan) -> Self {
        // What floods are is tested elsewhere: windows of one byte look like one.
        let limits = Limits {
            window_updates: 0,
            output: plan.output,
            ..Limits::default()
        };
        Self {
            plan: plan.clone(),
            client: End::new(Connection::client(plan.client, limits)),
            server: End::new(Connection::server(plan.server, limits)),
            opened: 0,
        }
    }

    fn open(&mut self) {
        // The server's limit may not have arrived: a stream beyond it would be refused, rightly.
        let allowed = self.plan.server.max_concurrent_streams as usize;
        let conn = &mut self.client.conn;
        if self.opened == self.plan.streams || conn.open_streams() >= allowed || !conn.can_open() {
            return;
        }
        let line = RequestLine {
            method: b"POST",
            scheme: b"https",
            authority: b"example.test",
            path: b"/",
            protocol: None,
            secret_path: false,
        };
        let stream = conn
            .send_request(&line, false, |out| out.field(b"x-same", b"same"))
            .unwrap();
        self.opened += 1;
        let message = Message {
            left: Some(self.plan.request),
            total: self.plan.request,
            ..Message::default()
        };
        self.client.messages.insert(stream, message);
    }

    fn step(&mut self, what: u8, stream: u32, count: usize) {
        let stream = 2 * stream + 1;
        let answer = self.plan.response;
        match what {
            0 => self.open(),
            1 => self.client.send(stream, count),
            2 => self.server.send(stream, count),
            3 => self.client.write(&mut self.server, count),
            4 => self.server.write(&mut self.client, count),
            5 => self.client.receive(count, answer),
            6 => self.server.receive(count, answer),
            _ => {
                self.client.pass_on(stream, count);
                self.server.pass_on(stream, count);
            }
        }
    }

    fn is_done(&self) -> bool {
        let done = |end: &End| {
            let sent = |message: &Message| message.left.is_none() && message.ended;
            end.messages.len() == self.plan.streams && end.messages.values().all(sent)
        };
        done(&self.client) && done(&self.server)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 100 } else { 2000 }))]

    #[test]
    fn all_bytes_arrive_whatever_the_order(plan in plans()) {
        let mut pair = Pair::new(&plan);
        for (what, stream, count) in &plan.steps {
            pair.step(*what, *stream, *count);
        }
        // Then everything in turn, until all is done.
        let mut rounds = 0;
        while !pair.is_done() {
            for what in 0..8 {
                for stream in 0..plan.streams as u32 {
                    pair.step(what, stream, 20_000);
                }
            }
            rounds += 1;
            prop_assert!(rounds < 40_000, "stuck: {:?}", pair.client.messages);
        }
        for (end, wanted) in [(&pair.client, plan.response), (&pair.server, plan.request)] {
            for message in end.messages.values() {
                prop_assert_eq!(message.received, wanted);
            }
            prop_assert_eq!(end.conn.open_streams(), 0);
            prop_assert_eq!(end.conn.glitches(), 0);
        }
    }
}
