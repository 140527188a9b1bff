//! Fetches about the process, the time, variables and ACLs (manual, section 7.3.2).

use super::{EVERYWHERE, EXCEPT_CONFIG};
use crate::args::{ArgValue, Args, CompileEnv};
use crate::condition::Verdict;
use crate::context::Context;
use crate::expression::Fetched;
use crate::facts::{Number, Text};
use crate::kind::Kind::{Any, Bool, Int, Str};
use crate::registry::{Fetch, Run};
use crate::value::Sample;

const ACLS: &str =
    "string[,string,string,string,string,string,string,string,string,string,string,string]";

/// A share of processor time. Workers are one group of threads.
const fn usage(name: &'static str, fact: Number) -> Fetch {
    Fetch::new(name, "", Int, EXCEPT_CONFIG, Run::Number(fact))
}

pub(super) const FETCHES: &[Fetch] = &[
    Fetch::new("acl", ACLS, Bool, EVERYWHERE, Run::Call(acl)).preparing(prepare_acl),
    Fetch::new(
        "act_conn",
        "",
        Int,
        EVERYWHERE,
        Run::Number(Number::ActiveConnections),
    ),
    Fetch::new(
        "cpu_calls",
        "",
        Int,
        EXCEPT_CONFIG,
        Run::Number(Number::CpuCalls),
    ),
    Fetch::new(
        "cpu_ns_avg",
        "",
        Int,
        EXCEPT_CONFIG,
        Run::Number(Number::CpuNsAverage),
    ),
    Fetch::new(
        "cpu_ns_tot",
        "",
        Int,
        EXCEPT_CONFIG,
        Run::Number(Number::CpuNsTotal),
    ),
    usage("cpu_usage_grp", Number::ProcessUsage),
    usage("cpu_usage_proc", Number::ProcessUsage),
    usage("cpu_usage_thr", Number::WorkerUsage),
    Fetch::new("date", "[integer,string]", Int, EVERYWHERE, Run::Call(date))
        .preparing(prepare_date),
    Fetch::new("date_us", "", Int, EVERYWHERE, Run::Call(date_us)),
    Fetch::new("hostname", "", Str, EVERYWHERE, Run::Text(Text::Hostname)),
    Fetch::new(
        "last_entity",
        "",
        Str,
        EXCEPT_CONFIG,
        Run::Text(Text::LastRule),
    ),
    Fetch::new(
        "last_rule_file",
        "",
        Str,
        EXCEPT_CONFIG,
        Run::Text(Text::LastRuleFile),
    ),
    Fetch::new(
        "last_rule_line",
        "",
        Int,
        EXCEPT_CONFIG,
        Run::Number(Number::LastRuleLine),
    ),
    Fetch::new(
        "lat_ns_avg",
        "",
        Int,
        EXCEPT_CONFIG,
        Run::Number(Number::LatencyNsAverage),
    ),
    Fetch::new(
        "lat_ns_tot",
        "",
        Int,
        EXCEPT_CONFIG,
        Run::Number(Number::LatencyNsTotal),
    ),
    Fetch::new("nbproc", "", Int, EVERYWHERE, Run::Call(one)),
    Fetch::new("pid", "", Int, EVERYWHERE, Run::Number(Number::Pid)),
    Fetch::new(
        "prio_class",
        "",
        Int,
        EXCEPT_CONFIG,
        Run::Number(Number::PriorityClass),
    ),
    Fetch::new(
        "prio_offset",
        "",
        Int,
        EXCEPT_CONFIG,
        Run::Number(Number::PriorityOffset),
    ),
    Fetch::new("proc", "", Int, EVERYWHERE, Run::Call(one)),
    Fetch::new("rand", "[integer]", Int, EVERYWHERE, Run::Call(rand)),
    Fetch::new(
        "stopping",
        "",
        Bool,
        EXCEPT_CONFIG,
        Run::Flag(Number::Stopping),
    ),
    Fetch::new("tgroup", "", Int, EVERYWHERE, Run::Call(one)),
    Fetch::new("thread", "", Int, EVERYWHERE, Run::Number(Number::Thread)),
    Fetch::new(
        "term_events",
        "",
        Str,
        EXCEPT_CONFIG,
        Run::Call(term_events),
    ),
    Fetch::new("unique-id", "", Str, EVERYWHERE, Run::Text(Text::UniqueId)),
    Fetch::new("uptime", "", Int, EVERYWHERE, Run::Number(Number::Uptime)),
    Fetch::new("uuid", "[integer]", Str, EVERYWHERE, Run::Call(uuid)).preparing(prepare_uuid),
    Fetch::new("var", "string[,string]", Any, EVERYWHERE, Run::Call(var)).preparing(prepare_var),
    Fetch::new("wait_end", "", Bool, EXCEPT_CONFIG, Run::Call(wait_end)),
    Fetch::new(
        "waiting_entity",
        "",
        Str,
        EXCEPT_CONFIG,
        Run::Text(Text::WaitingRule),
    ),
];

/// A dash: no events are kept, as the manual has it for such a HAProxy.
fn term_events<'a>(_args: &'a Args, _ctx: &'a dyn Context) -> Fetched<'a> {
    Fetched::known(Sample::text(b"-"))
}

fn prepare_acl(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    for at in 0..args.len() {
        let name = args.text(at).ok_or("names of ACLs are expected")?;
        let (negated, name) = match name.strip_prefix(b"!") {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        let index =
            (env.acl)(name).ok_or_else(|| format!("no such ACL : '{}'", name.escape_ascii()))?;
        args.set(at, ArgValue::Acl(index, negated));
    }
    Ok(())
}

/// True when all the ACLs hold.
fn acl<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let mut waits = false;
    for at in 0..args.len() {
        let ArgValue::Acl(index, negated) = *args.get(at) else {
            continue;
        };
        let verdict = ctx.acl(index);
        match if negated { verdict.negate() } else { verdict } {
            Verdict::Pass => {}
            Verdict::Fail => return Fetched::known(Sample::Bool(false)),
            Verdict::Wait => waits = true,
        }
    }
    if waits {
        Fetched::wait()
    } else {
        Fetched::known(Sample::Bool(true))
    }
}

/// Isthmus is one process with one group of threads.
fn one<'a>(_args: &'a Args, _ctx: &'a dyn Context) -> Fetched<'a> {
    Fetched::known(Sample::Int(1))
}

/// What microseconds are divided by for the unit of the second argument.
fn prepare_date(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    if args.len() < 2 {
        return Ok(());
    }
    let divisor = unit(args.text(1))?;
    args.set(1, ArgValue::Int(divisor));
    Ok(())
}

/// How many microseconds a unit of time has: `s`, `ms` or `us`.
pub(crate) fn unit(name: Option<&[u8]>) -> Result<i64, String> {
    match name {
        None | Some(b"s") => Ok(1_000_000),
        Some(b"ms") => Ok(1_000),
        Some(b"us") => Ok(1),
        Some(_) => Err("the unit is 's', 'ms' or 'us'".into()),
    }
}

fn date<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let divisor = args.int(1).unwrap_or(1_000_000).max(1);
    let offset = args.int(0).unwrap_or(0);
    let now = ctx
        .now_wall_us()
        .map(|now| now.div_euclid(divisor).wrapping_add(offset));
    Fetched::settled(now.map(Sample::Int))
}

fn date_us<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    Fetched::settled(
        ctx.now_wall_us()
            .map(|now| Sample::Int(now.rem_euclid(1_000_000))),
    )
}

fn rand<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let Some(random) = ctx.random() else {
        return Fetched::settled(None);
    };
    let random = i64::from((random >> 32) as u32);
    let value = match args.int(0) {
        Some(range) => i64::try_from((i128::from(random) * i128::from(range)) >> 32).unwrap_or(0),
        None => random,
    };
    Fetched::known(Sample::Int(value))
}

fn prepare_uuid(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    match args.int(0) {
        None | Some(4 | 7) => Ok(()),
        Some(_) => Err("versions 4 and 7 of UUIDs are known".into()),
    }
}

fn uuid<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let version = args.int(0).unwrap_or(4);
    Fetched::settled(uuid_text(version, ctx).map(|text| Sample::owned_text(text.into_bytes())))
}

/// RFC 9562, versions 4 (random) and 7 (time and random).
fn uuid_text(version: i64, ctx: &dyn Context) -> Option<String> {
    let (high, low) = (ctx.random()?, ctx.random()?);
    let high = if version == 7 {
        let millis = u64::try_from(ctx.now_wall_us()? / 1000).ok()?;
        millis << 16 | 0x7000 | high & 0x0fff
    } else {
        high & !0xf000 | 0x4000
    };
    let low = low & !(0b11 << 62) | 0b10 << 62;
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    Some(format!(
        "{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}",
        low >> 48,
        low & 0xffff_ffff_ffff
    ))
}

fn prepare_var(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    if let Some(name) = args.text(0) {
        let variable = env.names.variable(name)?;
        args.set(0, ArgValue::Var(variable));
    }
    args.variable(0)
        .map(|_| ())
        .ok_or_else(|| "the name of a variable is expected".into())
}

fn var<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let value = args.variable(0).and_then(|variable| ctx.variable(variable));
    Fetched::settled(value.or_else(|| args.text(1).map(Sample::text)))
}

/// True at the end of content inspection; unknown before.
fn wait_end<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    if ctx.is_final() {
        Fetched::known(Sample::Bool(true))
    } else {
        Fetched::wait()
    }
}
