//! RFC 9113, 5.2 and 6.9: flow control.

use super::capture::*;
use isthmus_proto::http2::{Connection, ErrorCode, Limits, PREFACE, Settings};

/// What DATA frames carry, together, and how many they are.
fn data(sent: &[Frame]) -> (usize, usize) {
    let data: Vec<_> = sent.iter().filter(|frame| frame.kind == DATA).collect();
    (
        data.iter().map(|frame| frame.payload.len()).sum(),
        data.len(),
    )
}

fn answering() -> End {
    let mut end = End::server();
    end.feed(&get(1));
    end.answer(1, false);
    end.sent();
    end
}

#[test]
fn rfc_9113_6_9_a_window_that_opens_by_zero_is_an_error() {
    End::server().ends_with(&window_update(0, 0), ErrorCode::PROTOCOL_ERROR);
    let mut end = End::server();
    end.feed(&post(1));
    end.resets(&window_update(1, 0), 1, ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn rfc_9113_6_9_1_no_more_is_sent_than_the_stream_window_allows() {
    let mut end = End::server();
    end.feed(&settings(&[(4, 1)]));
    end.feed(&get(1));
    end.answer(1, false);
    end.sent();
    assert_eq!(end.conn.send_data(1, b"abc", true), Ok(1));
    assert_eq!(end.conn.send_data(1, b"bc", true), Ok(0));
    let sent = end.sent();
    assert_eq!(data(&sent), (1, 1));
    assert_eq!(sent[0].flags, 0);
    assert_eq!(end.feed(&window_update(1, 1)), [Seen::Window(Some(1))]);
    assert_eq!(end.conn.send_data(1, b"bc", true), Ok(1));
    assert_eq!(end.feed(&window_update(1, 9)), [Seen::Window(Some(1))]);
    assert_eq!(end.conn.send_data(1, b"c", true), Ok(1));
    assert_eq!(end.sent().last().unwrap().flags, END_STREAM);
}

#[test]
fn rfc_9113_6_9_1_no_more_is_sent_than_the_connection_window_allows() {
    let limits = Limits {
        output: 1 << 20,
        ..Limits::default()
    };
    let mut end = End::server_with(Settings::default(), limits);
    end.feed(&settings(&[(4, 1 << 20)]));
    end.feed(&get(1));
    end.answer(1, false);
    assert_eq!(end.conn.send_data(1, &[0; 100_000], true), Ok(65535));
    assert_eq!(end.conn.send_room(1), 0);
    assert_eq!(data(&end.sent()), (65535, 4));
    assert_eq!(end.feed(&window_update(0, 100)), [Seen::Window(None)]);
    assert_eq!(end.conn.send_room(1), 100);
    assert_eq!(end.conn.send_data(1, &[0; 1000], true), Ok(100));
}

#[test]
fn rfc_9113_6_9_1_an_empty_frame_ends_a_stream_whatever_the_windows_are() {
    let mut end = answering();
    assert_eq!(end.conn.send_data(1, &[0; 65535], false), Ok(65535));
    end.sent();
    assert_eq!(end.conn.send_data(1, b"", true), Ok(0));
    let sent = end.sent();
    assert_eq!((sent[0].flags, sent[0].payload.len()), (END_STREAM, 0));
    assert_eq!(end.conn.open_streams(), 0);
}

#[test]
fn rfc_9113_6_9_1_windows_do_not_grow_beyond_their_maximum() {
    let most = 0x7fff_ffff;
    End::server().ends_with(&window_update(0, most), ErrorCode::FLOW_CONTROL_ERROR);
    let mut end = End::server();
    end.feed(&post(1));
    end.feed(&window_update(1, most - 65535));
    end.resets(&window_update(1, 1), 1, ErrorCode::FLOW_CONTROL_ERROR);
}

#[test]
fn rfc_9113_6_9_2_a_changed_initial_window_changes_open_streams_and_may_make_theirs_negative() {
    let mut end = answering();
    assert_eq!(end.conn.send_data(1, &[0; 1000], false), Ok(1000));
    end.feed(&settings(&[(4, 300)]));
    assert_eq!(end.conn.send_data(1, b"x", false), Ok(0));
    // 300 - 1000 + 700 is still nothing.
    assert_eq!(end.feed(&window_update(1, 700)), []);
    assert_eq!(end.conn.send_data(1, b"x", false), Ok(0));
    assert_eq!(end.feed(&window_update(1, 2)), [Seen::Window(Some(1))]);
    assert_eq!(end.conn.send_data(1, b"xyz", false), Ok(2));
    assert_eq!(end.feed(&settings(&[(4, 310)])), [Seen::Settings]);
    assert_eq!(end.conn.send_room(1), 10);
}

#[test]
fn rfc_9113_6_9_2_the_initial_window_does_not_change_the_connection_window() {
    let mut end = answering();
    end.feed(&settings(&[(4, 100_000)]));
    end.sent();
    assert_eq!(end.conn.send_room(1), 65535);
}

#[test]
fn rfc_9113_6_9_2_an_initial_window_that_makes_one_too_large_ends_the_connection() {
    let mut end = End::server();
    end.feed(&[post(1), window_update(1, 1000)].concat());
    end.ends_with(
        &settings(&[(4, 0x7fff_ffff)]),
        ErrorCode::FLOW_CONTROL_ERROR,
    );
}

#[test]
fn rfc_9113_6_9_1_more_than_the_stream_window_resets_the_stream() {
    let ours = Settings {
        initial_window: 10,
        ..Settings::default()
    };
    let mut end = End::server_with(ours, Limits::default());
    end.feed(&[post(1), frame(DATA, 0, 1, &[0; 10])].concat());
    end.resets(&frame(DATA, 0, 1, b"x"), 1, ErrorCode::FLOW_CONTROL_ERROR);
    // Padding counts.
    let mut end = End::server_with(ours, Limits::default());
    end.feed(&post(1));
    let padded = frame(DATA, PADDED, 1, b"\x05abcde\0\0\0\0\0");
    end.resets(&padded, 1, ErrorCode::FLOW_CONTROL_ERROR);
}

#[test]
fn rfc_9113_6_5_3_our_initial_window_holds_once_it_is_acknowledged() {
    let ours = Settings {
        initial_window: 10,
        ..Settings::default()
    };
    let mut end = End::of(Connection::server(ours, Limits::default()));
    end.feed(PREFACE);
    end.feed(&[settings(&[]), post(1)].concat());
    // The peer may not know yet.
    end.feed(&frame(DATA, 0, 1, &[0; 1000]));
    end.feed(&frame(SETTINGS, ACK, 0, &[]));
    end.sent();
    end.conn.consumed(1, 995);
    assert_eq!(end.sent()[0].payload, 995_u32.to_be_bytes());
    // 10 - 1000 + 995: five bytes, and no sixth.
    assert_eq!(end.feed(&frame(DATA, 0, 1, &[0; 5])).len(), 1);
    end.resets(&frame(DATA, 0, 1, b"x"), 1, ErrorCode::FLOW_CONTROL_ERROR);
}

#[test]
fn rfc_9113_6_9_1_more_than_the_connection_window_ends_the_connection() {
    let ours = Settings {
        initial_window: 1 << 20,
        ..Settings::default()
    };
    let mut end = End::server_with(ours, Limits::default());
    end.feed(&post(1));
    // The window is refilled when half of it is used: a peer can pass it only by ignoring that
    // in one go.
    for _ in 0..100 {
        end.feed(&frame(DATA, 0, 1, &[0; 16384]));
        end.conn.consumed(1, 16384);
    }
    let ours = Settings {
        max_frame_size: 70_000,
        ..ours
    };
    let mut end = End::server_with(ours, Limits::default());
    end.feed(&post(1));
    end.ends_with(
        &frame(DATA, 0, 1, &[0; 65536]),
        ErrorCode::FLOW_CONTROL_ERROR,
    );
}

#[test]
fn windows_are_opened_again_only_for_what_was_passed_on() {
    let mut end = End::server();
    end.feed(&post(1));
    for _ in 0..4 {
        end.feed(&frame(DATA, 0, 1, &[0; 16000]));
    }
    let opened = |sent: &[Frame]| -> Vec<(u32, Vec<u8>)> {
        let opened = sent.iter().filter(|frame| frame.kind == WINDOW_UPDATE);
        opened
            .map(|frame| (frame.stream, frame.payload.clone()))
            .collect()
    };
    // The connection's window alone: another stream is not held up.
    assert_eq!(opened(&end.sent()), [(0, 48000_u32.to_be_bytes().to_vec())]);
    end.conn.consumed(1, 30_000);
    assert_eq!(opened(&end.sent()), []);
    end.conn.consumed(1, 10_000);
    assert_eq!(
        opened(&end.sent()),
        [(1, 40_000_u32.to_be_bytes().to_vec())]
    );
    // Of a stream that is gone, or that the peer has ended, nothing is told.
    end.feed(&frame(DATA, END_STREAM, 1, &[0; 100]));
    end.conn.consumed(1, 60_000);
    end.conn.consumed(99, 60_000);
    assert_eq!(opened(&end.sent()), []);
}

#[test]
fn padding_opens_its_window_by_itself() {
    let ours = Settings {
        initial_window: 200,
        ..Settings::default()
    };
    let mut end = End::server_with(ours, Limits::default());
    end.feed(&post(1));
    let padded = frame(DATA, PADDED, 1, &[&[150][..], &[0; 150]].concat());
    end.feed(&padded);
    let sent = end.sent();
    assert_eq!((sent[0].kind, sent[0].stream), (WINDOW_UPDATE, 1));
    assert_eq!(sent[0].payload, 151_u32.to_be_bytes());
}

#[test]
fn the_connection_window_is_as_large_as_asked_for() {
    let ours = Settings {
        connection_window: 1 << 20,
        ..Settings::default()
    };
    let conn = Connection::server(ours, Limits::default());
    let sent = frames(conn.output());
    assert_eq!((sent[1].kind, sent[1].stream), (WINDOW_UPDATE, 0));
    assert_eq!(sent[1].payload, ((1 << 20) - 65535_u32).to_be_bytes());
}

#[test]
fn rfc_9113_4_2_no_frame_is_larger_than_the_peer_takes() {
    let mut end = answering();
    end.conn.send_data(1, &[0; 40_000], false).unwrap();
    let lengths: Vec<usize> = end.sent().iter().map(|frame| frame.payload.len()).collect();
    assert_eq!(lengths, [16384, 16384, 7232]);
    end.feed(&settings(&[(5, 20_000)]));
    end.sent();
    end.conn.send_data(1, &[0; 25_000], true).unwrap();
    let sent = end.sent();
    let frames: Vec<_> = sent.iter().map(|f| (f.payload.len(), f.flags)).collect();
    assert_eq!(frames, [(20_000, 0), (5000, END_STREAM)]);
}
