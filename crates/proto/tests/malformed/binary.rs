//! Headers of version 2, and what holds for both.

use isthmus_proto::proxy::{
    Addresses, Command, Decoded, Error, SIGNATURE, Tlvs, Transport, V2, V2_MAX_LEN, decode, kind,
};

use crate::{TCP4, first_refusal, tcp4, tlv, v2, whole};

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
