//! A message's head or trailers as HTTP/2 carries them: pseudo fields apart, fields in order.

use super::fault::Fault;
use super::head_check as check;
use super::hpack::{OVERHEAD, Sink};
use super::send_fields::is_secret;
use crate::http::{FieldList, FieldName, Method};
use crate::http1::Span;

/// Which part of a message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// A request's head.
    #[default]
    Request,
    /// A response's head with status 1xx: another will follow.
    Interim,
    /// A response's head.
    Response,
    /// The fields behind a body. They end the message.
    Trailers,
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Field {
    /// Its name in [`Head::text`], in lower case.
    pub name: Span,
    /// Its value there.
    pub value: Span,
    /// What it means to the proxy.
    pub known: FieldName,
    /// Whether its sender wants it in no hop's table: to be sent on by
    /// [`super::FieldSink::secret`] (RFC 7541, 7.1.3).
    pub never_indexed: bool,
}

/// The pseudo fields (RFC 9113, 8.3; RFC 8441).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pseudo {
    Method,
    Scheme,
    Authority,
    Path,
    Protocol,
    Status,
}

const PSEUDO: usize = 6;

/// A head that was judged: what it holds is well-formed (RFC 9113, 8.2 and 8.3). It is one buffer
/// with places in it, used again for the next head.
#[derive(Debug, Default)]
pub struct Head {
    text: Vec<u8>,
    fields: Vec<Field>,
    pseudo: [Option<Span>; PSEUDO],
    pub(super) part: Part,
    pub(super) method: Method,
    pub(super) status: u16,
    pub(super) content_length: Option<u64>,
    /// It answers HEAD, so that its fields say nothing of a body.
    pub(super) bodiless: bool,
    fault: Option<Fault>,
    /// A regular field, or the path, is marked as never to be indexed.
    secrets: bool,
    secret_path: bool,
    cookies: u32,
    host: Option<Span>,
    /// Bytes and fields that may still come.
    room: usize,
    fields_room: usize,
}

impl Head {
    /// Forgets what was there, and says what will be decoded next.
    pub(super) fn begin(&mut self, part: Part, bytes: u32, fields: u32) {
        self.text.clear();
        self.fields.clear();
        *self = Self {
            text: std::mem::take(&mut self.text),
            fields: std::mem::take(&mut self.fields),
            part,
            room: bytes as usize,
            fields_room: fields as usize,
            ..Self::default()
        };
    }

    /// Judges the whole. What is wrong first is told.
    pub(super) fn finish(&mut self, connect_protocol: bool) -> Result<(), Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        match self.part {
            Part::Request => check::request(self, connect_protocol)?,
            Part::Response | Part::Interim => check::response(self)?,
            Part::Trailers => {}
        }
        if self.cookies > 1 {
            self.join_cookies();
        }
        Ok(())
    }

    /// Gives memory back.
    pub(super) fn shrink(&mut self) {
        *self = Self::default();
    }

    /// The buffer that spans point into.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The regular fields in the order received.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether any regular field, or the path, is marked as never to be indexed.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        self.secrets
    }

    /// Whether the path is: [`super::RequestLine::secret_path`] passes it on.
    #[must_use]
    pub fn has_secret_path(&self) -> bool {
        self.secret_path
    }

    /// Names of the fields that are marked so, but for those that [`super::FieldSink::field`] marks
    /// of itself.
    pub fn secrets(&self) -> impl Iterator<Item = &[u8]> {
        let marked = self.fields.iter().filter(|field| field.never_indexed);
        marked.filter_map(|field| {
            let (name, value) = (field.name.of(&self.text), field.value.of(&self.text));
            (!is_secret(field.known, name, value)).then_some(name)
        })
    }

    /// The first field of a meaning.
    #[must_use]
    pub fn known(&self, name: FieldName) -> Option<&[u8]> {
        let field = self.fields.iter().find(|field| field.known == name)?;
        Some(field.value.of(&self.text))
    }

    /// Which part of a message it is.
    #[must_use]
    pub fn part(&self) -> Part {
        self.part
    }

    /// What a request's `:method` means.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// A request's `:method`; empty in other heads.
    #[must_use]
    pub fn method_text(&self) -> &[u8] {
        self.pseudo(Pseudo::Method).unwrap_or_default()
    }

    /// `:scheme`; none with CONNECT.
    #[must_use]
    pub fn scheme(&self) -> Option<&[u8]> {
        self.pseudo(Pseudo::Scheme)
    }

    /// `:authority`. A request may have Host instead.
    #[must_use]
    pub fn authority(&self) -> Option<&[u8]> {
        self.pseudo(Pseudo::Authority)
    }

    /// `:path`: path and query, or `*`; none with CONNECT.
    #[must_use]
    pub fn path(&self) -> Option<&[u8]> {
        self.pseudo(Pseudo::Path)
    }

    /// `:protocol` of extended CONNECT (RFC 8441).
    #[must_use]
    pub fn protocol(&self) -> Option<&[u8]> {
        self.pseudo(Pseudo::Protocol)
    }

    /// A response's status, 100 to 999; zero in other heads.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What Content-Length says.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    pub(super) fn pseudo(&self, which: Pseudo) -> Option<&[u8]> {
        let span = (*self.pseudo.get(which as usize)?)?;
        Some(span.of(&self.text))
    }

    pub(super) fn host(&self) -> Option<&[u8]> {
        self.host.map(|span| span.of(&self.text))
    }

    /// Puts the crumbs of Cookie together, in the place of the first (RFC 9113, 8.2.3).
    fn join_cookies(&mut self) {
        let start = self.text.len();
        let mut first = true;
        for field in &self.fields {
            if field.known == FieldName::Cookie && field.value.start < field.value.end {
                if !first {
                    self.text.extend_from_slice(b"; ");
                }
                first = false;
                let crumb = field.value.start as usize..field.value.end as usize;
                // A span of this very text, which only grew.
                if crumb.end <= self.text.len() {
                    self.text.extend_from_within(crumb);
                }
            }
        }
        let joined = Span::new(start, self.text.len());
        // One crumb that is a secret makes the whole one.
        let crumbs = self.fields.iter();
        let mut crumbs = crumbs.filter(|field| field.known == FieldName::Cookie);
        let secret = crumbs.any(|field| field.never_indexed);
        let mut first = true;
        self.fields.retain_mut(|field| {
            if field.known != FieldName::Cookie {
                return true;
            }
            field.value = joined;
            field.never_indexed = secret;
            std::mem::take(&mut first)
        });
    }

    fn regular(&mut self, name: Span, value: Span, never: bool) -> Result<(), Fault> {
        let (key, content) = (name.of(&self.text), value.of(&self.text));
        check::name(key)?;
        check::value(content)?;
        let known = FieldName::of(key);
        match known {
            FieldName::Other => {}
            FieldName::Cookie => {
                // Crumbs are one field, which clients cut for the sake of compression.
                self.fields_room += usize::from(self.cookies > 0);
                self.cookies += 1;
            }
            FieldName::ContentLength => {
                let length = check::content_length(content)?;
                // The same number again is no contradiction (RFC 9110, 8.6), but of no use either.
                match self.content_length.replace(length) {
                    Some(before) if before != length => return Err(Fault::ContentLength),
                    Some(_) => return Ok(()),
                    None => {}
                }
            }
            FieldName::Host if self.host.is_some() => return Err(Fault::HostMismatch),
            FieldName::Host => self.host = Some(value),
            known => check::connection_field(known, content)?,
        }
        self.secrets |= never;
        self.fields.push(Field {
            name,
            value,
            known,
            never_indexed: never,
        });
        Ok(())
    }

    fn pseudo_field(&mut self, name: Span, value: Span) -> Result<(), Fault> {
        let content = value.of(&self.text);
        let which = check::pseudo(name.of(&self.text), self.part)?;
        check::value(content)?;
        match which {
            Pseudo::Method => self.method = check::method(content)?,
            Pseudo::Status => self.status = check::status(content)?,
            _ => {}
        }
        let Some(place) = self.pseudo.get_mut(which as usize) else {
            return Ok(());
        };
        if place.replace(value).is_some() {
            return Err(Fault::PseudoTwice);
        }
        if !self.fields.is_empty() || self.content_length.is_some() {
            return Err(Fault::PseudoOrder);
        }
        Ok(())
    }
}

impl Sink for Head {
    fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Once a head is refused, its fields are not kept any more.
    fn wants(&mut self, bytes: usize) -> bool {
        if bytes > self.room || self.fields_room == 0 {
            self.fault = self.fault.or(Some(Fault::HeadTooLarge));
        }
        self.fault.is_none()
    }

    fn field(&mut self, name: Span, value: Span, never: bool) {
        let size = (value.end - name.start) as usize + OVERHEAD;
        if !self.wants(size) {
            self.text.truncate(name.start as usize);
            return;
        }
        self.room -= size;
        self.fields_room -= 1;
        let judged = match name.of(&self.text).first() {
            Some(b':') => {
                self.secret_path |= never && name.of(&self.text) == b":path";
                self.secrets |= self.secret_path;
                self.pseudo_field(name, value)
            }
            _ => self.regular(name, value, never),
        };
        if let Err(fault) = judged {
            self.fault = Some(fault);
        }
    }
}

impl FieldList for Head {
    fn for_each<'a>(&'a self, each: &mut dyn FnMut(&'a [u8], &'a [u8]) -> bool) {
        for field in &self.fields {
            if !each(field.name.of(&self.text), field.value.of(&self.text)) {
                return;
            }
        }
    }
}
