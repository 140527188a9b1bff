//! Keys: what a table's entries are found by, brought into the form of the table's type (manual,
//! `stick-table type`).

use std::net::{Ipv4Addr, Ipv6Addr};

/// The type of a table's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// `ip`: IPv4 addresses.
    Ip,
    /// `ipv6`
    Ipv6,
    /// `integer`: 32 bits.
    Integer,
    /// `string len N`: longer ones are cut.
    Text {
        /// Bytes at most.
        len: usize,
    },
    /// `binary len N`: longer ones are cut, shorter ones end with zeros.
    Binary {
        /// Bytes.
        len: usize,
    },
}

/// What a key is made of, or what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// An integer.
    Integer(i64),
    /// Text or bytes.
    Bytes(&'a [u8]),
}

/// Keys that are no longer stand without an allocation.
const INLINE: usize = 40;

/// A key as a table keeps it.
#[derive(Debug, Clone)]
pub struct Key {
    short: [u8; INLINE],
    len: usize,
    long: Vec<u8>,
}

impl Key {
    fn new(bytes: &[u8]) -> Self {
        let mut key = Self {
            short: [0; INLINE],
            len: 0,
            long: Vec::new(),
        };
        key.push(bytes);
        key
    }

    fn push(&mut self, bytes: &[u8]) {
        if !self.long.is_empty() {
            self.long.extend_from_slice(bytes);
            return;
        }
        let end = self.len + bytes.len();
        if let Some(space) = self.short.get_mut(self.len..end) {
            space.copy_from_slice(bytes);
            self.len = end;
        } else {
            let held = self.short.get(..self.len).unwrap_or_default();
            self.long = [held, bytes].concat();
        }
    }

    fn pad(&mut self, len: usize) {
        while self.as_bytes().len() < len {
            let missing = len - self.as_bytes().len();
            let zeros = [0; INLINE];
            self.push(zeros.get(..missing).unwrap_or(&zeros));
        }
    }

    /// The bytes that tell keys apart.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        if self.long.is_empty() {
            self.short.get(..self.len).unwrap_or_default()
        } else {
            &self.long
        }
    }
}

impl KeyType {
    /// The key that a value is; `None` if it cannot be one: an IPv6 address that is no IPv4 one in a table of
    /// those, and empty text. With `namespace` it is a key of that namespace alone, also of the default one,
    /// whose name is empty.
    #[must_use]
    pub fn key(self, value: Value<'_>, namespace: Option<&[u8]>) -> Option<Key> {
        let mut key = match (self, value) {
            (Self::Ip, Value::Ipv4(ip)) => Key::new(&ip.octets()),
            (Self::Ip, Value::Ipv6(ip)) => Key::new(&ip.to_ipv4_mapped()?.octets()),
            (Self::Ipv6, Value::Ipv4(ip)) => Key::new(&ip.to_ipv6_mapped().octets()),
            (Self::Ipv6, Value::Ipv6(ip)) => Key::new(&ip.octets()),
            // As HAProxy keeps them, only 32 bits count.
            (Self::Integer, Value::Integer(value)) => Key::new(&(value as u32).to_be_bytes()),
            (Self::Text { len }, Value::Bytes(bytes)) => {
                let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
                let bytes = bytes.get(..len).unwrap_or(bytes);
                if bytes.is_empty() {
                    return None;
                }
                Key::new(bytes)
            }
            (Self::Binary { len }, Value::Bytes(bytes)) => {
                let mut key = Key::new(bytes.get(..len).unwrap_or(bytes));
                key.pad(len);
                key
            }
            _ => return None,
        };
        if let Some(namespace) = namespace.filter(|name| !name.is_empty()) {
            key.push(&[0]);
            key.push(namespace);
        }
        Some(key)
    }

    /// What the bytes of a key say, and the namespace that it belongs to (empty: the default one).
    #[must_use]
    pub fn parts(self, key: &[u8]) -> (Value<'_>, &[u8]) {
        let len = match self {
            Self::Ip | Self::Integer => 4,
            Self::Ipv6 => 16,
            Self::Text { .. } => key.iter().position(|byte| *byte == 0).unwrap_or(key.len()),
            Self::Binary { len } => len,
        };
        let (own, rest) = key.split_at_checked(len).unwrap_or((key, &[]));
        let four = || <[u8; 4]>::try_from(own).unwrap_or_default();
        let value = match self {
            Self::Ip => Value::Ipv4(four().into()),
            Self::Ipv6 => Value::Ipv6(<[u8; 16]>::try_from(own).unwrap_or_default().into()),
            Self::Integer => Value::Integer(i64::from(u32::from_be_bytes(four()))),
            Self::Text { .. } | Self::Binary { .. } => Value::Bytes(own),
        };
        (value, rest.get(1..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_the_form_of_the_type() {
        let text = KeyType::Text { len: 3 };
        let binary = KeyType::Binary { len: 3 };
        let v4 = Value::Ipv4(Ipv4Addr::new(1, 2, 3, 4));
        let v6 = Value::Ipv6(Ipv4Addr::new(1, 2, 3, 4).to_ipv6_mapped());
        for (kind, value, expected) in [
            (KeyType::Ip, v4, Some(v4)),
            (KeyType::Ip, v6, Some(v4)),
            (KeyType::Ip, Value::Ipv6(Ipv6Addr::LOCALHOST), None),
            (KeyType::Ip, Value::Integer(1), None),
            (KeyType::Ipv6, v4, Some(v6)),
            (
                KeyType::Integer,
                Value::Integer(-1),
                Some(Value::Integer(0xffff_ffff)),
            ),
            (text, Value::Bytes(b"abcd"), Some(Value::Bytes(b"abc"))),
            (text, Value::Bytes(b"a\0b"), Some(Value::Bytes(b"a"))),
            (text, Value::Bytes(b""), None),
            (binary, Value::Bytes(b"a"), Some(Value::Bytes(b"a\0\0"))),
            (binary, Value::Bytes(b"abcd"), Some(Value::Bytes(b"abc"))),
        ] {
            for namespace in [&b""[..], b"red"] {
                let key = kind.key(value, Some(namespace));
                assert_eq!(key.is_some(), expected.is_some(), "{kind:?} {value:?}");
                if let (Some(key), Some(expected)) = (key, expected) {
                    assert_eq!(kind.parts(key.as_bytes()), (expected, namespace));
                }
            }
        }
    }

    #[test]
    fn long_keys_are_kept_whole() {
        let kind = KeyType::Text { len: 4096 };
        let long = vec![b'x'; 3000];
        let key = kind.key(Value::Bytes(&long), Some(b"blue")).expect("a key");
        assert_eq!(
            kind.parts(key.as_bytes()),
            (Value::Bytes(&long), &b"blue"[..])
        );
        let padded = KeyType::Binary { len: 100 }.key(Value::Bytes(b"a"), None);
        assert_eq!(padded.expect("a key").as_bytes().len(), 100);
    }
}
