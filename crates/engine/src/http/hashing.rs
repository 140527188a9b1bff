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
    if target.starts_with(b"/") {
        return target;
    }
    let Some(scheme) = memchr::memmem::find(target, b"://") else {
        // `*` and an authority have none.
        return b"";
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

/// The first element of the first field of a name; an empty one is none.
fn first_value<'h>(head: &Head<'h>, name: &[u8]) -> Option<&'h [u8]> {
    let mut found = None;
    head.for_each_id(|_, own, value| {
        if own == name {
            found = Some(first_element(value));
        }
        found.is_none()
    });
    found.filter(|value| !value.is_empty())
}

/// What stands before the first comma that is in no quoted string.
fn first_element(value: &[u8]) -> &[u8] {
    let (mut quoted, mut escaped) = (false, false);
    let end = value.iter().position(|byte| {
        let plain = !std::mem::take(&mut escaped);
        match byte {
            b'\\' if quoted && plain => escaped = true,
            b'"' if plain => quoted = !quoted,
            _ => {}
        }
        *byte == b',' && !quoted
    });
    value
        .get(..end.unwrap_or(value.len()))
        .unwrap_or_default()
        .trim_ascii()
}

/// Of `www.example.com:80` the label before the last one: `example`. As HAProxy, a host without two
/// labels is left as it is, and of two dots side by side the first belongs to its label.
fn main_domain(host: &[u8]) -> &[u8] {
    let Some(end) = memchr::memrchr(b'.', host).filter(|end| *end > 0) else {
        return host;
    };
    let before = host.get(..end - 1).unwrap_or_default();
    let start = memchr::memrchr(b'.', before).map_or(0, |dot| dot + 1);
    host.get(start..end).unwrap_or_default()
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
    }

    #[test]
    fn a_main_domain_is_what_haproxy_takes() {
        let table = [
            ("www.example.com:80", "example"),
            ("a.b:80", "a"),
            ("a:80", "a:80"),
            (".com", ".com"),
            ("a..b", "a."),
            ("a.b..", "b."),
            ("..a", "."),
            ("1.2.3.4:80", "3"),
        ];
        for (host, wanted) in table {
            assert_eq!(main_domain(host.as_bytes()), wanted.as_bytes(), "{host}");
        }
    }
}
