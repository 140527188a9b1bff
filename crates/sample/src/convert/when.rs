//! `when`: lets a value through where a condition holds (manual, section 7.3.1).

use crate::args::{ArgValue, Args, CompileEnv};
use crate::condition::Verdict;
use crate::context::Context;
use crate::facts::{Number, Text};
use crate::kind::Kind::Any;
use crate::registry::Converter;
use crate::value::Sample;

pub(super) const CONVERTERS: &[Converter] =
    &[Converter::new("when", "string[,string,string]", Any, Any, when).preparing(prepare)];

/// Whether something holds.
type Holds = fn(&dyn Context) -> bool;

/// What may be asked for, in the order of their numbers.
const CONDITIONS: [(&[u8], Holds); 6] = [
    (b"error", failed),
    (b"forwarded", forwarded),
    (b"normal", |ctx| !failed(ctx)),
    // No service answers instead of a server yet.
    (b"processed", forwarded),
    (b"stopping", |ctx| ctx.number(Number::Stopping) == Some(1)),
    (b"toapplet", |_| false),
];

/// Where the condition's number and its sign are kept, before the ACL.
const CONDITION: usize = 0;
const ACL: usize = 1;
const NEGATED: usize = 2;

fn prepare(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    let text = args.text(CONDITION).unwrap_or_default().to_vec();
    let (negated, name) = match text.strip_prefix(b"!") {
        Some(rest) => (true, rest),
        None => (false, text.as_slice()),
    };
    args.set(NEGATED, ArgValue::Int(negated.into()));
    if name == b"acl" {
        let acl = args.text(ACL).ok_or("the name of an ACL is expected")?;
        let index = (env.acl)(acl).ok_or("no such ACL")?;
        args.set(ACL, ArgValue::Acl(index, false));
        return Ok(());
    }
    let at = CONDITIONS.iter().position(|(known, _)| *known == name);
    let at = at.and_then(|at| i64::try_from(at).ok());
    let at = at.ok_or(
        "'error', 'forwarded', 'normal', 'processed', 'stopping', 'toapplet' or 'acl' is expected",
    )?;
    args.set(CONDITION, ArgValue::Int(at));
    args.set(ACL, ArgValue::Absent);
    Ok(())
}

/// Whether something went wrong: the first letter of the termination state says what.
fn failed(ctx: &dyn Context) -> bool {
    let state = ctx.text(Text::TerminationState);
    state.is_some_and(|state| state.first().is_some_and(|letter| *letter != b'-'))
}

/// Whether the request reached a server.
fn forwarded(ctx: &dyn Context) -> bool {
    ctx.number(Number::TimeConnect)
        .is_some_and(|time| time >= 0)
}

fn when<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let holds = match args.get(ACL) {
        ArgValue::Acl(index, _) => ctx.acl(*index) == Verdict::Pass,
        _ => {
            let at = usize::try_from(args.int(CONDITION)?).ok()?;
            CONDITIONS.get(at)?.1(ctx)
        }
    };
    (holds != (args.int(NEGATED) == Some(1))).then_some(sample)
}
