//! Which servers share the work at this moment: the active ones, or the backups in their stead
//! (server keyword `backup`, `option allbackups`).

use std::sync::Arc;

use crate::server::Server;

/// The servers among which an algorithm chooses, as positions in the configuration's order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Eligible {
    /// Who takes part.
    pub members: Vec<usize>,
    /// All usable servers of the same kind (active or backup) as `members`. Longer than
    /// `members` only where one backup stands in alone.
    pub peers: Vec<usize>,
}

/// Find who takes part now.
pub(crate) fn eligible(servers: &[Arc<Server>], allbackups: bool) -> Eligible {
    let usable = |backup: bool| -> Vec<usize> {
        let wanted = |server: &Server| server.usable() && server.backup() == backup;
        servers
            .iter()
            .enumerate()
            .filter(|(_, s)| wanted(s))
            .map(|(at, _)| at)
            .collect()
    };
    let active = usable(false);
    if !active.is_empty() {
        return Eligible {
            members: active.clone(),
            peers: active,
        };
    }
    let backups = usable(true);
    let members = if allbackups {
        backups.clone()
    } else {
        backups.first().copied().into_iter().collect()
    };
    Eligible {
        members,
        peers: backups,
    }
}
