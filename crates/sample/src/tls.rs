//! What is known of a connection's TLS once its handshake is over: plain data, that whoever speaks
//! TLS fills in and that every stream of the connection may share.

mod certificate;
mod distinguished_name;
mod hello;
mod names;
mod needs;
mod revocations;
mod verification;

pub use certificate::Certificate;
pub use distinguished_name::Name;
pub(crate) use hello::without_grease;
pub use hello::{Greeting, Lists};
pub(crate) use names::cipher_name;
pub use needs::TlsNeeds;
pub use revocations::Revocations;
pub(crate) use verification::error_name;

use isthmus_proto::der::{Values, tag};

/// A secret of a connection, as key logs name it (`tune.ssl.keylog`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretLabel {
    /// `CLIENT_EARLY_TRAFFIC_SECRET`
    ClientEarlyTraffic,
    /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`
    ClientHandshakeTraffic,
    /// `SERVER_HANDSHAKE_TRAFFIC_SECRET`
    ServerHandshakeTraffic,
    /// `CLIENT_TRAFFIC_SECRET_0`
    ClientTraffic,
    /// `SERVER_TRAFFIC_SECRET_0`
    ServerTraffic,
    /// `EXPORTER_SECRET`
    Exporter,
    /// `EARLY_EXPORTER_SECRET`
    EarlyExporter,
    /// `CLIENT_RANDOM`: the master secret of TLS 1.2.
    Master,
}

impl SecretLabel {
    /// The label of a name in key logs.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "CLIENT_EARLY_TRAFFIC_SECRET" => Self::ClientEarlyTraffic,
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Self::ClientHandshakeTraffic,
            "SERVER_HANDSHAKE_TRAFFIC_SECRET" => Self::ServerHandshakeTraffic,
            "CLIENT_TRAFFIC_SECRET_0" => Self::ClientTraffic,
            "SERVER_TRAFFIC_SECRET_0" => Self::ServerTraffic,
            "EXPORTER_SECRET" => Self::Exporter,
            "EARLY_EXPORTER_SECRET" => Self::EarlyExporter,
            "CLIENT_RANDOM" => Self::Master,
            _ => return None,
        })
    }
}

/// What was found wrong with a client's chain, ignored or not: OpenSSL's numbers, 0 for none, and places in
/// the chain, from 0 for the certificate itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Distrust {
    /// The last error that was found (`ssl_c_verify`).
    pub last: u16,
    /// Its place in the chain.
    pub last_depth: u8,
    /// The first error of the client's own certificate (`ssl_c_err`).
    pub own: u16,
    /// The first error of those behind it (`ssl_c_ca_err`).
    pub behind: u16,
    /// Its place in the chain (`ssl_c_ca_err_depth`).
    pub behind_depth: u8,
}

/// Why a handshake failed, as OpenSSL would number and describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandshakeError {
    /// The number (`ssl_fc_err`).
    pub code: u32,
    /// The description (`ssl_fc_err_str`).
    pub text: String,
}

/// What is known of a connection's TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFacts {
    /// The version that was negotiated, 0x0303 for TLS 1.2.
    pub version: Option<u16>,
    /// The cipher suite's number.
    pub suite: Option<u16>,
    /// The number of the group that keys were exchanged in.
    pub group: Option<u16>,
    /// The protocol that was agreed upon (ALPN).
    pub alpn: Option<Box<[u8]>>,
    /// Whether an earlier session goes on.
    pub resumed: bool,
    /// What the client asked for.
    pub greeting: Option<Greeting>,
    /// The server's 32 random bytes.
    pub server_random: Option<Box<[u8]>>,
    /// The session's identifier; empty where it has none.
    pub session_id: Box<[u8]>,
    /// The peer's certificate and those that it sent behind it, DER.
    pub peer: Vec<Box<[u8]>>,
    /// The name of the authority that the client's certificate comes from, DER.
    pub root: Option<Box<[u8]>>,
    /// Our own certificate, DER.
    pub own: Option<Box<[u8]>>,
    /// The name of the file of our own certificate.
    pub own_name: Option<Box<str>>,
    /// What is wrong with the client's certificate.
    pub distrust: Distrust,
    /// Whether the handshake came to its end, or data came early.
    pub complete: bool,
    /// Whether data came before the handshake was over.
    pub early: bool,
    /// Why the handshake failed.
    pub failure: Option<HandshakeError>,
    /// Secrets, where they are kept.
    pub secrets: Vec<(SecretLabel, Box<[u8]>)>,
    /// The first Finished message of TLS 1.2 (`ssl_fc_unique_id`).
    pub unique: Option<Box<[u8]>>,
}

impl TlsFacts {
    /// The name of the version (`ssl_fc_protocol`).
    #[must_use]
    pub fn version_name(&self) -> Option<&'static str> {
        Some(match self.version? {
            0x0301 => "TLSv1",
            0x0302 => "TLSv1.1",
            0x0303 => "TLSv1.2",
            0x0304 => "TLSv1.3",
            _ => return None,
        })
    }

    /// OpenSSL's name of the cipher suite (`ssl_fc_cipher`); a handshake that came to none has
    /// `(NONE)`.
    #[must_use]
    pub fn cipher(&self) -> Option<&'static str> {
        match self.suite {
            Some(suite) => cipher_name(suite),
            None => Some("(NONE)"),
        }
    }

    /// Bits of the cipher's key.
    #[must_use]
    pub fn key_bits(&self) -> Option<u16> {
        let name = cipher_name(self.suite?)?;
        let short = name.contains("AES_128") || name.contains("AES128");
        Some(if short { 128 } else { 256 })
    }

    /// The name of the group that keys were exchanged in (`ssl_fc_curve`).
    #[must_use]
    pub fn curve(&self) -> Option<&'static str> {
        names::group_name(self.group?)
    }

    /// The peer's certificate.
    #[must_use]
    pub fn peer_certificate(&self) -> Option<Certificate<'_>> {
        Certificate::read(self.peer.first()?)
    }

    /// Our own certificate.
    #[must_use]
    pub fn own_certificate(&self) -> Option<Certificate<'_>> {
        Certificate::read(self.own.as_deref()?)
    }

    /// The name of the authority that the client's certificate comes from.
    #[must_use]
    pub fn root_name(&self) -> Option<Name<'_>> {
        Values(self.root.as_deref()?)
            .of(tag::SEQUENCE)
            .map(Name::new)
    }

    /// A secret, where it is kept.
    #[must_use]
    pub fn secret(&self, wanted: SecretLabel) -> Option<&[u8]> {
        let found = self.secrets.iter().find(|(label, _)| *label == wanted);
        found.map(|(_, secret)| &**secret)
    }
}
