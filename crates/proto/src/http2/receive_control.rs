//! SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM and PRIORITY in (RFC 9113, 6.3 to 6.9).

use super::code::ErrorCode;
use super::connection::Connection;
use super::fault::Fault;
use super::frame::{FrameHead, flag, kind};
use super::guard::Cost;
use super::receive::{Reading, Signal, Step};
use super::settings::DEFAULT_WINDOW;
use super::streams::{Closed, Outbound, changed};

/// A window that opens by less counts for more: it makes us send in crumbs (CVE-2019-9511).
const SMALL_UPDATE: u32 = 256;

impl Connection {
    pub(super) fn begin_settings(&mut self, head: FrameHead) -> Result<Option<Signal>, Fault> {
        if head.stream > 0 {
            return Err(Fault::FrameStream);
        }
        if head.length % 6 > 0 || (head.has(flag::ACK) && head.length > 0) {
            return Err(Fault::FrameSize);
        }
        if head.has(flag::ACK) {
            self.settings_acknowledged()?;
            self.reading = Reading::Head;
            return Ok(None);
        }
        // Each setting costs, not the frame alone.
        self.guard.spend(Cost::Control, 1 + head.length / 48)?;
        self.reading = Reading::Settings { left: head.length };
        Ok(None)
    }

    pub(super) fn settings(&mut self, left: u32, rest: &[u8]) -> Result<Step, Fault> {
        if left == 0 {
            self.out.frame(kind::SETTINGS, flag::ACK, 0, &[]);
            self.reading = Reading::Head;
            return Ok(Step::Event(0, Signal::Settings));
        }
        let (count, whole) = self.gather(6, rest);
        if !whole {
            return Ok(match count {
                0 => Step::More,
                count => Step::Took(count),
            });
        }
        let [a, b, c, d, e, f, ..] = self.short;
        let before = self.peer;
        self.peer.apply([a, b, c, d, e, f], self.server)?;
        if self.peer.header_table_size != before.header_table_size {
            self.encoder.set_limit(self.peer.header_table_size);
        }
        let by = i64::from(self.peer.initial_window) - i64::from(before.initial_window);
        if by != 0 {
            for stream in self.streams.iter_mut() {
                let window = changed(stream.send_window, by);
                stream.send_window = window.ok_or(Fault::SettingWindow)?;
            }
        }
        self.short_len = 0;
        self.reading = Reading::Settings { left: left - 6 };
        Ok(Step::Took(count))
    }

    /// The peer goes by our settings from now on.
    fn settings_acknowledged(&mut self) -> Result<(), Fault> {
        if self.settings_acked {
            self.guard.glitch()?;
            return self.guard.spend(Cost::Control, 1);
        }
        self.settings_acked = true;
        self.decoder.set_limit(self.settings.header_table_size);
        let by = i64::from(self.settings.initial_window) - i64::from(DEFAULT_WINDOW);
        for stream in self.streams.iter_mut() {
            if let Some(window) = changed(stream.recv_window, by) {
                stream.recv_window = window;
            }
        }
        Ok(())
    }

    pub(super) fn ping(&mut self, head: FrameHead) -> Result<Option<Signal>, Fault> {
        self.guard.spend(Cost::Control, 1)?;
        if head.has(flag::ACK) {
            return Ok(Some(Signal::Pong));
        }
        self.out.frame(kind::PING, flag::ACK, 0, &self.short);
        Ok(None)
    }

    pub(super) fn goaway(&mut self, last: u32, code: ErrorCode) -> Result<Signal, Fault> {
        self.guard.spend(Cost::Control, 1)?;
        if self.goaway_received.is_some_and(|before| last > before) {
            return Err(Fault::GoAwayGrows);
        }
        self.goaway_received = Some(last);
        if !self.server {
            self.streams.close_behind(last);
        }
        Ok(Signal::GoAway { last, code })
    }

    pub(super) fn window_update(&mut self, id: u32, by: u32) -> Result<Option<Signal>, Fault> {
        let cost = if by < SMALL_UPDATE { 4 } else { 1 };
        self.guard.spend(Cost::WindowUpdate, cost)?;
        if id == 0 {
            if by == 0 {
                return Err(Fault::WindowZero);
            }
            let before = self.send_window;
            self.send_window = changed(before, i64::from(by)).ok_or(Fault::WindowOverflow)?;
            return Ok((before <= 0).then_some(Signal::Window { stream: None }));
        }
        let Some(stream) = self.streams.get(id) else {
            // It may have been sent before the peer knew that the stream was closed.
            return match self.is_idle(id) {
                true => Err(Fault::IdleStream),
                false => Ok(None),
            };
        };
        let before = stream.send_window;
        let fault = match changed(before, i64::from(by)) {
            _ if by == 0 => Fault::WindowZero,
            None => Fault::WindowOverflow,
            Some(window) => {
                stream.send_window = window;
                let opened = before <= 0 && window > 0;
                return Ok(opened.then_some(Signal::Window { stream: Some(id) }));
            }
        };
        self.stream_error(id, fault).map(Some)
    }

    pub(super) fn reset(&mut self, id: u32, code: ErrorCode) -> Result<Option<Signal>, Fault> {
        if self.is_idle(id) {
            return Err(Fault::IdleStream);
        }
        let Some(stream) = self.streams.get(id) else {
            self.guard.spend(Cost::Control, 1)?;
            return Ok(None);
        };
        // A client that resets what it asked for has had work done for nothing. A server may
        // reset what it likes.
        if self.server && stream.outbound != Outbound::Ended {
            self.guard.spend(Cost::Reset, 1)?;
        }
        self.streams.close(id, Closed::ByPeer);
        Ok(Some(Signal::Reset { stream: id, code }))
    }

    pub(super) fn begin_priority(&mut self, head: FrameHead) -> Result<Option<Signal>, Fault> {
        if head.stream == 0 {
            return Err(Fault::FrameStream);
        }
        self.guard.spend(Cost::Control, 1)?;
        if head.length != 5 {
            self.skip(head.length);
            return self.priority_error(head.stream, Fault::FrameSize);
        }
        self.reading = Reading::Short { want: 5 };
        Ok(None)
    }

    /// Priorities are ignored (RFC 9113, 5.3.2), but for one that is nonsense.
    pub(super) fn priority(&mut self, id: u32, on: u32) -> Result<Option<Signal>, Fault> {
        match id == on {
            true => self.priority_error(id, Fault::SelfDependency),
            false => Ok(None),
        }
    }

    /// Resets the stream; one that is not open cannot be, and the connection ends instead.
    fn priority_error(&mut self, id: u32, fault: Fault) -> Result<Option<Signal>, Fault> {
        match self.streams.contains(id) {
            true => self.stream_error(id, fault).map(Some),
            false => Err(fault),
        }
    }
}
