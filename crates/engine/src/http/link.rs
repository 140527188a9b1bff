//! A connection to a server as a thing of its own, and where a server's idle ones are found.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use isthmus_sockets::{Identity, Interest, Moved, Poll};

use super::joining::Chosen;
use super::own_links::Personal;
use super::shared_links::Sharing;
use super::shelf::Parcel;
use crate::demand::Standing;
use crate::local::LocalServer;
use crate::marking::Marking;
use crate::namespace::Namespace;
use crate::slab::Key;
use crate::transport::Transport;

/// What a request asks of its server connection: one that was made in another manner is not for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manner {
    /// The name that the server is asked for (`sni`).
    pub(super) name: Option<String>,
    /// What its packets bear (`set-bc-mark`, `set-bc-tos`).
    pub(super) marking: Marking,
}

/// A connection to a server.
pub(crate) struct Link {
    /// The session that uses it.
    pub(crate) owner: Option<Key>,
    /// Here while it idles.
    pub(super) socket: Option<Transport>,
    pub(super) server: Rc<LocalServer>,
    pub(super) namespace: Option<Arc<Namespace>>,
    /// The kernel's namespace that it was made in: another may bear the name by now.
    pub(super) identity: Option<Identity>,
    /// What the connection was asked for.
    pub(super) name: Manner,
    pub(super) watch: Option<Interest>,
    pub(super) nodelay: bool,
    /// Exchanges served.
    pub(super) uses: u64,
    pub(super) idle_since: u64,
    /// What it says of the client that it was made for.
    pub(super) personal: Option<Box<Personal>>,
    /// It serves only the session that it was made for.
    pub(super) own: bool,
    /// Several requests are under way over it at once.
    pub(super) sharing: Option<Sharing>,
    /// As its server counts it.
    pub(super) standing: Standing,
    /// Its connection is being made, and will take the requests of those who wait for it, too.
    pub(super) making: bool,
    pub(super) waiters: Vec<Key>,
    /// Its own key while its connection lies on this worker's shelf.
    shelved: Option<Key>,
    /// What its connection is packed into, kept from one time to the next.
    parcel: Option<Box<Parcel>>,
    /// Another worker took its connection.
    lost: bool,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.claim();
        let demand = &self.server.counters.demand;
        match self.lost {
            true => demand.note_taken(self.standing),
            false => demand.leave(self.standing),
        }
    }
}

impl Link {
    /// One that is used, for a connection that is made, or was taken from another worker.
    pub(super) fn new(
        server: &Rc<LocalServer>,
        namespace: Option<Arc<Namespace>>,
        name: Manner,
    ) -> Self {
        server.counters.demand.enter(Standing::Used);
        Self {
            owner: None,
            socket: None,
            server: server.clone(),
            identity: identity(namespace.as_ref()),
            namespace,
            name,
            watch: None,
            nodelay: false,
            uses: 0,
            idle_since: 0,
            personal: None,
            own: false,
            sharing: None,
            standing: Standing::Used,
            making: false,
            waiters: Vec::new(),
            shelved: None,
            parcel: None,
            lost: false,
        }
    }

    /// One for a connection that another worker gave.
    pub(super) fn unpacked(
        server: &Rc<LocalServer>,
        parcel: Box<Parcel>,
        connection: Transport,
    ) -> Self {
        let mut link = Self::new(server, parcel.namespace.clone(), parcel.name.clone());
        link.socket = Some(connection);
        link.nodelay = parcel.nodelay;
        link.uses = parcel.uses;
        // The namespace may have been made again meanwhile; the connection is one of the old one's.
        link.identity = parcel.identity;
        link.parcel = Some(parcel);
        link
    }

    /// Lets other workers take its connection, which begins to idle, if they share.
    pub(super) fn shelve(&mut self, key: Key, poll: &Poll) {
        let Some(shelf) = self.server.shelf().filter(|_| self.sharing.is_none()) else {
            return;
        };
        let Some(connection) = self.socket.take().and_then(Transport::detach) else {
            return;
        };
        let mut parcel = self.parcel.take().unwrap_or_else(|| {
            Box::new(Parcel {
                connection: None,
                namespace: self.namespace.clone(),
                identity: self.identity,
                name: self.name.clone(),
                nodelay: false,
                uses: 0,
                standing: self.standing,
                unwatcher: poll.unwatcher(),
            })
        });
        parcel.connection = Some(connection);
        parcel.nodelay = self.nodelay;
        parcel.uses = self.uses;
        parcel.standing = self.standing;
        shelf.put(key, parcel);
        self.shelved = Some(key);
    }

    /// Takes its connection back from the shelf, if it lies there; false if another worker took it.
    pub(super) fn claim(&mut self) -> bool {
        let Some(key) = self.shelved.take() else {
            return !self.lost;
        };
        let shelf = self.server.shelf();
        let parcel = shelf.and_then(|shelf| shelf.claim(self.namespace.as_ref(), key));
        self.lost = parcel.is_none();
        if let Some(mut parcel) = parcel {
            self.socket = parcel.connection.take().map(Transport::from);
            self.parcel = Some(parcel);
        }
        !self.lost
    }
}

impl Link {
    /// Whether it idles in its server's pool.
    pub(super) fn waits_for_anybody(&self) -> bool {
        self.is_idle() && !self.own
    }

    /// Its session has it no longer.
    pub(super) fn rest(&mut self, now: u64) {
        self.owner = None;
        self.idle_since = now;
        self.stand(match self.uses {
            0 | 1 => Standing::Fresh,
            _ => Standing::Proven,
        });
    }

    /// Says what it does now.
    pub(super) fn stand(&mut self, standing: Standing) {
        if standing != self.standing {
            let demand = &self.server.counters.demand;
            demand.leave(self.standing);
            demand.enter(standing);
            self.standing = standing;
        }
    }

    /// Gives it to the server of a new plan that is what its own was.
    pub(super) fn pass_to(&mut self, heir: &Rc<LocalServer>) {
        self.server.counters.demand.leave(self.standing);
        self.server = heir.clone();
        self.server.counters.demand.enter(self.standing);
    }

    /// Whether no session uses it.
    pub(super) fn is_idle(&self) -> bool {
        self.owner.is_none() && self.sharing.as_ref().is_none_or(Sharing::is_idle)
    }

    /// When the server has taken too long to acknowledge SETTINGS (HTTP/2); `None` once it has.
    pub(crate) fn settings_due(&self) -> Option<u64> {
        self.sharing.as_ref()?.shared.settings_due()
    }

    /// Whether it is shared, or was.
    pub(super) fn is_shared(&self) -> bool {
        self.sharing.is_some()
    }

    /// Whether it is for clients of a namespace.
    pub(super) fn serves(&self, namespace: Option<&Arc<Namespace>>) -> bool {
        place(self.namespace.as_ref()) == place(namespace)
    }

    /// Whether its namespace is still the one that it was made in.
    pub(super) fn is_fresh(&self) -> bool {
        self.identity == identity(self.namespace.as_ref())
    }
}

/// Where a server's idle connections are, by the namespace of the clients that they served.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    keys: HashMap<usize, Vec<Key>>,
    count: usize,
    /// Connections that take requests beside others.
    shared: HashMap<usize, Vec<Key>>,
    /// Connections in the making that others wait for.
    pub(super) making: Vec<Key>,
    /// Where TLS agreed on HTTP/2.
    pub(super) chosen: Chosen,
}

/// Tells namespaces apart.
pub(super) fn place(namespace: Option<&Arc<Namespace>>) -> usize {
    namespace.map_or(0, |namespace| Arc::as_ptr(namespace) as usize)
}

/// The kernel's own name for a namespace.
pub(super) fn identity(namespace: Option<&Arc<Namespace>>) -> Option<Identity> {
    namespace?.factory().map(|factory| factory.identity())
}

impl Link {
    /// Whether an idle connection that an event is on its way for is sound all the same: otherwise
    /// it holds bytes that nobody asked for, or has ended. TLS alone sends what nobody asked for,
    /// such as session tickets.
    pub(super) fn is_quiet(&mut self) -> bool {
        match &mut self.socket {
            Some(socket) if !socket.is_plain() => socket.receive(&mut [0]) == Moved::Later,
            _ => false,
        }
    }
}

impl Idle {
    pub(super) fn put(&mut self, namespace: Option<&Arc<Namespace>>, key: Key) {
        self.count += 1;
        self.keys.entry(place(namespace)).or_default().push(key);
    }

    /// Those that wait for clients of a namespace, the latest last.
    pub(super) fn waiting(&self, namespace: Option<&Arc<Namespace>>) -> &[Key] {
        let keys = self.keys.get(&place(namespace));
        keys.map_or(&[], Vec::as_slice)
    }

    /// The one that idled last.
    pub(super) fn take(&mut self, namespace: Option<&Arc<Namespace>>) -> Option<Key> {
        let key = self.keys.get_mut(&place(namespace))?.pop()?;
        self.count -= 1;
        Some(key)
    }

    pub(super) fn remove(&mut self, namespace: Option<&Arc<Namespace>>, key: Key) {
        if let Some(keys) = self.keys.get_mut(&place(namespace)) {
            if let Some(at) = keys.iter().position(|own| *own == key) {
                keys.remove(at);
                self.count -= 1;
            }
        }
    }

    /// Every one of them, no longer here.
    pub(super) fn drain(&mut self) -> Vec<Key> {
        self.count = 0;
        let all = self.keys.drain().chain(self.shared.drain());
        all.flat_map(|(_, keys)| keys).collect()
    }

    /// How many idle, or may be shared.
    pub(super) fn count(&self) -> usize {
        self.count + self.shared.values().map(Vec::len).sum::<usize>()
    }

    /// Connections that take requests beside others.
    pub(super) fn shared(&self, namespace: Option<&Arc<Namespace>>) -> Option<&[Key]> {
        self.shared.get(&place(namespace)).map(Vec::as_slice)
    }

    pub(super) fn share(&mut self, namespace: Option<&Arc<Namespace>>, key: Key) {
        self.shared.entry(place(namespace)).or_default().push(key);
    }

    pub(super) fn unshare(&mut self, namespace: Option<&Arc<Namespace>>, key: Key) {
        if let Some(keys) = self.shared.get_mut(&place(namespace)) {
            keys.retain(|own| *own != key);
        }
    }
}
