//! ACLs and the conditions made of them, compiled and evaluated with short circuit.

use std::sync::Arc;

use isthmus_pattern::{Input, List, View};
use isthmus_plan::{Acl, AclTest, Condition, ListValues, MatchMethod, Term};

use crate::args::CompileEnv;
use crate::cast::can_cast;
use crate::context::Context;
use crate::expression::Compiled;
use crate::kind::Kind;
use crate::value::Sample;

/// What a condition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// It depends on data that may still come.
    Wait,
}

impl Verdict {
    /// Of a truth value.
    #[must_use]
    pub const fn of(holds: bool) -> Self {
        if holds { Self::Pass } else { Self::Fail }
    }

    /// The opposite; what is unknown stays so.
    #[must_use]
    pub const fn negate(self) -> Self {
        match self {
            Self::Pass => Self::Fail,
            Self::Fail => Self::Pass,
            Self::Wait => Self::Wait,
        }
    }
}

/// The ACLs of a plan, compiled.
#[derive(Debug, Default)]
pub struct Program {
    acls: Vec<Vec<Test>>,
    lists: Vec<LineList>,
}

/// The patterns of one ACL line, which operators may change.
#[derive(Debug, Clone)]
pub struct LineList {
    /// Its number in the runtime API.
    pub id: u32,
    /// What the runtime API tells about it.
    pub description: String,
    /// The patterns.
    pub list: Arc<List>,
}

#[derive(Debug)]
struct Test {
    expression: Compiled,
    method: MatchMethod,
    /// The files, then the patterns of the line.
    views: Vec<Arc<View>>,
}

/// A condition over the ACLs of a program.
#[derive(Debug, Clone, Default)]
pub struct CompiledCondition {
    unless: bool,
    any_of: Vec<Vec<Term>>,
}

impl Program {
    /// Compiles the ACLs of a plan.
    ///
    /// # Errors
    /// Pairs of an ACL's index and a message, for every ACL that is wrong.
    pub fn compile(acls: &[Acl], env: &mut CompileEnv<'_>) -> Result<Self, Vec<(usize, String)>> {
        let mut program = Self::default();
        let mut errors = Vec::new();
        for (index, acl) in acls.iter().enumerate() {
            let tests: Result<_, String> = (acl.tests.iter())
                .map(|test| program.test(test, env))
                .collect();
            match tests {
                Ok(tests) => program.acls.push(tests),
                Err(message) => errors.push((index, format!("acl '{}': {message}", acl.name))),
            }
        }
        if errors.is_empty() {
            Ok(program)
        } else {
            Err(errors)
        }
    }

    /// The patterns of every ACL line.
    #[must_use]
    pub fn lists(&self) -> &[LineList] {
        &self.lists
    }

    fn test(&mut self, test: &AclTest, env: &mut CompileEnv<'_>) -> Result<Test, String> {
        let patterns: Vec<&[u8]> = test.patterns.iter().map(|p| p.as_bytes()).collect();
        let list = Arc::new(List::of_patterns(test.method, &patterns));
        let compiled = Test::compile(test, &list, env)?;
        self.lists.push(LineList {
            id: test.id,
            description: test.description.clone(),
            list,
        });
        Ok(compiled)
    }

    /// Compiles a condition.
    ///
    /// # Errors
    /// It refers to an ACL that the program does not have.
    pub fn condition(&self, condition: &Condition) -> Result<CompiledCondition, String> {
        let mut terms = condition.any_of.iter().flatten();
        if let Some(term) = terms.find(|term| term.acl >= self.acls.len()) {
            return Err(format!(
                "condition refers to ACL {} of {}",
                term.acl,
                self.acls.len()
            ));
        }
        Ok(CompiledCondition {
            unless: condition.unless,
            any_of: condition.any_of.clone(),
        })
    }

    /// What an ACL says: it passes when any of its tests does.
    pub fn acl(&self, index: usize, ctx: &dyn Context) -> Verdict {
        let mut verdict = Verdict::Fail;
        for test in self.acls.get(index).map(Vec::as_slice).unwrap_or_default() {
            match test.eval(ctx) {
                Verdict::Pass => return Verdict::Pass,
                Verdict::Wait => verdict = Verdict::Wait,
                Verdict::Fail => {}
            }
        }
        verdict
    }

    /// What one test of an ACL says, by the ACL's index and the test's place in it.
    pub fn test_of(&self, acl: usize, at: usize, ctx: &dyn Context) -> Verdict {
        let test = self.acls.get(acl).and_then(|tests| tests.get(at));
        test.map_or(Verdict::Fail, |test| test.eval(ctx))
    }

    /// What a condition says. It waits only when what is known cannot decide it.
    pub fn eval(&self, condition: &CompiledCondition, ctx: &dyn Context) -> Verdict {
        let mut verdict = Verdict::Fail;
        for terms in &condition.any_of {
            match self.all_of(terms, ctx) {
                Verdict::Pass => {
                    verdict = Verdict::Pass;
                    break;
                }
                Verdict::Wait => verdict = Verdict::Wait,
                Verdict::Fail => {}
            }
        }
        if condition.unless {
            verdict.negate()
        } else {
            verdict
        }
    }

    fn all_of(&self, terms: &[Term], ctx: &dyn Context) -> Verdict {
        let mut verdict = Verdict::Pass;
        for term in terms {
            let says = self.acl(term.acl, ctx);
            match if term.negate { says.negate() } else { says } {
                Verdict::Fail => return Verdict::Fail,
                Verdict::Wait => verdict = Verdict::Wait,
                Verdict::Pass => {}
            }
        }
        verdict
    }
}

impl Test {
    fn compile(test: &AclTest, line: &List, env: &mut CompileEnv<'_>) -> Result<Self, String> {
        let expression = Compiled::compile(&test.expression, env)?;
        if !can_cast(expression.output(), matched_kind(test.method)) {
            let output = expression.output().name();
            return Err(format!(
                "samples of type {output} cannot be matched with {:?}",
                test.method
            ));
        }
        let view = |list: &List, icase| {
            let view = list.view(test.method, icase, ListValues::Unused);
            view.map_err(|error| error.to_string())
        };
        let mut views = Vec::with_capacity(test.files.len() + 1);
        for file in &test.files {
            let list = env.lists.get(file.list).ok_or("no such list of patterns")?;
            views.push(view(list, file.ignore_case)?);
        }
        views.push(view(line, test.ignore_case)?);
        Ok(Self {
            expression,
            method: test.method,
            views,
        })
    }

    fn eval(&self, ctx: &dyn Context) -> Verdict {
        let (matched, may_change) = self.expression.any(ctx, &mut |sample| self.matches(sample));
        if matched {
            Verdict::Pass
        } else if may_change && !ctx.is_final() {
            Verdict::Wait
        } else {
            Verdict::Fail
        }
    }

    fn matches(&self, sample: &Sample<'_>) -> bool {
        self.method == MatchMethod::Found
            || self.views.iter().any(|view| view.matches(input(sample)))
    }
}

/// The type that a method compares: samples must be castable to it (manual, section 7.1).
pub(crate) const fn matched_kind(method: MatchMethod) -> Kind {
    match method {
        MatchMethod::Found => Kind::Any,
        MatchMethod::Bool => Kind::Bool,
        MatchMethod::Int => Kind::Int,
        MatchMethod::Ip => Kind::Addr,
        MatchMethod::Bin => Kind::Bin,
        MatchMethod::Len
        | MatchMethod::Str
        | MatchMethod::Sub
        | MatchMethod::Reg
        | MatchMethod::Beg
        | MatchMethod::End
        | MatchMethod::Dir
        | MatchMethod::Dom => Kind::Str,
    }
}

/// A sample as patterns see it.
pub(crate) fn input<'s>(sample: &'s Sample<'_>) -> Input<'s> {
    match sample {
        Sample::Bool(value) => Input::Bool(*value),
        Sample::Int(value) => Input::Int(*value),
        Sample::Ipv4(ip) => Input::Ip((*ip).into()),
        Sample::Ipv6(ip) => Input::Ip((*ip).into()),
        Sample::Str(text) => Input::Str(text),
        Sample::Bin(bytes) => Input::Bin(bytes),
    }
}
