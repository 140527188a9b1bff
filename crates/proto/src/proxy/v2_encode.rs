//! Writing version 2. The order of the TLVs is HAProxy's, so that headers can be compared with
//! its headers byte by byte: CRC32C, ALPN, authority, unique-id, SSL, custom ones, NETNS.

use std::net::{IpAddr, SocketAddr};

use super::v2::{FIXED_LEN, SIGNATURE, UNIX_LEN};
use super::{Addresses, Command, Error, Ssl, Transport, crc32c, kind, tlv, v1};

/// A version 2 header to be sent. The default is what HAProxy's checks send: LOCAL, no TLVs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct V2<'a> {
    /// On whose behalf the connection is made. HAProxy says LOCAL for checks, and for clients on
    /// UNIX sockets.
    pub command: Command,
    /// The client's connection; `None` sends an unspecified family. Not sent with LOCAL.
    pub addresses: Option<Addresses<'a>>,
    /// Whether to add the header's checksum (proxy-v2-options crc32c).
    pub crc32c: bool,
    /// The protocol that the client negotiated, which HAProxy sends without being asked.
    pub alpn: Option<&'a [u8]>,
    /// The host name that the client asked for, at most 255 bytes (authority).
    pub authority: Option<&'a [u8]>,
    /// The connection's identifier, at most 128 bytes (unique-id). HAProxy sends an empty one
    /// where the frontend has no unique-id-format, and cuts long ones at 127 bytes.
    pub unique_id: Option<&'a [u8]>,
    /// The client's TLS session (ssl). HAProxy sends an all-zero one for clients without TLS.
    pub ssl: Option<Ssl<'a>>,
    /// Further TLVs as (type, value), in this order (set-proxy-v2-tlv-fmt).
    pub custom: &'a [(u8, &'a [u8])],
    /// The name of the client's namespace, never the server's: the next proxy must be able to
    /// tell tenants apart.
    pub netns: Option<&'a str>,
}

impl V2<'_> {
    /// Appends the header to `out`, whose capacity is all that may have to grow.
    ///
    /// # Errors
    /// [`Error::BadTlv`] for a value that its type does not admit or a CRC32C among the custom
    /// TLVs, [`Error::BadLength`] for a UNIX path over 108 bytes, [`Error::TooLong`] if the
    /// length field cannot hold the length. `out` is then as it was.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        let result = self.append(out, start);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    fn append(&self, out: &mut Vec<u8>, start: usize) -> Result<(), Error> {
        out.extend_from_slice(&SIGNATURE);
        match self.command {
            Command::Local => {
                out.push(0x20);
                append_addresses(out, None)?;
            }
            Command::Proxy => {
                out.push(0x21);
                append_addresses(out, self.addresses)?;
            }
        }
        let crc_at = out.len() + 3;
        self.append_tlvs(out)?;
        let body = out.len() - start - FIXED_LEN;
        let body = u16::try_from(body).map_err(|_| Error::TooLong)?;
        overwrite(out, start + 14, body.to_be_bytes());
        if self.crc32c {
            let header = out.get(start..).unwrap_or_default();
            let crc = crc32c::checksum(&[header]);
            overwrite(out, crc_at, crc.to_be_bytes());
        }
        Ok(())
    }

    fn append_tlvs(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.crc32c {
            append_tlv(out, kind::CRC32C, &[0; 4])?;
        }
        append_some(out, kind::ALPN, self.alpn)?;
        append_some(out, kind::AUTHORITY, self.authority)?;
        append_some(out, kind::UNIQUE_ID, self.unique_id)?;
        if let Some(ssl) = &self.ssl {
            append_ssl(out, ssl)?;
        }
        for &(kind, value) in self.custom {
            if kind == kind::CRC32C {
                return Err(Error::BadTlv);
            }
            append_tlv(out, kind, value)?;
        }
        append_some(out, kind::NETNS, self.netns.map(str::as_bytes))
    }
}

/// Appends the family byte, an empty length, and the addresses.
fn append_addresses(out: &mut Vec<u8>, addresses: Option<Addresses<'_>>) -> Result<(), Error> {
    match addresses {
        None => out.extend_from_slice(&[0x00, 0, 0]),
        Some(Addresses::Inet {
            src,
            dst,
            transport,
        }) => append_inet(out, src, dst, transport),
        Some(Addresses::Unix {
            src,
            dst,
            transport,
        }) => {
            out.extend_from_slice(&[0x30 | transport_bits(transport), 0, 0]);
            for path in [src, dst] {
                let padding = UNIX_LEN.checked_sub(path.len());
                let padding = padding.ok_or(Error::BadLength)?;
                out.extend_from_slice(path);
                out.resize(out.len() + padding, 0);
            }
        }
    }
    Ok(())
}

fn append_inet(out: &mut Vec<u8>, src: SocketAddr, dst: SocketAddr, transport: Transport) {
    let transport = transport_bits(transport);
    match (src.ip(), dst.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            out.extend_from_slice(&[0x10 | transport, 0, 0]);
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
        }
        (from, to) => {
            out.extend_from_slice(&[0x20 | transport, 0, 0]);
            out.extend_from_slice(&v1::mapped(from).octets());
            out.extend_from_slice(&v1::mapped(to).octets());
        }
    }
    out.extend_from_slice(&src.port().to_be_bytes());
    out.extend_from_slice(&dst.port().to_be_bytes());
}

fn transport_bits(transport: Transport) -> u8 {
    match transport {
        Transport::Stream => 1,
        Transport::Datagram => 2,
    }
}

fn append_tlv(out: &mut Vec<u8>, kind: u8, value: &[u8]) -> Result<(), Error> {
    if !tlv::admits(kind, value) {
        return Err(Error::BadTlv);
    }
    let len = u16::try_from(value.len()).map_err(|_| Error::TooLong)?;
    let [hi, lo] = len.to_be_bytes();
    out.extend_from_slice(&[kind, hi, lo]);
    out.extend_from_slice(value);
    Ok(())
}

fn append_some(out: &mut Vec<u8>, kind: u8, value: Option<&[u8]>) -> Result<(), Error> {
    value.map_or(Ok(()), |value| append_tlv(out, kind, value))
}

fn append_ssl(out: &mut Vec<u8>, ssl: &Ssl<'_>) -> Result<(), Error> {
    out.extend_from_slice(&[kind::SSL, 0, 0]);
    let start = out.len();
    out.push(ssl.client);
    out.extend_from_slice(&ssl.verify.to_be_bytes());
    append_some(out, kind::SSL_VERSION, ssl.version)?;
    append_some(out, kind::SSL_CN, ssl.common_name)?;
    append_some(out, kind::SSL_KEY_ALG, ssl.key_alg)?;
    append_some(out, kind::SSL_SIG_ALG, ssl.sig_alg)?;
    append_some(out, kind::SSL_CIPHER, ssl.cipher)?;
    let len = u16::try_from(out.len() - start).map_err(|_| Error::TooLong)?;
    overwrite(out, start - 2, len.to_be_bytes());
    Ok(())
}

/// Fills a field that was left empty until its value was known.
fn overwrite<const N: usize>(out: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(field) = out.get_mut(at..at + N) {
        field.copy_from_slice(&value);
    }
}
