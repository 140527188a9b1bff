//! What stands behind the addresses of version 2.

use isthmus_proto::proxy::{Decoded, Error, Tlvs, V2, decode, kind};

use crate::{TCP4, first_refusal, tcp4, tlv, v2, whole};

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
