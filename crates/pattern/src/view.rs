//! A list as one kind of lookup sees it: compiled for a match method, batch by batch. Lookups take
//! no lock; who changes the list puts another set of layers in place.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use isthmus_plan::{ListValues, MatchMethod};

use crate::batch::Batch;
use crate::expression::Groups;
use crate::input::Input;
use crate::set::{Hosts, Set, Wanted, Way};

/// A pattern or value that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// Which of the entries.
    pub index: usize,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern {}: {}", self.index + 1, self.message)
    }
}

/// A list, compiled for a method.
#[derive(Debug)]
pub struct View {
    way: Way,
    values: ListValues,
    layers: ArcSwap<Vec<Layer>>,
}

/// A batch and its compiled keys.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    batch: Arc<Batch>,
    set: Arc<Set>,
}

/// An entry that matches.
#[derive(Debug, Clone, Copy)]
pub struct Match<'m> {
    layer: &'m Layer,
    row: u32,
}

impl View {
    pub(crate) fn new(way: Way, values: ListValues) -> Self {
        Self {
            way,
            values,
            layers: ArcSwap::default(),
        }
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> MatchMethod {
        self.way.method
    }

    /// Whether case is ignored.
    #[must_use]
    pub const fn ignores_case(&self) -> bool {
        self.way.icase
    }

    /// What values must be.
    #[must_use]
    pub const fn values(&self) -> ListValues {
        self.values
    }

    /// Compiles a batch for this view.
    ///
    /// # Errors
    /// An entry does not fit.
    pub(crate) fn layer(&self, batch: &Arc<Batch>, hosts: &Hosts) -> Result<Layer, PatternError> {
        let wrong = |(row, message): (u32, String)| PatternError {
            index: row as usize,
            message,
        };
        let set = Set::new(self.way, hosts, batch).map_err(wrong)?;
        if matches!(self.values, ListValues::Integers | ListValues::Addresses) {
            let mut rows = batch.living();
            let bad = rows.find(|row| !batch.value(*row, |value| fits(self.values, value)));
            if let Some(row) = bad {
                let shown = batch.value(row, |value| value.escape_ascii().to_string());
                return Err(wrong((row, format!("unable to parse '{shown}'"))));
            }
        }
        Ok(Layer {
            batch: batch.clone(),
            set: Arc::new(set),
        })
    }

    /// Puts other layers in place.
    pub(crate) fn publish(&self, layers: Vec<Layer>) {
        self.layers.store(Arc::new(layers));
    }

    /// The layers in place.
    pub(crate) fn layers(&self) -> Vec<Layer> {
        self.layers.load().as_ref().clone()
    }

    /// Whether any entry matches.
    #[must_use]
    pub fn matches(&self, input: Input<'_>) -> bool {
        match self.way.method {
            MatchMethod::Found => true,
            MatchMethod::Bool => input.int().is_some_and(|value| value != 0),
            _ => self.find(input, |_| ()).is_some(),
        }
    }

    /// Shows the entry that matches: for addresses and prefixes the longest, else the first of the list.
    pub fn find<T>(&self, input: Input<'_>, show: impl FnOnce(Match<'_>) -> T) -> Option<T> {
        let wanted: Wanted<'_> = self.way.wanted(input)?;
        let layers = self.layers.load();
        let mut best: Option<(Match<'_>, u32)> = None;
        for layer in layers.iter() {
            let Some((row, rank)) = layer.set.find(self.way, &layer.batch, &wanted) else {
                continue;
            };
            if best.as_ref().is_none_or(|(_, before)| rank > *before) {
                best = Some((Match { layer, row }, rank));
            }
            if !self.way.longest() {
                break;
            }
        }
        best.map(|(found, _)| show(found))
    }
}

impl Match<'_> {
    /// The key as written.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.layer.batch.key(self.row)
    }

    /// Shows the value.
    pub fn value<T>(&self, show: impl FnOnce(&[u8]) -> T) -> T {
        self.layer.batch.value(self.row, show)
    }

    /// Where the groups of a regular expression are found in the text.
    #[must_use]
    pub fn captures<'t>(&self, text: &'t [u8]) -> Option<Groups<'t>> {
        match &*self.layer.set {
            Set::Regex(list) => list.alone(&self.layer.batch, self.row)?.groups_at(text, 0),
            _ => None,
        }
    }
}

/// Whether a value is what a use needs.
#[must_use]
pub fn fits(values: ListValues, value: &[u8]) -> bool {
    match values {
        ListValues::Unused | ListValues::Text => true,
        ListValues::Integers => integer(value).is_some(),
        ListValues::Addresses => address(value).is_some(),
    }
}

/// A value as an integer; an empty one is 0. What does not fit is cut to the nearest that does.
#[must_use]
pub fn integer(value: &[u8]) -> Option<i64> {
    let digits = match value.split_first() {
        Some((b'-' | b'+', digits)) if !digits.is_empty() => digits,
        _ => value,
    };
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| crate::leading_int(value))
}

/// A value as an address.
#[must_use]
pub fn address(value: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
