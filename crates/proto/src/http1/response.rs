//! Response heads (RFC 9112, 4).
//!
//! ```text
//! Version ─SP─▶ Status ─SP─▶ Reason ─CR─▶ Lf ─LF─▶ Fields ──▶ Done
//!                  └───────────CR─────────▶
//! ```

use super::Progress;
use super::error::{Error, ErrorKind};
use super::facts::{Facts, Persistence};
use super::fields::Fields;
use super::lines::Lines;
use super::rules::Rules;
use super::scan;
use super::span::Span;
use super::start_line;
use crate::http::{Body, Method, Version};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Default)]
enum State {
    #[default]
    Version,
    Status,
    Reason,
    Lf,
    Fields,
    Done,
}

/// What the response answers: without it a response's body cannot be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exchange {
    /// The request's method, as it was sent to the server.
    pub method: Method,
    /// Whether an Upgrade was passed on with it.
    pub upgrade: bool,
}

/// A response's head, as far as it is read.
#[derive(Debug, Clone, Default)]
pub struct ResponseHead {
    state: State,
    at: usize,
    version: Option<Version>,
    status: u16,
    version_span: Span,
    status_span: Span,
    reason_span: Span,
    lines: Lines,
    pub(super) fields: Fields,
    pub(super) facts: Facts,
}

impl ResponseHead {
    /// Forgets what was read, and keeps the memory for the next head.
    pub fn clear(&mut self) {
        let mut list = std::mem::take(&mut self.fields.list);
        list.clear();
        *self = Self {
            fields: Fields { list },
            ..Self::default()
        };
    }

    /// Reads the head at the start of `buf`, as [`super::RequestHead::read`] does.
    ///
    /// # Errors
    /// What is wrong at the earliest byte that shows it.
    #[inline]
    pub fn read(&mut self, buf: &mut [u8], rules: &Rules) -> Result<Progress, Error> {
        let limit = buf.len().min(rules.head as usize);
        let done = self.advance(buf.get_mut(..limit).unwrap_or_default(), rules)?;
        if !done && limit == rules.head as usize {
            return Err(ErrorKind::LongHead.at(limit));
        }
        Ok(match done {
            true => Progress::Complete(self.at),
            false => Progress::Incomplete,
        })
    }

    #[inline]
    fn advance(&mut self, buf: &mut [u8], rules: &Rules) -> Result<bool, Error> {
        if self.state < State::Fields && !self.line(buf, rules)? {
            return Ok(false);
        }
        if self.state == State::Fields {
            let whole = self.lines.read(buf, rules, &mut self.fields.list)?;
            self.at = self.lines.position();
            if !whole {
                return Ok(false);
            }
            self.facts = Facts::gather(&self.fields, buf, self.version(), rules)?;
            self.state = State::Done;
        }
        Ok(true)
    }

    #[inline]
    fn line(&mut self, buf: &[u8], rules: &Rules) -> Result<bool, Error> {
        loop {
            let whole = match self.state {
                State::Version => self.read_version(buf, rules)?,
                State::Status => self.read_status(buf)?,
                State::Reason => self.read_reason(buf)?,
                State::Lf => match buf.get(self.at) {
                    None => return Ok(false),
                    Some(b'\n') => {
                        self.step(State::Fields);
                        self.lines = Lines::from(self.at);
                        return Ok(true);
                    }
                    Some(_) => return Err(ErrorKind::BareCr.at(self.at - 1)),
                },
                State::Fields | State::Done => return Ok(true),
            };
            if !whole {
                return Ok(false);
            }
        }
    }

    fn step(&mut self, state: State) {
        self.at += 1;
        self.state = state;
    }

    #[inline]
    fn read_version(&mut self, buf: &[u8], rules: &Rules) -> Result<bool, Error> {
        let Some((len, version)) = start_line::version(buf, self.at, rules)? else {
            return Ok(false);
        };
        self.version = Some(version);
        self.version_span = Span::new(self.at, self.at + len);
        self.at += len;
        match buf.get(self.at) {
            Some(b' ') => {
                self.step(State::Status);
                Ok(true)
            }
            Some(b'\n') => Err(ErrorKind::BareLf.at(self.at)),
            _ => Err(ErrorKind::BadVersion.at(self.at)),
        }
    }

    #[inline]
    fn read_status(&mut self, buf: &[u8]) -> Result<bool, Error> {
        let rest = buf.get(self.at..).unwrap_or_default();
        let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit());
        let len = digits.clone().count();
        if len < 3 {
            return match rest.get(len) {
                None => Ok(false),
                Some(_) => Err(ErrorKind::BadStatus.at(self.at + len)),
            };
        }
        self.status = digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        if self.status < 100 {
            return Err(ErrorKind::BadStatus.at(self.at));
        }
        let end = self.at + len;
        let next = match rest.get(len) {
            None => return Ok(false),
            Some(b' ') => State::Reason,
            Some(b'\r') => State::Lf,
            Some(b'\n') => return Err(ErrorKind::BareLf.at(end)),
            Some(_) => return Err(ErrorKind::BadStatus.at(end)),
        };
        self.status_span = Span::new(self.at, end);
        self.at = end;
        self.step(next);
        // A reason that begins right behind the status has not even its space.
        let reason = if next == State::Reason { self.at } else { end };
        self.reason_span = Span::new(reason, reason);
        Ok(true)
    }

    #[inline]
    fn read_reason(&mut self, buf: &[u8]) -> Result<bool, Error> {
        self.at += scan::value(buf.get(self.at..).unwrap_or_default());
        self.reason_span.end = self.at as u32;
        match buf.get(self.at) {
            None => Ok(false),
            Some(b'\r') => {
                self.step(State::Lf);
                Ok(true)
            }
            Some(b'\n') => Err(ErrorKind::BareLf.at(self.at)),
            Some(_) => Err(ErrorKind::BadReason.at(self.at)),
        }
    }

    /// How much body follows (RFC 9112, 6.3).
    ///
    /// # Errors
    /// [`ErrorKind::UnaskedSwitch`]: a server that leaves HTTP unasked would turn the next
    /// request's bytes into another protocol's.
    pub fn body(&self, exchange: Exchange) -> Result<Body, Error> {
        Ok(match self.status {
            101 if exchange.upgrade => Body::Tunnel,
            101 => return Err(ErrorKind::UnaskedSwitch.at(0)),
            100..=199 | 204 | 304 => Body::None,
            200..=299 if exchange.method == Method::Connect => Body::Tunnel,
            _ if exchange.method == Method::Head => Body::None,
            _ if self.facts.chunked => Body::Chunked,
            _ => match self.facts.length {
                Some(length) => Body::of_length(length),
                None => Body::UntilClose,
            },
        })
    }
}

/// What a whole head says.
impl ResponseHead {
    /// The version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version.unwrap_or(Version::HTTP_11)
    }

    /// The version's text.
    #[must_use]
    pub fn version_span(&self) -> Span {
        self.version_span
    }

    /// 100..=999.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The status's text.
    #[must_use]
    pub fn status_span(&self) -> Span {
        self.status_span
    }

    /// The reason phrase, often empty.
    #[must_use]
    pub fn reason_span(&self) -> Span {
        self.reason_span
    }

    /// Whether another response to the same request follows: 1xx but 101.
    #[must_use]
    pub fn is_interim(&self) -> bool {
        self.status < 200 && self.status != 101
    }

    /// The fields.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// How many bytes of the buffer it takes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.at
    }

    /// Whether nothing has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.at == 0
    }

    /// Whether the server lets the connection serve more requests. A body until close, or bytes
    /// behind the response that nobody asked for, forbid it all the same.
    #[must_use]
    pub fn persistence(&self) -> Persistence {
        self.facts.persistence(self.version())
    }
}
