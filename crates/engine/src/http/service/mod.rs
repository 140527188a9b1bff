//! Services: answers that are made outside of the workers, by Python, through one narrow door.
//!
//! ```text
//! worker:  use-service ─▶ Door ─────────▶ whoever serves (Engine::calls)
//!             │                                │
//!          Phase::Serving ◀─▶ Channel ◀─▶ Call ┘
//!             ▲                  │
//!             └── Mailbox ◀──────┘
//! ```
//!
//! A worker never waits for the other side, nor holds anything that the other side holds for long.
//! The answer goes the way of a server's: rules, compression, log, keep-alive.

mod call;
mod channel;
mod feed;
mod request;
mod serving;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use isthmus_plan::http::TimeoutKind;
use isthmus_proto::http::{Body, Method};
use isthmus_proto::http1::{Exchange, Progress, ResponseHead};

use super::body::Reading;
use super::judge::Judged;
use super::response::Awaited;
use super::stream::Answerer;
use crate::door::Notice;
use crate::flow::Pumped;
use crate::session::{Ending, Phase, Session};
use crate::worker::{Step, Worker};

pub use call::{Call, Refused};
pub use channel::{Body as CallBody, Gone};
pub(crate) use serving::{Next, Serving};

use channel::{Channel, Heard};

/// A service as a plan names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// As the rule names it.
    pub(crate) name: String,
    /// As logs show it in the server's place: in HAProxy's way `<name>`.
    pub(crate) shown: String,
}

impl Service {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            shown: format!("<{name}>"),
        }
    }
}

impl Worker {
    /// `use-service`: hands the request out. Where too many wait already, the client gets a 503.
    pub(super) fn use_service(&mut self, session: &mut Session, service: &Arc<Service>) -> Judged {
        let now = self.turn.now;
        let door = self.process.door.clone();
        session.stream().served_by = Some(service.clone());
        session.moments.asked = Some(now);
        session.moments.unqueued = Some(now);
        session.moments.connected = Some(now);
        let global = &session.frontend.generation.global.http;
        let mailbox = self.mailboxes.get(self.turn.worker).cloned();
        let (Some(mailbox), true) = (mailbox, door.enter_line(global.service_queue)) else {
            session.end(b'S', b'C');
            self.answer_status(session, 503);
            return Judged::Answered;
        };
        let mut rewrite = std::mem::take(&mut session.stream().request.rewrite);
        session.choose_coding(&mut rewrite);
        session.stream().request.rewrite = rewrite;
        let channel = Channel::new(door.number(), mailbox, session.key, door.clone());
        let channel = Arc::new(channel);
        let call = Call::new(self.service_request(session, service), channel.clone());
        let stream = session.stream();
        stream.answerer = Answerer::Service;
        stream.service = Some(Box::new(Serving::new(channel)));
        session.phase = Phase::Serving;
        session.phase_began = now;
        session.server_active = now;
        session.client_active = now;
        session.timed_out = false;
        session.next_rule = 0;
        door.notice(Notice::Call(call));
        Judged::Answered
    }

    /// Moves what can be moved between a client and a service.
    pub(crate) fn serving(&mut self, session: &mut Session) -> Step {
        if std::mem::take(&mut session.timed_out) && !session.is_held() {
            if let Some(step) = self.service_is_late(session) {
                return step;
            }
        }
        let up = match self.feed(session) {
            Ok(pumped) => pumped,
            Err(step) => return step,
        };
        // As newer HAProxy's `option abortonclose`, which is on unless said otherwise: a client
        // that ends its side has gone.
        let over = session.response_is_over();
        if up == Pumped::SourceBroken || session.client_failed || session.up.closing && !over {
            return self.service_lost_its_client(session);
        }
        if !session.stream().answered {
            match self.await_service(session) {
                Awaited::Written(Pumped::DestinationBroken) => {
                    return self.service_lost_its_client(session);
                }
                Awaited::Written(_) => {}
                Awaited::Nothing => {
                    self.go_on_if(up == Pumped::More, session);
                    return Step::Wait;
                }
                Awaited::Turned(step) => return step,
            }
        }
        let down = match self.pump_response(session) {
            Ok(pumped) => pumped,
            Err(step) => return step,
        };
        match down {
            Pumped::DestinationBroken => return self.service_lost_its_client(session),
            Pumped::SourceBroken => {
                session.end(b'S', b'D');
                return Step::Close;
            }
            Pumped::Idle | Pumped::More => {}
        }
        if session.response_is_over() && session.leaves_no_body() {
            session.end(b'L', b'R');
            return self.end_exchange(session);
        }
        self.go_on_if(up == Pumped::More || down == Pumped::More, session);
        Step::Wait
    }

    fn go_on_if(&mut self, more: bool, session: &Session) {
        if more {
            self.busy.push(session.key);
        }
    }

    fn service_lost_its_client(&mut self, session: &mut Session) -> Step {
        let answered = session.stream().answered;
        session.end(b'C', if answered { b'D' } else { b'H' });
        Step::Close
    }

    /// The service's head, once it is there: judged and written.
    fn await_service(&mut self, session: &mut Session) -> Awaited {
        if session.is_held() {
            let body = session.stream().announced();
            return self.decide_as_served(session, body);
        }
        let Some(serving) = &session.stream().service else {
            return Awaited::Turned(Step::Close);
        };
        match serving.channel.hear() {
            Heard::Nothing => Awaited::Nothing,
            Heard::Failure => Awaited::Turned(self.service_failed(session)),
            Heard::Head(head) => match session.take_service_head(&head) {
                Some(body) => self.answer_as_served(session, body),
                None => Awaited::Turned(self.service_failed(session)),
            },
        }
    }

    fn service_failed(&mut self, session: &mut Session) -> Step {
        session.end(b'L', b'R');
        session.stream().moments.responded = Some(self.turn.now);
        self.answer_status(session, 500)
    }

    fn answer_as_served(&mut self, session: &mut Session, body: Body) -> Awaited {
        let now = self.turn.now;
        let rules = call::rules();
        let stream = session.stream();
        stream.moments.responded = Some(now);
        stream.response.reading = Reading::of(body, &rules);
        // Whoever waits for an invitation that never came sends its body, or does not.
        let uninvited = stream.request.head.expects_continue() && !stream.invited;
        stream.close |= uninvited && stream.request.waiting_len() == 0;
        if let Some(serving) = &mut stream.service {
            serving.begin(body);
        }
        self.decide_as_served(session, body)
    }

    /// Rules have their say. While they wait, this is called again.
    fn decide_as_served(&mut self, session: &mut Session, body: Body) -> Awaited {
        match self.judge_response(session) {
            Judged::Pass => Awaited::Written(self.write_response(session, body)),
            Judged::Answered => {
                // Whatever rules make of it, HAProxy's log says that a service answered.
                session.ending = Some(Ending {
                    cause: b'L',
                    phase: b'R',
                });
                Awaited::Turned(Step::Again)
            }
            Judged::Wait => Awaited::Nothing,
            Judged::Close => Awaited::Turned(Step::Close),
        }
    }

    /// A timeout struck; `None` if it was none of the two sides'.
    fn service_is_late(&mut self, session: &mut Session) -> Option<Step> {
        let now = self.turn.now;
        let answered = session.stream().answered;
        if session.silence_of_service() <= now {
            session.end(b's', if answered { b'D' } else { b'H' });
            return Some(match answered {
                true => Step::Close,
                false => self.answer_status(session, 504),
            });
        }
        if session.silence_of_its_client() <= now {
            session.end(b'c', b'D');
            if answered {
                return Some(Step::Close);
            }
            session.stream().close = true;
            return Some(self.answer_status(session, 408));
        }
        None
    }
}

impl Session {
    /// The service that answers; in logs it stands in the server's place.
    pub(crate) fn service(&self) -> Option<&Service> {
        self.http.as_deref()?.served_by.as_deref()
    }

    /// Takes note that a service was heard of.
    pub(crate) fn hear_service(&mut self, now: u64) {
        if self.phase == Phase::Serving {
            self.server_active = now;
        }
    }

    /// Reads a service's head into the response; says what body follows it.
    fn take_service_head(&mut self, head: &[u8]) -> Option<Body> {
        let bufsize = self.frontend.generation.global.bufsize;
        let stream = self.http.as_deref_mut()?;
        let response = &mut stream.response;
        response.taken = response.buffer.len();
        response.next(ResponseHead::clear);
        response.buffer.clear(bufsize);
        response.buffer.push(head);
        let read = response
            .head
            .read(response.buffer.bytes_mut(), &call::rules());
        let Ok(Progress::Complete(length)) = read else {
            return None;
        };
        response.whole = true;
        response.taken = length;
        // A service opens no tunnel.
        let method = match stream.method {
            Method::Connect => Method::Get,
            method => method,
        };
        let exchange = Exchange {
            method,
            upgrade: false,
        };
        response.head.body(exchange).ok()
    }

    /// When a service of which something is expected has been silent for too long.
    fn silence_of_service(&self) -> u64 {
        let Some(stream) = self.http.as_deref() else {
            return u64::MAX;
        };
        let over = stream.answered && stream.response.reading.is_done();
        let limits = stream.limits.as_ref();
        let held = limits.is_some_and(|l| l.down.waits.is_some());
        let client_owes = !stream.request.reading.is_done()
            && stream.service.as_ref().is_some_and(|s| s.channel.wants());
        if over || held || client_owes || !self.down.is_flushed() {
            return u64::MAX;
        }
        let usual = self.frontend.generation.global.http.service_timeout;
        match self.timeout(TimeoutKind::Server, Some(usual)) {
            None | Some(0) => u64::MAX,
            Some(limit) => self.server_active.saturating_add(limit),
        }
    }

    /// When a client from which bytes are expected, or that has to take some, has been silent for
    /// too long.
    fn silence_of_its_client(&self) -> u64 {
        let Some(stream) = self.http.as_deref() else {
            return u64::MAX;
        };
        let limits = stream.limits.as_ref();
        let held = limits.is_some_and(|l| l.up.waits.is_some());
        let serving = stream.service.as_ref();
        let room = serving.is_some_and(|s| s.channel.is_deaf() || s.channel.room() > 0);
        let sends = !stream.request.reading.is_done() && room && !held;
        if !sends && self.down.is_flushed() {
            return u64::MAX;
        }
        let usual = self.frontend.shared.plan.timeout_client;
        let limit = self.timeout(TimeoutKind::Client, usual);
        limit.map_or(u64::MAX, |limit| self.client_active.saturating_add(limit))
    }

    /// When something happens if nobody says anything (`Phase::Serving`).
    pub(crate) fn service_deadline(&self) -> u64 {
        self.silence_of_service().min(self.silence_of_its_client())
    }
}
