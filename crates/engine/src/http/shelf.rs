//! Where other workers find a server's idle connections (manual, `tune.idle-pool.shared`).
//!
//! Each worker has a shelf for each server, behind a lock. It lays a connection there that begins to
//! idle, and claims it back for its next request; a worker that has none of its own that fits takes
//! one from another's shelf. A request to the owner by mailbox would need no lock, and make the
//! other's request wait until the owner has finished its turn; a lock that nobody else holds costs a
//! few nanoseconds beside a request's microseconds. With one worker there are no shelves.
//!
//! What lies on a shelf is a [`Parcel`]: the connection and what decides whom it may serve. The
//! link stays in its owner's table, so that the owner's purge, its limits and its poller work as
//! they do without shelves, and holds no connection meanwhile. Whoever has the parcel alone reads
//! or closes the connection:
//!
//! * Who takes it ends the owner's watching first, and then looks whether the connection is silent:
//!   bytes or an end that came before mean that it is closed. What comes later makes an event at
//!   the new owner's poller.
//! * An event that the owner's poller had handed out already leads to a link whose parcel is gone,
//!   and to nothing else.
//!
//! The owner learns of what was taken when it next looks (`taken`); `Demand` counts it right in
//! between. Connections of HTTP/2, whose streams are sessions of their worker, stay with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use isthmus_sockets::{Identity, Unwatcher};
use parking_lot::Mutex;

use super::link::{Manner, identity, place};
use crate::demand::Standing;
use crate::namespace::Namespace;
use crate::slab::Key;
use crate::transport::{Detached, Transport};

/// Idle connections that are looked at, at most, for one that serves the same name.
const LOOKED_AT: usize = 64;

/// An idle connection, and what decides whom it may serve.
pub(crate) struct Parcel {
    /// Here while it lies on a shelf.
    pub(super) connection: Option<Detached>,
    pub(super) namespace: Option<Arc<Namespace>>,
    pub(super) identity: Option<Identity>,
    pub(super) name: Manner,
    pub(super) nodelay: bool,
    pub(super) uses: u64,
    pub(super) standing: Standing,
    /// Of the poller that watches it.
    pub(super) unwatcher: Unwatcher,
}

impl Parcel {
    /// Takes the connection out for another worker; `None` if it can serve nobody any more.
    pub(super) fn open(&mut self) -> Option<Transport> {
        let mut connection = Transport::from(self.connection.take()?);
        self.unwatcher.unwatch(&connection);
        let fresh = self.identity == identity(self.namespace.as_ref());
        (fresh && connection.is_silent()).then_some(connection)
    }
}

/// Whom another worker wants a connection for.
pub(super) struct Wanted<'w> {
    pub(super) namespace: Option<&'w Arc<Namespace>>,
    pub(super) name: &'w Manner,
    /// Requests that it must have served.
    pub(super) uses: u64,
}

/// A server's idle connections in one worker.
#[derive(Default)]
#[repr(align(64))]
pub(crate) struct Shelf(Mutex<Held>);

#[derive(Default)]
struct Held {
    /// By the namespace of the clients that they served; the latest is last.
    parcels: BTreeMap<usize, Vec<(Key, Box<Parcel>)>>,
    /// Links whose parcels others took.
    taken: Vec<Key>,
}

impl Shelf {
    /// One for each worker, if there are several and connections are shared.
    pub(crate) fn for_workers(workers: usize, shared: bool) -> Box<[Self]> {
        let count = if shared && workers > 1 { workers } else { 0 };
        (0..count).map(|_| Self::default()).collect()
    }

    /// Lays a link's parcel there.
    pub(super) fn put(&self, key: Key, parcel: Box<Parcel>) {
        let at = place(parcel.namespace.as_ref());
        let mut held = self.0.lock();
        held.parcels.entry(at).or_default().push((key, parcel));
    }

    /// Takes the parcel of an own link back; `None` if another worker took it.
    pub(super) fn claim(
        &self,
        namespace: Option<&Arc<Namespace>>,
        key: Key,
    ) -> Option<Box<Parcel>> {
        let held = &mut *self.0.lock();
        let parcels = held.parcels.get_mut(&place(namespace));
        let found = parcels.and_then(|parcels| {
            let at = parcels.iter().rposition(|(own, _)| *own == key)?;
            Some(parcels.remove(at).1)
        });
        if found.is_none() {
            // The owner knows it now, and need not be told.
            held.taken.retain(|own| *own != key);
        }
        found
    }

    /// Gives another worker the latest that fits.
    pub(super) fn give(&self, wanted: &Wanted<'_>) -> Option<Box<Parcel>> {
        let held = &mut *self.0.lock();
        let parcels = held.parcels.get_mut(&place(wanted.namespace))?;
        let fits = |(_, parcel): &(Key, Box<Parcel>)| {
            parcel.name == *wanted.name && parcel.uses >= wanted.uses
        };
        let unseen = parcels.len().saturating_sub(LOOKED_AT);
        let seen = parcels.get(unseen..).unwrap_or_default();
        let at = unseen + seen.iter().rposition(fits)?;
        let (key, parcel) = parcels.remove(at);
        held.taken.push(key);
        Some(parcel)
    }

    /// Gives another worker any.
    pub(super) fn give_any(&self) -> Option<Box<Parcel>> {
        let held = &mut *self.0.lock();
        let (key, parcel) = held.parcels.values_mut().find_map(Vec::pop)?;
        held.taken.push(key);
        Some(parcel)
    }

    /// Links whose parcels others took since it was last asked.
    pub(super) fn taken(&self) -> Vec<Key> {
        std::mem::take(&mut self.0.lock().taken)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use isthmus_sockets::{Interest, Moved, Poll};

    use super::*;
    use crate::marking::Marking;

    fn asked_for(name: Option<&str>) -> Manner {
        Manner {
            name: name.map(Into::into),
            ..Manner::default()
        }
    }

    /// A connection, its peer, and the poller that watches it.
    fn parcel(name: Option<&str>, uses: u64) -> (Box<Parcel>, UnixStream, Poll) {
        let (ours, peer) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let poll = Poll::new(8).unwrap();
        poll.add(&ours, 7, Interest::Incoming).unwrap();
        let connection = Transport::plain(OwnedFd::from(ours)).detach();
        let parcel = Parcel {
            connection,
            namespace: None,
            identity: None,
            name: asked_for(name),
            nodelay: false,
            uses,
            standing: Standing::Fresh,
            unwatcher: poll.unwatcher(),
        };
        (Box::new(parcel), peer, poll)
    }

    fn key(index: u32) -> Key {
        Key {
            index,
            generation: 0,
        }
    }

    fn wanted(name: &Manner, uses: u64) -> Wanted<'_> {
        Wanted {
            namespace: None,
            name,
            uses,
        }
    }

    #[test]
    fn there_are_shelves_only_where_several_workers_share() {
        for (workers, shared, count) in [(1, true, 0), (2, false, 0), (2, true, 2)] {
            assert_eq!(Shelf::for_workers(workers, shared).len(), count);
        }
    }

    #[test]
    fn another_worker_gets_only_what_fits() {
        let shelf = Shelf::default();
        let held: Vec<_> = [(None, 1), (Some("a"), 1), (Some("a"), 3)]
            .into_iter()
            .map(|(name, uses)| parcel(name, uses))
            .collect();
        for (index, (parcel, ..)) in (0..).zip(held) {
            shelf.put(key(index), parcel);
        }
        let marked = Manner {
            marking: Marking {
                mark: Some(1),
                tos: None,
            },
            ..asked_for(Some("a"))
        };
        for (name, uses) in [(asked_for(Some("b")), 0), (asked_for(None), 2), (marked, 0)] {
            assert!(shelf.give(&wanted(&name, uses)).is_none());
        }
        let found = shelf.give(&wanted(&asked_for(Some("a")), 2));
        assert_eq!(found.unwrap().uses, 3);
        assert!(shelf.claim(None, key(2)).is_none());
        assert!(shelf.claim(None, key(1)).is_some());
        assert_eq!(shelf.give_any().unwrap().name, asked_for(None));
        assert_eq!(shelf.taken(), [key(0)]);
        assert_eq!(shelf.taken(), []);
    }

    #[test]
    fn another_tenants_connection_is_given_to_nobody() {
        let namespace = |name: &str| {
            let (name, path) = (name.to_owned(), String::new());
            let plan = isthmus_plan::Namespace {
                name,
                path,
                optional: true,
            };
            Arc::new(Namespace::new(&plan))
        };
        let (shelf, one, two) = (Shelf::default(), namespace("one"), namespace("two"));
        let (mut held, _peer, _poll) = parcel(None, 1);
        held.namespace = Some(one.clone());
        shelf.put(key(0), held);
        let name = Manner::default();
        let of = |namespace| Wanted {
            namespace,
            name: &name,
            uses: 0,
        };
        assert!(shelf.give(&of(None)).is_none());
        assert!(shelf.give(&of(Some(&two))).is_none());
        assert!(shelf.give(&of(Some(&one))).is_some());
    }

    #[test]
    fn a_taken_connection_is_watched_by_its_old_owner_no_more() {
        use std::io::Write;
        use std::time::Duration;
        let (mut held, mut peer, mut poll) = parcel(None, 1);
        let mut connection = held.open().unwrap();
        peer.write_all(b"x").unwrap();
        assert_eq!(poll.wait(Some(Duration::ZERO)).unwrap(), 0);
        assert_eq!(connection.receive(&mut [0; 8]), Moved::Bytes(1));
    }

    #[test]
    fn what_has_bytes_or_its_end_behind_it_serves_nobody() {
        use std::io::Write;
        let (mut held, mut peer, _poll) = parcel(None, 1);
        peer.write_all(b"x").unwrap();
        assert!(held.open().is_none());
        let (mut held, peer, _poll) = parcel(None, 1);
        drop(peer);
        assert!(held.open().is_none());
    }

    /// What goes to other threads has to be fit for that: the compiler proves it here.
    #[test]
    fn a_shelf_is_shared_between_threads() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&Shelf::default());
    }
}
