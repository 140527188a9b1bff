//! What operators and health checks ask of a running engine, carried out: states, weights, log lines.
//! Runs on the callers' threads, as all of `Control`.

use std::sync::Arc;

use isthmus_plan::command::Command;

use crate::control::Control;
use crate::generation::{Backend, Generation};
use crate::mailbox::Message;
use crate::worker::Turn;

impl Control {
    /// Carries out a command.
    ///
    /// # Errors
    /// It names what does not exist.
    pub(crate) fn command(&self, command: &Command, turn: &Turn) -> Result<(), String> {
        let generation = self.current().ok_or("no plan is in force")?;
        let now = self.clock.now();
        match command {
            Command::SetServerAdmin {
                backend,
                server,
                state,
            } => self.change_server(&generation, backend, server, |live| {
                live.set_admin(*state, now)
            }),
            Command::SetServerHealth {
                backend,
                server,
                up,
                reason,
            } => {
                self.change_server(&generation, backend, server, |live| {
                    live.set_health(*up, reason, now)
                })?;
                self.change_trackers(&generation, backend, server, *up);
                Ok(())
            }
            Command::SetServerWeight {
                backend,
                server,
                weight,
            } => {
                let weight = u16::try_from(*weight)
                    .ok()
                    .and_then(isthmus_balance::Weight::new)
                    .ok_or_else(|| format!("weight {weight} is above 256"))?;
                self.change_server(&generation, backend, server, |live| {
                    live.balanced.set_weight(weight, now.max(1));
                    true
                })
            }
            Command::Log {
                proxy,
                level,
                message,
            } => crate::logging::announce(&generation, proxy.as_deref(), *level, message, turn),
        }
    }

    fn change_server(
        &self,
        generation: &Generation,
        backend: &str,
        server: &str,
        change: impl FnOnce(&crate::server_state::ServerLive) -> bool,
    ) -> Result<(), String> {
        let backend = generation
            .backends
            .iter()
            .find(|known| known.plan.name == backend)
            .ok_or_else(|| format!("No such backend '{backend}'."))?;
        let found = backend
            .servers
            .iter()
            .find(|known| known.plan.name == server)
            .ok_or_else(|| format!("No such server '{server}'."))?;
        if change(&found.state) {
            self.state_changed(backend, found.at);
        }
        Ok(())
    }

    /// Servers that track one follow its health.
    fn change_trackers(&self, generation: &Generation, backend: &str, server: &str, up: bool) {
        let place = generation.backends.iter().find_map(|known| {
            let at = known.servers.iter().position(|s| s.plan.name == server)?;
            (known.plan.name == backend).then_some((known.index, at))
        });
        for follower in &generation.backends {
            for tracking in follower.servers.iter().filter(|s| s.plan.track == place) {
                if place.is_some() {
                    let reason = format!("via {backend}/{server}");
                    if tracking.state.set_health(up, &reason, self.clock.now()) {
                        self.state_changed(follower, tracking.at);
                    }
                    self.change_trackers(generation, &follower.plan.name, &tracking.plan.name, up);
                }
            }
        }
    }

    /// Balancing and those who wait learn that a server's state is another one.
    pub(crate) fn state_changed(&self, backend: &Arc<Backend>, at: usize) {
        backend.balancer.on_state_change();
        let usable = backend
            .servers
            .get(at)
            .is_some_and(|s| s.state.balanced.usable());
        if !usable {
            for waiting in backend.line.evict(at) {
                backend.balancer.dequeued(at);
                if let Some(mailbox) = self.mailboxes.get(waiting.worker) {
                    mailbox.post(Message::ChooseAgain(waiting.key));
                }
            }
        }
        crate::queue::offer(backend, &self.mailboxes, self.clock.now());
    }
}
