//! From a plan to a generation: names to objects, rules to programs. What outlives plans is found
//! in the registry or added to it. Nothing is opened here and nothing that runs is changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64};

use arc_swap::{ArcSwap, ArcSwapOption};
use isthmus_balance::Balancer;
use isthmus_pattern::List;
use isthmus_plan as plan;
use isthmus_plan::command::FrontendState;
use isthmus_sample::{Allowed, Certificates, CompileEnv, Jose, Program, Users};
use isthmus_table::Table;

use crate::compile_balance::algorithm;
use crate::generation::{Backend, Frontend, Generation, Listener, Server};
use crate::http::{HttpSide, Service};
use crate::live::RateLimits;
use crate::logging::Logger;
use crate::namespace::Namespace;
use crate::patterns::Files;
use crate::queue::WaitingLine;
use crate::registry::Registry;
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
    let jose = Arc::new(jose(&plan.tls)?);
    let userlists = userlists(plan)?;
    let program = acls(plan, (lists, &userlists, &tables), (names, &jose))?;
    let certificates = certificates(&plan.tls)?;
    let caches = registry.caches(&plan.global.http.caches);
    let services = services(plan);
    let mut compiler = Compiler {
        names,
        program: &program,
        acls: &plan.acls,
        lists,
        userlists: &userlists,
        limits: Vec::new(),
        caches: &caches,
        services: &services,
        tables: &tables,
        table_plans: &plan.tables,
        jose: &jose,
        errors: Vec::new(),
    };
    let context = Context {
        plan,
        certificates: &certificates,
        namespaces,
        number,
        before: before.map(Earlier::of).unwrap_or_default(),
    };
    let backends = context.backends(registry, &mut compiler);
    let frontends = plan
        .frontends
        .iter()
        .map(|front| Arc::new(context.frontend(front, registry, &mut compiler)))
        .collect();
    let variables = crate::starting::assigned(&plan.global, &mut compiler);
    let errors = std::mem::take(&mut compiler.errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Generation {
        number,
        tls: crate::tls_facts::Kept::new(compiler.names.tls, &plan.tls),
        names: ArcSwap::from_pointee(compiler.names.clone()),
        jose: jose.clone(),
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

fn services(plan: &plan::Plan) -> Vec<Arc<Service>> {
    let names = plan.global.http.services.iter();
    names.map(|name| Arc::new(Service::new(name))).collect()
}

/// The userlists of a plan, each compiled once whoever mentions it.
pub(crate) fn userlists(plan: &plan::Plan) -> Result<Vec<Arc<Users>>, Errors> {
    let compiled = plan.userlists.iter().map(|list| {
        let users = Users::compile(list).map(Arc::new);
        users.map_err(|error| vec![("userlist".to_owned(), error)])
    });
    compiled.collect()
}

/// What a plan says about tokens.
pub(crate) fn jose(files: &plan::tls::TlsFiles) -> Result<Jose, Errors> {
    let (algorithms, encryptions) = (&files.token_algorithms, &files.token_encryptions);
    Ok(Jose {
        allowed: Allowed::of(algorithms, encryptions)
            .map_err(|error| vec![("global".to_owned(), error)])?,
        certificates: ArcSwap::from_pointee(Certificates::new(files)),
    })
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

/// Lists of patterns, userlists and tables, which expressions refer to by index.
type Named<'n> = (&'n [Arc<List>], &'n [Arc<Users>], &'n [Arc<Table>]);

fn acls(
    plan: &plan::Plan,
    (lists, userlists, tables): Named<'_>,
    (names, jose): (&mut isthmus_sample::Names, &Arc<Jose>),
) -> Result<Program, Errors> {
    let mut env = CompileEnv {
        names,
        env: &crate::rules::environment,
        acl: &|name| plan.acls.iter().position(|acl| acl.name.as_bytes() == name),
        lists,
        userlists,
        tables,
        jose,
    };
    Program::compile(&plan.acls, &mut env).map_err(|errors| {
        // What the runtime API tells about an ACL's list says where it stands.
        let place = |at: usize| {
            plan.acls
                .get(at)?
                .tests
                .first()
                .map(|t| t.description.clone())
        };
        let located = |(at, message)| (place(at).unwrap_or_default(), message);
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

pub(crate) struct Context<'c> {
    pub(crate) plan: &'c plan::Plan,
    pub(crate) namespaces: &'c [Arc<Namespace>],
    pub(crate) number: u64,
    pub(crate) certificates: &'c isthmus_tls::Store,
    pub(crate) before: Earlier,
}

impl Context<'_> {
    fn backends(&self, registry: &mut Registry, compiler: &mut Compiler<'_>) -> Vec<Arc<Backend>> {
        let backends = self.plan.backends.iter().enumerate();
        backends
            .map(|(index, from)| Arc::new(self.backend(index, from, registry, compiler)))
            .collect()
    }

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
}
