//! What holds for all headers and for all bytes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::net::{IpAddr, SocketAddr};

use isthmus_proto::proxy::{
    Addresses, Command, Decoded, Header, SIGNATURE, Ssl, Transport, V1_MAX_LEN, V2, decode,
    encode_v1, kind,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// What [`V2`] borrows.
#[derive(Debug, Clone)]
struct Owned {
    command: Command,
    ends: Ends,
    crc32c: bool,
    alpn: Option<Vec<u8>>,
    authority: Option<Vec<u8>>,
    unique_id: Option<Vec<u8>>,
    ssl: Option<OwnedSsl>,
    custom: Vec<(u8, Vec<u8>)>,
    netns: Option<String>,
}

/// `client`, `verify`, and the five names in the order sent.
type OwnedSsl = (u8, u32, [Option<Vec<u8>>; 5]);

#[derive(Debug, Clone)]
enum Ends {
    None,
    Inet(SocketAddr, SocketAddr, Transport),
    Unix(Vec<u8>, Vec<u8>, Transport),
}

impl Owned {
    /// The wire form, and the addresses and TLVs that it must give back.
    fn check(&self, with: impl Fn(&[u8], &V2<'_>)) {
        let custom: Vec<(u8, &[u8])> = self.custom.iter().map(|(k, v)| (*k, &v[..])).collect();
        let addresses = match &self.ends {
            Ends::None => None,
            &Ends::Inet(src, dst, transport) => Some(Addresses::Inet {
                src,
                dst,
                transport,
            }),
            Ends::Unix(src, dst, transport) => Some(Addresses::Unix {
                src,
                dst,
                transport: *transport,
            }),
        };
        let ssl = self.ssl.as_ref().map(|(client, verify, values)| {
            let value = |at: usize| values[at].as_deref();
            Ssl {
                client: *client,
                verify: *verify,
                version: value(0),
                common_name: value(1),
                key_alg: value(2),
                sig_alg: value(3),
                cipher: value(4),
            }
        });
        let header = V2 {
            command: self.command,
            addresses,
            crc32c: self.crc32c,
            alpn: self.alpn.as_deref(),
            authority: self.authority.as_deref(),
            unique_id: self.unique_id.as_deref(),
            ssl,
            custom: &custom,
            netns: self.netns.as_deref(),
        };
        let mut wire = Vec::new();
        header.encode(&mut wire).unwrap();
        with(&wire, &header);
    }
}

fn transports() -> impl Strategy<Value = Transport> {
    prop_oneof![Just(Transport::Stream), Just(Transport::Datagram)]
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![Just(Command::Local), Just(Command::Proxy)]
}

/// Names as a socket has them: a path, or an abstract name, without NULs at the end.
fn unix_names() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(1..=255_u8, 0..=108),
        vec(1..=255_u8, 1..=107).prop_map(|name| [&[0], &name[..]].concat()),
    ]
}

fn ends() -> impl Strategy<Value = Ends> {
    let inet = (any::<SocketAddr>(), any::<SocketAddr>(), transports());
    let unix = (unix_names(), unix_names(), transports());
    prop_oneof![
        Just(Ends::None),
        inet.prop_map(|(src, dst, transport)| Ends::Inet(src, dst, transport)),
        unix.prop_map(|(src, dst, transport)| Ends::Unix(src, dst, transport)),
    ]
}

prop_compose! {
    fn headers()(
        command in commands(),
        ends in ends(),
        crc32c: bool,
        alpn in option::of(vec(any::<u8>(), 0..20)),
        authority in option::of(vec(any::<u8>(), 0..=255)),
        unique_id in option::of(vec(any::<u8>(), 0..=128)),
        ssl in option::of((any::<u8>(), any::<u32>(), prop::array::uniform5(
            option::of(vec(any::<u8>(), 0..40))))),
        custom in vec((0xe0..=0xef_u8, vec(any::<u8>(), 0..300)), 0..4),
        netns in option::of("[A-Za-z0-9_:.-]{1,40}"),
    ) -> Owned {
        Owned { command, ends, crc32c, alpn, authority, unique_id, ssl, custom, netns }
    }
}

fn whole(wire: &[u8]) -> Header<'_> {
    decode(wire).unwrap().at_end().unwrap()
}

/// The address without what the protocol does not carry, and mapped if its other end is IPv6.
fn carried(this: SocketAddr, other: SocketAddr) -> SocketAddr {
    let ip = match this.ip() {
        IpAddr::V4(v4) if other.is_ipv6() => v4.to_ipv6_mapped().into(),
        ip => ip,
    };
    SocketAddr::new(ip, this.port())
}

/// What the answer to the first bytes says about the answer to them and more.
fn assert_prefix_agrees(wire: &[u8], cut: usize) {
    match decode(&wire[..cut]) {
        Ok(Decoded::Incomplete { need }) => {
            assert!(need > cut);
            if let Ok(Decoded::Header(header)) = decode(wire) {
                assert!(need <= header.len && cut < header.len);
            }
        }
        settled => assert_eq!(settled, decode(wire)),
    }
}

/// Bytes that come far enough into the decoder to matter.
fn near_headers() -> impl Strategy<Value = Vec<u8>> {
    let line = "PROXY (TCP4|TCP6|UNKNOWN) [0-9a-f:. ]{0,100}(\r\n)?[a\r\n]{0,3}";
    let binary = (
        0x20..0x23_u8,
        0..0x34_u8,
        0..60_u16,
        vec(any::<u8>(), 0..80),
    );
    let binary = binary.prop_map(|(command, family, len, body)| {
        [
            &SIGNATURE[..],
            &[command, family],
            &len.to_be_bytes(),
            &body,
        ]
        .concat()
    });
    prop_oneof![
        vec(any::<u8>(), 0..300),
        line.prop_map(String::into_bytes),
        binary,
    ]
}

proptest! {
    #[test]
    fn a_version_2_header_gives_back_what_it_was_made_of(owned in headers()) {
        owned.check(|wire, header| {
            let payload = [wire, b"payload"].concat();
            let decoded = whole(&payload);
            assert_eq!(decoded.len, wire.len());
            assert_eq!(decoded.command, header.command);
            let expected = match (header.command, header.addresses) {
                (Command::Local, _) => None,
                (_, Some(Addresses::Inet { src, dst, transport })) => Some(Addresses::Inet {
                    src: carried(src, dst),
                    dst: carried(dst, src),
                    transport,
                }),
                (_, other) => other,
            };
            assert_eq!(decoded.addresses, expected);
            let tlvs = decoded.tlvs;
            assert_eq!(tlvs.get(kind::CRC32C).is_some(), header.crc32c);
            assert_eq!(tlvs.alpn(), header.alpn);
            assert_eq!(tlvs.authority(), header.authority);
            assert_eq!(tlvs.unique_id(), header.unique_id);
            assert_eq!(tlvs.ssl(), header.ssl);
            assert!(tlvs.iter().filter(|tlv| tlv.0 >= 0xe0).eq(header.custom.iter().copied()));
            assert!(tlvs.netns().eq(header.netns));
        });
    }

    #[test]
    fn a_header_cut_anywhere_is_incomplete(owned in headers()) {
        owned.check(|wire, _| {
            for cut in 0..wire.len() {
                let answer = decode(&wire[..cut]);
                let incomplete = matches!(answer, Ok(Decoded::Incomplete { need })
                    if need > cut && need <= wire.len());
                assert!(incomplete, "{answer:?} at {cut}");
            }
        });
    }

    #[test]
    fn a_checksum_finds_every_damaged_byte(owned in headers(), at: usize, bit in 0..8_u8) {
        let owned = Owned { crc32c: true, command: Command::Proxy, ..owned };
        owned.check(|wire, header| {
            let mut damaged = wire.to_vec();
            let at = at % wire.len();
            damaged[at] ^= 1 << bit;
            let Ok(Decoded::Header(decoded)) = decode(&damaged) else { return };
            // What says where the checksum stands may be hit, and then it may not be found.
            assert_eq!(decoded.tlvs.get(kind::CRC32C), None, "byte {at} of {header:?}");
        });
    }

    #[test]
    fn a_version_1_line_gives_back_its_addresses(src: SocketAddr, dst: SocketAddr) {
        let mut line = Vec::new();
        encode_v1(&mut line, Some((src, dst)));
        assert!(line.len() <= V1_MAX_LEN);
        for cut in 0..line.len() {
            let answer = decode(&line[..cut]);
            assert!(matches!(answer, Ok(Decoded::Incomplete { .. })), "{answer:?} at {cut}");
        }
        let expected = Addresses::Inet {
            src: carried(src, dst),
            dst: carried(dst, src),
            transport: Transport::Stream,
        };
        let header = whole(&line);
        assert_eq!(header.len, line.len());
        assert_eq!(header.addresses, Some(expected));
    }

    #[test]
    fn no_bytes_panic_and_an_answer_once_given_stands(bytes in near_headers()) {
        for cut in 0..=bytes.len() {
            assert_prefix_agrees(&bytes, cut);
        }
        if let Ok(Decoded::Header(header)) = decode(&bytes) {
            assert!(header.len <= bytes.len());
            assert_eq!(decode(&bytes[..header.len]), Ok(Decoded::Header(header)));
        }
    }
}
