//! Request methods, as far as a proxy must tell them apart.

/// A request's method. Methods that framing does not depend on are [`Method::Other`]; their
/// text is in the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Method {
    /// `GET`
    #[default]
    Get,
    /// `HEAD`: the answer has no body whatever its fields say.
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `OPTIONS`: the one method that may ask for `*`.
    Options,
    /// `CONNECT`: asks for a tunnel; its target is an authority.
    Connect,
    /// `TRACE`
    Trace,
    /// `PATCH`
    Patch,
    /// Any other token.
    Other,
}

impl Method {
    /// The method that a token names. Methods are case-sensitive (RFC 9110, 9.1).
    #[must_use]
    pub fn of(token: &[u8]) -> Self {
        match token {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            b"CONNECT" => Self::Connect,
            b"TRACE" => Self::Trace,
            b"PATCH" => Self::Patch,
            _ => Self::Other,
        }
    }

    /// Whether a request may be sent again when its answer was lost (RFC 9110, 9.2.2).
    #[must_use]
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Patch | Self::Connect | Self::Other)
    }
}
