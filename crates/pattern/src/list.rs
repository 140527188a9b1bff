//! A list of patterns, perhaps with values: what a file holds, or the patterns of one ACL line. It may
//! be changed while it is in use (runtime API: `add map`, `set map`, `del acl` ...); whoever looks
//! something up meanwhile sees it before or after a change, and waits for nobody.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use isthmus_plan::{ListValues, MatchMethod};
use parking_lot::Mutex;

use crate::batch::{Batch, Pen};
use crate::lines::{self, Columns};
use crate::matcher::plain;
use crate::set::{Hosts, Way};
use crate::view::{Layer, PatternError, View, fits};

/// A batch is merged with the one before it unless that is this many times as long: lookups meet few
/// layers, and adding one by one stays cheap.
const GROWTH: usize = 8;

/// A list.
#[derive(Debug)]
pub struct List {
    columns: Columns,
    hosts: Hosts,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The version that is matched against, and the last that was prepared.
    current: u32,
    next: u32,
    last_id: u32,
    batches: Vec<Arc<Batch>>,
    /// Entries of other versions.
    pending: BTreeMap<u32, Vec<Arc<Batch>>>,
    views: Vec<Weak<View>>,
    /// Whether it was changed since it was loaded.
    touched: bool,
}

/// A list's versions and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The version that is matched against.
    pub current: u32,
    /// The last version that was prepared.
    pub next: u32,
    /// Entries of all versions.
    pub entries: usize,
}

/// An entry as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: u32,
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// Which entries a command means.
#[derive(Debug, Clone, Copy)]
pub enum Which<'w> {
    /// All with a key.
    Key(&'w [u8]),
    /// The one with a number.
    Id(u32),
}

/// Why a list was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No version of this number can be written or committed.
    Version,
    /// No entry is meant.
    NotFound,
    /// A key or value does not fit.
    Wrong(PatternError),
}

impl List {
    /// Of the text of a file. `hosts` are the addresses of names that stand where addresses are expected.
    #[must_use]
    pub fn read(text: Arc<[u8]>, columns: Columns, hosts: Hosts) -> Self {
        let mut last_id = 0;
        let batch = lines::batch(text, columns, &mut last_id).unwrap_or_default();
        Self::of(batch, columns, hosts, last_id)
    }

    /// Of patterns as written on a line; operators among integers are applied to what follows them.
    #[must_use]
    pub fn of_patterns(method: MatchMethod, patterns: &[&[u8]]) -> Self {
        let mut pen = Pen::default();
        let mut last_id = 0;
        for pattern in plain(method, patterns).1 {
            last_id += 1;
            pen.write(last_id, &pattern, b"");
        }
        Self::of(pen.finish(), Columns::One, Hosts::new(), last_id)
    }

    fn of(batch: Batch, columns: Columns, hosts: Hosts, last_id: u32) -> Self {
        let state = State {
            batches: vec![Arc::new(batch)],
            last_id,
            ..State::default()
        };
        Self {
            columns,
            hosts,
            state: Mutex::new(state),
        }
    }

    /// What is wrong with the text of a file for a use of it: lines and messages, at most `most`.
    #[must_use]
    pub fn check(
        text: &Arc<[u8]>,
        columns: Columns,
        (method, values): (MatchMethod, ListValues),
        hosts: &Hosts,
        most: usize,
    ) -> Vec<(usize, String)> {
        let view = View::new(
            Way {
                method,
                icase: false,
            },
            values,
        );
        let Some(batch) = lines::batch(text.clone(), columns, &mut 0) else {
            return vec![(0, "the file is longer than 4 GiB".to_owned())];
        };
        let batch = Arc::new(batch);
        let mut wrong = Vec::new();
        while let Err(error) = view.layer(&batch, hosts) {
            wrong.push((lines::line_of(text, columns, error.index), error.message));
            if wrong.len() >= most || error.index >= batch.len() {
                break;
            }
            batch.bury(u32::try_from(error.index).unwrap_or(u32::MAX));
        }
        wrong
    }

    /// The list as a lookup of some kind sees it; all uses of one kind share a view.
    ///
    /// # Errors
    /// An entry does not fit.
    pub fn view(
        &self,
        method: MatchMethod,
        icase: bool,
        values: ListValues,
    ) -> Result<Arc<View>, PatternError> {
        let mut state = self.state.lock();
        let way = Way { method, icase };
        let mut known = state.views.iter().filter_map(Weak::upgrade);
        let same = |view: &Arc<View>| {
            (view.method(), view.ignores_case(), view.values()) == (method, icase, values)
        };
        if let Some(view) = known.find(same) {
            return Ok(view);
        }
        let view = View::new(way, values);
        let layers: Result<Vec<Layer>, PatternError> = (state.batches.iter())
            .map(|batch| view.layer(batch, &self.hosts))
            .collect();
        view.publish(layers?);
        let view = Arc::new(view);
        state.views.retain(|view| view.strong_count() > 0);
        state.views.push(Arc::downgrade(&view));
        Ok(view)
    }

    /// Every view that is in use.
    #[must_use]
    pub fn views(&self) -> Vec<Arc<View>> {
        self.state.lock().views()
    }

    /// Whether entries may have values.
    #[must_use]
    pub fn columns(&self) -> Columns {
        self.columns
    }

    /// Whether it was changed since it was loaded.
    #[must_use]
    pub fn touched(&self) -> bool {
        self.state.lock().touched
    }

    /// Versions and size.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let state = self.state.lock();
        let all = state.batches.iter().chain(state.pending.values().flatten());
        Facts {
            current: state.current,
            next: state.next,
            entries: all.map(|batch| batch.count()).sum(),
        }
    }

    /// The entries of a version, or of the one matched against.
    #[must_use]
    pub fn entries(&self, version: Option<u32>) -> Vec<Entry> {
        let state = self.state.lock();
        let batches = state.version(version);
        let shown = |batch: &Arc<Batch>| {
            let entry = |row| Entry {
                id: batch.id(row),
                key: batch.key(row).to_vec(),
                value: batch.value(row, <[u8]>::to_vec),
            };
            batch.living().map(entry).collect::<Vec<_>>()
        };
        batches.iter().flat_map(shown).collect()
    }

    /// Adds entries behind the others, all or none.
    ///
    /// # Errors
    /// The version was not prepared, or an entry does not fit.
    pub fn add(&self, version: Option<u32>, entries: &[(&[u8], &[u8])]) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        let mut pen = Pen::default();
        let first = state.last_id;
        for (id, (key, value)) in (first.wrapping_add(1)..).zip(entries) {
            pen.write(id, key, value);
            state.last_id = id;
        }
        let batch = Arc::new(pen.finish());
        let (views, hosts) = (state.views(), &self.hosts);
        let mut fresh = Vec::new();
        for view in &views {
            fresh.push(view.layer(&batch, hosts).map_err(Refusal::Wrong)?);
        }
        let version = version.unwrap_or(state.current);
        if version != state.current {
            // Versions wrap: what lies between is told by the distance from the current one.
            let ahead = version.wrapping_sub(state.current);
            if ahead > state.next.wrapping_sub(state.current) {
                return Err(Refusal::Version);
            }
            let batches = state.pending.entry(version).or_default();
            batches.push(batch);
            compact(batches);
            return Ok(());
        }
        state.touched = true;
        state.batches.push(batch);
        let merged = compact(&mut state.batches);
        let kept = state.batches.len();
        for (view, fresh) in views.iter().zip(fresh) {
            let mut layers = view.layers();
            let last = if merged {
                let last = state.batches.last().cloned().unwrap_or_default();
                view.layer(&last, hosts).map_err(Refusal::Wrong)?
            } else {
                fresh
            };
            layers.truncate(kept.saturating_sub(1));
            layers.push(last);
            view.publish(layers);
        }
        Ok(())
    }

    /// Changes the value of entries of the version matched against.
    ///
    /// # Errors
    /// There is no such entry, or the value does not fit.
    pub fn set(&self, which: Which<'_>, value: &[u8]) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        if !state.views().iter().all(|view| fits(view.values(), value)) {
            return Err(Refusal::Wrong(PatternError {
                index: 0,
                message: format!("unable to parse '{}'", value.escape_ascii()),
            }));
        }
        let found = state.find(which);
        for (batch, row) in &found {
            batch.set(*row, value);
        }
        state.touched |= !found.is_empty();
        (!found.is_empty()).then_some(()).ok_or(Refusal::NotFound)
    }

    /// Deletes entries of the version matched against.
    ///
    /// # Errors
    /// There is no such entry.
    pub fn delete(&self, which: Which<'_>) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        let found = state.find(which);
        for (batch, row) in &found {
            batch.bury(*row);
        }
        if found.is_empty() {
            return Err(Refusal::NotFound);
        }
        state.touched = true;
        let sparse = |batch: &Arc<Batch>| batch.len() > 64 && batch.count() * 2 < batch.len();
        if state.batches.iter().any(sparse) {
            let all = Batch::merged(&state.batches);
            self.replace(&mut state, all)?;
        }
        Ok(())
    }

    /// Deletes all entries of a version.
    pub fn clear(&self, version: Option<u32>) {
        let mut state = self.state.lock();
        match version.filter(|version| *version != state.current) {
            Some(version) => {
                state.pending.remove(&version);
            }
            None => {
                state.touched = true;
                // Nothing can be wrong with no entries.
                let _ = self.replace(&mut state, Batch::default());
            }
        }
    }

    /// Makes room for another version and gives its number.
    pub fn prepare(&self) -> u32 {
        let mut state = self.state.lock();
        state.next = state.next.wrapping_add(1);
        state.next
    }

    /// Puts a version in place of the one matched against; versions before it are dropped.
    ///
    /// # Errors
    /// It was not prepared, or is past.
    pub fn commit(&self, version: u32) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        let ahead = version.wrapping_sub(state.current);
        if ahead == 0 || ahead > state.next.wrapping_sub(state.current) {
            return Err(Refusal::Version);
        }
        let batches = state.pending.remove(&version).unwrap_or_default();
        self.replace(&mut state, Batch::merged(&batches))?;
        let next = state.next;
        let later = |each: u32| next.wrapping_sub(each) < next.wrapping_sub(version);
        state.pending.retain(|each, _| later(*each));
        state.current = version;
        state.touched = true;
        Ok(())
    }

    /// Puts one batch in the place of all.
    fn replace(&self, state: &mut State, batch: Batch) -> Result<(), Refusal> {
        let batch = Arc::new(batch);
        let mut fresh = Vec::new();
        for view in state.views() {
            let layer = view.layer(&batch, &self.hosts).map_err(Refusal::Wrong)?;
            fresh.push((view, layer));
        }
        for (view, layer) in fresh {
            view.publish(vec![layer]);
        }
        state.batches = vec![batch];
        Ok(())
    }
}

impl State {
    fn views(&self) -> Vec<Arc<View>> {
        self.views.iter().filter_map(Weak::upgrade).collect()
    }

    fn version(&self, version: Option<u32>) -> &[Arc<Batch>] {
        match version.filter(|version| *version != self.current) {
            None => &self.batches,
            Some(version) => self.pending.get(&version).map_or(&[], Vec::as_slice),
        }
    }

    fn find(&self, which: Which<'_>) -> Vec<(Arc<Batch>, u32)> {
        let meant = |batch: &Batch, row: u32| match which {
            Which::Key(key) => batch.key(row) == key,
            Which::Id(id) => batch.id(row) == id,
        };
        let of = |batch: &Arc<Batch>| {
            let rows = batch.living().filter(|row| meant(batch, *row));
            rows.map(|row| (batch.clone(), row)).collect::<Vec<_>>()
        };
        self.batches.iter().flat_map(of).collect()
    }
}

/// Merges the last batches where the one before is not much longer; true if it did.
fn compact(batches: &mut Vec<Arc<Batch>>) -> bool {
    let mut from = batches.len().saturating_sub(1);
    let mut length = batches.last().map_or(0, |last| last.len());
    while let Some(before) = from.checked_sub(1).and_then(|at| batches.get(at)) {
        if before.len() >= length.saturating_mul(GROWTH) {
            break;
        }
        length += before.len();
        from -= 1;
    }
    if from + 1 >= batches.len() {
        return false;
    }
    let parts = batches.split_off(from);
    batches.push(Arc::new(Batch::merged(&parts)));
    true
}
