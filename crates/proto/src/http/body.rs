//! How much body follows a head.

/// Where a message's body ends, as the receiver must find it (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Body {
    /// There is none: the next message starts behind the head.
    #[default]
    None,
    /// So many bytes, never zero.
    Length(u64),
    /// In chunks, the last of which says so.
    Chunked,
    /// Until the sender closes. Only responses have it; the connection serves no other message.
    UntilClose,
    /// No message follows, but another protocol both ways (101, or 2xx to CONNECT).
    Tunnel,
}

impl Body {
    /// The body that a Content-Length states.
    #[must_use]
    pub fn of_length(length: u64) -> Self {
        match length {
            0 => Self::None,
            length => Self::Length(length),
        }
    }

    /// Whether the connection can carry another message behind this one.
    #[must_use]
    pub fn is_delimited(self) -> bool {
        !matches!(self, Self::UntilClose | Self::Tunnel)
    }
}
