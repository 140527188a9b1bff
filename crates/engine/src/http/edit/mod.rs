//! Rules that change something: a head, a list of patterns, a limit of the stream.

mod listed;
mod make;
mod normalize;
mod target;

use std::borrow::Cow;
use std::sync::Arc;

use isthmus_pattern::{Expression, List, Refusal, Which};
use isthmus_plan::http as from;
use isthmus_sample::{Compiled, Format, Kind, Sample};

use self::listed::Listed;
use self::normalize::Normalizer;
use super::compile::Delay;
use super::message::{encoded, encoded_target};
use crate::rules::Compiler;
use crate::session::Session;
use crate::view::View;
use crate::worker::Worker;

/// A change.
pub(crate) enum Edit {
    AddHeader(Vec<u8>, Format),
    SetHeader(Vec<u8>, Format),
    DelHeader(Vec<u8>, from::NameMatch),
    DelMatching(Expression),
    Listed(Listed),
    /// Values of a header, or their elements, that match are replaced.
    Replace {
        name: Vec<u8>,
        regex: Expression,
        value: Format,
        elements: bool,
    },
    ReplaceTarget(from::TargetPart, Expression, Format),
    SetMethod(Format),
    SetTarget(from::TargetPart, Format),
    SetStatus(u16, Option<Vec<u8>>),
    Normalize(Normalizer),
    ChangeList {
        list: Arc<List>,
        change: from::ListChange,
        key: Format,
        value: Format,
    },
    SetTimeout(from::TimeoutKind, Delay),
    SetPriority {
        offset: bool,
        expression: Compiled,
    },
    NoRetry,
    StrictMode(bool),
    /// Accepted for HAProxy's sake: nothing here depends on it.
    Nothing,
}

fn lower(name: &str) -> Vec<u8> {
    name.to_ascii_lowercase().into_bytes()
}

impl Edit {
    /// Compiles an action that changes something.
    pub(super) fn compile(
        origin: &str,
        from: &from::HttpAction,
        compiler: &mut Compiler<'_>,
    ) -> Option<Self> {
        use from::HttpAction as From;
        Some(match from {
            From::AddHeader { name, value } => {
                Self::AddHeader(lower(name), compiler.format(origin, value)?)
            }
            From::SetHeader { name, value } => {
                Self::SetHeader(lower(name), compiler.format(origin, value)?)
            }
            From::DelHeader {
                name,
                matching: from::NameMatch::Reg,
            } => Self::DelMatching(compiler.regex(origin, name.as_bytes())?),
            From::DelHeader { name, matching } => {
                Self::DelHeader(name.as_bytes().to_ascii_lowercase(), *matching)
            }
            From::SetMethod { value } => Self::SetMethod(compiler.format(origin, value)?),
            From::SetTarget { part, value } => {
                Self::SetTarget(*part, compiler.format(origin, value)?)
            }
            From::SetStatus { status, reason } => {
                let reason = reason.as_ref().map(|reason| reason.as_bytes().to_vec());
                Self::SetStatus(*status, reason)
            }
            From::StrictMode { on } => Self::StrictMode(*on),
            From::SetNice { .. } => Self::Nothing,
            From::DisableL7Retry {} => Self::NoRetry,
            other => Self::compile_more(origin, other, compiler)?,
        })
    }

    fn compile_more(
        origin: &str,
        from: &from::HttpAction,
        compiler: &mut Compiler<'_>,
    ) -> Option<Self> {
        use from::HttpAction as From;
        Some(match from {
            From::ReplaceHeader { name, regex, value }
            | From::ReplaceValue { name, regex, value } => Self::Replace {
                name: lower(name),
                regex: compiler.regex(origin, regex.as_bytes())?,
                value: compiler.format(origin, value)?,
                elements: matches!(from, From::ReplaceValue { .. }),
            },
            From::ReplaceTarget { part, regex, value } => Self::ReplaceTarget(
                *part,
                compiler.regex(origin, regex.as_bytes())?,
                compiler.format(origin, value)?,
            ),
            From::NormalizeUri { normalizer, strict } => {
                let found = Normalizer::of(normalizer, *strict);
                let found = found.ok_or_else(|| format!("no normalizer '{normalizer}'"));
                Self::Normalize(compiler.note(origin, found)?)
            }
            From::ChangeList {
                list,
                change,
                key,
                value,
            } => Self::ChangeList {
                list: compiler.lists.get(*list).cloned()?,
                change: *change,
                key: compiler.format(origin, key)?,
                value: compiler.format(origin, value)?,
            },
            From::SetTimeout { which, delay } => {
                Self::SetTimeout(*which, compiler.delay(origin, delay)?)
            }
            From::SetPriority { offset, expression } => Self::SetPriority {
                offset: *offset,
                expression: compiler.expression(origin, expression)?,
            },
            From::AddHeadersBin { .. }
            | From::SetHeadersBin { .. }
            | From::DelHeadersBin { .. } => Self::Listed(Listed::compile(origin, from, compiler)?),
            _ => {
                let message = "the engine does not know this action yet".to_owned();
                compiler.errors.push((origin.to_owned(), message));
                return None;
            }
        })
    }

    /// A text as it may stand where the change puts it. A blank in a target is written `%20`: as it
    /// is, what stands behind it could be read for the version (RFC 9112, 3.2).
    fn written<'t>(&self, text: Cow<'t, [u8]>) -> Cow<'t, [u8]> {
        match self {
            Self::SetTarget(..) | Self::ReplaceTarget(..) => encoded_target(text),
            _ => encoded(text),
        }
    }

    /// What the text is made of that the change needs.
    fn format(&self) -> Option<&Format> {
        match self {
            Self::AddHeader(_, value)
            | Self::SetHeader(_, value)
            | Self::SetMethod(value)
            | Self::SetTarget(_, value)
            | Self::ReplaceTarget(_, _, value)
            | Self::Replace { value, .. } => Some(value),
            _ => None,
        }
    }
}

impl Session {
    /// Counts a change that could not be made (column `wrew`).
    fn count_failed_rewrite(&self) {
        self.frontend.counters.failed_rewrites.add(1);
        self.listener.counters.failed_rewrites.add(1);
        if let Some(backend) = &self.backend {
            backend.counters.failed_rewrites.add(1);
        }
        if let (true, Some(server)) = (self.judges_response(), &self.chosen) {
            server.counters.failed_rewrites.add(1);
        }
    }
}

impl Compiler<'_> {
    fn regex(&mut self, origin: &str, text: &[u8]) -> Option<Expression> {
        self.note(origin, Expression::new(text, false))
    }
}

impl Worker {
    /// Makes a change; false where it could not be made and that ends the stream (`strict-mode`).
    pub(super) fn edit(&mut self, session: &mut Session, edit: &Edit) -> bool {
        match edit {
            Edit::StrictMode(on) => session.stream().lenient = !on,
            Edit::Nothing => {}
            Edit::NoRetry => session.stream().no_retry = true,
            Edit::SetTimeout(which, delay) => self.set_timeout(session, *which, delay),
            Edit::SetPriority { offset, expression } => {
                let value = integer(expression, &View::new(session, &self.turn));
                let stream = session.stream();
                match offset {
                    true => stream.priority.1 = value.unwrap_or(0),
                    false => stream.priority.0 = value.unwrap_or(0),
                }
            }
            Edit::ChangeList {
                list,
                change,
                key,
                value,
            } => {
                let view = View::new(session, &self.turn);
                let (key, value) = (key.to_bytes(&view), value.to_bytes(&view));
                return change_list(list, *change, &key, &value) || session.stream().lenient;
            }
            Edit::Listed(listed) => {
                let done = session.change_listed(listed, &self.turn);
                return self.changed(session, done);
            }
            edit => {
                let view = View::new(session, &self.turn);
                let text = edit.format();
                let text = text.map(|format| edit.written(format.text(&view)));
                let done = session.change(edit, &text.unwrap_or_default());
                return self.changed(session, done);
            }
        }
        true
    }

    /// Whether the rules go on behind a change of a head that was made, or was not.
    fn changed(&self, session: &mut Session, done: bool) -> bool {
        if !done {
            session.count_failed_rewrite();
        }
        done || session.stream().lenient
    }

    fn set_timeout(&self, session: &mut Session, which: from::TimeoutKind, delay: &Delay) {
        let time = match delay {
            Delay::Fixed(time) => Some(*time),
            Delay::Computed(expression) => {
                let value = integer(expression, &View::new(session, &self.turn));
                value.and_then(|value| u64::try_from(value).ok())
            }
        };
        let Some(time) = time else { return };
        session.stream().timeouts.set(which, time);
    }
}

fn integer(expression: &Compiled, view: &View<'_>) -> Option<i64> {
    match expression.value_as(view, Kind::Int) {
        Some(Sample::Int(value)) => Some(value),
        _ => None,
    }
}

/// Changes a list of patterns. What is there already is not added again, and what is not there
/// need not be deleted.
fn change_list(list: &List, change: from::ListChange, key: &[u8], value: &[u8]) -> bool {
    use from::ListChange as Change;
    let outcome = match change {
        Change::AddMap => list.add(None, &[(key, value)]),
        Change::SetMap => match list.set(Which::Key(key), value) {
            Err(Refusal::NotFound) => list.add(None, &[(key, value)]),
            other => other,
        },
        Change::AddAcl => match list.set(Which::Key(key), b"") {
            Err(Refusal::NotFound) => list.add(None, &[(key, b"")]),
            other => other,
        },
        Change::DelMap | Change::DelAcl => match list.delete(Which::Key(key)) {
            Err(Refusal::NotFound) => Ok(()),
            other => other,
        },
    };
    outcome.is_ok()
}
