//! The namespaces that a plan names, and their factories. A namespace that is deleted gives its
//! factory up at once; one that is made again, under the same name, gets a new one. What is
//! already connected keeps its sockets either way.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use arc_swap::ArcSwapOption;
use isthmus_plan::report::NamespaceFacts;
use isthmus_sockets::{Factory, Identity, NamespaceFile};
use isthmus_stats::Gauge;
use parking_lot::Mutex;

/// What a look at the namespace's file brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is there for the first time, or again.
    Appeared,
    /// Another one stands under the same name.
    Reentered,
    /// It is gone.
    Vanished,
    /// It is there and can't be entered.
    Failed(String),
}

/// One namespace by name; it outlives plans and the namespaces that bear the name.
pub(crate) struct Namespace {
    pub(crate) name: String,
    path: String,
    factory: ArcSwapOption<Factory>,
    error: Mutex<String>,
    reentered: AtomicU64,
    /// Sessions whose client came from here.
    pub(crate) sessions: Gauge,
}

impl Namespace {
    pub(crate) fn new(plan: &isthmus_plan::Namespace) -> Self {
        Self {
            name: plan.name.clone(),
            path: plan.path.clone(),
            factory: ArcSwapOption::empty(),
            error: Mutex::default(),
            reentered: AtomicU64::new(0),
            sessions: Gauge::default(),
        }
    }

    pub(crate) fn is(&self, plan: &isthmus_plan::Namespace) -> bool {
        self.name == plan.name && self.path == plan.path
    }

    pub(crate) fn path(&self) -> &Path {
        Path::new(&self.path)
    }

    /// The factory; `None` while the namespace is absent.
    pub(crate) fn factory(&self) -> Option<Arc<Factory>> {
        self.factory.load_full()
    }

    /// Why there is no factory.
    pub(crate) fn error(&self) -> String {
        self.error.lock().clone()
    }

    /// Compares the file with the factory and makes them agree.
    pub(crate) fn look(&self) -> Option<Change> {
        let known = self.factory().map(|factory| factory.identity());
        match NamespaceFile::open(self.path()) {
            Ok(file) if Some(file.identity()) == known => None,
            Ok(file) => Some(self.enter(file, known)),
            Err(error) => {
                *self.error.lock() = format!("{}: {error}", self.path);
                self.factory.store(None);
                known.map(|_| Change::Vanished)
            }
        }
    }

    fn enter(&self, file: NamespaceFile, known: Option<Identity>) -> Change {
        match Factory::start(&self.name, file) {
            Ok(factory) => {
                self.error.lock().clear();
                self.factory.store(Some(Arc::new(factory)));
                if known.is_some() {
                    self.reentered.fetch_add(1, Relaxed);
                    return Change::Reentered;
                }
                Change::Appeared
            }
            Err(error) => {
                let told = format!("can't enter {} (needs CAP_SYS_ADMIN): {error}", self.path);
                let first = std::mem::replace(&mut *self.error.lock(), told.clone()) != told;
                self.factory.store(None);
                if known.is_some() || first {
                    Change::Failed(told)
                } else {
                    Change::Vanished
                }
            }
        }
    }

    pub(crate) fn facts(&self, optional: bool, listed: bool, listeners: u64) -> NamespaceFacts {
        let factory = self.factory();
        let (sockets_created, sockets_ready) = factory.as_ref().map_or((0, 0), |f| f.counts());
        NamespaceFacts {
            name: self.name.clone(),
            path: self.path.clone(),
            present: factory.is_some(),
            optional,
            listed,
            inode: factory.map_or(0, |f| f.identity().inode),
            reentered: self.reentered.load(Relaxed),
            sockets_created,
            sockets_ready,
            listeners,
            sessions: self.sessions.get(),
            error: self.error(),
        }
    }
}
