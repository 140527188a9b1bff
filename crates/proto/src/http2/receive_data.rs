//! DATA in (RFC 9113, 6.1 and 6.9).

use super::connection::Connection;
use super::fault::Fault;
use super::frame::{FrameHead, flag};
use super::guard::Cost;
use super::receive::{Reading, Signal, Step};
use super::streams::{Closed, Inbound};

impl Connection {
    pub(super) fn begin_data(&mut self, head: FrameHead) -> Result<Option<Signal>, Fault> {
        if head.stream == 0 {
            return Err(Fault::FrameStream);
        }
        self.receive_window(head.length)?;
        if head.has(flag::PADDED) && head.length == 0 {
            return Err(Fault::FrameSize);
        }
        let Some(stream) = self.streams.get(head.stream) else {
            return self.data_on_closed(head);
        };
        let fault = match stream.inbound {
            Inbound::Ended => Some(Fault::ClosedStream),
            Inbound::Head => Some(Fault::UnexpectedData),
            // A window below zero is smaller than any length.
            _ if stream.recv_window < head.length as i32 => Some(Fault::Window),
            _ => None,
        };
        if let Some(fault) = fault {
            self.skip(head.length);
            return self.stream_error(head.stream, fault).map(Some);
        }
        stream.recv_window -= head.length as i32;
        self.reading = match head.has(flag::PADDED) {
            true => Reading::Padding,
            false => Reading::Data {
                left: head.length,
                padding: 0,
            },
        };
        if head.length == 0 && !head.has(flag::END_STREAM) {
            self.empty_data()?;
        }
        Ok(None)
    }

    /// A frame that carries nothing and ends nothing.
    fn empty_data(&mut self) -> Result<(), Fault> {
        self.guard.glitch()?;
        self.guard.spend(Cost::EmptyData, 1)
    }

    /// Takes a frame's length off the connection's window, and opens that again: the bytes of all
    /// streams together are bounded by their own windows.
    fn receive_window(&mut self, length: u32) -> Result<(), Fault> {
        if self.recv_window < length as i32 {
            return Err(Fault::Window);
        }
        self.recv_window -= length as i32;
        self.recv_credit += length;
        if self.recv_credit > self.settings.connection_window / 2 {
            self.recv_window += self.recv_credit as i32;
            self.out.window_update(0, self.recv_credit);
            self.recv_credit = 0;
        }
        Ok(())
    }

    fn data_on_closed(&mut self, head: FrameHead) -> Result<Option<Signal>, Fault> {
        if self.is_idle(head.stream) {
            return Err(Fault::IdleStream);
        }
        self.skip(head.length);
        match self.streams.closed(head.stream) {
            Some(Closed::ByUs) => Ok(None),
            Some(Closed::Ended) => Err(Fault::ClosedStream),
            Some(Closed::ByPeer) | None => self
                .stream_error(head.stream, Fault::ClosedStream)
                .map(Some),
        }
    }

    /// The byte before padded DATA.
    pub(super) fn padding(&mut self, rest: &[u8]) -> Result<Step, Fault> {
        let Some(padding) = rest.first() else {
            return Ok(Step::More);
        };
        let padding = u32::from(*padding);
        let left = (self.frame.length - 1)
            .checked_sub(padding)
            .ok_or(Fault::Padding)?;
        self.reading = Reading::Data { left, padding };
        if left == 0 && !self.frame.has(flag::END_STREAM) {
            self.empty_data()?;
        }
        // Padding counts for the window, and nobody else will say that it was consumed.
        self.consumed(self.frame.stream, padding as usize + 1);
        Ok(Step::Took(1))
    }

    /// DATA as far as it is there.
    pub(super) fn data(&mut self, left: u32, padding: u32, rest: &[u8]) -> Result<Step, Fault> {
        let id = self.frame.stream;
        let ends = self.frame.has(flag::END_STREAM);
        let Some(stream) = self.streams.get(id) else {
            // Reset by the caller while the frame was on its way.
            self.skip(left + padding);
            return Ok(Step::Took(0));
        };
        if left == 0 && !ends {
            self.skip(padding);
            return Ok(Step::Took(0));
        }
        if left > 0 && rest.is_empty() {
            return Ok(Step::More);
        }
        let count = (rest.len().min(left as usize)) as u32;
        let left = left - count;
        let end = ends && left == 0;
        if let Some(expected) = &mut stream.expected {
            let remaining = expected.checked_sub(u64::from(count));
            if remaining.is_none_or(|remaining| end && remaining > 0) {
                self.skip(left + padding + count);
                let signal = self.stream_error(id, Fault::ContentLength)?;
                return Ok(Step::Event(0, signal));
            }
            *expected = remaining.unwrap_or(0);
        }
        self.reading = match left {
            0 => Reading::Skip { left: padding },
            left => Reading::Data { left, padding },
        };
        if end {
            self.end_inbound(id);
        }
        Ok(Step::Event(
            count as usize,
            Signal::Data { stream: id, end },
        ))
    }

    /// The peer has ended a stream.
    pub(super) fn end_inbound(&mut self, id: u32) {
        let Some(stream) = self.streams.get(id) else {
            return;
        };
        stream.inbound = Inbound::Ended;
        if stream.outbound == super::streams::Outbound::Ended {
            self.close_ended(id);
        }
    }

    /// Both ends have ended a stream.
    pub(super) fn close_ended(&mut self, id: u32) {
        if self.streams.close(id, Closed::Ended) {
            self.guard.earn(Cost::Reset, 1);
        }
    }
}
