//! What `fs.debug_str` and `bs.debug_str` tell of the layers under a stream, and `internal.*` of the
//! message in a buffer (manual, sections 7.3.4 and 7.3.7): our own states, for those who look for faults.

use std::fmt::Write;
use std::os::fd::AsRawFd;

use isthmus_sample::{Held, Multiplexed, Side};

use crate::flow::Flow;
use crate::session::Session;
use crate::view::View;
use crate::view_numbers::signed;

/// The layers by the manual's numbers.
const MUX_STREAM: i64 = 1;
const MUX_CONNECTION: i64 = 2;
const TRANSPORT: i64 = 4;
const CONNECTION: i64 = 8;
const SOCKET: i64 = 16;

impl View<'_> {
    /// The states of some layers of a side; 0 asks for all of them. `None` where there is no
    /// connection.
    pub(crate) fn layers(&self, side: Side, wanted: i64) -> Option<String> {
        let session = self.session;
        let transport = match side {
            Side::Request => &session.client,
            Side::Response => session.server.as_ref()?,
        };
        let asks = |layer: i64| wanted == 0 || wanted & layer != 0;
        let mut parts = Vec::new();
        let number = |fact| session.multiplexed(side, fact).unwrap_or(0);
        if asks(MUX_STREAM) {
            let (id, lost) = (number(Multiplexed::Id), number(Multiplexed::Aborted));
            parts.push(format!("strm.id={id} strm.aborted={lost}"));
            parts.push(format!("strm.phase={:?}", session.phase));
            if let Some(code) = session.multiplexed(side, Multiplexed::Reset) {
                parts.push(format!("strm.rst={code}"));
            }
        }
        if asks(MUX_CONNECTION) {
            let version = if transport.is_stream() { "h2" } else { "h1" };
            let name = session.http.is_some().then_some(version);
            let (open, glitches) = (number(Multiplexed::Streams), number(Multiplexed::Glitches));
            let name = name.unwrap_or("pass");
            parts.push(format!(
                "mux={name} mux.streams={open} mux.glitches={glitches}"
            ));
        }
        if asks(TRANSPORT) {
            parts.push(secrecy(session, side));
        }
        if asks(CONNECTION) {
            let (from, to) = match side {
                Side::Request => (&session.up, &session.down),
                Side::Response => (&session.down, &session.up),
            };
            parts.push(format!("in:{} out:{}", flow(from), flow(to)));
        }
        if asks(SOCKET) {
            let (failed, watch) = match side {
                Side::Request => (session.client_failed, session.client_watch),
                Side::Response => (session.server_failed, session.server_watch),
            };
            let (fd, failed) = (transport.as_raw_fd(), u8::from(failed));
            parts.push(format!("fd={fd} fd.watch={watch:?} fd.failed={failed}"));
        }
        Some(parts.join(" "))
    }

    /// What a side's buffer holds of an HTTP message; `None` outside HTTP.
    pub(crate) fn held(&self, side: Side, what: Held) -> Option<i64> {
        let stream = self.session.http.as_deref()?;
        let data = match side {
            Side::Request => stream.request.buffer.len(),
            Side::Response => stream.response.buffer.len(),
        } as u64;
        let size = self.session.frontend.generation.global.bufsize as u64;
        Some(match what {
            Held::Data => signed(data),
            Held::Size => signed(size),
            Held::Free => signed(size.saturating_sub(data)),
            Held::End => i64::from(self.holds_end(side)),
        })
    }

    /// Whether all of a message is at hand.
    fn holds_end(&self, side: Side) -> bool {
        let content = self.http_content(side);
        content.is_some_and(|content| content.length == Some(content.bytes.len() as u64))
    }
}

fn secrecy(session: &Session, side: Side) -> String {
    let Some(facts) = session.tls_facts(side) else {
        let tls = session.speaks_tls(side) == Some(true);
        return if tls { "xprt=tls" } else { "xprt=raw" }.to_owned();
    };
    let mut out = "xprt=tls".to_owned();
    // Writing to a text cannot fail.
    let _ = write!(
        out,
        " tls.version={} tls.cipher={} tls.resumed={} tls.early={} tls.complete={}",
        facts.version_name().unwrap_or("-"),
        facts.cipher().unwrap_or("-"),
        u8::from(facts.resumed),
        u8::from(facts.early),
        u8::from(facts.complete),
    );
    out
}

fn flow(flow: &Flow) -> String {
    let flags = [
        ('R', flow.readable),
        ('W', flow.writable),
        ('E', flow.ended),
        ('S', flow.shut),
        ('C', flow.closing),
    ];
    let flags: String = flags
        .iter()
        .filter_map(|(letter, set)| set.then_some(*letter))
        .collect();
    format!(
        "bytes={},pending={},flags={flags}",
        flow.bytes,
        flow.pending.as_slice().len()
    )
}
