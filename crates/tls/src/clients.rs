//! Which clients are believed: `verify`, `ca-file`, `crl-file` of a bind line, and the errors that
//! `ca-ignore-err` and `crt-ignore-err` pass over. webpki verifies the chains.

use std::sync::Arc;
use std::time::Duration;

use isthmus_plan::tls::{ClientRules, ClientVerification, IgnoredErrors};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved,
    SignatureScheme,
};

use crate::certificate::Facts;
use crate::error::TlsError;
use crate::negotiation::schemes;
use crate::noting::tell;
use crate::store::Store;

/// OpenSSL's numbers of the errors that can be passed over (openssl-verify(1)).
mod number {
    pub(super) const NO_CRL: u32 = 3;
    pub(super) const NOT_YET_VALID: u32 = 9;
    pub(super) const EXPIRED: u32 = 10;
    pub(super) const CRL_EXPIRED: u32 = 12;
    pub(super) const SELF_SIGNED: u32 = 18;
    pub(super) const SELF_SIGNED_IN_CHAIN: u32 = 19;
    pub(super) const UNKNOWN_ISSUER: u32 = 20;
    pub(super) const UNVERIFIED: u32 = 21;
    pub(super) const REVOKED: u32 = 23;
    pub(super) const WRONG_PURPOSE: u32 = 26;
}

/// The verifier that a bind line asks for.
pub(crate) fn verifier(
    said: &ClientRules,
    store: &Store,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    if said.verify == ClientVerification::None {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let chain = webpki(said, &said.revocations, store, provider)?;
    if said.schemes.is_empty()
        && said.ignored == IgnoredErrors::default()
        && said.ignored_in_chain == IgnoredErrors::default()
    {
        return Ok(chain);
    }
    Ok(Arc::new(Lenient {
        unrevoked: webpki(said, &[], store, provider)?,
        chain,
        schemes: schemes(&said.schemes),
        ignored: said.ignored.clone(),
        ignored_in_chain: said.ignored_in_chain.clone(),
    }))
}

fn webpki(
    said: &ClientRules,
    revocations: &[usize],
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
        .with_crls(store.revoked(revocations))
        .enforce_revocation_expiration();
    if said.verify == ClientVerification::Optional {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map_err(TlsError::settings)
}

fn ignores(said: &IgnoredErrors, number: u32) -> bool {
    said.all || said.numbers.contains(&number)
}

/// Passes over some errors, and takes some signature schemes only.
#[derive(Debug)]
struct Lenient {
    chain: Arc<dyn ClientCertVerifier>,
    /// The same without revocation lists.
    unrevoked: Arc<dyn ClientCertVerifier>,
    /// What clients may sign with; empty: all that is supported.
    schemes: Vec<SignatureScheme>,
    ignored: IgnoredErrors,
    ignored_in_chain: IgnoredErrors,
}

impl Lenient {
    /// A moment at which those certificates are valid whose dates do not matter: everything else is
    /// still verified, as webpki tells the first error alone. `None` where dates do matter.
    fn moment(&self, own: &Facts, chain: &[Facts], now: UnixTime) -> Option<UnixTime> {
        let second = i64::try_from(now.as_secs()).ok()?;
        let dates = [number::EXPIRED, number::NOT_YET_VALID];
        let passed = |said: &IgnoredErrors| dates.iter().any(|&date| ignores(said, date));
        let own = passed(&self.ignored).then_some(own).into_iter();
        let others = chain.iter().filter(|_| passed(&self.ignored_in_chain));
        let lenient: Vec<_> = own.chain(others).map(|facts| facts.validity).collect();
        let last = lenient.iter().map(|validity| validity.1).min()?;
        let first = lenient.iter().map(|validity| validity.0).max()?;
        let earlier = ignores(&self.ignored, number::EXPIRED)
            || ignores(&self.ignored_in_chain, number::EXPIRED);
        let later = ignores(&self.ignored, number::NOT_YET_VALID)
            || ignores(&self.ignored_in_chain, number::NOT_YET_VALID);
        let mut moment = second;
        if earlier {
            moment = moment.min(last);
        }
        if later {
            moment = moment.max(first);
        }
        let moment = Duration::from_secs(u64::try_from(moment).ok()?);
        Some(UnixTime::since_unix_epoch(moment))
    }

    /// Whether an error, and what OpenSSL would tell beside it, is passed over.
    fn passes(&self, error: &CertificateError, own: &Facts, chain: &[Facts]) -> bool {
        let own_issuer = chain.iter().any(|facts| facts.subject == own.issuer);
        let (said, numbers): (_, &[u32]) = match error {
            CertificateError::UnknownIssuer if own.issuer == own.subject => {
                (&self.ignored, &[number::SELF_SIGNED])
            }
            CertificateError::UnknownIssuer if !own_issuer => {
                (&self.ignored, &[number::UNKNOWN_ISSUER, number::UNVERIFIED])
            }
            CertificateError::UnknownIssuer
                if chain.iter().any(|facts| facts.issuer == facts.subject) =>
            {
                (&self.ignored_in_chain, &[number::SELF_SIGNED_IN_CHAIN])
            }
            CertificateError::UnknownIssuer => (&self.ignored_in_chain, &[number::UNKNOWN_ISSUER]),
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                (&self.ignored, &[number::WRONG_PURPOSE])
            }
            _ => return self.ignored.all && self.ignored_in_chain.all,
        };
        numbers.iter().all(|&number| ignores(said, number))
    }

    /// Whether an error of revocation lists is passed over.
    fn passes_revocation(&self, error: &CertificateError) -> bool {
        let number = match error {
            CertificateError::Revoked => number::REVOKED,
            CertificateError::UnknownRevocationStatus => number::NO_CRL,
            CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. } => number::CRL_EXPIRED,
            _ => return false,
        };
        ignores(&self.ignored, number)
    }
}

impl ClientCertVerifier for Lenient {
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
        let strictly = |now| {
            self.chain
                .verify_client_cert(end_entity, intermediates, now)
        };
        let mut result = strictly(now);
        let Err(error) = &result else {
            return result;
        };
        // What is passed over is told, too.
        tell(error, end_entity, intermediates, now);
        let own = Facts::read(end_entity).ok_or(CertificateError::BadEncoding)?;
        let chain: Vec<Facts> = intermediates
            .iter()
            .filter_map(|each| Facts::read(each))
            .collect();
        let now = self.moment(&own, &chain, now).unwrap_or(now);
        result = strictly(now);
        if let Err(Error::InvalidCertificate(error)) = &result
            && self.passes_revocation(error)
        {
            let unrevoked = &self.unrevoked;
            result = unrevoked.verify_client_cert(end_entity, intermediates, now);
        }
        match &result {
            Err(Error::InvalidCertificate(error)) if self.passes(error, &own, &chain) => {
                Ok(ClientCertVerified::assertion())
            }
            _ => result,
        }
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
