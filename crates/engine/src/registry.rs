//! What outlives plans, by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use isthmus_pattern::List;
use isthmus_plan as plan;
use isthmus_sample::Names;

use crate::generation::Generation;
use crate::live::{ClientShard, Live, Process, ServerShard};
use crate::namespace::Namespace;
use crate::server_state::ServerLive;
use crate::variables::ProcVariables;

/// Counters, server states and namespaces by name. What a new plan does not name any more is
/// dropped by [`Registry::forget`]; sessions that still run hold their parts themselves.
pub(crate) struct Registry {
    workers: usize,
    pub(crate) process: Arc<Process>,
    pub(crate) names: Names,
    pub(crate) proc_variables: Arc<ProcVariables>,
    clients: HashMap<String, Arc<Live<ClientShard>>>,
    servers: HashMap<String, Arc<Live<ServerShard>>>,
    states: HashMap<(String, String), Arc<ServerLive>>,
    connections: HashMap<String, Arc<AtomicU32>>,
    namespaces: Vec<Arc<Namespace>>,
    /// Files of patterns by name, each with the digest of what was read.
    pub(crate) lists: HashMap<String, (String, Arc<List>)>,
}

impl Registry {
    pub(crate) fn new(process: Arc<Process>) -> Self {
        Self {
            workers: process.shards.len(),
            process,
            names: Names::default(),
            proc_variables: Arc::default(),
            clients: HashMap::new(),
            servers: HashMap::new(),
            states: HashMap::new(),
            connections: HashMap::new(),
            namespaces: Vec::new(),
            lists: HashMap::new(),
        }
    }

    pub(crate) fn client(&mut self, name: &str) -> Arc<Live<ClientShard>> {
        let fresh = || Arc::new(Live::new(self.workers));
        self.clients
            .entry(name.to_owned())
            .or_insert_with(fresh)
            .clone()
    }

    pub(crate) fn server(&mut self, name: &str) -> Arc<Live<ServerShard>> {
        let fresh = || Arc::new(Live::new(self.workers));
        self.servers
            .entry(name.to_owned())
            .or_insert_with(fresh)
            .clone()
    }

    /// How many connections a backend has, whichever plan they began under.
    pub(crate) fn connections(&mut self, backend: &str) -> Arc<AtomicU32> {
        self.connections
            .entry(backend.to_owned())
            .or_default()
            .clone()
    }

    /// The state of a server: that of the plans before, under which it had the same name. It
    /// is not changed before the plan is in force: see [`Registry::keep`].
    pub(crate) fn server_state(&self, backend: &str, server: &plan::Server) -> Arc<ServerLive> {
        let key = (backend.to_owned(), server.name.clone());
        match self.states.get(&key) {
            Some(known) => known.clone(),
            None => Arc::new(ServerLive::new(server)),
        }
    }

    /// Takes over what a plan says, now that it comes into force: servers' limits and weights,
    /// and variables.
    pub(crate) fn keep(&mut self, generation: &Generation, now: u64) {
        for (variable, value) in &generation.assigned {
            self.proc_variables.set(variable.id, value.clone());
        }
        for listed in generation.lists.iter().filter(|l| !l.name.is_empty()) {
            let loaded = (listed.digest.clone(), listed.list.clone());
            self.lists.insert(listed.name.clone(), loaded);
        }
        for backend in &generation.backends {
            for server in &backend.servers {
                let key = (backend.plan.name.clone(), server.plan.name.clone());
                server.state.adjust(&server.plan, now);
                self.states.insert(key, server.state.clone());
            }
            backend.balancer.on_state_change();
        }
    }

    pub(crate) fn namespace(&mut self, from: &plan::Namespace) -> Arc<Namespace> {
        if let Some(known) = self.namespaces.iter().find(|known| known.is(from)) {
            return known.clone();
        }
        let fresh = Arc::new(Namespace::new(from));
        self.namespaces.push(fresh.clone());
        fresh
    }

    /// Drops what only the registry still holds.
    pub(crate) fn forget(&mut self) {
        self.clients.retain(|_, live| Arc::strong_count(live) > 1);
        self.servers.retain(|_, live| Arc::strong_count(live) > 1);
        self.connections
            .retain(|_, count| Arc::strong_count(count) > 1);
        self.states.retain(|_, state| Arc::strong_count(state) > 1);
        self.lists
            .retain(|_, (_, list)| Arc::strong_count(list) > 1);
        self.namespaces
            .retain(|namespace| Arc::strong_count(namespace) > 1);
    }
}
