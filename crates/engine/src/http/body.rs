//! Bodies on their way: what the sender's framing says, and how it is written for the receiver.

use isthmus_proto::http::Body;
use isthmus_proto::http1::{
    CHUNK_END, ChunkHead, Chunks, Error, ErrorKind, LAST_CHUNK_BEFORE_TRAILERS, Progress, Rules,
    Trailers,
};

/// Where the reading of a body stands.
#[derive(Debug, Default)]
pub(crate) enum Reading {
    /// All is read, or there is none.
    #[default]
    Done,
    /// So many bytes follow.
    Length(u64),
    /// Chunks follow.
    Chunks(Box<Chunked>),
    /// What follows ends with the connection.
    UntilClose,
}

/// A chunked body.
#[derive(Debug)]
pub(crate) struct Chunked {
    chunks: Chunks,
    rules: Rules,
    /// What came of the trailers so far, once the last chunk was read.
    behind: Option<Vec<u8>>,
    trailers: Trailers,
    /// Bytes of the last chunk and the trailers, once they are written.
    written: usize,
    /// The receiver gets no trailers.
    bare: bool,
}

/// How the receiver is told where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Writing {
    #[default]
    /// By its length, or by the end of the connection.
    Plain,
    /// By chunks.
    Chunks,
    /// Not at all: a filter frames the data, and the trailers that stand behind them.
    Data,
}

/// The end of a chunked body without trailers.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// What was made of some input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Bytes of the input that are done with.
    pub(crate) used: usize,
    /// Of those, so many at the start go out as they are; where it is 0, what goes out was made.
    pub(crate) as_is: usize,
    /// So many bytes at the end of what was made are the last chunk and the trailers, where the
    /// writing is `Data`.
    pub(crate) trailers: usize,
}

impl Taken {
    /// Input that goes out as it is.
    pub(crate) fn as_is(count: usize) -> Self {
        Self {
            used: count,
            as_is: count,
            trailers: 0,
        }
    }
}

impl Reading {
    /// The reading of a body that a head announces. A tunnel is none.
    pub(crate) fn of(body: Body, rules: &Rules) -> Self {
        match body {
            Body::None | Body::Tunnel => Self::Done,
            Body::Length(length) => Self::Length(length),
            Body::UntilClose => Self::UntilClose,
            Body::Chunked => Self::Chunks(Box::new(Chunked {
                chunks: Chunks::new(rules),
                rules: *rules,
                behind: None,
                trailers: Trailers::default(),
                written: 0,
                bare: false,
            })),
        }
    }

    /// Whether what is there of a body is well-formed. Nothing is taken.
    pub(crate) fn is_sound(body: Body, rules: &Rules, input: &[u8]) -> bool {
        if body != Body::Chunked {
            return true;
        }
        let mut chunks = Chunks::new(rules);
        let mut used = 0;
        while used < input.len() {
            let rest = input.get(used..).unwrap_or_default();
            let Ok(piece) = chunks.decode(rest) else {
                return false;
            };
            used += piece.used;
            if piece.last {
                let mut behind = input.get(used..).unwrap_or_default().to_vec();
                let overhead = chunks.overhead_left();
                return Trailers::default()
                    .read(&mut behind, rules, overhead)
                    .is_ok();
            }
        }
        true
    }

    /// Leaves trailers out, should there be any (`option http-drop-request-trailers` and its twin).
    pub(crate) fn drop_trailers(&mut self) {
        if let Self::Chunks(chunked) = self {
            chunked.bare = true;
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// How many bytes may be read at once without reading past the body's end; `None` where its
    /// end is not known beforehand.
    pub(crate) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            _ => None,
        }
    }

    /// Reads some input. What cannot go out as it is, is appended to `made`.
    ///
    /// # Errors
    /// The chunks are malformed.
    pub(crate) fn take(
        &mut self,
        input: &mut [u8],
        writing: Writing,
        made: &mut Vec<u8>,
    ) -> Result<Taken, Error> {
        match self {
            Self::UntilClose if writing == Writing::Chunks => {
                push_chunk(input, made);
                Ok(Taken {
                    used: input.len(),
                    as_is: 0,
                    trailers: 0,
                })
            }
            Self::Chunks(chunked) => {
                let (used, done) = chunked.take(input, writing, made)?;
                let trailers = chunked.written;
                if done {
                    *self = Self::Done;
                }
                Ok(Taken {
                    used,
                    as_is: 0,
                    trailers,
                })
            }
            _ => Ok(Taken::as_is(self.take_plain(input.len()).unwrap_or(0))),
        }
    }

    /// Takes as many of the next bytes as are data as they stand; `None` where chunks frame them.
    pub(crate) fn take_plain(&mut self, bytes: usize) -> Option<usize> {
        match self {
            Self::Done => Some(0),
            Self::UntilClose => Some(bytes),
            Self::Length(left) => {
                let count = usize::try_from(*left).map_or(bytes, |left| left.min(bytes));
                *left -= count as u64;
                if *left == 0 {
                    *self = Self::Done;
                }
                Some(count)
            }
            Self::Chunks(_) => None,
        }
    }

    /// The sender has closed: true if that is the body's end, and nothing is missing.
    pub(crate) fn end(&mut self) -> bool {
        if matches!(self, Self::UntilClose) {
            *self = Self::Done;
        }
        self.is_done()
    }
}

impl Chunked {
    fn take(
        &mut self,
        input: &mut [u8],
        writing: Writing,
        made: &mut Vec<u8>,
    ) -> Result<(usize, bool), Error> {
        let mut used = 0;
        while self.behind.is_none() && used < input.len() {
            let rest = input.get(used..).unwrap_or_default();
            let piece = self.chunks.decode(rest)?;
            let data = rest.get(piece.data).unwrap_or_default();
            match writing {
                Writing::Chunks => push_chunk(data, made),
                Writing::Plain | Writing::Data => made.extend_from_slice(data),
            }
            used += piece.used;
            if piece.last {
                self.behind = Some(Vec::new());
            }
        }
        let Some(behind) = &mut self.behind else {
            return Ok((used, false));
        };
        let before = behind.len();
        behind.extend_from_slice(input.get(used..).unwrap_or_default());
        let overhead = self.chunks.overhead_left();
        match self.trailers.read(behind, &self.rules, overhead)? {
            Progress::Incomplete => Ok((input.len(), false)),
            Progress::Complete(len) => {
                if writing != Writing::Plain {
                    let start = made.len();
                    if self.bare {
                        made.extend_from_slice(LAST_CHUNK);
                    } else {
                        made.extend_from_slice(LAST_CHUNK_BEFORE_TRAILERS);
                        self.trailers
                            .write(behind, &mut |piece| made.extend_from_slice(piece));
                    }
                    self.written = made.len() - start;
                }
                let own = len.checked_sub(before);
                let own = own.ok_or(Error {
                    kind: ErrorKind::Overhead,
                    at: 0,
                })?;
                Ok((used + own, true))
            }
        }
    }
}

/// Appends data as a chunk; nothing for no data, as that would end the body.
pub(crate) fn push_chunk(data: &[u8], made: &mut Vec<u8>) {
    if let Some(size) = std::num::NonZeroU64::new(data.len() as u64) {
        made.extend_from_slice(ChunkHead::new(size).as_ref());
        made.extend_from_slice(data);
        made.extend_from_slice(CHUNK_END);
    }
}
