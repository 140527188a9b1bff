//! Just enough DER (X.690) to look into a certificate. Whatever the bytes are, reading them ends.

/// Tags of the values that certificates are made of.
pub(crate) mod tag {
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const BMP_STRING: u8 = 0x1e;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    pub(crate) const BOOLEAN: u8 = 0x01;
}

/// One value: its tag and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
}

impl<'a> Value<'a> {
    /// The values inside a constructed one.
    pub(crate) fn inside(self) -> Values<'a> {
        Values(self.content)
    }
}

/// Values that follow each other. Iteration ends where the bytes are no DER.
#[derive(Debug, Clone)]
pub(crate) struct Values<'a>(pub(crate) &'a [u8]);

impl<'a> Values<'a> {
    /// The next value, if it has this tag; otherwise nothing is taken.
    pub(crate) fn of(&mut self, tag: u8) -> Option<Value<'a>> {
        let mut ahead = self.clone();
        let value = ahead.next().filter(|value| value.tag == tag)?;
        *self = ahead;
        Some(value)
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let (&tag, rest) = self.0.split_first()?;
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
        Some(Value { tag, content })
    }
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
