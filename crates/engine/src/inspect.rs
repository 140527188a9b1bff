//! Content rules: they look at what the client sent so far, and wait for more, at most for the
//! inspection delay.

use isthmus_sample::{Sample, Verdict};
use isthmus_sockets::Moved;

use crate::asking::{Asked, Resolve};
use crate::rules::{Action, Choice, Part, Rule, SetIf, Target, Value};
use crate::session::{Phase, Session};
use crate::turn::Turn;
use crate::view::View;
use crate::worker::{Step, Worker};

/// How far a set of content rules has been walked. As with HAProxy, a condition that waits has the
/// whole set walked again when more is known, and an action that waits is gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Walked {
    #[default]
    NotYet,
    /// Up to a condition that waits.
    Again,
    /// Up to this rule, whose condition holds and whose action waits.
    At(usize),
}

/// What a rule set says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Pass,
    Refused,
    /// The client left or was too slow.
    Failed,
    Wait,
    /// The connection becomes HTTP.
    Switch(Option<bool>),
}

impl Worker {
    /// The frontend's content rules, then the choice of a backend.
    pub(crate) fn inspect(&mut self, session: &mut Session) -> Step {
        let frontend = session.frontend.clone();
        let rules = &frontend.shared.content_rules;
        if !rules.is_empty() {
            let delay = frontend.shared.plan.inspect_delay;
            match self.content(session, rules, delay) {
                Outcome::Pass => {}
                Outcome::Refused => return self.deny(session),
                // As HAProxy, a client that left or was too slow still counts at its backend.
                Outcome::Failed => {}
                Outcome::Wait => return Step::Wait,
                Outcome::Switch(h2) => return self.switch(session, h2),
            }
        }
        session.timed_out = false;
        session.phase_began = self.turn.now;
        let at = self.choose_backend(session);
        let Some(backend) = at.and_then(|at| frontend.backends.get(at)) else {
            session.end(b'S', b'C');
            return Step::Close;
        };
        if backend.shared.http.is_some() && session.ending.is_none() {
            session.notes().chosen_backend.set(at);
            return self.switch(session, None);
        }
        session.enter_backend(backend, self.turn.now);
        if session.ending.is_some() {
            return Step::Close;
        }
        session.phase = Phase::InspectBackend;
        Step::Again
    }

    /// The backend's content rules.
    pub(crate) fn inspect_backend(&mut self, session: &mut Session) -> Step {
        let Some(backend) = session.backend.clone() else {
            return Step::Close;
        };
        let rules = &backend.shared.content_rules;
        // The rules of a `listen` were walked through on its client side.
        let done = session.frontend.shared.own_backend == Some(backend.shared.index);
        if !(rules.is_empty() || done) {
            match self.content(session, rules, backend.shared.plan.inspect_delay) {
                Outcome::Pass | Outcome::Switch(_) => {}
                Outcome::Refused => return self.deny(session),
                Outcome::Failed => return Step::Close,
                Outcome::Wait => return Step::Wait,
            }
        }
        session.timed_out = false;
        session.phase_began = self.turn.now;
        session.phase = Phase::Choose;
        Step::Again
    }

    fn deny(&mut self, session: &mut Session) -> Step {
        for counters in [&session.frontend.counters, &session.listener.counters] {
            counters.denied_requests.add(1);
        }
        if let Some(backend) = &session.backend {
            backend.counters.denied_requests.add(1);
        }
        session.end(b'P', b'R');
        Step::Close
    }

    fn content(&mut self, session: &mut Session, rules: &[Rule], delay: u64) -> Outcome {
        let known = (session.up.bytes, session.up.ended);
        // Without a delay the rules look at the connection alone, as HAProxy's do.
        if delay > 0 && self.read_content(session).is_err() {
            return Outcome::Failed;
        }
        let news = known != (session.up.bytes, session.up.ended);
        let asks = session.asks_until().is_some();
        if session.timed_out && !asks && session.client_timed_out(self.turn.now) {
            session.end(b'c', b'R');
            return Outcome::Failed;
        }
        let bufsize = session.frontend.generation.global.bufsize;
        let full = session.up.pending.as_slice().len() >= bufsize;
        let last_call = delay == 0 || session.timed_out || session.up.ended || full;
        // What counts in a rule must not count since the session was woken for nothing.
        if session.walked == Walked::Again && !(news || last_call) {
            return Outcome::Wait;
        }
        let (outcome, walked) = self.evaluate(session, rules, last_call);
        session.walked = walked;
        outcome
    }

    /// Reads what the client has sent, up to the size of a buffer.
    fn read_content(&mut self, session: &mut Session) -> Result<(), ()> {
        let bufsize = session
            .frontend
            .generation
            .global
            .bufsize
            .min(self.scratch.len());
        while session.up.readable && !session.up.ended {
            let room = bufsize.saturating_sub(session.up.pending.as_slice().len());
            let Some(space) = self
                .scratch
                .get_mut(..room)
                .filter(|space| !space.is_empty())
            else {
                break;
            };
            match session.client.receive(space) {
                Moved::Bytes(count) => {
                    session.client_active = self.turn.now;
                    session.up.bytes += count as u64;
                    session
                        .up
                        .pending
                        .push(space.get(..count).unwrap_or_default());
                }
                Moved::Later => session.up.readable = false,
                Moved::End => {
                    session.up.readable = false;
                    session.up.ended = true;
                }
                Moved::Broken(_) => {
                    session.end(b'C', b'R');
                    return Err(());
                }
            }
        }
        Ok(())
    }

    fn evaluate(
        &mut self,
        session: &mut Session,
        rules: &[Rule],
        last_call: bool,
    ) -> (Outcome, Walked) {
        let generation = session.frontend.generation.clone();
        let resumed = match session.walked {
            Walked::At(rule) => Some(rule),
            Walked::NotYet | Walked::Again => None,
        };
        for (at, rule) in rules.iter().enumerate().skip(resumed.unwrap_or(0)) {
            // A rule whose action waits has been judged already.
            if let (Some(condition), true) = (&rule.condition, resumed != Some(at)) {
                let view = View {
                    session,
                    turn: &self.turn,
                    last_call,
                };
                match generation.program.eval(condition, &view) {
                    Verdict::Pass => {}
                    Verdict::Wait if !last_call => return (Outcome::Wait, Walked::Again),
                    _ => continue,
                }
            }
            let asks = session.asks_until().is_some();
            if !last_call && !asks && session.must_wait(&rule.action, &self.turn) {
                return (Outcome::Wait, Walked::At(at));
            }
            let outcome = match &rule.action {
                Action::Resolve(rule) => match self.resolve(session, rule) {
                    Asked::Done => continue,
                    Asked::Gone => Outcome::Failed,
                    Asked::Waits => return (Outcome::Wait, Walked::At(at)),
                },
                Action::Accept => Outcome::Pass,
                Action::SwitchMode(h2) => Outcome::Switch(*h2),
                Action::Reject => Outcome::Refused,
                Action::SilentDrop(ttl) => {
                    session.drop_silently(*ttl);
                    Outcome::Refused
                }
                action => {
                    session.apply(action, &self.turn);
                    continue;
                }
            };
            return (outcome, Walked::NotYet);
        }
        (Outcome::Pass, Walked::NotYet)
    }

    pub(crate) fn choose_backend(&mut self, session: &Session) -> Option<usize> {
        let frontend = &session.frontend.shared;
        let generation = &session.frontend.generation;
        let named = |name: &[u8]| generation.backend_named(name);
        self.first_choice(session, &frontend.choices, named)
            .or(frontend.plan.default_backend)
    }

    /// The first of some choices whose condition holds and whose name is known.
    pub(crate) fn first_choice(
        &self,
        session: &Session,
        choices: &[Choice],
        named: impl Fn(&[u8]) -> Option<usize>,
    ) -> Option<usize> {
        let view = View::new(session, &self.turn);
        let program = &session.frontend.generation.program;
        let holds = |choice: &&Choice| {
            choice
                .condition
                .as_ref()
                .is_none_or(|c| program.eval(c, &view) == Verdict::Pass)
        };
        let chosen = choices.iter().find(holds)?;
        match &chosen.target {
            Target::Fixed(index) => Some(*index),
            Target::Dynamic(format) => named(&format.to_bytes(&view)),
        }
    }
}

impl Session {
    /// Whether an action needs bytes that may still come. As with HAProxy, what is captured or tracked
    /// is waited for; variables and addresses are set to what is known, or not at all.
    fn must_wait(&self, action: &Action, turn: &Turn) -> bool {
        let expression = match action {
            Action::Capture { expression, .. } | Action::Resolve(Resolve { expression, .. }) => {
                expression
            }
            Action::Track(track) => &track.key,
            _ => return false,
        };
        let view = View {
            session: self,
            turn,
            last_call: false,
        };
        let found = expression.eval(&view);
        found.sample.is_none() && found.may_change
    }

    /// Carries out an action that neither ends nor waits.
    pub(crate) fn apply(&mut self, action: &Action, turn: &Turn) {
        let view = View::new(self, turn);
        match action {
            Action::SetVar(variable, value, conditions) => {
                use isthmus_sample::Context;
                let value = match value {
                    Value::Expression(expression) => {
                        expression.value(&view).map(Sample::into_owned)
                    }
                    Value::Format(format) => Some(Sample::owned_text(format.to_bytes(&view))),
                };
                let present = view.variable(*variable).map(Sample::into_owned);
                let wanted = conditions
                    .iter()
                    .all(|c| c.holds(present.as_ref(), value.as_ref()));
                if wanted && value.is_some() {
                    view.set_variable(*variable, value);
                }
            }
            Action::UnsetVar(variable) => {
                use isthmus_sample::Context;
                view.set_variable(*variable, None);
            }
            Action::SetAddress(part, expression) => {
                let value = expression.value(&view).map(Sample::into_owned);
                self.set_address(*part, value);
            }
            Action::Capture {
                expression,
                len,
                slot,
            } => {
                // A capture is a string, and what is none is written as one (manual, 7.3).
                let value = expression.value_as(&view, isthmus_sample::Kind::Str);
                if let Some(Sample::Str(bytes) | Sample::Bin(bytes)) = value {
                    let side = match self.judges_response() {
                        true => isthmus_sample::Side::Response,
                        false => isthmus_sample::Side::Request,
                    };
                    self.keep(side, *slot, bytes.get(..*len).unwrap_or(&bytes));
                }
            }
            Action::SetLogLevel(level) => self.log_level = Some(*level),
            Action::Log(origin) => self.log_by_rule(*origin, turn),
            Action::SetMark(towards, value) => self.set_mark(*towards, value, turn),
            Action::SetTos(towards, value) => self.set_tos(*towards, value, turn),
            Action::SetRetries(value) => self.set_retries(value, turn),
            Action::Track(track) => self.track(track, turn),
            Action::Mark(mark) => self.mark(mark, turn),
            Action::Accept
            | Action::Reject
            | Action::SilentDrop(_)
            | Action::ExpectProxy
            | Action::Resolve(_)
            | Action::SwitchMode(_) => {}
        }
    }

    fn set_address(&self, part: Part, value: Option<Sample<'static>>) {
        use std::net::{IpAddr, Ipv4Addr, SocketAddr};
        let notes = self.notes();
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let (cell, current) = match part {
            Part::Source | Part::SourcePort => (&notes.source, self.source()),
            _ => (&notes.destination, self.destination()),
        };
        let mut address = current.unwrap_or(nowhere);
        match (part, value) {
            (Part::Source | Part::Destination, Some(Sample::Ipv4(ip))) => address.set_ip(ip.into()),
            (Part::Source | Part::Destination, Some(Sample::Ipv6(ip))) => address.set_ip(ip.into()),
            (Part::Source | Part::Destination, Some(Sample::Str(text))) => {
                let parsed = std::str::from_utf8(&text).ok().and_then(|t| t.parse().ok());
                let Some(ip) = parsed else { return };
                address.set_ip(ip);
            }
            (Part::SourcePort | Part::DestinationPort, Some(Sample::Int(port))) => {
                let Ok(port) = u16::try_from(port & 0xffff) else {
                    return;
                };
                address.set_port(port);
            }
            _ => return,
        }
        cell.set(Some(address));
    }

    /// Makes the coming close invisible to the client, or a reset that dies on its way.
    pub(crate) fn drop_silently(&self, ttl: Option<u8>) {
        if let Some(hops) = ttl {
            isthmus_sockets::set_ttl(&self.client, hops);
            self.client.abort_on_close();
        } else if isthmus_sockets::vanish(&self.client).is_err() {
            // Without CAP_NET_ADMIN: a reset that no router passes on (manual, silent-drop).
            isthmus_sockets::set_ttl(&self.client, 1);
            self.client.abort_on_close();
        }
    }
}

impl SetIf {
    /// Whether a variable may be set: `present` is its value now, `new` the one to come.
    fn holds(self, present: Option<&Sample<'_>>, new: Option<&Sample<'_>>) -> bool {
        let empty = |sample: Option<&Sample<'_>>| match sample {
            Some(Sample::Str(bytes) | Sample::Bin(bytes)) => bytes.is_empty(),
            Some(_) => false,
            None => true,
        };
        let number = |sample: Option<&Sample<'_>>| match sample {
            Some(Sample::Int(value)) => Some(*value),
            _ => None,
        };
        match self {
            Self::Exists | Self::Set if present.is_none() => false,
            Self::NotExists | Self::NotSet if present.is_some() => false,
            Self::Empty => empty(new),
            Self::NotEmpty => !empty(new),
            Self::Greater => number(present)
                .zip(number(new))
                .is_some_and(|(old, new)| old > new),
            Self::Less => number(present)
                .zip(number(new))
                .is_some_and(|(old, new)| old < new),
            _ => true,
        }
    }
}
