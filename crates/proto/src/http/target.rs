//! What a request asks for (RFC 9112, 3.2).

use super::Method;

/// The four forms of a request target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// `/path?query`
    #[default]
    Origin,
    /// `scheme://authority/path?query`
    Absolute,
    /// `host:port`, with CONNECT only.
    Authority,
    /// `*`, with OPTIONS only.
    Asterisk,
}

/// Where a target's parts are, as offsets into its text. The query is looked for only when it
/// is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Target {
    form: Form,
    scheme_end: u32,
    authority_end: u32,
}

impl Target {
    /// Finds the form and the parts of a target, whose bytes are already known to be allowed;
    /// `None` if it has no form that the method admits. The authority is not judged here.
    #[must_use]
    #[inline]
    pub fn parse(text: &[u8], method: Method) -> Option<Self> {
        match text {
            _ if method == Method::Connect => Self::authority_form(text),
            [b'/', ..] => Some(Self::default()),
            b"*" if method == Method::Options => Some(Self {
                form: Form::Asterisk,
                ..Self::default()
            }),
            _ => Self::absolute_form(text),
        }
    }

    fn authority_form(text: &[u8]) -> Option<Self> {
        Some(Self {
            form: Form::Authority,
            scheme_end: 0,
            authority_end: u32::try_from(text.len()).ok()?,
        })
    }

    fn absolute_form(text: &[u8]) -> Option<Self> {
        let scheme_end = memchr::memchr(b':', text)?;
        let (scheme, behind) = text.split_at_checked(scheme_end)?;
        let (first, more) = scheme.split_first()?;
        let mark = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        if !first.is_ascii_alphabetic() || !more.iter().all(mark) {
            return None;
        }
        let authority = behind.strip_prefix(b"://")?;
        let len = memchr::memchr2(b'/', b'?', authority).unwrap_or(authority.len());
        // A query right behind the authority is no path that rules could judge, and origins
        // disagree about it: refused, as HAProxy refuses it.
        if len == 0 || authority.get(len) == Some(&b'?') {
            return None;
        }
        Some(Self {
            form: Form::Absolute,
            scheme_end: u32::try_from(scheme_end).ok()?,
            authority_end: u32::try_from(scheme_end + 3 + len).ok()?,
        })
    }

    /// Which form it has.
    #[must_use]
    pub fn form(self) -> Form {
        self.form
    }

    /// The scheme of an absolute target `text`.
    #[must_use]
    pub fn scheme(self, text: &[u8]) -> Option<&[u8]> {
        (self.form == Form::Absolute)
            .then(|| text.get(..self.scheme_end as usize))
            .flatten()
    }

    /// The authority of an absolute or authority target `text`.
    #[must_use]
    pub fn authority(self, text: &[u8]) -> Option<&[u8]> {
        let start = match self.form {
            Form::Absolute => self.scheme_end as usize + 3,
            Form::Authority => 0,
            Form::Origin | Form::Asterisk => return None,
        };
        text.get(start..self.authority_end as usize)
    }

    /// Path and query as they stand in the target `text`: empty for an authority, and for an
    /// absolute target that names no path.
    #[must_use]
    pub fn path_and_query(self, text: &[u8]) -> &[u8] {
        text.get(self.authority_end as usize..).unwrap_or_default()
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(self, text: &[u8]) -> &[u8] {
        let text = self.path_and_query(text);
        let end = memchr::memchr(b'?', text).unwrap_or(text.len());
        text.get(..end).unwrap_or_default()
    }

    /// The query behind the question mark, if there is one.
    #[must_use]
    pub fn query(self, text: &[u8]) -> Option<&[u8]> {
        let text = self.path_and_query(text);
        text.get(memchr::memchr(b'?', text)? + 1..)
    }
}
