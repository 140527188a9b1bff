//! The TLVs of version 2: what a sender tells beside addresses (proxy-protocol.txt, 2.2.1 to
//! 2.2.8). Type (1 byte), length (2, big-endian), value.

use super::{Error, crc32c};

/// The registered TLV types.
pub mod kind {
    /// The application protocol that TLS negotiated.
    pub const ALPN: u8 = 0x01;
    /// The host name that the client asked for, at most 255 bytes.
    pub const AUTHORITY: u8 = 0x02;
    /// The checksum of the whole header, 4 bytes.
    pub const CRC32C: u8 = 0x03;
    /// Padding.
    pub const NOOP: u8 = 0x04;
    /// The sender's identifier of the connection, at most 128 bytes.
    pub const UNIQUE_ID: u8 = 0x05;
    /// The client's TLS session; holds TLVs of its own.
    pub const SSL: u8 = 0x20;
    /// In SSL: the TLS version's name.
    pub const SSL_VERSION: u8 = 0x21;
    /// In SSL: the common name of the client's certificate.
    pub const SSL_CN: u8 = 0x22;
    /// In SSL: the cipher's name.
    pub const SSL_CIPHER: u8 = 0x23;
    /// In SSL: how the certificate is signed.
    pub const SSL_SIG_ALG: u8 = 0x24;
    /// In SSL: the certificate's key algorithm and size.
    pub const SSL_KEY_ALG: u8 = 0x25;
    /// The name of the client's network namespace, US-ASCII.
    pub const NETNS: u8 = 0x30;
}

/// The bits of [`Ssl::client`].
pub mod ssl_client {
    /// The client connected over TLS.
    pub const SSL: u8 = 0x01;
    /// It presented a certificate on this connection.
    pub const CERT_CONN: u8 = 0x02;
    /// It presented a certificate at least once in this TLS session.
    pub const CERT_SESS: u8 = 0x04;
}

/// The longest authority, as HAProxy accepts it: what a host name can have.
const AUTHORITY_MAX: usize = 255;
const UNIQUE_ID_MAX: usize = 128;

/// A run of TLVs, each known to be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tlvs<'a> {
    bytes: &'a [u8],
}

impl<'a> Tlvs<'a> {
    /// Reads TLVs that were kept from a header with [`Tlvs::as_bytes`].
    ///
    /// # Errors
    /// [`Error::BadTlv`] when the last one is not whole.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::framed(bytes).ok_or(Error::BadTlv)
    }

    /// `None` when the last TLV is not whole.
    pub(super) fn framed(bytes: &'a [u8]) -> Option<Self> {
        let mut iter = TlvIter { rest: bytes };
        iter.by_ref().for_each(drop);
        iter.rest.is_empty().then_some(Self { bytes })
    }

    /// The TLVs as they stood on the wire, to be kept beyond the buffer's life.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Every TLV in the order sent, as (type, value).
    #[must_use]
    pub fn iter(self) -> TlvIter<'a> {
        TlvIter { rest: self.bytes }
    }

    /// The values of every TLV of one type, in the order sent, as the fetch `fc_pp_tlv` gives
    /// them: the types 0x21 to 0x25 are looked for in the SSL TLV, which is where they live.
    #[must_use]
    pub fn occurrences(self, kind: u8) -> Occurrences<'a> {
        let tlvs = match kind {
            kind::SSL_VERSION..=kind::SSL_KEY_ALG => self.ssl_tlvs().unwrap_or_default(),
            _ => self,
        };
        Occurrences {
            tlvs: tlvs.iter(),
            kind,
        }
    }

    /// The value of the last TLV of one type: HAProxy lets a repeated TLV overrule.
    #[must_use]
    pub fn get(self, kind: u8) -> Option<&'a [u8]> {
        self.occurrences(kind).last()
    }

    /// The host name that the client asked for (fetch `fc_pp_authority`).
    #[must_use]
    pub fn authority(self) -> Option<&'a [u8]> {
        self.get(kind::AUTHORITY)
    }

    /// The sender's identifier of the connection (fetch `fc_pp_unique_id`).
    #[must_use]
    pub fn unique_id(self) -> Option<&'a [u8]> {
        self.get(kind::UNIQUE_ID)
    }

    /// The application protocol that the client negotiated.
    #[must_use]
    pub fn alpn(self) -> Option<&'a [u8]> {
        self.get(kind::ALPN)
    }

    /// The namespaces named, in the order sent, without the empty ones, which mean nothing. The
    /// last that is listed in `namespace_list` counts.
    pub fn netns(self) -> impl Iterator<Item = &'a str> + Clone {
        self.occurrences(kind::NETNS)
            .filter_map(|name| std::str::from_utf8(name).ok())
            .filter(|name| !name.is_empty())
    }

    /// The client's TLS session. `None` where none is told, and where the TLV is malformed:
    /// HAProxy accepts such a header, so we do.
    #[must_use]
    pub fn ssl(self) -> Option<Ssl<'a>> {
        let value = self.get(kind::SSL)?;
        let (&client, rest) = value.split_first()?;
        let (verify, rest) = rest.split_first_chunk::<4>()?;
        let tlvs = Self::framed(rest)?;
        Some(Ssl {
            client,
            verify: u32::from_be_bytes(*verify),
            version: tlvs.last_of(kind::SSL_VERSION),
            common_name: tlvs.last_of(kind::SSL_CN),
            key_alg: tlvs.last_of(kind::SSL_KEY_ALG),
            sig_alg: tlvs.last_of(kind::SSL_SIG_ALG),
            cipher: tlvs.last_of(kind::SSL_CIPHER),
        })
    }

    fn ssl_tlvs(self) -> Option<Self> {
        Self::framed(self.get(kind::SSL)?.get(5..)?)
    }

    fn last_of(self, kind: u8) -> Option<&'a [u8]> {
        self.iter()
            .filter(|tlv| tlv.0 == kind)
            .last()
            .map(|tlv| tlv.1)
    }
}

impl<'a> IntoIterator for Tlvs<'a> {
    type Item = (u8, &'a [u8]);
    type IntoIter = TlvIter<'a>;

    fn into_iter(self) -> TlvIter<'a> {
        self.iter()
    }
}

/// Iterates over TLVs as (type, value). See [`Tlvs::iter`].
#[derive(Debug, Clone)]
pub struct TlvIter<'a> {
    /// Left as it is where no whole TLV begins.
    rest: &'a [u8],
}

impl<'a> Iterator for TlvIter<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[kind, hi, lo], rest) = self.rest.split_first_chunk::<3>()?;
        let len = usize::from(u16::from_be_bytes([hi, lo]));
        let (value, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some((kind, value))
    }
}

/// Iterates over the values of one type. See [`Tlvs::occurrences`].
#[derive(Debug, Clone)]
pub struct Occurrences<'a> {
    tlvs: TlvIter<'a>,
    kind: u8,
}

impl<'a> Iterator for Occurrences<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.tlvs.find(|tlv| tlv.0 == self.kind).map(|tlv| tlv.1)
    }
}

/// What the SSL TLV tells of the client's TLS session; read from a header or to be sent in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ssl<'a> {
    /// Bits from [`ssl_client`]. 0: the client did not use TLS.
    pub client: u8,
    /// 0 if the client presented a certificate and it was verified.
    pub verify: u32,
    /// The TLS version's name, such as `TLSv1.3`.
    pub version: Option<&'a [u8]>,
    /// The common name of the client's certificate (option cert-cn).
    pub common_name: Option<&'a [u8]>,
    /// The key of the certificate that the listener showed, such as `RSA2048` (cert-key).
    pub key_alg: Option<&'a [u8]>,
    /// How that certificate is signed, such as `RSA-SHA256` (cert-sig).
    pub sig_alg: Option<&'a [u8]>,
    /// The cipher's name (ssl-cipher).
    pub cipher: Option<&'a [u8]>,
}

/// Whether a TLV's type admits its value.
pub(super) fn admits(kind: u8, value: &[u8]) -> bool {
    match kind {
        kind::AUTHORITY => value.len() <= AUTHORITY_MAX,
        kind::UNIQUE_ID => value.len() <= UNIQUE_ID_MAX,
        kind::CRC32C => value.len() == 4,
        kind::NETNS => value.iter().all(|&b| b.is_ascii() && b != 0),
        _ => true,
    }
}

/// Checks the values of `tlvs`, which end `header`, and its checksum if it has one.
pub(super) fn check(header: &[u8], tlvs: Tlvs<'_>) -> Result<(), Error> {
    let mut crc = None;
    let mut iter = tlvs.iter();
    while let Some((kind, value)) = iter.next() {
        if !admits(kind, value) {
            return Err(Error::BadTlv);
        }
        if kind == kind::CRC32C {
            // Two checksums cannot both hold, and checking each of thousands would let a
            // stranger buy seconds of our time with one header.
            if crc.replace((value, iter.rest)).is_some() {
                return Err(Error::BadTlv);
            }
        }
    }
    let Some((sent, behind)) = crc else {
        return Ok(());
    };
    let ahead = header.len() - behind.len() - sent.len();
    let ahead = header.get(..ahead).unwrap_or_default();
    let computed = crc32c::checksum(&[ahead, &[0; 4], behind]);
    if sent == computed.to_be_bytes() {
        Ok(())
    } else {
        Err(Error::BadCrc)
    }
}
