//! How much variables may hold (`tune.vars.*-max-size`). Nothing is counted where nothing is limited.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use isthmus_plan::VariableLimits;
use isthmus_sample::{Sample, Scope, Variables};

use super::ProcVariables;
use crate::session::{Notes, Session};

/// What a variable counts for beside its text, as HAProxy 2.6 counts it: numbers and addresses
/// count for no more.
const OVERHEAD: u64 = 80;

impl ProcVariables {
    /// As `set`; a value that does not fit is refused, and the variable stays as it is.
    pub(crate) fn set_within(
        &self,
        limits: &VariableLimits,
        id: u32,
        value: Option<Sample<'static>>,
    ) -> bool {
        let mut own = self.own.lock();
        let total = size(&own) + self.sessions.load(Relaxed);
        let (old, new) = (size_of(own.get(id)), size_of(value.as_ref()));
        if new > old
            && exceeds(
                total.saturating_sub(old) + new,
                &[limits.proc, limits.global],
            )
        {
            return false;
        }
        own.set(id, value);
        true
    }

    /// Bytes of all variables but those that one charge stands for.
    fn total_beside(&self, charge: &Charge) -> u64 {
        let sessions = self.sessions.load(Relaxed);
        size(&self.own.lock()) + sessions.saturating_sub(charge.bytes.get())
    }
}

/// What a session's variables count for in the process; given back with the session.
pub(crate) struct Charge {
    process: Arc<ProcVariables>,
    bytes: Cell<u64>,
}

impl Charge {
    fn settle(&self, bytes: u64) {
        let before = self.bytes.replace(bytes);
        self.process.sessions.fetch_add(bytes, Relaxed);
        self.process.sessions.fetch_sub(before, Relaxed);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.settle(0);
    }
}

impl Notes {
    /// An exchange's variables are gone.
    pub(crate) fn settle_charge(&mut self) {
        if let Some(charge) = self.charge.get() {
            charge.settle(self.variables.get_mut().first().map_or(0, size));
        }
    }
}

impl Session {
    /// Sets a variable of the session's scopes; a value that does not fit is refused, and the
    /// variable stays as it is.
    pub(crate) fn set_within(
        &self,
        limits: &VariableLimits,
        (scope, id): (Scope, u32),
        value: Option<Sample<'static>>,
    ) -> bool {
        let notes = self.notes();
        let Some(place) = Notes::scope(scope) else {
            return false;
        };
        let mut scopes = notes.variables.borrow_mut();
        let sizes = [0, 1, 2, 3].map(|at| scopes.get(at).map_or(0, size));
        let Some(variables) = scopes.get_mut(place) else {
            return false;
        };
        let (old, new) = (size_of(variables.get(id)), size_of(value.as_ref()));
        let grown = |bytes: u64| bytes.saturating_sub(old) + new;
        // Variables of the request count no more once its response is looked at.
        let [sess, txn, req, res] = sizes;
        let now = match scope {
            Scope::Res => res,
            Scope::Req => req,
            _ if self.judges_response() => res,
            _ => req,
        };
        let fits = new <= old
            || match scope {
                Scope::Req | Scope::Res => {
                    !exceeds(grown(now), &[limits.reqres])
                        && !exceeds(grown(txn + now), &[limits.txn])
                        && !exceeds(grown(sess + txn + now), &[limits.sess])
                }
                Scope::Txn => {
                    !exceeds(grown(txn + now), &[limits.txn])
                        && !exceeds(grown(sess + txn + now), &[limits.sess])
                }
                _ => !exceeds(grown(sess + txn + now), &[limits.sess]),
            };
        if limits.proc == 0 && limits.global == 0 {
            if fits {
                variables.set(id, value);
            }
            return fits;
        }
        let charge = notes.charge.get_or_init(|| Charge {
            process: self.frontend.generation.proc_variables.clone(),
            bytes: Cell::new(0),
        });
        let own = grown(sizes.iter().sum());
        let total = charge.process.total_beside(charge) + own;
        let fits = fits && (new <= old || !exceeds(total, &[limits.proc, limits.global]));
        if fits {
            variables.set(id, value);
            charge.settle(own);
        }
        fits
    }
}

fn exceeds(bytes: u64, limits: &[u64]) -> bool {
    limits.iter().any(|limit| *limit > 0 && bytes > *limit)
}

fn size(variables: &Variables) -> u64 {
    variables
        .iter()
        .map(|(_, value)| size_of(Some(value)))
        .sum()
}

fn size_of(value: Option<&Sample<'_>>) -> u64 {
    match value {
        Some(Sample::Str(text) | Sample::Bin(text)) => OVERHEAD + text.len() as u64,
        Some(_) => OVERHEAD,
        None => 0,
    }
}
