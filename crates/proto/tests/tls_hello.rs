//! ClientHellos as clients send them, as nobody should, and in pieces.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on ends"
)]

use isthmus_proto::tls::{ClientHello, Message, NotTls, extension, ssl2_version};
use proptest::prelude::*;

/// Bytes behind their length of `width` bytes.
fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_be_bytes();
    [&length[8 - width..], content].concat()
}

fn extension_of(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vector(2, content)].concat()
}

fn server_name(name: &[u8]) -> Vec<u8> {
    let entry = [&[0][..], &vector(2, name)].concat();
    extension_of(extension::SERVER_NAME, &vector(2, &entry))
}

fn hello(extensions: &[u8]) -> Vec<u8> {
    let parts = [
        vec![3, 3],
        vec![7; 32],
        vector(1, &[]),
        vector(2, &[0x13, 1, 0xc0, 0x2f]),
        vector(1, &[0]),
        vector(2, extensions),
    ];
    [&[1][..], &vector(3, &parts.concat())].concat()
}

fn record(content: &[u8]) -> Vec<u8> {
    [&[22, 3, 1][..], &vector(2, content)].concat()
}

/// The message cut into records at some places.
fn records(message: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % message.len()).collect();
    cuts.extend([0, message.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2)
        .flat_map(|pair| record(&message[pair[0]..pair[1]]))
        .collect()
}

#[test]
fn a_hello_tells_what_the_client_asks_for() {
    let shares = [&[0, 29][..], &vector(2, b"key"), &[0, 23], &vector(2, b"k")].concat();
    let list = [
        server_name(b"a.example"),
        extension_of(
            extension::ALPN,
            &vector(2, &[vector(1, b"h2"), vector(1, b"http/1.1")].concat()),
        ),
        extension_of(extension::SUPPORTED_GROUPS, &vector(2, &[0, 29, 0, 23])),
        extension_of(extension::SIGNATURE_ALGORITHMS, &vector(2, &[4, 3])),
        extension_of(extension::KEY_SHARE, &vector(2, &shares)),
        extension_of(extension::SESSION_TICKET, b""),
    ];
    let stream = record(&hello(&list.concat()));
    let message = Message::read(&stream).unwrap().unwrap();
    assert_eq!(message.kind, 1);
    let hello = ClientHello::read(&message.body).unwrap();
    assert_eq!(hello.version, (3, 3));
    assert_eq!(hello.cipher_suites, [0x13, 1, 0xc0, 0x2f]);
    assert_eq!(hello.server_name(), Some(&b"a.example"[..]));
    assert!(hello.protocols().eq([&b"h2"[..], b"http/1.1"]));
    assert_eq!(
        hello.numbers(extension::SUPPORTED_GROUPS),
        Some(&[0, 29, 0, 23][..])
    );
    assert_eq!(
        hello.numbers(extension::SIGNATURE_ALGORITHMS),
        Some(&[4, 3][..])
    );
    assert_eq!(hello.key_share_groups(), Some(vec![0, 29, 0, 23]));
    assert_eq!(hello.extension(extension::SESSION_TICKET), Some(&[][..]));
}

#[test]
fn what_is_no_handshake_is_told_at_its_first_wrong_byte() {
    for stream in [
        &b"GET / HTTP/1.1"[..],
        &[22, 2],
        &[21, 3, 3, 0, 2],
        &[22, 3, 1, 0, 0],
        &[22, 3, 1, 0x40, 1],
    ] {
        assert_eq!(Message::read(stream), Err(NotTls), "{stream:?}");
    }
    let second = [record(&hello(&[])[..9]), vec![23, 3, 3]].concat();
    assert_eq!(Message::read(&second), Err(NotTls));
}

#[test]
fn a_malformed_list_of_extensions_is_none() {
    let name = server_name(b"a");
    for list in [&name[..name.len() - 1], &[name.clone(), vec![0]].concat()] {
        let stream = record(&hello(list));
        let message = Message::read(&stream).unwrap().unwrap();
        let hello = ClientHello::read(&message.body).unwrap();
        assert_eq!(hello.server_name(), None);
        assert_eq!(hello.extensions, None);
    }
}

#[test]
fn a_hello_of_ssl_2_tells_the_version_that_it_knows() {
    let body = [&[1, 3, 1, 0, 3, 0, 0, 0, 16, 0, 0, 0x2f][..], &[9; 16]].concat();
    let mut stream = [&[0x80, u8::try_from(body.len()).unwrap()][..], &body].concat();
    assert_eq!(ssl2_version(&stream), Some((3, 1)));
    assert_eq!(ssl2_version(&stream[..stream.len() - 1]), None);
    stream[2] = 2;
    assert_eq!(ssl2_version(&stream), None);
}

proptest! {
    #[test]
    fn however_it_is_cut_into_records_a_hello_is_the_same(
        name in proptest::collection::vec(any::<u8>(), 1..300),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
    ) {
        let message = hello(&server_name(&name));
        let stream = records(&message, &cuts);
        let read = Message::read(&stream).unwrap().unwrap();
        prop_assert_eq!(&read.body[..], &message[4..]);
        prop_assert_eq!(ClientHello::read(&read.body).unwrap().server_name(), Some(&name[..]));
        for length in 0..stream.len() {
            prop_assert_eq!(Message::read(&stream[..length]), Ok(None));
        }
    }

    #[test]
    fn what_was_read_or_refused_stays_so_when_more_bytes_come(
        kind in prop_oneof![Just(22_u8), any::<u8>()],
        sizes in proptest::collection::vec(0_u8..40, 1..5),
        more in proptest::collection::vec(0_u8..8, 0..200),
    ) {
        let mut stream = Vec::new();
        for (size, chunk) in sizes.iter().zip(more.chunks(40)) {
            stream.extend_from_slice(&[kind, 3, 1, 0, *size]);
            stream.extend_from_slice(chunk);
        }
        let whole = Message::read(&stream);
        for length in 0..stream.len() {
            match Message::read(&stream[..length]) {
                Ok(None) => {}
                early => prop_assert_eq!(&early, &whole),
            }
        }
    }

    #[test]
    fn no_bytes_can_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::read(&bytes);
        let _ = ssl2_version(&bytes);
        if let Some(hello) = ClientHello::read(&bytes) {
            let _ = (hello.server_name(), hello.protocols().count(), hello.key_share_groups());
        }
    }

    #[test]
    fn no_byte_of_a_hello_can_make_it_panic_when_it_is_changed(
        at in any::<proptest::sample::Index>(),
        to in any::<u8>(),
    ) {
        let list = [server_name(b"a.example"), extension_of(extension::KEY_SHARE, &vector(2, &[0, 29, 0, 1, 5]))];
        let mut stream = record(&hello(&list.concat()));
        let at = at.index(stream.len());
        stream[at] = to;
        if let Ok(Some(message)) = Message::read(&stream) {
            if let Some(hello) = ClientHello::read(&message.body) {
                let _ = (hello.server_name(), hello.protocols().count(), hello.key_share_groups());
                let _ = hello.numbers(extension::SUPPORTED_GROUPS);
            }
        }
    }
}
