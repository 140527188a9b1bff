//! Verifying clients so that the reason why one is not believed is known to those who ask
//! (`ssl_c_err`).

use std::sync::Arc;

use isthmus_plan::tls::{ClientRules, IgnoredErrors};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::distrust::Distrusted;
use crate::watch;

/// A verifier of clients' certificates that tells why it does not believe one.
#[derive(Debug)]
pub(crate) struct Noting(pub(crate) Arc<dyn ClientCertVerifier>);

/// Whether some errors end no handshake (`ca-ignore-err`, `crt-ignore-err`). What was ignored is
/// not kept with a session, so that such lines resume none: a resumed client would look as if it
/// had been believed.
pub(crate) fn ignores(said: &ClientRules) -> bool {
    let any = |ignored: &IgnoredErrors| ignored.all || !ignored.numbers.is_empty();
    any(&said.ignored) || any(&said.ignored_in_chain)
}

/// Tells why a chain is not believed.
pub(crate) fn tell(
    error: &Error,
    own: &CertificateDer<'_>,
    behind: &[CertificateDer<'_>],
    now: UnixTime,
) {
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if let Some(found) = Distrusted::of(error, own, behind, seconds) {
        watch::tell_distrust(found);
    }
}

impl ClientCertVerifier for Noting {
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verdict = self.0.verify_client_cert(end_entity, intermediates, now);
        if let Err(error) = &verdict {
            tell(error, end_entity, intermediates, now);
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }
}
