//! Every way in which a sender can break the PROXY protocol, what is answered, and at which byte
//! the answer comes; and beside them the oddities that must be accepted.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "tables of a test"
)]

use isthmus_proto::proxy::{
    Addresses, Command, Decoded, Error, Header, SIGNATURE, Tlvs, Transport, V2, V2_MAX_LEN, decode,
    kind,
};

/// 10.1.1.1:1111 to 127.0.0.1:9000.
const TCP4: [u8; 12] = [10, 1, 1, 1, 127, 0, 0, 1, 0x04, 0x57, 0x23, 0x28];

fn v2(command: u8, family: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let len = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[command, family], &len, &body].concat()
}

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    let [hi, lo] = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[kind, hi, lo], value].concat()
}

fn tcp4(tlvs: &[u8]) -> Vec<u8> {
    v2(0x21, 0x11, &[&TCP4, tlvs])
}

fn whole(wire: &[u8]) -> Header<'_> {
    match decode(wire) {
        Ok(Decoded::Header(header)) => header,
        other => panic!("{other:?} for {}", String::from_utf8_lossy(wire)),
    }
}

/// The fewest bytes of `wire` that are refused, and how.
fn first_refusal(wire: &[u8]) -> (usize, Error) {
    let refusal = |len| decode(&wire[..len]).err().map(|error| (len, error));
    (0..=wire.len()).find_map(refusal).unwrap()
}

#[test]
fn malformed_lines_are_refused_where_they_show() {
    let rows: &[(&str, usize, Error)] = &[
        ("GET / HTTP/1.1\r\n", 1, Error::NotProxy),
        ("proxy TCP4", 1, Error::NotProxy),
        ("POST / HTTP/1.1\r\n", 2, Error::NotProxy),
        ("PROXX", 5, Error::NotProxy),
        ("PROXY\tTCP4", 6, Error::NotProxy),
        ("PROXY tcp4 ", 7, Error::UnknownProtocol),
        ("PROXY  TCP4 ", 7, Error::UnknownProtocol),
        ("PROXY TCP5 ", 10, Error::UnknownProtocol),
        ("PROXY TCP45 ", 11, Error::UnknownProtocol),
        ("PROXY UDP4 ", 8, Error::UnknownProtocol),
        ("PROXY UNKNOWNx\r\n", 14, Error::UnknownProtocol),
        ("PROXY UNKNOWN\n", 14, Error::UnknownProtocol),
        ("PROXY UNKNOWN\rx", 15, Error::BadLine),
        ("PROXY UNKNOWN a\nb\r\n", 16, Error::BadLine),
        ("PROXY TCP4  1.1.1.1 ", 12, Error::BadLine),
        ("PROXY TCP4 1.1.1.x ", 18, Error::BadAddress),
        ("PROXY TCP4 6.6.6.666 2", 21, Error::BadAddress),
        ("PROXY TCP4 1.1.1 2", 17, Error::BadAddress),
        ("PROXY TCP4 06.6.6.6 2", 20, Error::BadAddress),
        ("PROXY TCP4 1.1.1.1.1.1.1.1.1", 27, Error::BadAddress),
        ("PROXY TCP4 ::1 ::1 1 2\r\n", 12, Error::BadAddress),
        ("PROXY TCP4 1.1.1.1 2.2.2.2\r\n", 27, Error::BadLine),
        ("PROXY TCP4 1.1.1.1\n2.2.2.2 1 2\r\n", 19, Error::BadLine),
        ("PROXY TCP4 1.1.1.1\t2.2.2.2 1 2\r\n", 19, Error::BadAddress),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 99999 2\r\n", 33, Error::BadPort),
        (
            "PROXY TCP4 1.1.1.1 2.2.2.2 000001 2\r\n",
            33,
            Error::BadPort,
        ),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n", 30, Error::BadPort),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n", 28, Error::BadPort),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n", 28, Error::BadPort),
        ("PROXY TCP4 1.1.1.1 2.2.2.2  1 2\r\n", 28, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", 29, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", 31, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n", 31, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n", 31, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\r\n", 32, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n", 35, Error::BadPort),
        ("PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n", 19, Error::BadAddress),
        ("PROXY TCP6 1::2::3 ::1 1 2\r\n", 19, Error::BadAddress),
        ("PROXY TCP6 12345::1 ::1 1 2\r\n", 20, Error::BadAddress),
        (
            "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n",
            25,
            Error::BadAddress,
        ),
        ("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", 19, Error::BadAddress),
        ("PROXY TCP6 [::1] ::1 1 2\r\n", 12, Error::BadAddress),
    ];
    for &(line, at, error) in rows {
        assert_eq!(first_refusal(line.as_bytes()), (at, error), "{line:?}");
        assert_eq!(decode(line.as_bytes()), Err(error), "{line:?}");
    }
}

#[test]
fn a_line_may_have_107_bytes_and_no_more() {
    let longest = format!("PROXY UNKNOWN {}\r\n", "x".repeat(91));
    assert_eq!(whole(longest.as_bytes()).len, 107);
    let longer = format!("PROXY UNKNOWN {}\r\n", "x".repeat(92));
    assert_eq!(first_refusal(longer.as_bytes()), (107, Error::TooLong));
}

#[test]
fn odd_but_valid_lines_are_accepted() {
    let rows = [
        ("PROXY UNKNOWN\r\n", None),
        ("PROXY UNKNOWN \r\n", None),
        ("PROXY UNKNOWN ffff::1 \u{e9} 65535 0\r\n", None),
        (
            "PROXY TCP4 1.1.1.1 2.2.2.2 0 0\r\n",
            Some(("1.1.1.1:0", "2.2.2.2:0")),
        ),
        (
            "PROXY TCP6 :: ABCD::0001 65535 1\r\n",
            Some(("[::]:65535", "[abcd::1]:1")),
        ),
        (
            "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
            Some(("255.255.255.255:65535", "255.255.255.255:65535")),
        ),
        (
            "PROXY TCP6 ::ffff:6.6.6.6 1:2:3:4:5:6:1.2.3.4 1 2\r\n",
            Some(("[::ffff:6.6.6.6]:1", "[1:2:3:4:5:6:102:304]:2")),
        ),
    ];
    for (line, ends) in rows {
        let payload = [line.as_bytes(), b"PROXY payload\r\n"].concat();
        let header = whole(&payload);
        assert_eq!(header.len, line.len(), "{line:?}");
        assert_eq!(header.command, Command::Proxy, "{line:?}");
        let expected = ends.map(|(src, dst)| Addresses::Inet {
            src: src.parse().unwrap(),
            dst: dst.parse().unwrap(),
            transport: Transport::Stream,
        });
        assert_eq!(header.addresses, expected, "{line:?}");
    }
}

#[test]
fn malformed_binary_headers_are_refused_where_they_show() {
    let mut wrong_end = SIGNATURE;
    wrong_end[11] = b'X';
    let rows: Vec<(&str, Vec<u8>, usize, Error)> = vec![
        ("newline", b"\n\n\n\n".into(), 1, Error::NotProxy),
        ("empty lines", b"\r\n\r\nGET /".into(), 5, Error::NotProxy),
        ("signature", wrong_end.into(), 12, Error::NotProxy),
        ("version 1", v2(0x11, 0x11, &[&TCP4]), 13, Error::BadVersion),
        ("version 3", v2(0x31, 0x11, &[&TCP4]), 13, Error::BadVersion),
        ("command 2", v2(0x22, 0x11, &[&TCP4]), 13, Error::BadCommand),
        ("family 4", v2(0x21, 0x41, &[&TCP4]), 14, Error::BadFamily),
        (
            "transport 3",
            v2(0x21, 0x13, &[&TCP4]),
            14,
            Error::BadFamily,
        ),
        (
            "no transport",
            v2(0x21, 0x10, &[&TCP4]),
            14,
            Error::BadFamily,
        ),
        ("no family", v2(0x21, 0x01, &[]), 14, Error::BadFamily),
        (
            "short TCP4",
            v2(0x21, 0x11, &[&TCP4[..11]]),
            16,
            Error::BadLength,
        ),
        (
            "short UDP6",
            v2(0x21, 0x22, &[&[0; 35]]),
            16,
            Error::BadLength,
        ),
        (
            "short UNIX",
            v2(0x21, 0x31, &[&[0; 215]]),
            16,
            Error::BadLength,
        ),
    ];
    for (why, wire, at, error) in rows {
        assert_eq!(first_refusal(&wire), (at, error), "{why}");
        assert_eq!(decode(&wire), Err(error), "{why}");
    }
}

#[test]
fn malformed_tlvs_are_refused_when_the_header_is_whole() {
    let rows: Vec<(&str, Vec<u8>, Error)> = vec![
        ("type alone", tcp4(&[kind::NOOP]), Error::BadTlv),
        ("half a length", tcp4(&[kind::NOOP, 0]), Error::BadTlv),
        (
            "past the end",
            tcp4(&[kind::NOOP, 0, 9, b'a']),
            Error::BadTlv,
        ),
        (
            "long authority",
            tcp4(&tlv(kind::AUTHORITY, &[b'a'; 256])),
            Error::BadTlv,
        ),
        (
            "long unique-id",
            tcp4(&tlv(kind::UNIQUE_ID, &[b'a'; 129])),
            Error::BadTlv,
        ),
        (
            "NUL in NETNS",
            tcp4(&tlv(kind::NETNS, b"a\0b")),
            Error::BadTlv,
        ),
        (
            "UTF-8 in NETNS",
            tcp4(&tlv(kind::NETNS, "é".as_bytes())),
            Error::BadTlv,
        ),
        (
            "CRC of 3 bytes",
            tcp4(&tlv(kind::CRC32C, b"abc")),
            Error::BadTlv,
        ),
        (
            "CRC of 5 bytes",
            tcp4(&tlv(kind::CRC32C, b"abcde")),
            Error::BadTlv,
        ),
        (
            "CRC wrong",
            tcp4(&tlv(kind::CRC32C, b"abcd")),
            Error::BadCrc,
        ),
        (
            "CRC twice",
            tcp4(&tlv(kind::CRC32C, b"abcd").repeat(2)),
            Error::BadTlv,
        ),
        (
            "LOCAL, CRC wrong",
            v2(0x20, 0, &[&tlv(kind::CRC32C, b"abcd")]),
            Error::BadCrc,
        ),
        (
            "LOCAL, NUL in NETNS",
            v2(0x20, 0, &[&tlv(kind::NETNS, b"\0")]),
            Error::BadTlv,
        ),
    ];
    for (why, wire, error) in rows {
        assert_eq!(first_refusal(&wire), (wire.len(), error), "{why}");
        let payload = [&wire[..], b"payload"].concat();
        assert_eq!(decode(&payload), Err(error), "{why}");
    }
}

#[test]
fn the_checksum_covers_the_header_and_nothing_else() {
    let header = V2 {
        crc32c: true,
        authority: Some(b"example.org"),
        ..V2::default()
    };
    let mut wire = Vec::new();
    header.encode(&mut wire).unwrap();
    let payload = [&wire[..], b"payload"].concat();
    assert_eq!(whole(&payload).len, wire.len());
    for at in 14..wire.len() {
        let mut damaged = payload.clone();
        damaged[at] ^= 0x40;
        let accepted = matches!(decode(&damaged), Ok(Decoded::Header(header)) if
            header.tlvs.get(kind::CRC32C).is_some());
        assert!(!accepted, "byte {at}");
    }
}

#[test]
fn what_must_be_skipped_is_skipped() {
    let rows: Vec<(&str, Vec<u8>, Command)> = vec![
        ("LOCAL", v2(0x20, 0x00, &[]), Command::Local),
        (
            "LOCAL with addresses",
            v2(0x20, 0x11, &[&TCP4]),
            Command::Local,
        ),
        (
            "LOCAL with a short block",
            v2(0x20, 0x11, &[&TCP4[..5]]),
            Command::Local,
        ),
        (
            "LOCAL without its block",
            v2(0x20, 0x21, &[]),
            Command::Local,
        ),
        (
            "LOCAL of no known family",
            v2(0x20, 0x45, &[&TCP4]),
            Command::Local,
        ),
        (
            "LOCAL with no TLVs behind",
            v2(0x20, 0x11, &[&TCP4, b"x"]),
            Command::Local,
        ),
        ("UNSPEC", v2(0x21, 0x00, &[]), Command::Proxy),
        (
            "UNSPEC with addresses",
            v2(0x21, 0x00, &[&TCP4]),
            Command::Proxy,
        ),
    ];
    for (why, wire, command) in rows {
        let header = whole(&wire);
        assert_eq!((header.len, header.command), (wire.len(), command), "{why}");
        assert_eq!(
            (header.addresses, header.tlvs),
            (None, Tlvs::default()),
            "{why}"
        );
    }
}

#[test]
fn tlvs_behind_local_and_unspec_are_heeded() {
    let netns = tlv(kind::NETNS, b"blue");
    for wire in [
        v2(0x20, 0x00, &[&netns]),
        v2(0x20, 0x11, &[&TCP4, &netns]),
        v2(0x21, 0x00, &[&netns]),
    ] {
        assert!(whole(&wire).tlvs.netns().eq(["blue"]));
    }
}

#[test]
fn udp_and_unix_addresses_are_read() {
    let udp = v2(0x21, 0x12, &[&TCP4]);
    let expected = Addresses::Inet {
        src: "10.1.1.1:1111".parse().unwrap(),
        dst: "127.0.0.1:9000".parse().unwrap(),
        transport: Transport::Datagram,
    };
    assert_eq!(whole(&udp).addresses, Some(expected));

    let mut block = [0; 216];
    block[..6].copy_from_slice(b"/run/a");
    block[7] = b'x';
    block[108..113].copy_from_slice(b"\0a\0b\0");
    let unix = v2(0x21, 0x31, &[&block]);
    let expected = Addresses::Unix {
        src: b"/run/a",
        dst: b"\0a\0b",
        transport: Transport::Stream,
    };
    assert_eq!(whole(&unix).addresses, Some(expected));

    let full = v2(0x21, 0x32, &[&[b'p'; 216]]);
    let expected = Addresses::Unix {
        src: &[b'p'; 108],
        dst: &[b'p'; 108],
        transport: Transport::Datagram,
    };
    assert_eq!(whole(&full).addresses, Some(expected));
}

#[test]
fn need_tells_what_is_known_of_the_length() {
    let wire = tcp4(&tlv(kind::NOOP, &[0; 100]));
    let need = |len: usize| match decode(&wire[..len]) {
        Ok(Decoded::Incomplete { need }) => need,
        other => panic!("{other:?}"),
    };
    assert_eq!((need(0), need(1), need(15)), (15, 16, 16));
    assert_eq!((need(16), need(130)), (131, 131));
    let longest = [&SIGNATURE[..], &[0x21, 0x11, 0xff, 0xff]].concat();
    let need = Decoded::Incomplete { need: V2_MAX_LEN };
    assert_eq!(decode(&longest), Ok(need));
}

#[test]
fn an_end_inside_a_header_is_a_truncation_and_no_malformation() {
    for wire in [&b""[..], b"PROXY TCP4 1.2.3", &SIGNATURE, &tcp4(b"")[..27]] {
        let error = decode(wire).unwrap().at_end().unwrap_err();
        assert_eq!(error, Error::Truncated);
        assert!(error.is_truncation() && !Error::BadTlv.is_truncation());
    }
}

#[test]
fn repeated_and_nested_tlvs_are_found() {
    let ssl = [
        &[7, 0, 0, 0, 1],
        &tlv(kind::SSL_CN, b"first")[..],
        &tlv(kind::SSL_CN, b"second"),
        &tlv(0x2f, b"unknown"),
    ];
    let wire = tcp4(
        &[
            tlv(kind::AUTHORITY, b"a"),
            tlv(kind::NETNS, b"red"),
            tlv(kind::SSL_CN, b"not inside SSL"),
            tlv(kind::SSL, &ssl.concat()),
            tlv(kind::NETNS, b""),
            tlv(kind::AUTHORITY, b"b"),
            tlv(kind::NETNS, b"blue"),
            tlv(0xe0, b""),
        ]
        .concat(),
    );
    let tlvs = whole(&wire).tlvs;
    assert_eq!(
        tlvs.authority(),
        Some(&b"b"[..]),
        "the last overrules, as with HAProxy"
    );
    assert!(tlvs.occurrences(kind::AUTHORITY).eq([b"a", b"b"]));
    assert!(
        tlvs.occurrences(kind::SSL_CN)
            .eq([&b"first"[..], b"second"])
    );
    assert!(tlvs.netns().eq(["red", "blue"]));
    assert_eq!((tlvs.get(0xe0), tlvs.get(0xe1)), (Some(&b""[..]), None));
    assert_eq!((tlvs.unique_id(), tlvs.alpn()), (None, None));
    let ssl = tlvs.ssl().unwrap();
    assert_eq!(
        (ssl.client, ssl.verify, ssl.common_name),
        (7, 1, Some(&b"second"[..]))
    );
    assert_eq!(tlvs.iter().count(), 8);
    assert_eq!(Tlvs::from_bytes(tlvs.as_bytes()), Ok(tlvs));
    assert_eq!(Tlvs::from_bytes(b"\x04\0"), Err(Error::BadTlv));
}

#[test]
fn a_malformed_ssl_tlv_tells_nothing_and_refuses_nothing() {
    for value in [
        &b""[..],
        b"\x01",
        b"\x01\0\0\0\0\x21\0\x09",
        b"\x01\0\0\0\0\x21",
    ] {
        let wire = tcp4(&tlv(kind::SSL, value));
        let tlvs = whole(&wire).tlvs;
        assert_eq!((tlvs.ssl(), tlvs.get(kind::SSL_VERSION)), (None, None));
        assert_eq!(tlvs.get(kind::SSL), Some(value));
    }
}

#[test]
fn what_cannot_be_sent_is_refused_and_leaves_nothing_behind() {
    let huge = vec![0; 65_536];
    let most = vec![0; 65_533];
    let unix = Addresses::Unix {
        src: &[b'p'; 109],
        dst: b"",
        transport: Transport::Stream,
    };
    let proxy = V2 {
        command: Command::Proxy,
        ..V2::default()
    };
    #[rustfmt::skip]
    let rows = [
        ("long authority", V2 { authority: Some(&[b'a'; 256]), ..proxy }, Error::BadTlv),
        ("long unique-id", V2 { unique_id: Some(&[b'a'; 129]), ..proxy }, Error::BadTlv),
        ("non-ASCII NETNS", V2 { netns: Some("é"), ..proxy }, Error::BadTlv),
        ("custom CRC32C", V2 { custom: &[(kind::CRC32C, b"abcd")], ..proxy }, Error::BadTlv),
        ("long path", V2 { addresses: Some(unix), ..proxy }, Error::BadLength),
        ("long value", V2 { custom: &[(0xe0, &huge)], ..proxy }, Error::TooLong),
        ("long header", V2 { custom: &[(0xe0, &most)], ..proxy }, Error::TooLong),
    ];
    for (why, header, error) in rows {
        let mut out = b"before".to_vec();
        assert_eq!(header.encode(&mut out), Err(error), "{why}");
        assert_eq!(out, b"before", "{why}");
    }
}

#[test]
fn errors_speak_haproxys_words() {
    let rows = [
        (
            Error::Truncated,
            14,
            "Truncated PROXY protocol header received",
        ),
        (
            Error::NotProxy,
            15,
            "Received something which does not look like a PROXY protocol header",
        ),
        (
            Error::BadCrc,
            16,
            "Received an invalid PROXY protocol header: CRC32C mismatch",
        ),
        (
            Error::UnknownProtocol,
            17,
            "Received an unhandled protocol in the PROXY protocol header: not TCP4, TCP6 or UNKNOWN",
        ),
    ];
    for (error, number, text) in rows {
        assert_eq!(error.fc_err(), number);
        assert_eq!(error.to_string(), text);
        assert!(text.starts_with(error.fc_err_str()));
    }
    assert_eq!(Error::BadVersion.fc_err(), 15, "as HAProxy 2.6 answers it");
}
