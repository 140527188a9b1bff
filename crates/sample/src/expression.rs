//! Expressions, compiled and evaluated.

use isthmus_plan::{Call, Expression};

use crate::args::{ArgValue, Args, CompileEnv};
use crate::cast::{can_cast, cast};
use crate::context::Context;
use crate::kind::Kind;
use crate::registry::{Converter, Fetch, Param, find_converter, find_fetch, params};
use crate::value::Sample;

/// What evaluating gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched<'a> {
    /// The value; none when there is nothing of the kind in this session.
    pub sample: Option<Sample<'a>>,
    /// Whether more data could still change that (content inspection waits then).
    pub may_change: bool,
}

impl<'a> Fetched<'a> {
    /// A value that stays.
    #[must_use]
    pub const fn known(sample: Sample<'a>) -> Self {
        Self {
            sample: Some(sample),
            may_change: false,
        }
    }

    /// A value that stays, or nothing for good.
    #[must_use]
    pub const fn settled(sample: Option<Sample<'a>>) -> Self {
        Self {
            sample,
            may_change: false,
        }
    }

    /// Not known yet.
    #[must_use]
    pub const fn wait() -> Self {
        Self {
            sample: None,
            may_change: true,
        }
    }
}

/// An expression, ready to be evaluated any number of times.
#[derive(Debug)]
pub struct Compiled {
    fetch: &'static Fetch,
    args: Args,
    steps: Vec<Step>,
    output: Kind,
}

#[derive(Debug)]
struct Step {
    converter: &'static Converter,
    args: Args,
}

impl Compiled {
    /// Compiles an expression.
    ///
    /// # Errors
    /// A name is unknown, an argument is not what the function takes, or a converter cannot take
    /// what comes before it. The message is made to stand behind `file:line:`.
    pub fn compile(expression: &Expression, env: &mut CompileEnv<'_>) -> Result<Self, String> {
        let call = &expression.fetch;
        let fetch = find_fetch(&call.name)
            .ok_or_else(|| format!("unknown fetch method '{}'", call.name))?;
        let mut args = check_args(call, fetch.signature, env)?;
        if let Some(prepare) = fetch.prepare {
            prepare(&mut args, env).map_err(|e| format!("fetch method '{}': {e}", call.name))?;
        }
        let mut output = fetch.output;
        let mut steps = Vec::with_capacity(expression.converters.len());
        for call in &expression.converters {
            let step = Step::compile(call, output, env)?;
            output = step.output(output);
            steps.push(step);
        }
        Ok(Self {
            fetch,
            args,
            steps,
            output,
        })
    }

    /// The type of its values, as far as it is known before evaluation.
    #[must_use]
    pub const fn output(&self) -> Kind {
        self.output
    }

    /// Evaluates: a value, nothing, or nothing yet.
    pub fn eval<'a>(&'a self, ctx: &'a dyn Context) -> Fetched<'a> {
        let found = self.fetch.run.eval(&self.args, ctx);
        let Some(mut sample) = found.sample else {
            return found;
        };
        for step in &self.steps {
            match step.apply(sample, ctx) {
                Some(next) => sample = next,
                None => {
                    return Fetched {
                        sample: None,
                        may_change: found.may_change,
                    };
                }
            }
        }
        Fetched {
            sample: Some(sample),
            may_change: found.may_change,
        }
    }

    /// Asks `matches` about each of the values there may be, until one matches: whether one did,
    /// and whether more data could still change that.
    pub(crate) fn any<'a>(
        &'a self,
        ctx: &'a dyn Context,
        matches: &mut dyn FnMut(&Sample<'a>) -> bool,
    ) -> (bool, bool) {
        let Some(each) = self.fetch.each else {
            let found = self.eval(ctx);
            return (found.sample.as_ref().is_some_and(matches), found.may_change);
        };
        let mut matched = false;
        let may_change = each.eval(&self.args, ctx, &mut |sample| {
            let last = (self.steps.iter()).try_fold(sample, |sample, step| step.apply(sample, ctx));
            matched = last.as_ref().is_some_and(&mut *matches);
            !matched
        });
        (matched, may_change)
    }

    /// Evaluates to what is known now.
    pub fn value<'a>(&'a self, ctx: &'a dyn Context) -> Option<Sample<'a>> {
        self.eval(ctx).sample
    }

    /// Evaluates to what is known now, cast to a type.
    pub fn value_as<'a>(&'a self, ctx: &'a dyn Context, kind: Kind) -> Option<Sample<'a>> {
        cast(self.value(ctx)?, kind)
    }
}

impl Step {
    fn compile(call: &Call, before: Kind, env: &mut CompileEnv<'_>) -> Result<Self, String> {
        let converter = find_converter(&call.name)
            .ok_or_else(|| format!("unknown converter '{}'", call.name))?;
        if !can_cast(before, converter.input) {
            return Err(format!(
                "converter '{}' cannot be applied: it takes {}, not {}",
                call.name,
                converter.input.name(),
                before.name()
            ));
        }
        let mut args = check_args(call, converter.signature, env)?;
        if let Some(prepare) = converter.prepare {
            prepare(&mut args, env).map_err(|e| format!("converter '{}': {e}", call.name))?;
        }
        Ok(Self { converter, args })
    }

    fn output(&self, before: Kind) -> Kind {
        match (self.converter.output, self.converter.input) {
            (Kind::Same, _) | (Kind::Any, Kind::Any) => before,
            (output, _) => output,
        }
    }

    fn apply<'a>(&'a self, sample: Sample<'a>, ctx: &'a dyn Context) -> Option<Sample<'a>> {
        let sample = cast(sample, self.converter.input)?;
        (self.converter.run)(sample, &self.args, ctx)
    }
}

/// Arguments that have the right number; types are the parser's and `prepare`'s business.
fn check_args(
    call: &Call,
    signature: &'static str,
    env: &mut CompileEnv<'_>,
) -> Result<Args, String> {
    let params: Vec<Param> = params(signature).collect();
    let required = params.iter().filter(|param| !param.optional).count();
    let mut args = Args::from_plan(&call.args, &params, env)?;
    let (given, all) = (args.len(), params.len());
    if given < required {
        let name = &call.name;
        return Err(format!(
            "missing arguments (got {given}/{required}) in '{name}'"
        ));
    }
    if given > all {
        let name = &call.name;
        return Err(format!(
            "too many arguments ({given} where {all} are taken) in '{name}'"
        ));
    }
    if given == 0 && signature.split('[').next() == Some("string") {
        args.set(0, ArgValue::Str(Box::default()));
    }
    args.check(&params)
        .map_err(|e| format!("{e} in '{}'", call.name))?;
    Ok(args)
}
