//! Two channels back to back, in pieces of any size.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;

use isthmus_plan::tls::Negotiation;
use proptest::prelude::*;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, Error, RootCertStore, ServerConfig};

use super::Channel;

fn pair() -> (Channel, Channel) {
    pair_with(&[&rustls::version::TLS12, &rustls::version::TLS13])
}

/// The same with some versions of TLS only.
fn pair_with(versions: &[&'static rustls::SupportedProtocolVersion]) -> (Channel, Channel) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = crate::negotiation::provider(&Negotiation::default());
    let mut server = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    server.key_log = Arc::new(crate::watch::Secrets);
    client.key_log = Arc::new(crate::watch::Secrets);
    let name = ServerName::try_from("a.example").unwrap();
    (
        Channel::client(Arc::new(client), name).unwrap(),
        Channel::server(Arc::new(server)).unwrap(),
    )
}

/// One end, with what is on its way to it.
struct End {
    channel: Channel,
    arriving: Vec<u8>,
    held: Vec<u8>,
    plain: Vec<u8>,
}

impl End {
    fn new(channel: Channel) -> Self {
        Self {
            channel,
            arriving: Vec::new(),
            held: Vec::new(),
            plain: Vec::new(),
        }
    }

    /// Takes the next piece; what it answers with.
    fn take(&mut self, most: usize, room: usize) -> Vec<u8> {
        let count = self.arriving.len().min(most);
        self.held.extend(self.arriving.drain(..count));
        let mut space = vec![0; room];
        let mut out = Vec::new();
        let received = self
            .channel
            .receive(&mut self.held, &mut space, &mut out)
            .unwrap();
        self.held.drain(..received.used);
        self.plain.extend_from_slice(&space[..received.plain]);
        loop {
            let count = self.channel.take_plain(&mut space);
            if count == 0 {
                break;
            }
            self.plain.extend_from_slice(&space[..count]);
        }
        out
    }
}

fn connect(most: usize) -> (End, End) {
    meet(pair(), most)
}

fn meet((client, server): (Channel, Channel), most: usize) -> (End, End) {
    let (mut client, mut server) = (End::new(client), End::new(server));
    for _ in 0..20_000 {
        let sent = client.take(most, 64);
        server.arriving.extend(sent);
        let sent = server.take(most, 64);
        client.arriving.extend(sent);
        let quiet = client.arriving.is_empty() && server.arriving.is_empty();
        if quiet && client.channel.is_open() && server.channel.is_open() {
            return (client, server);
        }
    }
    panic!("the handshake does not end");
}

#[test]
fn a_handshake_in_single_bytes_opens_both_ends() {
    let (client, server) = connect(1);
    assert!(client.channel.state().protocol_version() == server.channel.state().protocol_version());
}

#[test]
fn a_watched_handshake_shows_the_hellos_and_both_ends_keep_the_same_secrets() {
    for (version, secrets) in [(&rustls::version::TLS12, 1), (&rustls::version::TLS13, 5)] {
        for most in [7, 4096] {
            let (client, server) = pair_with(&[version]);
            let (mut client, mut server) = meet((client.watched(true), server.watched(true)), most);
            let seen = client.channel.take_witnessed().unwrap();
            let other = server.channel.take_witnessed().unwrap();
            assert!(seen.client_hello.is_some());
            let hello = seen.server_hello.clone().unwrap();
            assert_eq!(Some(&hello), other.server_hello.as_ref());
            assert_eq!(hello[..2], [3, 3]);
            let sorted = |mut secrets: Vec<crate::Secret>| {
                secrets.sort();
                secrets
            };
            let kept = sorted(seen.secrets);
            assert_eq!(kept.len(), secrets);
            assert_eq!(kept, sorted(other.secrets));
            // TLS 1.3 names no connection so (RFC 9266).
            let finished = seen.finished.as_ref().map(Vec::len);
            assert_eq!(finished, (secrets == 1).then_some(12));
            assert_eq!(seen.finished, other.finished);
            assert_eq!(client.channel.take_witnessed(), None);
        }
    }
}

#[test]
fn secrets_that_nobody_asked_for_are_not_kept() {
    let (client, server) = pair();
    let (_, mut server) = meet((client, server.watched(false)), 4096);
    assert_eq!(server.channel.take_witnessed().unwrap().secrets, []);
}

#[test]
fn the_end_of_the_data_is_told() {
    let (mut client, mut server) = connect(4096);
    client.channel.send(b"last", &mut server.arriving).unwrap();
    client.channel.close(&mut server.arriving);
    server.take(usize::MAX, 64);
    assert_eq!(server.plain, b"last");
    assert!(server.channel.is_closed());
}

#[test]
fn a_forged_record_is_answered_with_an_alert() {
    let (mut client, mut server) = connect(4096);
    client.channel.send(b"data", &mut server.arriving).unwrap();
    let last = server.arriving.len() - 1;
    server.arriving[last] ^= 1;
    let mut out = Vec::new();
    let failed = server
        .channel
        .receive(&mut server.arriving, &mut [0; 64], &mut out);
    assert!(failed.is_err());
    assert!(!out.is_empty());
}

#[test]
fn a_channel_that_is_not_open_sends_nothing() {
    let (_, mut server) = pair();
    let mut out = Vec::new();
    server.send(b"too early", &mut out).unwrap();
    assert!(out.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn data_arrives_as_it_was_sent(
        sizes in prop::collection::vec(0usize..40_000, 1..8),
        most in 1usize..20_000,
        room in 1usize..20_000,
    ) {
        let (mut client, mut server) = connect(16_384);
        let mut sent = Vec::new();
        for (mark, size) in (0u8..).zip(sizes) {
            let data = vec![mark; size];
            sent.extend_from_slice(&data);
            client.channel.send(&data, &mut server.arriving).unwrap();
        }
        while !server.arriving.is_empty() {
            server.take(most, room);
        }
        prop_assert_eq!(server.plain, sent);
    }
}

/// Two channels of which one shows what the other does not believe. All messages of a flight are in one
/// record, so that others stand behind the certificate.
fn strangers(
    versions: &[&'static rustls::SupportedProtocolVersion],
    clients: bool,
) -> (Channel, Channel) {
    let own = || generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
    let (server, other) = (own(), own());
    let key = |of: &CertifiedKey<_>| {
        let of: &rcgen::KeyPair = &of.signing_key;
        PrivateKeyDer::try_from(of.serialize_der()).unwrap()
    };
    let roots = |of: &CertifiedKey<rcgen::KeyPair>| {
        let mut roots = RootCertStore::empty();
        roots.add(of.cert.der().clone()).unwrap();
        roots
    };
    let builder = ServerConfig::builder_with_protocol_versions(versions);
    let builder = if clients {
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots(&server))).build();
        builder.with_client_cert_verifier(verifier.unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let serving = builder
        .with_single_cert(vec![server.cert.der().clone()], key(&server))
        .unwrap();
    let believed = if clients { &server } else { &other };
    let client = ClientConfig::builder_with_protocol_versions(versions)
        .with_root_certificates(roots(believed))
        .with_client_auth_cert(vec![other.cert.der().clone()], key(&other))
        .unwrap();
    let name = ServerName::try_from("a.example").unwrap();
    (
        Channel::client(Arc::new(client), name).unwrap(),
        Channel::server(Arc::new(serving)).unwrap(),
    )
}

#[test]
fn who_is_not_believed_gets_an_alert_whatever_stands_behind_the_certificate() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for (clients, most) in [(false, 1), (true, 1), (false, 70_000), (true, 70_000)] {
            let (mut client, mut server) = strangers(&[version], clients);
            let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
            let mut refused = Vec::new();
            for _ in 0..20_000 {
                let came = piece(&mut client, &mut to_client, most, &mut to_server);
                refused.extend(came.err());
                if refused.is_empty() {
                    let came = piece(&mut server, &mut to_server, most, &mut to_client);
                    refused.extend(came.err());
                }
                if !refused.is_empty() {
                    break;
                }
            }
            let distrust = matches!(refused[..], [Error::InvalidCertificate(_)]);
            assert!(distrust, "{version:?} {clients} {most} {refused:?}");
            let told = if clients { &to_client } else { &to_server };
            assert!(!told.is_empty(), "an alert follows");
        }
    }
}

/// Lets an end take what came, in pieces; what it has no use for yet stays.
fn piece(
    end: &mut Channel,
    arriving: &mut Vec<u8>,
    most: usize,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut known = 0;
    while known < arriving.len() || known == 0 {
        known = arriving.len().min(known + most);
        let received = end.receive(&mut arriving[..known], &mut [0; 64], out);
        let used = received.map_err(|failure| failure.0)?.used;
        arriving.drain(..used);
        known -= used;
        if arriving.is_empty() {
            break;
        }
    }
    Ok(())
}

/// The lengths of the records in some bytes.
fn lengths(mut records: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    while let Some((head, rest)) = records.split_first_chunk::<5>() {
        let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
        found.push(length);
        records = &rest[length..];
    }
    found
}

#[test]
fn records_are_small_at_the_beginning_and_never_larger_than_the_hard_limit() {
    /// What TLS 1.3 adds to the data of a record: its type and a tag.
    const ADDED: usize = 17;
    for (most, first, wanted) in [
        (0, 0, vec![16384, 16384]),
        (5000, 0, vec![5000; 20]),
        (
            0,
            1000,
            [vec![1000; 40], vec![16384; 3], vec![10_848]].concat(),
        ),
        (2000, 1000, [vec![1000; 40], vec![2000; 30]].concat()),
        (500, 1000, vec![500; 100]),
        (99_999, 99_999, vec![16384, 16384]),
    ] {
        let (client, server) = pair_with(&[&rustls::version::TLS13]);
        let server = match (most, first) {
            (0, 0) => server,
            _ => server.with_records(most, first),
        };
        let (mut client, mut server) = meet((client, server), 70_000);
        let data = vec![7; wanted.iter().sum()];
        for _ in 0..2 {
            let mut out = Vec::new();
            server.channel.send(&data, &mut out).unwrap();
            let seen: Vec<_> = lengths(&out).iter().map(|each| each - ADDED).collect();
            assert_eq!(seen, wanted, "{most} {first}");
            client.arriving.extend(out);
            client.plain.clear();
            while !client.arriving.is_empty() {
                client.take(70_000, 70_000);
            }
            assert_eq!(client.plain, data);
            // The next request makes the next response a beginning.
            let mut out = Vec::new();
            client.channel.send(b"more", &mut out).unwrap();
            server.arriving.extend(out);
            server.take(70_000, 64);
        }
    }
}
