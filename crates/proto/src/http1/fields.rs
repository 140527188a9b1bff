//! The fields of a head or of trailers.

use super::span::Span;
use crate::http::{FieldList, FieldName};

/// One field line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Field {
    /// Its name, in lower case in the buffer; the line begins with it.
    pub name: Span,
    /// Its value without the whitespace around it.
    pub value: Span,
    /// The byte behind the line's CRLF.
    pub end: u32,
    /// What it means to the proxy.
    pub known: FieldName,
}

/// The field lines of one message, in order, one right behind the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    pub(super) list: Vec<Field>,
}

impl Fields {
    /// All fields in the order received.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> &[Field] {
        &self.list
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The first field of a meaning.
    #[must_use]
    pub fn known(&self, name: FieldName) -> Option<&Field> {
        self.list.iter().find(|field| field.known == name)
    }

    /// The fields with the buffer that they were read from.
    #[must_use]
    pub fn of<'a>(&'a self, buf: &'a [u8]) -> Received<'a> {
        Received { fields: self, buf }
    }
}

/// Fields as they were received.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    fields: &'a Fields,
    buf: &'a [u8],
}

impl FieldList for Received<'_> {
    fn for_each<'a>(&'a self, each: &mut dyn FnMut(&'a [u8], &'a [u8]) -> bool) {
        for field in &self.fields.list {
            if !each(field.name.of(self.buf), field.value.of(self.buf)) {
                return;
            }
        }
    }
}
