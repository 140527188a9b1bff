//! What the configuration says about reading messages.

/// Limits and leniencies, the same for all messages of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The longest head in bytes, with its last empty line and the empty lines before it:
    /// `tune.bufsize` less `tune.maxrewrite`.
    pub head: u32,
    /// The most field lines of a head or of trailers. HAProxy's `tune.http.maxhdr` (101) counts
    /// one more.
    pub fields: u32,
    /// The most bytes of a body that are neither data nor needed to frame it: chunk extensions,
    /// padding and trailers, all together.
    pub overhead: u32,
    /// `option accept-unsafe-violations-in-http-request` (or `-response`), before HAProxy 3
    /// `accept-invalid-http-request`: reads what known faulty peers send. See
    /// [`super::RequestHead::read`] for what it lets pass. Line ends, whitespace around names,
    /// and framing that two parsers could read differently stay refused.
    pub accept_unsafe: bool,
    /// `h1-accept-payload-with-any-method`: HTTP/1.0 GET, HEAD and DELETE may have a body.
    pub accept_payload_with_any_method: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            head: 16384 - 1024,
            fields: 100,
            overhead: 16384,
            accept_unsafe: false,
            accept_payload_with_any_method: false,
        }
    }
}
