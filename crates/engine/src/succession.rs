//! What sessions of an earlier plan owe the one in force. Each plan balances and queues by itself,
//! over servers that both may share: who still has to choose a server, chooses in the plan in
//! force, and who gives a slot of an earlier plan back, gives it to those who wait there.

use std::rc::Rc;
use std::sync::Arc;

use crate::generation::{Backend, Server};
use crate::local::{LocalBackend, LocalFrontend};
use crate::queue;
use crate::session::Session;
use crate::worker::Worker;

impl Worker {
    /// The backend of the same name in the plan in force; `None` where that plan has none, or the
    /// backend is its own.
    fn heir(&self, backend: &Backend) -> Option<Rc<LocalBackend>> {
        let generation = self.generation.as_ref()?;
        if generation.number == backend.generation {
            return None;
        }
        let name = &backend.plan.name;
        let mut backends = self.local.as_ref()?.backends.iter();
        backends
            .find(|heir| heir.shared.plan.name == *name)
            .cloned()
    }

    /// Moves a session that has no server to its backend in the plan in force.
    pub(crate) fn follow_heir(&self, session: &mut Session) {
        let (Some(backend), Some(generation)) = (&session.backend, &self.generation) else {
            return;
        };
        let Some(heir) = self.heir(&backend.shared) else {
            return;
        };
        // Conditions of the heir's rules mean the ACLs of its plan.
        session.frontend = Rc::new(LocalFrontend {
            shared: session.frontend.shared.clone(),
            counters: session.frontend.counters.clone(),
            backends: session.frontend.backends.clone(),
            generation: generation.clone(),
        });
        session.backend = Some(heir);
        session.chosen = None;
        if let Some(notes) = session.notes.get() {
            // The positions of servers may be others.
            notes.failed.set(None);
        }
    }

    /// Tells the plan in force that a slot of an earlier plan's server is free again. False: there
    /// is nobody to tell.
    pub(crate) fn return_to_heir(&self, backend: &Backend, server: &Server) -> bool {
        let Some(heir) = self.heir(backend) else {
            return false;
        };
        let heir = &heir.shared;
        heir.balancer.counted_elsewhere(&server.state.balanced);
        let same = |own: &&Arc<Server>| Arc::ptr_eq(&own.state, &server.state);
        if let Some(own) = heir.servers.iter().find(same) {
            queue::offer_server(heir, own, &self.mailboxes, self.turn.now);
        }
        true
    }

    /// Takes note, in a plan that this worker has just taken over, of what it counted between the
    /// plan's making and now.
    pub(crate) fn recount(&self) {
        for backend in self.generation.iter().flat_map(|g| &g.backends) {
            backend.balancer.recount();
            // Slots that became free in between were offered to nobody here.
            queue::offer(backend, &self.mailboxes, self.turn.now);
        }
    }
}
