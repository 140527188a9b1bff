//! The persistence cookie (`cookie` in a backend).

use serde::{Deserialize, Serialize};

use crate::bytestring::ByteString;

/// How a cookie keeps a client on its server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cookie {
    /// Its name.
    pub name: ByteString,
    /// Who sets it.
    pub mode: CookieMode,
    /// `indirect`: the server never sees it.
    pub indirect: bool,
    /// `nocache`: answers that set it are marked as private.
    pub nocache: bool,
    /// `postonly`: only answers to POST set it.
    pub postonly: bool,
    /// `preserve`: what the server sets is left alone.
    pub preserve: bool,
    /// `httponly`
    pub httponly: bool,
    /// `secure`
    pub secure: bool,
    /// `domain`, each once.
    pub domains: Vec<ByteString>,
    /// `maxidle`, seconds; 0 is no limit.
    pub max_idle: u64,
    /// `maxlife`, seconds; 0 is no limit.
    pub max_life: u64,
    /// `attr`, each once.
    pub attributes: Vec<ByteString>,
    /// `dynamic`, with `dynamic-cookie-key`: servers without a value get one from their address.
    pub dynamic_key: Option<ByteString>,
}

/// Who sets the persistence cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CookieMode {
    /// The server; it is only looked at.
    Passive,
    /// `rewrite`: the server, and its value is replaced.
    Rewrite,
    /// `insert`: the proxy.
    Insert,
    /// `prefix`: the server, and its value gets the server's before it.
    Prefix,
}
