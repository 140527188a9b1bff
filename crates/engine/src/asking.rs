//! Rules that ask for a name's address (`do-resolve`): the question goes out through the door, and
//! the session waits for the answer, so long and no longer.

use std::net::IpAddr;
use std::sync::Arc;

use isthmus_plan as plan;
use isthmus_plan::ByteString;
use isthmus_plan::question::NameQuestion;
use isthmus_sample::{Compiled, Context, Kind, Sample, VarRef};
use parking_lot::Mutex;

use crate::door::{Door, Notice};
use crate::mailbox::{Mailbox, Message};
use crate::rules::Compiler;
use crate::session::Session;
use crate::slab::Key;
use crate::view::View;
use crate::worker::Worker;

/// `do-resolve`, ready to be carried out.
#[derive(Debug)]
pub(crate) struct Resolve {
    variable: VarRef,
    resolvers: String,
    prefer: plan::Family,
    /// Milliseconds after which nobody waits any more, answer or not.
    patience: u64,
    pub(crate) expression: Compiled,
}

/// What became of a rule that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It is over; where there was an answer, the variable holds it.
    Done,
    /// The answer is still waited for.
    Waits,
    /// The client has gone.
    Gone,
}

/// What a question has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Outcome {
    #[default]
    Open,
    Answered(Option<IpAddr>),
    /// Nobody waits any more.
    Left,
}

struct Shared {
    number: u64,
    mailbox: Arc<Mailbox>,
    key: Key,
    outcome: Mutex<Outcome>,
}

/// A question as the control plane holds it. It may be used from any thread. One that is dropped is
/// answered: there is no address.
pub struct Question {
    request: NameQuestion,
    shared: Arc<Shared>,
}

/// A question as its session holds it. Dropping it tells that nobody waits any more.
pub(crate) struct Asking {
    shared: Arc<Shared>,
    door: Arc<Door>,
    /// Engine milliseconds: when the session goes on without an answer.
    pub(crate) until: u64,
}

impl Question {
    /// Tells it from other questions and from calls.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.shared.number
    }

    /// What is asked for.
    #[must_use]
    pub fn request(&self) -> &NameQuestion {
        &self.request
    }

    /// Whether nobody waits for the answer any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        *self.shared.outcome.lock() == Outcome::Left
    }

    /// Answers it, with an address or with none. Only the first answer counts.
    pub fn answer(&self, address: Option<IpAddr>) {
        let mut outcome = self.shared.outcome.lock();
        if *outcome != Outcome::Open {
            return;
        }
        *outcome = Outcome::Answered(address);
        drop(outcome);
        let key = self.shared.key;
        self.shared.mailbox.post(Message::Answered(key));
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.answer(None);
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut outcome = self.shared.outcome.lock();
        if *outcome == Outcome::Open {
            *outcome = Outcome::Left;
            drop(outcome);
            self.door.notice(Notice::Changed(self.shared.number));
        }
    }
}

/// A question and both of its ends.
fn ask(
    request: NameQuestion,
    mailbox: Arc<Mailbox>,
    key: Key,
    door: Arc<Door>,
    until: u64,
) -> (Question, Asking) {
    let shared = Arc::new(Shared {
        number: door.number(),
        mailbox,
        key,
        outcome: Mutex::default(),
    });
    let question = Question {
        request,
        shared: shared.clone(),
    };
    let asking = Asking {
        shared,
        door,
        until,
    };
    (question, asking)
}

impl Worker {
    /// Carries `do-resolve` out: asks at the first time, and looks for the answer at each other.
    pub(crate) fn resolve(&mut self, session: &mut Session, rule: &Resolve) -> Asked {
        let now = self.turn.now;
        let held = session.notes().asking.take();
        if session.client_failed || session.is_aborted() {
            session.end(b'C', b'R');
            return Asked::Gone;
        }
        let Some(asking) = held.or_else(|| self.put_question(session, rule)) else {
            return Asked::Done;
        };
        let outcome = *asking.shared.outcome.lock();
        match outcome {
            Outcome::Open if now < asking.until => {
                session.notes().asking.replace(Some(asking));
                return Asked::Waits;
            }
            Outcome::Answered(Some(ip)) => {
                let value = match ip {
                    IpAddr::V4(ip) => Sample::Ipv4(ip),
                    IpAddr::V6(ip) => Sample::Ipv6(ip),
                };
                View::new(session, &self.turn).set_variable(rule.variable, Some(value));
            }
            // As HAProxy: what the variable held before, it holds still.
            Outcome::Open | Outcome::Answered(None) | Outcome::Left => {}
        }
        Asked::Done
    }

    /// `None`: there is no name to ask for.
    fn put_question(&mut self, session: &Session, rule: &Resolve) -> Option<Asking> {
        let view = View::new(session, &self.turn);
        let name = match rule.expression.value_as(&view, Kind::Str) {
            Some(Sample::Str(name)) if !name.is_empty() => ByteString(name.to_vec()),
            _ => return None,
        };
        let request = NameQuestion {
            resolvers: rule.resolvers.clone(),
            generation: session.frontend.generation.number,
            name,
            prefer: rule.prefer,
        };
        let mailbox = self.mailboxes.get(self.turn.worker)?.clone();
        let door = self.process.door.clone();
        let until = self.turn.now.saturating_add(rule.patience);
        let (question, asking) = ask(request, mailbox, session.key, door.clone(), until);
        door.notice(Notice::Question(question));
        Some(asking)
    }
}

impl Session {
    /// When it goes on without the answer that it waits for; `None` where it waits for none.
    pub(crate) fn asks_until(&self) -> Option<u64> {
        let asking = self.notes.get()?.asking.borrow();
        asking.as_ref().map(|asking| asking.until)
    }
}

impl Compiler<'_> {
    /// `do-resolve`; `None` after noting an error.
    pub(crate) fn resolve(&mut self, origin: &str, from: &plan::Action) -> Option<Resolve> {
        let plan::Action::DoResolve {
            name,
            resolvers,
            prefer,
            patience,
            expression,
        } = from
        else {
            return None;
        };
        let variable = self.names.variable(name.as_bytes());
        Some(Resolve {
            variable: self.note(origin, variable)?,
            resolvers: resolvers.clone(),
            prefer: *prefer,
            patience: *patience,
            expression: self.expression(origin, expression)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn asked() -> (Question, Asking, Arc<Door>) {
        let door = Arc::new(Door::default());
        let request = NameQuestion {
            resolvers: "r".into(),
            generation: 1,
            name: "a.test".into(),
            prefer: plan::Family::Ipv4,
        };
        let mailbox = Arc::new(Mailbox::new().unwrap());
        let key = Key {
            index: 0,
            generation: 0,
        };
        let (question, asking) = ask(request, mailbox, key, door.clone(), 1000);
        (question, asking, door)
    }

    fn outcome(asking: &Asking) -> Outcome {
        *asking.shared.outcome.lock()
    }

    #[test]
    fn only_the_first_answer_counts_and_a_question_that_is_dropped_has_none() {
        let (question, asking, _) = asked();
        let first = "192.0.2.1".parse().ok();
        question.answer(first);
        question.answer(None);
        drop(question);
        assert_eq!(outcome(&asking), Outcome::Answered(first));
        let (question, asking, _) = asked();
        drop(question);
        assert_eq!(outcome(&asking), Outcome::Answered(None));
    }

    #[test]
    fn a_session_that_leaves_tells_so_once_unless_it_was_answered() {
        let (question, asking, door) = asked();
        drop(asking);
        assert!(question.is_gone());
        question.answer(None);
        assert!(question.is_gone());
        let told = door.take(Duration::ZERO).unwrap();
        assert!(matches!(told[..], [Notice::Changed(number)] if number == question.number()));
        let (question, asking, door) = asked();
        question.answer(None);
        drop(asking);
        assert!(!question.is_gone());
        assert!(door.take(Duration::ZERO).unwrap().is_empty());
    }
}
