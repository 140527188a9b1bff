//! What operators and health checks ask of a running engine, carried out: states, weights, limits, log lines.
//! Runs on the callers' threads, as all of `Control`.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use isthmus_balance::State;
use isthmus_plan::command::{Command, RateLimit};

use crate::control::Control;
use crate::generation::{Backend, Frontend, Generation};
use crate::mailbox::{Message, Whom};
use crate::server_state::ServerLive;
use crate::turn::Turn;

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
            } => self
                .change_server(&generation, backend, server, |live| {
                    live.set_admin(*state, now)
                })
                .map(|()| self.followers_follow(&generation)),
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
            } => self.set_weight(&generation, backend, server, *weight),
            Command::SetVariable { name, value } => self.set_variable(&generation, name, value),
            Command::ShutdownSession { id } => {
                self.tell(|| Message::End(Whom::Session(*id), b'K'));
                Ok(())
            }
            Command::ShutdownServerSessions { backend, server } => {
                self.change_server(&generation, backend, server, |live| {
                    self.end_sessions_of(live, b'K');
                    false
                })
            }
            Command::SetServerMaxconn {
                backend,
                server,
                maxconn,
            } => self.change_server(&generation, backend, server, |live| {
                live.balanced.set_maxconn(*maxconn);
                true
            }),
            Command::SetFrontendState { frontend, state } => {
                self.undisturbed(|| self.set_frontend_state(&generation, frontend, *state))
            }
            Command::SetFrontendMaxconn { .. }
            | Command::SetMaxconn { .. }
            | Command::SetRateLimit { .. } => change_limit(&generation, command),
            Command::Log {
                proxy,
                level,
                message,
            } => crate::logging::announce(&generation, proxy.as_deref(), *level, message, turn),
        }
    }

    fn set_weight(
        &self,
        generation: &Generation,
        backend: &str,
        server: &str,
        weight: u32,
    ) -> Result<(), String> {
        let weight = u16::try_from(weight)
            .ok()
            .and_then(isthmus_balance::Weight::new)
            .ok_or_else(|| format!("weight {weight} is above 256"))?;
        self.change_server(generation, backend, server, |live| {
            live.balanced.set_weight(weight, self.clock.now().max(1));
            true
        })
    }

    fn change_server(
        &self,
        generation: &Generation,
        backend: &str,
        server: &str,
        change: impl FnOnce(&Arc<ServerLive>) -> bool,
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
        let before = found.state.state();
        if change(&found.state) {
            self.state_changed(backend, found.at, before);
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
                    let before = tracking.state.state();
                    if tracking.state.set_health(up, &reason, self.clock.now()) {
                        self.state_changed(follower, tracking.at, before);
                    }
                    self.change_trackers(generation, &follower.plan.name, &tracking.plan.name, up);
                }
            }
        }
    }

    fn end_sessions_of(&self, server: &Arc<ServerLive>, cause: u8) {
        self.tell(|| Message::End(Whom::Server(server.clone()), cause));
    }

    /// `on-marked-down` and `on-marked-up`.
    fn marked(&self, backend: &Backend, at: usize, before: State) {
        let Some(server) = backend.servers.get(at) else {
            return;
        };
        let stopped = |state| matches!(state, State::Down | State::Maint);
        let now_stopped = stopped(server.state.state());
        if stopped(before) == now_stopped {
            return;
        }
        let (plan, balanced) = (&server.plan, &server.state.balanced);
        if now_stopped && plan.shut_on_down {
            self.end_sessions_of(&server.state, b'D');
        } else if !now_stopped && plan.shut_backups_on_up && !plan.backup && balanced.usable() {
            for other in backend.servers.iter().filter(|s| s.plan.backup) {
                self.end_sessions_of(&other.state, b'U');
            }
        }
    }

    /// Balancing, those who wait and those who are served learn that a server's state is another one.
    pub(crate) fn state_changed(&self, backend: &Arc<Backend>, at: usize, before: State) {
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
        self.marked(backend, at, before);
        crate::queue::offer(backend, &self.mailboxes, self.clock.now());
    }
}

/// A frontend by name.
pub(crate) fn frontend<'g>(
    generation: &'g Generation,
    name: &str,
) -> Result<&'g Arc<Frontend>, String> {
    let mut known = generation.frontends.iter();
    known
        .find(|known| known.plan.name == name)
        .ok_or_else(|| format!("No such frontend '{name}'."))
}

fn set_frontend_maxconn(generation: &Generation, name: &str, maxconn: u64) -> Result<(), String> {
    let frontend = frontend(generation, name)?;
    frontend.maxconn.store(maxconn, Relaxed);
    Ok(())
}

/// Changes a limit of the process or of a frontend.
fn change_limit(generation: &Generation, command: &Command) -> Result<(), String> {
    match command {
        Command::SetFrontendMaxconn { frontend, maxconn } => {
            return set_frontend_maxconn(generation, frontend, *maxconn);
        }
        Command::SetMaxconn { maxconn } => set_maxconn(generation, *maxconn),
        Command::SetRateLimit { what, limit } => {
            let limits = &generation.rates;
            let limited = match what {
                RateLimit::Connections => &limits.connections,
                RateLimit::Sessions => &limits.sessions,
                RateLimit::HttpCompression => &limits.compression,
                RateLimit::TlsConnections => &limits.tls,
            };
            limited.store(*limit, Relaxed);
        }
        _ => {}
    }
    Ok(())
}

/// 0 is what the configuration says.
fn set_maxconn(generation: &Generation, maxconn: u64) {
    let configured = generation.global.maxconn;
    let maxconn = if maxconn == 0 { configured } else { maxconn };
    generation.maxconn.store(maxconn, Relaxed);
}
