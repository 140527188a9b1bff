//! What expressions are told of the TLS of a session's connections: gathered while hands are
//! shaken, and only what the configuration asks for.

use std::rc::Rc;
use std::sync::Arc;

use isthmus_plan::tls::TlsFiles;
use isthmus_proto::tls::ClientHello;
use isthmus_sample::{Distrust, Greeting, HandshakeError, SecretLabel, Side, TlsFacts, TlsNeeds};
use isthmus_tls::{Acceptor, Channel, Failure, Reason, Trust, Witnessed};
use rustls::pki_types::CertificateDer;
use rustls::{HandshakeKind, ProtocolVersion, ServerConfig};

use crate::session::Session;
use crate::transport::Transport;

/// HAProxy's number and text (`fc_err`, `fc_err_str`) of a client that is not believed.
const CHAIN_DISTRUSTED: (u8, &str) = (30, "SSL client CA chain cannot be verified");
const CLIENT_DISTRUSTED: (u8, &str) = (31, "SSL client certificate not trusted");
const REFUSED: (u8, &str) = (34, "SSL handshake failure");

/// What is kept of the TLS of a plan's connections.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kept {
    pub(crate) needs: TlsNeeds,
    /// Bytes of data in a record at most, and at the beginning of what is sent; 0 is no limit.
    records: (usize, usize),
    /// Bytes of the lists of a ClientHello.
    capture: usize,
    /// Whether any secret is.
    secrets: bool,
}

impl Kept {
    pub(crate) fn new(needs: TlsNeeds, files: &TlsFiles) -> Self {
        Self {
            needs,
            records: (files.record, files.first_records),
            capture: files.capture,
            secrets: needs.secrets && files.keylog || needs.master,
        }
    }

    /// A channel whose records are as the plan says, and that lets be seen what is kept.
    pub(crate) fn watched(&self, channel: Channel) -> Channel {
        let channel = match self.records {
            (0, 0) => channel,
            (most, first) => channel.with_records(most, first),
        };
        let seen = self.needs.hellos || self.needs.peer || self.needs.unique;
        match seen || self.secrets {
            true => channel.watched(self.secrets),
            false => channel,
        }
    }

    /// Adds what a channel knows once its handshake is over, one way or the other.
    fn complete(&self, facts: &mut TlsFacts, channel: &mut Channel) {
        let witnessed = channel.take_witnessed();
        let state = channel.state();
        facts.version = state.protocol_version().map(u16::from).or(facts.version);
        facts.complete = channel.is_open() || channel.is_early();
        facts.early = channel.took_early();
        // Before TLS 1.3 OpenSSL knows of no cipher until both sides use it.
        let suite = state.negotiated_cipher_suite();
        let used = facts.complete || facts.version == Some(ProtocolVersion::TLSv1_3.into());
        facts.suite = suite.filter(|_| used).map(|suite| suite.suite().into());
        let group = state.negotiated_key_exchange_group();
        facts.group = group.map(|group| group.name().into());
        facts.alpn = state.alpn_protocol().map(Into::into);
        facts.resumed = state.handshake_kind() == Some(HandshakeKind::Resumed);
        if self.needs.peer {
            let chain = state.peer_certificates().unwrap_or_default();
            facts.peer = chain.iter().map(|each| each.as_ref().into()).collect();
        }
        if let Some(witnessed) = witnessed {
            self.remember(facts, witnessed);
        }
    }

    fn remember(&self, facts: &mut TlsFacts, witnessed: Witnessed) {
        if let Some(body) = &witnessed.client_hello {
            if facts.greeting.is_none() {
                let hello = ClientHello::read(body);
                facts.greeting = hello.map(|hello| Greeting::of(&hello, 0));
            }
        }
        if let Some((random, id)) = witnessed.server_hello.as_deref().and_then(server_hello) {
            facts.server_random = Some(random.into());
            facts.session_id = id.into();
        }
        if let Some(distrusted) = witnessed.distrusted {
            facts.distrust = Distrust {
                last: distrusted.last,
                last_depth: distrusted.last_depth,
                own: distrusted.own,
                behind: distrusted.behind,
                behind_depth: distrusted.behind_depth,
            };
            if facts.peer.is_empty() {
                let chain = distrusted.chain.iter();
                facts.peer = chain.map(|each| each.as_ref().into()).collect();
            }
        }
        let finished = witnessed.finished.filter(|_| self.needs.unique);
        facts.unique = finished.map(Vec::into_boxed_slice);
        let secrets = witnessed.secrets.into_iter().filter_map(|(label, secret)| {
            let label = SecretLabel::of(&label)?;
            let wanted = self.needs.secrets || label == SecretLabel::Master;
            wanted.then(|| (label, secret.into_boxed_slice()))
        });
        facts.secrets = secrets.collect();
    }
}

/// Random bytes and session identifier of a ServerHello (RFC 8446, 4.1.3).
fn server_hello(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (random, rest) = body.get(2..)?.split_at_checked(32)?;
    let (length, rest) = rest.split_first()?;
    Some((random, rest.get(..usize::from(*length))?))
}

/// The highest version that a client offers.
pub(crate) fn offered(hello: &ClientHello<'_>) -> u16 {
    /// `supported_versions` (RFC 8446, 4.2.1).
    const VERSIONS: u16 = 43;
    let pair = |pair: &[u8]| pair.try_into().map_or(0, u16::from_be_bytes);
    let versions = hello.short_list(VERSIONS).unwrap_or_default().chunks(2);
    let known = versions
        .map(pair)
        .filter(|version| (0x0301..=0x0304).contains(version));
    let own = u16::from_be_bytes([hello.version.0, hello.version.1]);
    known.max().unwrap_or(own)
}

impl Session {
    /// Notes what a ClientHello says, where anybody asks.
    pub(crate) fn note_hello(&self, hello: &ClientHello<'_>) {
        let kept = &self.frontend.generation.tls;
        let acceptor = self.listener.shared.acceptor.as_ref();
        let told_apart = acceptor.is_some_and(|acceptor| !acceptor.load().is_uniform());
        if !(kept.needs.facts || told_apart) {
            return;
        }
        let mut facts = self.notes().client_tls.borrow_mut();
        facts.version = Some(offered(hello));
        if kept.needs.hellos || told_apart {
            facts.greeting = Some(Greeting::of(hello, kept.capture));
        }
    }

    /// Notes which certificate a client is shown, where anybody asks.
    pub(crate) fn note_certificate(&self, acceptor: &Acceptor, config: &Arc<ServerConfig>) {
        let needs = self.frontend.generation.tls.needs;
        if needs.root {
            *self.notes().client_trust.borrow_mut() = acceptor.trust(config);
        }
        if !needs.own {
            return;
        }
        if let Some((der, name)) = acceptor.shown(config) {
            let mut facts = self.notes().client_tls.borrow_mut();
            facts.own = Some(der.into());
            facts.own_name = Some(name.into());
        }
    }

    /// The handshake with the client is over.
    pub(crate) fn keep_client_tls(&mut self, failure: Option<Reason>) {
        let kept = self.frontend.generation.tls;
        let noted = self.notes.get().map(|notes| notes.client_tls.take());
        if !kept.needs.facts && noted.as_ref().is_none_or(|facts| facts.greeting.is_none()) {
            return;
        }
        let mut facts = noted.unwrap_or_default();
        if let Some(secured) = self.client.secured() {
            kept.complete(&mut facts, &mut secured.channel);
        }
        if kept.needs.root && facts.complete && facts.distrust.last == 0 {
            let trust = self.notes.get();
            let trust = trust.and_then(|notes| notes.client_trust.take());
            facts.root = trust.and_then(|trust| root(&trust, &facts.peer));
        }
        facts.failure = failure.map(handshake_error);
        self.tls = Some(Rc::new(facts));
    }

    /// The handshake with the server is over.
    pub(crate) fn keep_server_tls(&mut self, failure: Option<&Failure>) {
        let kept = self.frontend.generation.tls;
        let secured = self.server.as_mut().and_then(Transport::secured);
        let Some(secured) = secured.filter(|_| kept.needs.facts) else {
            return;
        };
        let mut facts = TlsFacts::default();
        kept.complete(&mut facts, &mut secured.channel);
        facts.failure = failure.map(|failure| handshake_error(secured.channel.reason(failure)));
        let facts = Arc::new(facts);
        self.past_server_tls = failure.map(|_| facts.clone());
        secured.facts = Some(facts);
    }

    /// HAProxy's number and text of a client that one side refused.
    pub(crate) fn refusal(&self) -> (u8, &'static str) {
        let distrust = self
            .tls
            .as_ref()
            .map_or(Distrust::default(), |facts| facts.distrust);
        match distrust {
            Distrust { last: 0, .. } => REFUSED,
            Distrust { last_depth: 0, .. } => CLIENT_DISTRUSTED,
            Distrust { .. } => CHAIN_DISTRUSTED,
        }
    }

    /// Whether a connection is under TLS; `None` where there is none.
    pub(crate) fn speaks_tls(&self, side: Side) -> Option<bool> {
        match side {
            Side::Request => Some(self.listener.shared.acceptor.is_some()),
            Side::Response => {
                let now = self.server.as_ref().map(|server| !server.is_plain());
                now.or(self.past_server_tls.as_ref().map(|_| true))
            }
        }
    }

    /// What is known of a connection's TLS.
    pub(crate) fn tls_facts(&self, side: Side) -> Option<&TlsFacts> {
        match side {
            Side::Request => self.tls.as_deref(),
            Side::Response => {
                let now = self.server.as_ref().and_then(Transport::facts);
                now.or(self.past_server_tls.as_ref()).map(|facts| &**facts)
            }
        }
    }
}

/// The name of the authority that a client's chain ends with.
fn root(trust: &Trust, chain: &[Box<[u8]>]) -> Option<Box<[u8]>> {
    let chain: Vec<_> = chain
        .iter()
        .map(|each| CertificateDer::from(&**each))
        .collect();
    trust.root(&chain).map(Into::into)
}

fn handshake_error(reason: Reason) -> HandshakeError {
    HandshakeError {
        code: reason.code(),
        text: reason.text(),
    }
}
