//! Fetches of what TLS says in the clear, in bytes that nobody decrypts (manual, section 7.3.5).

use isthmus_proto::tls::{ClientHello, Message, NotTls, extension, ssl2_version};

use super::{CLIENT, REQUEST, RESPONSE};
use crate::args::Args;
use crate::context::{Context, Side};
use crate::expression::Fetched;
use crate::kind::Kind::{self, Bin, Bool, Int, Str};
use crate::kind::Validity;
use crate::registry::{Each, Fetch, Run, Visit};
use crate::value::Sample;

/// Finds something in a ClientHello.
type Read = fn(&ClientHello<'_>) -> Option<Sample<'static>>;

macro_rules! row {
    ($name:literal, $output:ident, $valid:expr, $read:expr) => {
        Fetch::new(
            $name,
            "",
            $output,
            $valid,
            Run::Call(|_, ctx| of_hello(ctx, $read)),
        )
    };
}

const fn plain(
    name: &'static str,
    valid: Validity,
    run: for<'a> fn(&'a Args, &'a dyn Context) -> Fetched<'a>,
) -> Fetch {
    const OUTPUT: Kind = Int;
    Fetch::new(name, "", OUTPUT, valid, Run::Call(run))
}

pub(super) const FETCHES: &[Fetch] = &[
    plain("rep_ssl_hello_type", RESPONSE, |_, ctx| {
        hello_type(ctx, Side::Response)
    }),
    row!("req.ssl_alpn", Str, REQUEST, protocol).iterating(Each::Call(each_protocol)),
    row!("req.ssl_cipherlist", Bin, CLIENT, |hello| Some(bytes(
        hello.cipher_suites
    ))),
    row!("req.ssl_ec_ext", Bool, REQUEST, groups_are_given),
    plain("req.ssl_hello_type", REQUEST, |_, ctx| {
        hello_type(ctx, Side::Request)
    }),
    row!("req.ssl_keyshare_groups", Bin, CLIENT, key_shares),
    row!("req.ssl_sigalgs", Bin, CLIENT, |hello| {
        hello.numbers(extension::SIGNATURE_ALGORITHMS).map(bytes)
    }),
    row!("req.ssl_sni", Str, REQUEST, server_name),
    row!("req.ssl_st_ext", Int, REQUEST, session_ticket),
    row!("req.ssl_supported_groups", Bin, CLIENT, |hello| {
        hello.numbers(extension::SUPPORTED_GROUPS).map(bytes)
    }),
    plain("req.ssl_ver", REQUEST, version),
    plain("req_ssl_hello_type", REQUEST, |_, ctx| {
        hello_type(ctx, Side::Request)
    }),
    row!("req_ssl_sni", Str, REQUEST, server_name),
    plain("req_ssl_ver", REQUEST, version),
    plain("res.ssl_hello_type", RESPONSE, |_, ctx| {
        hello_type(ctx, Side::Response)
    }),
];

/// The first handshake message that a side sends: waits for it while more may come.
fn message<'a>(ctx: &'a dyn Context, side: Side) -> Result<Message<'a>, Fetched<'a>> {
    let payload = ctx.payload(side).ok_or(Fetched::settled(None))?;
    match Message::read(payload.bytes) {
        Ok(Some(message)) => Ok(message),
        Ok(None) if payload.growing => Err(Fetched::wait()),
        Ok(None) | Err(NotTls) => Err(Fetched::settled(None)),
    }
}

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

fn of_hello(ctx: &dyn Context, read: Read) -> Fetched<'_> {
    match message(ctx, Side::Request) {
        Ok(message) if message.kind == CLIENT_HELLO => {
            Fetched::settled(ClientHello::read(&message.body).as_ref().and_then(read))
        }
        Ok(_) => Fetched::settled(None),
        Err(nothing) => nothing,
    }
}

fn hello_type(ctx: &dyn Context, side: Side) -> Fetched<'_> {
    match message(ctx, side) {
        Ok(message) => {
            let hello = matches!(message.kind, CLIENT_HELLO | SERVER_HELLO);
            Fetched::settled(hello.then_some(Sample::Int(message.kind.into())))
        }
        Err(nothing) => nothing,
    }
}

/// The version that the first message gives itself: major times 65536 and minor.
fn version<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let number = |(major, minor): (u8, u8)| Sample::Int(i64::from(major) << 16 | i64::from(minor));
    let old = ctx
        .payload(Side::Request)
        .and_then(|payload| ssl2_version(payload.bytes));
    if let Some(version) = old {
        return Fetched::known(number(version));
    }
    match message(ctx, Side::Request) {
        Ok(message) => {
            let version = message
                .body
                .first_chunk::<2>()
                .map(|[major, minor]| (*major, *minor));
            let hello = matches!(message.kind, CLIENT_HELLO | SERVER_HELLO);
            Fetched::settled(version.filter(|_| hello).map(number))
        }
        Err(nothing) => nothing,
    }
}

fn bytes(bytes: &[u8]) -> Sample<'static> {
    Sample::Bin(bytes.to_vec().into())
}

fn server_name(hello: &ClientHello<'_>) -> Option<Sample<'static>> {
    hello
        .server_name()
        .map(|name| Sample::owned_text(name.to_vec()))
}

/// The protocol that the client likes best.
fn protocol(hello: &ClientHello<'_>) -> Option<Sample<'static>> {
    hello
        .protocols()
        .next()
        .map(|name| Sample::owned_text(name.to_vec()))
}

/// True or nothing, as HAProxy has it.
fn groups_are_given(hello: &ClientHello<'_>) -> Option<Sample<'static>> {
    hello
        .extension(extension::SUPPORTED_GROUPS)
        .map(|_| Sample::Bool(true))
}

/// To ACLs, every protocol that the client offers.
fn each_protocol<'a>(_args: &'a Args, ctx: &'a dyn Context, each: &mut Visit<'_, 'a>) -> bool {
    match message(ctx, Side::Request) {
        Ok(message) if message.kind == CLIENT_HELLO => {
            if let Some(hello) = ClientHello::read(&message.body) {
                hello
                    .protocols()
                    .all(|name| each(Sample::owned_text(name.to_vec())));
            }
            false
        }
        Ok(_) => false,
        Err(nothing) => nothing.may_change,
    }
}

fn key_shares(hello: &ClientHello<'_>) -> Option<Sample<'static>> {
    hello
        .key_share_groups()
        .map(|groups| Sample::Bin(groups.into()))
}

/// 0 without the extension, 1 with an empty one, 2 with a ticket.
fn session_ticket(hello: &ClientHello<'_>) -> Option<Sample<'static>> {
    hello.extensions?;
    Some(Sample::Int(
        match hello.extension(extension::SESSION_TICKET) {
            None => 0,
            Some([]) => 1,
            Some(_) => 2,
        },
    ))
}
