//! Fields behind a chunked body (RFC 9112, 7.1.2; RFC 9110, 6.5).

use super::Progress;
use super::error::{Error, ErrorKind};
use super::fields::Fields;
use super::lines::Lines;
use super::rules::Rules;
use super::span::Span;

/// Names that mean something only in a head: framing, routing, authentication, conditions, and
/// what describes the content or the cache's view of it (RFC 9110, 6.5.1). A recipient that
/// merged them into the head could be made to see another message than was judged.
const HEAD_ONLY: &[&[u8]] = &[
    b"age",
    b"authentication-info",
    b"authorization",
    b"cache-control",
    b"connection",
    b"cookie",
    b"cookie2",
    b"date",
    b"expect",
    b"expires",
    b"forwarded",
    b"host",
    b"http2-settings",
    b"keep-alive",
    b"location",
    b"max-forwards",
    b"pragma",
    b"proxy-authenticate",
    b"proxy-authentication-info",
    b"proxy-authorization",
    b"proxy-connection",
    b"range",
    b"retry-after",
    b"set-cookie",
    b"set-cookie2",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"vary",
    b"via",
    b"warning",
    b"www-authenticate",
    b"x-real-ip",
];

/// Beginnings of such names.
const HEAD_ONLY_FAMILIES: &[&[u8]] = &[
    b"content-",
    b"if-",
    b"sec-",
    b"x-forwarded-",
    b"x-http-method",
    b"access-control-",
];

/// Whether a field, its name in lower case, may not be forwarded as a trailer. An underscore
/// counts as a hyphen: origins that hand fields on as variables take one for the other.
#[must_use]
pub fn is_forbidden_trailer(name: &[u8]) -> bool {
    let same = |part: &[u8], want: &[u8]| {
        let fold = |byte: &u8| if *byte == b'_' { b'-' } else { *byte };
        part.len() == want.len() && part.iter().map(fold).eq(want.iter().copied())
    };
    let begins = |family: &&[u8]| {
        name.get(..family.len())
            .is_some_and(|part| same(part, family))
    };
    HEAD_ONLY.iter().any(|want| same(name, want)) || HEAD_ONLY_FAMILIES.iter().any(begins)
}

/// The trailers of one body, as far as they are read.
#[derive(Debug, Clone, Default)]
pub struct Trailers {
    lines: Lines,
    fields: Fields,
}

impl Trailers {
    /// Forgets what was read, and keeps the memory.
    pub fn clear(&mut self) {
        self.fields.list.clear();
        self.lines = Lines::default();
    }

    /// Reads trailers and the empty line that ends the body at the start of `buf`, which holds
    /// all that came behind the last chunk. `overhead` is what [`super::Chunks::overhead_left`]
    /// says.
    ///
    /// # Errors
    /// What is wrong at the earliest byte that shows it.
    pub fn read(
        &mut self,
        buf: &mut [u8],
        rules: &Rules,
        overhead: u32,
    ) -> Result<Progress, Error> {
        // The empty line is framing, and costs nothing.
        let most = overhead as usize + 2;
        let limit = buf.len().min(most);
        let buf = buf.get_mut(..limit).unwrap_or_default();
        let whole = self.lines.read(buf, rules, &mut self.fields.list)?;
        if !whole && limit == most {
            return Err(ErrorKind::Overhead.at(limit));
        }
        let at = self.lines.position();
        Ok(match whole {
            true => Progress::Complete(at),
            false => Progress::Incomplete,
        })
    }

    /// All of them, those that are not forwarded too.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Gives `each` what is to be sent behind [`super::LAST_CHUNK_BEFORE_TRAILERS`]: the lines
    /// that may be forwarded and the empty line, in runs as long as can be.
    pub fn write<'a>(&self, buf: &'a [u8], each: &mut impl FnMut(&'a [u8])) {
        let mut start = 0;
        let mut end = 0;
        for field in self.fields.as_slice() {
            if is_forbidden_trailer(field.name.of(buf)) {
                piece(Span { start, end }, buf, each);
                start = field.end;
            }
            end = field.end;
        }
        piece(
            Span {
                start,
                end: end + 2,
            },
            buf,
            each,
        );
    }
}

fn piece<'a>(span: Span, buf: &'a [u8], each: &mut impl FnMut(&'a [u8])) {
    if span.start < span.end {
        each(span.of(buf));
    }
}
