//! The dynamic table (RFC 7541, 2.3.2 and 4): first in, first out, of bounded size.

use std::collections::VecDeque;

use super::OVERHEAD;

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    name: u32,
    value: u32,
}

impl Entry {
    fn size(self) -> usize {
        self.name as usize + self.value as usize + OVERHEAD
    }
}

/// Fields that one end has put into the table, the newest first. Its bytes lie one behind the
/// other; those of evicted fields are given back once they are more than the table may hold, so
/// that memory stays below twice its limit.
#[derive(Debug, Default)]
pub(super) struct Dynamic {
    bytes: Vec<u8>,
    /// The oldest first.
    entries: VecDeque<Entry>,
    size: usize,
    limit: usize,
    /// How many fields were ever put in, modulo 2^32.
    inserted: u32,
}

impl Dynamic {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The number that [`Self::insert`] gave to the newest field.
    pub(super) fn newest(&self) -> u32 {
        self.inserted
    }

    /// The field of a number, and its place from the newest on; `None` if it was evicted.
    pub(super) fn numbered(&self, number: u32) -> Option<(usize, &[u8], &[u8])> {
        let age = self.inserted.wrapping_sub(number) as usize;
        let (name, value) = self.get(age)?;
        Some((age, name, value))
    }

    /// Name and value at a place, of which the newest field has zero.
    #[inline]
    pub(super) fn get(&self, age: usize) -> Option<(&[u8], &[u8])> {
        let place = self.entries.len().checked_sub(age)?.checked_sub(1)?;
        let entry = self.entries.get(place)?;
        let start = entry.start as usize;
        let value = start + entry.name as usize;
        let name = self.bytes.get(start..value)?;
        Some((name, self.bytes.get(value..value + entry.value as usize)?))
    }

    /// Changes the limit, and evicts what does not fit any more.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.evict(0);
    }

    /// Puts a field in, evicting the oldest until it fits. One that is larger than the table
    /// leaves it empty, which is no error (RFC 7541, 4.4).
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8]) {
        let size = name.len() + value.len() + OVERHEAD;
        self.evict(size);
        if size > self.limit {
            return;
        }
        self.compact();
        self.entries.push_back(Entry {
            start: self.bytes.len() as u32,
            name: name.len() as u32,
            value: value.len() as u32,
        });
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        self.size += size;
        self.inserted = self.inserted.wrapping_add(1);
    }

    fn evict(&mut self, incoming: usize) {
        while self.size + incoming > self.limit {
            let Some(entry) = self.entries.pop_front() else {
                return;
            };
            self.size -= entry.size();
        }
    }

    /// Gives back the bytes of evicted fields when they are many.
    fn compact(&mut self) {
        let Some(first) = self.entries.front() else {
            self.bytes.clear();
            return;
        };
        let dead = first.start;
        if (dead as usize) < self.limit {
            return;
        }
        self.bytes.drain(..dead as usize);
        for entry in &mut self.entries {
            entry.start -= dead;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7541_4_1_a_field_counts_its_bytes_and_32() {
        let mut table = Dynamic::new(34);
        table.insert(b"a", b"b");
        assert_eq!(table.get(0), Some((&b"a"[..], &b"b"[..])));
        table.set_limit(33);
        assert_eq!(table.get(0), None);
    }

    #[test]
    fn rfc_7541_4_4_the_oldest_go_first_and_what_is_too_large_empties_the_table() {
        let mut table = Dynamic::new(70);
        table.insert(b"a", b"1");
        table.insert(b"b", b"2");
        assert_eq!(table.get(1), Some((&b"a"[..], &b"1"[..])));
        table.insert(b"c", b"3");
        assert_eq!(table.get(0), Some((&b"c"[..], &b"3"[..])));
        assert_eq!(table.get(1), Some((&b"b"[..], &b"2"[..])));
        assert_eq!(table.get(2), None);
        table.insert(b"d", &[b'x'; 38]);
        assert_eq!(table.get(0), None);
        assert_eq!(table.size, 0);
    }

    #[test]
    fn memory_stays_below_twice_the_limit_however_many_fields_pass() {
        let mut table = Dynamic::new(4096);
        for round in 0..10_000_u32 {
            let value = vec![b'v'; (round % 700) as usize];
            table.insert(b"name", &value);
            assert!(table.bytes.len() <= 2 * 4096, "{}", table.bytes.len());
            assert_eq!(table.get(0), Some((&b"name"[..], &value[..])));
        }
    }
}
