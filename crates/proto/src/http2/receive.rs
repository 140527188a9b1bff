//! Frames in: which may come, how long they are, and where their payload goes.

use super::code::ErrorCode;
use super::connection::Connection;
use super::fault::Fault;
use super::frame::{FrameHead, HEAD, PREFACE, flag, kind};
use super::guard::Cost;
use super::streams::Closed;

/// What is read next. Only so much is waited for as is needed at once, so that no frame needs to
/// fit the caller's buffer.
///
/// ```text
///   Preface --> Head --> Padding --> Data --> Skip --> Head       (DATA)
///               Head --> Block --> Head                           (HEADERS, CONTINUATION)
///               Head --> Settings --> Head
///               Head --> Short --> Skip --> Head                  (what is 4 to 8 bytes long)
///               Head --> Skip --> Head                            (what is ignored)
/// ```
#[derive(Debug, Clone, Copy)]
pub(super) enum Reading {
    /// The client's first bytes, of which so many were right.
    Preface {
        matched: usize,
    },
    Head,
    /// The byte that says how much padding there is.
    Padding,
    /// DATA, and padding behind it.
    Data {
        left: u32,
        padding: u32,
    },
    /// A block's fragment with what is around it.
    Block {
        left: u32,
    },
    /// Settings of six bytes each.
    Settings {
        left: u32,
    },
    /// A payload that is read whole.
    Short {
        want: usize,
    },
    /// Bytes of no interest.
    Skip {
        left: u32,
    },
}

/// An event before it borrows anything.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signal {
    Head {
        stream: u32,
        end: bool,
    },
    /// The bytes are those that were taken.
    Data {
        stream: u32,
        end: bool,
    },
    Reset {
        stream: u32,
        code: ErrorCode,
    },
    Failed {
        stream: u32,
        fault: Fault,
    },
    GoAway {
        last: u32,
        code: ErrorCode,
    },
    Window {
        stream: Option<u32>,
    },
    Settings,
    Pong,
}

/// How far one step came.
#[derive(Debug)]
pub(super) enum Step {
    /// More bytes are needed, or room in the output.
    More,
    /// So many bytes are done with.
    Took(usize),
    /// The same, and something happened.
    Event(usize, Signal),
}

impl Step {
    pub fn with(count: usize, signal: Option<Signal>) -> Self {
        match signal {
            Some(signal) => Self::Event(count, signal),
            None => Self::Took(count),
        }
    }
}

impl Connection {
    pub(super) fn step(&mut self, rest: &[u8]) -> Result<Step, Fault> {
        match self.reading {
            Reading::Preface { matched } => self.preface(matched, rest),
            Reading::Head if self.is_congested() => Ok(Step::More),
            Reading::Head => match FrameHead::read(rest) {
                None => Ok(Step::More),
                Some(head) => {
                    let signal = self.begin_frame(head)?;
                    Ok(Step::with(HEAD, signal))
                }
            },
            Reading::Padding => self.padding(rest),
            Reading::Data { left, padding } => self.data(left, padding, rest),
            Reading::Block { left } => self.block(left, rest),
            Reading::Settings { left } => self.settings(left, rest),
            Reading::Short { want } => self.short(want, rest),
            Reading::Skip { left: 0 } => {
                self.reading = Reading::Head;
                Ok(Step::Took(0))
            }
            Reading::Skip { .. } if rest.is_empty() => Ok(Step::More),
            Reading::Skip { left } => {
                let count = rest.len().min(left as usize);
                self.reading = Reading::Skip {
                    left: left - count as u32,
                };
                Ok(Step::Took(count))
            }
        }
    }

    /// The client's preface (RFC 9113, 3.4).
    fn preface(&mut self, matched: usize, rest: &[u8]) -> Result<Step, Fault> {
        let wanted = PREFACE.get(matched..).unwrap_or_default();
        let count = wanted.len().min(rest.len());
        if rest.get(..count) != wanted.get(..count) {
            return Err(Fault::Preface);
        }
        if count == wanted.len() {
            self.reading = Reading::Head;
        } else if count == 0 {
            return Ok(Step::More);
        } else {
            self.reading = Reading::Preface {
                matched: matched + count,
            };
        }
        Ok(Step::Took(count))
    }

    /// Judges a frame by its head, and decides how its payload is read.
    #[inline]
    fn begin_frame(&mut self, head: FrameHead) -> Result<Option<Signal>, Fault> {
        if head.length > self.settings.max_frame_size {
            return Err(Fault::FrameTooLarge);
        }
        if let Some((first, _)) = self.continued {
            if head.kind != kind::CONTINUATION || head.stream != first.stream {
                return Err(Fault::Continuation);
            }
        }
        if !self.settings_seen {
            if head.kind != kind::SETTINGS || head.has(flag::ACK) {
                return Err(Fault::NoSettings);
            }
            self.settings_seen = true;
        }
        self.frame = head;
        self.short_len = 0;
        match head.kind {
            kind::DATA => self.begin_data(head),
            kind::HEADERS => self.begin_headers(head),
            kind::CONTINUATION => self.begin_continuation(head),
            kind::SETTINGS => self.begin_settings(head),
            kind::PUSH_PROMISE => Err(Fault::Push),
            kind::PRIORITY => self.begin_priority(head),
            kind::RST_STREAM => self.begin_short(head, 4, true),
            kind::PING => self.begin_short(head, 8, false),
            kind::GOAWAY => self.begin_short(head, 8, false),
            kind::WINDOW_UPDATE => self.begin_short(head, 4, head.stream > 0),
            // Extensions are ignored (RFC 9113, 5.5).
            _ => {
                self.guard.spend(Cost::Control, 1)?;
                self.skip(head.length);
                Ok(None)
            }
        }
    }

    pub(super) fn skip(&mut self, left: u32) {
        self.reading = Reading::Skip { left };
    }

    /// A payload of fixed length; only GOAWAY may be longer.
    fn begin_short(
        &mut self,
        head: FrameHead,
        want: u32,
        on_stream: bool,
    ) -> Result<Option<Signal>, Fault> {
        if (head.stream > 0) != on_stream {
            return Err(Fault::FrameStream);
        }
        let longer = head.kind == kind::GOAWAY && head.length > want;
        if head.length != want && !longer {
            return Err(Fault::FrameSize);
        }
        self.reading = Reading::Short {
            want: want as usize,
        };
        Ok(None)
    }

    /// Gathers the first bytes of a payload in `self.short`; true when there are `want`.
    pub(super) fn gather(&mut self, want: usize, rest: &[u8]) -> (usize, bool) {
        let places = self.short.get_mut(self.short_len..want);
        let mut count = 0;
        for (to, from) in places.unwrap_or_default().iter_mut().zip(rest) {
            *to = *from;
            count += 1;
        }
        self.short_len += count;
        (count, self.short_len >= want)
    }

    fn short(&mut self, want: usize, rest: &[u8]) -> Result<Step, Fault> {
        let (count, whole) = self.gather(want, rest);
        if !whole {
            return Ok(match count {
                0 => Step::More,
                count => Step::Took(count),
            });
        }
        let head = self.frame;
        self.skip(head.length.saturating_sub(want as u32));
        let [a, b, c, d, e, f, g, h] = self.short;
        let first = u32::from_be_bytes([a, b, c, d]);
        let signal = match head.kind {
            kind::RST_STREAM => self.reset(head.stream, ErrorCode(first))?,
            kind::PING => self.ping(head)?,
            kind::GOAWAY => {
                let code = ErrorCode(u32::from_be_bytes([e, f, g, h]));
                Some(self.goaway(first & 0x7fff_ffff, code)?)
            }
            kind::WINDOW_UPDATE => self.window_update(head.stream, first & 0x7fff_ffff)?,
            _ => self.priority(head.stream, first & 0x7fff_ffff)?,
        };
        Ok(Step::with(count, signal))
    }

    /// Whether a stream was never opened.
    pub(super) fn is_idle(&self, stream: u32) -> bool {
        match (stream & 1 == 1, self.server) {
            (true, true) => stream > self.last_peer,
            (true, false) => stream >= self.next_own,
            // Servers open streams by pushing only, which nobody here allows.
            (false, _) => true,
        }
    }

    /// Resets a stream for what came on it. It costs the peer as a reset of its own does, or it
    /// could have us do work for nothing (CVE-2025-8671).
    pub(super) fn stream_error(&mut self, stream: u32, fault: Fault) -> Result<Signal, Fault> {
        self.guard.glitch()?;
        self.guard.spend(Cost::Reset, 1)?;
        self.out.rst_stream(stream, fault.error_code());
        if !self.streams.close(stream, Closed::ByUs) {
            self.streams.remember(stream, Closed::ByUs);
        }
        Ok(Signal::Failed { stream, fault })
    }
}
