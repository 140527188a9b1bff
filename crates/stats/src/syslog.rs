//! The framing of log lines: what stands before a message in each of the formats of `log`
//! (manual 4.2), as HAProxy 2.6 was seen to write it. It opens no socket and reads no clock; the
//! engine and the control plane both call it, so that their lines cannot be told apart.
//!
//! What was seen beyond the manual:
//! * every line ends with a newline, which `len` does not count;
//! * control characters in a message stay as they are, newlines at its very end are dropped
//!   (escaping belongs to the log format, flag `E`);
//! * a part of the header goes in whole or not at all, and nothing follows one that did not fit;
//!   the message is cut.

use isthmus_plan::{LogFormat, LogTarget};

use crate::date::{Local, push_number};

/// What a line carries besides its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Program name (`log-tag`).
    pub tag: &'a [u8],
    /// The process.
    pub pid: u32,
    /// `log-send-hostname`; empty where none was asked for.
    pub hostname: &'a str,
    /// Microseconds since 1970, UTC.
    pub wall_us: u64,
    /// Seconds that local time is east of UTC.
    pub utc_offset: i32,
    /// The structured data of RFC 5424 with its brackets; empty for none.
    pub structured_data: &'a [u8],
}

/// Whether a target wants lines of a level (0 emerg to 7 debug). Asked before
/// [`crate::Sampler::take`], and before a line is made at all.
#[must_use]
pub fn is_sent(target: &LogTarget, level: u8) -> bool {
    level <= target.level
}

/// Appends the line for one target, its newline included, and says true; false, with nothing
/// written, where the target's level withholds it.
///
/// At most `max_len + 1` bytes are written. Nothing is allocated but what `out` needs to grow.
pub fn frame(
    target: &LogTarget,
    level: u8,
    envelope: &Envelope<'_>,
    message: &[u8],
    out: &mut Vec<u8>,
) -> bool {
    if !is_sent(target, level) {
        return false;
    }
    let mut line = Line {
        start: out.len(),
        max_len: target.max_len,
        out,
    };
    if line.header(target, level.max(target.min_level), envelope) {
        line.message(message);
    }
    out.push(b'\n');
    true
}

/// A line that is being written.
struct Line<'a> {
    out: &'a mut Vec<u8>,
    /// Where it begins in `out`.
    start: usize,
    max_len: usize,
}

impl Line<'_> {
    /// Writes what stands before the message; false where it did not fit.
    fn header(&mut self, target: &LogTarget, level: u8, envelope: &Envelope<'_>) -> bool {
        let full = u32::from(target.facility) * 8 + u32::from(level);
        let short = u32::from(level);
        match target.format {
            LogFormat::Raw => true,
            LogFormat::Short => self.priority(short),
            LogFormat::Priority => self.priority(full),
            LogFormat::Iso => self.iso(envelope),
            LogFormat::Timed => self.priority(short) && self.iso(envelope),
            LogFormat::Local => {
                self.priority(full) && self.bsd(envelope) && self.tag_and_pid(envelope)
            }
            LogFormat::Rfc3164 => {
                let host = or(envelope.hostname.as_bytes(), b"localhost");
                self.priority(full)
                    && self.bsd(envelope)
                    && self.part(host)
                    && self.part(b" ")
                    && self.tag_and_pid(envelope)
            }
            LogFormat::Rfc5424 => self.rfc5424(full, envelope),
        }
    }

    fn rfc5424(&mut self, priority: u32, envelope: &Envelope<'_>) -> bool {
        self.priority(priority)
            && self.part(b"1 ")
            && self.iso(envelope)
            && self.part(or(envelope.hostname.as_bytes(), b"-"))
            && self.part(b" ")
            && self.part(or(envelope.tag, b"-"))
            && self.part(b" ")
            && self.written(|out| push_number(out, envelope.pid))
            && self.part(b" ")
            && self.part(b"- ")
            && self.part(or(envelope.structured_data, b"-"))
            && self.part(b" ")
    }

    /// `<134>`
    fn priority(&mut self, value: u32) -> bool {
        self.written(|out| {
            out.push(b'<');
            push_number(out, value);
            out.push(b'>');
        })
    }

    fn iso(&mut self, envelope: &Envelope<'_>) -> bool {
        self.written(|out| {
            Local::of(envelope.wall_us, envelope.utc_offset).write_iso(out);
            out.push(b' ');
        })
    }

    fn bsd(&mut self, envelope: &Envelope<'_>) -> bool {
        self.written(|out| {
            Local::of(envelope.wall_us, envelope.utc_offset).write_bsd(out);
            out.push(b' ');
        })
    }

    /// `haproxy[1234]: `
    fn tag_and_pid(&mut self, envelope: &Envelope<'_>) -> bool {
        self.part(envelope.tag)
            && self.part(b"[")
            && self.written(|out| push_number(out, envelope.pid))
            && self.part(b"]")
            && self.part(b": ")
    }

    fn part(&mut self, bytes: &[u8]) -> bool {
        self.written(|out| out.extend_from_slice(bytes))
    }

    /// Writes one part of the header, and takes it back where no byte would be left behind it.
    fn written(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let before = self.out.len();
        write(self.out);
        let fits = self.used() < self.max_len;
        if !fits {
            self.out.truncate(before);
        }
        fits
    }

    fn message(&mut self, message: &[u8]) {
        let room = self.max_len.saturating_sub(self.used());
        let end = message
            .iter()
            .rposition(|&byte| byte != b'\n')
            .map_or(0, |last| last + 1);
        self.out
            .extend_from_slice(message.get(..end.min(room)).unwrap_or_default());
    }

    fn used(&self) -> usize {
        self.out.len() - self.start
    }
}

fn or<'a>(bytes: &'a [u8], absent: &'a [u8]) -> &'a [u8] {
    if bytes.is_empty() { absent } else { bytes }
}
