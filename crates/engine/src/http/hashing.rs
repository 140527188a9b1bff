//! What of a request is hashed to choose a server (`balance uri`, `url_param`, `hdr`).

use std::borrow::Cow;

use isthmus_plan::Algorithm;
use isthmus_proto::http1::{StartLine, View as Head};
use isthmus_sample::{Context, Side};

use crate::view::View;

/// A part of a request.
#[derive(Debug)]
pub(crate) enum RequestPart {
    Uri {
        len: usize,
        depth: usize,
        whole: bool,
        path_only: bool,
    },
    Parameter {
        name: Vec<u8>,
        posted: bool,
    },
    Header {
        name: Vec<u8>,
        domain_only: bool,
    },
}

impl RequestPart {
    /// What an algorithm hashes, if it is a part of a request.
    pub(crate) fn of(from: &Algorithm) -> Option<Self> {
        Some(match from {
            Algorithm::Uri {
                len,
                depth,
                whole,
                path_only,
                ..
            } => Self::Uri {
                len: *len,
                depth: *depth,
                whole: *whole,
                path_only: *path_only,
            },
            Algorithm::UrlParam {
                name, check_post, ..
            } => Self::Parameter {
                name: name.as_bytes().to_vec(),
                posted: *check_post,
            },
            Algorithm::Header {
                name, domain_only, ..
            } => Self::Header {
                name: name.to_ascii_lowercase().into_bytes(),
                domain_only: *domain_only,
            },
            _ => return None,
        })
    }

    /// The bytes that are hashed; nothing where the request has no such part.
    pub(crate) fn bytes<'v>(&self, view: &'v View<'_>) -> Option<Cow<'v, [u8]>> {
        let head = view.head(Side::Request)?;
        let target = head.part(StartLine::Target);
        match self {
            Self::Uri {
                len,
                depth,
                whole,
                path_only,
            } => {
                let text = match path_only {
                    true => path(target),
                    false => target,
                };
                Some(Cow::Borrowed(uri(text, *len, *depth, *whole)))
            }
            Self::Parameter { name, posted } => {
                let question = memchr::memchr(b'?', target);
                let query = question
                    .and_then(|at| target.get(at + 1..))
                    .unwrap_or_default();
                let found = parameter(query, name).map(Cow::Borrowed);
                if found.is_some() || !posted || head.part(StartLine::Method) != b"POST" {
                    return found;
                }
                let body = view.content(Side::Request)?.bytes;
                parameter(&body, name).map(|value| Cow::Owned(value.to_vec()))
            }
            Self::Header { name, domain_only } => {
                let value = first_value(&head, name)?;
                Some(Cow::Borrowed(match domain_only {
                    true => main_domain(value),
                    false => value,
                }))
            }
        }
    }
}

/// Of a target up to `len` bytes and `depth` directories, without the query unless `whole`.
fn uri(target: &[u8], len: usize, depth: usize, whole: bool) -> &[u8] {
    let most = if len == 0 { target.len() } else { len };
    let mut slashes = 0;
    let end = target.iter().take(most).position(|byte| match byte {
        b'/' => {
            slashes += 1;
            depth > 0 && slashes == depth + 1
        }
        b'?' => !whole,
        _ => false,
    });
    let end = end.unwrap_or(most.min(target.len()));
    target.get(..end).unwrap_or_default()
}

/// A target without scheme and authority.
fn path(target: &[u8]) -> &[u8] {
    let Some(scheme) = memchr::memmem::find(target, b"://").filter(|_| !target.starts_with(b"/"))
    else {
        return target;
    };
    let behind = target.get(scheme + 3..).unwrap_or_default();
    let slash = memchr::memchr(b'/', behind).unwrap_or(behind.len());
    behind.get(slash..).unwrap_or_default()
}

/// The value of a parameter.
fn parameter<'q>(query: &'q [u8], name: &[u8]) -> Option<&'q [u8]> {
    let mut all = query.split(|byte| *byte == b'&');
    all.find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))
}

/// The first element of the first field of a name.
fn first_value<'h>(head: &Head<'h>, name: &[u8]) -> Option<&'h [u8]> {
    let mut found = None;
    head.for_each_id(|_, own, value| {
        if own == name {
            let end = memchr::memchr(b',', value).unwrap_or(value.len());
            found = Some(value.get(..end).unwrap_or_default().trim_ascii());
        }
        found.is_none()
    });
    found
}

/// Of `www.example.com:80` the label before the last one: `example`.
fn main_domain(host: &[u8]) -> &[u8] {
    let end = memchr::memchr(b':', host).unwrap_or(host.len());
    let host = host.get(..end).unwrap_or_default();
    let mut labels = host.rsplit(|byte| *byte == b'.');
    let last = labels.next().unwrap_or_default();
    labels.next().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_counts_up_to_its_limits() {
        let table: &[(&str, usize, usize, bool, &str)] = &[
            ("/a/b/c?d/e", 0, 0, false, "/a/b/c"),
            ("/a/b/c?d/e", 0, 0, true, "/a/b/c?d/e"),
            ("/a/b/c?d/e", 0, 1, false, "/a"),
            ("/a/b/c?d/e", 0, 2, false, "/a/b"),
            ("/a/b/c?d/e", 3, 0, false, "/a/"),
            ("/", 9, 9, true, "/"),
        ];
        for (target, len, depth, whole, wanted) in table {
            let found = uri(target.as_bytes(), *len, *depth, *whole);
            assert_eq!(found, wanted.as_bytes(), "{target} {len} {depth} {whole}");
        }
    }

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        assert_eq!(parameter(b"ab=1&b=2&b=3", b"b"), Some(&b"2"[..]));
        assert_eq!(parameter(b"b", b"b"), None);
        assert_eq!(main_domain(b"www.example.com:80"), b"example");
    }
}
