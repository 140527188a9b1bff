//! Log lines beside those that HAProxy 2.6.12 sent for the same configuration and connection,
//! recorded from its UDP datagrams.

use std::net::{IpAddr, Ipv4Addr};

use isthmus_plan::{LogAddress, LogFormat, LogTarget};
use isthmus_stats::{Envelope, frame, is_sent};

use LogFormat::{Iso, Local, Priority, Raw, Rfc3164, Rfc5424, Short, Timed};

/// 2026-11-21T04:00:00Z in seconds.
const FOUR: u64 = 1_795_233_600;

const LOCAL0: u8 = 16;
const INFO: u8 = 6;

fn at(minute: u64, second: u64, microsecond: u64) -> u64 {
    (FOUR + minute * 60 + second) * 1_000_000 + microsecond
}

fn target(format: LogFormat) -> LogTarget {
    LogTarget {
        address: LogAddress::Udp {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 514,
            namespace: None,
        },
        format,
        facility: LOCAL0,
        level: 7,
        min_level: 0,
        max_len: 1024,
        sampling: None,
    }
}

fn envelope(pid: u32, wall_us: u64) -> Envelope<'static> {
    Envelope {
        tag: b"haproxy",
        pid,
        hostname: "",
        wall_us,
        utc_offset: 0,
        structured_data: b"",
    }
}

fn line(target: &LogTarget, envelope: &Envelope, message: &[u8]) -> Vec<u8> {
    let mut out = b"what was there".to_vec();
    assert!(frame(target, INFO, envelope, message, &mut out));
    out.split_off(b"what was there".len())
}

#[track_caller]
fn same(ours: &[u8], recorded: &[u8]) {
    assert_eq!(
        ours.escape_ascii().to_string(),
        recorded.escape_ascii().to_string()
    );
}

#[test]
fn every_format_frames_a_plain_message() {
    let cases: [(LogFormat, u64, &[u8]); 8] = [
        (
            Rfc5424,
            839_769,
            b"<134>1 2026-11-21T04:30:43.839769+00:00 - haproxy 15762 - - hello f\n",
        ),
        (
            Rfc3164,
            0,
            b"<134>Nov 21 04:30:43 localhost haproxy[15762]: hello f\n",
        ),
        (Local, 0, b"<134>Nov 21 04:30:43 haproxy[15762]: hello f\n"),
        (Priority, 0, b"<134>hello f\n"),
        (Short, 0, b"<6>hello f\n"),
        (Raw, 0, b"hello f\n"),
        (
            Timed,
            839_845,
            b"<6>2026-11-21T04:30:43.839845+00:00 hello f\n",
        ),
        (Iso, 839_849, b"2026-11-21T04:30:43.839849+00:00 hello f\n"),
    ];
    for (format, microsecond, recorded) in cases {
        let envelope = envelope(15762, at(30, 43, microsecond));
        same(&line(&target(format), &envelope, b"hello f"), recorded);
    }
}

#[test]
fn tag_host_and_time_zone_are_the_operators() {
    let cases: [(LogFormat, u64, &[u8]); 5] = [
        (
            Rfc5424,
            974_194,
            b"<134>1 2026-11-21T09:59:32.974194+05:30 host.example my-tag 11672 - - x\n",
        ),
        (
            Rfc3164,
            0,
            b"<134>Nov 21 09:59:32 host.example my-tag[11672]: x\n",
        ),
        (Local, 0, b"<134>Nov 21 09:59:32 my-tag[11672]: x\n"),
        (Timed, 974_290, b"<6>2026-11-21T09:59:32.974290+05:30 x\n"),
        (Iso, 974_294, b"2026-11-21T09:59:32.974294+05:30 x\n"),
    ];
    for (format, microsecond, recorded) in cases {
        let envelope = Envelope {
            tag: b"my-tag",
            hostname: "host.example",
            utc_offset: 19_800,
            ..envelope(11672, at(29, 32, microsecond))
        };
        same(&line(&target(format), &envelope, b"x"), recorded);
    }
}

#[test]
fn a_zone_west_of_utc_and_the_facility_kern() {
    let cases: [(LogFormat, u64, &[u8]); 5] = [
        (
            Rfc5424,
            60_830,
            b"<6>1 2026-11-21T00:59:37.060830-03:30 vm my tag 12141 - - x\n",
        ),
        (Rfc3164, 0, b"<6>Nov 21 00:59:37 vm my tag[12141]: x\n"),
        (Local, 0, b"<6>Nov 21 00:59:37 my tag[12141]: x\n"),
        (Priority, 0, b"<6>x\n"),
        (Timed, 60_902, b"<6>2026-11-21T00:59:37.060902-03:30 x\n"),
    ];
    for (format, microsecond, recorded) in cases {
        let target = LogTarget {
            facility: 0,
            ..target(format)
        };
        let envelope = Envelope {
            tag: b"my tag",
            hostname: "vm",
            utc_offset: -12_600,
            ..envelope(12141, at(29, 37, microsecond))
        };
        same(&line(&target, &envelope, b"x"), recorded);
    }
}

#[test]
fn days_below_ten_stand_behind_a_space() {
    let first = 1_793_507_628 * 1_000_000 + 497_804;
    same(
        &line(&target(Rfc3164), &envelope(29732, first), b"x"),
        b"<134>Nov  1 04:33:48 localhost haproxy[29732]: x\n",
    );
    same(
        &line(&target(Rfc5424), &envelope(29732, first), b"x"),
        b"<134>1 2026-11-01T04:33:48.497804+00:00 - haproxy 29732 - - x\n",
    );
}

#[test]
fn only_rfc5424_carries_structured_data() {
    let cases: [(LogFormat, &[u8]); 3] = [
        (
            Rfc5424,
            b"<190>1 2026-11-21T04:29:41.165608+00:00 - haproxy 12370 - [exampleSDID@1234 f=\"f\"] hello\n",
        ),
        (Rfc3164, b"<190>Nov 21 04:29:41 localhost haproxy[12370]: hello\n"),
        (Short, b"<6>hello\n"),
    ];
    for (format, recorded) in cases {
        let target = LogTarget {
            facility: 23,
            ..target(format)
        };
        let envelope = Envelope {
            structured_data: b"[exampleSDID@1234 f=\"f\"]",
            ..envelope(12370, at(29, 41, 165_608))
        };
        same(&line(&target, &envelope, b"hello"), recorded);
    }
}

#[test]
fn control_characters_stay_and_newlines_at_the_end_go() {
    let cases: [(&[u8], &[u8]); 5] = [
        (
            b"a\x01\t\x1b\x7f\x80\xff\xc3\xa9]\"\\b",
            b"a\x01\t\x1b\x7f\x80\xff\xc3\xa9]\"\\b\n",
        ),
        (b"<a\nb\rc", b"<a\nb\rc\n"),
        (b"<x\n", b"<x\n"),
        (b"<\n\n", b"<\n"),
        (b"<x\n\n\r\n", b"<x\n\n\r\n"),
    ];
    for (message, recorded) in cases {
        same(&line(&target(Raw), &envelope(1, 0), message), recorded);
    }
}

#[test]
fn the_message_is_cut_at_len_and_the_newline_comes_on_top() {
    let long = [b"A".repeat(60), b"f-".to_vec(), b"B".repeat(60)].concat();
    let cases: [(LogFormat, u64, &[u8]); 6] = [
        (
            Rfc5424,
            943_589,
            b"<134>1 2026-11-21T04:30:47.943589+00:00 - haproxy 15935 - - AAAAAAAAAAAAAAAAAAAA\n",
        ),
        (
            Rfc3164,
            0,
            b"<134>Nov 21 04:30:47 localhost haproxy[15935]: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        ),
        (
            Local,
            0,
            b"<134>Nov 21 04:30:47 haproxy[15935]: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        ),
        (
            Priority,
            0,
            b"<134>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAf-BBBBBBBBBBBBB\n",
        ),
        (
            Short,
            0,
            b"<6>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAf-BBBBBBBBBBBBBBB\n",
        ),
        (
            Timed,
            943_650,
            b"<6>2026-11-21T04:30:47.943650+00:00 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        ),
    ];
    for (format, microsecond, recorded) in cases {
        let target = LogTarget {
            max_len: 80,
            ..target(format)
        };
        let envelope = envelope(15935, at(30, 47, microsecond));
        same(&line(&target, &envelope, &long), recorded);
    }
}

#[test]
fn nothing_follows_a_part_of_the_header_that_does_not_fit() {
    // (length of the tag, pid, what stood behind the tag), all with `len 80`.
    let local: [(usize, u32, &str); 9] = [
        (49, 18691, "[18691]: h"),
        (50, 18702, "[18702]"),
        (51, 18716, "[18716]"),
        (52, 18761, "[18761"),
        (53, 18806, "["),
        (57, 18998, "["),
        (58, 19037, ""),
        (40, 17525, "[17525]: hello"),
        (45, 18637, "[18637]: hello"),
    ];
    for (length, pid, behind) in local {
        let tag = "T".repeat(length);
        let target = LogTarget {
            max_len: 80,
            ..target(Local)
        };
        let envelope = Envelope {
            tag: tag.as_bytes(),
            ..envelope(pid, at(31, 55, 0))
        };
        let recorded = format!("<134>Nov 21 04:31:55 {tag}{behind}\n");
        same(&line(&target, &envelope, b"hello"), recorded.as_bytes());
    }
    let rfc5424: [(usize, u32, &str); 9] = [
        (24, 19271, " 19271 - - hel"),
        (26, 19363, " 19363 - - h"),
        (27, 19401, " 19401 - -"),
        (28, 19447, " 19447 - "),
        (29, 19475, " 19475 "),
        (30, 19488, " 19488 "),
        (31, 19519, " 19519"),
        (32, 19542, " "),
        (37, 19650, ""),
    ];
    for (length, pid, behind) in rfc5424 {
        let tag = "T".repeat(length);
        let target = LogTarget {
            max_len: 80,
            ..target(Rfc5424)
        };
        let envelope = Envelope {
            tag: tag.as_bytes(),
            ..envelope(pid, at(31, 58, 54))
        };
        let recorded = format!("<134>1 2026-11-21T04:31:58.000054+00:00 - {tag}{behind}\n");
        same(&line(&target, &envelope, b"hello"), recorded.as_bytes());
    }
}

#[test]
fn a_tag_or_host_or_structured_data_beyond_len_ends_the_line() {
    let long = "L".repeat(110);
    let cut = |format, envelope: &Envelope, recorded: &[u8]| {
        same(
            &line(
                &LogTarget {
                    max_len: 80,
                    ..target(format)
                },
                envelope,
                b"hello",
            ),
            recorded,
        );
    };
    let tag = Envelope {
        tag: long.as_bytes(),
        ..envelope(1, at(31, 11, 794_614))
    };
    cut(
        Rfc5424,
        &tag,
        b"<134>1 2026-11-21T04:31:11.794614+00:00 - \n",
    );
    cut(Rfc3164, &tag, b"<134>Nov 21 04:31:11 localhost \n");
    cut(Local, &tag, b"<134>Nov 21 04:31:11 \n");
    cut(Timed, &tag, b"<6>2026-11-21T04:31:11.794614+00:00 hello\n");
    let host = Envelope {
        hostname: &long,
        ..envelope(17632, at(31, 19, 963_183))
    };
    cut(
        Rfc5424,
        &host,
        b"<134>1 2026-11-21T04:31:19.963183+00:00 \n",
    );
    cut(Rfc3164, &host, b"<134>Nov 21 04:31:19 \n");
    cut(
        Local,
        &host,
        b"<134>Nov 21 04:31:19 haproxy[17632]: hello\n",
    );
    let data = Envelope {
        structured_data: long.as_bytes(),
        ..envelope(13831, at(30, 7, 669_832))
    };
    cut(
        Rfc5424,
        &data,
        b"<134>1 2026-11-21T04:30:07.669832+00:00 - haproxy 13831 - \n",
    );
}

#[test]
fn no_len_is_too_small() {
    for format in [Rfc3164, Local, Rfc5424, Priority, Short, Raw, Timed, Iso] {
        for max_len in 0..120 {
            let target = LogTarget {
                max_len,
                ..target(format)
            };
            let ours = line(&target, &envelope(7, at(0, 0, 0)), &b"m".repeat(200));
            assert!(ours.len() <= max_len + 1, "{format:?} {max_len}");
            assert!(ours.ends_with(b"\n"));
        }
    }
}

#[test]
fn the_level_withholds_and_the_minimum_level_caps() {
    // (level, minimum level, the message's level, what `format priority` local0 sent)
    let cases: [(u8, u8, u8, Option<&[u8]>); 7] = [
        (7, 0, 6, Some(b"<134>x\n")),
        (6, 6, 6, Some(b"<134>x\n")),
        (5, 0, 6, None),
        (5, 0, 5, Some(b"<133>x\n")),
        (7, 0, 0, Some(b"<128>x\n")),
        (7, 3, 0, Some(b"<131>x\n")),
        (7, 3, 6, Some(b"<134>x\n")),
    ];
    for (level, min_level, of_message, recorded) in cases {
        let target = LogTarget {
            level,
            min_level,
            ..target(Priority)
        };
        let mut out = Vec::new();
        let sent = frame(&target, of_message, &envelope(1, 0), b"x", &mut out);
        assert_eq!(sent, recorded.is_some());
        assert_eq!(sent, is_sent(&target, of_message));
        same(&out, recorded.unwrap_or_default());
    }
}
