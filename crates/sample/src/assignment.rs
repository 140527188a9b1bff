//! Setting a variable, for the action and the converter `set-var` alike (manual, section 7.3.1).

use crate::context::Context;
use crate::value::Sample;
use crate::variable::{Names, Scope, VarRef};

/// A variable to be set, and the conditions under which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    variable: VarRef,
    conditions: u8,
}

/// The conditions by name; each has the bit of its place.
const CONDITIONS: [&str; 8] = [
    "ifexists",
    "ifnotexists",
    "ifempty",
    "ifnotempty",
    "ifset",
    "ifnotset",
    "ifgt",
    "iflt",
];

impl Assignment {
    /// Takes the variable's name with its scope and the names of the conditions.
    ///
    /// # Errors
    /// The name is invalid or a condition is unknown.
    pub fn compile<'c>(
        name: &[u8],
        conditions: impl IntoIterator<Item = &'c [u8]>,
        names: &mut Names,
    ) -> Result<Self, String> {
        let mut assignment = Self {
            variable: names.variable(name)?,
            conditions: 0,
        };
        for word in conditions {
            let place = CONDITIONS.iter().position(|name| name.as_bytes() == word);
            let place =
                place.ok_or_else(|| format!("unknown condition '{}'", word.escape_ascii()))?;
            assignment.conditions |= 1 << place;
        }
        Ok(assignment)
    }

    /// The variable.
    #[must_use]
    pub const fn variable(&self) -> VarRef {
        self.variable
    }

    /// Sets the variable if every condition holds and its scope exists here; says whether it did.
    pub fn apply(&self, sample: &Sample<'_>, ctx: &dyn Context) -> bool {
        self.holds(sample, ctx)
            && ctx.set_variable(self.variable, Some(sample.clone().into_owned()))
    }

    fn holds(&self, sample: &Sample<'_>, ctx: &dyn Context) -> bool {
        if self.conditions == 0 {
            return true;
        }
        let old = ctx.variable(self.variable);
        // Variables of scope `proc` are made when the configuration is read.
        let exists = old.is_some() || self.variable.scope == Scope::Proc;
        let empty = matches!(sample, Sample::Str(text) | Sample::Bin(text) if text.is_empty());
        // Values that are not both integers are not compared.
        let (greater, less) = match (&old, sample) {
            (Some(Sample::Int(old)), Sample::Int(new)) => (old > new, old < new),
            _ => (true, true),
        };
        let set = old.is_some();
        let holds = [exists, !exists, empty, !empty, set, !set, greater, less];
        holds
            .iter()
            .enumerate()
            .all(|(place, holds)| self.conditions & 1 << place == 0 || *holds)
    }
}
