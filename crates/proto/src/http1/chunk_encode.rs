//! Writes chunks (RFC 9112, 7.1). Data is never copied: it goes between these.

/// Behind a chunk's data.
pub const CHUNK_END: &[u8] = b"\r\n";
/// Ends a body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
/// Ends a body's data where [`super::Trailers::write`] follows.
pub const LAST_CHUNK_BEFORE_TRAILERS: &[u8] = b"0\r\n";

/// The line before a chunk's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkHead {
    text: [u8; 18],
    start: u8,
}

impl ChunkHead {
    /// The line for so many bytes of data. There must be some: zero would end the body.
    #[must_use]
    pub fn new(size: std::num::NonZeroU64) -> Self {
        let mut text = [b'0'; 18];
        let mut left = size.get();
        let mut start = 18_u8;
        for (back, place) in text.iter_mut().rev().enumerate() {
            *place = match back {
                0 => b'\n',
                1 => b'\r',
                _ if left == 0 => break,
                _ => {
                    let digit = (left & 15) as u8;
                    left >>= 4;
                    digit + if digit < 10 { b'0' } else { b'a' - 10 }
                }
            };
            start -= 1;
        }
        Self { text, start }
    }
}

impl AsRef<[u8]> for ChunkHead {
    fn as_ref(&self) -> &[u8] {
        self.text.get(self.start.into()..).unwrap_or_default()
    }
}
