//! Variables of scope `proc`, which belong to the process and outlive plans, and all that can be
//! seen of variables at once.

use isthmus_plan as plan;
use isthmus_sample::{Kind, Names, Sample, Scope, Variables, cast};
use parking_lot::Mutex;

use crate::control::Control;
use crate::generation::Generation;
use crate::registry::Registry;
use crate::rules::Compiler;
use crate::session::Notes;
use crate::view::View;

/// The process's variables.
#[derive(Default)]
pub(crate) struct ProcVariables(Mutex<Variables>);

impl ProcVariables {
    pub(crate) fn get(&self, id: u32) -> Option<Sample<'static>> {
        self.0.lock().get(id).cloned()
    }

    fn all(&self) -> Variables {
        self.0.lock().clone()
    }

    pub(crate) fn set(&self, id: u32, value: Option<Sample<'static>>) {
        self.0.lock().set(id, value);
    }
}

impl View<'_> {
    /// Gives the variables of a scope that are set now, by name.
    pub(crate) fn visit_variables(&self, scope: Scope, visit: &mut dyn FnMut(&[u8], &Sample<'_>)) {
        let generation = &self.session.frontend.generation;
        let mut show = |variables: &Variables| show(variables, &generation.names, visit);
        if scope == Scope::Proc {
            return show(&generation.proc_variables.0.lock());
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

impl Control {
    /// Sets a variable of the process by an operator's will.
    ///
    /// # Errors
    /// The value, or the name, cannot be used.
    pub(crate) fn set_variable(
        &self,
        generation: &Generation,
        name: &str,
        value: &plan::Assigned,
    ) -> Result<(), String> {
        self.with_registry(|registry| registry.set_variable(generation, name, value))
    }
}

impl Registry {
    /// Sets a variable of the process to what a value comes to where there is neither session nor traffic.
    ///
    /// # Errors
    /// The value, or the name, cannot be used.
    pub(crate) fn set_variable(
        &mut self,
        generation: &Generation,
        name: &str,
        value: &plan::Assigned,
    ) -> Result<(), String> {
        let global = plan::Global {
            variables: vec![(name.to_owned(), value.clone())],
            ..generation.global.clone()
        };
        let known = self.proc_variables.all();
        let mut compiler = Compiler {
            names: &mut self.names,
            program: &generation.program,
            jose: &generation.jose,
            acls: &[],
            lists: &[],
            userlists: &[],
            limits: Vec::new(),
            caches: &[],
            services: &[],
            tables: &[],
            table_plans: &[],
            errors: Vec::new(),
        };
        let made = crate::starting::assigned_beside(&global, known, &mut compiler);
        if let Some((_, message)) = compiler.errors.pop() {
            return Err(message);
        }
        for (variable, value) in made {
            self.proc_variables.set(variable.id, value);
        }
        Ok(())
    }

    /// The type of a variable of the process and its value as text; `None` where it has none.
    pub(crate) fn variable(&mut self, name: &str) -> Option<(&'static str, String)> {
        let variable = self.names.known(name.as_bytes())?;
        let value = match variable.scope {
            Scope::Proc => self.proc_variables.get(variable.id)?,
            _ => return None,
        };
        let kind = value.kind().name();
        match cast(value, Kind::Str)? {
            Sample::Str(text) => Some((kind, String::from_utf8_lossy(text.as_ref()).into_owned())),
            _ => None,
        }
    }
}
