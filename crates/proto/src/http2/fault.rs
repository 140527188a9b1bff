//! What a peer can do wrong, and which error code says so.

use std::fmt;

use super::code::ErrorCode;

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:ident, $id:literal, $text:literal;)+) => {
        /// What is wrong with what the peer sent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Fault { $($(#[doc = $doc])+ $name,)+ }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code that RST_STREAM or GOAWAY carries for it.
            #[must_use]
            pub fn error_code(self) -> ErrorCode {
                match self { $(Self::$name => ErrorCode::$code,)+ }
            }

            /// A name for logs and counters that never changes.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

faults! {
    /// The connection preface is another (RFC 9113, 3.4).
    Preface = PROTOCOL_ERROR, "preface", "the connection does not begin with HTTP/2's preface";
    /// The first frame is not SETTINGS (3.4).
    NoSettings = PROTOCOL_ERROR, "no-settings", "the first frame is not SETTINGS";
    /// A frame is longer than SETTINGS_MAX_FRAME_SIZE allows (4.2).
    FrameTooLarge = FRAME_SIZE_ERROR, "frame-too-large", "a frame is larger than allowed";
    /// A frame's length is not one that its type has (4.2).
    FrameSize = FRAME_SIZE_ERROR, "frame-size", "a frame has a length that its type cannot have";
    /// A frame of a stream on stream 0, or one of the connection on another (6).
    FrameStream = PROTOCOL_ERROR, "frame-stream", "a frame is on a stream where its type cannot be";
    /// Padding that is as long as the frame or longer (6.1).
    Padding = PROTOCOL_ERROR, "padding", "the padding is longer than the frame";
    /// Something else than CONTINUATION inside a block, or CONTINUATION outside one (4.3, 6.10).
    Continuation = PROTOCOL_ERROR, "continuation", "a field block is interrupted, or continued without one";
    /// A block that HPACK cannot decode (4.3).
    Compression = COMPRESSION_ERROR, "compression", "a field block cannot be decoded";
    /// A stream identifier that the peer may not open (5.1.1).
    StreamId = PROTOCOL_ERROR, "stream-id", "a stream has an identifier that it cannot have";
    /// A frame for a stream that nobody has opened (5.1).
    IdleStream = PROTOCOL_ERROR, "idle-stream", "a frame is on a stream that was not opened";
    /// A frame for a stream that its sender had ended (5.1).
    ClosedStream = STREAM_CLOSED, "closed-stream", "a frame is on a stream that was ended";
    /// More streams at once than allowed (5.1.2).
    TooManyStreams = REFUSED_STREAM, "too-many-streams", "more streams are open than allowed";
    /// A stream that depends on itself (RFC 7540, 5.3.1).
    SelfDependency = PROTOCOL_ERROR, "self-dependency", "a stream depends on itself";
    /// A setting whose value is outside its range (6.5.2).
    Setting = PROTOCOL_ERROR, "setting", "a setting's value is out of range";
    /// SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1, or one that makes a window that large (6.9.2).
    SettingWindow = FLOW_CONTROL_ERROR, "setting-window", "the initial window is too large";
    /// An acknowledgement of SETTINGS that were not sent (6.5.3).
    SettingsAck = PROTOCOL_ERROR, "settings-ack", "SETTINGS are acknowledged that were not sent";
    /// SETTINGS that were not acknowledged in time (6.5.3).
    SettingsTimeout = SETTINGS_TIMEOUT, "settings-timeout", "SETTINGS were not acknowledged in time";
    /// PUSH_PROMISE, which clients never send and we never allow (6.6, 8.4).
    Push = PROTOCOL_ERROR, "push", "PUSH_PROMISE is not allowed";
    /// A GOAWAY that names a later stream than one before it (6.8).
    GoAwayGrows = PROTOCOL_ERROR, "goaway-grows", "GOAWAY names a later stream than before";
    /// More DATA than the connection's or the stream's window allows (6.9.1).
    Window = FLOW_CONTROL_ERROR, "window", "more data was sent than the window allows";
    /// A window that grows beyond 2^31-1 (6.9.1).
    WindowOverflow = FLOW_CONTROL_ERROR, "window-overflow", "the window grows beyond its maximum";
    /// A WINDOW_UPDATE by zero (6.9).
    WindowZero = PROTOCOL_ERROR, "window-zero", "a window is opened by zero";
    /// A head behind a body that does not end the stream (8.1).
    Trailers = PROTOCOL_ERROR, "trailers", "trailers do not end the stream";
    /// An interim response that ends the stream, or 101 (8.1, 8.6).
    Interim = PROTOCOL_ERROR, "interim", "an interim response ends the stream, or is 101";
    /// DATA before a head, or in a message that has none (8.1).
    UnexpectedData = PROTOCOL_ERROR, "unexpected-data", "DATA stands where none can be";
    /// The body is not as long as Content-Length says (8.1.1).
    ContentLength = PROTOCOL_ERROR, "content-length", "the body is not as long as stated";
    /// A name that is empty, has upper case, or bytes that no token has (8.2.1).
    FieldName = PROTOCOL_ERROR, "field-name", "a field's name is malformed";
    /// A value with control bytes, or whitespace around it (8.2.1).
    FieldValue = PROTOCOL_ERROR, "field-value", "a field's value is malformed";
    /// Connection, Transfer-Encoding and their like, or TE other than `trailers` (8.2.2).
    ConnectionField = PROTOCOL_ERROR, "connection-field", "a field is about an HTTP/1 connection";
    /// A pseudo field that is not known, or not of this kind of message (8.3).
    PseudoUnknown = PROTOCOL_ERROR, "pseudo-unknown", "a pseudo field is unknown here";
    /// A pseudo field twice (8.3).
    PseudoTwice = PROTOCOL_ERROR, "pseudo-twice", "a pseudo field is there twice";
    /// A pseudo field behind a regular one (8.3).
    PseudoOrder = PROTOCOL_ERROR, "pseudo-order", "a pseudo field stands behind regular ones";
    /// A pseudo field that the message needs is not there, or one is that it cannot have (8.3.1).
    PseudoMissing = PROTOCOL_ERROR, "pseudo-missing", "pseudo fields are missing, or too many";
    /// A method that is not a token (8.3.1).
    Method = PROTOCOL_ERROR, "method", "the method is not a token";
    /// A scheme that is none (8.3.1).
    Scheme = PROTOCOL_ERROR, "scheme", "the scheme is malformed";
    /// A path that is empty or begins with something else than a slash (8.3.1).
    Path = PROTOCOL_ERROR, "path", "the path is malformed";
    /// An authority that is none, or has user information (8.3.1).
    Authority = PROTOCOL_ERROR, "authority", "the authority is malformed";
    /// Two Host fields, or one that is not the authority's (8.3.1).
    HostMismatch = PROTOCOL_ERROR, "host-mismatch", "Host is not what the authority says";
    /// A status that is not three digits (8.3.2).
    Status = PROTOCOL_ERROR, "status", "the status is malformed";
    /// Extended CONNECT, which was not offered or is used with another method (RFC 8441, 4).
    Protocol = PROTOCOL_ERROR, "protocol", "the protocol field is not allowed here";
    /// A head with more fields or bytes than allowed (10.5.1).
    HeadTooLarge = ENHANCE_YOUR_CALM, "head-too-large", "a head has too many fields or bytes";
    /// A block of too many frames or bytes.
    BlockTooLarge = ENHANCE_YOUR_CALM, "block-too-large", "a field block has too many frames or bytes";
    /// More glitches than allowed.
    Glitches = ENHANCE_YOUR_CALM, "glitches", "the connection had too many glitches";
    /// Streams that were reset too often, by the client or for what it sent.
    Resets = ENHANCE_YOUR_CALM, "resets", "too many streams were reset";
    /// Too many SETTINGS, PING, PRIORITY or unknown frames for the work they go with.
    Control = ENHANCE_YOUR_CALM, "control", "too many frames that do nothing";
    /// Too many DATA frames without data.
    EmptyData = ENHANCE_YOUR_CALM, "empty-data", "too many empty DATA frames";
    /// Too many WINDOW_UPDATE frames for what was sent.
    WindowUpdates = ENHANCE_YOUR_CALM, "window-updates", "too many window updates";
    /// The connection was ended by us before.
    Ended = NO_ERROR, "ended", "the connection was ended";
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Why a connection ends: GOAWAY with its code is in the output, and nothing more is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub fault: Fault,
    /// What GOAWAY carries.
    pub code: ErrorCode,
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            code: fault.error_code(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.fault, self.code.name())
    }
}

impl std::error::Error for Error {}
