//! What a peer may not do too often. Each ends in ENHANCE_YOUR_CALM, and memory stays flat.

use super::capture::*;
use isthmus_proto::http2::hpack::{Encoder, Indexing};
use isthmus_proto::http2::{Connection, ErrorCode, Fault, Limits, PREFACE, Settings};

/// Feeds what `each` makes, again and again; the fault that ended the connection, and after how
/// many rounds.
fn flood(end: &mut End, rounds: u32, mut each: impl FnMut(u32) -> Vec<u8>) -> Option<(Fault, u32)> {
    for round in 0..rounds {
        let (_, fault) = end.try_feed(&each(round));
        // A peer that reads: what is tested is not the output's bound.
        end.sent();
        if let Some(fault) = fault {
            assert_eq!(fault.error_code(), ErrorCode::ENHANCE_YOUR_CALM);
            return Some((fault, round + 1));
        }
    }
    None
}

fn limited(limits: Limits) -> End {
    End::server_with(Settings::default(), limits)
}

fn small() -> Limits {
    Limits {
        resets: 10,
        control: 20,
        empty_data: 10,
        window_updates: 40,
        ..Limits::default()
    }
}

#[test]
fn cve_2023_44487_streams_that_the_client_resets_at_once_are_counted() {
    let mut end = limited(small());
    let ended = flood(&mut end, 100, |round| {
        let stream = 2 * round + 1;
        [get(stream), rst_stream(stream, ErrorCode::CANCEL)].concat()
    });
    assert_eq!(ended, Some((Fault::Resets, 11)));
}

#[test]
fn streams_that_end_well_pay_for_those_that_are_reset() {
    let mut end = limited(small());
    for round in 0..200 {
        let stream = 4 * round + 1;
        end.feed(
            &[
                get(stream),
                rst_stream(stream, ErrorCode::CANCEL),
                get(stream + 2),
            ]
            .concat(),
        );
        end.answer(stream + 2, true);
        end.sent();
    }
}

#[test]
fn cve_2025_8671_streams_that_we_must_reset_are_counted() {
    let causes: [fn(u32) -> Vec<u8>; 4] = [
        |stream| [post(stream), window_update(stream, 0)].concat(),
        |stream| [post(stream), window_update(stream, 0x7fff_ffff)].concat(),
        |stream| [get(stream), frame(DATA, 0, stream, b"x")].concat(),
        |stream| headers(stream, 0, &[("no-pseudo", "fields")]),
    ];
    for cause in causes {
        let limits = Limits {
            window_updates: 0,
            ..small()
        };
        let ended = flood(&mut limited(limits), 100, |round| cause(2 * round + 1));
        assert_eq!(ended, Some((Fault::Resets, 11)));
    }
}

#[test]
fn streams_beyond_the_allowed_are_counted() {
    let ours = Settings {
        max_concurrent_streams: 1,
        ..Settings::default()
    };
    let mut end = End::server_with(ours, small());
    let ended = flood(&mut end, 100, |round| get(2 * round + 1));
    assert_eq!(ended, Some((Fault::Resets, 12)));
}

#[test]
fn streams_that_come_before_our_settings_are_refused_as_any_but_count_for_less() {
    let ours = Settings {
        max_concurrent_streams: 1,
        ..Settings::default()
    };
    let mut end = End::of(Connection::server(ours, small()));
    end.feed(&[&PREFACE[..], &settings(&[])].concat());
    let many: Vec<u8> = (0..19).flat_map(|n| get(2 * n + 1)).collect();
    let events = end.feed(&many);
    let refused = |event: &&Seen| matches!(event, Seen::Failed(_, Fault::TooManyStreams));
    assert_eq!(events.iter().filter(refused).count(), 18);
    end.feed(&frame(SETTINGS, ACK, 0, &[]));
    end.answer(1, true);
    assert!(matches!(end.feed(&get(99))[..], [Seen::Head(99, ..)]));
}

#[test]
fn cve_2024_27316_a_block_has_few_frames_and_few_bytes() {
    let bytes = |count: usize, piece: &[u8]| {
        let mut bytes = frame(HEADERS, END_STREAM, 1, &block(GET));
        for _ in 0..count {
            bytes.extend(frame(CONTINUATION, 0, 1, piece));
        }
        bytes
    };
    let mut end = End::server();
    assert_eq!(end.try_feed(&bytes(16, b"")).1, None);
    let more = frame(CONTINUATION, 0, 1, b"");
    assert_eq!(end.try_feed(&more).1, Some(Fault::BlockTooLarge));
    let piece = [0; 16384];
    assert_eq!(End::server().try_feed(&bytes(3, &piece)).1, None);
    assert_eq!(
        End::server().try_feed(&bytes(4, &piece)).1,
        Some(Fault::BlockTooLarge)
    );
}

/// Makes the frames of one round.
type Make = fn() -> Vec<u8>;

#[test]
fn frames_that_do_nothing_are_counted() {
    // One more is the peer's first SETTINGS.
    let kinds: [(Make, u32); 6] = [
        (|| settings(&[]), 20),
        // Settings cost by their number too.
        (|| settings(&[(4, 1); 100]), 2),
        (|| frame(SETTINGS, ACK, 0, &[]), 20),
        (|| frame(PING, 0, 0, &[0; 8]), 20),
        (|| frame(PRIORITY, 0, 99, &[0, 0, 0, 1, 1]), 20),
        (|| frame(0x77, 0, 0, &[]), 20),
    ];
    for (bytes, rounds) in kinds {
        let ended = flood(&mut limited(small()), 100, |_| bytes());
        assert_eq!(ended, Some((Fault::Control, rounds)));
    }
}

#[test]
fn requests_pay_for_control_frames() {
    let mut end = limited(small());
    for round in 0..200 {
        end.feed(&[frame(PING, 0, 0, &[0; 8]), get(2 * round + 1)].concat());
        end.answer(2 * round + 1, true);
        end.sent();
    }
}

#[test]
fn time_pays_for_control_frames() {
    let mut end = limited(small());
    for _ in 0..200 {
        end.feed(&frame(PING, 0, 0, &[0; 8]));
        end.conn.pass_seconds(1);
        end.sent();
    }
}

#[test]
fn cve_2019_9518_data_without_data_is_counted() {
    for bytes in [frame(DATA, 0, 1, b""), frame(DATA, PADDED, 1, b"\x02\0\0")] {
        let mut end = limited(small());
        end.feed(&post(1));
        let ended = flood(&mut end, 100, |_| bytes.clone());
        assert_eq!(ended, Some((Fault::EmptyData, 11)));
    }
}

#[test]
fn cve_2019_9511_windows_that_open_in_crumbs_are_counted() {
    let mut end = limited(small());
    end.feed(&[settings(&[(4, 0)]), get(1)].concat());
    end.answer(1, false);
    let mut rounds = 0;
    while end.try_feed(&window_update(1, 1)).1.is_none() {
        assert_eq!(end.conn.send_data(1, &[0; 1000], false), Ok(1));
        end.sent();
        rounds += 1;
    }
    assert_eq!(rounds, 40);
    // Windows that open for what was sent go on for ever.
    let mut end = limited(small());
    end.feed(&get(1));
    end.answer(1, false);
    for _ in 0..500 {
        assert_eq!(end.conn.send_data(1, &[0; 16384], false), Ok(16384));
        end.sent();
        end.feed(&[window_update(0, 16384), window_update(1, 16384)].concat());
    }
}

#[test]
fn peers_that_open_windows_for_every_few_bytes_are_no_flood_even_a_round_trip_late() {
    let mut end = limited(small());
    end.feed(&get(1));
    end.answer(1, false);
    for _ in 0..50 {
        for _ in 0..100 {
            assert_eq!(end.conn.send_data(1, b"hello", false), Ok(5));
        }
        end.sent();
        let opened = [window_update(0, 5), window_update(1, 5)].concat();
        end.feed(&opened.repeat(100));
    }
}

#[test]
fn a_head_with_too_many_fields_or_bytes_resets_its_stream_and_the_table_stays_in_step() {
    let many: Vec<(String, String)> = (0..120).map(|n| (format!("x-{n}"), "v".into())).collect();
    let many: Vec<_> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut end = End::server();
    let bytes = headers(1, END_STREAM, &[GET, &many].concat());
    end.resets(&bytes, 1, ErrorCode::ENHANCE_YOUR_CALM);
    let crumbs = [("cookie", "a=b"); 300];
    assert!(matches!(
        end.feed(&headers(3, END_STREAM, &[GET, &crumbs].concat()))[..],
        [Seen::Head(3, ..)]
    ));
    // A field put into the table once and named a thousand times.
    let mut encoder = Encoder::new(4096);
    let long = [b'v'; 2000];
    let mut bomb = Vec::new();
    for (name, value) in GET {
        encoder.field(
            name.as_bytes(),
            value.as_bytes(),
            Indexing::Without,
            &mut bomb,
        );
    }
    for _ in 0..1000 {
        encoder.field(b"x-bomb", &long, Indexing::Add, &mut bomb);
    }
    encoder.field(b"x-last", b"1", Indexing::Add, &mut bomb);
    assert!(bomb.len() < 4000);
    let bytes = frame(HEADERS, END_HEADERS | END_STREAM, 5, &bomb);
    end.resets(&bytes, 5, ErrorCode::ENHANCE_YOUR_CALM);
    let mut after = block(GET);
    encoder.field(b"x-last", b"1", Indexing::Add, &mut after);
    let events = end.feed(&frame(HEADERS, END_HEADERS | END_STREAM, 7, &after));
    let Seen::Head(7, _, _, text) = &events[0] else {
        panic!("{events:?}");
    };
    assert!(text.ends_with("x-last: 1"));
}

#[test]
fn bombs_again_and_again_end_the_connection() {
    let many = vec![("x", "y"); 200];
    let bytes = [GET, &many].concat();
    let ended = flood(&mut limited(small()), 100, |round| {
        headers(2 * round + 1, END_STREAM, &bytes)
    });
    assert_eq!(ended, Some((Fault::Resets, 11)));
}

#[test]
fn glitches_end_the_connection_at_their_threshold_and_not_without_one() {
    let bad = |round: u32| headers(2 * round + 1, END_STREAM, &[("x", "y")]);
    let limits = Limits {
        glitches: 5,
        ..Limits::default()
    };
    let mut end = limited(limits);
    assert_eq!(flood(&mut end, 100, bad), Some((Fault::Glitches, 5)));
    assert_eq!(end.conn.glitches(), 5);
    let mut end = End::server();
    assert_eq!(flood(&mut end, 100, bad), None);
    assert_eq!(end.conn.glitches(), 100);
}

#[test]
fn a_peer_that_does_not_read_is_not_answered_without_bound() {
    let limits = Limits {
        control: 0,
        output: 1000,
        ..Limits::default()
    };
    let mut end = limited(limits);
    let pings = frame(PING, 0, 0, &[0; 8]).repeat(100_000);
    let mut at = 0;
    while !end.conn.is_congested() {
        let received = end.conn.receive(&pings[at..]).unwrap();
        assert!(received.event.is_none());
        at += received.used;
    }
    assert!(at < 20_000);
    assert!(end.conn.output().len() < 1000 + 16384 + 17);
    assert_eq!(end.conn.receive(&pings[at..]).unwrap().used, 0);
    end.conn.sent(10_000);
    assert!(end.conn.receive(&pings[at..]).unwrap().used > 0);
}

#[test]
fn data_for_a_peer_that_does_not_read_is_taken_up_to_the_bound() {
    let limits = Limits {
        output: 1000,
        ..Limits::default()
    };
    let mut end = limited(limits);
    end.feed(&get(1));
    end.answer(1, false);
    let taken = end.conn.send_data(1, &[0; 5000], true).unwrap();
    assert!((900..1000).contains(&taken), "{taken}");
    assert_eq!(end.conn.send_data(1, &[0; 5000], true), Ok(0));
    end.sent();
    assert_eq!(end.conn.send_data(1, &[0; 1000], true), Ok(1000));
}
