//! Fetches of what a request asks for: method, target and version (manual, section 7.3.6).

use std::net::{IpAddr, Ipv4Addr};

use isthmus_balance::hash::{avalanche, sdbm};
use isthmus_proto::http::{Authority, Method, Target};
use isthmus_proto::http1::{StartLine, View};

use super::http_field::host;
use super::message::{read_preface, with_head};
use super::{REQUEST, SERVER, STREAM};
use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::{Context, Side};
use crate::expression::Fetched;
use crate::facts::{End, Number, Text};
use crate::kind::Kind::{Bin, Int, Ipv4, Meth, Str};
use crate::registry::{Fetch, Of, Run};
use crate::value::{Bytes, Sample};

/// A fetch of the request's head without arguments.
const fn row(
    name: &'static str,
    output: crate::kind::Kind,
    read: crate::registry::HeadRead,
) -> Fetch {
    Fetch::new(name, "", output, REQUEST, Run::Head(Of::Request, read))
}

pub(super) const FETCHES: &[Fetch] = &[
    row("base", Str, base),
    row("base32", Int, base32),
    Fetch::new("base32+src", "", Bin, REQUEST, Run::Call(base32_src)),
    row("baseq", Str, baseq),
    Fetch::new(
        "capture.req.method",
        "",
        Str,
        STREAM,
        Run::Text(Text::RequestMethod),
    ),
    Fetch::new("capture.req.uri", "", Str, STREAM, Run::Call(captured_uri)),
    Fetch::new(
        "capture.req.ver",
        "",
        Str,
        STREAM,
        Run::Text(Text::RequestVersion),
    ),
    Fetch::new(
        "capture.res.ver",
        "",
        Str,
        STREAM,
        Run::Text(Text::ResponseVersion),
    ),
    Fetch::new("method", "", Meth, STREAM, Run::Call(method)),
    row("path", Str, path),
    row("pathq", Str, pathq),
    Fetch::new(
        "query",
        "[string]",
        Str,
        REQUEST,
        Run::Head(Of::Request, query),
    )
    .preparing(prepare_query),
    Fetch::new("req.ver", "", Str, STREAM, Run::Call(request_version)),
    Fetch::new("req_ver", "", Str, STREAM, Run::Call(request_version)),
    Fetch::new("res.ver", "", Str, SERVER, Run::Call(response_version)),
    Fetch::new("resp_ver", "", Str, SERVER, Run::Call(response_version)),
    Fetch::new("status", "", Int, SERVER, Run::Call(status)),
    Fetch::new("url", "", Str, REQUEST, Run::Call(url)),
    row("url32", Int, url32),
    Fetch::new("url32+src", "", Bin, REQUEST, Run::Call(url32_src)),
    Fetch::new("url_ip", "", Ipv4, REQUEST, Run::Call(url_ip)),
    Fetch::new("url_port", "", Int, REQUEST, Run::Call(url_port)),
];

/// A request's target and where its parts are.
pub(super) fn target(view: View<'_>) -> Option<(&[u8], Target)> {
    let text = view.part(StartLine::Target);
    let method = Method::of(view.part(StartLine::Method));
    Some((text, Target::parse(text, method)?))
}

/// Path and query; `None` where the target has none, as `*` and the authority of CONNECT.
pub(super) fn path_and_query(view: View<'_>) -> Option<&[u8]> {
    let (text, target) = target(view)?;
    let found = target.path_and_query(text);
    found.starts_with(b"/").then_some(found)
}

/// The path alone.
fn path_of(view: View<'_>) -> Option<&[u8]> {
    let found = path_and_query(view)?;
    found.split(|byte| *byte == b'?').next()
}

fn path<'a>(_args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    path_of(view).map(Sample::text)
}

fn pathq<'a>(_args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    path_and_query(view).map(Sample::text)
}

/// The target as HAProxy has it: that of HTTP/2 with scheme and authority, which are parts of its
/// request there.
fn whole_target<'v>(ctx: &dyn Context, view: View<'v>) -> Bytes<'v> {
    let target = view.part(StartLine::Target);
    let h2 = ctx.number(Number::ClientHttpMajor) == Some(2);
    match host(view).filter(|_| h2 && target.starts_with(b"/")) {
        Some(host) => {
            let scheme: &[u8] = match ctx.speaks_tls(Side::Request) {
                Some(true) => b"https://",
                _ => b"http://",
            };
            [scheme, host, target].concat().into()
        }
        None => target.into(),
    }
}

fn url<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    if let Some(view) = ctx.head(Of::Request.side(ctx)) {
        return Fetched::settled(Some(Sample::Str(whole_target(ctx, view))));
    }
    with_head(Of::Request, ctx, &|view| {
        Some(Sample::owned_text(whole_target(ctx, view).into_owned()))
    })
}

/// The one option asks for the question mark in front.
fn prepare_query(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    match args.text(0) {
        None | Some(b"") => args.set(0, ArgValue::Absent),
        Some(b"with_qm") => args.set(0, ArgValue::Int(1)),
        Some(_) => return Err("the option is 'with_qm'".into()),
    }
    Ok(())
}

fn query<'a>(args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    let text = path_and_query(view)?;
    let mark = text.iter().position(|byte| *byte == b'?')?;
    let start = if args.int(0) == Some(1) {
        mark
    } else {
        mark + 1
    };
    text.get(start..).map(Sample::text)
}

/// Host and what follows it, one behind the other.
fn joined(view: View<'_>, behind: Option<&[u8]>) -> Vec<u8> {
    let mut text = host(view).unwrap_or_default().to_vec();
    text.extend_from_slice(behind.unwrap_or_default());
    text
}

fn base<'a>(_args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    Some(Sample::owned_text(joined(view, path_of(view))))
}

fn baseq<'a>(_args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    Some(Sample::owned_text(joined(view, path_and_query(view))))
}

/// `sdbm` with its avalanche, as the manual says of `base32`.
fn mixed(text: &[u8]) -> u32 {
    avalanche(sdbm(text))
}

fn base32_of(view: View<'_>) -> u32 {
    mixed(&joined(view, path_of(view)))
}

fn url32_of(view: View<'_>) -> u32 {
    mixed(&joined(view, path_and_query(view)))
}

fn base32<'a>(_args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    Some(Sample::Int(base32_of(view).into()))
}

fn url32<'a>(_args: &'a Args, view: View<'a>) -> Option<Sample<'a>> {
    Some(Sample::Int(url32_of(view).into()))
}

/// A hash with the client's address behind it: 8 or 20 bytes.
fn with_src(hash: u32, ctx: &dyn Context) -> Option<Sample<'static>> {
    let mut bytes = hash.to_be_bytes().to_vec();
    match ctx.endpoint(End::Src)?.ip() {
        IpAddr::V4(ip) => bytes.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => bytes.extend_from_slice(&ip.octets()),
    }
    Some(Sample::Bin(bytes.into()))
}

fn base32_src<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    with_head(Of::Request, ctx, &|view| with_src(base32_of(view), ctx))
}

fn url32_src<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    with_head(Of::Request, ctx, &|view| with_src(url32_of(view), ctx))
}

/// The IPv4 address that a target of http or https names, and its port: the scheme's own where
/// none is written. Names are not resolved.
fn named_place(ctx: &dyn Context, view: View<'_>) -> Option<(Ipv4Addr, u16)> {
    let text: &[u8] = &whole_target(ctx, view);
    let method = Method::of(view.part(StartLine::Method));
    let target = Target::parse(text, method)?;
    let scheme = target.scheme(text)?;
    let place = Authority::parse(target.authority(text)?)?;
    let ip = std::str::from_utf8(place.host).ok()?.parse().ok()?;
    let default = match scheme.to_ascii_lowercase().as_slice() {
        b"http" => 80,
        b"https" => 443,
        _ => return None,
    };
    Some((ip, place.port.unwrap_or(default)))
}

fn url_ip<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    with_head(Of::Request, ctx, &|view| {
        named_place(ctx, view).map(|(ip, _)| Sample::Ipv4(ip))
    })
}

fn url_port<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    with_head(Of::Request, ctx, &|view| {
        named_place(ctx, view).map(|(_, port)| Sample::Int(port.into()))
    })
}

/// What was kept of a head that is gone, or a part of the one that is there or comes.
fn part_or_kept<'a>(
    ctx: &'a dyn Context,
    of: Of,
    read: fn(View<'_>) -> &[u8],
    kept: Text,
) -> Fetched<'a> {
    if let Some(view) = ctx.head(of.side(ctx)) {
        return Fetched::known(Sample::text(read(view)));
    }
    if let Some(text) = ctx.text(kept) {
        return Fetched::known(Sample::Str(text));
    }
    with_head(of, ctx, &|view| {
        Some(Sample::owned_text(read(view).to_vec()))
    })
}

fn method<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    part_or_kept(ctx, Of::Request, method_of, Text::RequestMethod)
}

/// `1.1` of `HTTP/1.1`.
fn number_only(found: Fetched<'_>) -> Fetched<'_> {
    let Some(Sample::Str(text)) = found.sample else {
        return found;
    };
    let start = if text.starts_with(b"HTTP/") { 5 } else { 0 };
    let end = text.len();
    Fetched::known(Sample::Str(crate::value::slice(text, start, end)))
}

fn request_version<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    // Within the proxy a request of HTTP/2 has the form of HTTP/1.1.
    if ctx.number(Number::ClientHttpMajor) == Some(2) {
        return Fetched::known(Sample::text(b"2.0"));
    }
    if let Some(found) = read_preface(ctx, Sample::text(b"2.0")) {
        return found;
    }
    number_only(part_or_kept(
        ctx,
        Of::Request,
        version,
        Text::RequestVersion,
    ))
}

fn response_version<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    number_only(part_or_kept(
        ctx,
        Of::Response,
        version,
        Text::ResponseVersion,
    ))
}

fn method_of(view: View<'_>) -> &[u8] {
    view.part(StartLine::Method)
}

fn version(view: View<'_>) -> &[u8] {
    view.version()
}

/// The status of the response as it stands, in logs the one that the client got.
fn status<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    if ctx.head(Side::Response).is_none() {
        if let Some(status) = ctx.number(Number::Status) {
            return Fetched::known(Sample::Int(status));
        }
    }
    with_head(Of::Response, ctx, &|view| {
        let status = isthmus_pattern::leading_int(view.part(StartLine::Status));
        Some(Sample::Int(status))
    })
}

/// Path and query of the target as it came, which is kept until the log.
fn captured_uri<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    Fetched::settled(kept_uri(ctx).map(Sample::Str))
}

/// As [`captured_uri`], bare.
fn kept_uri(ctx: &dyn Context) -> Option<Bytes<'_>> {
    let method = ctx.text(Text::RequestMethod);
    let text = ctx.text(Text::RequestTarget)?;
    let target = Target::parse(&text, Method::of(method.as_deref().unwrap_or_default()))?;
    let found = target.path_and_query(&text);
    let (start, end) = (text.len() - found.len(), text.len());
    found
        .starts_with(b"/")
        .then(|| crate::value::slice(text, start, end))
}
