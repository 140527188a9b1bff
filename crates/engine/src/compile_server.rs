//! A server line in the engine's terms: where it is, how it is connected to, how it is spoken to.

use std::net::{IpAddr, SocketAddr};

use arc_swap::ArcSwap;
use isthmus_plan as plan;
use isthmus_sockets::{ConnectOptions, Keepalive, SourceBinding};

use crate::compile::Context;
use crate::generation::Server;
use crate::http::Shelf;
use crate::proxy_header::HeaderMaker;
use crate::registry::{Registry, server_key};
use crate::rules::Compiler;

impl Context<'_> {
    pub(crate) fn server(
        &self,
        backend: &plan::Backend,
        at: usize,
        from: &plan::Server,
        registry: &mut Registry,
        compiler: &mut Compiler<'_>,
    ) -> Server {
        let mut plan = from.clone();
        if plan.source.is_none() {
            plan.source.clone_from(&backend.source);
        }
        let namespace = match plan.namespace {
            plan::ServerNamespace::Fixed { namespace } => self.namespaces.get(namespace).cloned(),
            _ => None,
        };
        let usesrc = match plan.source.as_ref().and_then(|s| s.usesrc.as_ref()) {
            Some(plan::ClientSource::Expression { expression }) => {
                compiler.expression(&plan.origin, expression)
            }
            _ => None,
        };
        let (tls, check) = (plan.tls.as_deref(), plan.check_tls.as_deref());
        let connector = tls.and_then(|tls| {
            let known = self.before.connector(&backend.name, &plan.name);
            let made = isthmus_tls::Connector::renewed(tls, self.certificates, known);
            compiler.tls(&plan.origin, made).map(ArcSwap::new)
        });
        let check_connector = check.and_then(|tls| {
            let made = isthmus_tls::Connector::renewed(tls, self.certificates, None);
            compiler.tls(&plan.origin, made).map(ArcSwap::new)
        });
        let sni = tls.and_then(|tls| tls.sni.as_ref());
        let live = registry.server(&server_key(&backend.name, &plan.name));
        let shares = backend.http.is_some() && self.plan.global.http.share_idle;
        Server {
            shelves: Shelf::for_workers(live.shards.len(), shares),
            connector,
            check_connector,
            sni: sni.and_then(|sni| compiler.expression(&plan.origin, sni)),
            at,
            live,
            state: registry.server_state(&backend.name, &plan),
            namespace,
            options: self.connect_options(backend, &plan),
            header: plan
                .proxy_header
                .as_ref()
                .map(|header| HeaderMaker::compile(header, compiler, &plan.origin)),
            usesrc,
            cookie: crate::http::server_cookie(backend, &plan),
            plan,
        }
    }

    fn connect_options(&self, backend: &plan::Backend, server: &plan::Server) -> ConnectOptions {
        let [_, _, receive, send] = self.plan.global.socket_buffers;
        ConnectOptions {
            source: source_binding(server.source.as_ref()),
            keepalive: keepalive(backend.options.keepalive),
            user_timeout: server.tcp_user_timeout,
            fast_open: server.tfo,
            buffers: (receive, send),
            unsent: self.plan.global.unsent[1],
            congestion: server.congestion.clone(),
            mark: None,
            tos: None,
        }
    }
}

/// Keep-alive probes, if they are asked for.
pub(crate) fn keepalive(from: plan::KeepAlive) -> Option<Keepalive> {
    let plan::KeepAlive {
        enabled,
        count,
        idle,
        interval,
    } = from;
    enabled.then_some(Keepalive {
        count,
        idle,
        interval,
    })
}

fn source_binding(from: Option<&plan::SourceAddress>) -> SourceBinding {
    let Some(from) = from else {
        return SourceBinding::default();
    };
    let fixed = match from.usesrc {
        Some(plan::ClientSource::Fixed { ip, port }) => Some(SocketAddr::new(ip, port)),
        _ => None,
    };
    let given = IpAddr::is_unspecified(&from.ip) && from.ports.0 == 0;
    let own = (!given).then(|| SocketAddr::new(from.ip, from.ports.0));
    SourceBinding {
        local: fixed.or(own),
        last_port: if fixed.is_none() { from.ports.1 } else { 0 },
        foreign: fixed.is_some(),
        interface: from.interface.clone(),
    }
}
