//! The first handshake message of a stream, put together from the records that carry it.

use std::borrow::Cow;

/// The bytes are no TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTls;

/// A handshake message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its type: 1 is a ClientHello, 2 a ServerHello.
    pub kind: u8,
    /// What stands behind type and length; copied only where several records carry it.
    pub body: Cow<'a, [u8]>,
}

/// The type of records that carry handshake messages.
const HANDSHAKE: u8 = 22;
/// The most bytes that a record may carry in the clear (RFC 8446, 5.1).
const MOST: usize = 1 << 14;

impl<'a> Message<'a> {
    /// Reads the message at the start of a stream; `None` until it is whole.
    ///
    /// # Errors
    /// The stream begins with something else.
    pub fn read(stream: &'a [u8]) -> Result<Option<Self>, NotTls> {
        let Some((first, mut rest)) = record(stream)? else {
            return Ok(None);
        };
        let mut message = Cow::Borrowed(first);
        loop {
            if let Some((head, body)) = message.split_first_chunk::<4>() {
                let [kind, high, middle, low] = *head;
                let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
                if body.len() >= length {
                    let body = match message {
                        Cow::Borrowed(text) => {
                            Cow::Borrowed(text.get(4..4 + length).unwrap_or_default())
                        }
                        Cow::Owned(text) => {
                            Cow::Owned(text.get(4..4 + length).unwrap_or_default().to_vec())
                        }
                    };
                    return Ok(Some(Self { kind, body }));
                }
            }
            let Some((next, behind)) = record(rest)? else {
                return Ok(None);
            };
            message.to_mut().extend_from_slice(next);
            rest = behind;
        }
    }
}

/// A record's content, and what is behind it.
type Record<'a> = (&'a [u8], &'a [u8]);

/// The first record; `None` until it is whole.
fn record(stream: &[u8]) -> Result<Option<Record<'_>>, NotTls> {
    let expected = [HANDSHAKE, 3];
    if stream
        .iter()
        .zip(expected)
        .any(|(byte, expected)| *byte != expected)
    {
        return Err(NotTls);
    }
    let Some(([_, _, _, high, low], rest)) = stream.split_first_chunk::<5>() else {
        return Ok(None);
    };
    let length = usize::from(*high) << 8 | usize::from(*low);
    if length == 0 || length > MOST {
        return Err(NotTls);
    }
    Ok(rest.split_at_checked(length))
}
