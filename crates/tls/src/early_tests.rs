//! Early data between two channels: taken, refused and sent again, too much of it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::ServerSessionMemoryCache;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::Channel;

const ALLOWED: u32 = 1000;

struct Ends {
    client: Arc<ClientConfig>,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Ends {
    fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let mut client = ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.enable_early_data = true;
        Self {
            client: Arc::new(client),
            certificate: cert.der().clone(),
            key: signing_key.serialize_der(),
        }
    }

    /// A server with sessions of its own.
    fn server(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let mut server = ServerConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .unwrap();
        server.session_storage = ServerSessionMemoryCache::new(100);
        server.max_early_data_size = ALLOWED;
        server.send_half_rtt_data = true;
        Arc::new(server)
    }

    fn channels(&self, server: &Arc<ServerConfig>) -> (Channel, Channel) {
        let name = ServerName::try_from("a.example").unwrap();
        let client = Channel::client(self.client.clone(), name).unwrap();
        (client, Channel::server(server.clone()).unwrap())
    }

    /// A first connection, from which the client has sessions.
    fn meet(&self, server: &Arc<ServerConfig>) {
        let (mut client, mut server) = self.channels(server);
        let hello = give(&mut client, &mut Vec::new()).1;
        shake(&mut client, &mut server, hello);
    }
}

/// What a channel makes of records: plaintext, and what it sends.
fn give(channel: &mut Channel, records: &mut Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let (mut space, mut out) = (vec![0; 70_000], Vec::new());
    let received = channel.receive(records, &mut space, &mut out).unwrap();
    records.drain(..received.used);
    space.truncate(received.plain);
    (space, out)
}

/// Goes on until nobody sends any more: the plaintext that came to the server.
fn shake(client: &mut Channel, server: &mut Channel, mut sent: Vec<u8>) -> Vec<u8> {
    let mut plain = Vec::new();
    while !sent.is_empty() {
        let (came, mut answer) = give(server, &mut sent);
        plain.extend(came);
        sent = give(client, &mut answer).1;
    }
    assert!(client.is_open() && server.is_open());
    plain
}

#[test]
fn early_data_arrives_before_the_handshake_is_over_and_can_be_answered() {
    let ends = Ends::new();
    let config = ends.server();
    ends.meet(&config);
    let (mut client, mut server) = ends.channels(&config);
    let (_, mut sent) = give(&mut client, &mut Vec::new());
    assert!(client.is_early() && !client.is_open());
    assert_eq!(client.send_early(b"early", &mut sent).unwrap(), 5);
    let (plain, mut answer) = give(&mut server, &mut sent);
    assert_eq!(plain, b"early");
    assert!(server.is_early() && server.took_early() && !server.is_open());
    server.send(b"answer", &mut answer).unwrap();
    let (plain, rest) = give(&mut client, &mut answer);
    assert_eq!(plain, b"answer");
    assert_eq!(shake(&mut client, &mut server, rest), b"");
    assert!(server.took_early() && !server.is_early() && !client.is_early());
}

#[test]
fn what_a_server_refuses_to_take_early_is_sent_again_once() {
    let ends = Ends::new();
    ends.meet(&ends.server());
    let (mut client, mut server) = ends.channels(&ends.server());
    let (_, mut sent) = give(&mut client, &mut Vec::new());
    assert_eq!(client.send_early(b"early", &mut sent).unwrap(), 5);
    assert_eq!(shake(&mut client, &mut server, sent), b"early");
    assert!(!server.took_early());
}

#[test]
fn no_more_is_sent_early_than_the_server_allows() {
    let ends = Ends::new();
    let config = ends.server();
    ends.meet(&config);
    let (mut client, mut server) = ends.channels(&config);
    let (_, mut sent) = give(&mut client, &mut Vec::new());
    assert_eq!(client.send_early(&[7; 600], &mut sent).unwrap(), 600);
    assert_eq!(client.send_early(&[7; 600], &mut sent).unwrap(), 400);
    assert_eq!(client.send_early(&[7; 600], &mut sent).unwrap(), 0);
    assert_eq!(shake(&mut client, &mut server, sent), [7; 1000]);
}

#[test]
fn early_data_is_taken_once() {
    let ends = Ends::new();
    let config = ends.server();
    ends.meet(&config);
    let (mut client, mut server) = ends.channels(&config);
    let (_, mut sent) = give(&mut client, &mut Vec::new());
    client.send_early(b"early", &mut sent).unwrap();
    let mut again = sent.clone();
    assert_eq!(give(&mut server, &mut sent).0, b"early");
    let mut other = Channel::server(config).unwrap();
    assert_eq!(give(&mut other, &mut again).0, b"");
    assert!(!other.took_early());
}

#[test]
fn a_first_connection_sends_nothing_early() {
    let ends = Ends::new();
    let (mut client, _) = ends.channels(&ends.server());
    let (_, mut sent) = give(&mut client, &mut Vec::new());
    assert!(!client.is_early());
    assert_eq!(client.send_early(b"early", &mut sent).unwrap(), 0);
}
