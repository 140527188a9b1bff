//! Revocation lists that webpki does not take, and OpenSSL does: of version 1, without extensions, or without a
//! date for the next one. They are looked into along the path that we find ourselves, of whose certificates alone
//! webpki has to make one, too.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, Error};

use crate::distrust::alert;
use crate::faults::{Fault, OF_LISTS, Search, number};
use crate::path::{End, Path, Trust};
use crate::revocation::Revoked;

/// The lists of a line of which webpki takes some or none, all of them: those that it takes, too.
#[derive(Debug)]
pub(crate) struct OwnLists {
    pub(crate) lists: Arc<[Revoked]>,
    pub(crate) trust: Arc<Trust>,
}

impl OwnLists {
    /// Verifies a chain: `chain` does everything but the lists, for the certificates that it is given besides
    /// the peer's own; every one of the path needs a list that holds now, that its issuer signed, and that it
    /// is not on.
    pub(crate) fn verify<T>(
        &self,
        own: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        now: UnixTime,
        chain: impl Fn(&[CertificateDer<'_>]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let path = Path::find(own, sent, &self.trust.authorities, &self.trust.known);
        let Some(path) = path.filter(|path| path.end == End::Authority) else {
            chain(sent)?;
            // Another path than ours has nobody who looked for its lists.
            return Err(CertificateError::UnknownRevocationStatus.into());
        };
        let behind = path.steps.iter().skip(1);
        let behind: Vec<_> = behind
            .map(|step| CertificateDer::from(step.whole))
            .collect();
        let verified = chain(&behind)?;
        let search = Search {
            lists: &self.lists,
            whole: true,
            known: &self.trust.known,
            now: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        };
        // webpki verified signatures, too, but perhaps those of others with the same names.
        let ours =
            |fault: &Fault| OF_LISTS.contains(&fault.error) || fault.error == number::BAD_SIGNATURE;
        match search.faults(&path).into_iter().find(ours) {
            None => Ok(verified),
            Some(fault) => Err(alert(fault.error)
                .unwrap_or(CertificateError::UnknownRevocationStatus)
                .into()),
        }
    }
}
