//! The order of `balance leastconn`: by connections (waiting ones included) for each unit of weight;
//! among equals, whoever changed longest ago.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::eligible::Eligible;
use crate::server::Server;

/// Loads are compared as multiples of this for each sixteenth of weight.
const LOAD_SCALE: u64 = 4096;

/// The order; the balancer keeps it under a lock.
#[derive(Debug, Default)]
pub(crate) struct LoadOrder {
    order: BTreeSet<(u64, u64, usize)>,
    /// Where each server stands in `order`.
    places: Vec<Option<(u64, u64)>>,
    serial: u64,
}

/// What a server's load counts as: the load it would have with one more, but
/// none at all when it is idle, whatever its weight.
fn load(server: &Server) -> u64 {
    match u64::from(server.current()) + u64::from(server.queued()) {
        0 => 0,
        busy => (busy + 1) * LOAD_SCALE / u64::from(server.effective_weight().max(1)),
    }
}

impl LoadOrder {
    /// Bring the order in line with who takes part now.
    pub(crate) fn update(&mut self, servers: &[Arc<Server>], eligible: &Eligible) {
        self.places.resize(servers.len(), None);
        let mut members = eligible.members.iter().copied().peekable();
        for (at, server) in servers.iter().enumerate() {
            let takes_part = members.next_if_eq(&at).is_some();
            let place = self.places.get(at).copied().flatten();
            let stays = takes_part && place.is_some_and(|(key, _)| key == load(server));
            if stays {
                continue;
            }
            self.remove(at);
            if takes_part {
                self.insert(at, server);
            }
        }
    }

    /// Put a server where its load belongs after that changed.
    pub(crate) fn reposition(&mut self, at: usize, server: &Server) {
        if self.remove(at) {
            self.insert(at, server);
        }
    }

    fn remove(&mut self, at: usize) -> bool {
        match self.places.get_mut(at).and_then(Option::take) {
            Some((key, serial)) => self.order.remove(&(key, serial, at)),
            None => false,
        }
    }

    fn insert(&mut self, at: usize, server: &Server) {
        self.serial += 1;
        let place = (load(server), self.serial);
        self.order.insert((place.0, place.1, at));
        if let Some(slot) = self.places.get_mut(at) {
            *slot = Some(place);
        }
    }

    /// The least loaded server that has room; `excluded` only when nobody else has.
    pub(crate) fn pick(
        &self,
        excluded: Option<usize>,
        has_room: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut avoided = None;
        for at in self
            .order
            .iter()
            .map(|entry| entry.2)
            .filter(|at| has_room(*at))
        {
            if excluded != Some(at) {
                return Some(at);
            }
            avoided = Some(at);
        }
        avoided
    }
}
