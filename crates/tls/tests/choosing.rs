//! Which certificate a client is shown, in handshakes in memory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod paper;

use isthmus_plan::tls::*;
use isthmus_tls::Refusal;
use paper::*;

const NOTHING: &[&str] = &[];

#[test]
fn the_name_chooses_the_certificate_exact_before_wildcard_and_the_first_is_the_default() {
    let authority = Authority::new("ca");
    let made = vec![
        authority.issue(&["first.test"], false, |_| {}),
        authority.issue(&["*.example.test"], false, |_| {}),
        authority.issue(&["www.example.test"], true, |_| {}),
        authority.issue(&["other.test"], false, |_| {}),
    ];
    let files = files(made, &authority);
    let entries: &[(usize, usize, &[&str])] = &[
        (0, 0, NOTHING),
        (1, 0, NOTHING),
        (2, 0, NOTHING),
        (3, 0, &["*.filtered.test", "!not.filtered.test"]),
    ];
    let acceptor = acceptor(&bind(vec![settings()], entries), &files);
    let mut trusting = server();
    trusting.verify = false;
    let connector = connector(&trusting, &files);
    for (name, certificate) in [
        (Some("first.test"), 0),
        (Some("a.example.test"), 1),
        (Some("A.EXAMPLE.test"), 1),
        // RSA, where the wildcard's ECDSA would do as well.
        (Some("www.example.test"), 2),
        (Some("a.b.example.test"), 0),
        (Some("other.test"), 0),
        (Some("yes.filtered.test"), 3),
        (Some("not.filtered.test"), 0),
        (None, 0),
    ] {
        let met = meet(&acceptor, &connector, name).unwrap_or_else(|e| panic!("{name:?}: {e:?}"));
        assert_eq!(
            met.shown(),
            der(&files.certificates[certificate]),
            "{name:?}"
        );
    }
}

#[test]
fn strict_sni_refuses_other_names_and_none() {
    let authority = Authority::new("ca");
    let files = files(
        vec![authority.issue(&["a.test"], false, |_| {})],
        &authority,
    );
    let mut line = bind(vec![settings()], &[(0, 0, NOTHING)]);
    line.strict_sni = true;
    let acceptor = acceptor(&line, &files);
    let connector = connector(&server(), &files);
    assert!(meet(&acceptor, &connector, Some("a.test")).is_ok());
    for name in [Some("b.test"), None] {
        let refused = meet(&acceptor, &connector, name);
        assert!(matches!(
            refused,
            Err(Failed::Refused(Refusal::UnknownName))
        ));
    }
    assert_eq!(Refusal::UnknownName.alert()[6], 112);
}

#[test]
fn of_two_certificates_for_a_name_the_one_that_the_client_can_verify_is_shown() {
    let authority = Authority::new("ca");
    let made = vec![
        authority.issue(&["a.test"], true, |_| {}),
        authority.issue(&["a.test"], false, |_| {}),
    ];
    let files = files(made, &authority);
    let acceptor = acceptor(
        &bind(vec![settings()], &[(0, 0, NOTHING), (1, 0, NOTHING)]),
        &files,
    );
    let with = |schemes: &[Scheme], suites: &[Suite], versions: &[TlsVersion]| {
        let mut line = server();
        line.negotiation.schemes = schemes.to_vec();
        line.negotiation.suites = suites.to_vec();
        line.negotiation.versions = versions.to_vec();
        let met = meet(&acceptor, &connector(&line, &files), Some("a.test")).unwrap();
        met.shown() == der(&files.certificates[1])
    };
    let rsa = [Scheme::RsaPssSha256, Scheme::RsaPkcs1Sha256];
    assert!(with(&[], &[], &[]), "ECDSA comes first");
    // The authority signs with ECDSA, which the client has to be able to verify anyway.
    assert!(with(&[Scheme::EcdsaSecp256r1Sha256], &[], &[]));
    assert!(!with(&rsa, &[], &[]));
    assert!(!with(&[], &[Suite::RsaAes128Gcm], &[TlsVersion::Tls12]));
    assert!(with(&[], &[Suite::EcdsaAes128Gcm], &[TlsVersion::Tls12]));
}

#[test]
fn a_wildcard_stands_in_where_the_client_can_verify_no_certificate_of_the_name() {
    let authority = Authority::new("ca");
    let made = vec![
        authority.issue(&["default.test"], false, |_| {}),
        authority.issue(&["b.example.test"], false, |_| {}),
        authority.issue(&["*.example.test"], true, |_| {}),
    ];
    let files = files(made, &authority);
    let mut asking = settings();
    asking.client.verify = ClientVerification::Optional;
    asking.client.authorities = vec![0];
    let line = |of_wildcard, filters: &'static [&'static str]| {
        let entries = [(0, 0, NOTHING), (1, 0, NOTHING), (2, of_wildcard, filters)];
        acceptor(&bind(vec![settings(), asking.clone()], &entries), &files)
    };
    let mut only_rsa = server();
    only_rsa.negotiation.schemes = vec![Scheme::RsaPssSha256, Scheme::RsaPkcs1Sha256];
    let excluding = &["*.example.test", "!b.example.test"];
    for (acceptor, client, shown) in [
        (line(0, NOTHING), &server(), Some(1)),
        (line(0, NOTHING), &only_rsa, Some(2)),
        // Another rule for clients' certificates, or another name.
        (line(1, NOTHING), &only_rsa, None),
        (line(0, excluding), &only_rsa, None),
    ] {
        let met = meet(
            &acceptor,
            &connector(client, &files),
            Some("b.example.test"),
        );
        let expected = shown.map(|at: usize| der(&files.certificates[at]));
        assert_eq!(met.ok().map(|met| met.shown()), expected);
    }
}

#[test]
fn every_entry_has_its_own_versions_and_protocols() {
    let authority = Authority::new("ca");
    let made = vec![
        authority.issue(&["old.test"], false, |_| {}),
        authority.issue(&["new.test"], false, |_| {}),
    ];
    let files = files(made, &authority);
    let own = |version, protocol: &str| {
        let mut own = settings();
        own.negotiation.versions = vec![version];
        own.alpn = vec![bytes(protocol)];
        own
    };
    let both = vec![
        own(TlsVersion::Tls12, "http/1.1"),
        own(TlsVersion::Tls13, "h2"),
    ];
    let acceptor = acceptor(&bind(both, &[(0, 0, NOTHING), (1, 1, NOTHING)]), &files);
    let mut line = server();
    line.alpn = vec![bytes("h2"), bytes("http/1.1")];
    let connector = connector(&line, &files);
    let old = meet(&acceptor, &connector, Some("old.test")).unwrap();
    let new = meet(&acceptor, &connector, Some("new.test")).unwrap();
    let version = |met: &Met| met.server.protocol_version().unwrap();
    assert_eq!(version(&old), rustls::ProtocolVersion::TLSv1_2);
    assert_eq!(version(&new), rustls::ProtocolVersion::TLSv1_3);
    assert_eq!(old.client.alpn_protocol().unwrap(), b"http/1.1");
    assert_eq!(new.client.alpn_protocol().unwrap(), b"h2");
    line.alpn = vec![bytes("other")];
    let nothing = meet(
        &acceptor,
        &paper::connector(&line, &files),
        Some("new.test"),
    );
    let expected = rustls::Error::NoApplicationProtocol;
    assert!(matches!(nothing, Err(Failed::Server(error)) if error == expected));
}

#[test]
fn a_request_for_a_name_with_other_rules_is_not_served_over_the_connection() {
    let authority = Authority::new("ca");
    let made = vec![
        authority.issue(&["a.test", "b.test"], false, |_| {}),
        authority.issue(&["c.test"], false, |_| {}),
    ];
    let files = files(made, &authority);
    let mut strict = settings();
    strict.client.verify = ClientVerification::Required;
    strict.client.authorities = vec![0];
    let line = bind(
        vec![settings(), strict],
        &[(0, 0, NOTHING), (1, 1, NOTHING)],
    );
    let acceptor = acceptor(&line, &files);
    assert!(acceptor.serves(Some("a.test"), "B.test"));
    assert!(acceptor.serves(None, "a.test"));
    assert!(!acceptor.serves(Some("a.test"), "c.test"));
    assert!(!acceptor.serves(None, "c.test"));
    assert!(acceptor.serves(Some("c.test"), "c.test"));
    assert!(!acceptor.serves(Some("c.test"), "unknown.test"));
}

#[test]
fn certificates_are_made_for_names_that_no_entry_has() {
    let authority = Authority::new("ca");
    let made = vec![
        authority.issue(&["a.test"], false, |_| {}),
        authority.certificate(),
    ];
    let files = files(made, &authority);
    let mut line = bind(vec![settings()], &[(0, 0, NOTHING)]);
    line.strict_sni = true;
    line.generation = Some(Generation {
        authority: 1,
        kept: 2,
    });
    let acceptor = acceptor(&line, &files);
    // It verifies: authority, dates and name.
    let connector = connector(&server(), &files);
    let shown = |name| meet(&acceptor, &connector, Some(name)).unwrap().shown();
    assert_eq!(shown("a.test"), der(&files.certificates[0]));
    let long = format!("{}.test", "a".repeat(60));
    let longest = format!("{}.{long}", "b".repeat(63));
    for name in ["made.test", "other.test", &long, &longest] {
        let first = shown(name);
        assert_eq!(shown(name), first, "it is kept");
    }
    assert!(matches!(
        meet(&acceptor, &connector, None),
        Err(Failed::Refused(Refusal::UnknownName))
    ));
}
