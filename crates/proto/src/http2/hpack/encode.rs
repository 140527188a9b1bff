//! Fields in: blocks out.

use super::OVERHEAD;
use super::dynamic::Dynamic;
use super::static_table::{STATIC, static_name};
use super::{huffman, integer};

/// What becomes of a field in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexing {
    /// Put into the table: the next time its index will do.
    Add,
    /// Sent as it is: it hardly ever repeats, and would push out what does.
    Without,
    /// Sent as it is, by every hop: a secret that could be guessed by what it compresses to
    /// (RFC 7541, 7.1.3).
    Never,
}

/// Slots of the search for fields that are in the table already.
const SLOTS: usize = 256;

/// The sending end's table.
#[derive(Debug)]
pub struct Encoder {
    table: Dynamic,
    /// By a hash of name and value, or of the name alone: the number of the field last put in.
    /// A field that lost its slot to another is sent again, which costs bytes only.
    slots: Vec<u32>,
    /// The most that we use, whatever the peer allows.
    ceiling: usize,
    /// The size updates that the next block begins with: the smallest since the last, the last.
    updates: Option<(usize, usize)>,
}

impl Encoder {
    /// An encoder for a peer that has said nothing yet; its table will never hold more than
    /// `ceiling` bytes.
    #[must_use]
    pub fn new(ceiling: u32) -> Self {
        // Until told otherwise the peer's table holds 4096 bytes (RFC 9113, 6.5.2).
        let limit = (ceiling as usize).min(4096);
        Self {
            table: Dynamic::new(limit),
            slots: Vec::new(),
            ceiling: ceiling as usize,
            updates: (limit < 4096).then_some((limit, limit)),
        }
    }

    /// The peer's SETTINGS_HEADER_TABLE_SIZE changes.
    pub fn set_limit(&mut self, allowed: u32) {
        let limit = (allowed as usize).min(self.ceiling);
        if limit == self.table.limit() {
            return;
        }
        let smallest = self
            .updates
            .map_or(limit, |(smallest, _)| smallest.min(limit));
        self.updates = Some((smallest, limit));
        self.table.set_limit(limit);
    }

    /// To be called before a block's first field.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        let Some((smallest, last)) = self.updates.take() else {
            return;
        };
        if smallest < last {
            integer::write(smallest, 0x20, 5, out);
        }
        integer::write(last, 0x20, 5, out);
    }

    /// Writes a field of the static table, by its index from 1 to 61.
    pub fn known(&mut self, index: u8, out: &mut Vec<u8>) {
        integer::write(usize::from(index), 0x80, 7, out);
    }

    /// Writes a field whose name has this static index.
    pub fn named(&mut self, index: u8, value: &[u8], how: Indexing, out: &mut Vec<u8>) {
        let name = usize::from(index)
            .checked_sub(1)
            .and_then(|place| STATIC.get(place))
            .map_or(&b""[..], |(name, _)| name);
        self.write(name, usize::from(index), value, how, out);
    }

    /// Writes a field, its name in lower case.
    #[inline]
    pub fn field(&mut self, name: &[u8], value: &[u8], how: Indexing, out: &mut Vec<u8>) {
        let index = static_name(name).map_or(0, usize::from);
        self.write(name, index, value, how, out);
    }

    fn write(&mut self, name: &[u8], index: usize, value: &[u8], how: Indexing, out: &mut Vec<u8>) {
        if how == Indexing::Never {
            return literal(name, index, value, 0x10, 4, out);
        }
        // A field that fills most of the table would push all others out.
        let size = name.len() + value.len() + OVERHEAD;
        if how == Indexing::Without || size > self.table.limit() / 4 * 3 {
            return literal(name, index, value, 0x00, 4, out);
        }
        let whole = slot(hash(hash(SEED, name), value));
        if let Some(age) = self.find(whole, |n, v| n == name && v == value) {
            return integer::write(STATIC.len() + 1 + age, 0x80, 7, out);
        }
        let alone = slot(hash(SEED, name));
        let mut index = index;
        if index == 0 {
            if let Some(age) = self.find(alone, |n, _| n == name) {
                index = STATIC.len() + 1 + age;
            }
        }
        literal(name, index, value, 0x40, 6, out);
        self.table.insert(name, value);
        self.remember(whole);
        self.remember(alone);
    }

    fn find(&self, slot: usize, same: impl Fn(&[u8], &[u8]) -> bool) -> Option<usize> {
        let number = *self.slots.get(slot)?;
        let (age, name, value) = self.table.numbered(number)?;
        same(name, value).then_some(age)
    }

    fn remember(&mut self, slot: usize) {
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, 0);
        }
        if let Some(place) = self.slots.get_mut(slot) {
            *place = self.table.newest();
        }
    }
}

#[inline]
fn literal(name: &[u8], index: usize, value: &[u8], pattern: u8, prefix: u32, out: &mut Vec<u8>) {
    integer::write(index, pattern, prefix, out);
    if index == 0 {
        string(name, out);
    }
    string(value, out);
}

/// Writes a string in whichever form is shorter.
#[inline]
fn string(text: &[u8], out: &mut Vec<u8>) {
    let coded = huffman::huffman_length(text);
    if coded < text.len() {
        integer::write(coded, 0x80, 7, out);
        huffman::huffman_encode(text, out);
    } else {
        integer::write(text.len(), 0, 7, out);
        out.extend_from_slice(text);
    }
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// A hash for finding repetitions. That a peer can make fields collide costs it compression and
/// us nothing, so it needs no secret.
#[inline]
fn hash(seed: u64, text: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(SEED).rotate_left(29);
    let mut hash = mix(seed, text.len() as u64);
    let mut rest = text;
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        hash = mix(hash, u64::from_le_bytes(*chunk));
        rest = behind;
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    mix(hash, u64::from_le_bytes(last))
}

#[inline]
fn slot(hash: u64) -> usize {
    (hash >> 40) as usize % SLOTS
}
