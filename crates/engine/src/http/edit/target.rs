//! The parts of a request's target, replaced.

use isthmus_plan::http::TargetPart;

/// Where the path of a target begins: at once, or behind scheme and authority.
fn path_start(target: &[u8]) -> usize {
    if matches!(target.first(), Some(b'/' | b'*')) {
        return 0;
    }
    let Some(scheme) = memchr::memmem::find(target, b"://") else {
        return 0;
    };
    let behind = target.get(scheme + 3..).unwrap_or_default();
    let slash = behind.iter().position(|byte| matches!(byte, b'/' | b'?'));
    scheme + 3 + slash.unwrap_or(behind.len())
}

/// What stands before the path, the path, and the query with its question mark.
pub(super) fn split(target: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let start = path_start(target);
    let (before, rest) = target.split_at_checked(start).unwrap_or((&[], target));
    let question = memchr::memchr(b'?', rest).unwrap_or(rest.len());
    let (path, query) = rest.split_at_checked(question).unwrap_or((rest, &[]));
    (before, path, query)
}

/// A part of a target.
pub(super) fn part_of(target: &[u8], part: TargetPart) -> &[u8] {
    let (before, path, query) = split(target);
    match part {
        TargetPart::Uri => target,
        TargetPart::Pathq => target.get(before.len()..).unwrap_or_default(),
        TargetPart::Path => path,
        TargetPart::Query => query.get(1..).unwrap_or_default(),
    }
}

/// An absolute target with another authority.
pub(super) fn with_authority(target: &[u8], authority: &[u8]) -> Option<Vec<u8>> {
    let (before, ..) = split(target);
    let behind = memchr::memmem::find(before, b"://")? + 3;
    let (scheme, rest) = (target.get(..behind)?, target.get(before.len()..)?);
    Some([scheme, authority, rest].concat())
}

/// A target with one part replaced. Scheme and authority of an absolute one stay.
pub(super) fn with_part(target: &[u8], part: TargetPart, text: &[u8]) -> Vec<u8> {
    let (before, path, query) = split(target);
    match part {
        TargetPart::Uri => text.to_vec(),
        TargetPart::Pathq => [before, text].concat(),
        TargetPart::Path => [before, text, query].concat(),
        TargetPart::Query if text.is_empty() && query.is_empty() => target.to_vec(),
        TargetPart::Query => [before, path, b"?", text].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_replaced_and_the_others_stay() {
        use TargetPart::{Path, Pathq, Query, Uri};
        let table: &[(&str, TargetPart, &str, &str)] = &[
            ("/a?b", Path, "/x", "/x?b"),
            ("/a?b", Query, "y", "/a?y"),
            ("/a?b", Query, "", "/a?"),
            ("/a", Query, "", "/a"),
            ("/a", Query, "y", "/a?y"),
            ("/a?b", Pathq, "/x?y", "/x?y"),
            ("/a?b", Uri, "http://h/x", "http://h/x"),
            ("http://h/a?b", Path, "/x", "http://h/x?b"),
            ("http://h?b", Path, "/x", "http://h/x?b"),
            ("http://h", Pathq, "/x", "http://h/x"),
            ("*", Path, "/x", "/x"),
        ];
        for (target, part, text, wanted) in table {
            let made = with_part(target.as_bytes(), *part, text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&made), *wanted, "{target} {part:?}");
        }
    }
}
