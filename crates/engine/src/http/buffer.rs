//! The bytes of a message's head, and of what came with it. The head's spans point into them, so
//! nothing moves while the exchange lasts.

/// Bytes received, in space that is used again.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    space: Vec<u8>,
    filled: usize,
}

impl Buffer {
    /// Makes room for `size` bytes in all; what is there stays.
    pub(crate) fn fit(&mut self, size: usize) {
        if self.space.len() < size {
            self.space.resize(size, 0);
        }
    }

    /// What was received.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.space.get(..self.filled).unwrap_or_default()
    }

    /// The same, to be read in place.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.space.get_mut(..self.filled).unwrap_or_default()
    }

    /// What was received behind a place.
    pub(crate) fn behind(&self, at: usize) -> &[u8] {
        self.bytes().get(at..).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.filled
    }

    /// Where the next bytes go.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.space.get_mut(self.filled..).unwrap_or_default()
    }

    /// Takes note of bytes that were put into the room.
    pub(crate) fn filled(&mut self, count: usize) {
        self.filled = (self.filled + count).min(self.space.len());
    }

    /// Puts bytes behind those that are there, whatever room there was.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.fit(self.filled + bytes.len());
        if let Some(room) = self.room().get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
            self.filled += bytes.len();
        }
    }

    /// Forgets what stands before a place: what is behind becomes the start.
    pub(crate) fn keep_from(&mut self, at: usize) {
        let at = at.min(self.filled);
        self.space.copy_within(at..self.filled, 0);
        self.filled -= at;
    }

    /// Forgets everything. Space beyond `most` bytes is given back.
    pub(crate) fn clear(&mut self, most: usize) {
        self.filled = 0;
        if self.space.len() > most {
            self.space.truncate(most);
            self.space.shrink_to_fit();
        }
    }
}
