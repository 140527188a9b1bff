//! The version of a message.

use std::fmt;

/// The version that a message is written in, as major and minor number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Before the dot: which syntax.
    pub major: u8,
    /// Behind the dot: which features.
    pub minor: u8,
}

impl Version {
    /// HTTP/0.9: a line `GET /path`, answered by a body alone.
    pub const HTTP_09: Self = Self { major: 0, minor: 9 };
    /// HTTP/1.0: no chunks, closes unless told otherwise.
    pub const HTTP_10: Self = Self { major: 1, minor: 0 };
    /// HTTP/1.1, and all minor versions behind it.
    pub const HTTP_11: Self = Self { major: 1, minor: 1 };

    /// Whether connections persist unless told otherwise, and chunks are understood.
    #[must_use]
    pub fn is_11(self) -> bool {
        self >= Self::HTTP_11
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP/{}.{}", self.major, self.minor)
    }
}
