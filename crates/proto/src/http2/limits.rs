//! How much a peer may ask for before the connection ends with ENHANCE_YOUR_CALM.

/// Bounds on what costs us more than the peer. Zero means no bound, except where said.
///
/// The counts are those of bursts: a tenth of each drains away with every second that
/// [`super::Connection::pass_seconds`] is told of, and work that is worth its while pays some back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `tune.h2.fe.glitches-threshold` and `tune.h2.be.glitches-threshold`: anomalies in the
    /// whole life of a connection. They never drain.
    pub glitches: u32,
    /// Streams that the peer reset before their end (CVE-2023-44487), or that we had to reset
    /// for what it sent (CVE-2025-8671). A stream that ends well pays one back.
    pub resets: u32,
    /// SETTINGS, PING, PRIORITY and unknown frames. A head pays some back.
    pub control: u32,
    /// DATA frames that carry nothing and end nothing.
    pub empty_data: u32,
    /// WINDOW_UPDATE frames; small ones count fourfold. Each DATA frame sent pays two back.
    pub window_updates: u32,
    /// CONTINUATION frames of one block (CVE-2024-27316).
    pub continuations: u32,
    /// Bytes of a block as sent, before decoding. Never without bound: zero means the default.
    pub block: u32,
    /// `tune.http.maxhdr` less one: fields of a head. Never without bound: zero means the default.
    pub fields: u32,
    /// Bytes that wait to be written before no more DATA is taken; when 16 KiB of other frames
    /// wait behind that, nothing more is read. Never without bound: zero means the default.
    pub output: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            glitches: 0,
            resets: 500,
            control: 1000,
            empty_data: 500,
            window_updates: 2000,
            continuations: 16,
            block: 65536,
            fields: 100,
            output: 65536,
        }
    }
}

impl Limits {
    /// The same with defaults for what is never without bound.
    pub(super) fn bounded(self) -> Self {
        let default = Self::default();
        let or = |value: u32, default: u32| if value == 0 { default } else { value };
        Self {
            block: or(self.block, default.block),
            fields: or(self.fields, default.fields),
            output: or(self.output, default.output),
            ..self
        }
    }
}
