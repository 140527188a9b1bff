//! Strings that are equal: a table of hashes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::batch::Batch;
use crate::keys::Keys;
use crate::steps::step;

/// No row.
const NONE: u32 = u32::MAX;

/// Rows by the hash of their key. Rows of one hash form a chain, the first of the list first.
#[derive(Debug)]
pub(crate) struct ExactSet {
    keys: Keys,
    state: ahash::RandomState,
    first: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    next: Vec<u32>,
}

impl ExactSet {
    /// Of the rows of a batch.
    pub(crate) fn new(batch: &Batch, keys: Keys) -> Self {
        let state = ahash::RandomState::new();
        let mut first = HashMap::with_capacity_and_hasher(batch.len(), BuildHasherDefault::new());
        let mut next = vec![NONE; batch.len()];
        for row in batch.living().rev() {
            let hash = state.hash_one(keys.get(batch, row));
            if let Some(behind) = first.insert(hash, row) {
                if let Some(place) = next.get_mut(row as usize) {
                    *place = behind;
                }
            }
        }
        Self {
            keys,
            state,
            first,
            next,
        }
    }

    /// The first row that lives and whose key is the text.
    pub(crate) fn find(&self, batch: &Batch, text: &[u8]) -> Option<u32> {
        let mut row = *self.first.get(&self.state.hash_one(text))?;
        while row != NONE {
            step();
            if self.keys.get(batch, row) == text && batch.lives(row) {
                return Some(row);
            }
            row = self.next.get(row as usize).copied().unwrap_or(NONE);
        }
        None
    }
}

/// Takes a hash for what it is.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
