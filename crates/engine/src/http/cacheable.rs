//! Whether a response may be kept by a cache between the proxy and its client, as HAProxy 2.6 sees
//! it where a `cookie` line says `nocache`.

use isthmus_proto::http::{Method, elements};
use isthmus_proto::http1::{StartLine, View as Head};

/// Whether a cache would keep this response to a request of that method: its method and status can
/// be cached, it says for how long or how to validate it, and nothing forbids it.
pub(super) fn is_cacheable(method: Method, head: &Head<'_>) -> bool {
    let safe = matches!(
        method,
        Method::Get | Method::Head | Method::Options | Method::Trace
    );
    let status = matches!(
        head.part(StartLine::Status),
        b"200"
            | b"203"
            | b"204"
            | b"206"
            | b"300"
            | b"301"
            | b"404"
            | b"405"
            | b"410"
            | b"414"
            | b"501"
    );
    if !safe || !status {
        return false;
    }
    let (mut lasts, mut allowed, mut pragma) = (false, true, false);
    head.for_each_id(|_, name, value| {
        match name {
            b"expires" | b"etag" | b"last-modified" => lasts = true,
            b"pragma" => pragma |= value.eq_ignore_ascii_case(b"no-cache"),
            b"cache-control" => {
                for said in elements(value).map(<[u8]>::to_ascii_lowercase) {
                    lasts |= said.starts_with(b"max-age") || said.starts_with(b"s-maxage");
                    // The last word counts.
                    match said.as_slice() {
                        b"public" => allowed = true,
                        b"private" | b"no-cache" | b"no-store" | b"max-age=0" | b"s-maxage=0" => {
                            allowed = false;
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        true
    });
    lasts && allowed && !pragma
}
