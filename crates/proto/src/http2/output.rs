//! What waits to be written.

use super::code::ErrorCode;
use super::frame::{FrameHead, HEAD, kind};

/// Bytes in the order in which they are to be written. Its memory is used again; the caller
/// bounds how much is put in.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    sent: usize,
}

impl Output {
    /// All that waits.
    pub fn pending(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// So many bytes were written.
    pub fn sent(&mut self, count: usize) {
        self.sent = (self.sent + count).min(self.bytes.len());
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        } else if self.sent >= 65536 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Gives memory back that nothing needs.
    pub fn shrink(&mut self) {
        if self.len() == 0 {
            *self = Self::default();
        }
    }

    /// The end, to append to.
    pub fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let head = FrameHead {
            length: payload.len() as u32,
            kind,
            flags,
            stream,
        };
        self.bytes.reserve(HEAD + payload.len());
        self.bytes.extend_from_slice(&head.bytes());
        self.bytes.extend_from_slice(payload);
    }

    pub fn window_update(&mut self, stream: u32, by: u32) {
        self.frame(kind::WINDOW_UPDATE, 0, stream, &by.to_be_bytes());
    }

    pub fn rst_stream(&mut self, stream: u32, code: ErrorCode) {
        self.frame(kind::RST_STREAM, 0, stream, &code.0.to_be_bytes());
    }

    pub fn goaway(&mut self, last: u32, code: ErrorCode) {
        let mut payload = [0; 8];
        let (stream, reason) = payload.split_at_mut(4);
        stream.copy_from_slice(&last.to_be_bytes());
        reason.copy_from_slice(&code.0.to_be_bytes());
        self.frame(kind::GOAWAY, 0, 0, &payload);
    }
}
