//! Bytes that wait: read and not yet written, or must be looked at before they are.

/// Bytes that wait for whoever is to have them, taken from the front.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    bytes: Vec<u8>,
    start: usize,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.start >= self.bytes.len()
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Puts bytes behind those that are there.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Puts bytes before those that are there.
    pub(crate) fn push_front(&mut self, bytes: &[u8]) {
        self.bytes.splice(..self.start, bytes.iter().copied());
        self.start = 0;
    }

    /// Moves bytes from the front into a space: how many.
    pub(crate) fn take(&mut self, space: &mut [u8]) -> usize {
        let held = self.as_slice();
        let count = held.len().min(space.len());
        if let (Some(to), Some(from)) = (space.get_mut(..count), held.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        count
    }

    /// The buffer, to put bytes behind those that are there.
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.start)
    }

    /// Forgets bytes at the front; when all are gone, so is their memory.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.is_empty() {
            *self = Self::default();
        }
    }
}
