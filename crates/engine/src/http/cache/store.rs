//! What a cache holds: responses by key, the one used longest ago leaving first. Reads no clock.
//!
//! Its memory has one exact bound: bytes are reserved before they are taken, by those that store
//! as by those that are stored, and given back when the last user lets go of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};

use isthmus_plan::CachedFacts;
use parking_lot::Mutex;

/// Bytes that an entry costs besides what it says: its places in the tables.
const OVERHEAD: u64 = 256;

/// Bytes of a cache's memory, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    used: Arc<AtomicU64>,
    bytes: u64,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, AcqRel);
    }
}

/// A stored response.
#[derive(Debug)]
pub(crate) struct Object {
    /// Start line and fields, without the empty line and without framing.
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
    /// Engine milliseconds: when it was stored, and when it stops being fresh.
    pub(crate) stored: u64,
    pub(crate) expires: u64,
    /// Its Age when it was stored, seconds.
    pub(crate) age: u64,
    pub(crate) etag: Option<Vec<u8>>,
    /// Last-Modified, seconds since 1970.
    pub(crate) modified: Option<i64>,
    /// What of the request it depends on.
    pub(crate) variant: Variant,
    /// Its share of the memory.
    pub(crate) reserved: Reserved,
}

/// The fields of a request on which a response may depend (`process-vary`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) accept_encoding: Option<Vec<u8>>,
    pub(crate) referer: Option<Vec<u8>>,
}

impl Variant {
    /// Whether a request with these fields gets a response that depends on those of `self`.
    fn suits(&self, request: &Self) -> bool {
        let same = |mine: &Option<Vec<u8>>, its: &Option<Vec<u8>>| mine.is_none() || mine == its;
        same(&self.accept_encoding, &request.accept_encoding)
            && same(&self.referer, &request.referer)
    }

    /// 0 for a response that depends on nothing.
    fn hash(&self) -> u64 {
        let fields = [&self.accept_encoding, &self.referer];
        match fields {
            [None, None] => 0,
            fields => fields.iter().fold(FNV_BASIS, |hash, field| {
                let field = field.as_deref().unwrap_or_default();
                fnv(fnv(hash, field), &[0])
            }),
        }
    }

    fn len(&self) -> usize {
        let length = |field: &Option<Vec<u8>>| field.as_ref().map_or(0, Vec::len);
        length(&self.accept_encoding) + length(&self.referer)
    }
}

#[derive(Debug)]
struct Entry {
    object: Arc<Object>,
    /// Its place in the order of use.
    turn: u64,
}

impl Entry {
    fn facts(&self, key: &[u8], now: u64) -> CachedFacts {
        let object = &self.object;
        let [.., a, b, c, d] = fnv(FNV_BASIS, key).to_be_bytes();
        let left = i64::try_from(object.expires).unwrap_or(i64::MAX)
            - i64::try_from(now).unwrap_or(i64::MAX);
        CachedFacts {
            turn: self.turn,
            hash: u32::from_be_bytes([a, b, c, d]),
            variant: object.variant.hash(),
            size: object.reserved.bytes,
            users: (Arc::strong_count(object) - 1) as u64,
            expires: left.div_euclid(1000),
        }
    }
}

/// The hash of Fowler, Noll and Vo (FNV-1a) of nothing.
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<Arc<[u8]>, Vec<Entry>>,
    /// Keys by when they were used last.
    order: BTreeMap<u64, Arc<[u8]>>,
    turn: u64,
}

/// A cache's memory.
#[derive(Debug)]
pub(crate) struct Store {
    most: u64,
    variants: usize,
    used: Arc<AtomicU64>,
    table: Mutex<Table>,
}

impl Store {
    pub(crate) fn new(most: u64, variants: usize) -> Self {
        Self {
            most,
            variants: variants.max(1),
            used: Arc::default(),
            table: Mutex::default(),
        }
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Acquire)
    }

    /// The fresh response for a request.
    pub(crate) fn find(&self, key: &[u8], request: &Variant, now: u64) -> Option<Arc<Object>> {
        let mut table = self.table.lock();
        let Table {
            entries,
            order,
            turn,
        } = &mut *table;
        let (key, found) = match entries.get_key_value(key) {
            Some((key, _)) => (key.clone(), entries.get_mut(key.clone().as_ref())?),
            None => return None,
        };
        let fits =
            |entry: &&mut Entry| entry.object.expires > now && entry.object.variant.suits(request);
        let entry = found.iter_mut().find(fits)?;
        order.remove(&entry.turn);
        *turn += 1;
        entry.turn = *turn;
        order.insert(*turn, key);
        Some(entry.object.clone())
    }

    /// Reserves memory; what was used longest ago makes room. `None` if there is not enough.
    pub(crate) fn reserve(&self, bytes: u64) -> Option<Reserved> {
        let mut table = self.table.lock();
        if bytes > self.most {
            return None;
        }
        // Others only give back meanwhile: they reserve under the lock as well.
        while self.used() + bytes > self.most {
            table.drop_oldest()?;
        }
        self.used.fetch_add(bytes, AcqRel);
        Some(Reserved {
            used: self.used.clone(),
            bytes,
        })
    }

    /// Reserves more on top of what is reserved already. False if there is not enough.
    pub(crate) fn reserve_more(&self, reserved: &mut Reserved, bytes: u64) -> bool {
        let Some(mut more) = self.reserve(bytes) else {
            return false;
        };
        reserved.bytes += std::mem::take(&mut more.bytes);
        true
    }

    /// What an entry costs.
    pub(crate) fn cost(key: &[u8], head: usize, body: usize, variant: &Variant) -> u64 {
        OVERHEAD + (key.len() + head + body + variant.len()) as u64
    }

    /// Takes a response in, instead of the one that stood for the same requests.
    pub(crate) fn insert(&self, key: &[u8], object: Object, now: u64) {
        let mut table = self.table.lock();
        let key: Arc<[u8]> = match table.entries.get_key_value(key) {
            Some((known, _)) => known.clone(),
            None => key.into(),
        };
        table.turn += 1;
        let turn = table.turn;
        let Table { entries, order, .. } = &mut *table;
        let found = entries.entry(key.clone()).or_default();
        found.retain(|entry| {
            let stays = entry.object.expires > now && entry.object.variant != object.variant;
            if !stays {
                order.remove(&entry.turn);
            }
            stays
        });
        if found.len() < self.variants {
            let object = Arc::new(object);
            found.push(Entry { object, turn });
            order.insert(turn, key.clone());
        }
        if found.is_empty() {
            entries.remove(&key);
        }
    }

    /// What it holds, the one used longest ago first.
    pub(crate) fn facts(&self, now: u64) -> Vec<CachedFacts> {
        let table = self.table.lock();
        let entries = table.order.iter().filter_map(|(turn, key)| {
            let entry = table.entries.get(key)?;
            let entry = entry.iter().find(|entry| entry.turn == *turn)?;
            Some((key, entry))
        });
        entries.map(|(key, entry)| entry.facts(key, now)).collect()
    }

    /// Forgets what is stored under a key.
    pub(crate) fn forget(&self, key: &[u8]) {
        let mut table = self.table.lock();
        for entry in table.entries.remove(key).unwrap_or_default() {
            table.order.remove(&entry.turn);
        }
    }
}

impl Table {
    fn drop_oldest(&mut self) -> Option<()> {
        let (turn, key) = self.order.pop_first()?;
        let found = self.entries.get_mut(&key)?;
        found.retain(|entry| entry.turn != turn);
        if found.is_empty() {
            self.entries.remove(&key);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(store: &Store, key: &[u8], body: usize, variant: Variant) -> Option<Object> {
        let reserved = store.reserve(Store::cost(key, 0, body, &variant))?;
        Some(Object {
            head: Vec::new(),
            body: vec![0; body],
            stored: 0,
            expires: 100,
            age: 0,
            etag: None,
            modified: None,
            variant,
            reserved,
        })
    }

    fn put(store: &Store, key: &[u8], body: usize) {
        let object = object(store, key, body, Variant::default()).unwrap();
        store.insert(key, object, 0);
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let store = Store::new(3 * (OVERHEAD + 101), 1);
        let any = Variant::default();
        for key in [b"a", b"b", b"c"] {
            put(&store, key, 100);
        }
        assert!(store.find(b"a", &any, 0).is_some());
        put(&store, b"d", 100);
        assert!(store.find(b"b", &any, 0).is_none());
        for key in [b"a", b"c", b"d"] {
            assert!(store.find(key, &any, 0).is_some());
        }
        assert_eq!(store.used(), 3 * (OVERHEAD + 101));
    }

    #[test]
    fn what_a_client_still_reads_counts_until_it_has_read_it() {
        let store = Store::new(OVERHEAD + 101, 1);
        put(&store, b"a", 100);
        let held = store.find(b"a", &Variant::default(), 0).unwrap();
        assert!(store.reserve(OVERHEAD + 101).is_none());
        drop(held);
        assert!(store.reserve(OVERHEAD + 101).is_some());
        assert_eq!(store.used(), 0);
    }

    #[test]
    fn nothing_is_served_past_its_time_or_to_other_variants() {
        let store = Store::new(100_000, 2);
        let gzip = Variant {
            accept_encoding: Some(b"gzip".to_vec()),
            referer: None,
        };
        let stored = object(&store, b"a", 1, gzip.clone()).unwrap();
        store.insert(b"a", stored, 0);
        assert!(store.find(b"a", &gzip, 99).is_some());
        assert!(store.find(b"a", &gzip, 100).is_none());
        assert!(store.find(b"a", &Variant::default(), 0).is_none());
    }

    #[test]
    fn a_key_has_so_many_variants_and_no_more() {
        let store = Store::new(100_000, 2);
        for coding in [b"a", b"b", b"c"] {
            let variant = Variant {
                accept_encoding: Some(coding.to_vec()),
                referer: None,
            };
            let stored = object(&store, b"k", 1, variant).unwrap();
            store.insert(b"k", stored, 0);
        }
        let held = store.table.lock().entries.get(&b"k"[..]).unwrap().len();
        assert_eq!(held, 2);
        store.forget(b"k");
        assert_eq!(store.used(), 0);
        assert!(store.table.lock().order.is_empty());
    }
}
