//! Which clients are believed: `verify`, `ca-file`, `crl-file` of a bind line, and the errors that
//! `ca-ignore-err` and `crt-ignore-err` pass over. webpki verifies the chains; what it refuses is looked into
//! by ourselves, since it tells one error alone, and not where.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use isthmus_plan::tls::{ClientRules, ClientVerification, IgnoredErrors};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved,
    SignatureScheme,
};

use crate::distrust::{Distrusted, alert, error_number};
use crate::error::TlsError;
use crate::faults::{Fault, OF_LISTS, Search, number};
use crate::negotiation::schemes;
use crate::own_lists::OwnLists;
use crate::path::{Authorities, End, Path, Trust};
use crate::revocation::{Revoked, for_webpki, read};
use crate::store::Store;
use crate::watch::tell_distrust;

/// The verifier that a bind line asks for.
pub(crate) fn verifier(
    said: &ClientRules,
    store: &Store,
    provider: &Arc<CryptoProvider>,
    trust: Option<&Arc<Trust>>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let Some(trust) = trust else {
        return Ok(WebPkiClientVerifier::no_client_auth());
    };
    let revoked = store.revoked(&said.revocations);
    let lenient = ignores(said);
    let taken = for_webpki(&revoked);
    let beside = taken.len() < revoked.len();
    let lists = read(&revoked);
    Ok(Arc::new(Clients {
        chain: webpki(said, (taken, beside), store, provider)?,
        unrevoked: match lenient {
            true => Some(webpki(said, (Vec::new(), false), store, provider)?),
            false => None,
        },
        own_lists: beside.then(|| OwnLists {
            lists: lists.clone(),
            trust: trust.clone(),
        }),
        schemes: schemes(&said.schemes),
        ignored: said.ignored.clone(),
        ignored_in_chain: said.ignored_in_chain.clone(),
        trust: trust.clone(),
        lists,
    }))
}

/// Whom the rules of a bind line believe; `None` where clients are asked for no certificate.
pub(crate) fn trust(
    said: &ClientRules,
    store: &Store,
    provider: &Arc<CryptoProvider>,
) -> Option<Arc<Trust>> {
    if said.verify == ClientVerification::None {
        return None;
    }
    let files = [&said.authorities[..], &said.hidden_authorities].concat();
    let authorities = Authorities::new(store.authorities(&files).cloned());
    let known = provider.signature_verification_algorithms;
    Some(Arc::new(Trust { authorities, known }))
}

/// What verifies chains, with the lists that webpki takes; `beside` says whether there are others.
fn webpki(
    said: &ClientRules,
    (lists, beside): (Vec<CertificateRevocationListDer<'static>>, bool),
    store: &Store,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let files = [&said.authorities[..], &said.hidden_authorities].concat();
    let roots = Arc::new(store.roots(&files));
    let named = if said.name_authorities {
        store.roots(&said.authorities).subjects()
    } else {
        Vec::new()
    };
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
        .clear_root_hint_subjects()
        .add_root_hint_subjects(named)
        .with_crls(lists)
        .enforce_revocation_expiration();
    if beside {
        builder = builder.allow_unknown_revocation_status();
    }
    if said.verify == ClientVerification::Optional {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map_err(TlsError::settings)
}

/// Whether some errors end no handshake (`ca-ignore-err`, `crt-ignore-err`). What was ignored is
/// not kept with a session, so that such lines resume none: a resumed client would look as if it
/// had been believed.
pub(crate) fn ignores(said: &ClientRules) -> bool {
    let any = |ignored: &IgnoredErrors| ignored.all || !ignored.numbers.is_empty();
    any(&said.ignored) || any(&said.ignored_in_chain)
}

/// Whom a line believes, what it takes signatures of, and what it passes over.
struct Clients {
    chain: Arc<dyn ClientCertVerifier>,
    /// The same without revocation lists, where errors are passed over.
    unrevoked: Option<Arc<dyn ClientCertVerifier>>,
    /// What looks into revocation lists that webpki does not take.
    own_lists: Option<OwnLists>,
    /// What clients may sign with; empty: all that is supported.
    schemes: Vec<SignatureScheme>,
    ignored: IgnoredErrors,
    ignored_in_chain: IgnoredErrors,
    trust: Arc<Trust>,
    /// All lists that can be read.
    lists: Arc<[Revoked]>,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

impl Clients {
    fn passes(&self, fault: &Fault) -> bool {
        // As HAProxy, which ends the handshake whatever is ignored: such a list is nobody's.
        if fault.error == number::NO_CRL_SIGN {
            return false;
        }
        let said = match fault.depth {
            0 => &self.ignored,
            _ => &self.ignored_in_chain,
        };
        said.all || said.numbers.contains(&fault.error.into())
    }

    fn passes_everything(&self) -> bool {
        self.ignored.all && self.ignored_in_chain.all
    }

    /// Whether a chain that webpki refused is let pass, and with which faults: those up to the first one
    /// that matters.
    fn judge(
        &self,
        own: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        now: UnixTime,
        error: Error,
    ) -> (Result<(), Error>, Vec<Fault>) {
        let Error::InvalidCertificate(refusal) = &error else {
            return (Err(error), Vec::new());
        };
        let second = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let search = Search {
            lists: &self.lists,
            whole: self.own_lists.is_some(),
            known: &self.trust.known,
            now: second,
        };
        let path = Path::find(own, sent, &self.trust.authorities, &self.trust.known);
        let mut faults = path
            .as_ref()
            .map_or_else(Vec::new, |path| search.faults(path));
        if let Some(first) = faults.iter().position(|fault| !self.passes(fault)) {
            let error = faults.get(first).and_then(|fault| alert(fault.error));
            faults.truncate(first + 1);
            return (Err(error.map_or(error_of(refusal), Error::from)), faults);
        }
        let unexplained = match &path {
            Some(path) if !faults.is_empty() => self.unexplained(own, sent, (path, &faults), now),
            _ => Some(refusal.clone()),
        };
        match unexplained {
            None => (Ok(()), faults),
            Some(refusal) => {
                let error = error_number(&refusal);
                faults.push(Fault { error, depth: 0 });
                let passed = match self.passes_everything() {
                    true => Ok(()),
                    false => Err(refusal.into()),
                };
                (passed, faults)
            }
        }
    }

    /// What webpki still finds where the faults do not count: dates are right and nothing is revoked.
    fn unexplained(
        &self,
        own: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        (path, faults): (&Path<'_>, &[Fault]),
        now: UnixTime,
    ) -> Option<CertificateError> {
        let has = |wanted: &[u16]| faults.iter().any(|fault| wanted.contains(&fault.error));
        let verifier = match &self.unrevoked {
            Some(unrevoked) if has(&OF_LISTS) => unrevoked,
            _ => &self.chain,
        };
        let now = moment(path, faults, now).unwrap_or(now);
        let Err(Error::InvalidCertificate(left)) = verifier.verify_client_cert(own, sent, now)
        else {
            return None;
        };
        // webpki stops at the first fault. What it would look into behind that, and we do not, may be wrong.
        let unsure = path.end == End::Authority && path.steps.iter().any(|step| step.says_more);
        let explained = match &left {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                has(&[number::EXPIRED, number::NOT_YET_VALID])
            }
            CertificateError::UnknownIssuer => path.end != End::Authority,
            CertificateError::BadSignature => has(&[number::BAD_SIGNATURE]),
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                has(&[number::WRONG_PURPOSE])
            }
            CertificateError::Other(what) => match what.to_string().as_str() {
                "PathLenConstraintViolated" => has(&[number::TOO_DEEP]),
                "EndEntityUsedAsCa" => has(&[number::NO_AUTHORITY]),
                _ => false,
            },
            _ => false,
        };
        (unsure || !explained).then_some(left)
    }
}

/// A moment at which those certificates are valid whose dates are passed over: everything else is
/// still verified, as webpki tells the first error alone. `None` where dates do matter.
fn moment(path: &Path<'_>, faults: &[Fault], now: UnixTime) -> Option<UnixTime> {
    let now = i64::try_from(now.as_secs()).ok()?;
    let dates = |error| {
        let dated = faults.iter().filter(move |fault| fault.error == error);
        dated.filter_map(|fault| path.steps.get(fault.depth))
    };
    let last = dates(number::EXPIRED)
        .map(|step| step.facts.validity.1)
        .min();
    let first = dates(number::NOT_YET_VALID)
        .map(|step| step.facts.validity.0)
        .max();
    let moment = now.min(last.unwrap_or(now)).max(first.unwrap_or(i64::MIN));
    let moment = Duration::from_secs(u64::try_from(moment).ok()?);
    Some(UnixTime::since_unix_epoch(moment))
}

fn error_of(refusal: &CertificateError) -> Error {
    refusal.clone().into()
}

impl ClientCertVerifier for Clients {
    fn offer_client_auth(&self) -> bool {
        self.chain.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.chain.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verify =
            |sent: &[CertificateDer<'_>]| self.chain.verify_client_cert(end_entity, sent, now);
        let strictly = match &self.own_lists {
            None => verify(intermediates),
            Some(lists) => lists.verify(end_entity, intermediates, now, verify),
        };
        let Err(error) = strictly else {
            return strictly;
        };
        let (verdict, faults) = self.judge(end_entity, intermediates, now, error);
        // What is passed over is told, too.
        tell_distrust(|| Distrusted::of(&faults, end_entity, intermediates));
        verdict.map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        allowed(&self.schemes, dss.scheme)?;
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        allowed(&self.schemes, dss.scheme)?;
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let all = self.chain.supported_verify_schemes();
        all.into_iter()
            .filter(|scheme| self.schemes.is_empty() || self.schemes.contains(scheme))
            .collect()
    }
}

/// Refuses a signature of a scheme that is none of those allowed; an empty list allows all.
pub(crate) fn allowed(schemes: &[SignatureScheme], scheme: SignatureScheme) -> Result<(), Error> {
    if schemes.is_empty() || schemes.contains(&scheme) {
        Ok(())
    } else {
        Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
    }
}
