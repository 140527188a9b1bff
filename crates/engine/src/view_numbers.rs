//! The numbers of a session that expressions ask for: its times, its counts, its limits.

use std::net::{IpAddr, SocketAddr};

use isthmus_plan::http::TimeoutKind;
use isthmus_sample::Number;
use isthmus_sockets::local_name;

use crate::facts::UNLIMITED;
use crate::session::Session;
use crate::view::View;

impl View<'_> {
    /// A time of the session's, milliseconds; -1 where it was not reached.
    pub(crate) fn timer(&self, fact: Number) -> i64 {
        if let Some(stream) = self.session.http.as_deref() {
            return self.http_timer(stream, fact);
        }
        let moments = &self.session.moments;
        let accepted = Some(moments.accepted);
        let now = Some(self.turn.now);
        match fact {
            Number::TimeHandshake => Self::between(accepted, Some(moments.handshaken)),
            Number::TimeQueue => Self::between(Some(moments.handshaken), moments.unqueued),
            Number::TimeConnect => Self::between(moments.unqueued, moments.connected),
            Number::TimeData => Self::between(moments.connected, now),
            _ => Self::between(accepted, now),
        }
    }

    /// A number that the session itself has.
    pub(crate) fn session_number(&self, fact: Number) -> Option<i64> {
        let session = self.session;
        let frontend = &session.frontend.shared;
        let notes = session.notes.get();
        Some(match fact {
            Number::SessionNumber => {
                let stream = session.http.as_deref().and_then(|stream| stream.number);
                signed(stream.unwrap_or(session.id))
            }
            Number::LogNumber => signed(session.frontend.shared.logger.lines()),
            Number::ListenerId => i64::from(session.listener.shared.plan.id),
            Number::ListenerConnections => {
                signed(session.listener.shared.live.common.current.get())
            }
            Number::ReceivedProxy => i64::from(notes.is_some_and(|n| n.received_proxy.get())),
            Number::ClientError => notes.map_or(0, |n| i64::from(n.error.get())),
            Number::Held(side, what) => self.held(side, what)?,
            Number::Of(side, fact) => session.multiplexed(side, fact)?,
            // Nothing is captured of a request that could not be read.
            Number::RequestCaptures if self.lacks_request() => 0,
            Number::RequestCaptures => i64::try_from(frontend.plan.captures.len()).unwrap_or(0),
            Number::RequestDate if session.http.is_some() => self.request_date()?,
            Number::AcceptDate | Number::RequestDate => {
                signed(self.turn.clock.wall_us(session.moments.accepted))
            }
            Number::BytesIn => signed(session.up.bytes),
            Number::BytesToServer if session.server.is_some() => signed(session.up.bytes),
            Number::BytesOut | Number::BytesToClient => signed(session.down.bytes),
            Number::Retries => i64::from(session.retries),
            Number::Redispatched => i64::from(session.redispatched),
            Number::ServerQueuePosition => notes.map_or(0, |n| n.server_queue.get()),
            Number::BackendQueuePosition => notes.map_or(0, |n| n.backend_queue.get()),
            Number::PriorityClass => session.http.as_deref().map_or(0, |s| s.priority.0),
            Number::PriorityOffset => session.http.as_deref().map_or(0, |s| s.priority.1),
            Number::ClientTimeout => {
                let http = session.http.as_deref();
                let replaced = http.and_then(|s| s.timeouts.get(TimeoutKind::Client));
                signed(
                    replaced
                        .or(frontend.plan.timeout_client)
                        .unwrap_or(UNLIMITED),
                )
            }
            Number::SrcIsLocal => i64::from(is_local(session.source()?.ip(), session)),
            Number::DstIsLocal => i64::from(is_local(session.destination()?.ip(), session)),
            Number::ClientSrcIsLocal => i64::from(is_local(session.peer.inet()?.ip(), session)),
            Number::ClientDstIsLocal => {
                i64::from(is_local(local_name(&session.client).inet()?.ip(), session))
            }
            _ => {
                return self
                    .http_number(fact)
                    .or_else(|| self.backend_timeout(fact));
            }
        })
    }

    fn backend_timeout(&self, fact: Number) -> Option<i64> {
        let backend = &self.session.backend.as_ref()?.shared.plan;
        let replaced = |which| {
            self.session
                .http
                .as_deref()
                .and_then(|s| s.timeouts.get(which))
        };
        let value = match fact {
            Number::ServerTimeout => replaced(TimeoutKind::Server).or(backend.timeout_server),
            Number::TunnelTimeout => replaced(TimeoutKind::Tunnel).or(backend.timeout_tunnel),
            Number::ConnectTimeout => replaced(TimeoutKind::Connect).or(backend.timeout_connect),
            Number::QueueTimeout => replaced(TimeoutKind::Queue).or(backend.timeout_queue),
            Number::MaxRetries => Some(u64::from(self.session.most_retries())),
            _ => return None,
        };
        Some(signed(value.unwrap_or(UNLIMITED)))
    }
}

/// As the language has numbers.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An address is this machine's if the namespace of the connection has it: what the connection's
/// own end has certainly is; others are asked for by binding a socket to them.
fn is_local(ip: IpAddr, session: &Session) -> bool {
    if local_name(&session.client)
        .inet()
        .is_some_and(|own| own.ip() == ip)
    {
        return true;
    }
    let probe = move || std::net::UdpSocket::bind(SocketAddr::new(ip, 0)).is_ok();
    match &session.listener.shared.namespace {
        None => probe(),
        Some(namespace) => namespace
            .factory()
            .and_then(|factory| factory.run(probe).ok())
            .unwrap_or(false),
    }
}
