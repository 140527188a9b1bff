//! The types of samples, and the places where a fetch may be used.

/// The type of a sample, or a family of types in a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Whatever comes.
    Any,
    /// The type that went in.
    Same,
    /// A truth value.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// An IPv4 or IPv6 address.
    Addr,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// Text.
    Str,
    /// Bytes.
    Bin,
    /// An HTTP method.
    Meth,
}

impl Kind {
    /// The name as `haproxy -dKall` prints it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Same => "same",
            Self::Bool => "bool",
            Self::Int => "sint",
            Self::Addr => "addr",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Str => "str",
            Self::Bin => "bin",
            Self::Meth => "meth",
        }
    }
}

/// The 22 places of the language in which a fetch may stand, in the order of `haproxy -dKall`'s
/// fetch list: frontend connection rules first, the command line's parser last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity(&'static str);

impl Validity {
    /// From 22 letters, `Y` where the fetch is valid and `.` where it is not.
    #[must_use]
    pub const fn new(columns: &'static str) -> Self {
        Self(columns)
    }

    /// The 22 letters.
    #[must_use]
    pub const fn columns(self) -> &'static str {
        self.0
    }
}
