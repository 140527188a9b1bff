//! Why bytes are not a PROXY header (or values cannot become one), in the words and with the
//! numbers that HAProxy gives to its logs and to the `fc_err` and `fc_err_str` fetches.

use std::fmt;

/// What is wrong with a header.
///
/// All but [`Error::Truncated`] are the sender's malformation: more bytes would not mend them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Error {
    /// The connection ended inside the header. Never from [`super::decode`], only from
    /// [`super::Decoded::at_end`].
    Truncated,
    /// The bytes begin neither like version 1 nor like version 2.
    NotProxy,
    /// Version 2's signature, followed by a version other than 2.
    BadVersion,
    /// A command other than LOCAL and PROXY.
    BadCommand,
    /// A version 1 protocol word other than TCP4, TCP6 and UNKNOWN.
    UnknownProtocol,
    /// A version 2 family and transport byte that the specification does not list.
    BadFamily,
    /// Version 1: fields missing, too many, or not parted by single spaces and ended by CRLF.
    BadLine,
    /// Version 1: an address that is not one of its family, or not in canonical form.
    BadAddress,
    /// Version 1: a port that is not a number in 0..=65535 without leading zeros.
    BadPort,
    /// Version 2: a length too small for the addresses that its family has. When encoding: a
    /// UNIX path over 108 bytes.
    BadLength,
    /// A TLV runs past the header's end or has a value that its type does not admit.
    BadTlv,
    /// The CRC32C TLV does not match the header.
    BadCrc,
    /// Longer than version 1's 107 bytes, or than version 2's length field can say.
    TooLong,
}

impl Error {
    /// Whether the header was merely cut short, rather than malformed by its sender.
    #[must_use]
    pub fn is_truncation(self) -> bool {
        self == Self::Truncated
    }

    /// HAProxy's number for it, as the `fc_err` fetch gives it.
    #[must_use]
    pub fn fc_err(self) -> u8 {
        match self {
            Self::Truncated => 14,
            Self::NotProxy | Self::BadVersion => 15,
            Self::UnknownProtocol => 17,
            _ => 16,
        }
    }

    /// HAProxy's sentence for it, as the `fc_err_str` fetch and the error log give it.
    #[must_use]
    pub fn fc_err_str(self) -> &'static str {
        match self.fc_err() {
            14 => "Truncated PROXY protocol header received",
            15 => "Received something which does not look like a PROXY protocol header",
            17 => "Received an unhandled protocol in the PROXY protocol header",
            _ => "Received an invalid PROXY protocol header",
        }
    }

    fn detail(self) -> Option<&'static str> {
        match self {
            Self::Truncated | Self::NotProxy => None,
            Self::BadVersion => Some("its version is not 2"),
            Self::BadCommand => Some("its command is neither LOCAL nor PROXY"),
            Self::UnknownProtocol => Some("not TCP4, TCP6 or UNKNOWN"),
            Self::BadFamily => Some("unassigned address family or transport"),
            Self::BadLine => Some("not single-spaced fields ended by CRLF"),
            Self::BadAddress => Some("not a canonical address of its family"),
            Self::BadPort => Some("not a port in 0..65535"),
            Self::BadLength => Some("its length does not fit its addresses"),
            Self::BadTlv => Some("malformed TLV"),
            Self::BadCrc => Some("CRC32C mismatch"),
            Self::TooLong => Some("too long"),
        }
    }
}

/// HAProxy's sentence, and behind a colon what HAProxy leaves out.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fc_err_str())?;
        match self.detail() {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
