//! Records of a handshake that were changed, cut and put together in any way, or any bytes at all, end a
//! channel without a panic: of a client, of a server, and of a server that asks for certificates. What a
//! channel has to say afterwards is bounded.

#![no_main]

use std::sync::{Arc, OnceLock};

use isthmus_tls::Channel;
use libfuzzer_sys::fuzz_target;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// More than a flight, an alert and tickets.
const ANSWER: usize = 40_000;

struct Configs {
    clients: Vec<Arc<ClientConfig>>,
    servers: Vec<Arc<ServerConfig>>,
}

fn key(of: &CertifiedKey<KeyPair>) -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(of.signing_key.serialize_der()).unwrap()
}

fn roots(of: &CertifiedKey<KeyPair>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(of.cert.der().clone()).unwrap();
    roots
}

fn configs() -> Configs {
    let made = || generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
    let (own, other) = (made(), made());
    let clients = [&own, &other].map(|believed| {
        let builder = ClientConfig::builder().with_root_certificates(roots(believed));
        let shown = vec![other.cert.der().clone()];
        Arc::new(builder.with_client_auth_cert(shown, key(&other)).unwrap())
    });
    let servers = [None, Some(&own), Some(&other)].map(|believed| {
        let builder = ServerConfig::builder();
        let builder = match believed {
            None => builder.with_no_client_auth(),
            Some(believed) => {
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots(believed)));
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let shown = vec![own.cert.der().clone()];
        Arc::new(builder.with_single_cert(shown, key(&own)).unwrap())
    });
    Configs {
        clients: clients.to_vec(),
        servers: servers.to_vec(),
    }
}

/// One end, what came to it, and what it has to say.
struct End {
    channel: Channel,
    came: Vec<u8>,
    said: Vec<u8>,
    over: bool,
}

impl End {
    fn new(channel: Channel) -> Self {
        Self {
            channel: channel.watched(true),
            came: Vec::new(),
            said: Vec::new(),
            over: false,
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.came.extend_from_slice(bytes);
        if self.over {
            return;
        }
        match self
            .channel
            .receive(&mut self.came, &mut [0; 100], &mut self.said)
        {
            Ok(received) => {
                self.came.drain(..received.used);
            }
            Err(failure) => {
                let _ = self.channel.reason(&failure);
                self.over = true;
            }
        }
        while self.channel.take_plain(&mut [0; 100]) > 0 {}
        assert!(self.said.len() < ANSWER, "what is said is bounded");
    }
}

fuzz_target!(|bytes: &[u8]| {
    static CONFIGS: OnceLock<Configs> = OnceLock::new();
    let configs = CONFIGS.get_or_init(configs);
    let Some((&[kind, step], changes)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let client = &configs.clients[usize::from(kind & 1)];
    let server = &configs.servers[usize::from(kind >> 1) % 3];
    let name = ServerName::try_from("a.example").unwrap();
    let mut client = End::new(Channel::client(client.clone(), name).unwrap());
    let mut server = End::new(Channel::server(server.clone()).unwrap());
    client.receive(&[]);
    let mut changes = changes.iter().copied();
    let step = usize::from(step) * 8 + 1;
    for _ in 0..40 {
        for to_server in [true, false] {
            let (from, to) = match to_server {
                true => (&mut client, &mut server),
                false => (&mut server, &mut client),
            };
            for part in std::mem::take(&mut from.said).chunks(step) {
                let mut part = part.to_vec();
                match changes.next().unwrap_or(0) {
                    0..64 => {}
                    64 => part.clear(),
                    65 => part = changes.by_ref().take(200).collect(),
                    66 => part.extend(part.clone()),
                    at => {
                        let at = usize::from(at) * 3 % part.len().max(1);
                        part.iter_mut().skip(at).take(1).for_each(|byte| {
                            *byte ^= changes.next().unwrap_or(1);
                        });
                    }
                }
                to.receive(&part);
            }
        }
        if client.said.is_empty() && server.said.is_empty() {
            break;
        }
    }
});
