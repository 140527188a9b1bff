//! RFC 9113, 5.1: what may come in which state, and how streams end.

use super::capture::*;
use isthmus_proto::http2::{ErrorCode, Fault, Limits, Part, RequestLine, SendError, Settings};

const LINE: RequestLine<'static> = RequestLine {
    method: b"GET",
    scheme: b"http",
    authority: b"a",
    path: b"/",
    protocol: None,
    secret_path: false,
};

#[test]
fn rfc_9113_5_1_idle_streams_take_heads_and_priorities_only() {
    for bytes in [
        frame(DATA, 0, 1, b"x"),
        rst_stream(1, ErrorCode::CANCEL),
        window_update(1, 10),
        frame(CONTINUATION, END_HEADERS, 1, &[]),
        window_update(2, 10),
    ] {
        End::server().ends_with(&bytes, ErrorCode::PROTOCOL_ERROR);
    }
    for bytes in [
        headers(1, 0, &[(":status", "200")]),
        frame(DATA, 0, 1, b"x"),
        window_update(1, 10),
        headers(2, 0, &[(":status", "200")]),
    ] {
        End::client().ends_with(&bytes, ErrorCode::PROTOCOL_ERROR);
    }
}

#[test]
fn rfc_9113_5_1_half_closed_remote_streams_take_no_heads_and_no_data() {
    for bytes in [frame(DATA, 0, 1, b"x"), frame(DATA, 0, 1, b""), get(1)] {
        let mut end = End::server();
        end.feed(&get(1));
        end.resets(&bytes, 1, ErrorCode::STREAM_CLOSED);
    }
    let mut end = End::server();
    end.feed(&get(1));
    assert_eq!(end.feed(&window_update(1, 10)), []);
    assert_eq!(
        end.feed(&rst_stream(1, ErrorCode::CANCEL)),
        [Seen::Reset(1, ErrorCode::CANCEL)]
    );
}

#[test]
fn rfc_9113_5_1_streams_that_the_peer_reset_take_no_heads_and_no_data() {
    for bytes in [
        frame(DATA, 0, 1, b"x"),
        headers(1, END_STREAM, &[("a", "b")]),
    ] {
        let mut end = End::server();
        end.feed(&[post(1), rst_stream(1, ErrorCode::CANCEL)].concat());
        end.resets(&bytes, 1, ErrorCode::STREAM_CLOSED);
    }
}

#[test]
fn rfc_9113_5_1_what_comes_on_a_stream_that_we_reset_is_ignored() {
    let mut end = End::server();
    end.feed(&post(1));
    end.conn.send_reset(1, ErrorCode::CANCEL);
    end.conn.send_reset(1, ErrorCode::CANCEL);
    assert_eq!(end.sent().len(), 1);
    let bytes = [
        frame(DATA, 0, 1, b"x"),
        window_update(1, 5),
        headers(1, END_STREAM, &[("a", "b")]),
        frame(DATA, END_STREAM, 1, b"x"),
        rst_stream(1, ErrorCode::CANCEL),
    ];
    assert_eq!(end.feed(&bytes.concat()), []);
    assert_eq!(end.sent(), []);
}

#[test]
fn rfc_9113_5_1_data_that_a_reset_cuts_is_skipped_to_its_end() {
    let mut end = End::server();
    end.feed(&post(1));
    let data = frame(DATA, PADDED, 1, b"\x03abcdef\0\0\0");
    end.feed(&data[..12]);
    end.conn.send_reset(1, ErrorCode::CANCEL);
    assert_eq!(end.feed(&data[12..]), []);
    assert!(matches!(end.feed(&get(3))[..], [Seen::Head(3, ..)]));
}

#[test]
fn rfc_9113_5_1_streams_that_both_ended_take_no_heads_and_no_data() {
    for bytes in [frame(DATA, 0, 1, b"x"), get(1)] {
        let mut end = End::server();
        end.feed(&get(1));
        end.answer(1, true);
        end.sent();
        assert_eq!(end.feed(&window_update(1, 10)), []);
        assert_eq!(end.feed(&rst_stream(1, ErrorCode::NO_ERROR)), []);
        end.ends_with(&bytes, ErrorCode::STREAM_CLOSED);
    }
}

#[test]
fn rfc_9113_5_1_1_streams_have_odd_identifiers_that_grow() {
    End::server().ends_with(&get(2), ErrorCode::PROTOCOL_ERROR);
    let mut end = End::server();
    end.feed(&get(5));
    end.ends_with(&get(3), ErrorCode::PROTOCOL_ERROR);
    let mut end = End::client();
    for wanted in [1, 3, 5] {
        assert_eq!(end.conn.send_request(&LINE, true, |_| {}), Ok(wanted));
    }
}

#[test]
fn rfc_9113_5_1_2_streams_beyond_what_settings_allow_are_refused() {
    let ours = Settings {
        max_concurrent_streams: 2,
        ..Settings::default()
    };
    let mut end = End::server_with(ours, Limits::default());
    end.feed(&[post(1), get(3)].concat());
    end.resets(&get(5), 5, ErrorCode::REFUSED_STREAM);
    // Trailers and data on their way for it are ignored.
    assert_eq!(end.feed(&frame(DATA, 0, 5, b"x")), []);
    end.answer(3, true);
    assert!(matches!(end.feed(&get(7))[..], [Seen::Head(7, ..)]));
}

#[test]
fn rfc_9113_5_1_2_a_client_opens_no_more_than_the_server_allows() {
    let mut end = End::client();
    end.feed(&settings(&[(3, 1)]));
    assert_eq!(end.conn.send_request(&LINE, true, |_| {}), Ok(1));
    assert!(!end.conn.can_open());
    let refused = end.conn.send_request(&LINE, true, |_| {});
    assert_eq!(refused, Err(SendError::Unopenable));
    end.feed(&headers(1, END_STREAM, &[(":status", "200")]));
    assert_eq!(end.conn.send_request(&LINE, true, |_| {}), Ok(3));
}

#[test]
fn rfc_9113_5_1_answers_to_streams_that_were_reset_long_ago_are_ignored_by_a_client() {
    let mut end = End::client();
    for _ in 0..300 {
        let id = end.conn.send_request(&LINE, false, |_| {}).unwrap();
        end.conn.send_reset(id, ErrorCode::CANCEL);
    }
    let late = [
        headers(1, 0, &[(":status", "200")]),
        frame(DATA, END_STREAM, 1, b"x"),
    ];
    assert_eq!(end.feed(&late.concat()), []);
    end.sent();
    assert_eq!(end.conn.glitches(), 0);
}

#[test]
fn rfc_9113_6_8_streams_behind_our_goaway_are_ignored_and_those_before_go_on() {
    let mut end = End::server();
    end.feed(&post(1));
    end.conn.announce_goaway();
    assert_eq!(end.sent()[0].payload[..4], [0x7f, 0xff, 0xff, 0xff]);
    end.feed(&get(3));
    end.conn.send_goaway(ErrorCode::NO_ERROR);
    assert_eq!(end.sent()[0].payload[..4], [0, 0, 0, 3]);
    assert_eq!(
        end.feed(&[post(5), frame(DATA, END_STREAM, 5, b"x")].concat()),
        []
    );
    // A second one names no later stream.
    end.conn.send_goaway(ErrorCode::NO_ERROR);
    assert_eq!(end.sent()[0].payload[..4], [0, 0, 0, 3]);
    let events = end.feed(&frame(DATA, END_STREAM, 1, b"x"));
    assert_eq!(events, [Seen::Data(1, b"x".to_vec(), true)]);
    end.answer(1, true);
    assert!(!end.conn.is_finished());
    end.answer(3, true);
    assert!(end.conn.is_finished());
}

#[test]
fn rfc_9113_6_8_streams_that_the_server_will_not_process_are_closed_for_a_client() {
    let mut end = End::client();
    for _ in 0..3 {
        end.conn.send_request(&LINE, true, |_| {}).unwrap();
    }
    let events = end.feed(&frame(GOAWAY, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 0]));
    assert_eq!(events, [Seen::GoAway(3, ErrorCode::NO_ERROR)]);
    assert!(end.conn.is_open(3) && !end.conn.is_open(5));
    assert!(!end.conn.can_open());
    let answers = [1, 3].map(|id| headers(id, END_STREAM, &[(":status", "200")]));
    assert_eq!(end.feed(&answers.concat()).len(), 2);
    assert!(end.conn.is_finished());
}

#[test]
fn rfc_9113_8_1_an_answer_may_end_before_its_request() {
    let mut end = End::server();
    end.feed(&post(1));
    end.answer(1, true);
    assert!(end.conn.is_open(1));
    end.conn.send_reset(1, ErrorCode::NO_ERROR);
    assert!(!end.conn.is_open(1));
    assert_eq!(end.feed(&frame(DATA, END_STREAM, 1, b"late")), []);
}

#[test]
fn nothing_is_sent_on_streams_that_are_gone_or_out_of_order() {
    let mut end = End::server();
    end.feed(&get(1));
    assert_eq!(end.conn.send_data(1, b"x", true), Err(SendError::Order));
    assert_eq!(end.conn.send_trailers(1, |_| {}), Err(SendError::Order));
    end.conn.send_response(1, 103, true, |_| {}).unwrap();
    end.answer(1, false);
    let twice = end.conn.send_response(1, 200, false, |_| {});
    assert_eq!(twice, Err(SendError::Order));
    end.conn
        .send_trailers(1, |out| out.field(b"a", b"b"))
        .unwrap();
    assert_eq!(end.conn.send_data(1, b"x", true), Err(SendError::Closed));
    assert_eq!(end.conn.send_data(3, b"x", true), Err(SendError::Closed));
    let flags: Vec<u8> = end.sent().iter().map(|frame| frame.flags).collect();
    assert_eq!(flags, [END_HEADERS, END_HEADERS, END_HEADERS | END_STREAM]);
}

#[test]
fn a_connection_that_ended_says_why() {
    let mut end = End::server();
    end.try_feed(&get(2));
    let error = end.conn.error().unwrap();
    assert_eq!(error.fault, Fault::StreamId);
    assert_eq!(
        error.to_string(),
        "a stream has an identifier that it cannot have (PROTOCOL_ERROR)"
    );
}

#[test]
fn memory_that_an_idle_connection_needs_not_is_given_back_and_it_goes_on() {
    let mut end = End::server();
    end.feed(&get(1));
    end.answer(1, true);
    end.sent();
    end.conn.shrink();
    let events = end.feed(&get(3));
    assert!(matches!(
        events[..],
        [Seen::Head(3, Part::Request, true, _)]
    ));
}
