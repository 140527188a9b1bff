//! Just enough DER (X.690) to look into a certificate (RFC 5280). Whatever the bytes are, reading them ends.

/// Tags of the values that certificates are made of.
pub mod tag {
    /// A whole number.
    pub const INTEGER: u8 = 0x02;
    /// Bits.
    pub const BIT_STRING: u8 = 0x03;
    /// A choice.
    pub const ENUMERATED: u8 = 0x0a;
    /// Text in UTF-8.
    pub const UTF8_STRING: u8 = 0x0c;
    /// Bytes.
    pub const OCTET_STRING: u8 = 0x04;
    /// An object identifier.
    pub const OID: u8 = 0x06;
    /// A time with two digits of the year.
    pub const UTC_TIME: u8 = 0x17;
    /// A time with four digits of the year.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// Text in UTF-16.
    pub const BMP_STRING: u8 = 0x1e;
    /// Values in order.
    pub const SEQUENCE: u8 = 0x30;
    /// Values in no order.
    pub const SET: u8 = 0x31;
    /// A truth value.
    pub const BOOLEAN: u8 = 0x01;
}

/// One value: its tag, what it holds, and all of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    /// Its tag.
    pub tag: u8,
    /// What it holds.
    pub content: &'a [u8],
    /// All of its bytes.
    pub whole: &'a [u8],
}

impl<'a> Value<'a> {
    /// The values inside a constructed one.
    #[must_use]
    pub fn inside(self) -> Values<'a> {
        Values(self.content)
    }
}

/// Values that follow each other. Iteration ends where the bytes are no DER.
#[derive(Debug, Clone)]
pub struct Values<'a>(pub &'a [u8]);

impl<'a> Values<'a> {
    /// The next value, if it has this tag; otherwise nothing is taken.
    pub fn of(&mut self, tag: u8) -> Option<Value<'a>> {
        let mut ahead = self.clone();
        let value = ahead.next().filter(|value| value.tag == tag)?;
        *self = ahead;
        Some(value)
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let all = self.0;
        let (&tag, rest) = all.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            // Four bytes are more than any certificate needs.
            if digits.len() > 4 {
                return None;
            }
            let length = digits
                .iter()
                .fold(0, |sum, &digit| (sum << 8) | usize::from(digit));
            (length, rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        let whole = all.get(..all.len() - rest.len())?;
        Some(Value {
            tag,
            content,
            whole,
        })
    }
}

/// The bytes of a value that holds some parts one after the other.
pub fn write(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => bytes.push(length),
        _ => {
            let digits = content.len().to_be_bytes();
            let digits: Vec<u8> = digits.into_iter().skip_while(|&digit| digit == 0).collect();
            // A length in memory has at most eight digits.
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
            bytes.extend(digits);
        }
    }
    bytes.extend(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_one_after_the_other() {
        let mut values = Values(&[0x02, 0x01, 0x05, 0x04, 0x81, 0x01, 0xff]);
        assert_eq!(values.of(tag::OID), None);
        assert_eq!(values.next().unwrap().content, [5]);
        assert_eq!(values.of(tag::OCTET_STRING).unwrap().content, [0xff]);
        assert_eq!(values.next(), None);
    }

    #[test]
    fn what_is_written_can_be_read() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let bytes = write(tag::SEQUENCE, &[&content, &[1]]);
            let mut values = Values(&bytes);
            let value = values.of(tag::SEQUENCE).unwrap();
            assert_eq!(value.content.len(), length + 1);
            assert_eq!(value.whole, bytes);
            assert!(values.next().is_none());
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_no_value() {
        for bytes in [
            &[0x30, 0x05, 0x00][..],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1],
            &[0x30, 0x80],
            &[0x30],
        ] {
            let mut values = Values(bytes);
            assert!(values.next().is_none_or(|value| value.content.is_empty()));
        }
    }
}
