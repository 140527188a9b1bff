//! Comparing what has arrived with what must stand there, when not all may have arrived.

/// How the bytes so far compare with a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match<'a> {
    /// The literal stands there whole; these bytes follow it.
    Whole(&'a [u8]),
    /// Its beginning stands there and nothing else has arrived.
    Part,
    /// Some byte differs.
    No,
}

/// Compares the start of `bytes` with `literal`.
pub(super) fn literal<'a>(bytes: &'a [u8], literal: &[u8]) -> Match<'a> {
    match bytes.strip_prefix(literal) {
        Some(rest) => Match::Whole(rest),
        None if literal.starts_with(bytes) => Match::Part,
        None => Match::No,
    }
}
