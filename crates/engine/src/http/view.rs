//! An exchange as expressions see it.

use std::borrow::Cow;
use std::sync::Arc;

use isthmus_plan::http::{Cookie, CookieMode};
use isthmus_proto::http::{Body, FieldName};
use isthmus_proto::http1::View as Head;
use isthmus_sample::{Bytes, Content, Number, Side, Text};

use super::body::{Reading, Writing};
use super::stream::{Incoming, Stream};
use crate::view::View;

impl View<'_> {
    pub(crate) fn http_head(&self, side: Side) -> Option<Head<'_>> {
        let stream = self.session.http.as_deref()?;
        match side {
            Side::Request => stream.request.view(),
            Side::Response => stream.response.view(),
        }
    }

    pub(crate) fn http_content(&self, side: Side) -> Option<Content<'_>> {
        let stream = self.session.http.as_deref()?;
        match side {
            Side::Request => Some(content(&stream.request, stream.request.head.body())),
            Side::Response if stream.response.whole => {
                let body = stream.response.head.body(stream.exchange()).ok()?;
                Some(content(&stream.response, body))
            }
            Side::Response => None,
        }
    }

    /// Whether this is an exchange of which no request could be read.
    pub(crate) fn lacks_request(&self) -> bool {
        let stream = self.session.http.as_deref();
        stream.is_some_and(|stream| !stream.request.whole)
    }

    /// The cookie that was captured of a side. As with HAProxy, there is none of a request that a
    /// rule answered other than by `deny` and `tarpit`, nor of a response that a rule replaced.
    fn captured_cookie(&self, stream: &Stream, side: Side) -> Option<Bytes<'_>> {
        let ending = self
            .session
            .ending
            .map(|ending| (ending.cause, ending.phase));
        let hidden = match (side, ending) {
            (Side::Request, Some((b'L', b'R'))) => stream.source.is_none(),
            (Side::Request, Some((b'P', b'R'))) => stream.status == 0,
            (Side::Response, Some((b'L' | b'P', b'H'))) => true,
            _ => false,
        };
        let stream = self.session.http.as_deref().filter(|_| !hidden)?;
        let [request, response] = &stream.cookies;
        let cookie = match side {
            Side::Request => request,
            Side::Response => response,
        };
        cookie.as_deref().map(Cow::Borrowed)
    }

    /// Milliseconds of an exchange, -1 where a moment was not reached.
    pub(crate) fn http_timer(&self, stream: &Stream, fact: Number) -> i64 {
        let session = self.session;
        let moments = &stream.moments;
        let now = Some(self.turn.now);
        let first = session.exchanges == 0;
        let accepted = Some(session.moments.accepted);
        let start = match first {
            true => accepted,
            false => Some(moments.idle_since),
        };
        let began = moments.began.or(moments.requested);
        match fact {
            Number::TimeHandshake if first => {
                Self::between(accepted, Some(session.moments.handshaken))
            }
            Number::TimeHandshake => 0,
            Number::TimeIdle => Self::between(Some(moments.idle_since), began.or(now)),
            Number::TimeRequest => Self::between(began, moments.requested),
            Number::TimeQueue => {
                Self::between(moments.requested.or(began), session.moments.unqueued)
            }
            Number::TimeConnect => {
                Self::between(session.moments.unqueued, session.moments.connected)
            }
            Number::TimeResponse => Self::between(session.moments.connected, moments.responded),
            Number::TimeData => Self::between(moments.responded, now),
            Number::TimeActive => Self::between(began.or(Some(moments.idle_since)), now),
            Number::TimeUser => Self::between(start.filter(|_| first).or(began), now),
            _ => Self::between(start, now),
        }
    }

    /// When the request began, microseconds of wall-clock time.
    pub(crate) fn request_date(&self) -> Option<i64> {
        let moments = &self.session.http.as_deref()?.moments;
        let began = moments.began.unwrap_or(moments.idle_since);
        i64::try_from(self.turn.clock.wall_us(began)).ok()
    }

    pub(crate) fn http_number(&self, fact: Number) -> Option<i64> {
        let session = self.session;
        let stream = session.http.as_deref()?;
        match fact {
            Number::Status => Some(match stream.status {
                0 if stream.response.whole => i64::from(stream.response.head.status()),
                0 => -1,
                status => i64::from(status),
            }),
            Number::ServerStatus => {
                (stream.server_status > 0).then(|| i64::from(stream.server_status))
            }
            Number::CacheHit => Some(i64::from(stream.source.is_some())),
            Number::Coded => Some(i64::from(stream.coded.is_some())),
            Number::LastRuleLine => {
                let (_, line) = stream.last_rule.as_deref()?.rsplit_once(':')?;
                line.parse().ok()
            }
            Number::FirstRequest => Some(i64::from(session.exchanges == 0)),
            Number::ClientHttpMajor => Some(1 + i64::from(session.is_h2())),
            Number::ServerHttpMajor => session.server_major(),
            Number::ServerConnectionReused => Some(i64::from(stream.reused)),
            Number::LoggedLineLength => {
                i64::try_from(session.frontend.generation.global.http.loguri_len).ok()
            }
            Number::ResponseCaptures if self.lacks_request() => None,
            Number::ResponseCaptures => {
                let http = session.frontend.shared.plan.http.as_ref()?;
                i64::try_from(http.response_slots.len()).ok()
            }
            _ => None,
        }
    }

    pub(crate) fn http_text(&self, fact: Text) -> Option<Bytes<'_>> {
        let stream = self.session.http.as_deref()?;
        if fact == Text::CacheName {
            let cache = &stream.source.as_ref()?.cache;
            return Some(Cow::Borrowed(cache.plan.name.as_bytes()));
        }
        let place = |origin: &'_ Option<Arc<str>>| Some(Cow::Owned(origin.as_deref()?.into()));
        match fact {
            Text::LastRule => return place(&stream.last_rule),
            Text::WaitingRule => return place(&stream.waiting_rule),
            Text::LastRuleFile => {
                let (file, _) = stream.last_rule.as_deref()?.rsplit_once(':')?;
                return Some(Cow::Borrowed(file.as_bytes()));
            }
            _ => {}
        }
        if fact == Text::CodingName {
            let name = stream.coded?.name().as_bytes();
            return Some(Cow::Borrowed(name));
        }
        let request = &stream.request;
        let bytes = request.buffer.bytes();
        let (request_whole, response_whole) = (request.whole, stream.response.whole);
        let span = match fact {
            Text::CookieState => {
                let persistence = &stream.persistence;
                let letter = |letter: u8| if letter == 0 { b'-' } else { letter };
                let passive = |c: &Cookie| c.mode == CookieMode::Passive;
                let backend = self.session.backend.as_ref()?;
                let cookie = backend.shared.plan.http.as_ref()?.cookie.as_ref()?;
                return Some(Cow::Owned(match passive(cookie) {
                    true => b"--".to_vec(),
                    false => vec![letter(persistence.came), letter(persistence.went)],
                }));
            }
            Text::RequestCookie => return self.captured_cookie(stream, Side::Request),
            Text::ResponseCookie => return self.captured_cookie(stream, Side::Response),
            Text::RequestMethod if request_whole => request.head.method_span(),
            Text::RequestTarget if request_whole && self.session.client.is_stream() => {
                return Some(Cow::Owned(self.absolute_target(stream)));
            }
            Text::RequestTarget if request_whole => request.head.target_span(),
            Text::RequestVersion if self.session.client.is_stream() => {
                return Some(Cow::Borrowed(b"HTTP/2.0"));
            }
            Text::RequestVersion if request_whole => {
                let version = request.head.version_span().of(bytes);
                return Some(Cow::Borrowed(version));
            }
            Text::ResponseVersion if response_whole => {
                let response = &stream.response;
                let version = response.head.version_span().of(response.buffer.bytes());
                return Some(Cow::Borrowed(version));
            }
            _ => return None,
        };
        Some(Cow::Borrowed(span.of(bytes)))
    }

    /// A target of HTTP/2 with scheme and authority, which are parts of its request there.
    fn absolute_target(&self, stream: &Stream) -> Vec<u8> {
        let request = &stream.request;
        let bytes = request.buffer.bytes();
        let target = request.head.target_span().of(bytes);
        let host = request.head.fields().known(FieldName::Host);
        match host.map(|host| host.value.of(bytes)) {
            Some(host) if target.starts_with(b"/") => {
                let scheme: &[u8] = match self.session.listener.shared.acceptor {
                    Some(_) => b"https://",
                    None => b"http://",
                };
                [scheme, host, target].concat()
            }
            _ => target.to_vec(),
        }
    }
}

/// What of a body came with its head.
fn content<H>(message: &Incoming<H>, body: Body) -> Content<'_> {
    let waiting = message.waiting();
    match body {
        Body::Length(length) => Content {
            bytes: Cow::Borrowed(
                usize::try_from(length)
                    .ok()
                    .and_then(|length| waiting.get(..length))
                    .unwrap_or(waiting),
            ),
            length: Some(length),
            growing: false,
        },
        Body::Chunked => {
            let mut copy = waiting.to_vec();
            let mut data = Vec::new();
            let mut reading = Reading::of(body, &isthmus_proto::http1::Rules::default());
            // What is malformed is refused where it is forwarded.
            let _ = reading.take(&mut copy, Writing::Plain, &mut data);
            Content {
                length: reading.is_done().then_some(data.len() as u64),
                bytes: Cow::Owned(data),
                growing: false,
            }
        }
        Body::UntilClose => Content {
            bytes: Cow::Borrowed(waiting),
            length: None,
            growing: false,
        },
        Body::None | Body::Tunnel => Content {
            bytes: Cow::Borrowed(b""),
            length: Some(0),
            growing: false,
        },
    }
}
