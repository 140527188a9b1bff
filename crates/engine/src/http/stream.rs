//! A stream: one exchange of a client's session, a request and its response (manual, section 1).
//! It is borrowed from the worker when a request begins and given back behind its response, so
//! that sessions that idle hold none.

use std::sync::Arc;

use isthmus_plan::http::TimeoutKind;
use isthmus_proto::http::Method;
use isthmus_proto::http1::{Persistence as Lasting, RequestHead, ResponseHead, Rewrite, View};

use super::bandwidth::Limits;
use super::body::{Reading, Writing};
use super::buffer::Buffer;
use super::cache::{Source, Wanted};
use super::coder::Coder;
use super::coding::Algorithm;
use super::filter::Filter;
use super::persistence::Persistence;
use super::service::{Service, Serving};
use crate::h2::StreamFacts;

/// A message that is being received.
#[derive(Debug, Default)]
pub(crate) struct Incoming<H> {
    pub(crate) head: H,
    pub(crate) buffer: Buffer,
    /// The head is whole.
    pub(crate) whole: bool,
    /// Bytes of the buffer that are done with: the head once it is whole, then the body.
    pub(crate) taken: usize,
    pub(crate) rewrite: Rewrite,
    pub(crate) reading: Reading,
}

/// Moments of a stream, engine milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StreamMoments {
    /// The exchange before was over, or the connection's handshake.
    pub(crate) idle_since: u64,
    /// The request's first byte.
    pub(crate) began: Option<u64>,
    /// Its head was whole.
    pub(crate) requested: Option<u64>,
    /// The response's head was whole.
    pub(crate) responded: Option<u64>,
}

/// Streams that a worker keeps for the next requests: with their space, which is made once.
#[derive(Debug, Default)]
pub(crate) struct Store {
    // Streams go from here into sessions and back by a pointer, not by copying them.
    #[allow(clippy::vec_box)]
    kept: Vec<Box<Stream>>,
}

impl Store {
    /// How many are kept.
    const MOST: usize = 256;

    pub(crate) fn take(&mut self) -> Box<Stream> {
        self.kept.pop().unwrap_or_default()
    }

    /// Takes a stream back that is ready for the next exchange.
    pub(crate) fn put(&mut self, stream: Box<Stream>) {
        if self.kept.len() < Self::MOST {
            self.kept.push(stream);
        }
    }
}

/// Timeouts that rules have replaced for this stream, milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timeouts([Option<u64>; 6]);

impl Timeouts {
    pub(crate) fn set(&mut self, which: TimeoutKind, time: u64) {
        if let Some(place) = self.0.get_mut(which as usize) {
            *place = Some(time);
        }
    }

    pub(crate) fn get(&self, which: TimeoutKind) -> Option<u64> {
        self.0.get(which as usize).copied().flatten()
    }
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Answerer {
    /// A server, if one can be had.
    #[default]
    Server,
    /// The proxy: the response stands in the buffer.
    Proxy,
    /// A service (`use-service`).
    Service,
}

/// An exchange.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) request: Incoming<RequestHead>,
    pub(crate) response: Incoming<ResponseHead>,
    pub(crate) moments: StreamMoments,
    /// Its number among all requests (`%rt`), where it is not the session's first.
    pub(crate) number: Option<u64>,
    /// The client's method.
    pub(crate) method: Method,
    /// The method that the server was asked with, where its response looks otherwise for it.
    pub(super) server_method: Option<Method>,
    /// The client asked for another protocol, and the server was asked too.
    pub(crate) upgrade: bool,
    pub(crate) answerer: Answerer,
    /// The response's head is on its way to the client: no other answer can be given.
    pub(crate) answered: bool,
    /// The status that the client got, 0 before; what the server said.
    pub(crate) status: u16,
    pub(crate) server_status: u16,
    /// The status that a configured message stands for, where it says another itself
    /// (`errorloc`); else 0.
    pub(crate) stated: u16,
    /// The client's connection ends behind this exchange.
    pub(crate) close: bool,
    /// The server's connection serves no other exchange.
    pub(crate) spent: bool,
    /// Nor does any other that the request is sent over.
    pub(crate) single: bool,
    /// The request went out over a connection that had served before.
    pub(crate) reused: bool,
    /// How the bodies are written.
    pub(crate) request_writing: Writing,
    pub(crate) response_writing: Writing,
    /// The coding that the client prefers, where `compression` asked for it.
    pub(crate) coding: Option<Algorithm>,
    /// The one that the response's body gets.
    pub(crate) coded: Option<Algorithm>,
    /// What the response's body goes through.
    pub(crate) filter: Option<Box<Filter>>,
    /// The coding of the request's body as the server gets it, and what it goes through.
    pub(crate) request_coding: Option<Algorithm>,
    pub(crate) request_filter: Option<Box<Filter>>,
    /// How fast its bodies may pass.
    pub(crate) limits: Option<Box<Limits>>,
    /// What a cache was asked for in vain, so that the response may be stored.
    pub(crate) wanted: Option<Box<Wanted>>,
    /// The cache that answers.
    pub(crate) source: Option<Source>,
    /// The call of the service that answers, and the service, which stays when the call is over.
    pub(crate) service: Option<Box<Serving>>,
    pub(crate) served_by: Option<Arc<Service>>,
    /// The rules that were walked through already.
    pub(crate) stage: Stage,
    /// What is to be done when the tarpit's time, or a pause, is over.
    pub(crate) resume_at: u64,
    /// Whose rules the response waits for: the backend's (0) or the frontend's (1).
    pub(crate) held_by: Option<usize>,
    /// A change that cannot be made does not end the stream (`strict-mode off`).
    pub(crate) lenient: bool,
    /// Where the rule stands that ended a rule set last, and the one that waits.
    pub(crate) last_rule: Option<Arc<str>>,
    pub(crate) waiting_rule: Option<Arc<str>>,
    /// The request's head is as the server gets it.
    pub(crate) prepared: bool,
    /// `disable-l7-retry`
    pub(crate) no_retry: bool,
    /// `set-priority-class` and `set-priority-offset`
    pub(crate) priority: (i64, i64),
    /// `set-timeout`
    pub(crate) timeouts: Timeouts,
    /// The 103 answer that `early-hint` rules make.
    pub(crate) hints: Vec<u8>,
    /// The persistence cookie.
    pub(crate) persistence: Persistence,
    /// The client was told to send its body (100 Continue).
    pub(crate) invited: bool,
    /// `capture cookie`: of the request and of the response, `name=value`.
    pub(crate) cookies: [Option<Vec<u8>>; 2],
    /// All that was sent of the request still stands in the buffer.
    pub(crate) replayable: bool,
    /// Its line has been written early (`option logasap`).
    pub(crate) logged: bool,
    /// Its end has been counted and logged.
    pub(crate) counted: bool,
    /// What was known of the server's stream, once that is gone (`bs.*`).
    pub(crate) past_server: Option<StreamFacts>,
    /// It was sent again once, since an idle connection had died.
    pub(crate) renewed: bool,
}

/// How far the rules of a request were walked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Default)]
pub(crate) enum Stage {
    /// Content rules of the frontend.
    #[default]
    Content,
    /// `http-request` rules of the frontend.
    Http,
    /// All of them.
    Done,
}

impl<H> Incoming<H> {
    /// Forgets the message; what came behind it stays in the buffer.
    pub(crate) fn next(&mut self, clear: impl FnOnce(&mut H)) {
        clear(&mut self.head);
        self.buffer.keep_from(self.taken);
        self.whole = false;
        self.taken = 0;
        self.rewrite.clear();
        self.reading = Reading::Done;
    }

    /// The body's bytes that came with the head and are not yet forwarded.
    pub(crate) fn waiting(&self) -> &[u8] {
        self.buffer.behind(self.taken)
    }

    pub(crate) fn waiting_len(&self) -> usize {
        self.buffer.len().saturating_sub(self.taken)
    }
}

impl Incoming<RequestHead> {
    pub(crate) fn view(&self) -> Option<View<'_>> {
        self.whole
            .then(|| View::request(&self.head, self.buffer.bytes(), &self.rewrite))
    }
}

impl Incoming<ResponseHead> {
    pub(crate) fn view(&self) -> Option<View<'_>> {
        self.whole
            .then(|| View::response(&self.head, self.buffer.bytes(), &self.rewrite))
    }
}

impl Stream {
    /// Makes it ready for another exchange. What the client sent ahead stays if `ahead`.
    pub(crate) fn next(&mut self, ahead: bool, bufsize: usize) {
        self.request.next(RequestHead::clear);
        self.response.taken = self.response.buffer.len();
        self.response.next(ResponseHead::clear);
        self.response.buffer.clear(bufsize);
        if !ahead {
            self.request.buffer.clear(bufsize);
        }
        let request = std::mem::take(&mut self.request);
        let response = std::mem::take(&mut self.response);
        *self = Self {
            request,
            response,
            ..Self::default()
        };
    }

    /// Reads past what of the request's body is there, for an answer that does not need it. Where
    /// more is to come, the connection ends behind the answer.
    pub(crate) fn swallow_request(&mut self) {
        let request = &mut self.request;
        let taken = request.taken;
        let body = request
            .buffer
            .bytes_mut()
            .get_mut(taken..)
            .unwrap_or_default();
        let mut unused = Vec::new();
        match request.reading.take(body, Writing::Plain, &mut unused) {
            Ok(took) if request.reading.is_done() => request.taken += took.used,
            _ => self.close = true,
        }
    }

    /// Reads past the server's response, which nobody is to get; false where it is not whole, or
    /// the connection would serve no other request.
    pub(super) fn skips_response(&mut self, rules: &isthmus_proto::http1::Rules) -> bool {
        let exchange = self.exchange();
        let response = &mut self.response;
        let at_stake = response.whole && self.answerer == Answerer::Server && !self.answered;
        let keeps = !self.spent && response.head.persistence() != Lasting::Close;
        if !(at_stake && keeps && self.request.reading.is_done()) {
            return false;
        }
        let body = match response.head.body(exchange) {
            Ok(body) if body.is_delimited() => body,
            _ => return false,
        };
        let mut reading = Reading::of(body, rules);
        let taken = response.taken;
        let rest = response.buffer.bytes_mut().get_mut(taken..);
        let rest = rest.unwrap_or_default();
        let given = rest.len();
        let mut unused = Vec::new();
        let took = reading.take(rest, Writing::Plain, &mut unused);
        reading.is_done() && took.is_ok_and(|took| took.used == given)
    }

    /// Prepares for the request's body, which is coded anew each time that it is sent.
    pub(crate) fn begin_request_filter(&mut self, level: u32) {
        let Some(algorithm) = self.request_coding else {
            return;
        };
        let mut filter = Box::<Filter>::default();
        filter.coder = Coder::new(algorithm, level);
        filter.writing = Writing::Chunks;
        self.request_filter = Some(filter);
    }

    /// Makes the request ready to be sent once more.
    pub(crate) fn rewind(&mut self, rules: &isthmus_proto::http1::Rules) {
        let request = &mut self.request;
        request.taken = request.head.len();
        request.reading = Reading::of(request.head.body(), rules);
        self.response.taken = self.response.buffer.len();
        self.response.next(ResponseHead::clear);
        self.moments.responded = None;
        self.spent = self.single;
        self.reused = false;
    }

    /// Whether another protocol follows the response: 101, or 2xx to CONNECT.
    pub(crate) fn is_tunnel(&self) -> bool {
        let exchange = self.exchange();
        self.response.whole
            && matches!(
                self.response.head.body(exchange),
                Ok(isthmus_proto::http::Body::Tunnel)
            )
    }

    /// Bytes that the client sent of what comes behind this request.
    pub(crate) fn has_more(&self) -> bool {
        !self.request.waiting().is_empty()
    }
}
