//! What a ClientHello says (RFC 8446, 4.1.2; RFC 5246, 7.4.1.2).

/// The types of extensions that are looked at.
pub mod extension {
    /// `server_name` (RFC 6066, 3).
    pub const SERVER_NAME: u16 = 0;
    /// `supported_groups`, formerly the elliptic curves (RFC 8422, 5.1.1).
    pub const SUPPORTED_GROUPS: u16 = 10;
    /// `signature_algorithms` (RFC 8446, 4.2.3).
    pub const SIGNATURE_ALGORITHMS: u16 = 13;
    /// `application_layer_protocol_negotiation` (RFC 7301).
    pub const ALPN: u16 = 16;
    /// `session_ticket` (RFC 5077).
    pub const SESSION_TICKET: u16 = 35;
    /// `key_share` (RFC 8446, 4.2.8).
    pub const KEY_SHARE: u16 = 51;
}

/// A ClientHello, as far as it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientHello<'a> {
    /// Major and minor version that it gives itself: 3 and 1 for TLS 1.0, 3 and 3 since TLS 1.2.
    pub version: (u8, u8),
    /// The client's 32 random bytes.
    pub random: &'a [u8],
    /// The identifier of a session to resume; may be empty.
    pub session_id: &'a [u8],
    /// Two bytes for each cipher suite.
    pub cipher_suites: &'a [u8],
    /// The extensions; `None` where there is no list of them, or a malformed one.
    pub extensions: Option<Extensions<'a>>,
}

/// A well-formed list of extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extensions<'a>(&'a [u8]);

/// Bytes behind their length, itself of `width` bytes, and what is behind them.
fn vector(bytes: &[u8], width: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(width)?;
    let length = length
        .iter()
        .fold(0, |length, byte| length << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

/// A vector that has nothing behind it.
fn whole(bytes: &[u8], width: usize) -> Option<&[u8]> {
    let (content, rest) = vector(bytes, width)?;
    rest.is_empty().then_some(content)
}

impl<'a> ClientHello<'a> {
    /// Reads the body of the message; `None` where it is malformed.
    #[must_use]
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let ([major, minor], rest) = body.split_first_chunk::<2>()?;
        let (random, rest) = rest.split_at_checked(32)?;
        let (session_id, rest) = vector(rest, 1)?;
        let (cipher_suites, rest) = vector(rest, 2)?;
        let (_compression, rest) = vector(rest, 1)?;
        let sane =
            session_id.len() <= 32 && cipher_suites.len() >= 2 && cipher_suites.len() % 2 == 0;
        sane.then_some(Self {
            version: (*major, *minor),
            random,
            session_id,
            cipher_suites,
            // Extensions are of TLS 1.0 and later (RFC 6066, 1.1).
            extensions: whole(rest, 2)
                .filter(|_| (*major, *minor) > (3, 0))
                .and_then(Extensions::read),
        })
    }

    /// The content of the first extension of a type.
    #[must_use]
    pub fn extension(&self, wanted: u16) -> Option<&'a [u8]> {
        self.extensions?
            .iter()
            .find(|(kind, _)| *kind == wanted)
            .map(|(_, content)| content)
    }

    /// The host name that is asked for (SNI); never empty.
    #[must_use]
    pub fn server_name(&self) -> Option<&'a [u8]> {
        let mut names = whole(self.extension(extension::SERVER_NAME)?, 2)?;
        while let Some((kind, rest)) = names.split_first() {
            let (name, behind) = vector(rest, 2)?;
            if *kind == 0 {
                return (!name.is_empty()).then_some(name);
            }
            names = behind;
        }
        None
    }

    /// The protocols that the client offers, in its order (ALPN).
    pub fn protocols(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut names = self
            .extension(extension::ALPN)
            .and_then(|list| whole(list, 2))
            .unwrap_or_default();
        std::iter::from_fn(move || {
            let (name, behind) = vector(names, 1)?;
            names = behind;
            Some(name)
        })
    }

    /// A list of numbers of two bytes that makes up an extension.
    #[must_use]
    pub fn numbers(&self, wanted: u16) -> Option<&'a [u8]> {
        whole(self.extension(wanted)?, 2).filter(|list| list.len() % 2 == 0)
    }

    /// A list behind one byte of length that makes up an extension.
    #[must_use]
    pub fn short_list(&self, wanted: u16) -> Option<&'a [u8]> {
        whole(self.extension(wanted)?, 1)
    }

    /// The groups for which the client gives keys at once, two bytes for each.
    #[must_use]
    pub fn key_share_groups(&self) -> Option<Vec<u8>> {
        let mut shares = whole(self.extension(extension::KEY_SHARE)?, 2)?;
        let mut groups = Vec::new();
        while !shares.is_empty() {
            let (group, rest) = shares.split_at_checked(2)?;
            groups.extend_from_slice(group);
            shares = vector(rest, 2)?.1;
        }
        Some(groups)
    }
}

impl<'a> Extensions<'a> {
    fn read(list: &'a [u8]) -> Option<Self> {
        let extensions = Self(list);
        let length: usize = extensions
            .iter()
            .map(|(_, content)| content.len() + 4)
            .sum();
        (length == list.len()).then_some(extensions)
    }

    /// Type and content of each.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut list = self.0;
        std::iter::from_fn(move || {
            let (kind, rest) = list.split_first_chunk::<2>()?;
            let (content, behind) = vector(rest, 2)?;
            list = behind;
            Some((u16::from_be_bytes(*kind), content))
        })
    }
}
