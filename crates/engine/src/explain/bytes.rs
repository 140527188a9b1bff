//! What a described client would send: a ClientHello, or a request's head.

use isthmus_plan::explain::{Carried, Described, DescribedRequest};

/// Bytes, and of which of them one can be sure; behind them there may be more.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) bytes: Vec<u8>,
    /// Whether each byte is what every such client would send.
    pub(super) sure: Vec<bool>,
}

/// What the buffer holds where the rules look at it.
pub(super) fn sent(connection: &Described) -> Sent {
    match &connection.carried {
        Carried::Nothing {} | Carried::Unknown { .. } => Sent::default(),
        Carried::Hello { sni, alpn } => {
            let bytes = hello(sni.as_deref(), alpn.as_deref().unwrap_or_default());
            // A handshake record that begins with a ClientHello (RFC 8446, 5.1 and 4): the minor
            // version and the lengths are the client's.
            let sure = (0..bytes.len()).map(|at| matches!(at, 0 | 1 | 5));
            Sent {
                sure: sure.collect(),
                bytes,
            }
        }
        Carried::Request {} => {
            let request = connection.request.clone().unwrap_or_default();
            let bytes = head(&request);
            let known = request.method.as_ref().zip(request.target.as_ref());
            let sure = match (known, request.version) {
                (Some((method, target)), Some(1)) => {
                    method.len() + target.len() + " ".len() + " HTTP/1.1\r\n".len()
                }
                _ => 0,
            };
            Sent {
                sure: (0..bytes.len()).map(|at| at < sure).collect(),
                bytes,
            }
        }
        Carried::Bytes { bytes } => Sent {
            sure: vec![true; bytes.0.len()],
            bytes: bytes.0.clone(),
        },
    }
}

/// The head of a request. Of what is not known stands nothing that anybody is shown.
pub(super) fn head(request: &DescribedRequest) -> Vec<u8> {
    let method = request.method.as_deref().unwrap_or("GET");
    let target = request.target.as_deref().unwrap_or("/");
    let host = request.fields.iter().find(|(name, _)| name == "host");
    let mut bytes = Vec::new();
    bytes.extend_from_slice(method.as_bytes());
    bytes.push(b' ');
    // Requests of HTTP/2 say their scheme and authority, and read so here.
    if let (Some(2), Some((_, host))) = (request.version, host) {
        bytes.extend_from_slice(request.scheme.as_bytes());
        bytes.extend_from_slice(b"://");
        bytes.extend_from_slice(&host.0);
    }
    bytes.extend_from_slice(target.as_bytes());
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in &request.fields {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(&value.0);
        bytes.extend_from_slice(b"\r\n");
    }
    if host.is_none() {
        bytes.extend_from_slice(b"host: unknown.invalid\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// A vector of TLS: content behind its length.
fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let mut bytes = length
        .get(length.len().saturating_sub(width)..)
        .unwrap_or_default()
        .to_vec();
    bytes.extend_from_slice(content);
    bytes
}

/// An extension of a ClientHello.
fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend(vector(2, content));
    bytes
}

/// A ClientHello in one record (RFC 8446, 4.1.2).
pub(super) fn hello(sni: Option<&str>, alpn: &[String]) -> Vec<u8> {
    let mut extensions = Vec::new();
    if let Some(name) = sni {
        let mut entry = vec![0];
        entry.extend(vector(2, name.as_bytes()));
        extensions.extend(extension(0, &vector(2, &entry)));
    }
    if !alpn.is_empty() {
        let names: Vec<u8> = (alpn.iter())
            .flat_map(|name| vector(1, name.as_bytes()))
            .collect();
        extensions.extend(extension(16, &vector(2, &names)));
    }
    extensions.extend(extension(43, &vector(1, &[3, 4, 3, 3])));
    let mut body = vec![3, 3];
    body.extend([0; 32]);
    body.extend(vector(1, &[]));
    body.extend(vector(2, &[0x13, 0x01, 0xc0, 0x2b]));
    body.extend(vector(1, &[0]));
    body.extend(vector(2, &extensions));
    let mut message = vec![1];
    message.extend(vector(3, &body));
    let mut record = vec![0x16, 3, 1];
    record.extend(vector(2, &message));
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use isthmus_proto::tls::ClientHello;

    #[test]
    fn a_hello_that_was_made_can_be_read() {
        let made = hello(Some("vault.example.test"), &["h2".to_owned()]);
        let read = ClientHello::read(&made[9..]).unwrap();
        assert_eq!(read.server_name(), Some(&b"vault.example.test"[..]));
        assert!(read.extension(16).unwrap().ends_with(b"\x02h2"));
        assert_eq!(usize::from(made[4]) + 5, made.len());
        let bare = hello(None, &[]);
        let read = ClientHello::read(&bare[9..]).unwrap();
        assert_eq!((read.server_name(), read.extension(16)), (None, None));
    }
}
