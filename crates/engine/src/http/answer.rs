//! Answers of the proxy's own: they stand in the response's buffer as whole messages, and go the
//! way of a server's.

use isthmus_proto::http::{FieldName, elements};
use isthmus_proto::http1::{Field, Progress, ResponseHead, Rules};
use isthmus_sample::Verdict;

use super::body::{Reading, Writing};
use super::compile::{Content, Delay, HttpSide, Redirect, RedirectKind, Reply};
use super::judge::Judged;
use super::message;
use super::stream::{Answerer, Incoming};
use crate::session::{Phase, Session};
use crate::view::View;
use crate::worker::{Step, Worker};

impl Worker {
    /// Answers with a status, in the words that the configuration has for it.
    pub(super) fn answer_status(&mut self, session: &mut Session, status: u16) -> Step {
        let message = self.default_message(session, status);
        let step = self.answer(session, &message);
        session.state_status(status, step);
        step
    }

    /// Answers with what a rule says.
    pub(super) fn answer_reply(&mut self, session: &mut Session, reply: &Reply) -> Judged {
        let message = match reply.content {
            Content::Default => self.default_message(session, reply.status),
            _ => self.message_of(session, reply),
        };
        if session.judges_response() {
            session.stream().moments.responded = None;
        }
        let step = self.answer(session, &message);
        session.state_status(reply.status, step);
        match step {
            Step::Close => Judged::Close,
            _ => Judged::Answered,
        }
    }

    /// The backend's or the frontend's message for a status, or the built-in one.
    fn default_message(&self, session: &Session, status: u16) -> Vec<u8> {
        let of = |side: Option<&HttpSide>| {
            let reply = side?.errors.iter().rev().find(|r| r.status == status)?;
            Some(self.message_of(session, reply))
        };
        session
            .backend
            .as_ref()
            .and_then(|backend| of(backend.shared.http.as_ref()))
            .or_else(|| of(session.frontend.shared.http.as_ref()))
            .unwrap_or_else(|| message::built_in(status))
    }

    /// A whole message from a reply.
    fn message_of(&self, session: &Session, reply: &Reply) -> Vec<u8> {
        let view = View::new(session, &self.turn);
        let body = match &reply.content {
            Content::Default => return message::built_in(reply.status),
            Content::Message(message) => return message.clone(),
            Content::Empty => Vec::new(),
            Content::Literal(body) => body.clone(),
            Content::Format(format) => format.to_bytes(&view),
        };
        let status = reply.status;
        let reason = message::reason(status);
        let mut out = format!("HTTP/1.1 {status} {reason}\r\n").into_bytes();
        let mut field = |name: &[u8], value: &[u8]| {
            out.extend(name.iter().map(u8::to_ascii_lowercase));
            out.extend_from_slice(b": ");
            message::push_encoded(&mut out, value);
            out.extend_from_slice(b"\r\n");
        };
        // What says where the message ends is the proxy's own.
        let framing = |name: &[u8]| {
            name.eq_ignore_ascii_case(b"content-length")
                || name.eq_ignore_ascii_case(b"transfer-encoding")
        };
        for (name, value) in reply.headers.iter().filter(|(name, _)| !framing(name)) {
            field(name, &value.to_bytes(&view));
        }
        if !matches!(status, 100..=199 | 204 | 304) {
            field(b"content-length", body.len().to_string().as_bytes());
        }
        if let Some(kind) = reply.content_type.as_ref().filter(|_| !body.is_empty()) {
            field(b"content-type", kind);
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&body);
        out
    }

    /// Puts a message in the place of the server's. An empty one closes the connection.
    pub(super) fn answer(&mut self, session: &mut Session, message: &[u8]) -> Step {
        self.leave_replaced(session);
        let no_body = session.answers_head();
        let bufsize = session.frontend.generation.global.bufsize;
        let Some(stream) = session.http.as_deref_mut() else {
            return Step::Close;
        };
        if message.is_empty() || stream.answered {
            return Step::Close;
        }
        stream.answerer = Answerer::Proxy;
        stream.filter = None;
        stream.source = None;
        stream.service = None;
        let response = &mut stream.response;
        response.taken = response.buffer.len();
        response.next(ResponseHead::clear);
        let Some((message, length)) = hold(response, message, bufsize) else {
            return Step::Close;
        };
        response.whole = true;
        response.taken = if no_body { message } else { length };
        response.reading = match (message - response.taken) as u64 {
            0 => Reading::Done,
            left => Reading::Length(left),
        };
        stream.response_writing = Writing::Plain;
        let bytes = response.buffer.bytes();
        let said = response.head.fields().known(FieldName::Connection);
        let closes = |field: &Field| elements(field.value.of(bytes)).any(is_close);
        stream.close |= said.is_some_and(closes);
        stream.swallow_request();
        stream.held_by = None;
        stream.resume_at = 0;
        session.timed_out = false;
        session.next_rule = 0;
        session.phase = Phase::Exchange;
        session.phase_began = self.turn.now;
        Step::Again
    }

    /// `monitor-uri`: true if the request is a probe of the proxy's own health.
    pub(super) fn answers_monitor(&mut self, session: &mut Session) -> bool {
        let frontend = session.frontend.clone();
        let Some(uri) = frontend
            .shared
            .plan
            .http
            .as_ref()
            .and_then(|http| http.monitor_uri.as_ref())
        else {
            return false;
        };
        let request = match session.http.as_deref() {
            Some(stream) => &stream.request,
            None => return false,
        };
        if request.head.target_span().of(request.buffer.bytes()) != uri.as_bytes() {
            return false;
        }
        let view = View::new(session, &self.turn);
        let program = &frontend.generation.program;
        let side = frontend.shared.http.as_ref();
        let fails = side.is_some_and(|side| {
            let mut conditions = side.monitor_fail.iter();
            conditions.any(|condition| program.eval(condition, &view) == Verdict::Pass)
        });
        session.end(b'L', b'R');
        self.count_intercepted(session);
        // Monitoring is never logged (manual, monitor-uri).
        session.log_level = Some(None);
        self.answer_status(session, if fails { 503 } else { 200 });
        true
    }

    /// `redirect`
    pub(super) fn redirect(&mut self, session: &mut Session, redirect: &Redirect) -> Judged {
        let value = redirect.value.to_bytes(&View::new(session, &self.turn));
        let plan = &redirect.plan;
        if plan.ignore_empty && value.is_empty() {
            return Judged::Pass;
        }
        let Some(location) = session.location(redirect, &value) else {
            return Judged::Pass;
        };
        let reason = message::reason(plan.code);
        let mut out =
            format!("HTTP/1.1 {} {reason}\r\ncontent-length: 0\r\n", plan.code).into_bytes();
        out.extend_from_slice(b"location: ");
        message::push_encoded(&mut out, &location);
        if matches!(plan.code, 302 | 303 | 307) {
            out.extend_from_slice(b"\r\ncache-control: no-cache");
        }
        if let Some(cookie) = &plan.cookie {
            out.extend_from_slice(b"\r\nset-cookie: ");
            message::push_encoded(&mut out, cookie.as_bytes());
        }
        out.extend_from_slice(b"\r\n\r\n");
        if session.judges_response() {
            session.stream().moments.responded = None;
        }
        session.end(b'L', session.deny_phase());
        self.count_intercepted(session);
        match self.answer(session, &out) {
            Step::Close => Judged::Close,
            _ => Judged::Answered,
        }
    }

    /// `auth`: asks for credentials, as a proxy where the request is one for a proxy.
    pub(super) fn demand_authentication(
        &mut self,
        session: &mut Session,
        realm: &Option<Vec<u8>>,
    ) -> Judged {
        let http = session.frontend.shared.plan.http.as_ref();
        let asked = http.is_some_and(|http| http.use_proxy_header);
        let proxy = session
            .http
            .as_deref()
            .filter(|_| asked)
            .is_some_and(|stream| {
                let request = &stream.request;
                let target = request.head.target_span().of(request.buffer.bytes());
                !matches!(target.first(), Some(b'/' | b'*'))
            });
        let (status, field) = match proxy {
            true => (407, "proxy-authenticate"),
            false => (401, "www-authenticate"),
        };
        let name = match &session.backend {
            Some(backend) => backend.shared.plan.name.clone(),
            None => session.frontend.shared.plan.name.clone(),
        };
        let realm = realm.as_deref().unwrap_or(name.as_bytes());
        let mut message = self.default_message(session, status);
        if let Some(at) = memchr::memmem::find(&message, message::CHALLENGE.as_bytes()) {
            message.drain(at..at + message::CHALLENGE.len());
        }
        let line = [field.as_bytes(), b": Basic realm=\"", realm, b"\"\r\n"].concat();
        if let Some(at) = memchr::memmem::find(&message, b"\r\n\r\n") {
            message.splice(at + 2..at + 2, line);
        }
        session.end(b'L', b'R');
        self.count_intercepted(session);
        match self.answer(session, &message) {
            Step::Close => {
                session.state_status(status, Step::Close);
                Judged::Close
            }
            _ => Judged::Answered,
        }
    }

    /// `tarpit`: the answer comes only when `timeout tarpit` is over.
    pub(super) fn tarpit(&mut self, session: &mut Session, reply: &Reply) -> Judged {
        let now = self.turn.now;
        let wait = session.tarpit_time();
        let stream = session.stream();
        if stream.resume_at == 0 {
            stream.resume_at = now + wait;
        }
        if now < stream.resume_at && !session.client_failed && !session.up.closing {
            return Judged::Wait;
        }
        let stream = session.stream();
        stream.resume_at = 0;
        // HAProxy logs the wait as one for a queue.
        stream.moments.requested = None;
        session.moments.unqueued = Some(now);
        self.count_denied(session);
        self.count_client_error(session);
        session.end(b'P', b'T');
        self.answer_reply(session, reply)
    }

    /// `pause`: the rules behind it come later.
    pub(super) fn pause_rules(&mut self, session: &mut Session, delay: &Delay) -> Judged {
        let now = self.turn.now;
        let length = match delay {
            Delay::Fixed(time) => *time,
            Delay::Computed(expression) => {
                use isthmus_sample::{Kind, Sample};
                let view = View::new(session, &self.turn);
                match expression.value_as(&view, Kind::Int) {
                    Some(Sample::Int(time)) => u64::try_from(time).unwrap_or(0),
                    _ => 0,
                }
            }
        };
        let stream = session.stream();
        if stream.resume_at == 0 {
            stream.resume_at = now + length;
        }
        if now < stream.resume_at {
            return Judged::Wait;
        }
        stream.resume_at = 0;
        Judged::Pass
    }
}

/// What an interim answer does not carry (RFC 9110, 8.6; RFC 9112, 6.1 and 9.6).
const FRAMING: [&[u8]; 3] = [b"content-length", b"transfer-encoding", b"connection"];

/// Puts a message into the buffer: how long it is, and its head. One whose head nobody could read is
/// replaced, so that the client has an answer.
fn hold(
    response: &mut Incoming<ResponseHead>,
    message: &[u8],
    bufsize: usize,
) -> Option<(usize, usize)> {
    let rules = Rules {
        head: u32::MAX,
        ..Rules::default()
    };
    for message in [message, &message::built_in(500)] {
        response.buffer.clear(bufsize);
        response.buffer.push(message);
        response.head.clear();
        let read = response.head.read(response.buffer.bytes_mut(), &rules);
        if let Ok(Progress::Complete(length)) = read {
            return Some((message.len(), length));
        }
    }
    None
}

impl Session {
    /// Adds a field to the 103 answer that is being made; a client of HTTP/1.0 gets none.
    pub(super) fn add_hint(&mut self, name: &[u8], value: &[u8]) {
        if !self.client_is_11() {
            return;
        }
        let hints = &mut self.stream().hints;
        if hints.is_empty() {
            hints.extend_from_slice(b"HTTP/1.1 103 Early Hints\r\n");
        }
        // Fields of a message's end or connection say nothing in an answer that has neither.
        if FRAMING.contains(&name) {
            return;
        }
        hints.extend_from_slice(name);
        hints.extend_from_slice(b": ");
        message::push_encoded(hints, value);
        hints.extend_from_slice(b"\r\n");
    }

    /// Sends the 103 answer that `early-hint` rules in a row have made (RFC 8297).
    pub(super) fn send_hints(&mut self) {
        let Some(stream) = self.http.as_deref_mut().filter(|s| !s.hints.is_empty()) else {
            return;
        };
        let mut hints = std::mem::take(&mut stream.hints);
        hints.extend_from_slice(b"\r\n");
        self.down.bytes += hints.len() as u64;
        // A client that is gone is noticed when the answer itself is written.
        self.down
            .write_pieces(&mut self.client, &[std::io::IoSlice::new(&hints)]);
    }

    /// Keeps the status that a message of the configuration was sent for, where it says another,
    /// or nothing at all (`errorfile 403 /dev/null`).
    fn state_status(&mut self, status: u16, step: Step) {
        if let Some(stream) = self.http.as_deref_mut() {
            if step == Step::Close {
                if !stream.answered {
                    stream.status = status;
                }
                return;
            }
            let said = stream.response.head.status();
            stream.stated = if said == status { 0 } else { status };
        }
    }

    fn tarpit_time(&self) -> u64 {
        let of = |proxy: &isthmus_plan::http::HttpProxy| proxy.timeout_tarpit;
        let backend = self.backend.as_ref();
        let http = backend.and_then(|b| b.shared.plan.http.as_ref());
        if let Some(time) = self.timeout(isthmus_plan::http::TimeoutKind::Tarpit, None) {
            return time;
        }
        http.and_then(|http| of(&http.common))
            .or_else(|| of(&self.frontend.shared.plan.http.as_ref()?.common))
            .unwrap_or(0)
    }

    /// Where a redirection leads.
    fn location(&self, redirect: &Redirect, value: &[u8]) -> Option<Vec<u8>> {
        let head = self.http.as_deref()?.request.view()?;
        let target = head.part(isthmus_proto::http1::StartLine::Target);
        // `*` and the authority of CONNECT have no path: the root stands for it, as with HAProxy.
        let (parsed, target) =
            match isthmus_proto::http::Target::parse(target, isthmus_proto::http::Method::Get) {
                Some(parsed) => (parsed, target),
                None => {
                    let root: &[u8] = b"/";
                    let get = isthmus_proto::http::Method::Get;
                    (isthmus_proto::http::Target::parse(root, get)?, root)
                }
            };
        let plan = &redirect.plan;
        let mut path = parsed.path(target).to_vec();
        let query = parsed.query(target).unwrap_or_default();
        let keep_query = |path: &mut Vec<u8>| {
            if !query.is_empty() && !plan.drop_query {
                path.push(b'?');
                path.extend_from_slice(query);
            }
            if plan.append_slash && !path.ends_with(b"/") {
                path.push(b'/');
            }
        };
        Some(match redirect.kind {
            RedirectKind::Location if plan.keep_query && !query.is_empty() => {
                let joint: &[u8] = if value.contains(&b'?') { b"&" } else { b"?" };
                [value, joint, query].concat()
            }
            RedirectKind::Location => value.to_vec(),
            RedirectKind::Prefix => {
                keep_query(&mut path);
                match value {
                    b"/" => path,
                    value => [value, &path[..]].concat(),
                }
            }
            RedirectKind::Scheme => {
                keep_query(&mut path);
                let mut host: &[u8] = b"";
                head.for_each_id(|_, name, value| {
                    if name == b"host" {
                        host = value;
                    }
                    name != b"host"
                });
                [value, b"://", host, &path[..]].concat()
            }
        })
    }
}

fn is_close(option: &[u8]) -> bool {
    option.eq_ignore_ascii_case(b"close")
}
