//! Converters on integers (manual, section 7.3.1). Results that do not fit are cut to the nearest
//! integer that does.

use crate::args::{ArgValue, Args, CompileEnv};
use crate::cast::to_int;
use crate::context::Context;
use crate::kind::Kind::{Bool, Int};
use crate::registry::{Convert, Converter};
use crate::value::Sample;

/// A converter with one operand: an integer or a variable.
const fn binary(name: &'static str, run: Convert) -> Converter {
    Converter::new(name, "string", Int, Int, run).preparing(prepare_operand)
}

pub(super) const CONVERTERS: &[Converter] = &[
    binary("add", add),
    binary("and", and),
    Converter::new("bool", "", Int, Bool, bool),
    Converter::new("cpl", "", Int, Int, cpl),
    binary("div", div),
    Converter::new("even", "", Int, Bool, even),
    binary("mod", modulo),
    binary("mul", mul),
    Converter::new("neg", "", Int, Int, neg),
    Converter::new("not", "", Int, Bool, not),
    Converter::new("odd", "", Int, Bool, odd),
    binary("or", or),
    binary("sub", sub),
    binary("xor", xor),
];

/// Takes the first argument: an integer or the name of a variable.
fn prepare_operand(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    prepare_operand_at(args, 0, env)
}

/// Takes an argument that is an integer or the name of a variable.
pub(super) fn prepare_operand_at(
    args: &mut Args,
    at: usize,
    env: &mut CompileEnv<'_>,
) -> Result<(), String> {
    let Some(text) = args.text(at) else {
        return Ok(());
    };
    let number = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok());
    let value = match number {
        Some(number) => ArgValue::Int(number),
        None => ArgValue::Var(env.names.variable(text)?),
    };
    args.set(at, value);
    Ok(())
}

/// The value of an argument that is an integer or a variable; none when the variable is not set.
pub(super) fn operand(args: &Args, at: usize, ctx: &dyn Context) -> Option<i64> {
    match args.get(at) {
        ArgValue::Int(value) => Some(*value),
        ArgValue::Var(variable) => to_int(&ctx.variable(*variable)?),
        _ => None,
    }
}

fn pair(sample: &Sample<'_>, args: &Args, ctx: &dyn Context) -> Option<(i64, i64)> {
    Some((to_int(sample)?, operand(args, 0, ctx)?))
}

fn add<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    pair(&sample, args, ctx).map(|(a, b)| Sample::Int(a.saturating_add(b)))
}

fn sub<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    pair(&sample, args, ctx).map(|(a, b)| Sample::Int(a.saturating_sub(b)))
}

fn mul<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    pair(&sample, args, ctx).map(|(a, b)| Sample::Int(a.saturating_mul(b)))
}

/// Division by zero gives the greatest integer.
fn div<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    pair(&sample, args, ctx).map(|(a, b)| Sample::Int(a.checked_div(b).unwrap_or(i64::MAX)))
}

/// The remainder of division by zero is zero.
fn modulo<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    pair(&sample, args, ctx).map(|(a, b)| Sample::Int(a.checked_rem(b).unwrap_or(0)))
}

fn and<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    pair(&sample, args, ctx).map(|(a, b)| Sample::Int(a & b))
}

fn or<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    pair(&sample, args, ctx).map(|(a, b)| Sample::Int(a | b))
}

fn xor<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    pair(&sample, args, ctx).map(|(a, b)| Sample::Int(a ^ b))
}

fn cpl<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    to_int(&sample).map(|value| Sample::Int(!value))
}

fn neg<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    to_int(&sample).map(|value| Sample::Int(value.saturating_neg()))
}

fn bool<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    to_int(&sample).map(|value| Sample::Bool(value != 0))
}

fn not<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    to_int(&sample).map(|value| Sample::Bool(value == 0))
}

fn odd<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    to_int(&sample).map(|value| Sample::Bool(value & 1 == 1))
}

fn even<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    to_int(&sample).map(|value| Sample::Bool(value & 1 == 0))
}
