//! The control side of the engine: applying plans, carrying out commands, following namespaces.
//! It runs on the callers' threads and on one of its own, never on a worker.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use isthmus_balance::State;
use isthmus_plan::report::{ApplyReport, Event, SessionFacts, Snapshot};
use isthmus_plan::{Plan, ServerNamespace};
use parking_lot::{Condvar, Mutex};

use crate::clock::Clock;
use crate::generation::{Backend, Generation, Listener};
use crate::live::Process;
use crate::mailbox::{Mailbox, Message};
use crate::namespace::{Change, Namespace};
use crate::opening;
use crate::patterns::Files;
use crate::preparing::prepare;
use crate::registry::Registry;

/// How long a snapshot waits for a worker to tell about its sessions.
const PATIENCE: Duration = Duration::from_secs(2);

/// What everybody outside of the workers shares.
pub(crate) struct Control {
    pub(crate) process: Arc<Process>,
    pub(crate) clock: Clock,
    pub(crate) mailboxes: Arc<[Arc<Mailbox>]>,
    /// Workers that still run.
    pub(crate) running: AtomicUsize,
    inner: Mutex<Inner>,
    events: Mutex<VecDeque<Event>>,
    arrived: Condvar,
}

struct Inner {
    registry: Registry,
    current: Option<Arc<Generation>>,
    /// Who of the namespaces may be missing.
    optional: Vec<bool>,
    number: u64,
    stop_at: Option<u64>,
}

impl Control {
    pub(crate) fn new(process: Arc<Process>, clock: Clock, mailboxes: Arc<[Arc<Mailbox>]>) -> Self {
        let inner = Inner {
            registry: Registry::new(process.clone()),
            current: None,
            optional: Vec::new(),
            number: 0,
            stop_at: None,
        };
        Self {
            process,
            clock,
            running: AtomicUsize::new(mailboxes.len()),
            mailboxes,
            inner: Mutex::new(inner),
            events: Mutex::default(),
            arrived: Condvar::new(),
        }
    }

    pub(crate) fn tell(&self, message: impl Fn() -> Message) {
        for mailbox in &*self.mailboxes {
            mailbox.post(message());
        }
    }

    /// Adds an event for whoever waits in [`Control::events`].
    pub(crate) fn happened(&self, event: Event) {
        self.events.lock().push_back(event);
        self.arrived.notify_all();
    }

    /// Events since the last call, waiting for the first one at most `patience`.
    pub(crate) fn events(&self, patience: Duration) -> Vec<Event> {
        let mut events = self.events.lock();
        if events.is_empty() {
            self.arrived.wait_for(&mut events, patience);
        }
        events.drain(..).collect()
    }

    /// Works with what outlives plans, while no plan is put in force.
    pub(crate) fn with_registry<T>(&self, work: impl FnOnce(&mut Registry) -> T) -> T {
        work(&mut self.inner.lock().registry)
    }

    /// Puts a plan in force. Where anything fails, nothing that runs is changed.
    pub(crate) fn apply(&self, plan: &Plan, files: &Files<'_>) -> ApplyReport {
        let mut inner = self.inner.lock();
        if self.stopping() {
            let message = "the engine is stopping".to_owned();
            return ApplyReport {
                generation: inner.number,
                errors: vec![(String::new(), message)],
                ..ApplyReport::default()
            };
        }
        let number = inner.number + 1;
        let current = inner.current.clone();
        let workers = self.mailboxes.len();
        match prepare(
            (plan, files),
            &mut inner.registry,
            current.as_deref(),
            number,
            workers,
        ) {
            Err(errors) => {
                inner.registry.forget();
                ApplyReport {
                    generation: inner.number,
                    errors,
                    ..ApplyReport::default()
                }
            }
            Ok(generation) => {
                let generation = Arc::new(generation);
                inner.registry.keep(&generation, self.clock.now());
                inner.number = generation.number;
                inner.optional = plan.namespaces.iter().map(|n| n.optional).collect();
                let before = inner.current.replace(generation.clone());
                self.process.generation.store(generation.number, Relaxed);
                for backend in &generation.backends {
                    follow_namespaces(backend, self.clock.now());
                }
                for frontend in &generation.frontends {
                    for listener in &frontend.listeners {
                        opening::adjust(&generation, frontend, listener);
                    }
                }
                self.tell(|| Message::Generation(generation.clone()));
                self.tell(|| Message::ChooseAllAgain);
                // Sessions keep an earlier plan alive, but not its sockets: what listens no more
                // has to refuse. The workers let go of them as they take over the new plan.
                for listener in before.iter().flat_map(|g| listeners(g)) {
                    listener.open.store(None);
                }
                inner.registry.forget();
                ApplyReport {
                    generation: generation.number,
                    listeners: opened(&generation),
                    errors: Vec::new(),
                }
            }
        }
    }

    /// Does something while no plan comes into force and no namespace is looked after.
    pub(crate) fn undisturbed<T>(&self, act: impl FnOnce() -> T) -> T {
        let _inner = self.inner.lock();
        act()
    }

    /// The plan in force.
    pub(crate) fn current(&self) -> Option<Arc<Generation>> {
        self.inner.lock().current.clone()
    }

    /// Everything that the statistics show.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let inner = self.inner.lock();
        let Some(generation) = inner.current.clone() else {
            return Snapshot::default();
        };
        let optional = inner.optional.clone();
        drop(inner);
        crate::snapshot::take(&generation, &optional, self.clock.now())
    }

    /// What caches hold.
    pub(crate) fn caches(&self) -> Vec<isthmus_plan::CacheFacts> {
        self.inner.lock().registry.cached(self.clock.now())
    }

    /// Every session of every worker.
    pub(crate) fn sessions(&self) -> Vec<SessionFacts> {
        let (give, take) = std::sync::mpsc::channel();
        self.tell(|| Message::Sessions(give.clone()));
        drop(give);
        let mut sessions = Vec::new();
        while let Ok(part) = take.recv_timeout(PATIENCE) {
            sessions.extend(part);
        }
        sessions
    }

    /// A namespace of the plan in force, by name.
    pub(crate) fn namespace(&self, name: &str) -> Option<Arc<Namespace>> {
        let inner = self.inner.lock();
        let generation = inner.current.as_ref()?;
        generation
            .namespaces
            .iter()
            .find(|known| known.name == name)
            .cloned()
    }

    /// Closes the listeners; with `graceful`, sessions end by themselves.
    pub(crate) fn stop(&self, graceful: bool) {
        self.process.stopping.store(true, Relaxed);
        let mut inner = self.inner.lock();
        let limit = inner
            .current
            .as_ref()
            .map_or(0, |g| g.global.hard_stop_after);
        if graceful && limit > 0 {
            inner.stop_at = Some(self.clock.now() + limit);
        }
        // The sockets close with the last listener that holds them.
        for listener in inner.current.iter().flat_map(|g| listeners(g)) {
            listener.open.store(None);
        }
        drop(inner);
        self.tell(|| Message::Stop { graceful });
    }

    /// The folders of all namespace files.
    pub(crate) fn namespaces(&self) -> Vec<Arc<Namespace>> {
        let inner = self.inner.lock();
        inner
            .current
            .as_ref()
            .map(|g| g.namespaces.clone())
            .unwrap_or_default()
    }

    /// Looks after what time and the file system change: namespaces, slow starts, the hard stop.
    pub(crate) fn look_around(&self) {
        let mut inner = self.inner.lock();
        let Some(generation) = inner.current.clone() else {
            return;
        };
        let now = self.clock.now();
        if inner.stop_at.is_some_and(|at| at <= now) {
            inner.stop_at = None;
            self.tell(|| Message::Stop { graceful: false });
        }
        for namespace in &generation.namespaces {
            if let Some(change) = namespace.look() {
                self.namespace_changed(&generation, namespace, &change);
            }
        }
        if self.open_late(&generation) {
            self.tell(|| Message::Listeners);
        }
        self.tell_warmed(&generation, now.max(1));
        for backend in &generation.backends {
            let warmer = |server: &Arc<crate::generation::Server>| {
                server.plan.slowstart > 0 && server.state.balanced.refresh_weight(now.max(1))
            };
            if backend
                .servers
                .iter()
                .filter(|server| warmer(server))
                .count()
                > 0
            {
                backend.balancer.on_state_change();
            }
        }
    }

    /// Says which slow starts have come to their ends.
    fn tell_warmed(&self, generation: &Generation, now: u64) {
        for backend in &generation.backends {
            let mut servers = backend.servers.iter().filter(|s| s.plan.slowstart > 0);
            while let Some(server) = servers.find(|s| s.state.balanced.take_warmed(now)) {
                self.happened(Event::Warmed {
                    backend: backend.plan.name.clone(),
                    server: server.plan.name.clone(),
                });
            }
        }
    }

    fn namespace_changed(
        &self,
        generation: &Arc<Generation>,
        namespace: &Arc<Namespace>,
        change: &Change,
    ) {
        let (what, detail) = match change {
            Change::Appeared => ("appeared", String::new()),
            Change::Reentered => ("reentered", String::new()),
            Change::Vanished => ("vanished", namespace.error()),
            Change::Failed(error) => ("failed", error.clone()),
        };
        self.happened(Event::Namespace {
            name: namespace.name.clone(),
            what: what.into(),
            detail,
        });
        let here = |listener: &Listener| {
            listener
                .namespace
                .as_ref()
                .is_some_and(|n| Arc::ptr_eq(n, namespace))
        };
        for listener in listeners(generation).filter(|l| here(l)) {
            listener.open.store(None);
        }
        self.open_late(generation);
        self.tell(|| Message::Listeners);
        for backend in &generation.backends {
            for (at, before) in follow_namespaces(backend, self.clock.now()) {
                self.state_changed(backend, at, before);
            }
        }
    }

    /// Opens listeners that could not be opened before: their namespace, or in it their address,
    /// was not there yet. What goes wrong is told once. True if any was opened.
    fn open_late(&self, generation: &Generation) -> bool {
        let mut opened = false;
        for frontend in generation.frontends.iter().filter(|f| f.listens()) {
            for listener in &frontend.listeners {
                let present = listener
                    .namespace
                    .as_ref()
                    .is_some_and(|n| n.factory().is_some());
                if !present || self.stopping() || listener.open.load().is_some() {
                    continue;
                }
                let workers = self.mailboxes.len();
                let outcome =
                    opening::open(generation, frontend, listener, &mut Vec::new(), workers);
                let error = outcome.as_ref().err().cloned().unwrap_or_default();
                let told = std::mem::replace(&mut *listener.error.lock(), error.clone()) == error;
                opened |= outcome.is_ok();
                if outcome.is_ok() || !told {
                    self.happened(Event::Listener {
                        frontend: frontend.plan.name.clone(),
                        origin: listener.plan.origin.clone(),
                        error,
                    });
                }
                listener.open.store(outcome.ok());
            }
        }
        opened
    }

    fn stopping(&self) -> bool {
        self.process.stopping.load(Relaxed)
    }
}

/// Every listener of a plan.
pub(crate) fn listeners(generation: &Generation) -> impl Iterator<Item = &Arc<Listener>> {
    generation
        .frontends
        .iter()
        .flat_map(|frontend| &frontend.listeners)
}

fn opened(generation: &Generation) -> Vec<(String, String, String)> {
    let of = |frontend: &Arc<crate::generation::Frontend>| {
        let name = frontend.plan.name.clone();
        let open = |listener: &Arc<Listener>| {
            let address = listener.open.load_full()?.address();
            Some((name.clone(), listener.plan.origin.clone(), address))
        };
        frontend
            .listeners
            .iter()
            .filter_map(open)
            .collect::<Vec<_>>()
    };
    generation.frontends.iter().flat_map(of).collect()
}

/// Servers in a fixed namespace are down while it is absent; gives the places of those whose
/// state changed, and their states before.
fn follow_namespaces(backend: &Backend, now: u64) -> Vec<(usize, State)> {
    let mut changed = Vec::new();
    for server in &backend.servers {
        if let (ServerNamespace::Fixed { .. }, Some(namespace)) =
            (server.plan.namespace, &server.namespace)
        {
            let before = server.state.state();
            if server.state.set_absent(namespace.factory().is_none(), now) {
                changed.push((server.at, before));
            }
        }
    }
    if !changed.is_empty() {
        backend.balancer.on_state_change();
    }
    changed
}
