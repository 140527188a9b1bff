//! Revocation lists that webpki does not take, and OpenSSL does: of version 1, without extensions, or without a
//! date for the next one. They are looked into along the path that we find ourselves, of whose certificates alone
//! webpki has to make one, too.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::{CertificateError, Error};

use crate::distrust::alert;
use crate::faults::{Fault, OF_LISTS, Search, number};
use crate::path::{End, Path, Trust};
use crate::revocation::{Revoked, webpki_takes};

/// The lists of a line of which webpki takes some or none.
#[derive(Debug)]
pub(crate) struct OwnLists {
    /// Those that speak of all that their authorities issued, whether webpki takes them or not.
    lists: Vec<Revoked>,
    trust: Arc<Trust>,
}

impl OwnLists {
    /// `None` where webpki takes all lists, and needs nobody beside it.
    pub(crate) fn new(
        lists: &[CertificateRevocationListDer<'_>],
        trust: &Arc<Trust>,
    ) -> Option<Self> {
        if lists.iter().all(webpki_takes) {
            return None;
        }
        let read = lists.iter().filter_map(Revoked::read);
        Some(Self {
            lists: read.filter(|list| !list.partial).collect(),
            trust: trust.clone(),
        })
    }

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
