//! Fetches of a query's and a form's parameters (manual, section 7.3.6: `url_param`, `req.body_param`).

use isthmus_proto::http1::View;

use super::REQUEST;
use super::http_target::path_and_query;
use super::message::body;
use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::expression::Fetched;
use crate::kind::Kind::{self, Bin, Int, Str};
use crate::registry::{Each, Fetch, HeadRead, HeadVisit, Of, Run, Visit};
use crate::value::{Sample, slice};

const fn param(name: &'static str, output: Kind, read: HeadRead, each: HeadVisit) -> Fetch {
    Fetch::new(
        name,
        "[string,string,string]",
        output,
        REQUEST,
        Run::Head(Of::Request, read),
    )
    .preparing(prepare)
    .iterating(Each::Head(Of::Request, each))
}

pub(super) const FETCHES: &[Fetch] = &[
    Fetch::new(
        "req.body_param",
        "[string,string]",
        Bin,
        REQUEST,
        Run::Call(body_param),
    )
    .preparing(prepare_body)
    .iterating(Each::Call(each_body_param)),
    param("url_param", Str, url_param, each_url_param),
    param("urlp", Str, url_param, each_url_param),
    param("urlp_val", Int, urlp_val, each_urlp_val),
];

/// Where the flag for names in any case is kept, behind the arguments of either signature.
const ANY_CASE: usize = 2;

fn any_case(args: &mut Args, flag: usize) -> Result<(), String> {
    let any = match args.text(flag) {
        None | Some(b"") => 0,
        Some(b"i") => 1,
        Some(_) => return Err("the flag is 'i', for names in any case".into()),
    };
    args.set(ANY_CASE, ArgValue::Int(any));
    Ok(())
}

fn prepare(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    if args.text(1).is_some_and(|delimiter| delimiter.len() > 1) {
        return Err("the delimiter is one character".into());
    }
    any_case(args, 2)
}

fn prepare_body(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    any_case(args, 1)
}

/// The values of the parameters that are asked for, in order: what stands behind `=`, up to one
/// of the separators. No name stands for every one.
struct Params<'t, 'n> {
    text: Option<&'t [u8]>,
    separators: [u8; 3],
    name: Option<&'n [u8]>,
    any_case: bool,
}

impl<'t> Iterator for Params<'t, '_> {
    type Item = &'t [u8];

    fn next(&mut self) -> Option<&'t [u8]> {
        loop {
            let text = self.text?;
            let end = text.iter().position(|byte| self.separators.contains(byte));
            let pair = text.get(..end.unwrap_or(text.len()))?;
            self.text = end.and_then(|end| text.get(end + 1..));
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let (Some(name), Some(value)) = (halves.next(), halves.next()) else {
                continue;
            };
            let wanted = self.name.is_none_or(|wanted| {
                wanted == name || (self.any_case && wanted.eq_ignore_ascii_case(name))
            });
            if wanted {
                return Some(value);
            }
        }
    }
}

fn wanted(args: &Args) -> Option<&[u8]> {
    args.text(0).filter(|name| !name.is_empty())
}

/// The parameters of the target. They begin behind the delimiter, usually the question mark, and
/// are divided by it, by `&` and by `;`.
fn of_target<'a>(args: &'a Args, view: View<'a>) -> Params<'a, 'a> {
    let delimiter = args
        .text(1)
        .and_then(|text| text.first())
        .copied()
        .unwrap_or(b'?');
    let text = path_and_query(view).and_then(|text| {
        let start = text.iter().position(|byte| *byte == delimiter)?;
        text.get(start + 1..)
    });
    Params {
        text,
        separators: [b'&', b';', delimiter],
        name: wanted(args),
        any_case: args.int(ANY_CASE) == Some(1),
    }
}

fn url_param<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    of_target(args, view).next().map(Sample::text)
}

fn each_url_param<'a>(args: &'a Args, view: View<'a>, each: &mut Visit<'_, 'a>) {
    of_target(args, view).all(|value| each(Sample::text(value)));
}

fn integer(value: &[u8]) -> Sample<'_> {
    Sample::Int(isthmus_pattern::leading_int(value))
}

fn urlp_val<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    of_target(args, view).next().map(integer)
}

fn each_urlp_val<'a>(args: &'a Args, view: View<'a>, each: &mut Visit<'_, 'a>) {
    of_target(args, view).all(|value| each(integer(value)));
}

/// Calls `each` with every value in the body, as a sample that stands on its own where the body
/// does not stay; returns whether more may come.
fn each_body_param<'a>(args: &'a Args, ctx: &'a dyn Context, each: &mut Visit<'_, 'a>) -> bool {
    let content = match body(Of::Request, ctx) {
        Ok(content) => content,
        Err(nothing) => return nothing.may_change,
    };
    let bytes = content.bytes;
    let places: Vec<(usize, usize)> = Params {
        text: Some(&bytes),
        separators: [b'&', b'&', b'&'],
        name: wanted(args),
        any_case: args.int(ANY_CASE) == Some(1),
    }
    .map(|value| {
        let start = (value.as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize);
        (start, start + value.len())
    })
    .collect();
    places
        .into_iter()
        .all(|(start, end)| each(Sample::Bin(slice(bytes.clone(), start, end))));
    content.growing
}

/// The first value; one that ends where the bytes at hand do may still grow.
fn body_param<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let mut found = None;
    let may_change = each_body_param(args, ctx, &mut |sample| {
        found = Some(sample);
        false
    });
    Fetched {
        sample: found,
        may_change,
    }
}
