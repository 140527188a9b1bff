//! Entries of a list as they were loaded or added together: keys with their values, in one piece of
//! text. What compiled sets refer to; their rows never move, so that lookups take no lock.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;

/// One entry: its number in the list, and where its key and value stand in the text.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: u32,
    pub(crate) key: Range<u32>,
    pub(crate) value: Range<u32>,
}

/// Entries in their order. A row may die and its value may change while others read.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    text: Arc<[u8]>,
    rows: Box<[Row]>,
    dead: Box<[AtomicBool]>,
    buried: AtomicUsize,
    /// Values that were changed; made with the first of them.
    changed: OnceLock<Box<[ArcSwapOption<Vec<u8>>]>>,
}

impl Batch {
    /// Of rows whose places lie in the text.
    pub(crate) fn new(text: Arc<[u8]>, rows: Vec<Row>) -> Self {
        Self {
            text,
            dead: rows.iter().map(|_| AtomicBool::new(false)).collect(),
            rows: rows.into_boxed_slice(),
            buried: AtomicUsize::new(0),
            changed: OnceLock::new(),
        }
    }

    /// Of keys without values.
    pub(crate) fn of_keys(keys: &[&[u8]]) -> Self {
        let mut pen = Pen::default();
        for (id, key) in keys.iter().enumerate() {
            pen.write(u32::try_from(id).unwrap_or(u32::MAX), key, b"");
        }
        pen.finish()
    }

    /// The living entries of several batches, in order.
    pub(crate) fn merged(parts: &[Arc<Self>]) -> Self {
        let mut pen = Pen::default();
        for part in parts {
            for row in part.living() {
                part.value(row, |value| pen.write(part.id(row), part.key(row), value));
            }
        }
        pen.finish()
    }

    /// How many rows there are, dead ones too.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many entries live.
    pub(crate) fn count(&self) -> usize {
        self.len().saturating_sub(self.buried.load(Relaxed))
    }

    /// The numbers of all rows.
    pub(crate) fn numbers(&self) -> Range<u32> {
        0..u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    /// The numbers of the rows that live.
    pub(crate) fn living(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.numbers().filter(|row| self.lives(*row))
    }

    /// Whether a row lives.
    pub(crate) fn lives(&self, row: u32) -> bool {
        self.dead
            .get(row as usize)
            .is_some_and(|dead| !dead.load(Relaxed))
    }

    /// The entry's number in the list.
    pub(crate) fn id(&self, row: u32) -> u32 {
        self.rows.get(row as usize).map_or(0, |row| row.id)
    }

    /// The key of a row.
    pub(crate) fn key(&self, row: u32) -> &[u8] {
        let place = self.rows.get(row as usize).map(|row| row.key.clone());
        self.part(place)
    }

    /// Shows the value of a row as it is now.
    pub(crate) fn value<T>(&self, row: u32, show: impl FnOnce(&[u8]) -> T) -> T {
        if let Some(slot) = self.changed.get().and_then(|all| all.get(row as usize)) {
            if let Some(value) = &*slot.load() {
                return show(value);
            }
        }
        let place = self.rows.get(row as usize).map(|row| row.value.clone());
        show(self.part(place))
    }

    /// Changes the value of a row.
    pub(crate) fn set(&self, row: u32, value: &[u8]) {
        let slots = self
            .changed
            .get_or_init(|| self.rows.iter().map(|_| ArcSwapOption::empty()).collect());
        if let Some(slot) = slots.get(row as usize) {
            slot.store(Some(Arc::new(value.to_vec())));
        }
    }

    /// Lets a row die.
    pub(crate) fn bury(&self, row: u32) {
        if let Some(dead) = self.dead.get(row as usize) {
            if !dead.swap(true, Relaxed) {
                self.buried.fetch_add(1, Relaxed);
            }
        }
    }

    fn part(&self, place: Option<Range<u32>>) -> &[u8] {
        place
            .and_then(|place| self.text.get(place.start as usize..place.end as usize))
            .unwrap_or_default()
    }
}

/// Writes entries one behind the other.
#[derive(Default)]
pub(crate) struct Pen {
    text: Vec<u8>,
    rows: Vec<Row>,
}

impl Pen {
    /// Adds an entry; what does not fit into 4 GiB is left out.
    pub(crate) fn write(&mut self, id: u32, key: &[u8], value: &[u8]) {
        let place = |start: usize, len: usize| {
            let end = start.checked_add(len)?;
            Some(u32::try_from(start).ok()?..u32::try_from(end).ok()?)
        };
        let start = self.text.len();
        let places = place(start, key.len()).zip(place(start + key.len(), value.len()));
        if let Some((key_place, value_place)) = places {
            self.text.extend_from_slice(key);
            self.text.extend_from_slice(value);
            self.rows.push(Row {
                id,
                key: key_place,
                value: value_place,
            });
        }
    }

    /// The batch.
    pub(crate) fn finish(self) -> Batch {
        Batch::new(self.text.into(), self.rows)
    }
}
