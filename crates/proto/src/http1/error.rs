//! Why a message is refused.

use std::fmt;

/// What is wrong, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The offset of the wrong byte, or of the field that is wrong, in the bytes given.
    pub at: u32,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $status:literal, $code:literal, $text:literal;)+) => {
        /// What can be wrong with a message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorKind { $($(#[doc = $doc])+ $name,)+ }

        impl ErrorKind {
            /// All of them, in the order of a message's parts.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The status that HAProxy answers such a request with. A response that is wrong
            /// is answered with 502 always.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// A name for logs and counters that never changes.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

kinds! {
    /// LF without CR before it (RFC 9112, 2.2).
    BareLf = 400, "bare-lf", "a line ends in LF without CR";
    /// CR without LF behind it.
    BareCr = 400, "bare-cr", "CR without LF";
    /// No token, or one with bytes that are none of a token's.
    BadMethod = 400, "bad-method", "the method is not a token";
    /// A byte that no target may hold, or a target of no known form.
    BadTarget = 400, "bad-target", "the request target is malformed";
    /// Not `HTTP/` with a digit, a dot and a digit.
    BadVersion = 400, "bad-version", "the version is malformed";
    /// A well-formed version other than 1.x.
    UnsupportedVersion = 505, "unsupported-version", "the version is not HTTP/1";
    /// Not three digits, or below 100.
    BadStatus = 400, "bad-status", "the status is not a number of 100 to 999";
    /// A control byte in the reason phrase.
    BadReason = 400, "bad-reason", "the reason phrase holds a control byte";
    /// A field line that begins with a colon.
    EmptyName = 400, "empty-name", "a field has no name";
    /// A byte that is none of a token's before the colon, or no colon.
    BadName = 400, "bad-name", "a field's name is not a token";
    /// Whitespace between a name and its colon (RFC 9112, 5.1).
    SpaceBeforeColon = 400, "space-before-colon", "whitespace stands before a field's colon";
    /// A name of more than 255 bytes.
    LongName = 400, "long-name", "a field's name is longer than 255 bytes";
    /// A line that continues another, or whitespace before the first field.
    Fold = 400, "fold", "a field line begins with whitespace";
    /// A control byte in a value, NUL above all.
    BadValue = 400, "bad-value", "a field's value holds a control byte";
    /// More than `Rules::fields`.
    TooManyFields = 431, "too-many-fields", "too many fields";
    /// The request line alone is longer than `Rules::head`.
    LongTarget = 414, "long-target", "the request line is too long";
    /// Longer than `Rules::head`.
    LongHead = 431, "long-head", "the head is too long";
    /// HTTP/1.1 without Host.
    NoHost = 400, "no-host", "Host is missing";
    /// More than one Host.
    ManyHosts = 400, "many-hosts", "more than one Host";
    /// A Host that is no authority.
    BadHost = 400, "bad-host", "Host is malformed";
    /// A target with an authority that is none, or with user information.
    BadAuthority = 400, "bad-authority", "the target's authority is malformed";
    /// Host and the target name different places.
    HostMismatch = 400, "host-mismatch", "Host is not the target's authority";
    /// Not a decimal number below 2^63.
    BadLength = 400, "bad-length", "Content-Length is not a number";
    /// More than one Content-Length, even of one value.
    ManyLengths = 400, "many-lengths", "more than one Content-Length";
    /// Transfer-Encoding beside Content-Length.
    LengthAndCoding = 400, "length-and-coding", "Content-Length beside Transfer-Encoding";
    /// Transfer-Encoding whose last coding is not chunked, or is chunked twice.
    BadCoding = 400, "bad-coding", "Transfer-Encoding is not chunked once and last";
    /// Codings beside chunked, which the proxy would have to understand.
    UnknownCoding = 422, "unknown-coding", "a transfer coding other than chunked";
    /// Transfer-Encoding in HTTP/1.0, where old recipients do not know it.
    CodingIn10 = 400, "coding-in-1.0", "Transfer-Encoding in HTTP/1.0";
    /// A body where HTTP/1.0 recipients do not look for one (GET, HEAD, DELETE).
    UnexpectedBody = 413, "unexpected-body", "HTTP/1.0 does not expect a body with this method";
    /// A body with CONNECT, which would be taken for the tunnel's first bytes.
    ConnectBody = 400, "connect-body", "CONNECT with a body";
    /// A WebSocket upgrade without its key (RFC 6455, 4.1).
    NoWebSocketKey = 400, "no-websocket-key", "WebSocket upgrade without Sec-WebSocket-Key";
    /// A server that switches protocols though it was not asked to.
    UnaskedSwitch = 400, "unasked-switch", "101 without a request to upgrade";
    /// No size, or bytes in it that are no hexadecimal digits.
    BadChunkSize = 400, "bad-chunk-size", "a chunk's size is not a hexadecimal number";
    /// A size of 2^63 or more, or of more than 16 digits.
    HugeChunk = 400, "huge-chunk", "a chunk's size is too large";
    /// A control byte or an open quotation in a chunk extension.
    BadExtension = 400, "bad-extension", "a chunk extension is malformed";
    /// Data that does not end where its chunk's size says.
    BadChunkEnd = 400, "bad-chunk-end", "a chunk's data is not followed by CRLF";
    /// More than `Rules::overhead`.
    Overhead = 400, "overhead", "too many bytes of chunk extensions and trailers";
}

impl ErrorKind {
    /// The error at an offset.
    #[inline]
    pub(super) fn at(self, at: usize) -> Error {
        Error {
            kind: self,
            at: at as u32,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.kind, self.at)
    }
}

impl std::error::Error for Error {}
