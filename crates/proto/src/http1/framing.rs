//! The fields that say where a message ends. They are the sender's own: what rules made of them is
//! undone before a head is sent, or the receiver would find another end than the sender's
//! (RFC 9112, 11.2).

use super::fields::Fields;
use super::rewrite::Rewrite;
use crate::http::{FieldName, elements};

impl Rewrite {
    /// Undoes all that was done to Content-Length and Transfer-Encoding. True if Connection was
    /// added or changed so that it says `close`; of what was added such a field is taken out, as
    /// whoever sends the head adds its own.
    pub fn undo_framing(&mut self, fields: &Fields) -> bool {
        if self.edits.is_empty() && self.added.is_empty() {
            return false;
        }
        let known = |field: u32| fields.as_slice().get(field as usize).map(|f| f.known);
        self.edits.retain(|edit| {
            !matches!(
                known(edit.field),
                Some(FieldName::ContentLength | FieldName::TransferEncoding)
            )
        });
        let says_close = |value: &[u8]| elements(value).any(|e| e.eq_ignore_ascii_case(b"close"));
        let mut closes = self.edits.iter().any(|edit| {
            let value = edit.value.as_ref().map(|value| self.text(value));
            known(edit.field) == Some(FieldName::Connection) && value.is_some_and(says_close)
        });
        let mut added = std::mem::take(&mut self.added);
        for line in added.iter_mut().filter(|line| !line.removed) {
            match self.text(&line.name) {
                b"content-length" | b"transfer-encoding" => line.removed = true,
                b"connection" if says_close(self.text(&line.value)) => {
                    line.removed = true;
                    closes = true;
                }
                _ => {}
            }
        }
        self.added = added;
        closes
    }

    /// Leaves Content-Length and Transfer-Encoding out.
    pub fn remove_framing(&mut self, fields: &Fields) {
        for (index, field) in (0..).zip(fields.as_slice()) {
            if matches!(
                field.known,
                FieldName::ContentLength | FieldName::TransferEncoding
            ) {
                self.remove(super::rewrite::FieldId::Received(index));
            }
        }
    }
}
