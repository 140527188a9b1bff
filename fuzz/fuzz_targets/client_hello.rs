//! Any bytes read as the first TLS handshake message without a panic; what was read stays so when
//! more bytes come, and what was refused stays refused.

#![no_main]

use isthmus_proto::tls::{ClientHello, Message, extension, ssl2_version};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = Message::read(bytes);
    for length in 0..bytes.len() {
        match Message::read(&bytes[..length]) {
            Ok(None) => {}
            Ok(Some(early)) => assert_eq!(whole.as_ref().ok(), Some(&Some(early))),
            Err(error) => assert_eq!(whole, Err(error)),
        }
    }
    let body = match &whole {
        Ok(Some(message)) => &message.body[..],
        _ => bytes,
    };
    if let Some(hello) = ClientHello::read(body) {
        assert!(hello.server_name().is_none_or(|name| !name.is_empty()));
        let _ = (hello.protocols().count(), hello.key_share_groups());
        let _ = hello.numbers(extension::SUPPORTED_GROUPS);
    }
    let _ = ssl2_version(bytes);
});
