//! The field names that a proxy itself must heed, and what can be one at all.

use super::token;

/// Whether a field can have this name: a token (RFC 9110, 5.6.2) of at most 255 bytes.
#[must_use]
pub fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.len() <= 255 && name.iter().all(|byte| token(*byte))
}

/// A field's meaning to the proxy, found once when the head is read, so that nothing compares
/// names afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum FieldName {
    /// Of no meaning to the proxy.
    #[default]
    Other,
    /// `host`
    Host,
    /// `content-length`
    ContentLength,
    /// `transfer-encoding`
    TransferEncoding,
    /// `connection`
    Connection,
    /// `keep-alive`
    KeepAlive,
    /// `proxy-connection`
    ProxyConnection,
    /// `te`
    Te,
    /// `upgrade`
    Upgrade,
    /// `http2-settings`
    Http2Settings,
    /// `expect`
    Expect,
    /// `sec-websocket-key`
    SecWebSocketKey,
    /// `authorization`
    Authorization,
    /// `proxy-authorization`
    ProxyAuthorization,
    /// `cookie`
    Cookie,
    /// `set-cookie`
    SetCookie,
    /// `cache-control`
    CacheControl,
    /// `x-forwarded-for`
    XForwardedFor,
    /// `forwarded`
    Forwarded,
}

impl FieldName {
    /// What a name in lower case means.
    #[must_use]
    #[inline]
    pub fn of(name: &[u8]) -> Self {
        // Matching on the length first leaves one comparison for almost every name.
        match name.len() {
            2 if name == b"te" => Self::Te,
            4 if name == b"host" => Self::Host,
            6 if name == b"cookie" => Self::Cookie,
            6 if name == b"expect" => Self::Expect,
            7 if name == b"upgrade" => Self::Upgrade,
            9 if name == b"forwarded" => Self::Forwarded,
            10 => match name {
                b"connection" => Self::Connection,
                b"keep-alive" => Self::KeepAlive,
                b"set-cookie" => Self::SetCookie,
                _ => Self::Other,
            },
            13 if name == b"authorization" => Self::Authorization,
            13 if name == b"cache-control" => Self::CacheControl,
            14 if name == b"content-length" => Self::ContentLength,
            14 if name == b"http2-settings" => Self::Http2Settings,
            15 if name == b"x-forwarded-for" => Self::XForwardedFor,
            16 if name == b"proxy-connection" => Self::ProxyConnection,
            17 if name == b"transfer-encoding" => Self::TransferEncoding,
            17 if name == b"sec-websocket-key" => Self::SecWebSocketKey,
            19 if name == b"proxy-authorization" => Self::ProxyAuthorization,
            _ => Self::Other,
        }
    }

    /// Whether the field is about one connection, so that a proxy never forwards it as it came
    /// (RFC 9110, 7.6.1).
    #[must_use]
    pub fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::KeepAlive
                | Self::ProxyConnection
                | Self::Te
                | Self::TransferEncoding
                | Self::Upgrade
                | Self::Http2Settings
        )
    }

    /// Whether a sender may not have the field removed by naming it in Connection: what frames,
    /// routes, authenticates or identifies is meant for all recipients, and stripping it would
    /// let a client hide what rules have judged.
    #[must_use]
    pub fn is_end_to_end(self) -> bool {
        matches!(
            self,
            Self::Host
                | Self::ContentLength
                | Self::TransferEncoding
                | Self::Authorization
                | Self::ProxyAuthorization
                | Self::Cookie
                | Self::SetCookie
                | Self::CacheControl
                | Self::Expect
                | Self::XForwardedFor
                | Self::Forwarded
        )
    }
}
