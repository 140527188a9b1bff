//! Builders that make a test read like a capture: frames in, events and frames out.

use isthmus_proto::http::FieldList;
use isthmus_proto::http2::hpack::{Encoder, Indexing};
use isthmus_proto::http2::{Connection, ErrorCode, Event, Fault, Limits, PREFACE, Part, Settings};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const ACK: u8 = 1;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;
pub const PRIORITY_FLAG: u8 = 0x20;

/// A frame's bytes.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

pub fn setting(name: u16, value: u32) -> Vec<u8> {
    [&name.to_be_bytes()[..], &value.to_be_bytes()[..]].concat()
}

pub fn settings(rows: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> = rows.iter().flat_map(|row| setting(row.0, row.1)).collect();
    frame(SETTINGS, 0, 0, &payload)
}

pub fn window_update(stream: u32, by: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

pub fn rst_stream(stream: u32, code: ErrorCode) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.0.to_be_bytes())
}

/// A block that touches no dynamic table.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(4096);
    for (name, value) in fields {
        encoder.field(
            name.as_bytes(),
            value.as_bytes(),
            Indexing::Without,
            &mut out,
        );
    }
    out
}

/// The pseudo fields of a request that is well-formed.
pub const GET: &[(&str, &str)] = &[
    (":method", "GET"),
    (":scheme", "https"),
    (":path", "/"),
    (":authority", "example.test"),
];

pub const POST: &[(&str, &str)] = &[
    (":method", "POST"),
    (":scheme", "https"),
    (":path", "/"),
    (":authority", "example.test"),
];

pub fn headers(stream: u32, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, flags | END_HEADERS, stream, &block(fields))
}

pub fn get(stream: u32) -> Vec<u8> {
    headers(stream, END_STREAM, GET)
}

pub fn post(stream: u32) -> Vec<u8> {
    headers(stream, 0, POST)
}

/// An event that owns what it tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Head(u32, Part, bool, String),
    Data(u32, Vec<u8>, bool),
    Reset(u32, ErrorCode),
    Failed(u32, Fault),
    GoAway(u32, ErrorCode),
    Window(Option<u32>),
    Settings,
    Pong([u8; 8]),
}

pub fn seen(event: &Event<'_>) -> Seen {
    match event {
        Event::Head { stream, end, head } => {
            let mut lines = Vec::new();
            for (name, value) in [
                (
                    ":method",
                    Some(head.method_text()).filter(|text| !text.is_empty()),
                ),
                (":scheme", head.scheme()),
                (":authority", head.authority()),
                (":path", head.path()),
                (":protocol", head.protocol()),
            ] {
                if let Some(value) = value {
                    lines.push(format!("{name}: {}", String::from_utf8_lossy(value)));
                }
            }
            if head.status() > 0 {
                lines.push(format!(":status: {}", head.status()));
            }
            head.for_each(&mut |name, value| {
                let (name, value) = (
                    String::from_utf8_lossy(name),
                    String::from_utf8_lossy(value),
                );
                lines.push(format!("{name}: {value}"));
                true
            });
            Seen::Head(*stream, head.part(), *end, lines.join("\n"))
        }
        Event::Data { stream, bytes, end } => Seen::Data(*stream, bytes.to_vec(), *end),
        Event::Reset { stream, code } => Seen::Reset(*stream, *code),
        Event::Failed { stream, fault } => Seen::Failed(*stream, *fault),
        Event::GoAway { last, code } => Seen::GoAway(*last, *code),
        Event::WindowOpened { stream } => Seen::Window(*stream),
        Event::SettingsChanged => Seen::Settings,
        Event::Pong { payload } => Seen::Pong(*payload),
    }
}

/// A frame that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

pub fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        frames.push(Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
            payload: rest[..length].to_vec(),
        });
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty(), "half a frame was sent");
    frames
}

/// One end under test, whose peer is the test.
pub struct End {
    pub conn: Connection,
    /// What was fed and is not done with.
    rest: Vec<u8>,
}

impl End {
    /// A server whose client has said its preface and acknowledged the settings.
    pub fn server() -> Self {
        Self::server_with(Settings::default(), Limits::default())
    }

    pub fn server_with(ours: Settings, limits: Limits) -> Self {
        let mut end = Self {
            conn: Connection::server(ours, limits),
            rest: Vec::new(),
        };
        end.feed(PREFACE);
        end.greet();
        end
    }

    pub fn client() -> Self {
        Self::client_with(Settings::default(), Limits::default())
    }

    pub fn client_with(ours: Settings, limits: Limits) -> Self {
        let mut end = Self {
            conn: Connection::client(ours, limits),
            rest: Vec::new(),
        };
        end.conn.sent(PREFACE.len());
        end.greet();
        end
    }

    fn greet(&mut self) {
        let both = [settings(&[]), frame(SETTINGS, ACK, 0, &[])].concat();
        assert_eq!(self.feed(&both), [Seen::Settings]);
        self.sent();
    }

    /// Events of bytes that must not end the connection.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Seen> {
        let (events, error) = self.try_feed(bytes);
        assert_eq!(error, None, "after {events:?}");
        events
    }

    /// Events of bytes, and what ended the connection.
    pub fn try_feed(&mut self, bytes: &[u8]) -> (Vec<Seen>, Option<Fault>) {
        self.rest.extend(bytes);
        let bytes = std::mem::take(&mut self.rest);
        let (mut at, mut events) = (0, Vec::new());
        loop {
            match self.conn.receive(&bytes[at..]) {
                Err(error) => return (events, Some(error.fault)),
                Ok(received) => {
                    at += received.used;
                    match received.event {
                        Some(event) => events.push(seen(&event)),
                        None => break,
                    }
                }
            }
        }
        self.rest = bytes[at..].to_vec();
        (events, None)
    }

    /// The frames that were sent since the last call.
    pub fn sent(&mut self) -> Vec<Frame> {
        let frames = frames(self.conn.output());
        self.conn.sent(self.conn.output().len());
        frames
    }

    /// The bytes must end the connection: GOAWAY with this code was sent, and all is refused
    /// from then on.
    pub fn ends_with(&mut self, bytes: &[u8], code: ErrorCode) {
        let (events, fault) = self.try_feed(bytes);
        let fault = fault.unwrap_or_else(|| panic!("not ended, but {events:?}"));
        assert_eq!(fault.error_code(), code, "{fault:?}");
        let last = self.sent().pop().expect("GOAWAY");
        assert_eq!((last.kind, last.stream), (GOAWAY, 0));
        assert_eq!(last.payload[4..], code.0.to_be_bytes());
        assert!(self.try_feed(&get(2_147_483_647)).1.is_some());
    }

    /// The bytes must reset the stream with this code, and the connection goes on.
    pub fn resets(&mut self, bytes: &[u8], stream: u32, code: ErrorCode) {
        let events = self.feed(bytes);
        let failed = events.iter().any(|event| {
            matches!(event, Seen::Failed(id, fault) if *id == stream && fault.error_code() == code)
        });
        assert!(failed, "{code:?} wanted, but {events:?}");
        let sent = self.sent();
        let reset = sent.iter().find(|frame| frame.kind == RST_STREAM);
        let reset = reset.expect("RST_STREAM");
        assert_eq!(
            (reset.stream, &reset.payload[..]),
            (stream, &code.0.to_be_bytes()[..])
        );
        assert!(!self.conn.is_open(stream));
        let pong = [7; 8];
        self.feed(&frame(PING, 0, 0, &pong));
        assert_eq!(self.sent().pop().map(|frame| frame.kind), Some(PING));
    }

    /// A response without fields.
    pub fn answer(&mut self, stream: u32, end: bool) {
        self.conn.send_response(stream, 200, end, |_| {}).unwrap();
    }
}
