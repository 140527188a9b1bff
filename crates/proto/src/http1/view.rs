//! A head as it will be sent: what was received, with the changes.

use std::io::IoSlice;

use super::fields::Fields;
use super::request::RequestHead;
use super::response::ResponseHead;
use super::rewrite::{Edit, FieldId, Rewrite, StartLine};
use super::span::Span;
use crate::http::{FieldList, Version};

/// Gives the spelling in which a name, in lower case, is to be sent (`h1-case-adjust`).
pub type CaseAdjust<'a> = dyn Fn(&[u8]) -> Option<&'a [u8]> + 'a;

/// A head, the buffer it was read from, and its changes. Rules read it as they go, and it writes
/// itself.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    buf: &'a [u8],
    /// The start line's three parts, as received.
    parts: [Span; 3],
    /// Their replacements, as [`Rewrite::part`] knows them.
    names: [Option<StartLine>; 3],
    /// Whether the start line can be sent as it was received.
    fit: bool,
    /// The version that is sent.
    version: &'static [u8],
    fields: &'a Fields,
    /// The byte behind the start line.
    lines: usize,
    /// The byte behind the head.
    end: usize,
    rewrite: &'a Rewrite,
}

impl<'a> View<'a> {
    /// A request's head.
    #[must_use]
    pub fn request(head: &'a RequestHead, buf: &'a [u8], rewrite: &'a Rewrite) -> Self {
        Self {
            buf,
            parts: [head.method_span(), head.target_span(), head.version_span()],
            names: [Some(StartLine::Method), Some(StartLine::Target), None],
            fit: matches!(head.version(), Version::HTTP_11 | Version::HTTP_10),
            version: match head.version() < Version::HTTP_11 {
                true => b"HTTP/1.0",
                false => b"HTTP/1.1",
            },
            fields: head.fields(),
            lines: head.lines_start(),
            end: head.len(),
            rewrite,
        }
    }

    /// A response's head.
    #[must_use]
    pub fn response(head: &'a ResponseHead, buf: &'a [u8], rewrite: &'a Rewrite) -> Self {
        Self {
            buf,
            parts: [head.version_span(), head.status_span(), head.reason_span()],
            names: [None, Some(StartLine::Status), Some(StartLine::Reason)],
            version: b"HTTP/1.1",
            fit: head.version() == Version::HTTP_11
                && head.reason_span().start > head.status_span().end,
            fields: head.fields(),
            lines: head.reason_span().end as usize + 2,
            end: head.len(),
            rewrite,
        }
    }

    /// A start line's part as it will be sent; nothing if the message is of the other kind.
    #[must_use]
    pub fn part(&self, part: StartLine) -> &'a [u8] {
        let place = self.names.iter().position(|name| *name == Some(part));
        let received = place.and_then(|place| self.parts.get(place));
        match self.rewrite.part(part) {
            Some(text) if place.is_some() => text,
            _ => received.map_or(&[], |span| span.of(self.buf)),
        }
    }

    /// Whether it is a request's head.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.names.first() == Some(&Some(StartLine::Method))
    }

    /// The version's text as received; empty with HTTP/0.9.
    #[must_use]
    pub fn version(&self) -> &'a [u8] {
        let place = self.names.iter().position(Option::is_none);
        let part = place.and_then(|place| self.parts.get(place));
        part.map_or(&[], |span| span.of(self.buf))
    }

    /// Calls `each` with every field that will be sent, in order, until it returns false.
    pub fn for_each_id(&self, mut each: impl FnMut(FieldId, &'a [u8], &'a [u8]) -> bool) {
        for (index, field) in (0..).zip(self.fields.as_slice()) {
            let value = match self.rewrite.edit_of(index) {
                Some(Edit { value: None, .. }) => continue,
                Some(Edit {
                    value: Some(text), ..
                }) => self.rewrite.text(text),
                None => field.value.of(self.buf),
            };
            if !each(FieldId::Received(index), field.name.of(self.buf), value) {
                return;
            }
        }
        for (index, added) in (0..).zip(&self.rewrite.added) {
            let (name, value) = (&added.name, &added.value);
            let (name, value) = (self.rewrite.text(name), self.rewrite.text(value));
            if !added.removed && !each(FieldId::Added(index), name, value) {
                return;
            }
        }
    }

    /// Gives `each` the head as it will be sent, in as few pieces as can be.
    pub fn pieces(&self, case: Option<&CaseAdjust<'a>>, each: &mut impl FnMut(&'a [u8])) {
        let mut run = Run {
            buf: self.buf,
            start: 0,
            each,
        };
        self.start_line(&mut run);
        match case {
            None => {
                for edit in &self.rewrite.edits {
                    self.edited(edit, &mut run);
                }
            }
            Some(case) => self.adjusted(case, &mut run),
        }
        let lines_end = match self.fields.as_slice().last() {
            Some(field) => field.end as usize,
            None => self.lines,
        };
        // The empty line is part of the last run if nothing comes between.
        if self.rewrite.added.is_empty() && lines_end < self.end {
            run.flush(self.end, self.end);
            return;
        }
        run.flush(lines_end, lines_end);
        self.added(case, run.each);
        (run.each)(b"\r\n");
    }

    /// Appends the head to a buffer.
    pub fn write(&self, case: Option<&CaseAdjust<'a>>, out: &mut Vec<u8>) {
        self.pieces(case, &mut |piece| out.extend_from_slice(piece));
    }

    /// Hands the head out for writev(2).
    pub fn io_slices(&self, case: Option<&CaseAdjust<'a>>, out: &mut impl Extend<IoSlice<'a>>) {
        self.pieces(case, &mut |piece| out.extend([IoSlice::new(piece)]));
    }

    /// The start line: as received, or part by part. Responses are HTTP/1.1 always, as the
    /// version is the sender's own (RFC 9110, 2.5). A request of HTTP/1.0 stays one, as with
    /// HAProxy: it may have no Host, and its answer must be one that its sender understands.
    fn start_line(&self, run: &mut Run<'a, '_, impl FnMut(&'a [u8])>) {
        if self.fit && !self.rewrite.changes_start_line() {
            run.start = self.parts.first().map_or(0, |part| part.start as usize);
            return;
        }
        for (index, (part, name)) in self.parts.iter().zip(self.names).enumerate() {
            if index > 0 {
                (run.each)(b" ");
            }
            match name {
                None => (run.each)(self.version),
                Some(name) => match self.rewrite.part(name) {
                    Some(text) => (run.each)(text),
                    None => (run.each)(part.of(self.buf)),
                },
            }
        }
        (run.each)(b"\r\n");
        run.start = self.lines;
    }

    fn edited(&self, edit: &'a Edit, run: &mut Run<'a, '_, impl FnMut(&'a [u8])>) {
        let Some(field) = self.fields.as_slice().get(edit.field as usize) else {
            return;
        };
        let end = field.end as usize;
        match &edit.value {
            None => run.flush(field.name.start as usize, end),
            Some(text) => {
                run.flush(field.name.end as usize, end - 2);
                (run.each)(b": ");
                (run.each)(self.rewrite.text(text));
            }
        }
    }

    /// The same where every name may have another spelling.
    fn adjusted(&self, case: &CaseAdjust<'a>, run: &mut Run<'a, '_, impl FnMut(&'a [u8])>) {
        for (index, field) in (0..).zip(self.fields.as_slice()) {
            let edit = self.rewrite.edit_of(index);
            let removed = edit.is_some_and(|edit| edit.value.is_none());
            if let (false, Some(spelling)) = (removed, case(field.name.of(self.buf))) {
                run.flush(field.name.start as usize, field.name.end as usize);
                (run.each)(spelling);
            }
            if let Some(edit) = edit {
                self.edited(edit, run);
            }
        }
    }

    fn added(&self, case: Option<&CaseAdjust<'a>>, each: &mut impl FnMut(&'a [u8])) {
        for added in self.rewrite.added.iter().filter(|added| !added.removed) {
            let name = self.rewrite.text(&added.name);
            let behind = added.value.end + 2;
            match case.and_then(|case| case(name)) {
                Some(spelling) => {
                    each(spelling);
                    each(self.rewrite.text(&(added.name.end..behind)));
                }
                None => each(self.rewrite.text(&(added.name.start..behind))),
            }
        }
    }
}

impl FieldList for View<'_> {
    fn for_each<'b>(&'b self, each: &mut dyn FnMut(&'b [u8], &'b [u8]) -> bool) {
        self.for_each_id(|_, name, value| each(name, value));
    }
}

/// Unchanged bytes that have not been given out yet.
struct Run<'a, 'e, E> {
    buf: &'a [u8],
    start: usize,
    each: &'e mut E,
}

impl<'a, E: FnMut(&'a [u8])> Run<'a, '_, E> {
    /// Gives out the run up to `end`; the next begins at `next`.
    fn flush(&mut self, end: usize, next: usize) {
        if self.start < end {
            (self.each)(self.buf.get(self.start..end).unwrap_or_default());
        }
        self.start = next;
    }
}
