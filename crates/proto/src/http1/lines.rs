//! Reads field lines, of heads and of trailers (RFC 9112, 5).
//!
//! ```text
//! Start ─name byte─▶ Name ─:─▶ Blank ─other─▶ Value ─CR─▶ Lf ─LF─▶ Start
//!   └──────CR──────▶ LastLf ─LF─▶ all read
//! ```
//! Every state reads on where the bytes ended before; no byte is read twice.

use super::error::{Error, ErrorKind};
use super::fields::Field;
use super::rules::Rules;
use super::scan;
use super::span::Span;
use crate::http::FieldName;

/// HAProxy's limit, so that no head passes here that it refuses.
const LONGEST_NAME: usize = 255;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Start,
    Name,
    Blank,
    Value,
    Lf,
    LastLf,
}

/// Where reading stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lines {
    state: State,
    /// The next byte to read.
    at: usize,
    name: usize,
    name_end: usize,
    value: usize,
}

impl Lines {
    /// Begins with the line at `at`.
    pub(super) fn from(at: usize) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }

    /// The next byte to read: behind the last line, when all are read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Reads on; true when the empty line that ends the fields is read.
    #[inline]
    pub(super) fn read(
        &mut self,
        buf: &mut [u8],
        rules: &Rules,
        fields: &mut Vec<Field>,
    ) -> Result<bool, Error> {
        loop {
            match self.state {
                State::Start => match buf.get(self.at) {
                    None => return Ok(false),
                    Some(b'\r') => self.step(State::LastLf),
                    Some(_) if fields.len() >= rules.fields as usize => {
                        return Err(ErrorKind::TooManyFields.at(self.at));
                    }
                    Some(_) => {
                        self.name = self.at;
                        self.state = State::Name;
                    }
                },
                State::Name => {
                    if !self.name(buf, rules.accept_unsafe)? {
                        return Ok(false);
                    }
                }
                State::Blank => match buf.get(self.at) {
                    None => return Ok(false),
                    Some(b' ' | b'\t') => self.at += 1,
                    Some(_) => {
                        self.value = self.at;
                        self.state = State::Value;
                    }
                },
                State::Value => {
                    if !self.value(buf, rules.accept_unsafe)? {
                        return Ok(false);
                    }
                }
                State::Lf => match buf.get(self.at) {
                    None => return Ok(false),
                    Some(b'\n') => {
                        self.step(State::Start);
                        fields.push(self.field(buf));
                    }
                    Some(_) => return Err(ErrorKind::BareCr.at(self.at - 1)),
                },
                State::LastLf => match buf.get(self.at) {
                    None => return Ok(false),
                    Some(b'\n') => {
                        self.at += 1;
                        return Ok(true);
                    }
                    Some(_) => return Err(ErrorKind::BareCr.at(self.at - 1)),
                },
            }
        }
    }

    #[inline]
    fn step(&mut self, state: State) {
        self.at += 1;
        self.state = state;
    }

    /// Reads the name and its colon; false where the bytes end.
    #[inline]
    fn name(&mut self, buf: &mut [u8], accept_unsafe: bool) -> Result<bool, Error> {
        // No further than shows that it is too long, so that a refused head is left the same
        // however it came.
        let most = buf.len().min(self.name + LONGEST_NAME + 1);
        let rest = buf.get_mut(self.at..most).unwrap_or_default();
        self.at += if accept_unsafe {
            scan::lower_unsafe_name(rest)
        } else {
            scan::lower_name(rest)
        };
        if self.at - self.name > LONGEST_NAME {
            return Err(ErrorKind::LongName.at(self.name));
        }
        match buf.get(self.at) {
            None => Ok(false),
            Some(b':') if self.at > self.name => {
                self.name_end = self.at;
                self.step(State::Blank);
                Ok(true)
            }
            Some(byte) => Err(name_error(*byte, self.at == self.name).at(self.at)),
        }
    }

    /// Reads the value and its CR; false where the bytes end.
    #[inline]
    fn value(&mut self, buf: &[u8], accept_unsafe: bool) -> Result<bool, Error> {
        let rest = buf.get(self.at..).unwrap_or_default();
        self.at += scan::value(rest);
        match buf.get(self.at) {
            None => Ok(false),
            Some(b'\r') => {
                self.step(State::Lf);
                Ok(true)
            }
            Some(b'\n') => Err(ErrorKind::BareLf.at(self.at)),
            Some(byte) if accept_unsafe && *byte != 0 => {
                self.at += 1;
                Ok(true)
            }
            Some(_) => Err(ErrorKind::BadValue.at(self.at)),
        }
    }

    /// The line that was read last, without the whitespace behind its value.
    #[inline]
    fn field(&self, buf: &[u8]) -> Field {
        let name = Span::new(self.name, self.name_end);
        let mut value = buf
            .get(self.value..self.at.saturating_sub(2))
            .unwrap_or_default();
        while let [rest @ .., b' ' | b'\t'] = value {
            value = rest;
        }
        Field {
            name,
            value: Span::new(self.value, self.value + value.len()),
            end: self.at as u32,
            known: FieldName::of(name.of(buf)),
        }
    }
}

/// What a byte that cannot go on a name is.
fn name_error(byte: u8, first: bool) -> ErrorKind {
    match byte {
        b' ' | b'\t' if first => ErrorKind::Fold,
        b' ' | b'\t' => ErrorKind::SpaceBeforeColon,
        b':' => ErrorKind::EmptyName,
        b'\n' => ErrorKind::BareLf,
        _ => ErrorKind::BadName,
    }
}
