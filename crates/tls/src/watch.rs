//! What is kept of a handshake for those who ask about it later: both hellos, secrets, and why a
//! certificate was not believed. Connections of which nobody asks keep nothing.
//!
//! rustls tells secrets and certificates through callbacks that know no connection; they run
//! while a channel receives, on its thread, which is how they are brought together.

use std::cell::RefCell;

use isthmus_proto::tls::Message;
use rustls::KeyLog;

use crate::distrust::Distrusted;

/// The type of the server's first handshake message (RFC 8446, 4).
const SERVER_HELLO: u8 = 2;
/// The random bytes of a ServerHello that asks for another ClientHello (RFC 8446, 4.1.3).
const RETRY: [u8; 8] = [0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11];
/// The type of records that middleboxes want to see between the hellos (RFC 8446, D.4).
const CHANGE_CIPHER_SPEC: u8 = 20;

thread_local! {
    /// What callbacks tell of the channel that receives just now; `None` while nobody asks.
    static TOLD: RefCell<Option<Told>> = const { RefCell::new(None) };
}

#[derive(Debug, Default)]
struct Told {
    secrets: Option<Vec<Secret>>,
    distrusted: Option<Distrusted>,
    finished: Option<Vec<u8>>,
}

/// A secret: its label in key logs, and its bytes.
pub type Secret = (String, Vec<u8>);

/// What was seen of a handshake.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Witnessed {
    /// The body of the ClientHello that we sent.
    pub client_hello: Option<Vec<u8>>,
    /// The body of the ServerHello.
    pub server_hello: Option<Vec<u8>>,
    /// Secrets, where they were asked for.
    pub secrets: Vec<Secret>,
    /// What is wrong with the client's certificate, ignored or not.
    pub distrusted: Option<Distrusted>,
    /// The first Finished message of TLS 1.2, whoever sent it (`tls-unique`, RFC 5929 section 3).
    pub finished: Option<Vec<u8>>,
}

/// Watches a handshake.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) witnessed: Witnessed,
    secrets: bool,
}

impl Watch {
    pub(crate) fn new(secrets: bool) -> Self {
        Self {
            secrets,
            ..Self::default()
        }
    }

    /// Looks at ciphertext before it is opened, and listens to callbacks from now on.
    pub(crate) fn before(&mut self, records: &[u8]) {
        self.look(records);
        TOLD.set(Some(Told {
            secrets: self.secrets.then(Vec::new),
            ..Told::default()
        }));
    }

    /// Looks at what was made, and takes what callbacks told.
    pub(crate) fn after(&mut self, made: &[u8]) {
        self.look(made);
        if let Some(told) = TOLD.take() {
            self.witnessed
                .secrets
                .extend(told.secrets.unwrap_or_default());
            let witnessed = &mut self.witnessed;
            witnessed.distrusted = witnessed.distrusted.take().or(told.distrusted);
            witnessed.finished = witnessed.finished.take().or(told.finished);
        }
    }

    fn look(&mut self, mut records: &[u8]) {
        if self.witnessed.server_hello.is_some() {
            return;
        }
        while let Some(([CHANGE_CIPHER_SPEC, ..], _)) = records.split_first_chunk::<6>() {
            records = records.get(6..).unwrap_or_default();
        }
        let Ok(Some(message)) = Message::read(records) else {
            return;
        };
        if message.kind != SERVER_HELLO {
            self.witnessed
                .client_hello
                .get_or_insert_with(|| message.body.into_owned());
        } else if message.body.get(2..10) != Some(&RETRY) {
            self.witnessed.server_hello = Some(message.body.into_owned());
        }
    }
}

/// Tells the channel that receives just now what is wrong with a certificate, if anybody asks.
pub(crate) fn tell_distrust(of: impl FnOnce() -> Distrusted) {
    TOLD.with_borrow_mut(|told| {
        if let Some(told) = told {
            told.distrusted.get_or_insert_with(of);
        }
    });
}

/// Tells the channel that receives just now of a Finished message, if anybody asks.
pub(crate) fn tell_finished(message: &[u8]) {
    TOLD.with_borrow_mut(|told| {
        if let Some(told) = told {
            told.finished.get_or_insert_with(|| message.to_vec());
        }
    });
}

/// Gives secrets to the channel that receives just now, if it wants them.
#[derive(Debug)]
pub(crate) struct Secrets;

impl KeyLog for Secrets {
    fn log(&self, label: &str, _client_random: &[u8], secret: &[u8]) {
        TOLD.with_borrow_mut(|told| {
            let wanted = told.as_mut().and_then(|told| told.secrets.as_mut());
            if let Some(secrets) = wanted {
                secrets.push((label.to_owned(), secret.to_vec()));
            }
        });
    }

    fn will_log(&self, _label: &str) -> bool {
        TOLD.with_borrow(|told| told.as_ref().is_some_and(|told| told.secrets.is_some()))
    }
}
