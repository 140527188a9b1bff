//! The TLS of a health check: the control plane moves the bytes, as it made the socket.

use isthmus_tls::{Channel, Connector};

use crate::control::Control;

/// How the handshake of a health check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckProgress {
    /// More of the server's bytes are awaited.
    Waits,
    /// It is over, and the server is believed.
    Done,
    /// One side refused the other.
    Failed,
    /// The server's certificate has another name than the one that was asked for or is configured.
    Misnamed,
}

/// A handshake with a server that is checked.
#[derive(Debug)]
pub struct CheckHandshake {
    channel: Channel,
    /// What was received and is no whole record yet.
    held: Vec<u8>,
}

impl CheckHandshake {
    fn new(connector: &Connector, sni: Option<&str>) -> Result<Self, String> {
        let name = connector.server_name(sni);
        let name = name.map_err(|error| error.message)?;
        let channel = Channel::client(connector.config(), name).map_err(|error| error.to_string());
        Ok(Self {
            channel: channel?,
            held: Vec::new(),
        })
    }

    /// Goes on with what the server sent; what is to be sent is put behind `out`.
    pub fn advance(&mut self, received: &[u8], out: &mut Vec<u8>) -> CheckProgress {
        use rustls::{CertificateError, Error};
        self.held.extend_from_slice(received);
        match self.channel.receive(&mut self.held, &mut [], out) {
            Ok(done) => {
                self.held.drain(..done.used.min(self.held.len()));
                match self.channel.is_open() {
                    true => CheckProgress::Done,
                    false => CheckProgress::Waits,
                }
            }
            Err(failure) => match failure.0 {
                Error::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                ) => CheckProgress::Misnamed,
                _ => CheckProgress::Failed,
            },
        }
    }

    /// Puts the word that no more will be sent behind `out`.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        self.channel.close(out);
    }
}

impl Control {
    /// Begins the handshake of a server's check.
    pub(crate) fn check_handshake(
        &self,
        backend: &str,
        server: &str,
        sni: Option<&str>,
    ) -> Result<CheckHandshake, String> {
        let generation = self.current().ok_or("no plan is in force")?;
        let known = generation
            .backends
            .iter()
            .find(|known| known.plan.name == backend);
        let server = known
            .ok_or_else(|| format!("No such backend '{backend}'."))?
            .servers
            .iter()
            .find(|known| known.plan.name == server)
            .ok_or_else(|| format!("No such server '{server}'."))?;
        let connector = server.check_connector.as_ref();
        let connector = connector.ok_or("the check of the server has no TLS")?;
        CheckHandshake::new(&connector.load(), sni)
    }
}
