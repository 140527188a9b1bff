//! Where the data of a table's entries stands: an entry is a row of numbers, and a [`Cell`] says which of
//! them is meant.

use crate::data::{Data, Event, Form};

/// One `store` of a `stick-table` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The type.
    pub data: Data,
    /// How many of it: more than one for `gpt`, `gpc` and `gpc_rate` only.
    pub count: u16,
    /// Of rates, the period in milliseconds.
    pub period: u32,
}

/// A number of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub(crate) at: usize,
    /// Of a rate, milliseconds; 0 of what is no rate.
    pub(crate) period: u32,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    at: usize,
    count: u16,
    period: u32,
}

/// Which data a table stores.
#[derive(Debug, Clone)]
pub struct Layout {
    stored: Vec<Stored>,
    places: [Option<Place>; Data::COUNT],
    events: [[Option<Cell>; 2]; Event::COUNT],
    words: usize,
    text: bool,
}

impl Layout {
    /// Lays out what is stored; of a type that is named twice the first counts.
    #[must_use]
    pub fn new(stored: &[Stored]) -> Self {
        let mut layout = Self {
            stored: Vec::new(),
            places: [None; Data::COUNT],
            events: [[None; 2]; Event::COUNT],
            words: 0,
            text: false,
        };
        for data in Data::all() {
            if let Some(found) = stored.iter().find(|one| one.data == data) {
                layout.add(*found);
            }
        }
        let events = Event::COUNTED.map(|both| both.map(|data| layout.cell(data, 0)));
        layout.events = events;
        layout
    }

    fn add(&mut self, stored: Stored) {
        self.stored.push(stored);
        let each = match stored.data.form() {
            Form::Number => 1,
            Form::Rate => 2,
            Form::Text => {
                self.text = true;
                0
            }
        };
        let place = Place {
            at: self.words,
            count: stored.count,
            period: if each == 2 { stored.period.max(1) } else { 0 },
        };
        self.words += each * usize::from(stored.count);
        if let Some(slot) = self.places.get_mut(stored.data as usize) {
            *slot = Some(place);
        }
    }

    /// What is stored, in the order of `show table`.
    #[must_use]
    pub fn stored(&self) -> &[Stored] {
        &self.stored
    }

    /// Where one of a type's numbers stands; `None` if the table does not store it.
    #[must_use]
    pub fn cell(&self, data: Data, index: usize) -> Option<Cell> {
        let place = (*self.places.get(data as usize)?)?;
        if index >= usize::from(place.count) || data.form() == Form::Text {
            return None;
        }
        let each = if place.period > 0 { 2 } else { 1 };
        Some(Cell {
            at: place.at + each * index,
            period: place.period,
        })
    }

    /// A general purpose counter: an own one, or an element of the array.
    #[must_use]
    pub fn gpc(&self, index: usize) -> Option<Cell> {
        let own = match index {
            0 => self.cell(Data::Gpc0, 0),
            1 => self.cell(Data::Gpc1, 0),
            _ => None,
        };
        own.or_else(|| self.cell(Data::Gpc, index))
    }

    /// A rate of a general purpose counter: an own one, or an element of the array.
    #[must_use]
    pub fn gpc_rate(&self, index: usize) -> Option<Cell> {
        let own = match index {
            0 => self.cell(Data::Gpc0Rate, 0),
            1 => self.cell(Data::Gpc1Rate, 0),
            _ => None,
        };
        own.or_else(|| self.cell(Data::GpcRate, index))
    }

    /// The first tag: its own place, or the first of the array.
    #[must_use]
    pub fn gpt0(&self) -> Option<Cell> {
        self.cell(Data::Gpt0, 0).or_else(|| self.cell(Data::Gpt, 0))
    }

    /// Total and rate of an event, as far as they are stored.
    pub(crate) fn event(&self, event: Event) -> [Option<Cell>; 2] {
        self.events.get(event as usize).copied().unwrap_or_default()
    }

    /// Whether the table stores a type.
    #[must_use]
    pub fn has(&self, data: Data) -> bool {
        self.places.get(data as usize).is_some_and(Option::is_some)
    }

    pub(crate) fn words(&self) -> usize {
        self.words
    }

    pub(crate) fn text(&self) -> bool {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(data: Data, count: u16, period: u32) -> Stored {
        Stored {
            data,
            count,
            period,
        }
    }

    #[test]
    fn numbers_do_not_overlap() {
        let layout = Layout::new(&[
            stored(Data::GpcRate, 3, 500),
            stored(Data::ConnCnt, 1, 0),
            stored(Data::ServerKey, 1, 0),
            stored(Data::ConnRate, 1, 100),
        ]);
        let at = |data, index| layout.cell(data, index).map(|cell| cell.at);
        assert_eq!(at(Data::ConnCnt, 0), Some(0));
        assert_eq!(at(Data::ConnRate, 0), Some(1));
        assert_eq!(at(Data::GpcRate, 0), Some(3));
        assert_eq!(at(Data::GpcRate, 2), Some(7));
        assert_eq!(at(Data::GpcRate, 3), None);
        assert_eq!(at(Data::ServerKey, 0), None);
        assert_eq!(layout.words(), 9);
        assert!(layout.text() && layout.has(Data::ServerKey));
    }

    #[test]
    fn counters_of_their_own_and_of_the_array_are_found_alike() {
        let own = Layout::new(&[stored(Data::Gpc1, 1, 0), stored(Data::Gpt0, 1, 0)]);
        assert!(own.gpc(1).is_some() && own.gpc(0).is_none() && own.gpt0().is_some());
        let array = Layout::new(&[stored(Data::Gpc, 2, 0), stored(Data::Gpt, 1, 0)]);
        assert!(array.gpc(1).is_some() && array.gpc(2).is_none() && array.gpt0().is_some());
    }
}
