//! Conditions over a described connection: true, false, or not known. Each test is the engine's
//! own; what is added is how answers that are not known combine.

use isthmus_plan::explain::{Carried, Described, Explained};
use isthmus_plan::{AclTest, Condition, MatchMethod};
use isthmus_sample::Verdict;

use super::context::Seen;
use super::{Explainer, bytes, knowledge};

impl Explainer {
    /// Whether a condition holds.
    pub(super) fn judge(
        &self,
        connection: &Described,
        condition: &Condition,
    ) -> Result<Explained, String> {
        self.with(connection, |seen| {
            let mut acls: Vec<(usize, Verdict)> = Vec::new();
            for term in condition.any_of.iter().flatten() {
                if !acls.iter().any(|(index, _)| *index == term.acl) {
                    let verdict = isthmus_sample::Context::acl(seen, term.acl);
                    acls.push((term.acl, verdict));
                }
            }
            let all = seen.needs.take();
            let verdict = seen.condition(condition);
            let mut needs = match verdict {
                Verdict::Wait => all,
                _ => Vec::new(),
            };
            needs.sort_unstable();
            needs.dedup();
            let name = |index: usize| self.plan.acls.get(index).map(|acl| acl.name.clone());
            Explained {
                holds: truth(verdict),
                acls: (acls.into_iter())
                    .filter_map(|(index, verdict)| Some((name(index)?, truth(verdict))))
                    .collect(),
                needs,
                ..Explained::default()
            }
        })
    }
}

const fn truth(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Pass => Some(true),
        Verdict::Fail => Some(false),
        Verdict::Wait => None,
    }
}

impl Seen<'_> {
    fn condition(&self, condition: &Condition) -> Verdict {
        let alternatives = condition.any_of.iter().map(|terms| {
            let terms = terms.iter().map(|&term| self.term(term));
            both(terms, Verdict::Fail, Verdict::Pass)
        });
        let verdict = both(alternatives, Verdict::Pass, Verdict::Fail);
        if condition.unless {
            verdict.negate()
        } else {
            verdict
        }
    }

    /// An ACL: it passes when any of its tests does.
    pub(super) fn judge_acl(&self, index: usize) -> Verdict {
        let Some(acl) = self.explainer.plan.acls.get(index) else {
            return Verdict::Fail;
        };
        let before = self.needs.borrow().len();
        let tests = acl.tests.iter().enumerate();
        let verdicts = tests.map(|(at, test)| self.test((index, at), test));
        let verdict = both(verdicts, Verdict::Pass, Verdict::Fail);
        if verdict != Verdict::Wait {
            // What another test of it would have needed does not matter any more.
            self.needs.borrow_mut().truncate(before);
        }
        verdict
    }

    fn test(&self, (acl, at): (usize, usize), test: &AclTest) -> Verdict {
        let program = &self.explainer.generation.program;
        let mut needs = Vec::new();
        if let Some(window) = knowledge::window(&test.expression) {
            if let Some(verdict) = self.in_buffer((acl, at), test, window) {
                return verdict;
            }
            needs.push("--payload: the bytes that the client sends".to_owned());
        } else {
            knowledge::of_expression(
                self.explainer,
                self.connection,
                &test.expression,
                &mut needs,
            );
        }
        if needs.is_empty() {
            // An ACL within this one may not be known; its needs are noted already.
            let before = self.needs.borrow().len();
            let verdict = program.test_of(acl, at, self);
            if self.needs.borrow().len() > before && knowledge::asks_acls(&test.expression) {
                return Verdict::Wait;
            }
            return verdict;
        }
        self.needs.borrow_mut().append(&mut needs);
        Verdict::Wait
    }

    /// A test of some bytes of the buffer, of which not all may be known. It is tried with several
    /// fillings for those that are not, each pattern's own bytes among them: what is the same with
    /// all of them is known.
    fn in_buffer(
        &self,
        place: (usize, usize),
        test: &AclTest,
        (offset, length): (usize, usize),
    ) -> Option<Verdict> {
        let frontend = self
            .explainer
            .plan
            .frontends
            .get(self.connection.frontend)?;
        let program = &self.explainer.generation.program;
        if frontend.begins_with_http() || matches!(self.connection.carried, Carried::Nothing {}) {
            return Some(program.test_of(place.0, place.1, self));
        }
        if matches!(self.connection.carried, Carried::Unknown { .. }) {
            return None;
        }
        let sent = bytes::sent(self.connection);
        let end = offset.checked_add(length).filter(|_| length > 0)?;
        let sure = |at: usize| sent.sure.get(at).copied().unwrap_or(false);
        let all = (offset..end).all(sure);
        let literal = matches!(
            test.method,
            MatchMethod::Bin | MatchMethod::Str | MatchMethod::Beg
        );
        let plain = literal && test.files.is_empty() && test.expression.converters.is_empty();
        if !(all || plain) {
            return None;
        }
        let mut fillings: Vec<Vec<u8>> = vec![vec![0], vec![0xff]];
        for pattern in &test.patterns {
            let bytes = match test.method {
                MatchMethod::Bin => from_hex(pattern.as_bytes()),
                _ => pattern.0.clone(),
            };
            fillings.push(bytes);
        }
        let mut verdicts = fillings.iter().map(|filling| {
            let byte = |at: usize| match sent.bytes.get(at) {
                Some(&byte) if sure(at) => byte,
                _ => {
                    let at = at.saturating_sub(offset);
                    let last = filling.last().copied().unwrap_or(0);
                    filling.get(at).copied().unwrap_or(last)
                }
            };
            let bytes: Vec<u8> = (0..end).map(byte).collect();
            self.tried(place, bytes)
        });
        let first = verdicts.next()?;
        verdicts.all(|verdict| verdict == first).then_some(first)
    }

    fn tried(&self, (acl, at): (usize, usize), bytes: Vec<u8>) -> Verdict {
        let outcome = self.explainer.filled(self.connection, bytes, |seen| {
            self.explainer.generation.program.test_of(acl, at, seen)
        });
        outcome.unwrap_or(Verdict::Wait)
    }
}

/// The first verdict that decides, else unknown if one is, else what all of them are.
fn both(verdicts: impl Iterator<Item = Verdict>, decides: Verdict, otherwise: Verdict) -> Verdict {
    let mut outcome = otherwise;
    for verdict in verdicts {
        if verdict == decides {
            return decides;
        }
        if verdict == Verdict::Wait {
            outcome = Verdict::Wait;
        }
    }
    outcome
}

fn from_hex(text: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or(0);
    text.chunks(2)
        .map(|pair| {
            let value = pair
                .iter()
                .map(digit)
                .fold(0, |sum, digit| sum << 4 | digit);
            u8::try_from(value).unwrap_or(0)
        })
        .collect()
}
