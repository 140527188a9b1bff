//! Headers as HAProxy sent them, byte for byte. Each row gives the configuration that made
//! HAProxy 2.6.12 (or the version said) send the bytes to a listener on loopback. Each is encoded
//! and decoded.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "tables of a test"
)]

use std::net::SocketAddr;

use isthmus_proto::proxy::{
    Addresses, Command, Decoded, Header, Ssl, Tlvs, Transport, V2, Version, decode, encode_v1,
    kind, ssl_client,
};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16);
    digits.chunks(2).map(|pair| byte(pair).unwrap()).collect()
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn inet(src: &str, dst: &str) -> Option<Addresses<'static>> {
    Some(Addresses::Inet {
        src: address(src),
        dst: address(dst),
        transport: Transport::Stream,
    })
}

fn proxy(src: &str, dst: &str) -> V2<'static> {
    V2 {
        command: Command::Proxy,
        addresses: inet(src, dst),
        ..V2::default()
    }
}

fn whole(wire: &[u8]) -> Header<'_> {
    match decode(wire) {
        Ok(Decoded::Header(header)) => header,
        other => panic!("{other:?}"),
    }
}

/// Both directions: `header` gives these bytes, and these bytes give `header`.
fn assert_both_ways(why: &str, header: &V2<'_>, hex: &str) {
    let wire = bytes(hex);
    let mut encoded = Vec::new();
    header.encode(&mut encoded).unwrap();
    assert_eq!(encoded, wire, "{why}");
    let decoded = whole(&wire);
    assert_eq!(decoded.len, wire.len(), "{why}");
    assert_eq!(decoded.version, Version::V2, "{why}");
    assert_eq!(decoded.command, header.command, "{why}");
    let tlvs = decoded.tlvs;
    assert_eq!(tlvs.get(kind::CRC32C).is_some(), header.crc32c, "{why}");
    assert_eq!(tlvs.alpn(), header.alpn, "{why}");
    assert_eq!(tlvs.authority(), header.authority, "{why}");
    assert_eq!(tlvs.unique_id(), header.unique_id, "{why}");
    assert_eq!(tlvs.ssl(), header.ssl, "{why}");
    assert_eq!(tlvs.netns().last(), header.netns, "{why}");
}

/// What HAProxy tells of a client that spoke TLS 1.3 to a listener with an RSA certificate.
fn tls13() -> Ssl<'static> {
    Ssl {
        client: ssl_client::SSL,
        version: Some(b"TLSv1.3"),
        key_alg: Some(b"RSA2048"),
        sig_alg: Some(b"RSA-SHA256"),
        cipher: Some(b"TLS_AES_256_GCM_SHA384"),
        ..Ssl::default()
    }
}

const ALL_CERT: u8 = ssl_client::SSL | ssl_client::CERT_CONN | ssl_client::CERT_SESS;

/// Rows: what HAProxy was told, what it then meant, what it sent.
type Rows = Vec<(&'static str, V2<'static>, &'static str)>;

#[test]
fn plain_headers_are_haproxys() {
    let rows: Rows = vec![
        (
            "bind 127.0.0.1:25732; server send-proxy-v2",
            proxy("127.0.0.1:51518", "127.0.0.1:25732"),
            "0d0a0d0a000d0a515549540a 2111000c 7f000001 7f000001 c93e 6484",
        ),
        (
            "bind [::1]:25733; server send-proxy-v2",
            proxy("[::1]:35136", "[::1]:25733"),
            "0d0a0d0a000d0a515549540a 21210024 00000000000000000000000000000001
             00000000000000000000000000000001 8940 6485",
        ),
        (
            "bind /tmp/u25734; server send-proxy-v2",
            V2::default(),
            "0d0a0d0a000d0a515549540a 20000000",
        ),
        (
            "option tcp-check; server send-proxy-v2 check",
            V2::default(),
            "0d0a0d0a000d0a515549540a 20000000",
        ),
        (
            "option tcp-check; server send-proxy-v2 proxy-v2-options crc32c check",
            V2 {
                crc32c: true,
                ..V2::default()
            },
            "0d0a0d0a000d0a515549540a 20000007 030004 a9b87e8f",
        ),
        (
            "unique-id-format a%ci; option tcp-check; server check send-proxy-v2 proxy-v2-options \
             crc32c,unique-id,authority,ssl,cert-cn,ssl-cipher,cert-sig,cert-key",
            V2 {
                crc32c: true,
                ssl: Some(Ssl::default()),
                ..V2::default()
            },
            "0d0a0d0a000d0a515549540a 2000000f 030004 889da1df 200005 00 00000000",
        ),
        (
            "bind 127.0.0.1:25756 namespace protocap1; server send-proxy-v2",
            V2 {
                netns: Some("protocap1"),
                ..proxy("127.0.0.1:54898", "127.0.0.1:25756")
            },
            "0d0a0d0a000d0a515549540a 21110018 7f000001 7f000001 d672 649c
             300009 70726f746f63617031",
        ),
        (
            "HAProxy 3.5: bind ... namespace rscha; server send-proxy-v2",
            V2 {
                netns: Some("rscha"),
                ..proxy("10.1.1.1:1111", "127.0.0.1:9000")
            },
            "0d0a0d0a000d0a515549540a 21110014 0a010101 7f000001 0457 2328 300005 7273636861",
        ),
    ];
    for (why, header, hex) in rows {
        assert_both_ways(why, &header, hex);
        assert_eq!(whole(&bytes(hex)).addresses, header.addresses, "{why}");
    }
}

#[test]
fn options_are_sent_in_haproxys_order() {
    let rows: Rows = vec![
        (
            "server send-proxy-v2 proxy-v2-options crc32c",
            V2 {
                crc32c: true,
                ..proxy("127.0.0.1:54040", "127.0.0.1:25741")
            },
            "0d0a0d0a000d0a515549540a 21110013 7f000001 7f000001 d318 648d 030004 f54b362e",
        ),
        (
            "unique-id-format id-%ci; server send-proxy-v2 proxy-v2-options unique-id,crc32c",
            V2 {
                crc32c: true,
                unique_id: Some(b"id-127.0.0.1"),
                ..proxy("127.0.0.1:58792", "127.0.0.1:25742")
            },
            "0d0a0d0a000d0a515549540a 21110022 7f000001 7f000001 e5a8 648e
             030004 b49c95ae 05000c 69642d3132372e302e302e31",
        ),
        (
            "(no unique-id-format) server send-proxy-v2 proxy-v2-options unique-id",
            V2 {
                unique_id: Some(b""),
                ..proxy("127.0.0.1:37108", "127.0.0.1:25743")
            },
            "0d0a0d0a000d0a515549540a 2111000f 7f000001 7f000001 90f4 648f 050000",
        ),
        (
            "bind (no ssl); unique-id-format id-%ci; server send-proxy-v2 proxy-v2-options \
             crc32c,unique-id,authority,ssl,cert-cn,ssl-cipher,cert-sig,cert-key",
            V2 {
                crc32c: true,
                unique_id: Some(b"id-127.0.0.1"),
                ssl: Some(Ssl::default()),
                ..proxy("127.0.0.1:53504", "127.0.0.1:25746")
            },
            "0d0a0d0a000d0a515549540a 2111002a 7f000001 7f000001 d100 6492
             030004 5ed92dde 05000c 69642d3132372e302e302e31 200005 00 00000000",
        ),
        (
            "bind ssl crt s.pem namespace protocap1 alpn http/1.1; unique-id-format id-%ci; server \
             send-proxy-v2 proxy-v2-options crc32c,unique-id,authority,ssl,ssl-cipher",
            V2 {
                crc32c: true,
                alpn: Some(b"http/1.1"),
                authority: Some(b"www.example.org"),
                unique_id: Some(b"id-127.0.0.1"),
                ssl: Some(Ssl {
                    key_alg: None,
                    sig_alg: None,
                    ..tls13()
                }),
                netns: Some("protocap1"),
                ..proxy("127.0.0.1:34916", "127.0.0.1:25757")
            },
            "0d0a0d0a000d0a515549540a 21110076 7f000001 7f000001 8864 649d 030004 1405a47a
             010008 687474702f312e31 02000f 7777772e6578616d706c652e6f7267
             05000c 69642d3132372e302e302e31 200028 01 00000000 210007 544c5376312e33
             230016 544c535f4145535f3235365f47434d5f534841333834 300009 70726f746f63617031",
        ),
    ];
    for (why, header, hex) in rows {
        assert_both_ways(why, &header, hex);
        assert_eq!(whole(&bytes(hex)).addresses, header.addresses, "{why}");
    }
}

#[test]
fn tls_clients_are_told_of_as_haproxy_tells() {
    let rows: Rows = vec![
        (
            "bind ssl crt s.pem; server send-proxy-v2 proxy-v2-options authority",
            V2 {
                authority: Some(b"www.example.org"),
                ..proxy("127.0.0.1:33392", "127.0.0.1:25747")
            },
            "0d0a0d0a000d0a515549540a 2111001e 7f000001 7f000001 8270 6493
             02000f 7777772e6578616d706c652e6f7267",
        ),
        (
            "bind ssl crt s.pem; server send-proxy-v2-ssl",
            V2 {
                ssl: Some(Ssl {
                    client: ssl_client::SSL,
                    version: Some(b"TLSv1.3"),
                    ..Ssl::default()
                }),
                ..proxy("127.0.0.1:49392", "127.0.0.1:25750")
            },
            "0d0a0d0a000d0a515549540a 2111001e 7f000001 7f000001 c0f0 6496
             20000f 01 00000000 210007 544c5376312e33",
        ),
        (
            "bind ssl crt s.pem ca-file ca.pem verify required; server send-proxy-v2-ssl-cn",
            V2 {
                ssl: Some(Ssl {
                    client: ALL_CERT,
                    version: Some(b"TLSv1.3"),
                    common_name: Some(b"client.test"),
                    ..Ssl::default()
                }),
                ..proxy("127.0.0.1:49626", "127.0.0.1:25751")
            },
            "0d0a0d0a000d0a515549540a 2111002c 7f000001 7f000001 c1da 6497
             20001d 07 00000000 210007 544c5376312e33 22000b 636c69656e742e74657374",
        ),
        (
            "bind ssl crt s.pem alpn h2,http/1.1 ca-file ca.pem verify required; \
             unique-id-format id-%ci; server send-proxy-v2 proxy-v2-options \
             crc32c,unique-id,authority,ssl,cert-cn,ssl-cipher,cert-sig,cert-key",
            V2 {
                crc32c: true,
                alpn: Some(b"http/1.1"),
                authority: Some(b"www.example.org"),
                unique_id: Some(b"id-127.0.0.1"),
                ssl: Some(Ssl {
                    client: ALL_CERT,
                    common_name: Some(b"client.test"),
                    ..tls13()
                }),
                ..proxy("127.0.0.1:56532", "127.0.0.1:25753")
            },
            "0d0a0d0a000d0a515549540a 2111008f 7f000001 7f000001 dcd4 6499 030004 0cb8b87e
             010008 687474702f312e31 02000f 7777772e6578616d706c652e6f7267
             05000c 69642d3132372e302e302e31 20004d 07 00000000 210007 544c5376312e33
             22000b 636c69656e742e74657374 250007 52534132303438 24000a 5253412d534841323536
             230016 544c535f4145535f3235365f47434d5f534841333834",
        ),
        (
            "bind ssl crt s.pem ca-file ca.pem verify optional (none shown); server send-proxy-v2 \
             proxy-v2-options cert-cn,ssl-cipher,cert-sig,cert-key",
            V2 {
                ssl: Some(tls13()),
                ..proxy("127.0.0.1:44096", "127.0.0.1:25754")
            },
            "0d0a0d0a000d0a515549540a 2111004e 7f000001 7f000001 ac40 649a
             20003f 01 00000000 210007 544c5376312e33 250007 52534132303438
             24000a 5253412d534841323536 230016 544c535f4145535f3235365f47434d5f534841333834",
        ),
        (
            "bind ssl ... verify required, TLSv1.2 client; server send-proxy-v2 \
             proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key",
            V2 {
                ssl: Some(Ssl {
                    client: ALL_CERT,
                    version: Some(b"TLSv1.2"),
                    common_name: Some(b"client.test"),
                    cipher: Some(b"ECDHE-RSA-AES256-GCM-SHA384"),
                    ..tls13()
                }),
                ..proxy("127.0.0.1:40644", "127.0.0.1:25755")
            },
            "0d0a0d0a000d0a515549540a 21110061 7f000001 7f000001 9ec4 649b
             200052 07 00000000 210007 544c5376312e32 22000b 636c69656e742e74657374
             250007 52534132303438 24000a 5253412d534841323536
             23001b 45434448452d5253412d4145533235362d47434d2d534841333834",
        ),
    ];
    for (why, header, hex) in rows {
        assert_both_ways(why, &header, hex);
        assert_eq!(whole(&bytes(hex)).addresses, header.addresses, "{why}");
    }
}

#[test]
fn mixed_families_are_sent_as_mapped_ipv6_like_haproxys() {
    let rows = [
        (
            "bind 127.0.0.1:25736; tcp-request connection set-src str(2001:db8::1)",
            proxy("[2001:db8::1]:40498", "127.0.0.1:25736"),
            inet("[2001:db8::1]:40498", "[::ffff:127.0.0.1]:25736"),
            "0d0a0d0a000d0a515549540a 21210024 20010db8000000000000000000000001
             00000000000000000000ffff7f000001 9e32 6488",
        ),
        (
            "bind 127.0.0.1:25737; tcp-request connection set-dst str(2001:db8::2)",
            proxy("127.0.0.1:35004", "[2001:db8::2]:25737"),
            inet("[::ffff:127.0.0.1]:35004", "[2001:db8::2]:25737"),
            "0d0a0d0a000d0a515549540a 21210024 00000000000000000000ffff7f000001
             20010db8000000000000000000000002 88bc 6489",
        ),
    ];
    for (why, header, mapped, hex) in rows {
        assert_both_ways(why, &header, hex);
        assert_eq!(whole(&bytes(hex)).addresses, mapped, "{why}");
    }
}

#[test]
fn version_1_lines_are_haproxys() {
    let rows = [
        (
            "bind 127.0.0.1:25725; server send-proxy (and for checks, its own addresses)",
            ("127.0.0.1:49924", "127.0.0.1:25725"),
            "PROXY TCP4 127.0.0.1 127.0.0.1 49924 25725\r\n",
        ),
        (
            "bind [::1]:25726; server send-proxy",
            ("[::1]:51814", "[::1]:25726"),
            "PROXY TCP6 ::1 ::1 51814 25726\r\n",
        ),
        (
            "bind :::25729 v4v6; server send-proxy",
            ("[::ffff:127.0.0.1]:42426", "[::ffff:127.0.0.1]:25729"),
            "PROXY TCP6 ::ffff:127.0.0.1 ::ffff:127.0.0.1 42426 25729\r\n",
        ),
        (
            "bind 127.0.0.1:25728; tcp-request connection set-src str(2001:db8::1)",
            ("[2001:db8::1]:34900", "127.0.0.1:25728"),
            "PROXY TCP6 2001:db8::1 ::ffff:127.0.0.1 34900 25728\r\n",
        ),
        (
            "bind 127.0.0.1:25730; tcp-request connection set-dst str(2001:db8::2)",
            ("127.0.0.1:40790", "[2001:db8::2]:25730"),
            "PROXY TCP6 ::ffff:127.0.0.1 2001:db8::2 40790 25730\r\n",
        ),
    ];
    for (why, (src, dst), line) in rows {
        let mut encoded = Vec::new();
        encode_v1(&mut encoded, Some((address(src), address(dst))));
        assert_eq!(String::from_utf8_lossy(&encoded), line, "{why}");
        let header = whole(line.as_bytes());
        let ipv6 = |text: &str| match line.contains("TCP6") && !text.starts_with('[') {
            true => text.replace("127.0.0.1:", "[::ffff:127.0.0.1]:"),
            false => text.to_owned(),
        };
        let (src, dst) = (ipv6(src), ipv6(dst));
        assert_eq!(header.addresses, inet(&src, &dst), "{why}");
        assert_eq!(
            (header.len, header.version),
            (line.len(), Version::V1),
            "{why}"
        );
        assert_eq!(header.tlvs, Tlvs::default(), "{why}");
    }
    let mut encoded = Vec::new();
    encode_v1(&mut encoded, None);
    assert_eq!(
        encoded, b"PROXY UNKNOWN\r\n",
        "bind /tmp/u25727; server send-proxy"
    );
}
