//! The door, the channel and the call, without a worker: whoever would be the worker is the test.

use std::sync::Arc;
use std::time::Duration;

use isthmus_plan::ByteString;
use isthmus_plan::service::{ServiceHead, ServiceRequest};
use isthmus_proto::http::Body as Framing;

use super::channel::{Body, Channel, Gone, Heard, Piece};
use super::{Call, Next, Refused, Serving};
use crate::door::{Door, Notice};
use crate::mailbox::Mailbox;
use crate::slab::Key;

const NOW: Duration = Duration::ZERO;
const SOON: Duration = Duration::from_secs(20);

type Pairs = &'static [(&'static str, &'static str)];

fn request() -> ServiceRequest {
    ServiceRequest {
        service: "python.a".into(),
        generation: 1,
        method: "GET".into(),
        target: "/".into(),
        version: "HTTP/1.1".into(),
        fields: Vec::new(),
        length: Some(0),
        source: None,
        destination: None,
        src_netns: String::new(),
        frontend: String::new(),
        backend: String::new(),
        unique_id: ByteString::default(),
        patience: 0,
    }
}

fn head(status: u16, fields: &[(&str, &str)]) -> ServiceHead {
    ServiceHead {
        status,
        reason: None,
        fields: fields
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
    }
}

fn call() -> (Arc<Channel>, Call, Arc<Door>) {
    let door = Arc::new(Door::default());
    let mailbox = Arc::new(Mailbox::new().unwrap());
    let key = Key {
        index: 0,
        generation: 0,
    };
    assert!(door.enter_line(1));
    let channel = Arc::new(Channel::new(door.number(), mailbox, key, door.clone()));
    let call = Call::new(request(), channel.clone());
    (channel, call, door)
}

fn heard(channel: &Channel) -> String {
    match channel.hear() {
        Heard::Head(head) => String::from_utf8(head).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_head_tells_how_its_body_is_framed_and_nothing_of_the_connection() {
    let cases: &[(u16, Pairs, &str)] = &[
        (200, &[("A", "b")], "a: b\r\ntransfer-encoding: chunked\r\n"),
        (200, &[("content-length", "3")], "content-length: 3\r\n"),
        (204, &[("content-length", "0")], ""),
        (304, &[], ""),
    ];
    for (status, fields, expected) in cases {
        let (channel, call, _) = call();
        call.start(&head(*status, fields)).unwrap();
        let text = heard(&channel);
        let (_, rest) = text.split_once("\r\n").unwrap();
        assert_eq!(rest, format!("{expected}\r\n"), "{status}");
    }
}

#[test]
fn a_head_that_cannot_be_sent_is_refused_and_another_may_follow() {
    let cases: &[(u16, Pairs)] = &[
        (101, &[]),
        (600, &[]),
        (200, &[("connection", "close")]),
        (200, &[("Transfer-Encoding", "chunked")]),
        (200, &[("content-length", "x")]),
        (200, &[("content-length", "+1")]),
        (200, &[("content-length", "1"), ("content-length", "1")]),
        (200, &[("a b", "c")]),
        (200, &[("", "c")]),
        (200, &[("a", "b\r\nc: d")]),
        (200, &[("a", "b\r\n\r\nHTTP/1.1 200 OK")]),
        (200, &[("a", "\0")]),
    ];
    let (channel, call, _) = call();
    for (status, fields) in cases {
        let refused = call.start(&head(*status, fields));
        assert!(
            matches!(refused, Err(Refused::Bad(_))),
            "{status} {fields:?}"
        );
    }
    let mut split = head(200, &[]);
    split.reason = Some("OK\r\na: b".into());
    assert!(call.start(&split).is_err());
    call.start(&head(200, &[])).unwrap();
    assert!(call.start(&head(200, &[])).is_err());
    assert!(heard(&channel).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn an_answer_takes_so_much_and_no_more_until_the_worker_takes_it() {
    let (channel, call, _) = call();
    call.start(&head(200, &[])).unwrap();
    let much = vec![b'x'; 1 << 20];
    let took = call.write(&much, NOW).unwrap();
    assert!(took > 0 && took < much.len());
    assert_eq!(call.write(&much, NOW), Ok(0));
    let waiting = std::thread::spawn(move || call.write(b"y", SOON).map(|took| (took, call)));
    let mut data = Vec::new();
    assert_eq!(channel.take(&mut data), Piece::Data);
    assert_eq!(data.len(), took);
    let (took, _call) = waiting.join().unwrap().unwrap();
    assert_eq!(took, 1);
}

#[test]
fn a_request_body_fills_its_window_and_the_service_is_woken_by_more() {
    let (channel, call, _) = call();
    let room = channel.room();
    channel.put(&vec![b'x'; room], false);
    assert_eq!(channel.room(), 0);
    assert_eq!(call.read(2, NOW), Ok(Body::Bytes(b"xx".to_vec())));
    assert_eq!(channel.room(), 0);
    assert!(matches!(call.read(room / 2, NOW), Ok(Body::Bytes(_))));
    assert_eq!(channel.room(), room / 2 + 2);
    assert!(matches!(call.read(room, NOW), Ok(Body::Bytes(_))));
    assert_eq!(call.read(1, NOW), Ok(Body::Later));
    assert!(channel.wants());
    let waiting = std::thread::spawn(move || {
        let first = call.read(10, SOON);
        (first, call.read(10, SOON))
    });
    channel.put(b"yz", true);
    let (first, last) = waiting.join().unwrap();
    assert_eq!(first, Ok(Body::Bytes(b"yz".to_vec())));
    assert_eq!(last, Ok(Body::End));
}

#[test]
fn whoever_waits_learns_that_the_client_has_gone() {
    let (channel, call, _) = call();
    let waiting = std::thread::spawn(move || (call.read(1, SOON), call));
    channel.leave();
    let (read, call) = waiting.join().unwrap();
    assert_eq!(read, Err(Gone));
    assert!(call.is_gone() && !call.begin());
    assert_eq!(call.start(&head(200, &[])), Err(Refused::Gone));
    assert_eq!(call.write(b"x", NOW), Err(Refused::Gone));
}

#[test]
fn a_service_that_said_all_that_it_promised_may_end_in_peace() {
    let (channel, call, _) = call();
    call.start(&head(200, &[("content-length", "1")])).unwrap();
    assert_eq!(call.write(b"x", NOW), Ok(1));
    channel.leave();
    assert!(!call.is_gone());
    assert_eq!(call.read(1, NOW), Ok(Body::End));
}

#[test]
fn more_than_was_promised_is_refused_and_less_is_broken_off() {
    let (channel, call, _) = call();
    call.start(&head(200, &[("content-length", "3")])).unwrap();
    assert!(matches!(call.write(b"xxxx", NOW), Err(Refused::Bad(_))));
    assert_eq!(call.write(b"xx", NOW), Ok(2));
    call.finish();
    let mut data = Vec::new();
    assert_eq!(channel.take(&mut data), Piece::Data);
    assert_eq!(channel.take(&mut Vec::new()), Piece::Broken);
}

#[test]
fn a_failure_before_anything_went_out_leaves_room_for_an_error() {
    for started in [false, true] {
        let (channel, call, _) = call();
        if started {
            call.start(&head(200, &[])).unwrap();
        }
        drop(call);
        assert_eq!(channel.hear(), Heard::Failure, "{started}");
    }
    let (channel, call, _) = call();
    call.start(&head(200, &[])).unwrap();
    call.write(b"x", NOW).unwrap();
    call.fail();
    assert!(matches!(channel.hear(), Heard::Head(_)));
}

#[test]
fn the_line_is_as_long_as_it_may_be_and_begun_calls_are_out_of_it() {
    let (_channel, call, door) = call();
    assert!(!door.enter_line(1));
    assert!(call.begin());
    assert!(call.begin());
    assert!(door.enter_line(1) && !door.enter_line(1));
    drop(call);
    assert!(!door.enter_line(1));
}

#[test]
fn a_watched_call_is_told_of_changes_once_until_it_has_looked() {
    let (channel, call, door) = call();
    let told = |door: &Door| {
        let notices = door.take(NOW).unwrap();
        let numbers = notices.iter().map(|notice| match notice {
            Notice::Changed(number) => *number,
            Notice::Call(_) | Notice::Question(_) => panic!("nothing was asked"),
        });
        numbers.collect::<Vec<_>>()
    };
    channel.put(b"a", false);
    assert_eq!(told(&door), [0; 0]);
    call.watch();
    channel.put(b"b", false);
    channel.put(b"c", false);
    assert_eq!(told(&door), [call.number()]);
    channel.put(b"d", false);
    assert_eq!(told(&door), [0; 0]);
    call.seen();
    channel.leave();
    assert_eq!(told(&door), [call.number()]);
}

#[test]
fn a_closed_door_tells_so_and_what_comes_late_fails() {
    let (channel, call, door) = call();
    door.close();
    door.notice(Notice::Call(call));
    assert!(door.take(SOON).is_none());
    assert_eq!(channel.hear(), Heard::Failure);
}

#[test]
fn a_body_of_unknown_length_is_framed_as_chunks_and_one_of_known_length_is_not() {
    for (framing, expected) in [
        (Framing::Chunked, &b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"[..]),
        (Framing::Length(3), &b"abc"[..]),
    ] {
        let (channel, call, _) = call();
        let fields: &[(&str, &str)] = match framing {
            Framing::Chunked => &[],
            _ => &[("content-length", "3")],
        };
        call.start(&head(200, fields)).unwrap();
        let mut serving = Serving::new(channel);
        serving.begin(framing);
        let mut all = Vec::new();
        let mut space = [0; 3];
        let mut read = |serving: &mut Serving| {
            loop {
                match serving.read(&mut space) {
                    Next::Bytes(count) => all.extend_from_slice(&space[..count]),
                    other => return other,
                }
            }
        };
        call.write(b"ab", NOW).unwrap();
        assert_eq!(read(&mut serving), Next::Later);
        call.write(b"c", NOW).unwrap();
        call.finish();
        assert_eq!(read(&mut serving), Next::Cut);
        assert_eq!(all, expected);
    }
}
