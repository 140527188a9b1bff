//! What is to be changed about a head before it is sent on.

use std::ops::Range;

use super::scan;
use crate::http::{lower_token, token};

/// One field of a head as it will be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldId {
    /// The field of this index in the head received.
    Received(u32),
    /// The field added as the how-manieth.
    Added(u32),
}

/// The parts of a start line, in the order they stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartLine {
    /// A request's first part.
    Method,
    /// A request's second part.
    Target,
    /// A response's second part.
    Status,
    /// A response's third part.
    Reason,
}

/// What becomes of a received field: a new value, or nothing.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) field: u32,
    pub(super) value: Option<Range<usize>>,
}

/// A field that was not received. Its line stands in the text as it will be sent.
#[derive(Debug, Clone)]
pub(super) struct Added {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) removed: bool,
}

/// A list of changes. It holds copies of new text only, and none of the head itself; `clear`
/// makes it ready for the next head without giving its memory back.
#[derive(Debug, Clone, Default)]
pub struct Rewrite {
    text: Vec<u8>,
    /// In the order of their fields, one for each at most.
    pub(super) edits: Vec<Edit>,
    pub(super) added: Vec<Added>,
    parts: [Option<Range<usize>>; 4],
}

impl Rewrite {
    /// Forgets all changes.
    pub fn clear(&mut self) {
        self.text.clear();
        self.edits.clear();
        self.added.clear();
        self.parts = Default::default();
    }

    /// Whether nothing is to be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.added.is_empty() && !self.changes_start_line()
    }

    /// Bytes by which the changes may at most make the head longer.
    #[must_use]
    pub fn growth(&self) -> usize {
        self.text.len()
    }

    /// Leaves a field out.
    pub fn remove(&mut self, id: FieldId) {
        match id {
            FieldId::Received(field) => self.edit(field, None),
            FieldId::Added(index) => {
                if let Some(added) = self.added.get_mut(index as usize) {
                    added.removed = true;
                }
            }
        }
    }

    /// Gives a field a new value. CR, LF and NUL in it become spaces (RFC 9110, 5.5): a value
    /// made of what a client sent must not begin another line.
    pub fn set_value(&mut self, id: FieldId, value: &[u8]) {
        match id {
            FieldId::Received(field) => {
                let value = self.keep_value(value);
                self.edit(field, Some(value));
            }
            FieldId::Added(index) => {
                let name = self
                    .added
                    .get(index as usize)
                    .map(|added| added.name.clone());
                let Some(name) = name else { return };
                let line = self.line_from_text(name, value);
                if let Some(added) = self.added.get_mut(index as usize) {
                    *added = line;
                }
            }
        }
    }

    /// Adds a field behind all others. False, and nothing is added, if its name is not a token
    /// of at most 255 bytes.
    pub fn add(&mut self, name: &[u8], value: &[u8]) -> bool {
        if name.is_empty() || name.len() > 255 {
            return false;
        }
        let start = self.text.len();
        self.text.reserve(name.len() + value.len() + 4);
        self.text.extend_from_slice(name);
        let mut fits = true;
        for byte in self.text.get_mut(start..).unwrap_or_default() {
            let lower = lower_token(*byte);
            fits &= lower != 0;
            *byte = lower;
        }
        if !fits {
            self.text.truncate(start);
            return false;
        }
        let name = start..self.text.len();
        let line = self.line(name, value);
        self.added.push(line);
        true
    }

    /// Replaces a part of the start line. False, and nothing is replaced, where the text could
    /// not be read again as that part.
    pub fn set(&mut self, part: StartLine, text: &[u8]) -> bool {
        let fits = match part {
            StartLine::Method => !text.is_empty() && text.iter().all(|byte| token(*byte)),
            StartLine::Target => !text.is_empty() && scan::unsafe_target(text) == text.len(),
            StartLine::Status => {
                matches!(text, [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'])
            }
            StartLine::Reason => scan::value(text) == text.len(),
        };
        if fits {
            let start = self.text.len();
            self.text.extend_from_slice(text);
            if let Some(place) = self.parts.get_mut(part as usize) {
                *place = Some(start..self.text.len());
            }
        }
        fits
    }

    /// The new text of a part of the start line.
    #[must_use]
    pub fn part(&self, part: StartLine) -> Option<&[u8]> {
        let range = self.parts.get(part as usize)?.clone()?;
        self.text.get(range)
    }

    pub(super) fn changes_start_line(&self) -> bool {
        self.parts.iter().any(Option::is_some)
    }

    pub(super) fn text(&self, range: &Range<usize>) -> &[u8] {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// What is to become of a received field, if anything.
    pub(super) fn edit_of(&self, field: u32) -> Option<&Edit> {
        let place = self.edits.binary_search_by_key(&field, |edit| edit.field);
        self.edits.get(place.ok()?)
    }

    fn edit(&mut self, field: u32, value: Option<Range<usize>>) {
        let edit = Edit { field, value };
        match self.edits.binary_search_by_key(&field, |edit| edit.field) {
            Ok(place) => {
                if let Some(old) = self.edits.get_mut(place) {
                    *old = edit;
                }
            }
            Err(place) => self.edits.insert(place, edit),
        }
    }

    fn keep_value(&mut self, value: &[u8]) -> Range<usize> {
        let start = self.text.len();
        self.text.extend_from_slice(value);
        let breaks = |found, byte: &u8| found | matches!(byte, b'\r' | b'\n' | 0);
        if value.iter().fold(false, breaks) {
            for byte in self.text.get_mut(start..).unwrap_or_default() {
                if matches!(byte, b'\r' | b'\n' | 0) {
                    *byte = b' ';
                }
            }
        }
        start..self.text.len()
    }

    /// Goes on a line whose name stands last in the text.
    fn line(&mut self, name: Range<usize>, value: &[u8]) -> Added {
        self.text.extend_from_slice(b": ");
        let value = self.keep_value(value);
        self.text.extend_from_slice(b"\r\n");
        Added {
            name,
            value,
            removed: false,
        }
    }

    fn line_from_text(&mut self, name: Range<usize>, value: &[u8]) -> Added {
        let start = self.text.len();
        self.text.extend_from_within(name);
        let name = start..self.text.len();
        self.line(name, value)
    }
}
