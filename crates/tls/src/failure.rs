//! Why a handshake failed, in the numbers and words of OpenSSL's errors, which logs show
//! (`ssl_fc_err`, `ssl_fc_err_str`). What has no counterpart there is an internal error.

use rustls::{Error, PeerIncompatible};

/// The number of OpenSSL's library for TLS, in the place where its errors carry it.
const LIBRARY: u32 = 20 << 23;
/// What is added to the number of an alert that was received.
const ALERT: u16 = 1000;

/// An error of OpenSSL's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    number: u16,
    words: &'static str,
}

impl Reason {
    /// The client sent no certificate that must.
    pub const NO_CERTIFICATE: Self = Self::new(199, "peer did not return a certificate");
    /// No certificate is for the name that was asked for.
    pub const UNKNOWN_NAME: Self = Self::new(234, "callback failed");
    /// An HTTP request came where a ClientHello was awaited.
    pub const HTTP_REQUEST: Self = Self::new(156, "http request");
    /// What came is no TLS.
    pub const NOT_TLS: Self = Self::new(267, "wrong version number");
    /// The client speaks no version that is spoken here.
    pub const OLD_VERSION: Self = Self::new(258, "unsupported protocol");
    /// A message is not what it should be.
    pub const MALFORMED: Self = Self::new(159, "length mismatch");
    /// A message came out of turn.
    pub const UNEXPECTED: Self = Self::new(244, "unexpected message");
    /// A certificate was not believed.
    pub const DISTRUST: Self = Self::new(134, "certificate verify failed");

    const fn new(number: u16, words: &'static str) -> Self {
        Self { number, words }
    }

    /// The number of the whole error.
    #[must_use]
    pub fn code(self) -> u32 {
        LIBRARY | u32::from(self.number)
    }

    /// The description of the whole error, as OpenSSL writes it.
    #[must_use]
    pub fn text(self) -> String {
        format!("error:{:08X}:SSL routines::{}", self.code(), self.words)
    }
}

/// The error that stands for one of rustls's, in TLS 1.3 or before.
pub(crate) fn reason(error: &Error, tls13: bool) -> Reason {
    match error {
        Error::NoCertificatesPresented => Reason::NO_CERTIFICATE,
        Error::InvalidCertificate(_) => Reason::DISTRUST,
        Error::PeerIncompatible(what) => incompatible(what, tls13),
        Error::NoApplicationProtocol => Reason::new(235, "no application protocol"),
        Error::AlertReceived(alert) => received(u8::from(*alert)),
        Error::InvalidMessage(_) => Reason::MALFORMED,
        Error::DecryptError => Reason::new(281, "decryption failed or bad record mac"),
        Error::PeerSentOversizedRecord => Reason::new(198, "packet length too long"),
        Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerMisbehaved(_) => Reason::UNEXPECTED,
        _ => Reason::new(68, "internal error"),
    }
}

fn incompatible(what: &PeerIncompatible, tls13: bool) -> Reason {
    match what {
        PeerIncompatible::NoKxGroupsInCommon | PeerIncompatible::KeyShareExtensionRequired
            if tls13 =>
        {
            Reason::new(101, "no suitable key share")
        }
        PeerIncompatible::NoCipherSuitesInCommon
        | PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoEcPointFormatsInCommon => Reason::new(193, "no shared cipher"),
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SignatureAlgorithmsExtensionRequired
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled => Reason::new(258, "unsupported protocol"),
        _ => Reason::new(110, "bad extension"),
    }
}

/// The error of an alert that the peer sent.
fn received(alert: u8) -> Reason {
    let words = match alert {
        0 => "tlsv1 alert close notify",
        10 => "sslv3 alert unexpected message",
        20 => "sslv3 alert bad record mac",
        21 => "tlsv1 alert decryption failed",
        22 => "tlsv1 alert record overflow",
        40 => "sslv3 alert handshake failure",
        42 => "sslv3 alert bad certificate",
        43 => "sslv3 alert unsupported certificate",
        44 => "sslv3 alert certificate revoked",
        45 => "sslv3 alert certificate expired",
        46 => "sslv3 alert certificate unknown",
        47 => "sslv3 alert illegal parameter",
        48 => "tlsv1 alert unknown ca",
        49 => "tlsv1 alert access denied",
        50 => "tlsv1 alert decode error",
        51 => "tlsv1 alert decrypt error",
        70 => "tlsv1 alert protocol version",
        71 => "tlsv1 alert insufficient security",
        80 => "tlsv1 alert internal error",
        86 => "tlsv1 alert inappropriate fallback",
        90 => "tlsv1 alert user cancelled",
        109 => "tlsv13 alert missing extension",
        110 => "tlsv1 unsupported extension",
        112 => "tlsv1 unrecognized name",
        113 => "tlsv1 bad certificate status response",
        116 => "tlsv13 alert certificate required",
        120 => "tlsv1 alert no application protocol",
        _ => "sslv3 alert",
    };
    Reason::new(ALERT + u16::from(alert), words)
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription, CertificateError};

    use super::*;

    #[test]
    fn errors_have_the_numbers_and_words_that_openssl_gives_them() {
        let table = [
            (
                Error::NoCertificatesPresented,
                0x0A00_00C7,
                "error:0A0000C7:SSL routines::peer did not return a certificate",
            ),
            (
                Error::InvalidCertificate(CertificateError::Expired),
                0x0A00_0086,
                "error:0A000086:SSL routines::certificate verify failed",
            ),
            (
                Error::AlertReceived(AlertDescription::UnknownCA),
                0x0A00_0418,
                "error:0A000418:SSL routines::tlsv1 alert unknown ca",
            ),
            (
                PeerIncompatible::NoCipherSuitesInCommon.into(),
                0x0A00_00C1,
                "error:0A0000C1:SSL routines::no shared cipher",
            ),
            (
                PeerIncompatible::Tls12NotOffered.into(),
                0x0A00_0102,
                "error:0A000102:SSL routines::unsupported protocol",
            ),
        ];
        for (error, code, text) in table {
            let found = reason(&error, false);
            assert_eq!((found.code(), found.text().as_str()), (code, text));
        }
        assert_eq!(
            Reason::UNKNOWN_NAME.text(),
            "error:0A0000EA:SSL routines::callback failed"
        );
    }
}
