//! Who is believed: servers, clients, and sessions that are resumed, in handshakes in memory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod paper;

use std::sync::Arc;

use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, Resumption};
use rustls::pki_types::ServerName;

use isthmus_plan::tls::*;
use paper::*;

const NOTHING: &[&str] = &[];

#[test]
fn a_server_is_believed_by_authority_and_by_name_where_one_is_known() {
    let (authority, stranger) = (Authority::new("ca"), Authority::new("stranger"));
    let made = vec![
        authority.issue(&["a.test", "192.0.2.1"], false, |_| {}),
        stranger.issue(&["a.test"], false, |_| {}),
        authority.issue(&["a.test"], false, |of| {
            of.not_after = rcgen::date_time_ymd(2001, 1, 1);
        }),
    ];
    let files = files(made, &authority);
    let shown = |at| acceptor(&bind(vec![settings()], &[(at, 0, NOTHING)]), &files);
    let good = |acceptor, verify, host: Option<&str>, sni| {
        let mut line = server();
        line.verify = verify;
        line.verify_host = host.map(ToOwned::to_owned);
        meet(acceptor, &connector(&line, &files), sni).is_ok()
    };
    let (right, strange, expired) = (shown(0), shown(1), shown(2));
    for (acceptor, verify, host, sni, believed) in [
        (&right, true, None, None, true),
        (&right, true, None, Some("a.test"), true),
        (&right, true, None, Some("b.test"), false),
        (&right, true, Some("a.test"), None, true),
        (&right, true, Some("b.test"), None, false),
        (&right, true, Some("192.0.2.1"), None, true),
        // The name that is sent comes before `verifyhost`.
        (&right, true, Some("b.test"), Some("a.test"), true),
        (&right, false, Some("b.test"), Some("c.test"), true),
        // An address is compared too, though it is not sent.
        (&right, true, None, Some("192.0.2.1"), true),
        (&right, true, None, Some("192.0.2.2"), false),
        (&right, true, None, Some("2001:db8::1"), false),
        (&right, true, Some("a.test"), Some("192.0.2.2"), false),
        (&right, false, None, Some("192.0.2.2"), true),
        (&strange, true, None, Some("a.test"), false),
        (&strange, false, None, Some("a.test"), true),
        (&expired, true, None, None, false),
        (&expired, false, None, None, true),
    ] {
        assert_eq!(
            good(acceptor, verify, host, sni),
            believed,
            "{verify} {host:?} {sni:?}"
        );
    }
}

#[test]
fn a_name_that_stands_for_none_is_not_taken() {
    let authority = Authority::new("ca");
    let connector = connector(&server(), &files(Vec::new(), &authority));
    for name in ["0.0.0.0", "a.test:443", "[::1]"] {
        assert!(connector.server_name(Some(name)).is_err(), "{name}");
    }
    assert_eq!(connector.server_name(None), connector.server_name(Some("")));
}

#[test]
fn clients_need_a_certificate_of_the_authority_where_the_entry_says_so() {
    let (authority, stranger) = (Authority::new("ca"), Authority::new("stranger"));
    let client = |of: &mut rcgen::CertificateParams| {
        of.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    };
    let made = vec![
        authority.issue(&["open.test"], false, |_| {}),
        authority.issue(&["closed.test"], false, |_| {}),
        authority.issue(&["asked.test"], false, |_| {}),
        authority.issue(&["friend"], false, client),
        stranger.issue(&["enemy"], false, client),
    ];
    let files = files(made, &authority);
    let asking = |verify| {
        let mut own = settings();
        own.client.verify = verify;
        own.client.authorities = vec![0];
        own.client.name_authorities = true;
        own
    };
    let all = vec![
        settings(),
        asking(ClientVerification::Required),
        asking(ClientVerification::Optional),
    ];
    let line = bind(all, &[(0, 0, NOTHING), (1, 1, NOTHING), (2, 2, NOTHING)]);
    let acceptor = acceptor(&line, &files);
    for (name, certificate, welcome) in [
        ("open.test", None, true),
        ("open.test", Some(4), true),
        ("closed.test", None, false),
        ("closed.test", Some(3), true),
        ("closed.test", Some(4), false),
        ("asked.test", None, true),
        ("asked.test", Some(3), true),
        ("asked.test", Some(4), false),
    ] {
        let mut line = server();
        line.certificate = certificate;
        let met = meet(&acceptor, &connector(&line, &files), Some(name));
        assert_eq!(met.is_ok(), welcome, "{name} {certificate:?}");
    }
}

#[test]
fn errors_that_are_ignored_let_no_others_pass() {
    let (authority, stranger) = (Authority::new("ca"), Authority::new("stranger"));
    let old = |of: &mut rcgen::CertificateParams| {
        of.not_before = rcgen::date_time_ymd(2000, 1, 1);
        of.not_after = rcgen::date_time_ymd(2001, 1, 1);
    };
    let made = vec![
        authority.issue(&["a.test"], false, |_| {}),
        authority.issue(&["expired"], false, old),
        stranger.issue(&["strange"], false, |_| {}),
        stranger.issue(&["both"], false, old),
    ];
    let files = files(made, &authority);
    let list = |numbers: &[u32]| IgnoredErrors {
        all: numbers.is_empty(),
        numbers: numbers.to_vec(),
    };
    for (own, chain, welcome) in [
        (list(&[10]), list(&[99]), [true, false, false]),
        (list(&[9]), list(&[99]), [false, false, false]),
        (list(&[20]), list(&[99]), [false, false, false]),
        (list(&[20, 21]), list(&[99]), [false, true, false]),
        (list(&[10, 20, 21]), list(&[99]), [true, true, true]),
        (list(&[99]), list(&[]), [false, false, false]),
        (list(&[]), list(&[]), [true, true, true]),
    ] {
        let mut asking = settings();
        asking.client.verify = ClientVerification::Required;
        asking.client.authorities = vec![0];
        asking.client.ignored = own.clone();
        asking.client.ignored_in_chain = chain;
        let acceptor = acceptor(&bind(vec![asking], &[(0, 0, NOTHING)]), &files);
        for (certificate, welcome) in (1..4).zip(welcome) {
            let mut line = server();
            line.certificate = Some(certificate);
            let met = meet(&acceptor, &connector(&line, &files), None);
            assert_eq!(met.is_ok(), welcome, "{own:?} {certificate}");
        }
    }
}

#[test]
fn clients_sign_with_the_schemes_of_client_sigalgs() {
    let authority = Authority::new("ca");
    let made = vec![
        authority.issue(&["a.test"], false, |_| {}),
        authority.issue(&["ecdsa"], false, |_| {}),
        authority.issue(&["rsa"], true, |_| {}),
    ];
    let files = files(made, &authority);
    let mut asking = settings();
    asking.client.verify = ClientVerification::Required;
    asking.client.authorities = vec![0];
    asking.client.schemes = vec![Scheme::RsaPssSha256];
    let acceptor = acceptor(&bind(vec![asking], &[(0, 0, NOTHING)]), &files);
    for (certificate, welcome) in [(1, false), (2, true)] {
        let mut line = server();
        line.certificate = Some(certificate);
        let met = meet(&acceptor, &connector(&line, &files), None);
        assert_eq!(met.is_ok(), welcome, "{certificate}");
    }
}

/// Two entries of one bind line: one that asks clients for certificates, one that does not.
fn two_rules(tickets: bool) -> (TlsFiles, BindTls) {
    let authority = Authority::new("ca");
    let made = vec![
        authority.issue(&["open.test"], false, |_| {}),
        authority.issue(&["closed.test"], false, |_| {}),
    ];
    let mut open = settings();
    open.tickets = tickets;
    let mut closed = open.clone();
    closed.client.verify = ClientVerification::Optional;
    closed.client.authorities = vec![0];
    let line = bind(vec![open, closed], &[(0, 0, NOTHING), (1, 1, NOTHING)]);
    (files(made, &authority), line)
}

#[test]
fn a_session_is_resumed_by_tickets_and_by_the_cache() {
    for tickets in [true, false] {
        for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
            let (files, line) = two_rules(tickets);
            let acceptor = acceptor(&line, &files);
            let mut to = server();
            to.negotiation.versions = vec![version];
            let connector = connector(&to, &files);
            let resumed = || {
                meet(&acceptor, &connector, Some("open.test"))
                    .unwrap()
                    .resumed()
            };
            assert!(!resumed(), "tickets {tickets}, {version:?}");
            assert!(resumed(), "tickets {tickets}, {version:?}");
            to.reuse = false;
            let forgetful = paper::connector(&to, &files);
            for _ in 0..2 {
                let met = meet(&acceptor, &forgetful, Some("open.test")).unwrap();
                assert!(!met.resumed());
            }
        }
    }
}

/// What a client keeps sessions in that offers the session of one name under another.
#[derive(Debug)]
struct OneName(ClientSessionMemoryCache);
fn one() -> ServerName<'static> {
    ServerName::try_from("one.test").unwrap()
}
impl ClientSessionStore for OneName {
    fn set_kx_hint(&self, _: ServerName<'static>, group: rustls::NamedGroup) {
        self.0.set_kx_hint(one(), group);
    }
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<rustls::NamedGroup> {
        self.0.kx_hint(&one())
    }
    fn set_tls12_session(
        &self,
        _: ServerName<'static>,
        value: rustls::client::Tls12ClientSessionValue,
    ) {
        self.0.set_tls12_session(one(), value);
    }
    fn tls12_session(&self, _: &ServerName<'_>) -> Option<rustls::client::Tls12ClientSessionValue> {
        self.0.tls12_session(&one())
    }
    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.remove_tls12_session(&one());
    }
    fn insert_tls13_ticket(
        &self,
        _: ServerName<'static>,
        value: rustls::client::Tls13ClientSessionValue,
    ) {
        self.0.insert_tls13_ticket(one(), value);
    }
    fn take_tls13_ticket(
        &self,
        _: &ServerName<'static>,
    ) -> Option<rustls::client::Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&one())
    }
}

#[test]
fn a_ticket_of_one_entry_does_not_open_another_with_other_rules() {
    for tickets in [true, false] {
        for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
            let (files, line) = two_rules(tickets);
            let acceptor = acceptor(&line, &files);
            let mut to = server();
            to.negotiation.versions = vec![version];
            let mut config = rustls::ClientConfig::clone(&connector(&to, &files).config());
            let store = Arc::new(OneName(ClientSessionMemoryCache::new(8)));
            config.resumption = Resumption::store(store);
            let config = Arc::new(config);
            let kind = |name: &'static str| {
                let name = ServerName::try_from(name).unwrap();
                let client = rustls::ClientConnection::new(config.clone(), name).unwrap();
                shake(client, &acceptor).map(|met| met.resumed())
            };
            assert_eq!(kind("open.test").ok(), Some(false));
            assert_eq!(kind("open.test").ok(), Some(true), "the store works");
            // Whatever becomes of the handshake, nothing is resumed.
            assert_ne!(
                kind("closed.test").ok(),
                Some(true),
                "{tickets} {version:?}"
            );
        }
    }
}
