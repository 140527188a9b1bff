//! Opening the listening sockets of a plan, or keeping those that are open already.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use isthmus_plan::{Address, Bind, Shards};
use isthmus_sockets::{ListenOptions, ListenTarget, UnixOwner, listen};

use crate::compile_server::keepalive;
use crate::generation::{Frontend, Generation, Listener, OpenListener};

/// The backlog where nothing is configured and no limit says how much is sensible.
const BACKLOG: u64 = 4096;

/// Opens a listener's sockets in its namespace, or takes open ones that fit out of
/// `open_already`: two lines that say the same have sockets of their own.
///
/// # Errors
/// Why it can't be opened.
pub(crate) fn open(
    generation: &Generation,
    frontend: &Frontend,
    listener: &Listener,
    open_already: &mut Vec<Arc<OpenListener>>,
    workers: usize,
) -> Result<Arc<OpenListener>, String> {
    let bind = &listener.plan;
    let target = match target(bind) {
        Ok(target) => target,
        Err(fd) => return inherit(bind, fd),
    };
    // A socket that no worker polls would take connections and never serve them.
    let most = serving(bind, workers).count().max(1);
    let count = match (bind.shards, &target) {
        (Shards::ByThread {}, ListenTarget::Inet(_)) => most,
        (Shards::Count { count }, ListenTarget::Inet(_)) => count.clamp(1, most),
        // Sockets of other families can't share an address; the workers share one.
        _ => 1,
    };
    let factory = match &listener.namespace {
        None => None,
        Some(namespace) => Some(namespace.factory().ok_or_else(|| namespace.error())?),
    };
    let identity = factory.as_ref().map(|factory| factory.identity());
    let fits = |open: &Arc<OpenListener>| {
        open.target.as_ref() == Some(&target)
            && open.identity == identity
            && open.sockets.len() == count
            && open.bind == essence(bind)
    };
    if let Some(place) = open_already.iter().position(fits) {
        return Ok(open_already.remove(place));
    }
    let options = options(generation, frontend, bind);
    let make = {
        let (target, options) = (target.clone(), options.clone());
        move || {
            // One port for all of them, also where the kernel chose it.
            let first = listen(&target, &options)?;
            let target = match (&target, isthmus_sockets::local_name(&first).inet()) {
                (ListenTarget::Inet(_), Some(bound)) => ListenTarget::Inet(bound),
                _ => target,
            };
            let mut sockets = vec![first];
            while sockets.len() < count {
                sockets.push(listen(&target, &options)?);
            }
            Ok(sockets)
        }
    };
    let sockets: std::io::Result<Vec<_>> = match factory {
        None => make(),
        Some(factory) => factory.run(make).and_then(|made| made),
    };
    let sockets = sockets.map_err(|error| error.to_string())?;
    Ok(Arc::new(OpenListener {
        sockets,
        target: Some(target),
        identity,
        sockpair: false,
        bind: essence(bind),
    }))
}

/// Gives a listener's open sockets what the plan that comes into force says of them: those that were open before
/// may have another backlog, or another keep-alive for the connections they accept.
pub(crate) fn adjust(generation: &Generation, frontend: &Frontend, listener: &Listener) {
    let Some(open) = listener.open.load_full().filter(|o| o.target.is_some()) else {
        return;
    };
    let options = options(generation, frontend, &listener.plan);
    let adjust = move || {
        for socket in &open.sockets {
            // It listens already: nothing here can take that from it.
            let _ = isthmus_sockets::adjust(socket, &options);
        }
    };
    match &listener.namespace {
        None => adjust(),
        Some(namespace) => {
            // Where the namespace is gone by now, so are its connections.
            let _ = namespace.factory().map(|factory| factory.run(adjust));
        }
    }
}

/// The workers that serve a bind (`thread`).
pub(crate) fn serving(bind: &Bind, workers: usize) -> impl Iterator<Item = usize> {
    (0..workers).filter(|worker| bind.threads.is_empty() || bind.threads.contains(worker))
}

/// What of a bind line decides about its sockets: a line that moved in the file, or accepts
/// other clients, keeps them; what can be changed of an open socket is changed by [`adjust`].
fn essence(bind: &Bind) -> Bind {
    Bind {
        id: 0,
        name: String::new(),
        origin: String::new(),
        namespace: None,
        accept_proxy: false,
        accept_proxy_from: Vec::new(),
        backlog: 0,
        maxconn: 0,
        threads: Vec::new(),
        tls: None,
        h2: None,
        ..bind.clone()
    }
}

/// What to listen on; `Err` holds the number of an inherited descriptor.
fn target(bind: &Bind) -> Result<ListenTarget, i32> {
    Ok(match &bind.address {
        Address::Inet { ip, port } => ListenTarget::Inet(SocketAddr::new(*ip, *port)),
        Address::Unix { path } => ListenTarget::Unix(path.clone()),
        Address::Abstract {
            name,
            zero_terminated,
        } => ListenTarget::Abstract(name.clone(), *zero_terminated),
        Address::Fd { fd } | Address::Sockpair { fd } => return Err(*fd),
    })
}

fn inherit(bind: &Bind, fd: i32) -> Result<Arc<OpenListener>, String> {
    let socket = isthmus_sockets::inherit(fd).map_err(|error| format!("fd@{fd}: {error}"))?;
    Ok(Arc::new(OpenListener {
        sockets: vec![socket],
        target: None,
        identity: None,
        sockpair: matches!(bind.address, Address::Sockpair { .. }),
        bind: essence(bind),
    }))
}

fn options(generation: &Generation, frontend: &Frontend, bind: &Bind) -> ListenOptions {
    let [receive, send, _, _] = generation.global.socket_buffers;
    let backlog = match (bind.backlog, frontend.maxconn.load(Relaxed)) {
        (0, 0) => BACKLOG,
        (0, maxconn) => maxconn,
        (backlog, _) => u64::from(backlog),
    };
    ListenOptions {
        backlog: i32::try_from(backlog).unwrap_or(i32::MAX),
        defer_accept: bind.defer_accept,
        interface: bind.interface.clone(),
        mss: bind.mss,
        user_timeout: bind.tcp_user_timeout,
        fast_open: bind.tfo,
        transparent: bind.transparent,
        v6only: bind.v6only,
        keepalive: keepalive(frontend.plan.options.keepalive),
        buffers: (receive, send),
        unsent: generation.global.unsent[0],
        congestion: bind.congestion.clone(),
        shared: true,
        owner: UnixOwner {
            mode: bind.mode,
            uid: bind.uid,
            gid: bind.gid,
        },
    }
}

impl OpenListener {
    /// The address as bound, in the configuration's form.
    pub(crate) fn address(&self) -> String {
        use isthmus_sockets::Peer;
        let bound = self.sockets.first().map(isthmus_sockets::local_name);
        match (&self.target, bound) {
            (Some(ListenTarget::Unix(path)), _) => path.clone(),
            (Some(ListenTarget::Abstract(name, _)), _) => format!("abns@{name}"),
            (_, Some(Peer::Inet(address))) => address.to_string(),
            _ => String::new(),
        }
    }
}
