//! Certificates made for a test, and handshakes in memory.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test uses some of it, and stops where it cannot go on"
)]

use isthmus_plan::ByteString;
use isthmus_plan::tls::*;
use isthmus_tls::{Acceptor, Connector, Refusal, Store};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::server::Acceptor as Hello;
use rustls::{ClientConnection, ServerConnection};

/// An authority that signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        parameters.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        let secret = key.serialize_pem();
        let issuer = Issuer::new(parameters, key);
        Self {
            issuer,
            pem,
            key: secret,
        }
    }

    /// A certificate for some names; `change` may make it a special one.
    pub fn issue(
        &self,
        names: &[&str],
        rsa: bool,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut parameters = CertificateParams::new(names.clone()).unwrap();
        let name = names.first().map_or("nobody", String::as_str);
        parameters.distinguished_name.push(DnType::CommonName, name);
        change(&mut parameters);
        let key = if rsa {
            KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap()
        } else {
            KeyPair::generate().unwrap()
        };
        let made = parameters.signed_by(&key, &self.issuer).unwrap();
        Certificate {
            name: format!("{name}.pem"),
            chain: bytes(&made.pem()),
            key: Secret(bytes(&key.serialize_pem())),
            ocsp: None,
            issuer: None,
            jwt: false,
        }
    }

    /// The authority itself, as a certificate with a key.
    pub fn certificate(&self) -> Certificate {
        Certificate {
            name: "ca-with-key.pem".into(),
            chain: bytes(&self.pem),
            key: Secret(bytes(&self.key)),
            ocsp: None,
            issuer: None,
            jwt: false,
        }
    }

    /// A list of what the authority revoked, by serial numbers.
    pub fn revoking(&self, serials: &[u64]) -> PemFile {
        let revoked = serials.iter().map(|&serial| RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        PemFile {
            name: "crl.pem".into(),
            pem: bytes(&list.signed_by(&self.issuer).unwrap().pem().unwrap()),
        }
    }

    pub fn file(&self) -> PemFile {
        PemFile {
            name: "ca.pem".into(),
            pem: bytes(&self.pem),
        }
    }
}

pub fn bytes(text: &str) -> ByteString {
    ByteString(text.as_bytes().to_vec())
}

pub fn files(certificates: Vec<Certificate>, authority: &Authority) -> TlsFiles {
    TlsFiles {
        certificates,
        authorities: vec![authority.file()],
        revocations: Vec::new(),
        ..TlsFiles::default()
    }
}

pub fn settings() -> BindTlsSettings {
    BindTlsSettings {
        tickets: true,
        ..BindTlsSettings::default()
    }
}

/// A bind line with these settings, and entries (certificate, settings, filters).
pub fn bind(settings: Vec<BindTlsSettings>, entries: &[(usize, usize, &[&str])]) -> BindTls {
    let entries = entries.iter().enumerate();
    BindTls {
        settings,
        entries: entries
            .map(|(at, (certificate, settings, filters))| TlsEntry {
                certificate: *certificate,
                settings: *settings,
                filters: filters.iter().map(ToString::to_string).collect(),
                default: at == 0,
                challenge: false,
            })
            .collect(),
        strict_sni: false,
        ticket_keys: Vec::new(),
        generation: None,
        sessions: 100,
        lifetime: 300,
    }
}

/// A server line that verifies with the first authority of the plan.
pub fn server() -> ServerTls {
    ServerTls {
        negotiation: Negotiation::default(),
        alpn: Vec::new(),
        verify: true,
        verify_host: None,
        authorities: vec![0],
        revocations: Vec::new(),
        certificate: None,
        client_schemes: Vec::new(),
        sni: None,
        reuse: true,
        tickets: true,
        early_data: false,
    }
}

/// How a handshake ended, as both ends see it.
pub struct Met {
    pub client: ClientConnection,
    pub server: ServerConnection,
}

impl Met {
    /// The certificate that the client was shown.
    pub fn shown(&self) -> Vec<u8> {
        self.client.peer_certificates().unwrap()[0].to_vec()
    }

    pub fn resumed(&self) -> bool {
        self.client.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    }
}

/// Why there was no handshake.
#[derive(Debug)]
pub enum Failed {
    Refused(Refusal),
    Client(rustls::Error),
    Server(rustls::Error),
}

/// Shakes hands in memory.
pub fn meet(acceptor: &Acceptor, connector: &Connector, sni: Option<&str>) -> Result<Met, Failed> {
    let name = connector.server_name(sni).unwrap();
    let client = ClientConnection::new(connector.config(), name).map_err(Failed::Client)?;
    shake(client, acceptor)
}

/// The same with a client that is there already.
pub fn shake(mut client: ClientConnection, acceptor: &Acceptor) -> Result<Met, Failed> {
    let mut hello = Hello::default();
    let mut wire = Vec::new();
    client.write_tls(&mut wire).unwrap();
    hello.read_tls(&mut &wire[..]).unwrap();
    let accepted = match hello.accept() {
        Ok(accepted) => accepted.unwrap(),
        Err((error, _)) => return Err(Failed::Server(error)),
    };
    let config = acceptor
        .choose(&(&accepted.client_hello()).into())
        .map_err(Failed::Refused)?;
    let mut server = accepted
        .into_connection(config)
        .map_err(|(error, _)| Failed::Server(error))?;
    for _ in 0..10 {
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut rest = &wire[..];
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets().map_err(Failed::Client)?;
        }
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut rest = &wire[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().map_err(Failed::Server)?;
        }
    }
    Ok(Met { client, server })
}

/// An acceptor and the store it was made from.
pub fn acceptor(line: &BindTls, files: &TlsFiles) -> Acceptor {
    Acceptor::new(line, &Store::new(files).unwrap()).unwrap()
}

pub fn connector(line: &ServerTls, files: &TlsFiles) -> Connector {
    Connector::new(line, &Store::new(files).unwrap()).unwrap()
}

/// The DER of a certificate of the plan.
pub fn der(certificate: &Certificate) -> Vec<u8> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    CertificateDer::from_pem_slice(certificate.chain.as_bytes())
        .unwrap()
        .to_vec()
}
