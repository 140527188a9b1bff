//! Converters that read and write variables (manual, section 7.3.1).

use crate::args::{ArgValue, Args, CompileEnv};
use crate::assignment::Assignment;
use crate::cast::to_str;
use crate::context::Context;
use crate::kind::Kind::Any;
use crate::registry::Converter;
use crate::value::{Bytes, Sample};

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new(
        "set-var",
        "string[,string,string,string,string]",
        Any,
        Any,
        set_var,
    )
    .preparing(prepare_set_var),
    Converter::new("unset-var", "string", Any, Any, unset_var).preparing(prepare_variable),
];

/// Takes the name of a variable in the first argument.
pub(super) fn prepare_variable(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    optional_variable(args, 0, env)?;
    args.variable(0)
        .map(|_| ())
        .ok_or_else(|| "the name of a variable is expected".into())
}

/// Takes the name of a variable in an argument that may be empty.
pub(super) fn optional_variable(
    args: &mut Args,
    at: usize,
    env: &mut CompileEnv<'_>,
) -> Result<(), String> {
    let value = match args.text(at) {
        None => return Ok(()),
        Some(b"") => ArgValue::Absent,
        Some(name) => ArgValue::Var(env.names.variable(name)?),
    };
    args.set(at, value);
    Ok(())
}

/// The variable of an argument as text.
pub(super) fn variable_text<'a>(args: &Args, at: usize, ctx: &'a dyn Context) -> Option<Bytes<'a>> {
    to_str(ctx.variable(args.variable(at)?)?)
}

fn prepare_set_var(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    let name = args.text(0).ok_or("the name of a variable is expected")?;
    let words = (1..args.len())
        .filter_map(|at| args.text(at))
        .filter(|word| !word.is_empty());
    let assignment = Assignment::compile(name, words, env.names)?;
    args.set(0, ArgValue::Assignment(assignment));
    Ok(())
}

/// Sets a variable and passes the value on; nothing comes out when a condition does not hold.
fn set_var<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let ArgValue::Assignment(assignment) = args.get(0) else {
        return None;
    };
    assignment.apply(&sample, ctx).then_some(sample)
}

fn unset_var<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    ctx.set_variable(args.variable(0)?, None);
    Some(sample)
}
