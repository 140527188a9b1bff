//! Request heads (RFC 9112, 3).
//!
//! ```text
//! Empty ─CR─▶ EmptyLf ─LF─▶ Empty
//!   └─token─▶ Method ─SP─▶ Target ─SP─▶ Version ─CR─▶ Lf ─LF─▶ Fields ──▶ Done
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
use crate::http::{Authority, Body, FieldName, Form, Method, Target, Version, elements, token};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Default)]
enum State {
    #[default]
    Empty,
    EmptyLf,
    Method,
    Target,
    Version,
    Lf,
    Fields,
    Done,
}

/// A request's head, as far as it is read.
#[derive(Debug, Clone, Default)]
pub struct RequestHead {
    state: State,
    at: usize,
    method: Method,
    version: Option<Version>,
    target: Target,
    method_span: Span,
    target_span: Span,
    version_span: Span,
    lines: Lines,
    pub(super) fields: Fields,
    pub(super) facts: Facts,
}

impl RequestHead {
    /// Forgets what was read, and keeps the memory for the next head.
    pub fn clear(&mut self) {
        let mut list = std::mem::take(&mut self.fields.list);
        list.clear();
        *self = Self {
            fields: Fields { list },
            ..Self::default()
        };
    }

    /// Reads the head at the start of `buf`, which holds everything received of it so far: the
    /// same bytes as in the last call and those that came since. Names are turned to lower case
    /// in place. Empty lines before the request are skipped, as HAProxy does.
    ///
    /// With `rules.accept_unsafe` these pass too: HTTP/0.9, other protocols' names and longer
    /// version numbers; `#` and high bytes in targets; any visible or high byte in names; control
    /// bytes other than NUL in values; a missing or malformed Host, or one that differs from the
    /// target; repeated Content-Length of one value; and Content-Length beside
    /// Transfer-Encoding, of which the latter holds.
    ///
    /// # Errors
    /// What is wrong at the earliest byte that shows it; the head cannot be read on from there.
    #[inline]
    pub fn read(&mut self, buf: &mut [u8], rules: &Rules) -> Result<Progress, Error> {
        // What stands behind the limit is not looked at, so that the verdict does not depend on
        // how the bytes arrive.
        let limit = buf.len().min(rules.head as usize);
        let done = self.advance(buf.get_mut(..limit).unwrap_or_default(), rules)?;
        if !done && limit == rules.head as usize {
            let kind = match self.state < State::Fields {
                true => ErrorKind::LongTarget,
                false => ErrorKind::LongHead,
            };
            return Err(kind.at(limit));
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
            self.judge(buf, rules)?;
            self.state = State::Done;
        }
        Ok(true)
    }

    /// Reads the request line; true when it is whole.
    #[inline]
    fn line(&mut self, buf: &[u8], rules: &Rules) -> Result<bool, Error> {
        loop {
            let Some(&byte) = buf.get(self.at) else {
                return Ok(false);
            };
            match self.state {
                State::Empty if byte == b'\r' => self.step(State::EmptyLf),
                State::Empty => {
                    self.method_span = Span::new(self.at, self.at);
                    self.state = State::Method;
                }
                State::EmptyLf if byte == b'\n' => self.step(State::Empty),
                State::EmptyLf => return Err(ErrorKind::BareCr.at(self.at - 1)),
                State::Method => self.read_method(buf)?,
                State::Target => self.read_target(buf, rules)?,
                State::Version => {
                    if !self.read_version(buf, rules)? {
                        return Ok(false);
                    }
                }
                State::Lf if byte == b'\n' => {
                    self.step(State::Fields);
                    self.lines = Lines::from(self.at);
                    if self.version == Some(Version::HTTP_09) && self.version_span.end == 0 {
                        self.state = State::Done;
                    }
                    return Ok(true);
                }
                State::Lf => return Err(ErrorKind::BareCr.at(self.at - 1)),
                State::Fields | State::Done => return Ok(true),
            }
        }
    }

    fn step(&mut self, state: State) {
        self.at += 1;
        self.state = state;
    }

    /// Reads the method and the space behind it, as far as there are bytes.
    #[inline]
    fn read_method(&mut self, buf: &[u8]) -> Result<(), Error> {
        let rest = buf.get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| token(**byte)).count();
        self.method_span.end = self.at as u32;
        let text = self.method_span.of(buf);
        match buf.get(self.at) {
            None => {}
            Some(b' ') if !text.is_empty() => {
                self.method = Method::of(text);
                self.step(State::Target);
                self.target_span = Span::new(self.at, self.at);
            }
            Some(b'\n') => return Err(ErrorKind::BareLf.at(self.at)),
            Some(_) => return Err(ErrorKind::BadMethod.at(self.at)),
        }
        Ok(())
    }

    /// Reads the target and the space behind it, as far as there are bytes.
    #[inline]
    fn read_target(&mut self, buf: &[u8], rules: &Rules) -> Result<(), Error> {
        let rest = buf.get(self.at..).unwrap_or_default();
        self.at += match rules.accept_unsafe {
            true => scan::unsafe_target(rest),
            false => scan::target(rest),
        };
        self.target_span.end = self.at as u32;
        let text = self.target_span.of(buf);
        let start = self.target_span.start as usize;
        match buf.get(self.at) {
            None => return Ok(()),
            Some(b' ') if !text.is_empty() => {
                self.step(State::Version);
                self.version_span = Span::new(self.at, self.at);
            }
            // HTTP/0.9 knows GET alone, and no version.
            Some(b'\r') if rules.accept_unsafe && self.method == Method::Get => {
                self.version = Some(Version::HTTP_09);
                self.step(State::Lf);
            }
            Some(b'\r') if !text.is_empty() => return Err(ErrorKind::BadVersion.at(self.at)),
            Some(b'\n') => return Err(ErrorKind::BareLf.at(self.at)),
            Some(_) => return Err(ErrorKind::BadTarget.at(self.at)),
        }
        self.target = Target::parse(text, self.method).ok_or(ErrorKind::BadTarget.at(start))?;
        Ok(())
    }

    /// Reads the version and the CR behind it; false where the bytes end.
    #[inline]
    fn read_version(&mut self, buf: &[u8], rules: &Rules) -> Result<bool, Error> {
        let Some((len, version)) = start_line::version(buf, self.at, rules)? else {
            return Ok(false);
        };
        self.version = Some(version);
        self.at += len;
        self.version_span.end = self.at as u32;
        match buf.get(self.at) {
            Some(b'\r') => {
                self.step(State::Lf);
                Ok(true)
            }
            Some(b'\n') => Err(ErrorKind::BareLf.at(self.at)),
            _ => Err(ErrorKind::BadVersion.at(self.at)),
        }
    }

    /// Refuses what only the whole head shows.
    #[inline]
    fn judge(&mut self, buf: &[u8], rules: &Rules) -> Result<(), Error> {
        self.facts = Facts::gather(&self.fields, buf, self.version(), rules)?;
        if !rules.accept_unsafe {
            self.judge_host(buf)?;
        }
        let at = self.method_span.start as usize;
        let facts = &self.facts;
        let has_body = self.body() != Body::None;
        let quiet = matches!(self.method, Method::Get | Method::Head | Method::Delete);
        if has_body && quiet && !self.version().is_11() && !rules.accept_payload_with_any_method {
            return Err(ErrorKind::UnexpectedBody.at(at));
        }
        if self.method == Method::Connect && (facts.chunked || facts.length > Some(0)) {
            return Err(ErrorKind::ConnectBody.at(at));
        }
        if facts.websocket
            && !facts.websocket_key
            && self.asks_upgrade()
            && self.method == Method::Get
        {
            return Err(ErrorKind::NoWebSocketKey.at(at));
        }
        Ok(())
    }

    #[inline]
    fn judge_host(&self, buf: &[u8]) -> Result<(), Error> {
        let host = match self.host_field() {
            None if self.version().is_11() => return Err(ErrorKind::NoHost.at(self.at)),
            None => None,
            Some(span) => {
                let host = Authority::parse(span.of(buf));
                Some(host.ok_or(ErrorKind::BadHost.at(span.start as usize))?)
            }
        };
        if matches!(self.target.form(), Form::Origin | Form::Asterisk) {
            return Ok(());
        }
        let start = self.target_span.start as usize;
        let bad = ErrorKind::BadAuthority.at(start);
        let text = self.target_span.of(buf);
        let authority = self.target.authority(text).and_then(Authority::parse);
        let authority = authority.filter(|a| !a.host.is_empty()).ok_or(bad)?;
        let defaults: &[u16] = match self.target.scheme(text) {
            None if authority.port.is_none() => return Err(bad),
            None => &[80, 443],
            Some(scheme) if scheme.eq_ignore_ascii_case(b"http") => &[80],
            Some(scheme) if scheme.eq_ignore_ascii_case(b"https") => &[443],
            Some(_) => &[],
        };
        match host {
            Some(host) if !host.same_place(&authority, defaults) => {
                Err(ErrorKind::HostMismatch.at(start))
            }
            _ => Ok(()),
        }
    }
}

/// What a whole head says. Before [`RequestHead::read`] has said `Complete` the answers are those
/// of an empty head.
impl RequestHead {
    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The method's text.
    #[must_use]
    pub fn method_span(&self) -> Span {
        self.method_span
    }

    /// The target's parts, to be asked with the text of [`Self::target_span`].
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// The target's text.
    #[must_use]
    pub fn target_span(&self) -> Span {
        self.target_span
    }

    /// The version.
    #[must_use]
    #[inline]
    pub fn version(&self) -> Version {
        self.version.unwrap_or(Version::HTTP_11)
    }

    /// The version's text, empty with HTTP/0.9.
    #[must_use]
    pub fn version_span(&self) -> Span {
        self.version_span
    }

    /// Where the first field's line begins.
    pub(super) fn lines_start(&self) -> usize {
        self.version_span.end.max(self.target_span.end) as usize + 2
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

    /// Host's value.
    #[must_use]
    pub fn host_field(&self) -> Option<Span> {
        let index = self.facts.host? as usize;
        Some(self.fields.list.get(index)?.value)
    }

    /// How much body follows.
    #[must_use]
    #[inline]
    pub fn body(&self) -> Body {
        match self.facts.length {
            _ if self.facts.chunked => Body::Chunked,
            Some(length) => Body::of_length(length),
            None => Body::None,
        }
    }

    /// Whether the client wants to send more requests.
    #[must_use]
    pub fn persistence(&self) -> Persistence {
        self.facts.persistence(self.version())
    }

    /// Whether the client asks to go on in another protocol than HTTP (RFC 9110, 7.8). `h2c`
    /// does not count: it is never passed on.
    #[must_use]
    pub fn asks_upgrade(&self) -> bool {
        self.version().is_11() && self.facts.upgrade_option && self.facts.upgrade_protocol
    }

    /// The protocols that Upgrade names in `buf`, in the client's order of preference, `h2c`
    /// too; of meaning only where [`Self::asks_upgrade`].
    pub fn upgrade_protocols<'a>(&'a self, buf: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let upgrades = self.fields.as_slice().iter();
        upgrades
            .filter(|field| field.known == FieldName::Upgrade)
            .flat_map(|field| elements(field.value.of(buf)))
            .filter(|protocol| !protocol.is_empty())
    }

    /// Whether the client waits for `100 Continue` before it sends the body. Only HTTP/1.1 can
    /// (RFC 9110, 10.1.1).
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.version().is_11() && self.facts.expect_continue
    }
}
