//! A table: a bounded number of entries, the oldest of which make room for new ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::entry::Entry;
use crate::key::{Key, KeyType, Value};
use crate::layout::{Layout, Stored};
use crate::shard::{Shard, is_over};
use crate::tracked::Tracked;

/// What a `stick-table` line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The proxy that has it.
    pub name: String,
    /// The type of its keys.
    pub key: KeyType,
    /// Entries at most.
    pub size: usize,
    /// After how long an unused entry goes, milliseconds; never if `None`.
    pub expire: Option<u64>,
    /// No entry makes room for another.
    pub nopurge: bool,
    /// Keys are told apart by the client's source namespace, too.
    pub by_namespace: bool,
    /// What is stored.
    pub stored: Vec<Stored>,
}

/// A table of this size is kept under one lock, so that it is exactly the oldest entry that makes room.
const SMALL: usize = 4096;

/// Locks of a large table: in it the oldest entry of one lock's part makes room.
const SHARDS: usize = 16;

/// Entries that are over are removed with each new one, so that their number shrinks while keys come.
const PURGED_WITH_ONE: usize = 4;

/// A stick table.
#[derive(Debug)]
pub struct Table {
    name: String,
    key: KeyType,
    by_namespace: bool,
    layout: Layout,
    size: AtomicUsize,
    /// `u64::MAX`: never.
    expire: AtomicU64,
    nopurge: AtomicBool,
    used: AtomicUsize,
    shards: Box<[Mutex<Shard>]>,
    hasher: ahash::RandomState,
}

/// An entry as it is shown.
#[derive(Debug)]
pub struct Shown<'t> {
    /// The entry.
    pub entry: Arc<Entry>,
    table: &'t Table,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let shards = if settings.size > SMALL { SHARDS } else { 1 };
        Self {
            name: settings.name.clone(),
            key: settings.key,
            by_namespace: settings.by_namespace,
            layout: Layout::new(&settings.stored),
            size: AtomicUsize::new(settings.size),
            expire: AtomicU64::new(settings.expire.unwrap_or(u64::MAX)),
            nopurge: AtomicBool::new(settings.nopurge),
            used: AtomicUsize::new(0),
            shards: (0..shards).map(|_| Mutex::default()).collect(),
            hasher: ahash::RandomState::default(),
        }
    }

    /// Takes over settings that change nothing about entries: size, expiry and purging. False: the table
    /// would have to be another one.
    #[must_use]
    pub fn adopt(&self, settings: &Settings) -> bool {
        let same = self.key == settings.key
            && self.by_namespace == settings.by_namespace
            && *self.layout.stored() == *Layout::new(&settings.stored).stored();
        if same {
            self.size.store(settings.size, Relaxed);
            self.expire
                .store(settings.expire.unwrap_or(u64::MAX), Relaxed);
            self.nopurge.store(settings.nopurge, Relaxed);
        }
        same
    }

    /// The proxy that has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its keys.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key
    }

    /// Where its data stands.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether the client's source namespace is a part of its keys.
    #[must_use]
    pub fn by_namespace(&self) -> bool {
        self.by_namespace
    }

    /// Entries at most.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size.load(Relaxed)
    }

    fn expire(&self) -> Option<u64> {
        Some(self.expire.load(Relaxed)).filter(|expire| *expire < u64::MAX)
    }

    /// Milliseconds until an entry goes if nobody uses it; `None` where it never does.
    #[must_use]
    pub fn remaining(&self, entry: &Entry, now: u64) -> Option<u64> {
        Some(self.expire()?.saturating_sub(entry.idle(now)))
    }

    /// The key that a value of a client in a namespace is here; `None` if it can be none.
    #[must_use]
    pub fn key(&self, value: Value<'_>, namespace: &[u8]) -> Option<Key> {
        self.key.key(value, self.by_namespace.then_some(namespace))
    }

    fn place(&self, key: &Key) -> usize {
        let hash = self.hasher.hash_one(key.as_bytes());
        usize::try_from(hash % self.shards.len().max(1) as u64).unwrap_or(0)
    }

    /// The entry of a key, if there is one; it is not used by that.
    #[must_use]
    pub fn find(&self, key: &Key, now: u64) -> Option<Arc<Entry>> {
        let shard = self.shards.get(self.place(key))?.lock();
        let found = shard.find(key.as_bytes())?;
        (!is_over(found, self.expire(), now)).then(|| found.clone())
    }

    /// The entry of a key, made if there is none; its time begins anew. `None`: the table is full, and no
    /// entry may go.
    pub fn entry(&self, key: &Key, now: u64) -> Option<Arc<Entry>> {
        self.with_entry(key, now, Arc::clone)
    }

    /// Tracks the entry of a key, which is made if there is none. `None`: the table is full.
    pub fn track(self: &Arc<Self>, key: &Key, now: u64) -> Option<Tracked> {
        let entry = self.with_entry(key, now, |entry| {
            entry.trackers.fetch_add(1, Relaxed);
            entry.clone()
        })?;
        Some(Tracked::new(self.clone(), entry, now))
    }

    /// Gives an entry to `take` while nobody can remove it.
    fn with_entry<T>(&self, key: &Key, now: u64, take: impl Fn(&Arc<Entry>) -> T) -> Option<T> {
        let place = self.place(key);
        let expire = self.expire();
        // Other workers may take the place that was just made; they are few.
        for _ in 0..8 {
            let mut shard = self.shards.get(place)?.lock();
            if let Some(found) = shard.find(key.as_bytes()).cloned() {
                if !is_over(&found, expire, now) {
                    found.touch(now);
                    return Some(take(&found));
                }
                self.left(usize::from(shard.remove(&found)));
            }
            if let Some(expire) = expire {
                self.left(shard.expire(expire, now, PURGED_WITH_ONE));
            }
            if self.enter() {
                let entry = Arc::new(Entry::new(key.as_bytes(), &self.layout, now));
                let taken = take(&entry);
                shard.insert(entry);
                return Some(taken);
            }
            drop(shard);
            if !self.make_room(place, now) {
                return None;
            }
        }
        None
    }

    /// Counts one entry more, unless that would be too many.
    fn enter(&self) -> bool {
        let size = self.size();
        let more = |used: usize| (used < size).then_some(used + 1);
        self.used.fetch_update(Relaxed, Relaxed, more).is_ok()
    }

    fn left(&self, entries: usize) {
        if entries > 0 {
            self.used.fetch_sub(entries, Relaxed);
        }
    }

    /// Removes one entry: of the new one's own part if possible.
    fn make_room(&self, place: usize, now: u64) -> bool {
        let (before, from) = self.shards.split_at_checked(place).unwrap_or_default();
        let expire = self.expire();
        let nopurge = self.nopurge.load(Relaxed);
        from.iter().chain(before).any(|shard| {
            let mut shard = shard.lock();
            let over = expire.map_or(0, |expire| shard.expire(expire, now, PURGED_WITH_ONE));
            self.left(over);
            let evicted = over == 0 && !nopurge && shard.evict(now);
            self.left(usize::from(evicted));
            over > 0 || evicted
        })
    }

    /// How many entries there are, without those that are over.
    pub fn used(&self, now: u64) -> usize {
        self.purge(now);
        self.used.load(Relaxed)
    }

    /// Removes what is over, in steps between which others get the locks.
    pub fn purge(&self, now: u64) {
        let Some(expire) = self.expire() else {
            return;
        };
        for shard in &self.shards {
            loop {
                let removed = shard.lock().expire(expire, now, usize::MAX);
                self.left(removed);
                if removed == 0 {
                    break;
                }
            }
        }
    }

    /// Removes an entry unless somebody tracks it; whether it did.
    pub fn remove(&self, key: &Key) -> bool {
        let Some(mut shard) = self.shards.get(self.place(key)).map(|shard| shard.lock()) else {
            return false;
        };
        let Some(found) = shard.find(key.as_bytes()).cloned() else {
            return false;
        };
        let removed = shard.remove(&found);
        self.left(usize::from(removed));
        removed
    }

    /// Removes every entry that nobody tracks and of which `matches` is true.
    pub fn clear(&self, matches: impl Fn(&Entry) -> bool) {
        for shard in &self.shards {
            // What is looked at is not what is locked: a long table must not stop its workers.
            let entries: Vec<Arc<Entry>> = shard.lock().entries().cloned().collect();
            for entry in entries.iter().filter(|entry| matches(entry)) {
                let removed = shard.lock().remove(entry);
                self.left(usize::from(removed));
            }
        }
    }

    /// Every entry, in the order of their keys.
    #[must_use]
    pub fn entries(&self, now: u64) -> Vec<Shown<'_>> {
        self.purge(now);
        let mut all = Vec::with_capacity(self.used.load(Relaxed));
        for shard in &self.shards {
            let shard = shard.lock();
            all.reserve(shard.len());
            all.extend(shard.entries().map(|entry| Shown {
                entry: entry.clone(),
                table: self,
            }));
        }
        all.sort_unstable_by(|a, b| a.entry.key().cmp(b.entry.key()));
        all
    }
}

impl Shown<'_> {
    /// What its key says, and the namespace that it belongs to (empty: the default one).
    #[must_use]
    pub fn key(&self) -> (Value<'_>, &[u8]) {
        self.table.key.parts(self.entry.key())
    }
}
