//! Variables of scope `proc`, which belong to the process and outlive plans, and all that can be
//! seen of variables at once.

mod operators;
mod room;

use std::sync::atomic::AtomicU64;

use isthmus_sample::{Names, Sample, Scope, Variables};
use parking_lot::Mutex;

pub(crate) use self::room::Charge;
use crate::session::Notes;
use crate::view::View;

/// The process's variables.
#[derive(Default)]
pub(crate) struct ProcVariables {
    own: Mutex<Variables>,
    /// Bytes of variables of sessions, where the process or all is limited.
    sessions: AtomicU64,
}

impl ProcVariables {
    pub(crate) fn get(&self, id: u32) -> Option<Sample<'static>> {
        self.own.lock().get(id).cloned()
    }

    fn all(&self) -> Variables {
        self.own.lock().clone()
    }

    pub(crate) fn set(&self, id: u32, value: Option<Sample<'static>>) {
        self.own.lock().set(id, value);
    }
}

impl View<'_> {
    /// Gives the variables of a scope that are set now, by name.
    pub(crate) fn visit_variables(&self, scope: Scope, visit: &mut dyn FnMut(&[u8], &Sample<'_>)) {
        let generation = &self.session.frontend.generation;
        let mut show = |variables: &Variables| show(variables, &generation.names, visit);
        if scope == Scope::Proc {
            return show(&generation.proc_variables.own.lock());
        }
        let Some(place) = Notes::scope(scope).filter(|_| self.holds(scope)) else {
            return;
        };
        if let Some(notes) = self.session.notes.get() {
            notes.variables.borrow().get(place).map(show);
        }
    }
}

/// A variable that a later plan was the first to name is passed over: this one has no name for it.
fn show(variables: &Variables, names: &Names, visit: &mut dyn FnMut(&[u8], &Sample<'_>)) {
    for (id, value) in variables.iter() {
        if let Some(name) = names.name(id) {
            visit(name, value);
        }
    }
}
