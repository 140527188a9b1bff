//! `normalize-uri`: targets that mean the same are made to look the same (manual, `normalize-uri`;
//! RFC 3986, 6.2.2).

use super::target::split;

/// A normalizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Normalizer {
    /// `fragment-encode`: `#` becomes `%23`.
    FragmentEncode,
    /// `fragment-strip`: what begins with `#` goes.
    FragmentStrip,
    /// `path-merge-slashes`
    MergeSlashes,
    /// `path-strip-dot`
    StripDot,
    /// `path-strip-dotdot`; with `full`, those that lead above the root too.
    StripDotdot { full: bool },
    /// `percent-decode-unreserved`; with `strict`, malformed ones are refused.
    DecodeUnreserved { strict: bool },
    /// `percent-to-uppercase`; with `strict`, malformed ones are refused.
    ToUppercase { strict: bool },
    /// `query-sort-by-name`
    SortQuery,
}

impl Normalizer {
    /// The normalizer of a name and its option.
    pub(super) fn of(name: &str, option: bool) -> Option<Self> {
        Some(match name {
            "fragment-encode" => Self::FragmentEncode,
            "fragment-strip" => Self::FragmentStrip,
            "path-merge-slashes" => Self::MergeSlashes,
            "path-strip-dot" => Self::StripDot,
            "path-strip-dotdot" => Self::StripDotdot { full: option },
            "percent-decode-unreserved" => Self::DecodeUnreserved { strict: option },
            "percent-to-uppercase" => Self::ToUppercase { strict: option },
            "query-sort-by-name" => Self::SortQuery,
            _ => return None,
        })
    }

    /// The target normalized; `None` where it is malformed and that is refused.
    pub(super) fn apply(self, target: &[u8]) -> Option<Vec<u8>> {
        let (before, path, query) = split(target);
        let with_path = |path: Vec<u8>| [before, &path[..], query].concat();
        Some(match self {
            Self::FragmentEncode => encode_fragment(target),
            Self::FragmentStrip => {
                let end = memchr::memchr(b'#', target).unwrap_or(target.len());
                target.get(..end).unwrap_or_default().to_vec()
            }
            Self::MergeSlashes => with_path(merge_slashes(path)),
            Self::StripDot => with_path(strip_dot(path)),
            Self::StripDotdot { full } => with_path(strip_dotdot(path, full)),
            Self::DecodeUnreserved { strict } => percent(target, strict, decode_unreserved)?,
            Self::ToUppercase { strict } => percent(target, strict, |high, low, out| {
                out.extend([b'%', high.to_ascii_uppercase(), low.to_ascii_uppercase()]);
            })?,
            Self::SortQuery => {
                let sorted = sort_query(query.get(1..).unwrap_or_default());
                match query.is_empty() {
                    true => target.to_vec(),
                    false => [before, path, b"?", &sorted[..]].concat(),
                }
            }
        })
    }
}

fn encode_fragment(target: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(target.len() + 2);
    for byte in target {
        match byte {
            b'#' => out.extend_from_slice(b"%23"),
            byte => out.push(*byte),
        }
    }
    out
}

fn merge_slashes(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    for byte in path {
        if *byte != b'/' || out.last() != Some(&b'/') {
            out.push(*byte);
        }
    }
    out
}

/// Removes segments that are a dot alone.
fn strip_dot(path: &[u8]) -> Vec<u8> {
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut all = path.split(|byte| *byte == b'/').peekable();
    while let Some(segment) = all.next() {
        let last = all.peek().is_none();
        if segment != b"." {
            segments.push(segment);
        } else if last {
            segments.push(b"");
        }
    }
    segments.join(&b'/')
}

/// Removes `..` with the segment before it.
fn strip_dotdot(path: &[u8], full: bool) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut all = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = all.next() {
        let last = all.peek().is_none();
        if segment != b".." {
            kept.push(segment);
            continue;
        }
        let above = kept.last().is_none_or(|before| *before == b"..");
        if above && !full {
            kept.push(segment);
            continue;
        }
        kept.pop();
        if last {
            kept.push(b"");
        }
    }
    if !path.starts_with(b"/") {
        return path.to_vec();
    }
    [b"/", &kept.join(&b'/')[..]].concat()
}

/// Goes over the percent-encoded bytes of a target.
fn percent(
    target: &[u8],
    strict: bool,
    mut each: impl FnMut(u8, u8, &mut Vec<u8>),
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(target.len());
    let mut rest = target;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after) {
            (b'%', [high, low, behind @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                each(*high, *low, &mut out);
                behind
            }
            (b'%', _) if strict => return None,
            _ => {
                out.push(byte);
                after
            }
        };
    }
    Some(out)
}

fn decode_unreserved(high: u8, low: u8, out: &mut Vec<u8>) {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
    let byte = digit(high) << 4 | digit(low);
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        out.push(byte);
    } else {
        out.extend([b'%', high, low]);
    }
}

/// Sorts parameters by name; those of one name stay in their order.
fn sort_query(query: &[u8]) -> Vec<u8> {
    let mut parameters: Vec<&[u8]> = query.split(|byte| *byte == b'&').collect();
    parameters.sort_by_key(|parameter| {
        let end = memchr::memchr(b'=', parameter).unwrap_or(parameter.len());
        parameter.get(..end).unwrap_or_default()
    });
    parameters.join(&b'&')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[(&str, bool, &str, Option<&str>)] = &[
        ("fragment-encode", false, "/#foo", Some("/%23foo")),
        ("fragment-strip", false, "/a#foo", Some("/a")),
        ("path-merge-slashes", false, "//", Some("/")),
        (
            "path-merge-slashes",
            false,
            "/foo//bar///?a//b",
            Some("/foo/bar/?a//b"),
        ),
        ("path-strip-dot", false, "/./foo", Some("/foo")),
        ("path-strip-dot", false, "/foo/./bar/.", Some("/foo/bar/")),
        ("path-strip-dotdot", false, "/foo/../", Some("/")),
        ("path-strip-dotdot", false, "/foo/../bar/", Some("/bar/")),
        ("path-strip-dotdot", false, "/foo/bar/../", Some("/foo/")),
        ("path-strip-dotdot", false, "/../bar/", Some("/../bar/")),
        ("path-strip-dotdot", false, "/bar/../../", Some("/../")),
        ("path-strip-dotdot", false, "/foo//../", Some("/foo/")),
        ("path-strip-dotdot", true, "/../bar/", Some("/bar/")),
        ("path-strip-dotdot", true, "/bar/../../x", Some("/x")),
        ("path-strip-dotdot", false, "/a/..", Some("/")),
        (
            "percent-decode-unreserved",
            false,
            "/%61dmin",
            Some("/admin"),
        ),
        (
            "percent-decode-unreserved",
            false,
            "/foo%3Fbar=baz",
            Some("/foo%3Fbar=baz"),
        ),
        ("percent-decode-unreserved", false, "/%%36%36", Some("/%66")),
        ("percent-decode-unreserved", true, "/%ZZ", None),
        ("percent-to-uppercase", false, "/%6f", Some("/%6F")),
        ("percent-to-uppercase", false, "/%zz", Some("/%zz")),
        ("percent-to-uppercase", true, "/%zz", None),
        (
            "query-sort-by-name",
            false,
            "/?c=3&a=1&b=2",
            Some("/?a=1&b=2&c=3"),
        ),
        (
            "query-sort-by-name",
            false,
            "/?aaa=3&a=1&aa=2",
            Some("/?a=1&aa=2&aaa=3"),
        ),
        (
            "query-sort-by-name",
            false,
            "/?a=3&b=4&a=1",
            Some("/?a=3&a=1&b=4"),
        ),
    ];

    #[test]
    fn targets_are_normalized_as_the_manual_says() {
        for (name, option, target, wanted) in TABLE {
            let normalizer = Normalizer::of(name, *option);
            let made = normalizer.and_then(|normalizer| normalizer.apply(target.as_bytes()));
            let made = made.map(|made| String::from_utf8_lossy(&made).into_owned());
            assert_eq!(made.as_deref(), *wanted, "{name} {target}");
        }
    }
}
