//! Files that are replaced while running: what stays of a bind line, and what does not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod paper;

use std::sync::Arc;

use isthmus_plan::tls::*;
use isthmus_tls::{Acceptor, Connector, Store};
use paper::*;

/// The acceptor of a line with other files than `before`.
fn renewed(line: &BindTls, files: &TlsFiles, before: &Arc<Acceptor>) -> Arc<Acceptor> {
    Acceptor::renewed(line, &Store::new(files).unwrap(), Some(before)).unwrap()
}

fn asks_clients() -> BindTlsSettings {
    BindTlsSettings {
        client: ClientRules {
            verify: ClientVerification::Optional,
            authorities: vec![0],
            ..ClientRules::default()
        },
        ..settings()
    }
}

#[test]
fn a_line_whose_files_are_the_same_stays_as_it_is() {
    let authority = Authority::new("ca");
    let own = authority.issue(&["a.test"], false, |_| {});
    let files = files(vec![own.clone()], &authority);
    let line = bind(vec![settings()], &[(0, 0, &[])]);
    let before = Arc::new(acceptor(&line, &files));
    assert!(Arc::ptr_eq(&before, &renewed(&line, &files, &before)));
    // Another place in the plan is no change.
    let more = paper::files(
        vec![authority.issue(&["b.test"], false, |_| {}), own],
        &authority,
    );
    let moved = bind(vec![settings()], &[(1, 0, &[])]);
    assert!(Arc::ptr_eq(&before, &renewed(&moved, &more, &before)));
}

#[test]
fn another_certificate_is_shown_and_sessions_of_the_first_are_resumed() {
    let authority = Authority::new("ca");
    let first = files(
        vec![authority.issue(&["a.test"], false, |_| {})],
        &authority,
    );
    let second = files(
        vec![authority.issue(&["a.test"], false, |_| {})],
        &authority,
    );
    for tickets in [true, false] {
        let said = BindTlsSettings {
            tickets,
            ..settings()
        };
        let line = bind(vec![said], &[(0, 0, &[])]);
        let before = Arc::new(acceptor(&line, &first));
        let client = connector(&server(), &first);
        let met = meet(&before, &client, Some("a.test")).unwrap();
        assert_eq!(met.shown(), der(&first.certificates[0]));
        let after = renewed(&line, &second, &before);
        assert!(!Arc::ptr_eq(&before, &after));
        assert!(meet(&after, &client, Some("a.test")).unwrap().resumed());
        let stranger = connector(&server(), &second);
        let met = meet(&after, &stranger, Some("a.test")).unwrap();
        assert_eq!(met.shown(), der(&second.certificates[0]));
    }
}

#[test]
fn no_session_crosses_to_other_rules_for_clients() {
    let (authority, other) = (Authority::new("ca"), Authority::new("other"));
    let own = authority.issue(&["a.test"], false, |_| {});
    let first = files(vec![own.clone()], &authority);
    let second = TlsFiles {
        authorities: vec![authority.file(), other.file()],
        ..files(vec![own], &authority)
    };
    let trusts_both = PemFile {
        name: "ca.pem".into(),
        pem: bytes(&format!("{}{}", authority.pem, other.pem)),
    };
    let replaced = TlsFiles {
        authorities: vec![trusts_both],
        ..first.clone()
    };
    let mut second_line = bind(vec![asks_clients()], &[(0, 0, &[])]);
    second_line.settings[0].client.authorities = vec![1];
    let line = bind(vec![asks_clients()], &[(0, 0, &[])]);
    for (line_after, files_after) in [(&second_line, &second), (&line, &replaced)] {
        let before = Arc::new(acceptor(&line, &first));
        let client = connector(&server(), &first);
        meet(&before, &client, Some("a.test")).unwrap();
        assert!(meet(&before, &client, Some("a.test")).unwrap().resumed());
        let after = renewed(line_after, files_after, &before);
        assert!(!meet(&after, &client, Some("a.test")).unwrap().resumed());
    }
}

#[test]
fn a_connector_stays_where_its_files_do() {
    let authority = Authority::new("ca");
    let own = authority.issue(&["a.test"], false, |_| {});
    let first = Store::new(&files(vec![own.clone()], &authority)).unwrap();
    let line = server();
    let before = Arc::new(Connector::new(&line, &first).unwrap());
    let same = Connector::renewed(&line, &first, Some(&before)).unwrap();
    assert!(Arc::ptr_eq(&before, &same));
    let second = Store::new(&files(vec![own], &Authority::new("other"))).unwrap();
    let other = Connector::renewed(&line, &second, Some(&before)).unwrap();
    assert!(!Arc::ptr_eq(&before, &other));
}

#[test]
fn a_proof_is_shown_to_who_asks_for_it_alone() {
    let authority = Authority::new("ca");
    let made = vec![
        authority.issue(&["a.test"], false, |_| {}),
        authority.issue(&["a.test"], false, |_| {}),
    ];
    let files = files(made, &authority);
    let proves = BindTlsSettings {
        alpn: vec![bytes("acme-tls/1")],
        tickets: false,
        ..settings()
    };
    let mut line = bind(
        vec![asks_clients(), proves],
        &[(0, 0, &[]), (1, 1, &["A.test"])],
    );
    line.entries[1].challenge = true;
    let acceptor = acceptor(&line, &files);
    assert!(acceptor.is_uniform());
    for (offered, sni, shown) in [
        (&["acme-tls/1"][..], "a.test", Some(1)),
        (&["acme-tls/1", "h2"], "a.test", Some(0)),
        (&["h2"], "a.test", Some(0)),
        (&[], "a.test", Some(0)),
        (&["acme-tls/1"], "b.test", Some(0)),
    ] {
        let mut asks = server();
        asks.verify = false;
        asks.alpn = offered.iter().map(|name| bytes(name)).collect();
        let met = meet(&acceptor, &connector(&asks, &files), Some(sni));
        let seen = met.map(|met| met.shown()).unwrap();
        assert_eq!(
            Some(seen),
            shown.map(|at: usize| der(&files.certificates[at])),
            "{offered:?}"
        );
    }
}
