//! What outlives plans, by name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use isthmus_pattern::List;
use isthmus_plan as plan;
use isthmus_sample::{Names, Sample};
use isthmus_table::Table;

use crate::generation::{Generation, Server};
use crate::http::Cache;
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
    /// What the configuration last said of them, by their numbers.
    assigned: HashMap<u32, Option<Sample<'static>>>,
    clients: HashMap<String, Arc<Live<ClientShard>>>,
    servers: HashMap<String, Arc<Live<ServerShard>>>,
    states: HashMap<(String, String), Arc<ServerLive>>,
    connections: HashMap<String, Arc<AtomicU32>>,
    namespaces: Vec<Arc<Namespace>>,
    /// Files of patterns by name, each with the digest of what was read.
    pub(crate) lists: HashMap<String, (String, Arc<List>)>,
    caches: Vec<Arc<Cache>>,
    /// Stick tables by the names of their proxies.
    pub(crate) known_tables: HashMap<String, Arc<Table>>,
}

impl Registry {
    /// What the caches of the plan in force hold.
    pub(crate) fn cached(&self, now: u64) -> Vec<isthmus_plan::CacheFacts> {
        self.caches.iter().map(|cache| cache.facts(now)).collect()
    }

    /// The caches of a plan; what one holds stays while its section stays as it is.
    pub(crate) fn caches(&mut self, plan: &[isthmus_plan::http::Cache]) -> Vec<Arc<Cache>> {
        let known = std::mem::take(&mut self.caches);
        let kept = |from: &isthmus_plan::http::Cache| {
            known.iter().find(|cache| cache.plan == *from).cloned()
        };
        let caches = plan.iter();
        self.caches = caches
            .map(|from| kept(from).unwrap_or_else(|| Arc::new(Cache::new(from))))
            .collect();
        self.caches.clone()
    }

    pub(crate) fn new(process: Arc<Process>) -> Self {
        Self {
            workers: process.shards.len(),
            process,
            names: Names::default(),
            proc_variables: Arc::default(),
            assigned: HashMap::new(),
            clients: HashMap::new(),
            servers: HashMap::new(),
            states: HashMap::new(),
            connections: HashMap::new(),
            namespaces: Vec::new(),
            lists: HashMap::new(),
            caches: Vec::new(),
            known_tables: HashMap::new(),
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
            // What rules made of a variable since stays as long as the configuration says the same.
            if self.assigned.insert(variable.id, value.clone()).as_ref() != Some(value) {
                self.proc_variables.set(variable.id, value.clone());
            }
        }
        self.drop_idle(generation);
        self.keep_tables(generation);
        for listed in generation.lists.iter().filter(|l| !l.name.is_empty()) {
            let loaded = (listed.digest.clone(), listed.list.clone());
            self.lists.insert(listed.name.clone(), loaded);
        }
        for backend in &generation.backends {
            for server in &backend.servers {
                let key = (backend.plan.name.clone(), server.plan.name.clone());
                server.state.adjust(&server.plan, now);
                if self.states.insert(key, server.state.clone()).is_none() {
                    follow_tracked(generation, server, now);
                }
            }
        }
        // What a plan says of one server holds for those that track it.
        crate::following::follow(generation, now);
        for backend in &generation.backends {
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

    /// Forgets servers that a plan does not have and that have no session: one that is added under
    /// such a name later is another one. Sessions of other servers keep the plan before alive, and
    /// with it, but for this, the server that was taken out.
    fn drop_idle(&mut self, generation: &Generation) {
        let mut named: HashSet<(&str, &str)> = HashSet::new();
        for backend in &generation.backends {
            let own = backend.servers.iter();
            named.extend(own.map(|s| (backend.plan.name.as_str(), s.plan.name.as_str())));
        }
        let servers = &mut self.servers;
        self.states.retain(|(backend, server), state| {
            let stays = named.contains(&(backend.as_str(), server.as_str()))
                || state.balanced.current() > 0;
            if !stays {
                servers.remove(&server_key(backend, server));
            }
            stays
        });
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

/// The name under which [`Registry::server`] knows a server's counters.
pub(crate) fn server_key(backend: &str, server: &str) -> String {
    format!("server {backend}/{server}")
}

/// A server that is new while others run is as healthy as the one that it tracks.
fn follow_tracked(generation: &Generation, server: &Server, now: u64) {
    if let Some((backend, tracked)) = crate::following::tracked(generation, server) {
        if !tracked.state.status().healthy {
            let reason = format!("via {}/{}", backend.plan.name, tracked.plan.name);
            server.state.set_health(false, &reason, now);
        }
    }
}
