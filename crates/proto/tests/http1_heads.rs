//! What heads say: the RFCs' examples, framing, persistence, upgrades, targets.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use isthmus_proto::http::{Authority, Body, FieldList, FieldName, Form, Method, Version};
use isthmus_proto::http1::{
    ErrorKind, Exchange, Persistence, Progress, RequestHead, ResponseHead, Rules,
};

fn request(text: &str) -> (RequestHead, Vec<u8>) {
    let mut buf = text.as_bytes().to_vec();
    let mut head = RequestHead::default();
    let progress = head.read(&mut buf, &Rules::default()).unwrap();
    assert!(matches!(progress, Progress::Complete(_)), "{text:?}");
    (head, buf)
}

fn response(text: &str) -> (ResponseHead, Vec<u8>) {
    let mut buf = text.as_bytes().to_vec();
    let mut head = ResponseHead::default();
    let progress = head.read(&mut buf, &Rules::default()).unwrap();
    assert_eq!(progress, Progress::Complete(text.len()));
    (head, buf)
}

#[test]
fn rfc_9112_section_2_1_example() {
    let text = "GET /hello.txt HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\n\
        Host: www.example.com\r\nAccept-Language: en, mi\r\n\r\nrest";
    let (head, buf) = request(text);
    assert_eq!(head.len(), text.len() - 4);
    assert_eq!(
        (head.method(), head.version()),
        (Method::Get, Version::HTTP_11)
    );
    assert_eq!(head.target_span().of(&buf), b"/hello.txt");
    assert_eq!(head.host_field().unwrap().of(&buf), b"www.example.com");
    let fields = head.fields().of(&buf);
    assert_eq!(fields.first(b"user-agent"), Some(&b"curl/7.64.1"[..]));
    assert_eq!(fields.first(b"accept-language"), Some(&b"en, mi"[..]));
    assert_eq!(fields.first(b"accept"), None);
    assert_eq!(head.body(), Body::None);
}

#[test]
fn rfc_9112_response_example() {
    let (head, buf) = response(
        "HTTP/1.1 200 OK\r\nDate: Mon, 27 Jul 2009 12:28:53 GMT\r\nServer: Apache\r\n\
        ETag: \"34aa387-d-1568eb00\"\r\nContent-Length: 51\r\nVary: Accept-Encoding\r\n\r\n",
    );
    assert_eq!(
        (head.status(), head.reason_span().of(&buf)),
        (200, &b"OK"[..])
    );
    assert_eq!(head.body(Exchange::default()), Ok(Body::Length(51)));
    assert_eq!(head.persistence(), Persistence::KeepAlive);
    assert_eq!(head.fields().as_slice()[3].known, FieldName::ContentLength);
}

#[test]
fn targets_have_the_parts_of_their_form() {
    let parts = |line: &str, host: &str| {
        let (head, buf) = request(&format!("{line} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        let text = head.target_span().of(&buf).to_vec();
        let target = head.target();
        let own = |part: Option<&[u8]>| part.map(|part| String::from_utf8(part.to_vec()).unwrap());
        (
            target.form(),
            own(target.scheme(&text)),
            own(target.authority(&text)),
            own(Some(target.path(&text))).unwrap(),
            own(target.query(&text)),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        parts("GET /where?q=now", "a"),
        (Form::Origin, None, None, "/where".into(), some("q=now"))
    );
    assert_eq!(
        parts(
            "GET http://www.example.org/pub/x.html?a?b",
            "www.example.org"
        ),
        (
            Form::Absolute,
            some("http"),
            some("www.example.org"),
            "/pub/x.html".into(),
            some("a?b")
        )
    );
    assert_eq!(
        parts("CONNECT www.example.com:80", "www.example.com"),
        (
            Form::Authority,
            None,
            some("www.example.com:80"),
            String::new(),
            None
        )
    );
    assert_eq!(
        parts("OPTIONS *", "a"),
        (Form::Asterisk, None, None, "*".into(), None)
    );
    assert_eq!(parts("GET https://a", "a").3, "");
}

#[test]
fn a_response_body_ends_where_rfc_9112_section_6_3_says() {
    let get = Exchange::default();
    let with = |method, upgrade| Exchange { method, upgrade };
    let length = "Content-Length: 5\r\n";
    let table: &[(&str, &str, Exchange, Body)] = &[
        ("200 OK", length, get, Body::Length(5)),
        ("200 OK", "Content-Length: 0\r\n", get, Body::None),
        ("200 OK", "", get, Body::UntilClose),
        (
            "200 OK",
            "Transfer-Encoding: chunked\r\n",
            get,
            Body::Chunked,
        ),
        ("200 OK", length, with(Method::Head, false), Body::None),
        ("200 OK", "", with(Method::Head, false), Body::None),
        ("204 No Content", length, get, Body::None),
        ("304 Not Modified", length, get, Body::None),
        ("100 Continue", length, get, Body::None),
        ("103 Early Hints", "", get, Body::None),
        (
            "101 Switching Protocols",
            "",
            with(Method::Get, true),
            Body::Tunnel,
        ),
        ("200 OK", length, with(Method::Connect, false), Body::Tunnel),
        (
            "407 No",
            length,
            with(Method::Connect, false),
            Body::Length(5),
        ),
        ("500 No", "", get, Body::UntilClose),
    ];
    for (line, fields, exchange, body) in table {
        let (head, _) = response(&format!("HTTP/1.1 {line}\r\n{fields}\r\n"));
        assert_eq!(
            head.body(*exchange),
            Ok(*body),
            "{line} {fields} {exchange:?}"
        );
    }
    let (head, _) = response("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    assert_eq!(head.body(get).unwrap_err().kind, ErrorKind::UnaskedSwitch);
}

#[test]
fn connections_persist_as_version_and_options_say() {
    let table = [
        ("1.1", "", Persistence::KeepAlive),
        ("1.1", "Connection: close\r\n", Persistence::Close),
        ("1.1", "Connection: foo, CLOSE\r\n", Persistence::Close),
        ("1.1", "Connection: x-close\r\n", Persistence::KeepAlive),
        (
            "1.1",
            "Connection: keep-alive, close\r\n",
            Persistence::Close,
        ),
        ("1.0", "", Persistence::Close),
        ("1.0", "Connection: keep-alive\r\n", Persistence::KeepAlive),
        (
            "1.0",
            "Connection: Keep-Alive\r\nConnection: close\r\n",
            Persistence::Close,
        ),
        ("1.9", "", Persistence::KeepAlive),
    ];
    for (version, fields, want) in table {
        let (head, _) = request(&format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n"));
        assert_eq!(head.persistence(), want, "{version} {fields}");
        let (head, _) = response(&format!("HTTP/{version} 200 OK\r\n{fields}\r\n"));
        assert_eq!(head.persistence(), want, "{version} {fields}");
    }
}

#[test]
fn an_upgrade_is_asked_with_both_fields_and_never_for_h2c() {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let table = [
        ("Connection: Upgrade\r\nUpgrade: websocket\r\n", true),
        (
            "Connection: keep-alive, upgrade\r\nUpgrade: WebSocket\r\n",
            true,
        ),
        ("Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n", true),
        ("Connection: Upgrade\r\nUpgrade: h2c\r\n", false),
        ("Connection: Upgrade\r\nUpgrade: H2C\r\n", false),
        ("Upgrade: websocket\r\n", false),
        ("Connection: Upgrade\r\n", false),
    ];
    for (fields, want) in table {
        let (head, _) = request(&format!("GET / HTTP/1.1\r\nHost: a\r\n{key}{fields}\r\n"));
        assert_eq!(head.asks_upgrade(), want, "{fields}");
    }
    let (head, buf) = request(&format!(
        "GET / HTTP/1.1\r\nHost: a\r\n{key}Upgrade: h2c,, websocket\r\nUpgrade: x\r\n\r\n"
    ));
    let protocols: Vec<_> = head.upgrade_protocols(&buf).collect();
    assert_eq!(protocols, [&b"h2c"[..], b"websocket", b"x"]);
    let (head, _) = request(&format!(
        "GET / HTTP/1.0\r\n{key}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    ));
    assert!(!head.asks_upgrade(), "HTTP/1.0 cannot upgrade");
}

#[test]
fn only_http_11_waits_for_100_continue() {
    for (version, expect, want) in [
        ("1.1", "100-continue", true),
        ("1.1", "100-Continue", true),
        ("1.0", "100-continue", false),
        ("1.1", "200-ok", false),
    ] {
        let text = format!("POST / HTTP/{version}\r\nHost: a\r\nExpect: {expect}\r\n\r\n");
        assert_eq!(
            request(&text).0.expects_continue(),
            want,
            "{version} {expect}"
        );
    }
}

#[test]
fn unsafe_violations_take_the_coding_and_close() {
    let rules = Rules {
        accept_unsafe: true,
        ..Rules::default()
    };
    let text = "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut buf = text.as_bytes().to_vec();
    let mut head = RequestHead::default();
    head.read(&mut buf, &rules).unwrap();
    assert_eq!(
        (head.body(), head.persistence()),
        (Body::Chunked, Persistence::Close)
    );
}

#[test]
fn a_cleared_head_reads_the_next_request_in_the_same_memory() {
    let mut head = RequestHead::default();
    let mut buf = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n".to_vec();
    head.read(&mut buf, &Rules::default()).unwrap();
    let place = head.fields().as_slice().as_ptr();
    head.clear();
    let mut buf = b"GET /b HTTP/1.1\r\nHost: b\r\n\r\n".to_vec();
    let progress = head.read(&mut buf, &Rules::default());
    assert_eq!(progress, Ok(Progress::Complete(buf.len())));
    assert_eq!((head.body(), head.fields().len()), (Body::None, 1));
    assert_eq!(head.fields().as_slice().as_ptr(), place);
}

#[test]
fn an_error_points_at_its_byte() {
    for (text, at, kind) in [
        ("GET /\u{1} HTTP/1.1\r\n", 5, ErrorKind::BadTarget),
        ("GET / HTTQ", 9, ErrorKind::BadVersion),
        ("GET / HTTP/1.1\r\nX :", 17, ErrorKind::SpaceBeforeColon),
        ("GET / HTTP/1.1\r\nX: a\u{0}", 20, ErrorKind::BadValue),
        ("GET / HTTP/1.1\nX", 14, ErrorKind::BareLf),
    ] {
        let mut buf = text.as_bytes().to_vec();
        let error = RequestHead::default().read(&mut buf, &Rules::default());
        let error = error.unwrap_err();
        assert_eq!((error.at, error.kind), (at, kind), "{text:?}");
    }
}

#[test]
fn every_error_has_a_code_of_its_own_and_a_status() {
    let mut codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), ErrorKind::ALL.len());
    assert!(
        ErrorKind::ALL
            .iter()
            .all(|kind| (400..600).contains(&kind.status()))
    );
}

#[test]
fn authorities_are_hosts_with_or_without_a_port() {
    for (text, host, port) in [
        ("a.example", "a.example", None),
        ("a:", "a", None),
        ("a:80", "a", Some(80)),
        ("127.0.0.1:65535", "127.0.0.1", Some(65535)),
        ("[::1]", "[::1]", None),
        ("[2001:db8::7]:443", "[2001:db8::7]", Some(443)),
    ] {
        let authority = Authority::parse(text.as_bytes()).unwrap();
        assert_eq!((authority.host, authority.port), (host.as_bytes(), port));
    }
    for text in [
        "a:0", "a:65536", "a:x", "u@a", "[::1", "[::1]x", "[]", "a b", ":80", "a/b",
    ] {
        assert_eq!(Authority::parse(text.as_bytes()), None, "{text}");
    }
}
