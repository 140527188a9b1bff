//! Variables of the process as operators see and set them.

use isthmus_plan as plan;
use isthmus_sample::{Kind, Sample, Scope, cast};

use crate::control::Control;
use crate::generation::Generation;
use crate::registry::Registry;
use crate::rules::Compiler;

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
            acls: &[],
            lists: &[],
            userlists: &[],
            limits: Vec::new(),
            caches: &[],
            services: &[],
            tables: &[],
            table_plans: &[],
            jose: &generation.jose,
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
