//! RFC 9113, 8: which heads are malformed, and which messages.

use super::capture::*;
use isthmus_proto::http2::{
    Connection, ErrorCode, Fault, Limits, Part, RequestLine, SendError, Settings,
};

type Fields<'a> = &'a [(&'a str, &'a str)];

/// What becomes of a request: nothing wrong, or the fault for which its stream is reset.
fn judged(ours: Settings, fields: Fields<'_>) -> Option<Fault> {
    let mut end = End::server_with(ours, Limits::default());
    match &end.feed(&headers(1, 0, fields))[..] {
        [Seen::Head(1, Part::Request, false, _)] => None,
        [Seen::Failed(1, fault)] => {
            assert_eq!(fault.error_code(), ErrorCode::PROTOCOL_ERROR);
            assert_eq!(end.sent()[0].kind, RST_STREAM);
            Some(*fault)
        }
        other => panic!("{other:?}"),
    }
}

fn request(fields: Fields<'_>) -> Option<Fault> {
    judged(Settings::default(), fields)
}

fn with(more: Fields<'_>) -> Option<Fault> {
    request(&[GET, more].concat())
}

#[test]
fn rfc_9113_8_2_1_names_and_values_that_are_malformed_reset_the_stream() {
    for name in [
        "X-Upper", "x upper", "", "x\u{1}", "x:y", "x\u{7f}", "\u{e9}", "x(", " x",
    ] {
        assert_eq!(with(&[(name, "v")]), Some(Fault::FieldName), "{name:?}");
    }
    for value in [
        " v", "v ", "\tv", "v\t", "a\0b", "a\rb", "a\nb", "a\u{1}b", "a\u{7f}b",
    ] {
        assert_eq!(with(&[("x", value)]), Some(Fault::FieldValue), "{value:?}");
    }
    for (name, value) in [
        ("x", ""),
        ("x", "a b\tc"),
        ("x", "\u{e9}"),
        ("x!#$%&'*+-.^_`|~1", "v"),
    ] {
        assert_eq!(with(&[(name, value)]), None, "{name:?} {value:?}");
    }
}

#[test]
fn rfc_9113_8_2_2_fields_about_a_connection_reset_the_stream() {
    for name in [
        "connection",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
    ] {
        assert_eq!(with(&[(name, "x")]), Some(Fault::ConnectionField), "{name}");
    }
    assert_eq!(
        with(&[("te", "trailers, deflate")]),
        Some(Fault::ConnectionField)
    );
    assert_eq!(with(&[("te", "trailers")]), None);
}

#[test]
fn rfc_9113_8_3_pseudo_fields_that_are_unknown_doubled_or_late_reset_the_stream() {
    assert_eq!(with(&[(":test", "x")]), Some(Fault::PseudoUnknown));
    assert_eq!(with(&[(":status", "200")]), Some(Fault::PseudoUnknown));
    assert_eq!(with(&[(":", "x")]), Some(Fault::PseudoUnknown));
    for pseudo in GET {
        assert_eq!(with(&[*pseudo]), Some(Fault::PseudoTwice), "{pseudo:?}");
        let others: Vec<_> = GET
            .iter()
            .filter(|field| *field != pseudo)
            .copied()
            .collect();
        let late = [&others[..], &[("x", "y"), *pseudo]].concat();
        assert_eq!(request(&late), Some(Fault::PseudoOrder), "{pseudo:?}");
        let wanted = (pseudo.0 != ":authority").then_some(Fault::PseudoMissing);
        assert_eq!(request(&others), wanted, "{pseudo:?}");
    }
}

#[test]
fn rfc_9113_8_3_1_each_pseudo_field_has_its_syntax() {
    let changed = |name: &str, value: &str| {
        let fields: Vec<_> = GET
            .iter()
            .map(|field| {
                if field.0 == name {
                    (field.0, value)
                } else {
                    *field
                }
            })
            .collect();
        request(&fields)
    };
    for value in ["", "G T", "GET/", "GET\u{e9}"] {
        assert_eq!(changed(":method", value), Some(Fault::Method), "{value}");
    }
    for value in ["", "1http", "ht tp", "http:"] {
        assert_eq!(changed(":scheme", value), Some(Fault::Scheme), "{value}");
    }
    for value in ["", "x", "*", "/a b", "/#x", "/\u{e9}", "http://a/", "?x"] {
        assert_eq!(changed(":path", value), Some(Fault::Path), "{value}");
    }
    for value in [
        "",
        "user@host",
        "a/b",
        "a:b",
        "a:99999",
        "[::1",
        "a b",
        ":80",
    ] {
        assert_eq!(
            changed(":authority", value),
            Some(Fault::Authority),
            "{value}"
        );
    }
    for (name, value) in [
        (":method", "BREW"),
        (":scheme", "coap+tcp"),
        (":path", "/a?b=c"),
        (":authority", "[::1]:8080"),
    ] {
        assert_eq!(changed(name, value), None, "{name} {value}");
    }
    let all = [(":method", "OPTIONS"), (":scheme", "https"), (":path", "*")];
    assert_eq!(request(&all), None);
}

#[test]
fn rfc_9113_8_3_1_host_must_say_what_authority_says() {
    assert_eq!(with(&[("host", "example.test")]), None);
    assert_eq!(with(&[("host", "EXAMPLE.test:443")]), None);
    for host in ["other.test", "example.test:80", "a b", ""] {
        assert_eq!(with(&[("host", host)]), Some(Fault::HostMismatch), "{host}");
    }
    let twice = [("host", "example.test"), ("host", "example.test")];
    assert_eq!(with(&twice), Some(Fault::HostMismatch));
    let host_alone = |host| request(&[&GET[..3], &[("host", host)]].concat());
    assert_eq!(host_alone("example.test"), None);
    assert_eq!(host_alone("a@b"), Some(Fault::Authority));
}

#[test]
fn rfc_9113_8_5_connect_has_an_authority_with_a_port_and_nothing_else() {
    let connect = (":method", "CONNECT");
    assert_eq!(request(&[connect, (":authority", "a:80")]), None);
    assert_eq!(request(&[connect]), Some(Fault::PseudoMissing));
    assert_eq!(
        request(&[connect, (":authority", "a")]),
        Some(Fault::Authority)
    );
    for more in [(":path", "/"), (":scheme", "http")] {
        let fields = [connect, (":authority", "a:80"), more];
        assert_eq!(request(&fields), Some(Fault::PseudoMissing), "{more:?}");
    }
}

#[test]
fn rfc_9113_8_5_a_tunnel_takes_data_only() {
    let mut end = End::server();
    let connect = [(":method", "CONNECT"), (":authority", "a:80")];
    end.feed(&headers(1, 0, &connect));
    end.answer(1, false);
    end.sent();
    assert_eq!(
        end.feed(&frame(DATA, 0, 1, b"x")),
        [Seen::Data(1, b"x".to_vec(), false)]
    );
    end.resets(
        &headers(1, END_STREAM, &[("a", "b")]),
        1,
        ErrorCode::PROTOCOL_ERROR,
    );
}

#[test]
fn rfc_8441_extended_connect_is_taken_where_it_was_offered() {
    let fields = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/chat"),
        (":authority", "a"),
    ];
    assert_eq!(request(&fields), None);
    let off = Settings {
        connect_protocol: false,
        ..Settings::default()
    };
    assert_eq!(judged(off, &fields), Some(Fault::Protocol));
    assert_eq!(request(&fields[..4]), Some(Fault::PseudoMissing));
    assert_eq!(
        request(&[&fields[..3], &fields[4..]].concat()),
        Some(Fault::PseudoMissing)
    );
    assert_eq!(with(&[(":protocol", "websocket")]), Some(Fault::Protocol));
    let mut end = End::client();
    let line = RequestLine {
        method: b"CONNECT",
        scheme: b"https",
        authority: b"a",
        path: b"/chat",
        protocol: Some(b"websocket"),
        secret_path: false,
    };
    assert_eq!(
        end.conn.send_request(&line, false, |_| {}),
        Err(SendError::Protocol)
    );
    end.feed(&settings(&[(8, 1)]));
    assert_eq!(end.conn.send_request(&line, false, |_| {}), Ok(1));
}

#[test]
fn extended_connect_reads_as_an_upgrade_in_http1() {
    let mut conn = Connection::server(Settings::default(), Limits::default());
    let fields = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/chat"),
        (":authority", "a"),
        ("sec-websocket-version", "13"),
    ];
    let preface = isthmus_proto::http2::PREFACE;
    let bytes = [&preface[..], &settings(&[]), &headers(1, 0, &fields)].concat();
    let used = conn.receive(&bytes).unwrap().used;
    let event = conn.receive(&bytes[used..]).unwrap().event;
    let Some(isthmus_proto::http2::Event::Head { head, end, .. }) = event else {
        panic!("{event:?}");
    };
    let mut text = Vec::new();
    head.write_http1(end, &mut text);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "GET /chat HTTP/1.1\r\nhost: a\r\nsec-websocket-version: 13\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\n\r\n"
    );
}

#[test]
fn rfc_9113_8_1_trailers_end_the_stream_and_have_no_pseudo_fields() {
    let mut end = End::server();
    end.feed(&post(1));
    end.resets(&headers(1, 0, &[("a", "b")]), 1, ErrorCode::PROTOCOL_ERROR);
    end.feed(&post(3));
    let bytes = headers(3, END_STREAM, &[(":method", "GET")]);
    end.resets(&bytes, 3, ErrorCode::PROTOCOL_ERROR);
    end.feed(&post(5));
    let events = end.feed(&headers(5, END_STREAM, &[("a", "b")]));
    assert_eq!(events, [Seen::Head(5, Part::Trailers, true, "a: b".into())]);
}

#[test]
fn rfc_9113_8_1_1_a_body_is_as_long_as_stated() {
    let sized = |length: &'static str| [POST, &[("content-length", length)]].concat();
    let x = |end: u8| frame(DATA, end, 1, b"x");
    let cases: [(&str, Vec<Vec<u8>>, bool); 7] = [
        ("1", vec![x(END_STREAM)], true),
        ("2", vec![x(END_STREAM)], false),
        ("2", vec![x(0), x(END_STREAM)], true),
        ("1", vec![x(0), x(END_STREAM)], false),
        ("1", vec![frame(DATA, END_STREAM, 1, b"")], false),
        ("1", vec![x(0), headers(1, END_STREAM, &[("a", "b")])], true),
        (
            "2",
            vec![x(0), headers(1, END_STREAM, &[("a", "b")])],
            false,
        ),
    ];
    for (length, bytes, fine) in cases {
        let mut end = End::server();
        end.feed(&headers(1, 0, &sized(length)));
        match fine {
            true => assert!(!end.feed(&bytes.concat()).is_empty()),
            false => end.resets(&bytes.concat(), 1, ErrorCode::PROTOCOL_ERROR),
        }
    }
    for length in ["", "-1", "+1", "1,1", "x", "99999999999999999999"] {
        assert_eq!(
            request(&sized(length)),
            Some(Fault::ContentLength),
            "{length}"
        );
    }
    let both = [("content-length", "1"), ("content-length", "2")];
    assert_eq!(with(&both), Some(Fault::ContentLength));
    let mut end = End::server();
    end.resets(
        &headers(1, END_STREAM, &sized("1")),
        1,
        ErrorCode::PROTOCOL_ERROR,
    );
}

fn asked(method: &str) -> End {
    let mut end = End::client();
    let line = RequestLine {
        method: method.as_bytes(),
        scheme: b"http",
        authority: b"a",
        path: b"/",
        protocol: None,
        secret_path: false,
    };
    assert_eq!(end.conn.send_request(&line, true, |_| {}), Ok(1));
    end.sent();
    end
}

#[test]
fn rfc_9113_8_3_2_a_response_has_one_status_of_three_digits() {
    for fields in [
        &[][..],
        &[("x", "y")],
        &[(":status", "")],
        &[(":status", "20")],
        &[(":status", "099")],
        &[(":status", "2000")],
        &[(":status", "200"), (":status", "200")],
        &[("x", "y"), (":status", "200")],
        &[(":status", "200"), (":path", "/")],
        &[(":status", "101")],
    ] {
        asked("GET").resets(&headers(1, 0, fields), 1, ErrorCode::PROTOCOL_ERROR);
    }
}

#[test]
fn rfc_9113_8_1_an_interim_response_ends_nothing_and_data_follows_a_final_one() {
    let interim = [(":status", "100")];
    asked("GET").resets(
        &headers(1, END_STREAM, &interim),
        1,
        ErrorCode::PROTOCOL_ERROR,
    );
    asked("GET").resets(&frame(DATA, 0, 1, b"x"), 1, ErrorCode::PROTOCOL_ERROR);
    let bytes = [headers(1, 0, &interim), frame(DATA, 0, 1, b"x")].concat();
    asked("GET").resets(&bytes, 1, ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn rfc_9113_8_1_1_answers_to_head_and_those_without_content_have_no_data() {
    let sized = [(":status", "200"), ("content-length", "5")];
    let mut end = asked("HEAD");
    assert_eq!(end.feed(&headers(1, END_STREAM, &sized)).len(), 1);
    let not_modified = [(":status", "304"), ("content-length", "5")];
    let mut end = asked("GET");
    assert_eq!(end.feed(&headers(1, END_STREAM, &not_modified)).len(), 1);
    asked("GET").resets(
        &headers(1, END_STREAM, &sized),
        1,
        ErrorCode::PROTOCOL_ERROR,
    );
    for (method, fields) in [("HEAD", &sized[..]), ("GET", &[(":status", "204")])] {
        let bytes = [headers(1, 0, fields), frame(DATA, 0, 1, b"x")].concat();
        asked(method).resets(&bytes, 1, ErrorCode::PROTOCOL_ERROR);
    }
}

#[test]
fn fields_about_a_connection_of_http1_are_not_sent() {
    let mut end = End::server();
    end.feed(&get(1));
    end.conn
        .send_response(1, 200, true, |out| {
            for name in [
                "Connection",
                "keep-alive",
                "transfer-encoding",
                "upgrade",
                "te",
            ] {
                out.field(name.as_bytes(), b"x");
            }
        })
        .unwrap();
    assert_eq!(end.sent()[0].payload, [0x88]);
}
