//! Strings with which a text begins or ends: the keys in order, each with the longest other key that
//! it begins with. One search finds the key before a text; all keys that the text begins with are
//! on the way up from there.

use std::cmp::Ordering;

use crate::batch::Batch;
use crate::keys::Keys;
use crate::steps::step;

/// No place.
const NONE: u32 = u32::MAX;

/// Keys in order. For suffixes, keys and texts are reversed.
#[derive(Debug)]
pub(crate) struct AffixSet {
    keys: Keys,
    /// How many bytes all keys begin with in common.
    common: usize,
    /// What follows them in each key, so that most comparisons stay within one array.
    heads: Vec<u128>,
    rows: Vec<u32>,
    /// The place of the next shorter key that this one begins with; of equal keys, each has the next
    /// one of the list for it.
    up: Vec<u32>,
}

impl AffixSet {
    /// Of the rows of a batch.
    pub(crate) fn new(batch: &Batch, icase: bool, suffix: bool) -> Self {
        let keys = if suffix {
            Keys::changed(batch, |key, out| out.extend(reversed(key, icase)))
        } else {
            Keys::folded(batch, icase)
        };
        let mut order: Vec<(u128, u32)> = batch
            .living()
            .map(|row| (head(keys.get(batch, row)), row))
            .collect();
        // Of equal keys the last of the list comes first, so that the way up meets the first one first.
        order.sort_unstable_by(|(a_head, a), (b_head, b)| {
            a_head
                .cmp(b_head)
                .then_with(|| keys.get(batch, *a).cmp(keys.get(batch, *b)))
                .then(b.cmp(a))
        });
        let rows: Vec<u32> = order.into_iter().map(|(_, row)| row).collect();
        let key = |row: Option<&u32>| row.map_or(&[][..], |row| keys.get(batch, *row));
        let (first, last) = (key(rows.first()), key(rows.last()));
        let common = first.iter().zip(last).take_while(|(a, b)| a == b).count();
        let behind = |row: &u32| head(keys.get(batch, *row).get(common..).unwrap_or_default());
        let heads = rows.iter().map(behind).collect();
        let mut up = Vec::with_capacity(rows.len());
        let mut above: Vec<u32> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let key = keys.get(batch, *row);
            while let Some(last) = above.last() {
                let candidate = rows.get(*last as usize).copied().unwrap_or(0);
                if key.starts_with(keys.get(batch, candidate)) {
                    break;
                }
                above.pop();
            }
            up.push(above.last().copied().unwrap_or(NONE));
            above.push(u32::try_from(at).unwrap_or(NONE));
        }
        Self {
            keys,
            common,
            heads,
            rows,
            up,
        }
    }

    /// The rows that live and with whose key the text begins, the longest first; of equal ones the
    /// first of the list.
    pub(crate) fn find<'s>(
        &'s self,
        batch: &'s Batch,
        text: &'s [u8],
    ) -> impl Iterator<Item = u32> + 's {
        let mut at = self.before(batch, text);
        std::iter::from_fn(move || {
            while let Some(&row) = self.rows.get(at as usize) {
                step();
                at = self.up.get(at as usize).copied().unwrap_or(NONE);
                if text.starts_with(self.keys.get(batch, row)) && batch.lives(row) {
                    return Some(row);
                }
            }
            None
        })
    }

    /// The place of the last key that is not behind the text; none where the text begins with no key.
    fn before(&self, batch: &Batch, text: &[u8]) -> u32 {
        let first = self.rows.first().map(|row| self.keys.get(batch, *row));
        let shared = first.and_then(|key| key.get(..self.common));
        if !shared.is_some_and(|shared| text.starts_with(shared)) {
            return NONE;
        }
        let wanted = head(text.get(self.common..).unwrap_or_default());
        let from = self.heads.partition_point(|head| {
            step();
            *head < wanted
        });
        let same = self.heads.get(from..).unwrap_or_default();
        let to = from
            + same.partition_point(|head| {
                step();
                *head == wanted
            });
        let rows = self.rows.get(from..to).unwrap_or_default();
        let not_behind = rows.partition_point(|row| {
            step();
            self.keys.get(batch, *row).cmp(text) != Ordering::Greater
        });
        let found = (from + not_behind).checked_sub(1);
        found.and_then(|at| u32::try_from(at).ok()).unwrap_or(NONE)
    }
}

/// A text in reverse, folded if asked for.
pub(crate) fn reversed(text: &[u8], icase: bool) -> impl Iterator<Item = u8> + '_ {
    let fold = move |byte: &u8| {
        if icase {
            byte.to_ascii_lowercase()
        } else {
            *byte
        }
    };
    text.iter().rev().map(fold)
}

/// The first sixteen bytes as a number that keeps their order; a shorter text is filled up with zeros.
fn head(text: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(text) {
        *to = *from;
    }
    u128::from_be_bytes(bytes)
}
