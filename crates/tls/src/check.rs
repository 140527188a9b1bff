//! What is wrong with the TLS of a plan, found before anything of it runs: every fault at once.

use isthmus_plan::Plan;
use isthmus_plan::tls::TlsFiles;
use isthmus_plan::tls_facts::{CertificateFacts, TlsFacts, TlsFault, TlsSubject};

use rustls::pki_types::UnixTime;

use crate::acceptor::Acceptor;
use crate::connector::Connector;
use crate::error::{Fault, TlsError};
use crate::store::{self, Store};

/// Looks into every file, and makes every acceptor and connector where the files are right.
#[must_use]
pub fn check(plan: &Plan) -> TlsFacts {
    let mut found = TlsFacts::default();
    check_files(&plan.tls, &mut found);
    if !found.faults.is_empty() {
        return found;
    }
    match Store::new(&plan.tls) {
        Ok(store) => check_lines(plan, &store, &mut found.faults),
        Err(error) => found.faults.push(fault(&error, "")),
    }
    found
}

fn check_files(files: &TlsFiles, found: &mut TlsFacts) {
    for (index, file) in files.certificates.iter().enumerate() {
        match store::held(file) {
            Ok(held) => found.certificates.push(CertificateFacts {
                names: held.facts.names().map(ToOwned::to_owned).collect(),
                not_before: held.facts.validity.0,
                not_after: held.facts.validity.1,
                ocsp: unstapled(&held),
            }),
            Err(message) => {
                found.certificates.push(CertificateFacts::default());
                let subject = TlsSubject::Certificate { index };
                found.faults.push(TlsFault { subject, message });
            }
        }
    }
    for (index, file) in files.authorities.iter().enumerate() {
        if let Err(message) = store::authority(file) {
            let subject = TlsSubject::Authority { index };
            found.faults.push(TlsFault { subject, message });
        }
    }
    for (index, file) in files.revocations.iter().enumerate() {
        if let Err(message) = store::revocation(file) {
            let subject = TlsSubject::Revocation { index };
            found.faults.push(TlsFault { subject, message });
        }
    }
}

/// Why the response beside a certificate is not stapled; empty where it is, or there is none.
fn unstapled(held: &store::Held) -> String {
    match &held.ocsp {
        Err(reason) => reason.clone(),
        Ok(response) => {
            let now = UnixTime::now().as_secs();
            let holds = i64::try_from(now).is_ok_and(|now| response.holds(now));
            if holds {
                String::new()
            } else {
                "it does not hold now".to_owned()
            }
        }
    }
}

fn check_lines(plan: &Plan, store: &Store, faults: &mut Vec<TlsFault>) {
    for bind in plan.frontends.iter().flat_map(|frontend| &frontend.binds) {
        let made = bind.tls.as_ref().map(|said| Acceptor::new(said, store));
        if let Some(Err(error)) = made {
            faults.push(fault(&error, &bind.origin));
        }
    }
    for server in plan.backends.iter().flat_map(|backend| &backend.servers) {
        // What is wrong with both is said once.
        let both = [&server.tls, &server.check_tls].into_iter().flatten();
        let mut made = both.map(|said| Connector::new(said, store));
        if let Some(Err(error)) = made.find(Result::is_err) {
            faults.push(fault(&error, &server.origin));
        }
    }
}

fn fault(error: &TlsError, origin: &str) -> TlsFault {
    let subject = match error.fault {
        Fault::Certificate(index) => TlsSubject::Certificate { index },
        Fault::Authority(index) => TlsSubject::Authority { index },
        Fault::Revocation(index) => TlsSubject::Revocation { index },
        Fault::Settings => TlsSubject::Line {
            origin: origin.to_owned(),
        },
    };
    let message = error.message.clone();
    TlsFault { subject, message }
}
