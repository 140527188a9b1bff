//! The engine: workers, sessions, forwarding. It takes a whole plan and makes it so, at start and
//! again while it runs; it knows no file format and no Python.
//!
//! ```text
//! Engine ── Control ── apply(plan) ─▶ Generation ─▶ Mailbox ─▶ Worker ── Session
//!              │                                                  │
//!              └── a thread that follows namespaces ──────────────┘
//! ```

#![forbid(unsafe_code)]

mod accept;
mod asking;
mod check_handshake;
mod choose;
mod clock;
mod compile;
mod compile_balance;
mod compile_server;
mod connect;
mod control;
mod demand;
mod describing;
mod destination;
mod dial;
mod door;
mod early;
mod explain;
mod facts;
mod finish;
mod flow;
mod following;
mod forward;
mod gate;
mod generation;
mod h2;
mod handshake;
mod http;
mod inspect;
mod layers;
mod live;
mod load;
mod local;
mod log_moments;
mod logging;
mod mailbox;
mod marking;
mod namespace;
mod network;
mod opening;
mod operating;
mod patterns;
mod pending;
mod preparing;
mod proxy_header;
mod queue;
mod registry;
mod renewing;
mod retry;
mod rules;
mod secured;
mod server_state;
mod session;
mod slab;
mod slots;
mod snapshot;
mod starting;
mod sticking;
mod succession;
mod switching;
mod table_commands;
mod tables;
mod timing;
mod tls;
mod tls_facts;
mod token;
mod tracking;
mod transport;
mod turn;
mod variables;
mod view;
mod view_numbers;
mod watching;
mod wheel;
mod worker;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::AcqRel;
use std::time::Duration;

use isthmus_plan::command::Command;
use isthmus_plan::report::{ApplyReport, Event, SessionFacts, Snapshot};
use isthmus_plan::{CacheFacts, ListAnswer, ListRequest, Plan, TableAnswer, TableRequest};
use isthmus_sockets::Watcher;

use crate::clock::Clock;
use crate::control::Control;
use crate::live::Process;
use crate::mailbox::Mailbox;
use crate::turn::Turn;
use crate::worker::Worker;

pub use crate::asking::Question;
pub use crate::check_handshake::{CheckHandshake, CheckProgress};
pub use crate::describing::{describe_certificates, describe_revocations};
pub use crate::door::Notice;
pub use crate::explain::Explainer;
pub use crate::http::{Call, CallBody, Gone, Refused};
pub use crate::patterns::{Files, check_list, check_regex};
pub use isthmus_sample::vocabulary;

/// Events taken from the poller at once (`tune.maxpollevents`' default).
const BATCH: usize = 200;

/// A running engine. Dropping it does not stop it: say [`Engine::stop`].
pub struct Engine {
    control: Arc<Control>,
}

impl Engine {
    /// Starts the workers. They do nothing before a plan is applied.
    ///
    /// # Errors
    /// Out of descriptors or threads.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let threads = threads.max(1);
        let process = Arc::new(Process::new(threads));
        let clock = Clock::new();
        let mailboxes: Arc<[Arc<Mailbox>]> = (0..threads)
            .map(|_| Mailbox::new().map(Arc::new))
            .collect::<std::io::Result<Vec<_>>>()?
            .into();
        let control = Arc::new(Control::new(process.clone(), clock, mailboxes.clone()));
        for number in 0..threads {
            let counters = process.shards.get(number).cloned().unwrap_or_default();
            let (process, mailboxes) = (process.clone(), mailboxes.clone());
            let watched = control.clone();
            // A worker's parts may not leave its thread, so it is made there.
            std::thread::Builder::new()
                .name(format!("worker {number}"))
                .spawn(move || {
                    let turn = Turn::new(clock, number, counters, seed(number));
                    if let Ok(worker) = Worker::new(turn, process, mailboxes, BATCH) {
                        worker.run();
                    }
                    if watched.running.fetch_sub(1, AcqRel) == 1 {
                        watched.process.door.close();
                        watched.happened(Event::Stopped {});
                    }
                })?;
        }
        let followed = Arc::downgrade(&control);
        let watcher = Watcher::new()?;
        std::thread::Builder::new()
            .name("namespaces".to_owned())
            .spawn(move || follow(watcher, &followed))?;
        Ok(Self { control })
    }

    /// Puts a plan in force, with the texts of the pattern files that it names. Where the report holds
    /// errors, nothing that runs was changed.
    #[must_use]
    pub fn apply(&self, plan: &Plan, files: &Files<'_>) -> ApplyReport {
        self.control.apply(plan, files)
    }

    /// Puts the TLS of a plan in force whose lines are otherwise those of the plan in force. Handshakes from
    /// now on see it; connections that stand keep what they have. Where the report holds errors,
    /// nothing was changed.
    #[must_use]
    pub fn renew(&self, plan: &Plan) -> ApplyReport {
        self.control.renew(plan)
    }

    /// Looks at lists of patterns, or changes one while it is in use.
    #[must_use]
    pub fn lists(&self, request: &ListRequest) -> ListAnswer {
        self.control.lists(request)
    }

    /// Looks at stick tables, or changes one.
    #[must_use]
    pub fn tables(&self, request: &TableRequest) -> TableAnswer {
        self.control.tables(request)
    }

    /// Carries out a command.
    ///
    /// # Errors
    /// It names what does not exist; the message says what.
    pub fn command(&self, command: &Command) -> Result<(), String> {
        let counters = self
            .control
            .process
            .shards
            .first()
            .cloned()
            .unwrap_or_default();
        let turn = Turn::new(self.control.clock, 0, counters, 0);
        self.control.command(command, &turn)
    }

    /// The type of a variable of scope `proc` and its value as text; `None` where it has none.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<(&'static str, String)> {
        self.control
            .with_registry(|registry| registry.variable(name))
    }

    /// Everything that the statistics show.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.control.snapshot()
    }

    /// Every session.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionFacts> {
        self.control.sessions()
    }

    /// The caches and what they hold.
    #[must_use]
    pub fn caches(&self) -> Vec<CacheFacts> {
        self.control.caches()
    }

    /// Events since the last call, waiting at most `patience` for the first.
    #[must_use]
    pub fn events(&self, patience: Duration) -> Vec<Event> {
        self.control.events(patience)
    }

    /// Requests for services, questions about names, and what has changed at those that are served, since the last call,
    /// waiting at most `patience` for the first. `None`: the engine has stopped.
    #[must_use]
    pub fn calls(&self, patience: Duration) -> Option<Vec<Notice>> {
        self.control.process.door.take(patience)
    }

    /// A fresh non-blocking socket inside a namespace of the plan.
    ///
    /// # Errors
    /// The plan names no such namespace, it is absent, or the kernel refuses the socket.
    pub fn socket(&self, namespace: &str, family: i32, kind: i32) -> std::io::Result<OwnedFd> {
        let missing = |message: String| std::io::Error::new(std::io::ErrorKind::NotFound, message);
        let known = self
            .control
            .namespace(namespace)
            .ok_or_else(|| missing(format!("no namespace '{namespace}' in the plan")))?;
        let factory = known.factory().ok_or_else(|| missing(known.error()))?;
        factory.run(move || isthmus_sockets::plain_socket(family, kind))?
    }

    /// Begins the TLS of a server's health check, which is sent `sni`.
    ///
    /// # Errors
    /// There is no such server, or its check speaks no TLS.
    pub fn check_handshake(
        &self,
        backend: &str,
        server: &str,
        sni: Option<&str>,
    ) -> Result<CheckHandshake, String> {
        self.control.check_handshake(backend, server, sni)
    }

    /// Closes the listeners; sessions are ended at once, or with `graceful` end by themselves. The
    /// event `Stopped` tells when all have.
    pub fn stop(&self, graceful: bool) {
        self.control.stop(graceful);
    }
}

fn seed(number: usize) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.write_usize(number);
    hasher.finish()
}

/// Follows namespaces, slow starts and the hard stop, until the engine is gone.
fn follow(mut watcher: Watcher, control: &std::sync::Weak<Control>) {
    while let Some(control) = control.upgrade() {
        for namespace in control.namespaces() {
            watcher.watch_parent(namespace.path());
        }
        control.look_around();
        drop(control);
        watcher.wait();
    }
}
