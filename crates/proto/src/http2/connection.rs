//! One connection of HTTP/2: what it holds, and what its caller asks of it. What comes in is in
//! receive*.rs, what goes out in send*.rs.

use super::code::ErrorCode;
use super::event::{Event, Received};
use super::fault::{Error, Fault};
use super::frame::{FrameHead, PREFACE, kind};
use super::guard::Guard;
use super::head::Head;
use super::hpack::{Decoder, Encoder};
use super::limits::Limits;
use super::output::Output;
use super::receive::{Reading, Signal, Step};
use super::receive_head::Continued;
use super::settings::{DEFAULT_WINDOW, MAX_WINDOW, PeerSettings, Settings};
use super::streams::{Closed, Streams};

/// What may wait in the output behind what [`Limits::output`] allows for DATA: answers to what
/// the peer sends. When they are more, reading waits for it to take them.
const ANSWERS: usize = 16384;

/// Bytes that our table of fields sent may hold, whatever the peer allows.
const ENCODER_TABLE: u32 = 4096;

/// Both directions of a connection. It does no I/O: bytes that were read go into
/// [`Self::receive`], and what [`Self::output`] holds is to be written.
///
/// ```text
///   read(2) --> receive() --> Event, again and again until None
///   send_response(), send_data(), consumed() ... --> output() --> write(2) --> sent()
/// ```
#[derive(Debug)]
pub struct Connection {
    pub(super) server: bool,
    pub(super) settings: Settings,
    pub(super) limits: Limits,
    pub(super) peer: PeerSettings,
    pub(super) reading: Reading,
    /// The frame that is being read.
    pub(super) frame: FrameHead,
    /// The beginning of a short payload.
    pub(super) short: [u8; 8],
    pub(super) short_len: usize,
    /// A block that came in pieces; empty between blocks.
    pub(super) block: Vec<u8>,
    /// The block that goes on in CONTINUATION.
    pub(super) continued: Option<Continued>,
    pub(super) decoder: Decoder,
    pub(super) encoder: Encoder,
    pub(super) head: Head,
    pub(super) streams: Streams,
    pub(super) guard: Guard,
    pub(super) out: Output,
    /// The connection's windows, as in [`super::streams::Stream`].
    pub(super) send_window: i32,
    pub(super) recv_window: i32,
    pub(super) recv_credit: u32,
    /// The highest stream that the peer opened.
    pub(super) last_peer: u32,
    /// The stream that we open next.
    pub(super) next_own: u32,
    pub(super) settings_seen: bool,
    pub(super) settings_acked: bool,
    pub(super) goaway_sent: Option<u32>,
    pub(super) goaway_received: Option<u32>,
    pub(super) ended: Option<Error>,
}

impl Connection {
    /// The server's end: the first bytes are the client's preface.
    #[must_use]
    pub fn server(settings: Settings, limits: Limits) -> Self {
        Self::new(true, settings, limits)
    }

    /// The client's end.
    #[must_use]
    pub fn client(settings: Settings, limits: Limits) -> Self {
        Self::new(false, settings, limits)
    }

    fn new(server: bool, settings: Settings, limits: Limits) -> Self {
        let settings = settings.in_range();
        let mut connection = Self {
            server,
            settings,
            limits: limits.bounded(),
            peer: PeerSettings::default(),
            reading: match server {
                true => Reading::Preface { matched: 0 },
                false => Reading::Head,
            },
            frame: FrameHead::default(),
            short: [0; 8],
            short_len: 0,
            block: Vec::new(),
            continued: None,
            // Until our settings are acknowledged the peer goes by the default.
            decoder: Decoder::new(Settings::default().header_table_size),
            encoder: Encoder::new(ENCODER_TABLE),
            head: Head::default(),
            streams: Streams::new(settings.max_concurrent_streams),
            guard: Guard::new(&limits),
            out: Output::default(),
            send_window: DEFAULT_WINDOW as i32,
            recv_window: settings.connection_window as i32,
            recv_credit: 0,
            last_peer: 0,
            next_own: 1,
            settings_seen: false,
            settings_acked: false,
            goaway_sent: None,
            goaway_received: None,
            ended: None,
        };
        if !server {
            connection.out.tail().extend_from_slice(PREFACE);
        }
        settings.write(server, connection.out.tail());
        let more = settings.connection_window - DEFAULT_WINDOW;
        if more > 0 {
            connection.out.window_update(0, more);
        }
        connection
    }

    /// Reads on until something happens or nothing more can be had from the bytes.
    ///
    /// # Errors
    /// The connection is to be ended: GOAWAY is in the output. Every later call says so too.
    pub fn receive<'a>(&'a mut self, bytes: &'a [u8]) -> Result<Received<'a>, Error> {
        if let Some(error) = self.ended {
            return Err(error);
        }
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            match self.step(rest) {
                Ok(Step::More) => return Ok(Received { used, event: None }),
                Ok(Step::Took(count)) => used += count,
                Ok(Step::Event(count, signal)) => {
                    let taken = rest.get(..count).unwrap_or_default();
                    let event = Some(self.event(signal, taken));
                    return Ok(Received {
                        used: used + count,
                        event,
                    });
                }
                Err(fault) => return Err(self.end(fault)),
            }
        }
    }

    fn event<'a>(&'a self, signal: Signal, bytes: &'a [u8]) -> Event<'a> {
        match signal {
            Signal::Head { stream, end } => Event::Head {
                stream,
                end,
                head: &self.head,
            },
            Signal::Data { stream, end } => Event::Data { stream, bytes, end },
            Signal::Reset { stream, code } => Event::Reset { stream, code },
            Signal::Failed { stream, fault } => Event::Failed { stream, fault },
            Signal::GoAway { last, code } => Event::GoAway { last, code },
            Signal::Window { stream } => Event::WindowOpened { stream },
            Signal::Settings => Event::SettingsChanged,
            Signal::Pong => Event::Pong {
                payload: self.short,
            },
        }
    }

    /// Ends the connection for what the peer did.
    pub(super) fn end(&mut self, fault: Fault) -> Error {
        let error = Error::from(fault);
        self.send_goaway(error.code);
        self.ended = Some(error);
        error
    }

    /// What is to be written.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.out.pending()
    }

    /// So many bytes of the output were written.
    pub fn sent(&mut self, count: usize) {
        self.out.sent(count);
    }

    /// Whether so much waits to be written that nothing is read before the peer takes it.
    #[must_use]
    pub fn is_congested(&self) -> bool {
        self.out.len() >= self.limits.output as usize + ANSWERS
    }

    /// How many bytes of DATA the output has room for.
    #[must_use]
    pub fn output_room(&self) -> usize {
        (self.limits.output as usize).saturating_sub(self.out.len())
    }

    /// The caller has passed on so many bytes of a stream's DATA: the peer may send as many
    /// more. Of a stream that is gone nothing needs to be told.
    ///
    /// The connection's own window is refilled as bytes arrive: a stream whose bytes are held
    /// back must not hold up the others. What the caller may have to hold is bounded by the
    /// streams' windows.
    pub fn consumed(&mut self, stream: u32, bytes: usize) {
        let half = self.settings.initial_window / 2;
        let Some(open) = self.streams.get(stream) else {
            return;
        };
        let bytes = u32::try_from(bytes).unwrap_or(MAX_WINDOW);
        open.credit = open.credit.saturating_add(bytes).min(MAX_WINDOW);
        if open.credit <= half || open.inbound == super::streams::Inbound::Ended {
            return;
        }
        let credit = std::mem::take(&mut open.credit);
        if let Some(window) = super::streams::changed(open.recv_window, i64::from(credit)) {
            open.recv_window = window;
            self.out.window_update(stream, credit);
        }
    }

    /// Time passed, in whole seconds: counts of what the peer may not do too often drain. Without
    /// it the limits hold for the whole life of the connection.
    pub fn pass_seconds(&mut self, seconds: u32) {
        self.guard.drain(seconds);
    }

    /// Anomalies so far (`fc_glitches`, `bc_glitches`).
    #[must_use]
    pub fn glitches(&self) -> u32 {
        self.guard.glitches()
    }

    /// How many streams are open, half-closed ones included.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// Whether a stream is open at least in one direction.
    #[must_use]
    pub fn is_open(&self, stream: u32) -> bool {
        self.streams.contains(stream)
    }

    /// Whether the peer's SETTINGS are known: until then those are supposed that hold without.
    #[must_use]
    pub fn has_settings(&self) -> bool {
        self.settings_seen
    }

    /// Whether the peer takes extended CONNECT, as far as its SETTINGS have come (RFC 8441, 3).
    #[must_use]
    pub fn allows_tunnels(&self) -> bool {
        self.peer.connect_protocol
    }

    /// Whether the peer, which is known to speak HTTP/2, has not acknowledged our SETTINGS yet.
    #[must_use]
    pub fn awaits_acknowledgement(&self) -> bool {
        !self.settings_acked && self.settings_seen && self.ended.is_none()
    }

    /// Ends the connection if that acknowledgement is still awaited: how long is the caller's to
    /// say (RFC 9113, 6.5.3).
    pub fn end_unacknowledged(&mut self) -> bool {
        let awaits = self.awaits_acknowledgement();
        if awaits {
            self.end(Fault::SettingsTimeout);
        }
        awaits
    }

    /// What the peer's SETTINGS say so far.
    #[must_use]
    pub fn peer_settings(&self) -> &PeerSettings {
        &self.peer
    }

    /// The highest stream that the peer opened.
    #[must_use]
    pub fn last_peer_stream(&self) -> u32 {
        self.last_peer
    }

    /// Why the connection was ended, if it was for what the peer did.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.ended
    }

    /// Whether nothing is left to do: GOAWAY was sent or received, and no stream is open.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.ended.is_some() || (self.is_leaving() && self.streams.len() == 0)
    }

    /// Whether no new stream is served: GOAWAY was sent or received, or the connection ended.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.ended.is_some() || self.goaway_sent.is_some() || self.goaway_received.is_some()
    }

    /// Gives memory back that an idle connection does not need. What the tables of fields hold stays.
    pub fn shrink(&mut self) {
        self.out.shrink();
        self.head.shrink();
        self.streams.shrink();
        self.decoder.shrink();
        self.encoder.shrink();
        if self.block.is_empty() {
            self.block = Vec::new();
        }
    }

    /// Resets a stream. What the peer has on its way for it will be ignored. Nothing happens if
    /// the stream is gone already.
    ///
    /// A server whose response ended before the request did is to say so with NO_ERROR (RFC
    /// 9113, 8.1): until then the stream counts as open.
    pub fn send_reset(&mut self, stream: u32, code: ErrorCode) {
        if self.streams.close(stream, Closed::ByUs) {
            self.out.rst_stream(stream, code);
        }
    }

    /// Tells the peer that no stream behind the last one opened will be answered. Streams that
    /// are open go on.
    pub fn send_goaway(&mut self, code: ErrorCode) {
        // Of several GOAWAY none may name a later stream than one before (RFC 9113, 6.8).
        let last = match self.goaway_sent {
            Some(last) => last.min(self.last_peer),
            None => self.last_peer,
        };
        self.goaway_sent = Some(last);
        self.out.goaway(last, code);
    }

    /// Tells the peer that the connection will end soon: it should open no more streams, and
    /// those on their way are still answered. [`Self::send_goaway`] follows after a round trip
    /// (RFC 9113, 6.8).
    pub fn announce_goaway(&mut self) {
        if self.goaway_sent.is_none() {
            self.out.goaway(MAX_WINDOW, ErrorCode::NO_ERROR);
        }
    }

    /// Asks for an answer: [`Event::Pong`] will bring the payload back.
    pub fn send_ping(&mut self, payload: [u8; 8]) {
        self.out.frame(kind::PING, 0, 0, &payload);
    }
}
