//! RFC 9113, 6.5: settings of both ends.

use super::capture::*;
use isthmus_proto::http2::{Connection, ErrorCode, Limits, PREFACE, SendError, Settings};

#[test]
fn rfc_9113_6_5_3_settings_are_acknowledged_and_the_last_of_several_values_holds() {
    let mut end = End::server();
    let events = end.feed(&settings(&[(4, 100), (4, 1), (3, 7)]));
    assert_eq!(events, [Seen::Settings]);
    let sent = end.sent();
    assert_eq!((sent[0].kind, sent[0].flags), (SETTINGS, ACK));
    assert_eq!(end.conn.peer_settings().initial_window, 1);
    assert_eq!(end.conn.peer_settings().max_concurrent_streams, 7);
}

#[test]
fn rfc_9113_6_5_2_values_out_of_range_end_the_connection() {
    for (name, value, code) in [
        (2, 2, ErrorCode::PROTOCOL_ERROR),
        (4, 0x8000_0000, ErrorCode::FLOW_CONTROL_ERROR),
        (5, 16383, ErrorCode::PROTOCOL_ERROR),
        (5, 16_777_216, ErrorCode::PROTOCOL_ERROR),
        (8, 2, ErrorCode::PROTOCOL_ERROR),
    ] {
        End::server().ends_with(&settings(&[(name, value)]), code);
        End::client().ends_with(&settings(&[(name, value)]), code);
    }
    // A server may not enable push, a client may.
    End::client().ends_with(&settings(&[(2, 1)]), ErrorCode::PROTOCOL_ERROR);
    End::server().feed(&settings(&[(2, 1)]));
    // Nor may extended CONNECT be taken back (RFC 8441, 3).
    let mut end = End::client();
    end.feed(&settings(&[(8, 1)]));
    end.ends_with(&settings(&[(8, 0)]), ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn rfc_9113_6_5_2_unknown_settings_are_ignored() {
    let mut end = End::server();
    assert_eq!(end.feed(&settings(&[(0xff, 1), (0, 5)])), [Seen::Settings]);
    assert_eq!(end.sent().len(), 1);
}

#[test]
fn our_settings_are_told() {
    let ours = Settings {
        header_table_size: 8192,
        initial_window: 30_000,
        max_concurrent_streams: 50,
        max_frame_size: 32_768,
        max_header_list_size: 9000,
        connect_protocol: true,
        ..Settings::default()
    };
    let rows = |conn: &Connection, skip: usize| -> Vec<u8> {
        frames(&conn.output()[skip..])[0].payload.clone()
    };
    let server = Connection::server(ours, Limits::default());
    let told = [
        (1, 8192),
        (3, 50),
        (4, 30_000),
        (5, 32_768),
        (6, 9000),
        (8, 1),
    ];
    let told: Vec<u8> = told.iter().flat_map(|row| setting(row.0, row.1)).collect();
    assert_eq!(rows(&server, 0), told);
    let client = Connection::client(ours, Limits::default());
    let told = [(1, 8192), (2, 0), (4, 30_000), (5, 32_768), (6, 9000)];
    let told: Vec<u8> = told.iter().flat_map(|row| setting(row.0, row.1)).collect();
    assert_eq!(rows(&client, PREFACE.len()), told);
}

#[test]
fn rfc_9113_6_5_2_a_head_larger_than_the_peer_takes_is_not_sent_and_costs_the_table_nothing() {
    let mut end = End::server();
    end.feed(&[settings(&[(6, 200)]), get(1)].concat());
    end.sent();
    let large = end
        .conn
        .send_response(1, 200, false, |out| out.field(b"x-a", &[b'v'; 200]));
    assert_eq!(large, Err(SendError::TooLarge));
    assert_eq!(end.sent(), []);
    end.conn
        .send_response(1, 200, true, |out| out.field(b"x-a", b"v"))
        .unwrap();
    assert_eq!(end.sent().len(), 1);
}

#[test]
fn rfc_7541_4_2_the_peer_hears_of_a_smaller_table_before_it_is_used() {
    let mut end = End::server();
    end.feed(&[get(1), get(3), get(5)].concat());
    end.sent();
    end.answer(1, true);
    assert_eq!(end.sent()[0].payload, [0x88]);
    end.feed(&settings(&[(1, 0)]));
    end.feed(&settings(&[(1, 100)]));
    end.sent();
    end.answer(3, true);
    assert_eq!(end.sent()[0].payload, [0x20, 0x3f, 69, 0x88]);
    end.answer(5, true);
    assert_eq!(end.sent()[0].payload, [0x88]);
}

#[test]
fn rfc_9113_6_5_3_who_never_acknowledges_is_told_so() {
    let server = Connection::server(Settings::default(), Limits::default());
    let client = Connection::client(Settings::default(), Limits::default());
    for (mut conn, first) in [(server, PREFACE.to_vec()), (client, Vec::new())] {
        // Nothing is awaited of a peer that was not heard of.
        assert!(!conn.awaits_acknowledgement() && !conn.end_unacknowledged());
        let bytes = [first, settings(&[])].concat();
        assert!(conn.receive(&bytes).expect("sound").event.is_some());
        assert!(conn.awaits_acknowledgement());
        conn.sent(conn.output().len());
        assert!(conn.end_unacknowledged());
        let sent = frames(conn.output());
        assert_eq!((sent.len(), sent[0].kind), (1, GOAWAY));
        assert_eq!(sent[0].payload[4..8], [0, 0, 0, 4]);
        assert!(!conn.end_unacknowledged(), "once is enough");
    }
    let end = End::server();
    assert!(!end.conn.awaits_acknowledgement());
}
