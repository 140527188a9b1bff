//! TLS at the two ends of a session: the handshake with the client before anything else is read,
//! and the one with the server before anything is sent.

use std::sync::Arc;

use isthmus_proto::tls::{ClientHello, Message, extension};
use isthmus_sample::{Kind, Sample, cast};
use isthmus_sockets::Moved;
use isthmus_tls::{CHALLENGE, Channel, Hello, Reason};
use rustls::ServerConfig;

use crate::generation::Server;
use crate::live::TlsPlace;
use crate::secured::Handshake;
use crate::session::{Phase, Session};
use crate::tls_facts::offered;
use crate::view::View;
use crate::worker::{Step, Worker};

/// A ClientHello that is longer is refused; large ones hold 2 kB.
const LONGEST: usize = 32 * 1024;
/// The type of a handshake message that begins a connection.
const CLIENT_HELLO: u8 = 1;

/// HAProxy's number and text (`fc_err`, `fc_err_str`) of a handshake that came to nothing.
const CLOSED: (u8, &str) = (24, "Connection closed during SSL handshake");
const FAILED: (u8, &str) = (25, "Connection error during SSL handshake");
const LATE: (u8, &str) = (26, "Timeout during SSL handshake");

/// What the first bytes of a client say.
enum First {
    /// More are awaited.
    Incomplete,
    /// They choose this configuration.
    Chosen(Arc<ServerConfig>),
    /// They are no ClientHello, or one that is not served; the alert to answer with.
    Refused(Option<[u8; 7]>, Reason),
}

impl Worker {
    /// The handshake with the client.
    pub(crate) fn secure_client(&mut self, session: &mut Session) -> Step {
        if session.timed_out {
            return self.give_client_up(session, LATE);
        }
        if session.client.is_plain() {
            if let Some(step) = self.read_hello(session) {
                return step;
            }
        }
        match session.shake_hands_with_client() {
            Handshake::Done | Handshake::Early => session.keep_client_tls(None),
            Handshake::Waits => {
                session.down.writable &= !session.client.holds_sealed();
                return Step::Wait;
            }
            Handshake::Ended => return self.give_client_up(session, CLOSED),
            Handshake::Broken(_) => return self.give_client_up(session, FAILED),
            Handshake::Failed(failure) => {
                let channel = session.client.channel();
                let reason = channel.map(|channel| channel.reason(&failure));
                session.keep_client_tls(reason);
                return self.refuse_client(session, session.refusal());
            }
        }
        session.down.sealed = session.client.holds_sealed();
        session.down.writable &= !session.down.sealed;
        // What came with the last handshake message was received already.
        session.up.readable = true;
        session.phase = session.frontend.shared.first_phase();
        session.client_active = self.turn.now;
        match self.open_session(session) {
            // Whoever has a name proved has nothing to ask (RFC 8737 section 3).
            true if session.proves_name() => Step::Close,
            true if session.speaks_h2() => self.begin_h2(session, &[]),
            true => Step::Again,
            false => Step::Close,
        }
    }

    /// Reads until the ClientHello is whole, and begins TLS; a step where it cannot.
    fn read_hello(&mut self, session: &mut Session) -> Option<Step> {
        loop {
            match session.first_bytes() {
                First::Incomplete => {}
                First::Chosen(config) => return session.begin_tls(config).err(),
                First::Refused(alert, reason) => {
                    if let Some(alert) = alert {
                        let _ = session.client.send(&alert);
                    }
                    session.keep_client_tls(Some(reason));
                    return Some(self.refuse_client(session, session.refusal()));
                }
            }
            if !session.up.readable {
                return Some(match session.up.ended {
                    true => self.give_client_up(session, CLOSED),
                    false => Step::Wait,
                });
            }
            let space = self.scratch.get_mut(..LONGEST).unwrap_or_default();
            match session.client.receive(space) {
                Moved::Bytes(count) => {
                    let bytes = space.get(..count).unwrap_or_default();
                    session.up.pending.push(bytes);
                    session.client_active = self.turn.now;
                }
                Moved::Later => session.up.readable = false,
                Moved::End => {
                    session.up.readable = false;
                    session.up.ended = true;
                }
                Moved::Broken(_) => return Some(self.give_client_up(session, FAILED)),
            }
        }
    }

    /// The handshake came to nothing without anybody's refusal.
    fn give_client_up(&mut self, session: &mut Session, reason: (u8, &'static str)) -> Step {
        session.keep_client_tls(None);
        self.refuse_client(session, reason)
    }

    /// The handshake came to nothing.
    fn refuse_client(&mut self, session: &mut Session, reason: (u8, &'static str)) -> Step {
        self.log_embryonic(session, reason, session.up.pending.is_empty());
        Step::Close
    }

    /// The handshake with the server, which the time to connect includes.
    pub(crate) fn secure_server(&mut self, session: &mut Session) -> Step {
        if session.client_gone() {
            return Step::Close;
        }
        if session.timed_out {
            return self.failed_connect(session);
        }
        let Some(server) = &mut session.server else {
            return self.failed_connect(session);
        };
        match server.shake_hands(true) {
            done @ (Handshake::Done | Handshake::Early) => {
                if done == Handshake::Done {
                    session.keep_server_tls(None);
                }
                let Some(server) = &session.server else {
                    return self.failed_connect(session);
                };
                session.up.sealed = server.holds_sealed();
                session.up.writable &= !session.up.sealed;
                session.down.readable = true;
                self.connected(session)
            }
            Handshake::Waits => {
                session.up.writable &= !server.holds_sealed();
                Step::Wait
            }
            Handshake::Failed(failure) => {
                session.keep_server_tls(Some(&failure));
                self.failed_connect(session)
            }
            Handshake::Ended | Handshake::Broken(_) => self.failed_connect(session),
        }
    }
}

impl Worker {
    /// Takes note of the name that the chosen server is asked for.
    pub(crate) fn name_server(&self, session: &Session, server: &Server) {
        let Some(sni) = &server.sni else {
            return;
        };
        let view = View::new(session, &self.turn);
        let name = sni
            .value(&view)
            .and_then(|name| match cast(name, Kind::Str)? {
                Sample::Str(name) => String::from_utf8(name.to_vec()).ok(),
                _ => None,
            });
        let name = name.filter(|name| !name.is_empty());
        session.notes().server_name.replace(name);
    }
}

impl Session {
    /// Whether the handshake was all that an authority wanted.
    fn proves_name(&self) -> bool {
        let channel = self.client.channel();
        channel.is_some_and(|c| c.state().alpn_protocol() == Some(CHALLENGE))
    }

    /// Whether TLS agreed on HTTP/2.
    pub(crate) fn speaks_h2(&self) -> bool {
        let channel = self.client.channel();
        self.speaks_http()
            && self.listener.shared.plan.h2 != Some(false)
            && channel.is_some_and(|c| c.state().alpn_protocol() == Some(b"h2"))
    }

    /// What the bytes received so far say.
    fn first_bytes(&self) -> First {
        /// RFC 8446, 6: unexpected_message.
        const UNEXPECTED: u8 = 10;
        /// decode_error
        const MALFORMED: u8 = 50;
        /// protocol_version
        const OLD: u8 = 70;
        const TLS_1_2: u16 = 0x0303;
        let Some(acceptor) = &self.listener.shared.acceptor else {
            return First::Refused(None, Reason::NOT_TLS);
        };
        let received = self.up.pending.as_slice();
        if received.is_empty() {
            return First::Incomplete;
        }
        let message = match Message::read(received) {
            Ok(Some(message)) => message,
            // The first byte behind the record's header says what message it is.
            Ok(None) if received.get(5).is_some_and(|kind| *kind != CLIENT_HELLO) => {
                return First::Refused(Some(fatal(UNEXPECTED)), Reason::UNEXPECTED);
            }
            Ok(None) if received.len() < LONGEST => return First::Incomplete,
            Ok(None) => return First::Refused(Some(fatal(MALFORMED)), Reason::MALFORMED),
            // What speaks something else would not understand an alert.
            Err(_) => return First::Refused(None, instead_of_tls(received)),
        };
        if message.kind != CLIENT_HELLO {
            return First::Refused(Some(fatal(UNEXPECTED)), Reason::UNEXPECTED);
        }
        let Some(hello) = ClientHello::read(&message.body) else {
            return First::Refused(Some(fatal(MALFORMED)), Reason::MALFORMED);
        };
        self.note_hello(&hello);
        if offered(&hello) < TLS_1_2 {
            return First::Refused(Some(fatal(OLD)), Reason::OLD_VERSION);
        }
        let acceptor = acceptor.load();
        match tell(&hello, |hello| acceptor.choose(hello)) {
            Ok(config) => {
                self.note_certificate(&acceptor, &config);
                First::Chosen(config)
            }
            Err(refusal) => First::Refused(Some(refusal.alert()), Reason::UNKNOWN_NAME),
        }
    }

    fn begin_tls(&mut self, config: Arc<ServerConfig>) -> Result<(), Step> {
        let channel = Channel::server(config).map_err(|_| Step::Close)?;
        let channel = self.frontend.generation.tls.watched(channel);
        let pending = std::mem::take(&mut self.up.pending);
        self.client.secure(channel, pending.as_slice(), &[]);
        Ok(())
    }

    /// Begins TLS over a server connection that stands; `prefix` is sent before it in the clear.
    pub(crate) fn secure_to_server(&mut self, prefix: &[u8]) -> bool {
        let Some(chosen) = self.chosen.clone() else {
            return false;
        };
        let only_http1 = self.asks_for_h1();
        let early = self.may_send_early();
        let (Some(connector), Some(server)) = (&chosen.shared.connector, &mut self.server) else {
            return false;
        };
        let connector = connector.load();
        let notes = self.notes.get();
        let sni = notes.and_then(|notes| notes.server_name.borrow().clone());
        let trusts = chosen
            .shared
            .plan
            .tls
            .as_ref()
            .is_some_and(|tls| !tls.verify);
        let name = connector.server_name(sni.as_deref());
        // A name that cannot be sent, as one with a port, matters only where it is verified.
        let Ok(name) = name.or_else(|error| match trusts {
            true => connector.server_name(None),
            false => Err(error),
        }) else {
            return false;
        };
        let early = early.then(|| connector.early_config()).flatten();
        let sends_early = early.is_some();
        let config = early.unwrap_or_else(|| match only_http1 {
            true => connector.http1_config(),
            false => connector.config(),
        });
        let Ok(channel) = Channel::client(config, name) else {
            return false;
        };
        let channel = self.frontend.generation.tls.watched(channel);
        server.secure(channel, &[], prefix);
        if let Some(secured) = server.secured() {
            secured.sends_early = sends_early;
            secured.place = Some(TlsPlace::new(&self.frontend.generation.process));
        }
        self.phase = Phase::ServerTls;
        true
    }
}

/// Tells somebody what of a ClientHello chooses a certificate.
fn tell<T>(hello: &ClientHello<'_>, told: impl FnOnce(&Hello<'_>) -> T) -> T {
    let schemes = hello.numbers(extension::SIGNATURE_ALGORITHMS);
    let name = hello.server_name();
    told(&Hello {
        server_name: name.and_then(|name| std::str::from_utf8(name).ok()),
        signature_schemes: numbers(schemes.unwrap_or_default())
            .map(Into::into)
            .collect(),
        cipher_suites: numbers(hello.cipher_suites).map(Into::into).collect(),
        challenge: hello.protocols().eq([CHALLENGE]),
    })
}

/// Numbers of two bytes each.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = u16> {
    let pairs = bytes.chunks_exact(2);
    pairs.filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)))
}

/// What came where a ClientHello was awaited.
fn instead_of_tls(received: &[u8]) -> Reason {
    let requests = [&b"GET "[..], b"POST ", b"HEAD ", b"PUT "];
    match requests.iter().any(|start| received.starts_with(start)) {
        true => Reason::HTTP_REQUEST,
        false => Reason::NOT_TLS,
    }
}

/// The record of a fatal alert (RFC 8446, 6).
fn fatal(description: u8) -> [u8; 7] {
    [21, 3, 3, 0, 2, 2, description]
}
