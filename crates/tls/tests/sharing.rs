//! Lines that share ticket keys (`tls-ticket-keys`): whose sessions one resumes of another's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod paper;

use isthmus_plan::ByteString;
use isthmus_plan::tls::*;
use paper::*;

/// Authorities: 0 that of the server, 1 another, 2 the same as 0 under another name.
/// Revocations: two lists of 0.
fn papers() -> TlsFiles {
    let (authority, other) = (Authority::new("ca"), Authority::new("other"));
    let mut files = files(
        vec![
            authority.issue(&["a.test"], false, |_| {}),
            authority.issue(&["client.test"], false, |_| {}),
        ],
        &authority,
    );
    let mut again = authority.file();
    again.name = "copy.pem".into();
    files.authorities = vec![authority.file(), other.file(), again];
    files.revocations = vec![authority.revoking(&[1]), authority.revoking(&[2])];
    files
}

fn asking(change: impl FnOnce(&mut ClientRules)) -> ClientRules {
    let mut rules = ClientRules {
        verify: ClientVerification::Optional,
        authorities: vec![0],
        ..ClientRules::default()
    };
    change(&mut rules);
    rules
}

/// A line that shares its ticket keys, as a process or a reload of its own would.
fn line(client: &ClientRules, said: impl Fn(&mut BindTlsSettings)) -> BindTls {
    let mut own = settings();
    own.client = client.clone();
    said(&mut own);
    let mut line = bind(vec![own], &[(0, 0, &[])]);
    line.ticket_keys = vec![Secret(ByteString(vec![7; 80])); 3];
    line
}

/// Whether a session of one line is resumed by another, for each way of keeping it.
fn crosses(files: &TlsFiles, from: &ClientRules, to: &ClientRules, tickets: bool) -> Vec<bool> {
    [TlsVersion::Tls12, TlsVersion::Tls13]
        .map(|version| {
            let first = acceptor(&line(from, |own| own.tickets = tickets), files);
            let second = acceptor(&line(to, |own| own.tickets = tickets), files);
            let mut said = server();
            said.negotiation.versions = vec![version];
            said.certificate = (from.verify == ClientVerification::Required).then_some(1);
            let client = connector(&said, files);
            meet(&first, &client, Some("a.test")).unwrap();
            meet(&first, &client, Some("a.test")).unwrap();
            meet(&second, &client, Some("a.test")).is_ok_and(|met| met.resumed())
        })
        .to_vec()
}

#[test]
fn a_session_crosses_to_lines_alone_that_demand_the_same_of_clients() {
    let files = papers();
    let nothing = ClientRules::default();
    let same = asking(|_| {});
    let others = [
        (
            "required",
            asking(|r| r.verify = ClientVerification::Required),
        ),
        ("another authority", asking(|r| r.authorities = vec![1])),
        ("both", asking(|r| r.authorities = vec![0, 1])),
        ("a list", asking(|r| r.revocations = vec![0])),
        (
            "schemes",
            asking(|r| r.schemes = vec![Scheme::RsaPssSha256]),
        ),
        ("ignoring", asking(|r| r.ignored.numbers = vec![10])),
    ];
    for (why, other) in &others {
        assert_eq!(crosses(&files, &same, other, true), [false; 2], "{why}");
        assert_eq!(crosses(&files, &nothing, other, true), [false; 2], "{why}");
        assert_eq!(crosses(&files, other, &nothing, true), [false; 2], "{why}");
    }
    let listed = |at| asking(|r| r.revocations = vec![at]);
    assert_eq!(crosses(&files, &listed(0), &listed(1), true), [false; 2]);
}

#[test]
fn a_session_crosses_between_lines_with_the_same_demands() {
    let files = papers();
    let nothing = ClientRules::default();
    let unasked = asking(|r| r.verify = ClientVerification::None);
    assert_eq!(crosses(&files, &nothing, &unasked, true), [true; 2]);
    // By content, in whatever order and however told.
    let copied = asking(|r| r.authorities = vec![2]);
    let hidden = asking(|r| {
        r.authorities = vec![];
        r.hidden_authorities = vec![0, 2];
    });
    let same = asking(|_| {});
    for (why, other) in [("same", &same), ("copied", &copied), ("hidden", &hidden)] {
        assert_eq!(crosses(&files, &same, other, true), [true; 2], "{why}");
    }
}

#[test]
fn sessions_that_are_kept_here_stay_with_their_line() {
    let files = papers();
    let nothing = ClientRules::default();
    let required = asking(|r| r.verify = ClientVerification::Required);
    assert_eq!(crosses(&files, &nothing, &required, false), [false; 2]);
}
