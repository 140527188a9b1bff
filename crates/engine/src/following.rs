//! Servers that track others (`track`): an operator's word about one holds for those that follow it,
//! too. Runs where plans and commands are carried out, never on a worker.

use std::sync::Arc;

use isthmus_balance::State;
use isthmus_plan::command::AdminState;

use crate::control::Control;
use crate::generation::{Backend, Generation, Server};

/// The server that one tracks, and its backend.
pub(crate) fn tracked<'g>(
    generation: &'g Generation,
    server: &Server,
) -> Option<(&'g Arc<Backend>, &'g Arc<Server>)> {
    let (backend, at) = server.plan.track?;
    let backend = generation.backends.get(backend)?;
    Some((backend, backend.servers.get(at)?))
}

/// What operators have said of the servers that one tracks, directly or by way of others.
fn inherited(generation: &Generation, server: &Server) -> AdminState {
    let mut said = AdminState::Ready;
    let mut place = tracked(generation, server);
    // Configurations have no loops; a chain is no longer than all servers are many.
    let most: usize = generation.backends.iter().map(|b| b.servers.len()).sum();
    for _ in 0..most {
        let Some((_, followed)) = place else {
            break;
        };
        said = stricter(said, followed.state.status().admin);
        place = tracked(generation, followed);
    }
    said
}

/// Maintenance outdoes draining.
pub(crate) fn stricter(one: AdminState, other: AdminState) -> AdminState {
    match (one, other) {
        (AdminState::Maint, _) | (_, AdminState::Maint) => AdminState::Maint,
        (AdminState::Drain, _) | (_, AdminState::Drain) => AdminState::Drain,
        (AdminState::Ready, AdminState::Ready) => AdminState::Ready,
    }
}

/// Lets every server that tracks others know what was said of them, and gives those whose state
/// is another one now, with the state before.
pub(crate) fn follow(generation: &Generation, now: u64) -> Vec<(&Arc<Backend>, usize, State)> {
    let mut changed = Vec::new();
    for backend in &generation.backends {
        let followers = backend.servers.iter().filter(|s| s.plan.track.is_some());
        for server in followers {
            let before = server.state.state();
            if server
                .state
                .set_inherited(inherited(generation, server), now)
            {
                changed.push((backend, server.at, before));
            }
        }
    }
    changed
}

impl Control {
    /// After an operator's word about a server: those that track it follow.
    pub(crate) fn followers_follow(&self, generation: &Generation) {
        for (backend, at, before) in follow(generation, self.clock.now()) {
            self.state_changed(backend, at, before);
        }
    }
}
