//! From a plan to a generation: names to objects, rules to programs. What outlives plans is found
//! in the registry or added to it. Nothing is opened here and nothing that runs is changed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64};

use arc_swap::{ArcSwap, ArcSwapOption};
use isthmus_balance::{Algorithm, Balancer, HashType, Method, hash};
use isthmus_pattern::List;
use isthmus_plan as plan;
use isthmus_plan::command::FrontendState;
use isthmus_sample::{CompileEnv, Nowhere, Program, Sample, VarRef};
use isthmus_sockets::{ConnectOptions, Keepalive, SourceBinding};
use isthmus_table::Table;

use crate::generation::{Backend, Frontend, Generation, HashKey, Listener, Server};
use crate::http::{HttpSide, RequestPart, Service};
use crate::live::RateLimits;
use crate::logging::Logger;
use crate::namespace::Namespace;
use crate::patterns::Files;
use crate::proxy_header::HeaderMaker;
use crate::queue::WaitingLine;
use crate::registry::{Registry, server_key};
use crate::renewing::Earlier;
use crate::rules::Compiler;

/// Errors with the `file:line` they belong to.
pub(crate) type Errors = Vec<(String, String)>;

/// Compiles a plan.
///
/// # Errors
/// Everything in the plan that does not hold together.
pub(crate) fn compile(
    plan: &plan::Plan,
    files: &Files<'_>,
    registry: &mut Registry,
    (before, number): (Option<&Generation>, u64),
) -> Result<Generation, Errors> {
    let lists = crate::patterns::named(plan, files, registry)?;
    let namespaces: Vec<Arc<Namespace>> = plan
        .namespaces
        .iter()
        .map(|namespace| registry.namespace(namespace))
        .collect();
    let mut names = std::mem::take(&mut registry.names);
    let parts = (&namespaces[..], &lists[..]);
    let outcome = compile_with(plan, registry, (before, number), parts, &mut names);
    registry.names = names;
    outcome
}

fn compile_with(
    plan: &plan::Plan,
    registry: &mut Registry,
    (before, number): (Option<&Generation>, u64),
    (namespaces, lists): (&[Arc<Namespace>], &[Arc<List>]),
    names: &mut isthmus_sample::Names,
) -> Result<Generation, Errors> {
    let tables = registry.tables(&plan.tables)?;
    let program = acls(plan, lists, &tables, names)?;
    let certificates = certificates(&plan.tls)?;
    let caches = registry.caches(&plan.global.http.caches);
    let services = plan.global.http.services.iter();
    let services: Vec<_> = services.map(|name| Arc::new(Service::new(name))).collect();
    let mut compiler = Compiler {
        names,
        program: &program,
        acls: &plan.acls,
        lists,
        userlists: &plan.userlists,
        limits: Vec::new(),
        caches: &caches,
        services: &services,
        tables: &tables,
        table_plans: &plan.tables,
        errors: Vec::new(),
    };
    let context = Context {
        plan,
        certificates: &certificates,
        namespaces,
        number,
        before: before.map(Earlier::of).unwrap_or_default(),
    };
    let backends: Vec<Arc<Backend>> = plan
        .backends
        .iter()
        .enumerate()
        .map(|(index, backend)| Arc::new(context.backend(index, backend, registry, &mut compiler)))
        .collect();
    let frontends = plan
        .frontends
        .iter()
        .map(|front| Arc::new(context.frontend(front, registry, &mut compiler)))
        .collect();
    let variables = context.proc_variables(&mut compiler);
    let errors = std::mem::take(&mut compiler.errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Generation {
        number,
        tls: crate::tls_facts::Kept::new(compiler.names.tls, &plan.tls),
        global: plan.global.clone(),
        maxconn: AtomicU64::new(plan.global.maxconn),
        rates: RateLimits::new(&plan.global),
        process: registry.process.clone(),
        lists: crate::patterns::all(plan, lists, &program),
        tables: plan.tables.iter().cloned().zip(tables).collect(),
        program,
        frontends,
        backend_names: names_of(&backends),
        backends,
        namespaces: namespaces.to_vec(),
        listed: listed(plan, namespaces),
        proc_variables: registry.proc_variables.clone(),
        assigned: variables,
    })
}

pub(crate) fn certificates(files: &plan::tls::TlsFiles) -> Result<isthmus_tls::Store, Errors> {
    isthmus_tls::Store::new(files)
        .map_err(|error| vec![(named_file(files, error.fault), error.to_string())])
}

/// The namespaces that a NETNS TLV may choose.
fn listed(plan: &plan::Plan, namespaces: &[Arc<Namespace>]) -> Vec<Arc<Namespace>> {
    let listed = plan.namespace_list.iter();
    listed.filter_map(|i| namespaces.get(*i).cloned()).collect()
}

/// Of backends with one name the first counts, as where a plan resolves names.
fn names_of(backends: &[Arc<Backend>]) -> std::collections::HashMap<Box<[u8]>, usize> {
    let named = |(at, backend): (usize, &Arc<Backend>)| (backend.plan.name.as_bytes().into(), at);
    backends.iter().enumerate().rev().map(named).collect()
}

fn acls(
    plan: &plan::Plan,
    lists: &[Arc<List>],
    tables: &[Arc<Table>],
    names: &mut isthmus_sample::Names,
) -> Result<Program, Errors> {
    let mut env = CompileEnv {
        names,
        env: &crate::rules::environment,
        acl: &|name| plan.acls.iter().position(|acl| acl.name.as_bytes() == name),
        lists,
        userlists: &plan.userlists,
        tables,
    };
    Program::compile(&plan.acls, &mut env).map_err(|errors| {
        let located = |(_, message): (usize, String)| ("acl".to_owned(), message);
        errors.into_iter().map(located).collect()
    })
}

/// The file that a fault of the plan's TLS is in.
fn named_file(files: &plan::tls::TlsFiles, fault: isthmus_tls::Fault) -> String {
    let name = match fault {
        isthmus_tls::Fault::Certificate(at) => files.certificates.get(at).map(|f| &f.name),
        isthmus_tls::Fault::Authority(at) => files.authorities.get(at).map(|f| &f.name),
        isthmus_tls::Fault::Revocation(at) => files.revocations.get(at).map(|f| &f.name),
        isthmus_tls::Fault::Settings => None,
    };
    name.cloned().unwrap_or_default()
}

struct Context<'c> {
    plan: &'c plan::Plan,
    namespaces: &'c [Arc<Namespace>],
    number: u64,
    certificates: &'c isthmus_tls::Store,
    before: Earlier,
}

impl Context<'_> {
    fn frontend(
        &self,
        from: &plan::Frontend,
        registry: &mut Registry,
        compiler: &mut Compiler<'_>,
    ) -> Frontend {
        let live = registry.client(&format!("frontend {}", from.name));
        let listeners = from
            .binds
            .iter()
            .map(|bind| Arc::new(self.listener(from, bind, registry, compiler)))
            .collect();
        let global = &self.plan.global;
        Frontend {
            live,
            listeners,
            connection_rules: compiler.rules(&from.connection_rules),
            session_rules: compiler.rules(&from.session_rules),
            content_rules: compiler.rules(&from.content_rules),
            choices: compiler.backend_choices(&from.backend_choices),
            http: HttpSide::of_frontend(from, global, compiler),
            logger: Logger::compile(&from.log, global, self.namespaces, compiler, &from.name),
            own_backend: self.plan.backends.iter().position(|backend| {
                // A frontend and a backend may share a name; the lines of a `listen` are the same.
                backend.name == from.name && backend.content_rules == from.content_rules
            }),
            maxconn: AtomicU64::new(if from.maxconn == 0 {
                global.maxconn
            } else {
                from.maxconn
            }),
            gate: AtomicU8::new(FrontendState::Open as u8),
            plan: from.clone(),
        }
    }

    fn listener(
        &self,
        frontend: &plan::Frontend,
        bind: &plan::Bind,
        registry: &mut Registry,
        compiler: &mut Compiler<'_>,
    ) -> Listener {
        let trusted = bind
            .accept_proxy_from
            .iter()
            .filter_map(|network| {
                let parsed = crate::network::parse(network);
                if parsed.is_none() {
                    let message = format!("'{network}' is not a network");
                    compiler.errors.push((bind.origin.clone(), message));
                }
                parsed
            })
            .collect();
        let acceptor = bind.tls.as_deref().and_then(|tls| {
            let known = self.before.acceptor(&frontend.name, bind.id);
            let made = isthmus_tls::Acceptor::renewed(tls, self.certificates, known);
            compiler.tls(&bind.origin, made).map(ArcSwap::new)
        });
        Listener {
            acceptor,
            live: registry.client(&format!("bind {} {}", frontend.name, bind.id)),
            namespace: bind
                .namespace
                .and_then(|index| self.namespaces.get(index).cloned()),
            trusted,
            open: ArcSwapOption::empty(),
            error: parking_lot::Mutex::default(),
            plan: bind.clone(),
        }
    }

    fn backend(
        &self,
        index: usize,
        from: &plan::Backend,
        registry: &mut Registry,
        compiler: &mut Compiler<'_>,
    ) -> Backend {
        let servers: Vec<Arc<Server>> = from
            .servers
            .iter()
            .enumerate()
            .map(|(at, server)| Arc::new(self.server(from, at, server, registry, compiler)))
            .collect();
        let (algorithm, hash_key) = algorithm(&from.algorithm, &from.name, compiler);
        let balanced = servers
            .iter()
            .map(|server| server.state.balanced.clone())
            .collect();
        let fullconn = u32::try_from(from.fullconn).unwrap_or(u32::MAX);
        Backend {
            generation: self.number,
            index,
            live: registry.server(&format!("backend {}", from.name)),
            balancer: Balancer::new(algorithm, balanced, from.options.allbackups, fullconn)
                .counting_with(registry.connections(&from.name)),
            servers,
            line: WaitingLine::default(),
            hash_key,
            content_rules: compiler.rules(&from.content_rules),
            choices: compiler.server_choices(&from.server_choices),
            stick_rules: compiler.stick_rules(&from.stick_rules),
            http: HttpSide::of_backend(from, &self.plan.global, compiler),
            logger: Logger::compile(
                &from.log,
                &self.plan.global,
                self.namespaces,
                compiler,
                &from.name,
            ),
            plan: from.clone(),
        }
    }

    fn server(
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
        Server {
            connector,
            check_connector,
            sni: sni.and_then(|sni| compiler.expression(&plan.origin, sni)),
            at,
            live: registry.server(&server_key(&backend.name, &plan.name)),
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
            mark: None,
        }
    }

    /// Variables of scope `proc` that the configuration sets; they are constants.
    fn proc_variables(
        &self,
        compiler: &mut Compiler<'_>,
    ) -> Vec<(VarRef, Option<Sample<'static>>)> {
        let mut variables = Vec::new();
        for (name, expression) in &self.plan.global.variables {
            let compiled = compiler.expression("global", expression);
            let variable = compiler.names.variable(name.as_bytes());
            if let (Some(compiled), Ok(variable)) = (compiled, variable) {
                variables.push((variable, compiled.value(&Nowhere).map(Sample::into_owned)));
            }
        }
        variables
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

fn algorithm(
    from: &plan::Algorithm,
    backend: &str,
    compiler: &mut Compiler<'_>,
) -> (Algorithm, HashKey) {
    match from {
        plan::Algorithm::Roundrobin {} => (Algorithm::RoundRobin, HashKey::Nothing),
        plan::Algorithm::StaticRr {} => (Algorithm::StaticRoundRobin, HashKey::Nothing),
        plan::Algorithm::Leastconn {} => (Algorithm::LeastConn, HashKey::Nothing),
        plan::Algorithm::First {} => (Algorithm::First, HashKey::Nothing),
        plan::Algorithm::Random { draws } => (
            Algorithm::Random {
                draws: *draws,
                factor: 0,
            },
            HashKey::Nothing,
        ),
        plan::Algorithm::Source { hash } => (hash_algorithm(hash), HashKey::Source),
        plan::Algorithm::Hash { expression, hash } => {
            let key = compiler
                .expression(backend, expression)
                .map_or(HashKey::Nothing, HashKey::Expression);
            (hash_algorithm(hash), key)
        }
        plan::Algorithm::Uri { hash, .. }
        | plan::Algorithm::UrlParam { hash, .. }
        | plan::Algorithm::Header { hash, .. } => {
            let key = RequestPart::of(from).map_or(HashKey::Nothing, HashKey::Part);
            (hash_algorithm(hash), key)
        }
        plan::Algorithm::RdpCookie { name, hash } => {
            let expression = plan::Expression {
                fetch: plan::Call {
                    name: "req.rdp_cookie".to_owned(),
                    args: vec![plan::Arg::Str {
                        value: name.clone(),
                    }],
                },
                converters: Vec::new(),
            };
            let key = compiler
                .expression(backend, &expression)
                .map_or(HashKey::Nothing, HashKey::Expression);
            (hash_algorithm(hash), key)
        }
    }
}

fn hash_algorithm(from: &plan::Hash) -> Algorithm {
    let function = match from.function {
        plan::HashFunction::Sdbm => hash::Function::Sdbm,
        plan::HashFunction::Djb2 => hash::Function::Djb2,
        plan::HashFunction::Wt6 => hash::Function::Wt6,
        plan::HashFunction::Crc32 => hash::Function::Crc32,
        plan::HashFunction::None => hash::Function::None,
    };
    let method = match from.kind {
        plan::HashKind::MapBased => Method::MapBased,
        plan::HashKind::Consistent => Method::Consistent,
    };
    let hash_type = HashType {
        method,
        function,
        avalanche: from.avalanche,
    };
    Algorithm::Hash {
        hash_type,
        factor: from.balance_factor,
    }
}
