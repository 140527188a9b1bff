//! Blocks in: fields out.

use super::OVERHEAD;
use super::dynamic::Dynamic;
use super::huffman::huffman_decode;
use super::integer;
use super::static_table::STATIC;
use crate::http1::Span;

/// Why a block cannot be decoded. Each ends the connection with COMPRESSION_ERROR (RFC 9113,
/// 4.3), as both tables may be out of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// The block ends inside a field.
    Truncated,
    /// An integer is larger than 32 bits or goes on for too long (RFC 7541, 5.1).
    IntegerOverflow,
    /// EOS, or wrong padding, in a Huffman string (RFC 7541, 5.2).
    Huffman,
    /// An index behind both tables, or zero (RFC 7541, 2.3.3 and 6.1).
    Index,
    /// A table size above what we allow, or behind a field (RFC 7541, 4.2 and 6.3).
    SizeUpdate,
    /// The table had to become smaller and the block does not begin by saying so (RFC 7541, 4.2).
    SizeUpdateMissing,
}

/// Takes the fields of a block.
pub trait Sink {
    /// Where names and values are to be appended.
    fn text(&mut self) -> &mut Vec<u8>;
    /// Whether a field of so many bytes is still wanted. It is asked before a field is copied
    /// from a table; where it says no, the field is left out.
    fn wants(&mut self, bytes: usize) -> bool;
    /// A field stands at the end of the text, its value right behind its name.
    fn field(&mut self, name: Span, value: Span);
}

/// The receiving end's table.
#[derive(Debug)]
pub struct Decoder {
    table: Dynamic,
    /// What our SETTINGS allow, once they are acknowledged.
    allowed: usize,
    /// The next block must begin with a size update, as the table has to become smaller.
    must_shrink: bool,
}

impl Decoder {
    /// A decoder whose table may hold `limit` bytes.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self {
            table: Dynamic::new(limit as usize),
            allowed: limit as usize,
            must_shrink: false,
        }
    }

    /// The limit changes: to be called when the peer acknowledges it.
    pub fn set_limit(&mut self, limit: u32) {
        self.allowed = limit as usize;
        self.must_shrink = self.table.limit() > self.allowed;
    }

    /// Decodes one whole block.
    ///
    /// # Errors
    /// Whatever leaves the table out of step with the sender's; the decoder is of no use behind.
    pub fn decode(&mut self, block: &[u8], sink: &mut impl Sink) -> Result<(), DecodeError> {
        let mut rest = block;
        self.size_updates(&mut rest)?;
        while let Some((first, behind)) = rest.split_first() {
            rest = behind;
            match *first {
                0x80.. => {
                    let index = integer::read(*first, 7, &mut rest)?;
                    self.indexed(index, sink)?;
                }
                0x40.. => {
                    let index = integer::read(*first, 6, &mut rest)?;
                    let (name, value) = self.literal(index, &mut rest, sink.text())?;
                    let text: &[u8] = sink.text();
                    self.table.insert(name.of(text), value.of(text));
                    sink.field(name, value);
                }
                0x20.. => return Err(DecodeError::SizeUpdate),
                // Without indexing, and never indexed: the same to a receiver.
                _ => {
                    let index = integer::read(*first, 4, &mut rest)?;
                    let (name, value) = self.literal(index, &mut rest, sink.text())?;
                    sink.field(name, value);
                }
            }
        }
        Ok(())
    }

    /// The size updates that a block may begin with (RFC 7541, 4.2 and 6.3).
    fn size_updates(&mut self, rest: &mut &[u8]) -> Result<(), DecodeError> {
        while let Some((first @ 0x20..=0x3f, behind)) = rest.split_first() {
            *rest = behind;
            let size = integer::read(*first, 5, rest)? as usize;
            if size > self.allowed {
                return Err(DecodeError::SizeUpdate);
            }
            self.table.set_limit(size);
            self.must_shrink = false;
        }
        match self.must_shrink {
            true => Err(DecodeError::SizeUpdateMissing),
            false => Ok(()),
        }
    }

    #[inline]
    fn entry(&self, index: u32) -> Result<(&[u8], &[u8]), DecodeError> {
        let place = (index as usize).checked_sub(1).ok_or(DecodeError::Index)?;
        match STATIC.get(place) {
            Some(entry) => Ok(*entry),
            None => self
                .table
                .get(place - STATIC.len())
                .ok_or(DecodeError::Index),
        }
    }

    #[inline]
    fn indexed(&self, index: u32, sink: &mut impl Sink) -> Result<(), DecodeError> {
        let (name, value) = self.entry(index)?;
        if !sink.wants(name.len() + value.len() + OVERHEAD) {
            return Ok(());
        }
        let text = sink.text();
        let start = text.len();
        text.extend_from_slice(name);
        let middle = text.len();
        text.extend_from_slice(value);
        let end = text.len();
        sink.field(Span::new(start, middle), Span::new(middle, end));
        Ok(())
    }

    #[inline]
    fn literal(
        &self,
        index: u32,
        rest: &mut &[u8],
        text: &mut Vec<u8>,
    ) -> Result<(Span, Span), DecodeError> {
        let start = text.len();
        match index {
            0 => string(rest, text)?,
            index => text.extend_from_slice(self.entry(index)?.0),
        }
        let middle = text.len();
        string(rest, text)?;
        let end = text.len();
        Ok((Span::new(start, middle), Span::new(middle, end)))
    }
}

/// Appends a string (RFC 7541, 5.2) to the text.
#[inline]
fn string(rest: &mut &[u8], text: &mut Vec<u8>) -> Result<(), DecodeError> {
    let (first, behind) = rest.split_first().ok_or(DecodeError::Truncated)?;
    *rest = behind;
    let length = integer::read(*first, 7, rest)? as usize;
    let (coded, behind) = rest
        .split_at_checked(length)
        .ok_or(DecodeError::Truncated)?;
    *rest = behind;
    if first & 0x80 != 0 {
        return huffman_decode(coded, text);
    }
    text.extend_from_slice(coded);
    Ok(())
}
