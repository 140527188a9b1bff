//! A worker's own view of a plan: the shared, compiled objects with the counters that only this
//! worker writes, under cheap counted pointers that never leave its thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::generation::{Backend, Frontend, Generation, Listener, Server};
use crate::http::Idle;
use crate::live::{ClientShard, ServerShard};

/// A frontend as one worker sees it.
pub(crate) struct LocalFrontend {
    pub(crate) shared: Arc<Frontend>,
    pub(crate) counters: Arc<ClientShard>,
    /// Every backend of the same plan.
    pub(crate) backends: Rc<[Rc<LocalBackend>]>,
    pub(crate) generation: Arc<Generation>,
}

impl LocalFrontend {
    /// Whether a bulk transfer in one direction is spliced (`option splice-*`).
    pub(crate) fn splices(&self, backend: Option<&LocalBackend>, request: bool) -> bool {
        let allows = |splice: &isthmus_plan::Splice| {
            splice.auto
                || if request {
                    splice.request
                } else {
                    splice.response
                }
        };
        self.generation.global.splice
            && (allows(&self.shared.plan.options.splice)
                || backend.is_some_and(|b| allows(&b.shared.plan.options.splice)))
    }
}

/// A bind as one worker sees it.
pub(crate) struct LocalListener {
    pub(crate) shared: Arc<Listener>,
    pub(crate) counters: Arc<ClientShard>,
    pub(crate) frontend: Rc<LocalFrontend>,
}

/// A backend as one worker sees it.
pub(crate) struct LocalBackend {
    pub(crate) shared: Arc<Backend>,
    pub(crate) counters: Arc<ServerShard>,
    pub(crate) servers: Vec<Rc<LocalServer>>,
}

/// A server as one worker sees it.
pub(crate) struct LocalServer {
    pub(crate) shared: Arc<Server>,
    pub(crate) counters: Arc<ServerShard>,
    /// Connections that wait for the next request.
    pub(crate) idle: RefCell<Idle>,
    pub(crate) worker: usize,
}

/// A plan as one worker sees it.
pub(crate) struct Local {
    pub(crate) listeners: Vec<Rc<LocalListener>>,
    pub(crate) backends: Rc<[Rc<LocalBackend>]>,
}

impl Local {
    pub(crate) fn new(generation: &Arc<Generation>, worker: usize) -> Self {
        let backends: Rc<[Rc<LocalBackend>]> = generation
            .backends
            .iter()
            .map(|backend| Rc::new(LocalBackend::new(backend, worker)))
            .collect();
        let frontends: Vec<_> = generation
            .frontends
            .iter()
            .map(|frontend| {
                Rc::new(LocalFrontend {
                    shared: frontend.clone(),
                    counters: frontend.live.shard(worker),
                    backends: backends.clone(),
                    generation: generation.clone(),
                })
            })
            .collect();
        let listeners = frontends
            .iter()
            .flat_map(|frontend| {
                frontend.shared.listeners.iter().map(|listener| {
                    Rc::new(LocalListener {
                        shared: listener.clone(),
                        counters: listener.live.shard(worker),
                        frontend: frontend.clone(),
                    })
                })
            })
            .collect();
        Self {
            listeners,
            backends,
        }
    }
}

impl Local {
    /// The servers of all backends.
    pub(crate) fn servers(&self) -> Vec<Rc<LocalServer>> {
        let backends = self.backends.iter();
        backends.flat_map(|b| b.servers.iter().cloned()).collect()
    }
}

impl LocalBackend {
    fn new(backend: &Arc<Backend>, worker: usize) -> Self {
        let server = |server: &Arc<Server>| {
            Rc::new(LocalServer {
                shared: server.clone(),
                counters: server.live.shard(worker),
                idle: RefCell::default(),
                worker,
            })
        };
        Self {
            shared: backend.clone(),
            counters: backend.live.shard(worker),
            servers: backend.servers.iter().map(server).collect(),
        }
    }
}
