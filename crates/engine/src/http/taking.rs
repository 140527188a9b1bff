//! Idle connections of other workers (manual, `tune.idle-pool.shared` and `pool-low-conn`): a worker
//! takes one that fits where its own pool has none. How they are handed over, `shelf` says.

use std::rc::Rc;

use super::link::Link;
use super::shelf::{Shelf, Wanted};
use crate::generation::Server;
use crate::local::LocalServer;
use crate::slab::Key;
use crate::worker::Worker;

impl LocalServer {
    /// Where this worker's idle connections lie for others; `None` where they share nothing.
    pub(super) fn shelf(&self) -> Option<&Shelf> {
        self.shared.shelves.get(self.worker)
    }

    /// The workers whose shelves are looked at, the next one first.
    fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let (own, count) = (self.worker, self.shared.shelves.len());
        (1..count).map(move |step| (own + step) % count)
    }

    /// How many idle, or may be shared here, and how many idle in other workers.
    pub(super) fn idle_everywhere(&self) -> u64 {
        let shards = &self.shared.live.shards;
        let others = shards
            .iter()
            .enumerate()
            .filter(|(worker, _)| *worker != self.worker);
        let elsewhere: u64 = others.map(|(_, shard)| shard.demand.idle()).sum();
        elsewhere + self.idle.borrow().count() as u64
    }

    /// Whether there are few enough for `pool-low-conn`: no more than are needed, and so many.
    pub(super) fn is_low(&self) -> bool {
        let low = self.shared.plan.http.pool_low;
        if low == 0 {
            return false;
        }
        let live = &self.shared.live;
        let used = live.sum(|shard| shard.demand.used());
        let idle = live.sum(|shard| shard.demand.idle());
        let needs = live.shards.iter().map(|shard| shard.demand.needed());
        used + idle <= needs.max().unwrap_or(0).max(used) + low
    }
}

impl Server {
    /// Takes what fits off a worker's shelf, and counts it there.
    fn take_from(
        &self,
        worker: usize,
        give: impl FnOnce(&Shelf) -> Option<Box<super::shelf::Parcel>>,
    ) -> Option<Box<super::shelf::Parcel>> {
        let demand = &self.live.shards.get(worker)?.demand;
        if demand.idle() == 0 {
            return None;
        }
        let parcel = give(self.shelves.get(worker)?)?;
        demand.take(parcel.standing);
        Some(parcel)
    }
}

impl Worker {
    /// Takes an idle connection of another worker that a request may go over.
    pub(super) fn take_elsewhere(
        &mut self,
        wanted: &Wanted<'_>,
        server: &Rc<LocalServer>,
    ) -> Option<(Key, Box<Link>)> {
        let shared = &server.shared;
        if shared.shelves.is_empty() {
            return None;
        }
        let idle = shared.live.sum(|shard| shard.demand.idle());
        if idle == 0 || idle < shared.plan.http.pool_low {
            return None;
        }
        for worker in server.others() {
            while let Some(mut parcel) = shared.take_from(worker, |shelf| shelf.give(wanted)) {
                let Some(connection) = parcel.open() else {
                    continue;
                };
                parcel.unwatcher = self.poll.unwatcher();
                let key = self.links.reserve();
                let link = Link::unpacked(server, parcel, connection);
                return Some((key, Box::new(link)));
            }
        }
        None
    }

    /// Forgets links whose connections other workers took.
    pub(super) fn forget_taken(&mut self, server: &Rc<LocalServer>) {
        if !server.counters.demand.lost_some() {
            return;
        }
        for key in server.shelf().map(Shelf::taken).unwrap_or_default() {
            if let Some(link) = self.links.take(key) {
                let idle = &link.server.idle;
                idle.borrow_mut().remove(link.namespace.as_ref(), key);
                self.links.release(key);
            }
        }
    }

    /// Closes an idle connection of another worker, if there is one.
    pub(super) fn close_elsewhere(&self) {
        let backends = self.local.iter().flat_map(|local| local.backends.iter());
        let servers = backends.flat_map(|backend| backend.servers.iter());
        let mut found = servers.filter_map(|server| {
            let mut others = server.others();
            others.find_map(|worker| server.shared.take_from(worker, Shelf::give_any))
        });
        // Its end is all that is wanted.
        drop(found.next());
    }
}
