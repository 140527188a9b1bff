//! RFC 9113, 3.4 to 4.3, 5.4, 5.5, and 6 as far as single frames go.

use super::capture::*;
use isthmus_proto::http2::{Connection, ErrorCode, Fault, Limits, PREFACE, Part, Settings};

fn first_bytes(bytes: &[u8]) -> Option<Fault> {
    let mut conn = Connection::server(Settings::default(), Limits::default());
    let mut at = 0;
    loop {
        match conn.receive(&bytes[at..]) {
            Err(error) => return Some(error.fault),
            Ok(received) if received.event.is_none() => return None,
            Ok(received) => at += received.used,
        }
    }
}

#[test]
fn rfc_9113_3_4_both_ends_begin_with_settings() {
    let conn = Connection::server(Settings::default(), Limits::default());
    assert_eq!(frames(conn.output())[0].kind, SETTINGS);
    let conn = Connection::client(Settings::default(), Limits::default());
    let output = conn.output().strip_prefix(PREFACE).unwrap();
    assert_eq!(frames(output)[0].kind, SETTINGS);
}

#[test]
fn rfc_9113_3_4_another_preface_ends_the_connection_at_its_first_wrong_byte() {
    assert_eq!(first_bytes(b"INVALID"), Some(Fault::Preface));
    assert_eq!(
        first_bytes(b"PRI * HTTP/2.0\r\n\r\nSX"),
        Some(Fault::Preface)
    );
    assert_eq!(first_bytes(b"GET / HTTP/1.1\r\n"), Some(Fault::Preface));
    assert_eq!(first_bytes(&PREFACE[..23]), None);
}

#[test]
fn rfc_9113_3_4_the_first_frame_is_settings() {
    for first in [
        get(1),
        frame(PING, 0, 0, &[0; 8]),
        frame(SETTINGS, ACK, 0, &[]),
    ] {
        let bytes = [&PREFACE[..], &first].concat();
        assert_eq!(first_bytes(&bytes), Some(Fault::NoSettings));
    }
    let mut client = Connection::client(Settings::default(), Limits::default());
    let error = client.receive(&frame(PING, 0, 0, &[0; 8])).unwrap_err();
    assert_eq!(error.fault, Fault::NoSettings);
}

#[test]
fn rfc_9113_4_1_unknown_frames_flags_and_the_reserved_bit_are_ignored() {
    let mut end = End::server();
    assert_eq!(end.feed(&frame(0xff, 0xff, 0, b"whatever")), []);
    assert_eq!(end.feed(&frame(0x42, 0, 77, b"")), []);
    end.feed(&frame(PING, 0x16, 0, &[1; 8]));
    assert_eq!(end.sent()[0].payload, [1; 8]);
    end.feed(&frame(PING, 0, 0x8000_0000, &[2; 8]));
    assert_eq!(end.sent()[0].payload, [2; 8]);
    assert!(matches!(
        end.feed(&get(0x8000_0001))[..],
        [Seen::Head(1, ..)]
    ));
}

#[test]
fn rfc_9113_4_2_frames_of_16384_bytes_are_taken_and_larger_ones_are_not() {
    let mut end = End::server();
    end.feed(&post(1));
    let events = end.feed(&frame(DATA, 0, 1, &[0; 16384]));
    assert_eq!(events, [Seen::Data(1, vec![0; 16384], false)]);
    end.ends_with(&frame(DATA, 0, 1, &[0; 16385]), ErrorCode::FRAME_SIZE_ERROR);
    for kind in [HEADERS, SETTINGS, PRIORITY, 0x42] {
        let bytes = frame(kind, 0, 1, &[0; 16385]);
        End::server().ends_with(&bytes, ErrorCode::FRAME_SIZE_ERROR);
    }
}

#[test]
fn rfc_9113_4_2_a_larger_frame_is_taken_where_settings_allow_it() {
    let ours = Settings {
        max_frame_size: 20000,
        ..Settings::default()
    };
    let mut end = End::server_with(ours, Limits::default());
    end.feed(&[post(1), frame(DATA, 0, 1, &[0; 20000])].concat());
    end.ends_with(&frame(DATA, 0, 1, &[0; 20001]), ErrorCode::FRAME_SIZE_ERROR);
}

#[test]
fn rfc_9113_4_2_lengths_that_a_type_cannot_have_end_the_connection() {
    let table = [
        frame(RST_STREAM, 0, 1, &[0; 3]),
        frame(RST_STREAM, 0, 1, &[0; 5]),
        frame(SETTINGS, 0, 0, &[0; 3]),
        frame(SETTINGS, 0, 0, &[0; 7]),
        frame(SETTINGS, ACK, 0, &[0; 6]),
        frame(PING, 0, 0, &[0; 6]),
        frame(PING, 0, 0, &[0; 9]),
        frame(GOAWAY, 0, 0, &[0; 7]),
        frame(WINDOW_UPDATE, 0, 0, &[0; 3]),
        frame(WINDOW_UPDATE, 0, 1, &[0; 5]),
        frame(DATA, PADDED, 1, &[]),
        frame(HEADERS, PADDED | END_HEADERS, 3, &[]),
        frame(HEADERS, PRIORITY_FLAG | END_HEADERS, 3, &[0; 4]),
    ];
    for bytes in table {
        let mut end = End::server();
        end.feed(&post(1));
        end.ends_with(&bytes, ErrorCode::FRAME_SIZE_ERROR);
    }
}

#[test]
fn rfc_9113_6_frames_on_streams_that_their_type_cannot_be_on_end_the_connection() {
    let table = [
        frame(DATA, 0, 0, b"x"),
        frame(HEADERS, END_HEADERS, 0, &block(GET)),
        frame(PRIORITY, 0, 0, &[0; 5]),
        frame(RST_STREAM, 0, 0, &[0; 4]),
        frame(SETTINGS, 0, 1, &[]),
        frame(PING, 0, 1, &[0; 8]),
        frame(GOAWAY, 0, 1, &[0; 8]),
        frame(CONTINUATION, END_HEADERS, 0, &[]),
    ];
    for bytes in table {
        let mut end = End::server();
        end.feed(&post(1));
        end.ends_with(&bytes, ErrorCode::PROTOCOL_ERROR);
    }
}

#[test]
fn rfc_9113_4_3_nothing_comes_between_the_frames_of_a_block() {
    let open = frame(HEADERS, END_STREAM, 1, &block(GET));
    for between in [
        frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]),
        frame(PING, 0, 0, &[0; 8]),
        frame(SETTINGS, 0, 0, &[]),
        frame(DATA, 0, 1, b"x"),
        get(3),
        get(1),
        frame(CONTINUATION, END_HEADERS, 3, &[]),
        frame(0x42, 0, 0, &[]),
    ] {
        let bytes = [&open[..], &between].concat();
        End::server().ends_with(&bytes, ErrorCode::PROTOCOL_ERROR);
    }
}

#[test]
fn rfc_9113_5_4_1_an_error_of_the_connection_names_the_last_stream() {
    let mut end = End::server();
    end.feed(&get(5));
    let (_, fault) = end.try_feed(&frame(PING, 0, 0, &[0; 6]));
    assert_eq!(fault, Some(Fault::FrameSize));
    assert_eq!(end.sent()[0].payload, [0, 0, 0, 5, 0, 0, 0, 6]);
    assert!(end.conn.is_finished());
}

#[test]
fn rfc_9113_6_1_padding_is_left_out_and_may_not_be_longer_than_the_frame() {
    let mut end = End::server();
    end.feed(&post(1));
    let events = end.feed(&frame(DATA, PADDED, 1, b"\x02ab\0\0"));
    assert_eq!(events, [Seen::Data(1, b"ab".to_vec(), false)]);
    // Padding alone is data of no bytes.
    assert_eq!(end.feed(&frame(DATA, PADDED, 1, b"\x02\0\0")), []);
    let events = end.feed(&frame(DATA, PADDED | END_STREAM, 1, b"\x00"));
    assert_eq!(events, [Seen::Data(1, vec![], true)]);
    for payload in [&b"\x01"[..], b"\x05abcd"] {
        let mut end = End::server();
        end.feed(&post(1));
        end.ends_with(&frame(DATA, PADDED, 1, payload), ErrorCode::PROTOCOL_ERROR);
    }
}

#[test]
fn rfc_9113_6_2_heads_may_be_padded_and_have_a_priority() {
    let fields = block(GET);
    let priority = [0, 0, 0, 9, 200];
    let padded = [&[2][..], &fields, &[0, 0]].concat();
    let both = [&[2][..], &priority, &fields, &[0, 0]].concat();
    let alone = [&priority[..], &fields].concat();
    let wanted = End::server().feed(&get(1));
    for (flags, payload) in [
        (PADDED, padded),
        (PADDED | PRIORITY_FLAG, both),
        (PRIORITY_FLAG, alone),
    ] {
        let flags = flags | END_STREAM;
        let whole = frame(HEADERS, flags | END_HEADERS, 1, &payload);
        assert_eq!(End::server().feed(&whole), wanted);
        let split = [
            frame(HEADERS, flags, 1, &payload),
            frame(CONTINUATION, END_HEADERS, 1, &[]),
        ];
        assert_eq!(End::server().feed(&split.concat()), wanted);
        let mut end = End::server();
        let pieces = whole.chunks(1).flat_map(|byte| end.feed(byte));
        assert_eq!(pieces.collect::<Vec<_>>(), wanted);
    }
    let long = [&[200][..], &fields].concat();
    for flags in [PADDED | END_HEADERS, PADDED] {
        End::server().ends_with(&frame(HEADERS, flags, 1, &long), ErrorCode::PROTOCOL_ERROR);
    }
}

#[test]
fn rfc_9113_6_3_a_priority_of_another_length_resets_its_stream() {
    let mut end = End::server();
    end.feed(&post(1));
    end.resets(
        &frame(PRIORITY, 0, 1, &[0; 4]),
        1,
        ErrorCode::FRAME_SIZE_ERROR,
    );
    End::server().ends_with(&frame(PRIORITY, 0, 1, &[0; 6]), ErrorCode::FRAME_SIZE_ERROR);
}

#[test]
fn rfc_9113_6_3_priorities_are_ignored_in_every_state() {
    let mut end = End::server();
    let priority = |stream: u32| frame(PRIORITY, 0, stream, &[0, 0, 0, 99, 1]);
    assert_eq!(end.feed(&priority(1)), []);
    end.feed(&post(3));
    assert_eq!(end.feed(&priority(3)), []);
    end.feed(&rst_stream(3, ErrorCode::CANCEL));
    assert_eq!(end.feed(&priority(3)), []);
    assert_eq!(end.sent(), []);
}

#[test]
fn rfc_7540_5_3_1_a_stream_that_depends_on_itself_is_reset() {
    let payload = [&[0, 0, 0, 1, 9][..], &block(GET)].concat();
    let bytes = frame(HEADERS, PRIORITY_FLAG | END_HEADERS, 1, &payload);
    End::server().resets(&bytes, 1, ErrorCode::PROTOCOL_ERROR);
    let split = [
        frame(HEADERS, PRIORITY_FLAG, 1, &payload),
        frame(CONTINUATION, END_HEADERS, 1, &[]),
    ];
    End::server().resets(&split.concat(), 1, ErrorCode::PROTOCOL_ERROR);
    let mut end = End::server();
    end.feed(&post(1));
    end.resets(
        &frame(PRIORITY, 0, 1, &[0, 0, 0, 1, 9]),
        1,
        ErrorCode::PROTOCOL_ERROR,
    );
}

#[test]
fn rfc_9113_6_6_push_promise_is_never_allowed() {
    let bytes = frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2]);
    let mut end = End::server();
    end.feed(&post(1));
    end.ends_with(&bytes, ErrorCode::PROTOCOL_ERROR);
    End::client().ends_with(&bytes, ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn rfc_9113_6_7_a_ping_is_answered_with_its_payload_and_an_answer_is_not() {
    let mut end = End::server();
    assert_eq!(end.feed(&frame(PING, 0, 0, b"12345678")), []);
    let sent = end.sent();
    assert_eq!((sent[0].kind, sent[0].flags), (PING, ACK));
    assert_eq!(sent[0].payload, b"12345678");
    end.conn.send_ping(*b"abcdefgh");
    assert_eq!(end.sent()[0].flags, 0);
    let events = end.feed(&frame(PING, ACK, 0, b"abcdefgh"));
    assert_eq!(events, [Seen::Pong(*b"abcdefgh")]);
    assert_eq!(end.sent(), []);
}

#[test]
fn rfc_9113_6_8_goaway_is_told_with_its_code_whatever_that_is() {
    let mut end = End::server();
    let payload = [&[0, 0, 0, 7, 0, 0, 0, 255][..], b"debug data"].concat();
    let events = end.feed(&frame(GOAWAY, 0, 0, &payload));
    assert_eq!(events, [Seen::GoAway(7, ErrorCode(255))]);
    // Later ones may name earlier streams only.
    end.feed(&frame(GOAWAY, 0, 0, &[0; 8]));
    let later = [0, 0, 0, 9, 0, 0, 0, 0];
    end.ends_with(&frame(GOAWAY, 0, 0, &later), ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn rfc_9113_6_10_a_block_may_come_in_any_number_of_pieces() {
    let fields = block(GET);
    let wanted = End::server().feed(&get(1));
    for size in 1..fields.len() {
        let limits = Limits {
            continuations: 0,
            ..Limits::default()
        };
        let mut end = End::server_with(Settings::default(), limits);
        let mut bytes = frame(HEADERS, END_STREAM, 1, &[]);
        for piece in fields.chunks(size) {
            bytes.extend(frame(CONTINUATION, 0, 1, piece));
        }
        bytes.extend(frame(CONTINUATION, END_HEADERS, 1, &[]));
        assert_eq!(end.feed(&bytes), wanted);
    }
}

#[test]
fn rfc_9113_6_10_continuation_stands_behind_an_open_block_only() {
    let more = frame(CONTINUATION, END_HEADERS, 1, &block(&[("a", "b")]));
    let split = [
        frame(HEADERS, 0, 1, &block(POST)),
        frame(CONTINUATION, END_HEADERS, 1, &[]),
    ];
    for before in [
        post(1),
        split.concat(),
        [post(1), frame(DATA, 0, 1, b"x")].concat(),
    ] {
        let mut end = End::server();
        let events = end.feed(&before);
        assert!(matches!(events[0], Seen::Head(1, Part::Request, ..)));
        end.ends_with(&more, ErrorCode::PROTOCOL_ERROR);
    }
}

#[test]
fn rfc_9113_7_unknown_codes_are_nothing_special() {
    let mut end = End::server();
    end.feed(&post(1));
    let events = end.feed(&rst_stream(1, ErrorCode(0xff)));
    assert_eq!(events, [Seen::Reset(1, ErrorCode(0xff))]);
}
