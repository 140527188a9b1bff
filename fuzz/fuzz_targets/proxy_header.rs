//! The PROXY header decoder on whatever bytes come: it does not panic, an answer once given
//! stands when more bytes arrive, and a header that was read can be written and read again.
//!
//! `mkdir -p fuzz/corpus/proxy_header`, then `cargo +nightly fuzz run proxy_header
//! fuzz/corpus/proxy_header fuzz/seeds/proxy_header -- -max_total_time=60`; what
//! it finds goes to the first folder.

#![no_main]

use isthmus_proto::proxy::{
    Addresses, Command, Decoded, Header, Tlvs, V2, Version, decode, encode_v1, kind,
};
use libfuzzer_sys::fuzz_target;

/// How far into an input every prefix is tried; the work is quadratic.
const PREFIXES: usize = 300;

fuzz_target!(|bytes: &[u8]| {
    let answer = decode(bytes);
    for cut in 0..bytes.len().min(PREFIXES) {
        match decode(&bytes[..cut]) {
            Ok(Decoded::Incomplete { need }) => {
                assert!(need > cut);
                if let Ok(Decoded::Header(header)) = answer {
                    assert!(need <= header.len && cut < header.len);
                }
            }
            settled => assert_eq!(settled, answer),
        }
    }
    match answer {
        Ok(Decoded::Header(header)) => check(bytes, &header),
        Ok(Decoded::Incomplete { need }) => assert!(need > bytes.len()),
        Err(error) => assert!(!error.is_truncation() && !error.to_string().is_empty()),
    }
});

fn check(bytes: &[u8], header: &Header<'_>) {
    assert_eq!(decode(&bytes[..header.len]), Ok(Decoded::Header(*header)));
    assert_eq!(Tlvs::from_bytes(header.tlvs.as_bytes()), Ok(header.tlvs));
    for (kind, _) in header.tlvs {
        let _ = header.tlvs.get(kind);
    }
    let mut wire = Vec::new();
    match header.version {
        Version::V1 => encode_v1(&mut wire, ends(header)),
        Version::V2 => encode_v2(&mut wire, header),
    }
    let again = decode(&wire)
        .and_then(Decoded::at_end)
        .expect("what we send, we read");
    assert_eq!(again.len, wire.len());
    assert_eq!(again.addresses, header.addresses);
    assert_eq!(again.tlvs.ssl(), header.tlvs.ssl());
    assert!(again.tlvs.netns().eq(header.tlvs.netns().last()));
}

fn ends(header: &Header<'_>) -> Option<(std::net::SocketAddr, std::net::SocketAddr)> {
    match header.addresses {
        Some(Addresses::Inet { src, dst, .. }) => Some((src, dst)),
        _ => None,
    }
}

/// Writes what the named fields hold of `header`, each TLV once.
fn encode_v2(wire: &mut Vec<u8>, header: &Header<'_>) {
    let tlvs = header.tlvs;
    let known = [
        kind::ALPN,
        kind::AUTHORITY,
        kind::CRC32C,
        kind::UNIQUE_ID,
        kind::SSL,
        kind::NETNS,
    ];
    let custom: Vec<_> = tlvs.iter().filter(|tlv| !known.contains(&tlv.0)).collect();
    let v2 = V2 {
        command: header.command,
        addresses: header.addresses,
        crc32c: true,
        alpn: tlvs.alpn(),
        authority: tlvs.authority(),
        unique_id: tlvs.unique_id(),
        ssl: tlvs.ssl(),
        custom: &custom,
        netns: tlvs.netns().last(),
    };
    let len_before = wire.len();
    if v2.encode(wire).is_err() {
        // A header at the very end of the length field's range has no room for our checksum.
        assert!(header.len > u16::MAX as usize && wire.len() == len_before);
        let smaller = V2 {
            crc32c: false,
            ..v2
        };
        smaller
            .encode(wire)
            .expect("no longer than what was received");
    }
    assert!(header.command == Command::Proxy || header.addresses.is_none());
}
