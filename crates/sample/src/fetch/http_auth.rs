//! Fetches of credentials (manual, section 7.3.6; RFC 7617, 2; RFC 6750, 2.1).

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use isthmus_proto::http1::View;

use super::REQUEST;
use super::message::with_head;
use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::convert::base64_decoded;
use crate::expression::Fetched;
use crate::kind::Kind::{self, Bool, Str};
use crate::registry::{Each, Fetch, HeadRead, Of, Run, Visit};
use crate::userlist::Users;
use crate::value::Sample;

const fn row(name: &'static str, signature: &'static str, output: Kind, read: HeadRead) -> Fetch {
    Fetch::new(
        name,
        signature,
        output,
        REQUEST,
        Run::Head(Of::Request, read),
    )
}

/// A fetch that asks a userlist, which wants to know the time.
const fn asking(
    name: &'static str,
    output: Kind,
    run: for<'a> fn(&'a Args, &'a dyn Context) -> Fetched<'a>,
) -> Fetch {
    Fetch::new(name, "user list", output, REQUEST, Run::Call(run))
}

pub(super) const FETCHES: &[Fetch] = &[
    asking("http_auth", Bool, http_auth),
    row("http_auth_bearer", "[string]", Str, bearer).preparing(prepare_bearer),
    asking("http_auth_group", Str, group).iterating(Each::Call(each_group)),
    row("http_auth_pass", "", Str, pass),
    row("http_auth_type", "", Str, scheme),
    row("http_auth_user", "", Str, user),
];

/// The first field of a name, split at its first space: a scheme and what belongs to it.
fn credentials<'a>(view: View<'a>, field: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut found = None;
    view.for_each_id(|_, name, value| {
        if name == field {
            found = Some(value);
        }
        found.is_none()
    });
    let value = found?;
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = value.split_at_checked(space)?;
    let rest = rest.trim_ascii();
    (!rest.is_empty()).then_some((scheme, rest))
}

/// Name and password of Basic authentication.
fn basic(view: View<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, encoded) = credentials(view, b"authorization")?;
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let decoded = base64_decoded(encoded)?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (name, password) = decoded.split_at_checked(colon)?;
    Some((name.to_vec(), password.get(1..)?.to_vec()))
}

/// The token of the Bearer scheme, in Authorization or in the field that is asked for.
fn token<'a>(view: View<'a>, field: &[u8]) -> Option<&'a [u8]> {
    let (scheme, token) = credentials(view, field)?;
    scheme.eq_ignore_ascii_case(b"bearer").then_some(token)
}

fn prepare_bearer(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let name = match args.text(0) {
        None | Some(b"") => b"authorization".to_vec(),
        Some(name) => name.to_ascii_lowercase(),
    };
    args.set(0, ArgValue::Str(name.into()));
    Ok(())
}

fn bearer<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    token(view, args.text(0)?).map(Sample::text)
}

fn user<'a>(_args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    basic(view).map(|(name, _)| Sample::owned_text(name))
}

fn pass<'a>(_args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    basic(view).map(|(_, password)| Sample::owned_text(password))
}

/// The scheme's own name, where its credentials can be read.
fn scheme<'a>(_args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    if basic(view).is_some() {
        return Some(Sample::text(b"Basic"));
    }
    token(view, b"authorization").map(|_| Sample::text(b"Bearer"))
}

fn users(args: &Args) -> Option<&Arc<Users>> {
    match args.get(0) {
        ArgValue::Users(users) => Some(users),
        _ => None,
    }
}

/// False where name and password do not belong together, nothing where none are given.
fn http_auth<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    with_head(Of::Request, ctx, &|view| {
        let (name, password) = basic(view)?;
        let found = users(args)?.groups_of(&name, &password, &|| ctx.running_ms());
        Some(Sample::Bool(found.is_some()))
    })
}

/// The user's name, where the password is right.
fn group<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    with_head(Of::Request, ctx, &|view| {
        let (name, password) = basic(view)?;
        users(args)?.groups_of(&name, &password, &|| ctx.running_ms())?;
        Some(Sample::owned_text(name))
    })
}

/// To ACLs, the groups of the user.
fn each_group<'a>(args: &'a Args, ctx: &'a dyn Context, each: &mut Visit<'_, 'a>) -> bool {
    let credentials = Cell::new(None);
    let fetched = with_head(Of::Request, ctx, &|view| {
        credentials.set(basic(view));
        None
    });
    if let (Some((name, password)), Some(users)) = (credentials.take(), users(args)) {
        let groups = users.groups_of(&name, &password, &|| ctx.running_ms());
        let groups = groups.unwrap_or_default();
        groups
            .iter()
            .all(|group| each(Sample::Str(Cow::Borrowed(group))));
    }
    fetched.may_change
}
