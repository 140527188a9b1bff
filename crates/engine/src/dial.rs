//! How a connection to a server is begun: its kind of address, its source, its marks.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use isthmus_plan::{Address, ClientSource, ServerAddress, ServerPort};
use isthmus_sample::Sample;
use isthmus_sockets::{ConnectOptions, Connecting, connect};

use crate::destination::{leads_back, target};
use crate::generation::Server;
use crate::local::LocalServer;
use crate::logging;
use crate::marking::Marking;
use crate::session::Session;
use crate::view::View;
use crate::worker::Worker;

/// Why a connection could not even be begun.
pub(crate) enum Refusal {
    /// The attempt failed; another may succeed.
    Failed,
    /// No source port is free.
    NoPort,
    /// It would connect the proxy to itself; no retry helps.
    Loop(SocketAddr),
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{AddrInUse, AddrNotAvailable};
        match error.kind() {
            AddrInUse | AddrNotAvailable => Self::NoPort,
            _ => Self::Failed,
        }
    }
}

impl Worker {
    /// Begins to connect, without waiting.
    pub(crate) fn dial(&self, session: &Session, server: &Server) -> Result<Connecting, Refusal> {
        let namespace = session.server_namespace();
        let factory = match &namespace {
            None => None,
            Some(namespace) => Some(namespace.factory().ok_or(Refusal::Failed)?),
        };
        match &server.plan.address {
            ServerAddress::Inet { ip, port } => {
                let target = target(session, *ip, *port).ok_or(Refusal::Failed)?;
                let speaks = server.header.is_some()
                    || server.connector.is_some()
                    || !session.up.pending.is_empty();
                let dynamic = ip.is_none() || matches!(port, ServerPort::Client { .. });
                if dynamic {
                    session.notes().server_address.set(Some(target));
                    if leads_back(session, namespace.as_ref(), target) {
                        return Err(Refusal::Loop(target));
                    }
                }
                let mut options = match server.source_depends_on_client() {
                    true => Cow::Owned(self.client_source(session, server, target)),
                    false => Cow::Borrowed(&server.options),
                };
                let marking = session.marking();
                if marking != Marking::default() {
                    let own = options.to_mut();
                    own.mark = marking.mark;
                    own.tos = marking.tos;
                }
                Ok(connect(target, &options, factory.as_deref(), speaks)?)
            }
            ServerAddress::Local {
                address: Address::Unix { path },
            } => Ok(Connecting::unix(path)?),
            ServerAddress::Local {
                address:
                    Address::Abstract {
                        name,
                        zero_terminated,
                    },
            } => {
                let (name, ends) = (name.clone(), *zero_terminated);
                let open = move || Connecting::abstract_name(&name, ends);
                Ok(match factory {
                    None => open()?,
                    Some(factory) => factory.run(open)??,
                })
            }
            ServerAddress::Local {
                address: Address::Sockpair { fd },
            } => Ok(Connecting::over_pair(*fd)?),
            _ => Err(Refusal::Failed),
        }
    }

    /// Connect options whose source address is the client's, or comes from an expression.
    pub(crate) fn client_source(
        &self,
        session: &Session,
        server: &Server,
        target: SocketAddr,
    ) -> ConnectOptions {
        let mut options = server.options.clone();
        let client = session.source();
        let usesrc = server.source().and_then(|source| source.usesrc.as_ref());
        options.source.foreign = true;
        options.source.local = match usesrc {
            Some(ClientSource::Client) => client,
            Some(ClientSource::ClientIp) => client.map(|c| SocketAddr::new(c.ip(), 0)),
            Some(ClientSource::Expression { .. }) => {
                let view = View::new(session, &self.turn);
                let ip = server.usesrc.as_ref().and_then(|e| match e.value(&view) {
                    Some(Sample::Ipv4(ip)) => Some(IpAddr::V4(ip)),
                    Some(Sample::Ipv6(ip)) => Some(IpAddr::V6(ip)),
                    _ => None,
                });
                ip.map(|ip| SocketAddr::new(ip, 0))
            }
            _ => options.source.local,
        };
        if options
            .source
            .local
            .is_some_and(|local| local.is_ipv4() != target.is_ipv4())
        {
            options.source.local = None;
        }
        options
    }

    pub(crate) fn tell_loop(&self, session: &Session, chosen: &LocalServer, address: SocketAddr) {
        let text = format!(
            "{}: server {}/{} at {address} is the proxy itself: connection refused",
            session.frontend.shared.plan.name,
            session.backend.as_ref().map_or("", |b| &b.shared.plan.name),
            chosen.shared.plan.name,
        );
        let logger = &session.frontend.shared.logger;
        logger.write(logging::WARNING, text.as_bytes(), b"", &self.turn);
    }

    pub(crate) fn tell_no_port(&self, session: &Session) {
        let Some(backend) = &session.backend else {
            return;
        };
        let text = format!(
            "Connect() failed for backend {}: no free ports.",
            backend.shared.plan.name
        );
        let logger = &session.frontend.shared.logger;
        logger.write(logging::ERROR, text.as_bytes(), b"", &self.turn);
    }
}
