//! Whole messages, both ways.

use super::capture::*;
use isthmus_proto::http2::{Part, RequestLine};

#[test]
fn a_request_and_its_response_pass_a_server() {
    let mut end = End::server();
    let events = end.feed(&headers(1, 0, &[POST, &[("x-a", "1")]].concat()));
    let text = ":method: POST\n:scheme: https\n:authority: example.test\n:path: /\nx-a: 1";
    assert_eq!(events, [Seen::Head(1, Part::Request, false, text.into())]);
    assert_eq!(
        end.feed(&frame(DATA, END_STREAM, 1, b"body")),
        [Seen::Data(1, b"body".to_vec(), true)]
    );
    end.conn.consumed(1, 4);
    end.conn
        .send_response(1, 200, false, |out| out.field(b"Server", b"x"))
        .unwrap();
    assert_eq!(end.conn.send_data(1, b"answer", true), Ok(6));
    assert!(!end.conn.is_open(1));
    let sent = end.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!((sent[0].kind, sent[0].flags), (HEADERS, END_HEADERS));
    assert_eq!(sent[0].payload[0], 0x88);
    assert_eq!((sent[1].kind, sent[1].flags), (DATA, END_STREAM));
    assert_eq!(sent[1].payload, b"answer");
}

#[test]
fn a_request_and_its_response_pass_a_client() {
    let mut end = End::client();
    let line = RequestLine {
        method: b"GET",
        scheme: b"https",
        authority: b"example.test",
        path: b"/x",
        protocol: None,
        secret_path: false,
    };
    let stream = end
        .conn
        .send_request(&line, true, |out| out.field(b"host", b"example.test"))
        .unwrap();
    assert_eq!(stream, 1);
    let events = end.feed(
        &[
            headers(1, 0, &[(":status", "103"), ("link", "</a>")]),
            headers(1, 0, &[(":status", "200"), ("content-length", "2")]),
            frame(DATA, 0, 1, b"ok"),
            headers(1, END_STREAM, &[("x-sum", "9")]),
        ]
        .concat(),
    );
    assert_eq!(
        events,
        [
            Seen::Head(1, Part::Interim, false, ":status: 103\nlink: </a>".into()),
            Seen::Head(
                1,
                Part::Response,
                false,
                ":status: 200\ncontent-length: 2".into()
            ),
            Seen::Data(1, b"ok".to_vec(), false),
            Seen::Head(1, Part::Trailers, true, "x-sum: 9".into()),
        ]
    );
    assert_eq!(end.conn.open_streams(), 0);
}

#[test]
fn heads_and_data_in_single_bytes_are_the_same_messages() {
    let bytes = [
        post(1),
        frame(DATA, PADDED, 1, b"\x03body\0\0\0"),
        frame(DATA, END_STREAM, 1, b""),
        get(3),
    ]
    .concat();
    let whole = End::server().feed(&bytes);
    let mut end = End::server();
    let mut pieces = Vec::new();
    for byte in &bytes {
        pieces.extend(end.feed(&[*byte]));
    }
    let body = |events: &[Seen]| -> Vec<u8> {
        let data = events.iter().filter_map(|event| match event {
            Seen::Data(1, bytes, _) => Some(bytes.clone()),
            _ => None,
        });
        data.flatten().collect()
    };
    assert_eq!(body(&whole), b"body", "{whole:?}");
    assert_eq!(body(&pieces), b"body");
    assert_eq!(whole.first(), pieces.first());
    assert_eq!(whole.last(), pieces.last());
}

#[test]
fn rfc_9113_8_2_3_cookie_crumbs_become_one_field() {
    let fields = [
        GET,
        &[
            ("cookie", "a=1"),
            ("x", "y"),
            ("cookie", "b=2"),
            ("cookie", "c=3"),
        ],
    ]
    .concat();
    let events = End::server().feed(&headers(1, END_STREAM, &fields));
    let Seen::Head(_, _, _, text) = &events[0] else {
        panic!("{events:?}");
    };
    assert!(text.ends_with("\ncookie: a=1; b=2; c=3\nx: y"), "{text}");
}

#[test]
fn a_head_reads_as_http1() {
    let mut end = End::server();
    let bytes = headers(
        1,
        0,
        &[POST, &[("host", "example.test"), ("a", "b")]].concat(),
    );
    let received = end.conn.receive(&bytes).unwrap();
    let Some(isthmus_proto::http2::Event::Head { head, end, .. }) = received.event else {
        panic!("no head");
    };
    let mut text = Vec::new();
    head.write_http1(end, &mut text);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "POST / HTTP/1.1\r\nhost: example.test\r\na: b\r\ntransfer-encoding: chunked\r\n\r\n"
    );
}
