//! Who waits: for one server (persistence and hashes tie a request to it) or for any server of the backend.
//! Holds no timer: `next_deadline` says when to call `expire`. Plain data; the caller locks it.

use std::collections::{BTreeMap, BTreeSet};

/// For whom an entry waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// One server, by its position in the configuration.
    Server(usize),
    /// Any server of the backend.
    Backend,
}

/// `set-priority-class` and `set-priority-offset`; lower comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Priority {
    /// -2047..=2047.
    class: i16,
    /// Milliseconds, -524287..=524287.
    offset: i32,
}

impl Priority {
    /// A priority; numbers outside of the ranges are brought to their ends.
    #[must_use]
    pub fn new(class: i64, offset: i64) -> Self {
        let class = i16::try_from(class.clamp(-2047, 2047)).unwrap_or(0);
        let offset = i32::try_from(offset.clamp(-524_287, 524_287)).unwrap_or(0);
        Self { class, offset }
    }
}

/// Class, arrival shifted by the offset, order of arrival.
type Rank = (i16, i64, u64);

/// A waiting entry's number: what `remove` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    place: Place,
    rank: Rank,
}

impl Ticket {
    /// Where the entry waits.
    #[must_use]
    pub const fn place(self) -> Place {
        self.place
    }
}

#[derive(Debug)]
struct Entry<T> {
    token: T,
    deadline: u64,
}

/// The queues of one backend and of its servers; `T` is the waiting stream.
#[derive(Debug)]
pub struct Queue<T> {
    waiting: BTreeMap<Place, BTreeMap<Rank, Entry<T>>>,
    deadlines: BTreeSet<(u64, Ticket)>,
    serial: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            serial: 0,
        }
    }
}

impl<T> Queue<T> {
    /// How many wait in one place.
    #[must_use]
    pub fn len(&self, place: Place) -> usize {
        self.waiting.get(&place).map_or(0, BTreeMap::len)
    }

    /// Whether nobody waits anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deadlines.is_empty()
    }

    /// Begin to wait until `deadline` (`timeout queue`; `u64::MAX` for ever). Times in milliseconds. Gives the token
    /// back when the place holds `maxqueue` entries already; 0 is unlimited.
    pub fn enqueue(
        &mut self,
        place: Place,
        token: T,
        priority: Priority,
        times: Times,
        maxqueue: u32,
    ) -> Result<Ticket, T> {
        if maxqueue > 0 && self.len(place) >= maxqueue as usize {
            return Err(token);
        }
        self.serial += 1;
        let arrival = i64::try_from(times.now).unwrap_or(i64::MAX);
        let rank = (
            priority.class,
            arrival.saturating_add(i64::from(priority.offset)),
            self.serial,
        );
        let ticket = Ticket { place, rank };
        let entry = Entry {
            token,
            deadline: times.deadline,
        };
        self.waiting.entry(place).or_default().insert(rank, entry);
        self.deadlines.insert((times.deadline, ticket));
        Ok(ticket)
    }

    /// Take out who comes next now that `server` has room: the first of its own queue or of
    /// the backend's, whichever ranks first. `from_backend` is false for a server that takes
    /// no work of the backend's (in drain, or an unused backup).
    pub fn dequeue(&mut self, server: usize, from_backend: bool) -> Option<(Place, T)> {
        let ticket = self.first(server, from_backend)?;
        self.remove(ticket).map(|token| (ticket.place, token))
    }

    /// Who `dequeue` would take out.
    #[must_use]
    pub fn first(&self, server: usize, from_backend: bool) -> Option<Ticket> {
        let first = |place: Place| {
            let (rank, _) = self.waiting.get(&place)?.first_key_value()?;
            Some(Ticket { place, rank: *rank })
        };
        let own = first(Place::Server(server));
        let shared = first(Place::Backend).filter(|_| from_backend);
        own.into_iter()
            .chain(shared)
            .min_by_key(|ticket| ticket.rank)
    }

    /// Take out an entry that gave up; `None` when it is not there any more.
    pub fn remove(&mut self, ticket: Ticket) -> Option<T> {
        let entry = self.waiting.get_mut(&ticket.place)?.remove(&ticket.rank)?;
        self.deadlines.remove(&(entry.deadline, ticket));
        Some(entry.token)
    }

    /// Take out all who wait for a server that went away, in order: they are to be balanced anew.
    pub fn drain_server(&mut self, server: usize) -> Vec<T> {
        let place = Place::Server(server);
        let entries = self.waiting.remove(&place).unwrap_or_default();
        let mut tokens = Vec::with_capacity(entries.len());
        for (rank, entry) in entries {
            self.deadlines
                .remove(&(entry.deadline, Ticket { place, rank }));
            tokens.push(entry.token);
        }
        tokens
    }

    /// When the next entry's time is over.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.deadlines
            .first()
            .map(|(deadline, _)| *deadline)
            .filter(|deadline| *deadline < u64::MAX)
    }

    /// Take out one entry whose time is over at `now`; call it until it gives none.
    pub fn expire(&mut self, now: u64) -> Option<(Place, T)> {
        let (deadline, ticket) = *self.deadlines.first()?;
        if deadline > now || deadline == u64::MAX {
            return None;
        }
        self.remove(ticket).map(|token| (ticket.place, token))
    }
}

/// When an entry came and until when it waits, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Arrival.
    pub now: u64,
    /// The end of `timeout queue`; `u64::MAX` for ever.
    pub deadline: u64,
}
