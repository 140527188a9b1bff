//! The PROXY header that a server is sent: addresses, TLVs and the client's namespace.

use isthmus_plan as plan;
use isthmus_proto::proxy::{Addresses, Command, Ssl, Transport, V2, encode_v1, ssl_client};
use isthmus_sample::{Format, Side, TlsFacts, TlsNeeds};

use crate::rules::Compiler;
use crate::view::View;

/// Values of TLVs are cut at this length, as HAProxy does.
const VALUE_LIMIT: usize = 127;

/// Makes headers for one server.
pub(crate) struct HeaderMaker {
    plan: plan::ProxyHeader,
    tlvs: Vec<(u8, Format)>,
}

impl HeaderMaker {
    pub(crate) fn compile(
        from: &plan::ProxyHeader,
        compiler: &mut Compiler<'_>,
        origin: &str,
    ) -> Self {
        compiler.names.tls.add(needs(from));
        let tlvs = from
            .tlvs
            .iter()
            .filter_map(|tlv| Some((tlv.id, compiler.format(origin, &tlv.format)?)))
            .collect();
        Self {
            plan: from.clone(),
            tlvs,
        }
    }

    /// Writes the header of a session.
    pub(crate) fn write(&self, view: &View<'_>, out: &mut Vec<u8>) {
        let session = view.session;
        let ends = session.source().zip(session.destination());
        if self.plan.version == 1 {
            encode_v1(out, ends);
            return;
        }
        let values: Vec<(u8, Vec<u8>)> = self
            .tlvs
            .iter()
            .map(|(id, format)| (*id, cut(format.to_bytes(view))))
            .collect();
        let custom: Vec<(u8, &[u8])> = values
            .iter()
            .map(|(id, value)| (*id, value.as_slice()))
            .collect();
        let unique_id = if self.plan.unique_id {
            cut(view.unique_id().to_vec())
        } else {
            Vec::new()
        };
        let facts = session.tls_facts(Side::Request);
        let greeting = facts.and_then(|facts| facts.greeting.as_ref());
        let server_name = greeting.and_then(|greeting| greeting.server_name.as_deref());
        let told = facts.map(|facts| Told::of(facts, &self.plan.ssl_parts));
        let header = V2 {
            command: if ends.is_some() {
                Command::Proxy
            } else {
                Command::Local
            },
            addresses: ends.map(|(src, dst)| Addresses::Inet {
                src,
                dst,
                transport: Transport::Stream,
            }),
            crc32c: self.plan.crc32c,
            unique_id: self.plan.unique_id.then_some(unique_id.as_slice()),
            alpn: facts.and_then(|facts| facts.alpn.as_deref()),
            authority: server_name.filter(|_| self.plan.authority),
            ssl: self.plan.ssl.then(|| {
                let told = told.as_ref();
                told.map(Told::block).unwrap_or_default()
            }),
            custom: &custom,
            // The TLV names the client's namespace, not the server's: the next proxy must be
            // able to tell tenants apart (PROXY protocol 2, type 0x30).
            netns: session
                .source_namespace
                .as_ref()
                .map(|namespace| namespace.name.as_str()),
        };
        if header.encode(out).is_err() {
            // A custom value that the protocol refuses: the header goes without the extras.
            let _ = V2 {
                custom: &[],
                unique_id: None,
                ..header
            }
            .encode(out);
        }
    }
}

/// What of the clients' TLS a header tells. The protocol that was agreed upon is always told.
fn needs(plan: &plan::ProxyHeader) -> TlsNeeds {
    let part = |name: &str| plan.ssl_parts.iter().any(|part| part == name);
    TlsNeeds {
        facts: plan.version != 1,
        peer: plan.ssl,
        own: part("cert-sig") || part("cert-key"),
        hellos: plan.authority,
        ..TlsNeeds::default()
    }
}

/// The SSL block of a client under TLS (proxy-protocol.txt, 2.2.6).
#[derive(Default)]
struct Told {
    client: u8,
    verify: u32,
    version: Option<&'static str>,
    cipher: Option<&'static str>,
    common_name: Option<Vec<u8>>,
    key_alg: Option<String>,
    sig_alg: Option<&'static str>,
}

impl Told {
    fn of(facts: &TlsFacts, parts: &[String]) -> Self {
        let part = |name: &str| parts.iter().any(|part| part == name);
        let peer = facts.peer_certificate();
        let own = facts.own_certificate();
        let mut client = ssl_client::SSL;
        if peer.is_some() {
            client |= ssl_client::CERT_SESS;
            if !facts.resumed {
                client |= ssl_client::CERT_CONN;
            }
        }
        let common_name = peer.and_then(|peer| peer.subject().entry(b"CN", 1));
        Self {
            client,
            verify: facts.distrust.last.into(),
            version: facts.version_name(),
            cipher: facts.cipher().filter(|_| part("ssl-cipher")),
            common_name: common_name
                .filter(|_| part("cert-cn"))
                .map(|name| cut(name.to_vec())),
            key_alg: own
                .and_then(|own| own.key_description())
                .filter(|_| part("cert-key")),
            sig_alg: own
                .and_then(|own| own.signature_algorithm())
                .filter(|_| part("cert-sig")),
        }
    }

    fn block(&self) -> Ssl<'_> {
        Ssl {
            client: self.client,
            verify: self.verify,
            version: self.version.map(str::as_bytes),
            common_name: self.common_name.as_deref(),
            key_alg: self.key_alg.as_deref().map(str::as_bytes),
            sig_alg: self.sig_alg.map(str::as_bytes),
            cipher: self.cipher.map(str::as_bytes),
        }
    }
}

fn cut(mut value: Vec<u8>) -> Vec<u8> {
    value.truncate(VALUE_LIMIT);
    value
}
