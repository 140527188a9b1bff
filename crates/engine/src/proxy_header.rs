//! The PROXY header that a server is sent: addresses, TLVs and the client's namespace.

use isthmus_plan as plan;
use isthmus_proto::proxy::{Addresses, Command, Ssl, Transport, V2, encode_v1};
use isthmus_sample::Format;

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
            ssl: self.plan.ssl.then(Ssl::default),
            custom: &custom,
            // The TLV names the client's namespace, not the server's: the next proxy must be
            // able to tell tenants apart (PROXY protocol 2, type 0x30).
            netns: session
                .source_namespace
                .as_ref()
                .map(|namespace| namespace.name.as_str()),
            ..V2::default()
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

fn cut(mut value: Vec<u8>) -> Vec<u8> {
    value.truncate(VALUE_LIMIT);
    value
}
