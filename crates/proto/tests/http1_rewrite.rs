//! Heads as they are sent on.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::io::IoSlice;

use isthmus_proto::http::{FieldList, Method};
use isthmus_proto::http1::{
    Exchange, FieldId, Forward, RequestHead, ResponseHead, Rewrite, Rules, StartLine, View,
};

const TEXT: &str = "GET /a HTTP/1.1\r\nHost: h\r\nX-One:  1 \r\nX-Two: 2\r\n\r\n";

fn unsafe_rules() -> Rules {
    Rules {
        accept_unsafe: true,
        ..Rules::default()
    }
}

/// The head that is sent, and in how many pieces.
fn sent(text: &str, change: impl FnOnce(&RequestHead, &[u8], &mut Rewrite)) -> (String, usize) {
    let mut buf = text.as_bytes().to_vec();
    let mut head = RequestHead::default();
    head.read(&mut buf, &Rules::default())
        .or_else(|_| {
            head.clear();
            head.read(&mut buf, &unsafe_rules())
        })
        .unwrap();
    let mut rewrite = Rewrite::default();
    change(&head, &buf, &mut rewrite);
    let view = View::request(&head, &buf, &rewrite);
    let mut slices: Vec<IoSlice<'_>> = Vec::new();
    view.io_slices(None, &mut slices);
    let gathered: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
    let mut written = Vec::new();
    view.write(None, &mut written);
    assert_eq!(written, gathered);
    (String::from_utf8(written).unwrap(), slices.len())
}

fn forwarded(text: &str, how: Forward<'_>) -> String {
    sent(text, |head, buf, rewrite| head.forward(buf, how, rewrite)).0
}

#[test]
fn an_unchanged_head_is_one_piece_with_names_in_lower_case() {
    let lower = "GET /a HTTP/1.1\r\nhost: h\r\nx-one:  1 \r\nx-two: 2\r\n\r\n";
    assert_eq!(sent(TEXT, |_, _, _| {}), (lower.to_owned(), 1));
    assert_eq!(
        sent(&format!("\r\n{TEXT}"), |_, _, _| {}),
        (lower.to_owned(), 1)
    );
}

#[test]
fn edits_leave_the_rest_as_it_is() {
    let (text, pieces) = sent(TEXT, |_, _, rewrite| {
        rewrite.remove(FieldId::Received(1));
        rewrite.set_value(FieldId::Received(2), b"zwei");
        assert!(rewrite.add(b"X-Three", b"3"));
    });
    assert_eq!(
        text,
        "GET /a HTTP/1.1\r\nhost: h\r\nx-two: zwei\r\nx-three: 3\r\n\r\n"
    );
    assert_eq!(pieces, 7);
}

#[test]
fn the_last_edit_of_a_field_holds() {
    let (text, _) = sent(TEXT, |_, _, rewrite| {
        rewrite.set_value(FieldId::Received(2), b"no");
        rewrite.remove(FieldId::Received(2));
        rewrite.remove(FieldId::Received(1));
        rewrite.add(b"a", b"1");
        rewrite.add(b"b", b"2");
        rewrite.set_value(FieldId::Added(0), b"one");
        rewrite.remove(FieldId::Added(1));
    });
    assert_eq!(text, "GET /a HTTP/1.1\r\nhost: h\r\na: one\r\n\r\n");
}

#[test]
fn the_start_line_changes_in_parts() {
    let (text, _) = sent(TEXT, |_, _, rewrite| {
        assert!(rewrite.set(StartLine::Target, b"/b?c"));
    });
    assert!(text.starts_with("GET /b?c HTTP/1.1\r\nhost: h\r\n"));
    let (text, _) = sent(TEXT, |_, _, rewrite| {
        assert!(rewrite.set(StartLine::Method, b"POST"));
    });
    assert!(text.starts_with("POST /a HTTP/1.1\r\nhost: h\r\n"));
}

#[test]
fn nothing_that_is_set_can_begin_a_line() {
    let (text, _) = sent("GET / HTTP/1.1\r\nHost: h\r\n\r\n", |_, _, rewrite| {
        rewrite.add(b"x", b"a\r\nevil: 1\0");
        assert!(!rewrite.add(b"evil: 1\r\nx", b""));
        assert!(!rewrite.add(b"", b""));
        assert!(!rewrite.set(StartLine::Target, b"/ HTTP/1.1\r\nevil: 1"));
        assert!(!rewrite.set(StartLine::Method, b"GET /"));
        assert!(!rewrite.set(StartLine::Status, b"20"));
        assert!(!rewrite.set(StartLine::Reason, b"a\r\nb"));
    });
    assert_eq!(text, "GET / HTTP/1.1\r\nhost: h\r\nx: a  evil: 1 \r\n\r\n");
}

#[test]
fn a_request_of_an_older_version_is_sent_as_http_10() {
    let start = |text: &str| sent(text, |_, _, _| {}).0;
    assert_eq!(start("GET / HTTP/1.0\r\n\r\n"), "GET / HTTP/1.0\r\n\r\n");
    assert_eq!(
        start("GET / HTTP/1.0\r\nX: a\r\n\r\n"),
        "GET / HTTP/1.0\r\nx: a\r\n\r\n"
    );
    assert_eq!(start("GET /\r\n"), "GET / HTTP/1.0\r\n\r\n");
}

#[test]
fn a_view_shows_what_will_be_sent() {
    let mut buf = TEXT.as_bytes().to_vec();
    let mut head = RequestHead::default();
    head.read(&mut buf, &Rules::default()).unwrap();
    let mut rewrite = Rewrite::default();
    rewrite.remove(FieldId::Received(0));
    rewrite.set_value(FieldId::Received(1), b"eins");
    rewrite.add(b"Host", b"i");
    rewrite.set(StartLine::Target, b"/b");
    let view = View::request(&head, &buf, &rewrite);
    assert_eq!(view.first(b"host"), Some(&b"i"[..]));
    assert_eq!(view.first(b"x-one"), Some(&b"eins"[..]));
    assert_eq!(view.part(StartLine::Target), b"/b");
    assert_eq!(view.part(StartLine::Method), b"GET");
    assert_eq!(view.part(StartLine::Status), b"");
}

#[test]
fn names_are_sent_in_the_case_that_a_recipient_needs() {
    let mut buf = TEXT.as_bytes().to_vec();
    let mut head = RequestHead::default();
    head.read(&mut buf, &Rules::default()).unwrap();
    let mut rewrite = Rewrite::default();
    rewrite.remove(FieldId::Received(1));
    rewrite.set_value(FieldId::Received(2), b"zwei");
    rewrite.add(b"x-three", b"3");
    let case = |name: &[u8]| match name {
        b"host" => Some(&b"Host"[..]),
        b"x-one" => Some(&b"X-One"[..]),
        b"x-two" => Some(&b"X-TWO"[..]),
        b"x-three" => Some(&b"X-Three"[..]),
        _ => None,
    };
    let mut out = Vec::new();
    View::request(&head, &buf, &rewrite).write(Some(&case), &mut out);
    let want = "GET /a HTTP/1.1\r\nHost: h\r\nX-TWO: zwei\r\nX-Three: 3\r\n\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), want);
}

#[test]
fn what_is_for_one_connection_is_not_forwarded() {
    let head = "GET / HTTP/1.1\r\nHost: h\r\n";
    let bare = "GET / HTTP/1.1\r\nhost: h\r\n";
    for (fields, left) in [
        ("Connection: close\r\n", ""),
        (
            "Connection: close, X-Hop\r\nX-Hop: a\r\nX: b\r\n",
            "x: b\r\n",
        ),
        (
            "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n",
            "",
        ),
        ("TE: gzip\r\n", ""),
        ("TE: gzip, trailers\r\n", "te: trailers\r\n"),
        ("Upgrade: websocket\r\n", ""),
        (
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n",
            "",
        ),
        (
            "Connection: Upgrade\r\nUpgrade: h2c, other/1\r\n",
            "upgrade: other/1\r\nconnection: upgrade\r\n",
        ),
        (
            "Connection: Upgrade\r\nUpgrade: x\r\n",
            "upgrade: x\r\nconnection: upgrade\r\n",
        ),
        ("Trailer: X\r\n", "trailer: X\r\n"),
    ] {
        let text = format!("{head}{fields}\r\n");
        assert_eq!(
            forwarded(&text, Forward::default()),
            format!("{bare}{left}\r\n"),
            "{fields}"
        );
    }
}

#[test]
fn a_client_cannot_strip_what_rules_or_the_proxy_rely_on() {
    let text = "GET / HTTP/1.1\r\nHost: h\r\nConnection: host, cookie, authorization, \
        x-forwarded-for, x-proxy, x-own\r\nCookie: c\r\nAuthorization: a\r\n\
        X-Forwarded-For: f\r\nX-Proxy: p\r\nX-Own: o\r\n\r\n";
    let how = Forward {
        protected: &[b"x-proxy"],
        chunks: false,
    };
    let want = "GET / HTTP/1.1\r\nhost: h\r\ncookie: c\r\nauthorization: a\r\n\
        x-forwarded-for: f\r\nx-proxy: p\r\n\r\n";
    assert_eq!(forwarded(text, how), want);
}

#[test]
fn transfer_encoding_stays_only_with_chunks() {
    let text = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let keep = |chunks| Forward {
        protected: &[],
        chunks,
    };
    assert!(forwarded(text, keep(true)).contains("transfer-encoding: chunked\r\n"));
    assert!(!forwarded(text, keep(false)).contains("transfer-encoding"));
}

#[test]
fn responses_without_a_body_lose_their_framing() {
    let run = |text: &str, exchange: Exchange| {
        let mut buf = text.as_bytes().to_vec();
        let mut head = ResponseHead::default();
        head.read(&mut buf, &Rules::default()).unwrap();
        let mut rewrite = Rewrite::default();
        let how = Forward {
            protected: &[],
            chunks: true,
        };
        head.forward(&buf, exchange, how, &mut rewrite);
        let mut out = Vec::new();
        View::response(&head, &buf, &rewrite).write(None, &mut out);
        String::from_utf8(out).unwrap()
    };
    let get = Exchange::default();
    assert_eq!(
        run("HTTP/1.1 204 No\r\nContent-Length: 5\r\nX: a\r\n\r\n", get),
        "HTTP/1.1 204 No\r\nx: a\r\n\r\n"
    );
    assert_eq!(
        run("HTTP/1.1 200\r\nTransfer-X: a\r\n\r\n", get),
        "HTTP/1.1 200 \r\ntransfer-x: a\r\n\r\n"
    );
    let upgrade = Exchange {
        method: Method::Get,
        upgrade: true,
    };
    assert_eq!(
        run(
            "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
            upgrade
        ),
        "HTTP/1.1 101 S\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"
    );
}
