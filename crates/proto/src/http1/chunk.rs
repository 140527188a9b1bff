//! Takes chunks apart (RFC 9112, 7.1), whatever pieces they come in.
//!
//! ```text
//! Size ─blank─▶ Padding ─;─▶ Extension ◀─"─▶ Quoted ◀─\─▶ Escaped
//!   └─;────────────┼─────────▶ │
//!   └─────CR───────┴────CR─────┴─▶ SizeLf ─LF─▶ Data ─all─▶ DataCr ─CR─▶ DataLf ─LF─▶ Size
//!                                    └──LF, size 0──▶ Last
//! ```

use std::ops::Range;

use super::error::{Error, ErrorKind};
use super::rules::Rules;

/// The most digits of a size; leading zeros count.
const MOST_DIGITS: u8 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Padding,
    Extension,
    Quoted,
    Escaped,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Last,
}

/// Where a chunked body's reading stands.
#[derive(Debug, Clone, Copy)]
pub struct Chunks {
    state: State,
    digits: u8,
    /// Of the size while it is read, then of the data that is still to come.
    left: u64,
    overhead: u32,
}

/// What [`Chunks::decode`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// How many bytes of the input are done with, data included. The rest is for the next call.
    pub used: usize,
    /// Which of them are data; may be empty.
    pub data: Range<usize>,
    /// The last chunk is read: what follows is for [`super::Trailers`].
    pub last: bool,
}

impl Chunks {
    /// At the first chunk.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        Self {
            state: State::Size,
            digits: 0,
            left: 0,
            overhead: rules.overhead,
        }
    }

    /// How much more data the chunk has that is being read: so much may be moved past this
    /// decoder, by splice(2), if [`Chunks::skip`] is told.
    #[must_use]
    pub fn left(&self) -> u64 {
        match self.state {
            State::Data => self.left,
            _ => 0,
        }
    }

    /// Counts data that was moved without being shown; more than is left counts as what is left.
    pub fn skip(&mut self, moved: u64) {
        if self.state == State::Data {
            self.left = self.left.saturating_sub(moved);
            if self.left == 0 {
                self.state = State::DataCr;
            }
        }
    }

    /// What trailers may still take of `Rules::overhead`.
    #[must_use]
    pub fn overhead_left(&self) -> u32 {
        self.overhead
    }

    /// Reads up to the end of the next run of data, of the last chunk, or of the input. Call
    /// again with what is left of the input until there is nothing or `last` is said.
    ///
    /// # Errors
    /// What is wrong, at its offset in this input. Nothing of the message may follow then.
    pub fn decode(&mut self, input: &[u8]) -> Result<Piece, Error> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            match self.state {
                State::Data => return Ok(self.data(input.len(), at)),
                State::Last => break,
                _ => self.frame(byte, at)?,
            }
            at += 1;
            if self.state == State::Last {
                break;
            }
        }
        Ok(Piece {
            used: at,
            data: at..at,
            last: self.state == State::Last,
        })
    }

    fn data(&mut self, len: usize, at: usize) -> Piece {
        let here = (len - at) as u64;
        let end = at + self.left.min(here) as usize;
        self.skip(here);
        Piece {
            used: end,
            data: at..end,
            last: false,
        }
    }

    /// Takes a byte that is not data.
    #[inline]
    fn frame(&mut self, byte: u8, at: usize) -> Result<(), Error> {
        self.state = match self.state {
            State::Size => return self.size(byte, at),
            State::Padding => match byte {
                b' ' | b'\t' => self.spend(State::Padding, at)?,
                b';' => self.spend(State::Extension, at)?,
                b'\r' => State::SizeLf,
                b'\n' => return Err(ErrorKind::BareLf.at(at)),
                _ => return Err(ErrorKind::BadChunkSize.at(at)),
            },
            State::Extension => match byte {
                b'\r' => State::SizeLf,
                b'"' => self.spend(State::Quoted, at)?,
                _ => self.extension(State::Extension, byte, at)?,
            },
            State::Quoted => match byte {
                b'"' => self.spend(State::Extension, at)?,
                b'\\' => self.spend(State::Escaped, at)?,
                _ => self.extension(State::Quoted, byte, at)?,
            },
            State::Escaped => self.extension(State::Quoted, byte, at)?,
            State::SizeLf if byte == b'\n' => {
                self.digits = 0;
                match self.left {
                    0 => State::Last,
                    _ => State::Data,
                }
            }
            State::SizeLf => return Err(ErrorKind::BareCr.at(at)),
            State::DataCr if byte == b'\r' => State::DataLf,
            State::DataLf if byte == b'\n' => State::Size,
            _ => return Err(ErrorKind::BadChunkEnd.at(at)),
        };
        Ok(())
    }

    #[inline]
    fn size(&mut self, byte: u8, at: usize) -> Result<(), Error> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return self.size_end(byte, at),
        };
        if self.digits == MOST_DIGITS || self.left >= 1 << 59 {
            return Err(ErrorKind::HugeChunk.at(at));
        }
        self.digits += 1;
        self.left = self.left << 4 | u64::from(digit);
        Ok(())
    }

    /// Takes the byte behind a size's digits.
    fn size_end(&mut self, byte: u8, at: usize) -> Result<(), Error> {
        self.state = match byte {
            _ if self.digits == 0 => return Err(ErrorKind::BadChunkSize.at(at)),
            b'\r' => State::SizeLf,
            b';' => self.spend(State::Extension, at)?,
            b' ' | b'\t' => self.spend(State::Padding, at)?,
            b'\n' => return Err(ErrorKind::BareLf.at(at)),
            _ => return Err(ErrorKind::BadChunkSize.at(at)),
        };
        Ok(())
    }

    /// Takes a byte of an extension, all of which are dropped.
    fn extension(&mut self, next: State, byte: u8, at: usize) -> Result<State, Error> {
        match byte {
            b'\n' => Err(ErrorKind::BareLf.at(at)),
            b'\t' | b' '..=b'~' | 0x80.. => self.spend(next, at),
            _ => Err(ErrorKind::BadExtension.at(at)),
        }
    }

    fn spend(&mut self, next: State, at: usize) -> Result<State, Error> {
        self.overhead = self
            .overhead
            .checked_sub(1)
            .ok_or(ErrorKind::Overhead.at(at))?;
        Ok(next)
    }
}
