//! How many idle connections to servers the process can afford (manual, `tune.pool-low-fd-ratio` and
//! `tune.pool-high-fd-ratio`). What the engine opened is counted, not asked for: a request costs no system call.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use isthmus_stats::Gauge;

use crate::generation::Generation;
use crate::local::LocalServer;
use crate::transport::Transport;
use crate::worker::Worker;

/// Idle connections that are looked at, at most, for one to close.
const LOOKED_AT: usize = 1024;

/// One connection to a server, counted for as long as it is open.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Gauge>);

impl Counted {
    fn new(servers: &Arc<Gauge>) -> Self {
        servers.enter();
        Self(servers.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// How far the descriptors are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Crowding {
    Roomy,
    /// Above the low share: a server keeps one idle connection.
    Close,
    /// Above the high share: none is kept.
    Full,
}

/// What `used` of `files` descriptors come to, where the shares are percent.
fn crowding(used: u64, files: u64, low: u64, high: u64) -> Crowding {
    let reaches = |share: u64| used.saturating_mul(100) >= share.saturating_mul(files);
    match (files, reaches(low), reaches(high)) {
        (0, _, _) => Crowding::Roomy,
        (_, _, true) => Crowding::Full,
        (_, true, false) => Crowding::Close,
        (_, false, false) => Crowding::Roomy,
    }
}

impl Worker {
    /// A new connection to a server, which counts as such until it is closed.
    pub(crate) fn counted(&self, socket: OwnedFd) -> Transport {
        Transport::counted(socket, Counted::new(&self.process.servers))
    }

    fn crowding(&self, generation: &Generation) -> Crowding {
        let used = self.process.connections.get() + self.process.servers.get();
        let global = &generation.global;
        crowding(
            used,
            global.files,
            global.http.pool_low,
            global.http.pool_high,
        )
    }

    /// Whether another connection of a server may idle.
    pub(super) fn affords_idle(&self, server: &LocalServer) -> bool {
        let Some(generation) = &self.generation else {
            return true;
        };
        match self.crowding(generation) {
            Crowding::Roomy => true,
            Crowding::Close => server.idle.borrow().count() == 0,
            Crowding::Full => false,
        }
    }

    /// Closes an idle connection in exchange for the one that was made, where descriptors run short.
    pub(super) fn make_room(&mut self) {
        let full = self
            .generation
            .as_ref()
            .is_some_and(|generation| self.crowding(generation) == Crowding::Full);
        if !full {
            return;
        }
        let idle = {
            let mut links = self.links.iter().take(LOOKED_AT);
            links
                .find(|(_, link)| link.waits_for_anybody())
                .map(|(key, _)| key)
        };
        match idle {
            Some(key) => self.close_idle_link(key),
            None => self.close_elsewhere(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_descriptors() {
        for (used, expected) in [
            (0, Crowding::Roomy),
            (19, Crowding::Roomy),
            (20, Crowding::Close),
            (24, Crowding::Close),
            (25, Crowding::Full),
            (u64::MAX, Crowding::Full),
        ] {
            assert_eq!(crowding(used, 100, 20, 25), expected, "{used}");
        }
        assert_eq!(crowding(5, 0, 20, 25), Crowding::Roomy);
        assert_eq!(crowding(0, 100, 0, 0), Crowding::Full);
        assert_eq!(crowding(0, 100, 0, 100), Crowding::Close);
        // A high share below the low one: what is above it is not kept.
        assert_eq!(crowding(10, 100, 20, 5), Crowding::Full);
    }
}
