//! Sessions that may be resumed: tickets that clients keep, and a cache that is kept here. Each set
//! of settings has its own of both, so that no session crosses from one to another.

use std::collections::VecDeque;
use std::fmt;

use ahash::AHashMap;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use isthmus_plan::tls::Secret;
use parking_lot::{Mutex, RwLock};
use rustls::pki_types::UnixTime;
use rustls::server::{ProducesTickets, StoresServerSessions};

use crate::error::TlsError;
use crate::identity::Digest;

/// Bytes with which a ticket tells which key made it.
const NAME: usize = 16;
/// Bytes of an AES-256 key.
const KEY: usize = 32;
/// Bytes of the second at which a ticket expires.
const EXPIRY: usize = 8;
/// Seconds for which a key that was made here makes tickets.
const ROTATION: u64 = 3600;

struct Key {
    name: [u8; NAME],
    sealing: RandomizedNonceKey,
}

impl Key {
    fn random() -> Option<Self> {
        let mut name = [0; NAME];
        let mut key = [0; KEY];
        aws_lc_rs::rand::fill(&mut name).ok()?;
        aws_lc_rs::rand::fill(&mut key).ok()?;
        Self::new(name, &key)
    }

    fn new(name: [u8; NAME], key: &[u8; KEY]) -> Option<Self> {
        let sealing = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
        Some(Self { name, sealing })
    }

    /// Makes a key of a line of a `tls-ticket-keys` file: a name, and 32 or 64 bytes of keys.
    fn from_file(secret: &Secret) -> Option<Self> {
        let bytes = secret.0.as_bytes();
        if bytes.len() != 48 && bytes.len() != 80 {
            return None;
        }
        let (name, rest) = bytes.split_first_chunk::<NAME>()?;
        let mut key = [0; KEY];
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"isthmus session tickets");
        salt.extract(rest)
            .expand(&[b"key"], &AES_256_GCM)
            .ok()?
            .fill(&mut key)
            .ok()?;
        Self::new(*name, &key)
    }
}

/// The keys that make and open tickets.
struct Keys {
    /// The one that makes tickets is the first.
    all: Vec<Key>,
    /// When the next is made, in seconds since 1970; never for keys of a file.
    next: Option<u64>,
}

/// Makes and opens tickets: session state, sealed for as long as `lifetime`.
pub(crate) struct Tickets {
    lifetime: u32,
    /// What is demanded of clients, which is sealed with each ticket: lines may share keys
    /// (`tls-ticket-keys`), but what one believed must not count as believed by another.
    demands: Digest,
    keys: RwLock<Keys>,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tickets({}s)", self.lifetime)
    }
}

impl Tickets {
    /// Makes tickets with the keys of a file, of which the last but one is in use (manual,
    /// `tls-ticket-keys`), or with our own, which change every hour. Only those are opened that were
    /// made under the same demands on clients.
    pub(crate) fn new(given: &[Secret], lifetime: u32, demands: Digest) -> Result<Self, TlsError> {
        let mut all = given
            .iter()
            .map(Key::from_file)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| TlsError::settings("a ticket key has neither 48 nor 80 bytes"))?;
        let used = all.len().saturating_sub(2);
        if all.len() > 1 {
            all.swap(0, used);
        }
        let next = given.is_empty().then_some(0);
        let keys = RwLock::new(Keys { all, next });
        Ok(Self {
            lifetime,
            demands,
            keys,
        })
    }

    /// Makes a new key where it is time; the one before still opens what it made.
    fn rotate(&self, now: u64) -> Option<()> {
        let due = |keys: &Keys| keys.next.is_some_and(|next| next <= now);
        if !due(&self.keys.read()) {
            return Some(());
        }
        let fresh = Key::random()?;
        let mut keys = self.keys.write();
        if due(&keys) {
            keys.all.insert(0, fresh);
            keys.all.truncate(2);
            keys.next = Some(now + ROTATION.max(u64::from(self.lifetime)));
        }
        Some(())
    }

    /// What a ticket is bound to besides its content.
    fn bound(&self, key: &Key) -> Aad<Vec<u8>> {
        Aad::from([&key.name[..], &self.demands].concat())
    }

    fn seal(&self, state: &[u8], now: u64) -> Option<Vec<u8>> {
        self.rotate(now)?;
        let keys = self.keys.read();
        let key = keys.all.first()?;
        let expiry = now + u64::from(self.lifetime);
        let mut sealed = expiry.to_be_bytes().to_vec();
        sealed.extend_from_slice(state);
        let nonce = key
            .sealing
            .seal_in_place_append_tag(self.bound(key), &mut sealed)
            .ok()?;
        let mut ticket = key.name.to_vec();
        ticket.extend_from_slice(nonce.as_ref());
        ticket.append(&mut sealed);
        Some(ticket)
    }

    fn open(&self, ticket: &[u8], now: u64) -> Option<Vec<u8>> {
        let (name, rest) = ticket.split_first_chunk::<NAME>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let keys = self.keys.read();
        let key = keys.all.iter().find(|key| key.name == *name)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key
            .sealing
            .open_in_place(nonce, self.bound(key), &mut sealed)
            .ok()?;
        let (expiry, state) = opened.split_first_chunk::<EXPIRY>()?;
        (now < u64::from_be_bytes(*expiry)).then(|| state.to_vec())
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.lifetime
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.seal(plain, UnixTime::now().as_secs())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.open(cipher, UnixTime::now().as_secs())
    }
}

#[derive(Default)]
struct Kept {
    /// State and the second at which it expires, by session id.
    states: AHashMap<Vec<u8>, (Vec<u8>, u64)>,
    /// The ids, the oldest first; some may be gone already.
    order: VecDeque<Vec<u8>>,
}

/// How often a session that is kept here is resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serves {
    /// As often as it is shown, while it is kept.
    Always,
    /// Once in TLS 1.3: early data of a session that served already may be a replay (RFC 8446 section 8.1).
    Once,
}

/// Sessions that are kept here, at most `most` and each for `lifetime` (`tune.ssl.cachesize`,
/// `tune.ssl.lifetime`).
pub(crate) struct Cache {
    most: usize,
    lifetime: u64,
    serves: Serves,
    kept: Mutex<Kept>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({}, {}s)", self.most, self.lifetime)
    }
}

impl Cache {
    pub(crate) fn new(most: usize, lifetime: u32, serves: Serves) -> Self {
        Self {
            most,
            lifetime: u64::from(lifetime),
            serves,
            kept: Mutex::default(),
        }
    }

    fn keep(&self, id: Vec<u8>, state: Vec<u8>, now: u64) -> bool {
        if self.most == 0 {
            return false;
        }
        let mut kept = self.kept.lock();
        while kept.order.len() >= self.most {
            let Some(oldest) = kept.order.pop_front() else {
                break;
            };
            kept.states.remove(&oldest);
        }
        kept.order.push_back(id.clone());
        kept.states.insert(id, (state, now + self.lifetime));
        true
    }

    fn find(&self, id: &[u8], now: u64) -> Option<Vec<u8>> {
        let kept = self.kept.lock();
        let (state, expiry) = kept.states.get(id)?;
        (now < *expiry).then(|| state.clone())
    }

    fn remove(&self, id: &[u8], now: u64) -> Option<Vec<u8>> {
        let (state, expiry) = self.kept.lock().states.remove(id)?;
        (now < expiry).then_some(state)
    }
}

impl StoresServerSessions for Cache {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.keep(key, value, UnixTime::now().as_secs())
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.find(key, UnixTime::now().as_secs())
    }

    /// What rustls asks for in TLS 1.3, early data or none.
    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        let now = UnixTime::now().as_secs();
        match self.serves {
            Serves::Always => self.find(key, now),
            Serves::Once => self.remove(key, now),
        }
    }

    fn can_cache(&self) -> bool {
        self.most > 0
    }
}

#[cfg(test)]
mod tests {
    use isthmus_plan::ByteString;

    use super::*;

    const ANYBODY: Digest = [0; 32];

    #[test]
    fn a_ticket_opens_under_the_demands_alone_that_it_was_made_under() {
        let keys = [Secret(ByteString(vec![7; 48]))];
        let with = |demands| Tickets::new(&keys, 300, [demands; 32]).unwrap();
        let ticket = with(1).seal(b"state", 0).unwrap();
        assert_eq!(with(1).open(&ticket, 0).unwrap(), b"state");
        assert_eq!(with(2).open(&ticket, 0), None);
    }

    #[test]
    fn a_ticket_opens_until_its_lifetime_is_over() {
        let tickets = Tickets::new(&[], 300, ANYBODY).unwrap();
        let ticket = tickets.seal(b"state", 1000).unwrap();
        assert_eq!(tickets.open(&ticket, 1299).unwrap(), b"state");
        assert_eq!(tickets.open(&ticket, 1300), None);
        for at in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[at] ^= 1;
            assert_eq!(tickets.open(&changed, 1000), None, "byte {at}");
            assert_eq!(tickets.open(&ticket[..at], 1000), None);
        }
    }

    #[test]
    fn keys_of_our_own_change_every_hour_and_open_what_the_last_one_made() {
        let tickets = Tickets::new(&[], 300, ANYBODY).unwrap();
        let first = tickets.seal(b"1", 0).unwrap();
        let second = tickets.seal(b"2", ROTATION).unwrap();
        assert_ne!(first[..NAME], second[..NAME]);
        assert!(tickets.open(&first, 10).is_some());
        tickets.seal(b"3", 2 * ROTATION).unwrap();
        assert_eq!(tickets.open(&first, 10), None);
        assert!(tickets.open(&second, ROTATION).is_some());
    }

    #[test]
    fn the_last_but_one_key_of_a_file_makes_tickets_and_all_open_them() {
        let keys: Vec<Secret> = (1..4)
            .map(|n| Secret(ByteString(vec![n; if n == 2 { 80 } else { 48 }])))
            .collect();
        let tickets = Tickets::new(&keys, 300, ANYBODY).unwrap();
        let ticket = tickets.seal(b"state", 0).unwrap();
        assert_eq!(ticket[..NAME], [2; NAME]);
        let rotated = Tickets::new(&keys[1..], 300, ANYBODY).unwrap();
        assert_eq!(rotated.open(&ticket, 0).unwrap(), b"state");
        assert!(Tickets::new(&[Secret(ByteString(vec![0; 47]))], 300, ANYBODY).is_err());
    }

    #[test]
    fn the_cache_keeps_so_many_sessions_for_so_long() {
        let cache = Cache::new(2, 10, Serves::Once);
        for id in 1..4 {
            assert!(cache.keep(vec![id], vec![id; 3], 0));
        }
        assert_eq!(cache.find(&[1], 0), None);
        assert_eq!(cache.find(&[2], 9), Some(vec![2; 3]));
        assert_eq!(cache.find(&[2], 10), None);
        assert_eq!(cache.remove(&[3], 5), Some(vec![3; 3]));
        assert_eq!(cache.remove(&[3], 5), None);
        assert!(!Cache::new(0, 10, Serves::Once).keep(vec![1], vec![1], 0));
    }

    #[test]
    fn a_session_serves_always_or_once() {
        for (serves, again) in [(Serves::Always, true), (Serves::Once, false)] {
            let cache = Cache::new(2, 10, serves);
            assert!(cache.put(vec![1], vec![2]));
            assert_eq!(cache.take(&[1]), Some(vec![2]));
            assert_eq!(cache.take(&[1]).is_some(), again, "{serves:?}");
        }
    }
}
