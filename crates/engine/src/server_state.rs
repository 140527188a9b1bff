//! What is known of a server across plans: an operator's decision, its health, and the state for
//! balancing that follows from both.

use std::sync::Arc;

use isthmus_balance::{Limits, Server, ServerSettings, State, Weight};
use isthmus_plan as plan;
use isthmus_plan::command::AdminState;
use isthmus_stats::Counter;
use parking_lot::Mutex;

use crate::following::stricter;

/// Why a server whose name has no address is down.
const NO_ADDRESS: &str = "no address";

/// A server across plans.
pub(crate) struct ServerLive {
    /// What balancing sees; shared by every plan that names the server.
    pub(crate) balanced: Arc<Server>,
    said: Mutex<Said>,
    status: Mutex<Status>,
    /// Times that it went down.
    pub(crate) falls: Counter,
}

/// What a plan says of a server's state, by which a changed line is told from an unchanged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    disabled: bool,
    resolved: bool,
    checked: bool,
    limits: Limits,
}

impl Said {
    fn by(server: &plan::Server) -> Self {
        Self {
            disabled: server.disabled,
            resolved: !matches!(server.address, plan::ServerAddress::Unresolved { .. }),
            checked: server.checked || server.track.is_some(),
            limits: limits(server),
        }
    }
}

fn weight(server: &plan::Server) -> Weight {
    u16::try_from(server.weight)
        .ok()
        .and_then(Weight::new)
        .unwrap_or(Weight::ONE)
}

fn limits(server: &plan::Server) -> Limits {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Limits {
        maxconn: small(server.maxconn),
        minconn: small(server.minconn),
        maxqueue: small(server.maxqueue),
    }
}

fn settings(server: &plan::Server) -> ServerSettings {
    ServerSettings {
        id: server.id,
        weight: weight(server),
        backup: server.backup,
        limits: limits(server),
        slowstart: server.slowstart,
    }
}

/// Why a server is in its state.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) admin: AdminState,
    /// What was decided of the servers that it tracks.
    pub(crate) inherited: AdminState,
    /// Maintenance comes from `disabled` in the configuration.
    pub(crate) by_configuration: bool,
    pub(crate) healthy: bool,
    /// Its namespace does not exist now.
    pub(crate) absent: bool,
    pub(crate) reason: String,
    /// When the state last changed, engine milliseconds.
    pub(crate) changed: u64,
    /// Milliseconds spent down before `changed`.
    pub(crate) downtime: u64,
}

impl Status {
    fn state(&self) -> State {
        match stricter(self.admin, self.inherited) {
            AdminState::Maint => State::Maint,
            _ if self.absent || !self.healthy => State::Down,
            AdminState::Drain => State::Drain,
            AdminState::Ready => State::Up,
        }
    }
}

impl ServerLive {
    pub(crate) fn new(server: &plan::Server) -> Self {
        let said = Said::by(server);
        let admin = if server.disabled {
            AdminState::Maint
        } else {
            AdminState::Ready
        };
        let status = Status {
            admin,
            inherited: AdminState::Ready,
            by_configuration: server.disabled,
            healthy: said.resolved && !server.starts_down,
            absent: false,
            reason: if said.resolved {
                String::new()
            } else {
                NO_ADDRESS.to_owned()
            },
            changed: 0,
            downtime: 0,
        };
        let balanced = Arc::new(Server::new(settings(server)));
        balanced.set_state(status.state(), 1);
        Self {
            balanced,
            said: Mutex::new(said),
            status: Mutex::new(status),
            falls: Counter::default(),
        }
    }

    /// Takes over what a new plan says otherwise than the one before; what both say alike stays as
    /// operators and checks have set it since.
    pub(crate) fn adjust(&self, server: &plan::Server, now: u64) {
        let said = Said::by(server);
        let before = std::mem::replace(&mut *self.said.lock(), said);
        let mut settings = settings(server);
        if before.limits == said.limits {
            settings.limits = self.balanced.limits();
        }
        self.balanced.reconfigure(settings, now.max(1));
        self.change(now, |status| {
            if before.disabled != said.disabled {
                status.admin = if said.disabled {
                    AdminState::Maint
                } else {
                    AdminState::Ready
                };
                status.by_configuration = said.disabled;
            }
            let given_up = before.checked && !said.checked;
            if !said.resolved {
                status.healthy = false;
                NO_ADDRESS.clone_into(&mut status.reason);
            } else if given_up || !before.resolved {
                // Nobody else would say that it is well.
                status.healthy = true;
                status.reason.clear();
            }
        });
    }

    /// A copy of what is known.
    pub(crate) fn status(&self) -> Status {
        self.status.lock().clone()
    }

    /// The state for balancing.
    pub(crate) fn state(&self) -> State {
        self.balanced.state()
    }

    pub(crate) fn set_admin(&self, admin: AdminState, now: u64) -> bool {
        self.change(now, |status| {
            status.admin = admin;
            status.by_configuration = false;
        })
    }

    pub(crate) fn set_inherited(&self, admin: AdminState, now: u64) -> bool {
        self.change(now, |status| status.inherited = admin)
    }

    pub(crate) fn set_health(&self, up: bool, reason: &str, now: u64) -> bool {
        self.change(now, |status| {
            status.healthy = up;
            reason.clone_into(&mut status.reason);
        })
    }

    pub(crate) fn set_absent(&self, absent: bool, now: u64) -> bool {
        self.change(now, |status| {
            if absent {
                "namespace absent".clone_into(&mut status.reason);
            } else if status.absent {
                status.reason.clear();
            }
            status.absent = absent;
        })
    }

    /// Changes the status; true if the state for balancing is another one now.
    fn change(&self, now: u64, edit: impl FnOnce(&mut Status)) -> bool {
        let mut status = self.status.lock();
        let before = status.state();
        edit(&mut status);
        let after = status.state();
        if before == after {
            return false;
        }
        if before == State::Down {
            status.downtime += now.saturating_sub(status.changed);
        }
        if after == State::Down {
            self.falls.add(1);
        }
        status.changed = now;
        self.balanced.set_state(after, now.max(1));
        true
    }
}
