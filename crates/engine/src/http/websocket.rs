//! WebSocket handshakes (RFC 6455, 4): a tunnel begins only where both sides have shown that they
//! know what they are about to do.

use isthmus_proto::http::{FieldName, Method};
use isthmus_proto::http1::{RequestHead, ResponseHead};
use sha1::{Digest, Sha1};

use super::stream::Stream;

/// Bytes of a key: 16 random ones in base64.
const KEY: usize = 24;
/// What a server puts behind the key before it hashes it (RFC 6455, 1.3).
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Whether a request, read from `bytes`, asks for no WebSocket, or does so with a key.
pub(super) fn is_sound_request(head: &RequestHead, bytes: &[u8]) -> bool {
    // Another method opens no WebSocket (RFC 6455, 4.1), whatever it says.
    if !head.asks_upgrade() || head.method() != Method::Get {
        return true;
    }
    let mut asked = head.upgrade_protocols(bytes);
    if !asked.any(|protocol| protocol.eq_ignore_ascii_case(b"websocket")) {
        return true;
    }
    let mut fields = head.fields().as_slice().iter();
    fields.any(|field| {
        field.name.of(bytes) == b"sec-websocket-key" && field.value.of(bytes).len() == KEY
    })
}

impl Stream {
    /// Whether the server's 101 opens no WebSocket, or proves that the server has seen the key
    /// that it was sent.
    pub(super) fn is_sound_upgrade(&self) -> bool {
        let (response, bytes) = (&self.response.head, self.response.buffer.bytes());
        if !opens_websocket(response, bytes) {
            return true;
        }
        let Some(request) = self.request.view() else {
            return false;
        };
        let mut sound = false;
        request.for_each_id(|_, name, value| {
            if name == b"sec-websocket-key" {
                sound = accepts(response, bytes, &proof(value));
            }
            !sound
        });
        sound
    }
}

fn opens_websocket(head: &ResponseHead, bytes: &[u8]) -> bool {
    let fields = head.fields().as_slice().iter();
    let mut upgrades = fields.filter(|field| field.known == FieldName::Upgrade);
    upgrades.any(|field| {
        let mut protocols = field.value.of(bytes).split(|byte| *byte == b',');
        protocols.any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    })
}

fn accepts(head: &ResponseHead, bytes: &[u8], proof: &[u8]) -> bool {
    let mut fields = head.fields().as_slice().iter();
    fields.any(|field| {
        field.name.of(bytes) == b"sec-websocket-accept" && field.value.of(bytes) == proof
    })
}

/// What a server answers to a key.
pub(crate) fn proof(key: &[u8]) -> Vec<u8> {
    let digest = Sha1::new().chain_update(key).chain_update(MAGIC).finalize();
    let mut out = Vec::with_capacity(28);
    for group in digest.chunks(3) {
        let word = group
            .iter()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = (word >> (18 - 6 * place)) as usize & 63;
            let mark = ALPHABET.get(digit).copied().unwrap_or(b'=');
            out.push(if place > group.len() { b'=' } else { mark });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_of_the_rfcs_key_is_the_rfcs() {
        let expected = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        assert_eq!(proof(b"dGhlIHNhbXBsZSBub25jZQ=="), expected);
    }
}
