//! Where a connection to a server goes: what `*` and shifted ports mean for a session, and
//! whether it would come back to the proxy itself.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use isthmus_plan::{Address, ClientSource, ServerAddress, ServerNamespace, ServerPort};
use isthmus_sockets::local_name;

use crate::generation::Server;
use crate::namespace::Namespace;
use crate::session::Session;

/// The address that a server with `*` or a shifted port means for a session.
pub(crate) fn target(
    session: &Session,
    ip: Option<IpAddr>,
    port: ServerPort,
) -> Option<SocketAddr> {
    let (ip, port) = match (ip, port) {
        (Some(ip), ServerPort::Fixed { port }) => (ip, port),
        (ip, port) => {
            let destination = session.destination()?;
            let port = match port {
                ServerPort::Fixed { port } => port,
                ServerPort::Client { offset } => {
                    let shifted = i32::from(destination.port()) + offset;
                    u16::try_from(shifted & 0xffff).ok()?
                }
            };
            (ip.unwrap_or(destination.ip().to_canonical()), port)
        }
    };
    Some(SocketAddr::new(ip, port))
}

/// Whether a connection would come back to a listener of ours that is no transparent one.
pub(crate) fn leads_back(
    session: &Session,
    namespace: Option<&Arc<Namespace>>,
    target: SocketAddr,
) -> bool {
    let same = |other: Option<&Arc<Namespace>>| match (namespace, other) {
        (None, None) => true,
        (Some(here), Some(there)) => Arc::ptr_eq(here, there),
        _ => false,
    };
    let arrived = &session.listener.shared;
    if !arrived.plan.transparent
        && same(arrived.namespace.as_ref())
        && local_name(&session.client).inet().map(canonical) == Some(canonical(target))
    {
        return true;
    }
    let frontends = &session.frontend.generation.frontends;
    frontends
        .iter()
        .flat_map(|frontend| &frontend.listeners)
        .any(|listener| {
            let bound = Address::Inet {
                ip: target.ip(),
                port: target.port(),
            };
            !listener.plan.transparent
                && same(listener.namespace.as_ref())
                && listener.plan.address == bound
        })
}

/// An IPv4-mapped IPv6 address is the IPv4 address that it maps.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Server {
    /// The server's `source`, else its backend's (resolved when the plan was compiled).
    pub(crate) fn source(&self) -> Option<&isthmus_plan::SourceAddress> {
        self.plan.source.as_ref()
    }

    pub(crate) fn source_depends_on_client(&self) -> bool {
        self.source().is_some_and(|source| {
            matches!(
                source.usesrc,
                Some(
                    ClientSource::Client | ClientSource::ClientIp | ClientSource::Expression { .. }
                )
            )
        })
    }

    /// The server's address, if it does not depend on the client.
    pub(crate) fn fixed_address(&self) -> Option<SocketAddr> {
        match self.plan.address {
            ServerAddress::Inet {
                ip: Some(ip),
                port: ServerPort::Fixed { port },
            } => Some(SocketAddr::new(ip, port)),
            _ => None,
        }
    }

    /// Its namespace as statistics show it.
    pub(crate) fn namespace_shown(&self) -> String {
        match (self.plan.namespace, &self.namespace) {
            (ServerNamespace::Client, _) => "*".to_owned(),
            (_, Some(namespace)) => namespace.name.clone(),
            _ => String::new(),
        }
    }
}
