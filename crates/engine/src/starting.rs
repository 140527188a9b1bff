//! Variables of the process that the configuration sets (`set-var` and `set-var-fmt` of section `global`). They are
//! evaluated where there is neither session nor traffic, one after the other: each sees those before it.

use std::borrow::Cow;
use std::cell::RefCell;

use isthmus_plan as plan;
use isthmus_sample::{Context, Number, Sample, Scope, Text, VarRef, Variables};

use crate::clock::Clock;
use crate::rules::Compiler;

/// Names in the order in which they are set, and their values.
pub(crate) type Assigned = Vec<(VarRef, Option<Sample<'static>>)>;

/// What is known while a configuration is read.
struct Starting<'g> {
    global: &'g plan::Global,
    clock: Clock,
    variables: RefCell<Variables>,
}

impl Context for Starting<'_> {
    fn number(&self, fact: Number) -> Option<i64> {
        match fact {
            Number::Pid => Some(i64::from(std::process::id())),
            _ => None,
        }
    }

    fn text(&self, fact: Text) -> Option<Cow<'_, [u8]>> {
        match fact {
            Text::Hostname => Some(Cow::Borrowed(self.global.hostname.as_bytes())),
            _ => None,
        }
    }

    fn variable(&self, variable: VarRef) -> Option<Sample<'_>> {
        match variable.scope {
            Scope::Proc => self.variables.borrow().get(variable.id).cloned(),
            _ => None,
        }
    }

    fn set_variable(&self, variable: VarRef, value: Option<Sample<'static>>) -> bool {
        let proc = variable.scope == Scope::Proc;
        if proc {
            self.variables.borrow_mut().set(variable.id, value);
        }
        proc
    }

    fn now_wall_us(&self) -> Option<i64> {
        i64::try_from(self.clock.wall_us(self.clock.now())).ok()
    }

    fn utc_offset(&self, at: i64) -> i32 {
        isthmus_sockets::utc_offset(at)
    }
}

/// Evaluates the variables of a plan.
pub(crate) fn assigned(global: &plan::Global, compiler: &mut Compiler<'_>) -> Assigned {
    assigned_beside(global, Variables::default(), compiler)
}

/// Evaluates variables, where others are `known` already.
pub(crate) fn assigned_beside(
    global: &plan::Global,
    known: Variables,
    compiler: &mut Compiler<'_>,
) -> Assigned {
    let starting = Starting {
        global,
        clock: Clock::new(),
        variables: RefCell::new(known),
    };
    let mut made = Vec::new();
    for (name, value) in &global.variables {
        let value = match value {
            plan::Assigned::Expression(expression) => compiler
                .expression("global", expression)
                .map(|compiled| compiled.value(&starting).map(Sample::into_owned)),
            plan::Assigned::Format(items) => compiler
                .format("global", items)
                .map(|format| Some(Sample::Str(format.to_bytes(&starting).into()))),
        };
        let variable = compiler.names.variable(name.as_bytes());
        if let (Some(value), Ok(variable)) = (value, variable) {
            starting.set_variable(variable, value.clone());
            made.push((variable, value));
        }
    }
    made
}
