//! Any frames, in any pieces, are received by either end without a panic and with one meaning;
//! what is sent back is whole frames and bounded, whatever the caller does with what it is told.

#![no_main]

use isthmus_proto::http1::{Progress, RequestHead, Rules};
use isthmus_proto::http2::{
    Connection, ErrorCode, Event, Fault, Head, Limits, PREFACE, Part, RequestLine, Settings,
};
use libfuzzer_sys::fuzz_target;

const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const OUTPUT: u32 = 2000;

/// What was judged as HTTP/2 is the same message to a reader of HTTP/1; one without an authority
/// may lack the Host that is needed there, and a WebSocket's key is the caller's to add.
fn reads_as_http1(head: &Head, text: &[u8]) {
    let upgrade = head.protocol().is_some();
    if head.part() != Part::Request || head.authority().is_none() || upgrade {
        return;
    }
    let rules = Rules {
        head: u32::MAX,
        fields: u32::MAX,
        ..Rules::default()
    };
    let (mut buf, mut read) = (text.to_vec(), RequestHead::default());
    let progress = read.read(&mut buf, &rules);
    assert_eq!(progress, Ok(Progress::Complete(text.len())), "{head:?}");
    assert_eq!(read.method(), head.method());
}

/// What is told, with data put together.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Head(u32, bool, Part, Vec<u8>),
    Data(u32, bool, usize),
    Other(String),
}

struct End {
    conn: Connection,
    client: bool,
    /// Whether it answers and passes data on, or only listens.
    acts: bool,
    told: Vec<Told>,
}

impl End {
    fn new(client: bool, acts: bool) -> Self {
        let settings = Settings {
            initial_window: 300,
            max_header_list_size: 2000,
            header_table_size: 200,
            max_concurrent_streams: 5,
            ..Settings::default()
        };
        let limits = Limits {
            output: OUTPUT,
            ..Limits::default()
        };
        let conn = match client {
            false => Connection::server(settings, limits),
            true => Connection::client(settings, limits),
        };
        let mut end = Self {
            conn,
            client,
            acts,
            told: Vec::new(),
        };
        if !client {
            assert_eq!(end.receive(PREFACE), Ok(PREFACE.len()));
        }
        assert_eq!(end.receive(SETTINGS), Ok(SETTINGS.len()));
        end.drain();
        end.open();
        end
    }

    fn open(&mut self) {
        let line = RequestLine {
            method: b"POST",
            scheme: b"http",
            authority: b"a",
            path: b"/",
            protocol: None,
            secret_path: false,
        };
        while self.client && self.conn.can_open() {
            let _ = self.conn.send_request(&line, false, |_| {});
        }
    }

    /// Checks and takes what is to be written.
    fn drain(&mut self) {
        let mut rest = self.conn.output();
        assert!(
            rest.len() < OUTPUT as usize + 16384 + 20_000,
            "output is bounded"
        );
        rest = rest.strip_prefix(PREFACE).unwrap_or(rest);
        while !rest.is_empty() {
            let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
            rest = &rest[9 + length..];
        }
        let all = self.conn.output().len();
        self.conn.sent(all);
    }

    fn act(&mut self, stream: u32, bytes: usize, end: bool) {
        self.conn.consumed(stream, bytes);
        if !self.client {
            let _ = self
                .conn
                .send_response(stream, 200, false, |out| out.field(b"a", b"b"));
        }
        let _ = self.conn.send_data(stream, &[0; 700], end);
        if bytes % 7 == 6 {
            self.conn.send_reset(stream, ErrorCode::CANCEL);
        }
        self.open();
    }

    /// Receives as much as can be, and returns how much that is.
    fn receive(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let mut used = 0;
        loop {
            let received = self
                .conn
                .receive(&bytes[used..])
                .map_err(|error| error.fault)?;
            assert!(used + received.used <= bytes.len());
            used += received.used;
            let acted = match received.event {
                None => break,
                Some(Event::Head { stream, end, head }) => {
                    let mut text = Vec::new();
                    head.write_http1(end, &mut text);
                    reads_as_http1(head, &text);
                    self.told.push(Told::Head(stream, end, head.part(), text));
                    Some((stream, 0, end))
                }
                Some(Event::Data { stream, bytes, end }) => {
                    match self.told.last_mut() {
                        Some(Told::Data(last, ended @ false, sum)) if *last == stream => {
                            *sum += bytes.len();
                            *ended = end;
                        }
                        _ => self.told.push(Told::Data(stream, end, bytes.len())),
                    }
                    Some((stream, bytes.len(), end))
                }
                Some(event) => {
                    self.told.push(Told::Other(format!("{event:?}")));
                    None
                }
            };
            if let (true, Some((stream, bytes, end))) = (self.acts, acted) {
                self.act(stream, bytes, end);
            }
        }
        Ok(used)
    }
}

fn run(client: bool, acts: bool, bytes: &[u8], step: usize) -> (Vec<Told>, Option<Fault>) {
    let mut end = End::new(client, acts);
    let (mut start, mut fault) = (0, None);
    let mut upto = 0;
    while upto < bytes.len() && fault.is_none() {
        upto = bytes.len().min(upto + step);
        loop {
            match end.receive(&bytes[start..upto]) {
                Ok(used) => start += used,
                Err(error) => fault = Some(error),
            }
            let congested = end.conn.is_congested();
            end.drain();
            if !congested || fault.is_some() {
                break;
            }
        }
    }
    assert!(end.conn.open_streams() <= 5);
    (end.told, fault)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else {
        return;
    };
    let client = first & 1 == 1;
    let step = usize::from(first >> 1) + 1;
    let whole = run(client, false, bytes, bytes.len());
    assert_eq!(whole, run(client, false, bytes, step));
    run(client, true, bytes, step);
});
