//! Early data (0-RTT) of a session: a request that came before the handshake was over may have
//! been sent by somebody who only saw it, and sends it again (RFC 8470). Safe methods are served,
//! and the server is told; everything else waits, and so does all that is not HTTP/1.

use isthmus_plan::http::{RetryOn, ServerProtocol};
use isthmus_proto::http::Method;

use crate::secured::Handshake;
use crate::session::Session;
use crate::token::End;
use crate::transport::Transport;

impl Session {
    /// Goes on with the handshake, until it is over or a request may be looked at early. In TCP mode
    /// nobody can tell what is safe, and a connection of HTTP/2 mixes what is and what is not.
    pub(crate) fn shake_hands_with_client(&mut self) -> Handshake {
        let taken = self.client.shake_hands(true);
        let http = self.frontend.shared.http.is_some();
        let h2 = self.listener.shared.plan.h2 == Some(true) || self.speaks_h2();
        match taken {
            Handshake::Early if !http || h2 => self.client.shake_hands(false),
            taken => taken,
        }
    }

    /// Goes on with the handshake of an end that data flows to or from early.
    pub(crate) fn settle_early(&mut self, end: End) {
        match end {
            End::Client if self.client.is_early() && self.up.readable => {
                let stands = self.client.shake_hands(false);
                self.client_failed |= !matches!(stands, Handshake::Done | Handshake::Waits);
            }
            End::Server if self.down.readable => {
                let Some(server) = self.server.as_mut().filter(|server| server.is_early()) else {
                    return;
                };
                match server.shake_hands(false) {
                    Handshake::Done => {
                        // What was too much to be sent early may go now.
                        self.up.writable = true;
                        self.keep_server_tls(None);
                    }
                    Handshake::Failed(failure) => {
                        self.keep_server_tls(Some(&failure));
                        self.server_failed = true;
                    }
                    Handshake::Ended | Handshake::Broken(_) => self.server_failed = true,
                    Handshake::Waits | Handshake::Early => {}
                }
            }
            End::Client | End::Server => {}
        }
    }

    /// Whether the request came early and must wait for the handshake.
    pub(crate) fn holds_early(&self) -> bool {
        self.client.is_early() && !self.is_safe()
    }

    /// Whether the request has a safe method (RFC 9110 section 9.2.1).
    fn is_safe(&self) -> bool {
        self.http.as_deref().is_some_and(|stream| {
            matches!(
                stream.request.head.method(),
                Method::Get | Method::Head | Method::Options | Method::Trace
            )
        })
    }

    /// Whether the request may be sent to the chosen server early (`allow-0rtt`): its method is safe,
    /// and it came early itself, or may be sent again if the server refuses it.
    pub(crate) fn may_send_early(&self) -> bool {
        let chosen = self.chosen.as_ref();
        // A connection of HTTP/2 mixes what is safe and what is not.
        if chosen.is_some_and(|c| c.shared.plan.http.protocol == ServerProtocol::H2) {
            return false;
        }
        let tls = self
            .chosen
            .as_ref()
            .and_then(|c| c.shared.plan.tls.as_ref());
        tls.is_some_and(|tls| tls.early_data)
            && self.is_safe()
            && self.retries == 0
            && (self.client.is_early() || self.retries_early())
    }

    /// `retry-on 0rtt-rejected`
    fn retries_early(&self) -> bool {
        let backend = self.backend.as_ref();
        let http = backend.and_then(|backend| backend.shared.plan.http.as_ref());
        http.is_some_and(|http| http.retry_on.contains(&RetryOn::EarlyDataRejected {}))
    }

    /// What a server's status is to `retry-on`: a server that finds too early (425) what the client
    /// had not sent early tells us, not the client (RFC 8470 section 5.2).
    pub(crate) fn event_of_status(&self, status: u16) -> RetryOn {
        let ours = status == 425 && self.retries_early() && !self.client.is_early();
        match ours && self.server.as_ref().is_some_and(Transport::sent_early) {
            true => RetryOn::EarlyDataRejected {},
            false => RetryOn::Status { status },
        }
    }
}
