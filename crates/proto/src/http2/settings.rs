//! SETTINGS of both ends (RFC 9113, 6.5.2), and the limits that are ours alone.

use super::fault::Fault;
use super::frame::{FrameHead, kind};

const HEADER_TABLE_SIZE: u16 = 0x1;
const ENABLE_PUSH: u16 = 0x2;
const MAX_CONCURRENT_STREAMS: u16 = 0x3;
const INITIAL_WINDOW_SIZE: u16 = 0x4;
const MAX_FRAME_SIZE: u16 = 0x5;
const MAX_HEADER_LIST_SIZE: u16 = 0x6;
/// RFC 8441, 3.
const ENABLE_CONNECT_PROTOCOL: u16 = 0x8;

/// The window of a connection, and of streams until SETTINGS say otherwise (RFC 9113, 6.9.2).
pub(super) const DEFAULT_WINDOW: u32 = 65535;
/// The largest window.
pub(super) const MAX_WINDOW: u32 = 0x7fff_ffff;
/// The smallest SETTINGS_MAX_FRAME_SIZE, and the largest.
const FRAME_SIZES: std::ops::RangeInclusive<u32> = 16384..=16_777_215;

/// What we tell the peer. Values out of range are brought into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `tune.h2.header-table-size`: bytes that the peer's fields may take in our table.
    pub header_table_size: u32,
    /// `tune.h2.be.initial-window-size` and `tune.h2.fe.initial-window-size`: bytes of a stream that may be on their way or
    /// held by the caller.
    pub initial_window: u32,
    /// The connection's window in bytes, at least 65535. It is refilled as bytes arrive.
    pub connection_window: u32,
    /// `tune.h2.be.max-concurrent-streams` and `tune.h2.fe.max-concurrent-streams`: streams that the peer may have open at once; a client
    /// opens no more than that either.
    pub max_concurrent_streams: u32,
    /// `tune.h2.max-frame-size`: the longest frame's payload, 16384 to 16777215 bytes.
    pub max_frame_size: u32,
    /// The most bytes of a head as decoded, counting 32 more for each field.
    pub max_header_list_size: u32,
    /// Whether a client may use extended CONNECT (RFC 8441).
    pub connect_protocol: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            header_table_size: 4096,
            initial_window: DEFAULT_WINDOW,
            connection_window: DEFAULT_WINDOW,
            max_concurrent_streams: 100,
            max_frame_size: 16384,
            max_header_list_size: 65536,
            connect_protocol: true,
        }
    }
}

impl Settings {
    /// The same with every value in its range.
    pub(super) fn in_range(self) -> Self {
        let (least, most) = FRAME_SIZES.into_inner();
        Self {
            initial_window: self.initial_window.min(MAX_WINDOW),
            connection_window: self.connection_window.clamp(DEFAULT_WINDOW, MAX_WINDOW),
            max_frame_size: self.max_frame_size.clamp(least, most),
            ..self
        }
    }

    /// Writes the SETTINGS frame that begins a connection. Values that are the default anyway
    /// are left out.
    pub(super) fn write(&self, server: bool, out: &mut Vec<u8>) {
        let default = Self::default();
        let rows = [
            (
                HEADER_TABLE_SIZE,
                self.header_table_size,
                default.header_table_size != self.header_table_size,
            ),
            (ENABLE_PUSH, 0, !server),
            (MAX_CONCURRENT_STREAMS, self.max_concurrent_streams, server),
            (
                INITIAL_WINDOW_SIZE,
                self.initial_window,
                self.initial_window != DEFAULT_WINDOW,
            ),
            (
                MAX_FRAME_SIZE,
                self.max_frame_size,
                self.max_frame_size != default.max_frame_size,
            ),
            (MAX_HEADER_LIST_SIZE, self.max_header_list_size, true),
            (ENABLE_CONNECT_PROTOCOL, 1, server && self.connect_protocol),
        ];
        let length = 6 * rows.iter().filter(|(_, _, sent)| *sent).count() as u32;
        let head = FrameHead {
            length,
            kind: kind::SETTINGS,
            ..FrameHead::default()
        };
        out.extend_from_slice(&head.bytes());
        for (name, value, _) in rows.iter().filter(|(_, _, sent)| *sent) {
            out.extend_from_slice(&name.to_be_bytes());
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

/// What the peer told us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerSettings {
    /// The most bytes of its table that we may use.
    pub header_table_size: u32,
    /// The window of streams that are opened.
    pub initial_window: u32,
    /// The most streams that we may open at once.
    pub max_concurrent_streams: u32,
    /// The longest frame's payload that it takes.
    pub max_frame_size: u32,
    /// The most bytes of a head, counting 32 more for each field.
    pub max_header_list_size: u32,
    /// Whether it takes extended CONNECT (RFC 8441).
    pub connect_protocol: bool,
}

impl Default for PeerSettings {
    fn default() -> Self {
        Self {
            header_table_size: 4096,
            initial_window: DEFAULT_WINDOW,
            max_concurrent_streams: u32::MAX,
            max_frame_size: 16384,
            max_header_list_size: u32::MAX,
            connect_protocol: false,
        }
    }
}

impl PeerSettings {
    /// Applies one setting; those that are not known are ignored (RFC 9113, 6.5.2). `client`
    /// says who sent it: a server may not enable push, nor take extended CONNECT back.
    pub(super) fn apply(&mut self, setting: [u8; 6], client: bool) -> Result<(), Fault> {
        let [a, b, value @ ..] = setting;
        let value = u32::from_be_bytes(value);
        match u16::from_be_bytes([a, b]) {
            HEADER_TABLE_SIZE => self.header_table_size = value,
            ENABLE_PUSH if value > u32::from(client) => return Err(Fault::Setting),
            MAX_CONCURRENT_STREAMS => self.max_concurrent_streams = value,
            INITIAL_WINDOW_SIZE if value > MAX_WINDOW => return Err(Fault::SettingWindow),
            INITIAL_WINDOW_SIZE => self.initial_window = value,
            MAX_FRAME_SIZE if !FRAME_SIZES.contains(&value) => return Err(Fault::Setting),
            MAX_FRAME_SIZE => self.max_frame_size = value,
            MAX_HEADER_LIST_SIZE => self.max_header_list_size = value,
            ENABLE_CONNECT_PROTOCOL if value > 1 || (value == 0 && self.connect_protocol) => {
                return Err(Fault::Setting);
            }
            ENABLE_CONNECT_PROTOCOL => self.connect_protocol = value == 1,
            _ => {}
        }
        Ok(())
    }
}
