//! Fetches about certificates (manual, section 7.3.4): the client's (`ssl_c_*`), our own
//! (`ssl_f_*`) and the server's (`ssl_s_*`).

use sha1::{Digest as _, Sha1};

use super::SESSION;
use super::tls_connection::{bytes, need_own, need_peer, need_root};
use crate::args::{Args, CompileEnv};
use crate::context::{Context, Side};
use crate::expression::Fetched;
use crate::kind::Kind::{Bin, Bool, Int, Str};
use crate::registry::{Fetch, Prepare, Run};
use crate::tls::{Certificate, TlsFacts};
use crate::value::Sample;

/// Whose certificate is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Client,
    Own,
    Server,
}

/// Tells something of a certificate.
type Read = for<'a> fn(&'a Args, Certificate<'a>) -> Option<Sample<'a>>;

/// A fetch of one certificate.
macro_rules! row {
    ($name:expr, $signature:literal, $output:ident, $whose:ident, $prepare:expr, $read:expr) => {
        Fetch::new(
            $name,
            $signature,
            $output,
            SESSION,
            Run::Call(|args, ctx| of_certificate(args, ctx, Whose::$whose, $read)),
        )
        .preparing($prepare)
    };
}

/// The fetches that every certificate has.
macro_rules! common {
    ($prefix:literal, $whose:ident, $prepare:expr, $prepare_name:expr) => {
        &[
            row!(
                concat!($prefix, "_der"),
                "",
                Bin,
                $whose,
                $prepare,
                |_, found| Some(bytes(found.der))
            ),
            row!(
                concat!($prefix, "_i_dn"),
                "[string,integer,string]",
                Str,
                $whose,
                $prepare_name,
                |args, found| name(args, found.issuer())
            ),
            row!(
                concat!($prefix, "_key_alg"),
                "",
                Str,
                $whose,
                $prepare,
                |_, found| {
                    found
                        .key_algorithm()
                        .map(|name| Sample::text(name.as_bytes()))
                }
            ),
            row!(
                concat!($prefix, "_notafter"),
                "",
                Str,
                $whose,
                $prepare,
                |_, found| { Some(Sample::owned_text(found.not_after())) }
            ),
            row!(
                concat!($prefix, "_notbefore"),
                "",
                Str,
                $whose,
                $prepare,
                |_, found| { Some(Sample::owned_text(found.not_before())) }
            ),
            row!(
                concat!($prefix, "_s_dn"),
                "[string,integer,string]",
                Str,
                $whose,
                $prepare_name,
                |args, found| name(args, found.subject())
            ),
            row!(
                concat!($prefix, "_serial"),
                "",
                Bin,
                $whose,
                $prepare,
                |_, found| Some(bytes(found.serial))
            ),
            row!(
                concat!($prefix, "_sha1"),
                "",
                Bin,
                $whose,
                $prepare,
                |_, found| { Some(Sample::Bin(Sha1::digest(found.der).to_vec().into())) }
            ),
            row!(
                concat!($prefix, "_sig_alg"),
                "",
                Str,
                $whose,
                $prepare,
                |_, found| {
                    found
                        .signature_algorithm()
                        .map(|name| Sample::text(name.as_bytes()))
                }
            ),
            row!(
                concat!($prefix, "_version"),
                "",
                Int,
                $whose,
                $prepare,
                |_, found| { Some(Sample::Int(found.version)) }
            ),
        ]
    };
}

pub(super) const CLIENTS: &[Fetch] = common!("ssl_c", Client, need_peer, prepare_peer_name);
pub(super) const OURS: &[Fetch] = common!("ssl_f", Own, need_own, prepare_own_name);
pub(super) const SERVERS: &[Fetch] = common!("ssl_s", Server, need_peer, prepare_peer_name);

/// A fetch of what verifying the client's certificate gave.
const fn verdict(
    name: &'static str,
    run: for<'a> fn(&'a Args, &'a dyn Context) -> Fetched<'a>,
) -> Fetch {
    const NEED: Prepare = need_peer;
    Fetch::new(name, "", Int, SESSION, Run::Call(run)).preparing(NEED)
}

pub(super) const OTHERS: &[Fetch] = &[
    verdict("ssl_c_ca_err", |_, ctx| {
        of_client(ctx, |facts| facts.distrust.behind.into())
    }),
    verdict("ssl_c_ca_err_depth", |_, ctx| {
        of_client(ctx, |facts| facts.distrust.behind_depth.into())
    }),
    Fetch::new(
        "ssl_c_chain_der",
        "",
        Bin,
        SESSION,
        Run::Call(|_, ctx| chain(ctx, Side::Request, 1)),
    )
    .preparing(need_peer),
    verdict("ssl_c_err", |_, ctx| {
        of_client(ctx, |facts| facts.distrust.own.into())
    }),
    row!(
        "ssl_c_policies",
        "[string]",
        Str,
        Client,
        prepare_policies,
        |_, found| found.policies().map(Sample::owned_text)
    ),
    Fetch::new(
        "ssl_c_r_dn",
        "[string,integer,string]",
        Str,
        SESSION,
        Run::Call(|args, ctx| {
            let facts = ctx.tls(Side::Request);
            let root = facts.and_then(TlsFacts::root_name);
            Fetched::settled(root.and_then(|root| name(args, root)))
        }),
    )
    .preparing(prepare_root_name),
    row!("ssl_c_san", "", Str, Client, need_peer, |_, found| {
        found.alternative_names().map(Sample::owned_text)
    }),
    Fetch::new(
        "ssl_c_used",
        "",
        Bool,
        SESSION,
        Run::Call(|_, ctx| {
            let facts = ctx.tls(Side::Request);
            Fetched::settled(facts.map(|facts| Sample::Bool(!facts.peer.is_empty())))
        }),
    )
    .preparing(need_peer),
    verdict("ssl_c_verify", |_, ctx| {
        // Nothing was verified before the handshake came to its end.
        let facts = ctx.tls(Side::Request).filter(|facts| facts.complete);
        Fetched::settled(facts.map(|facts| Sample::Int(facts.distrust.last.into())))
    }),
    Fetch::new(
        "ssl_s_chain_der",
        "",
        Bin,
        SESSION,
        Run::Call(|_, ctx| chain(ctx, Side::Response, 0)),
    )
    .preparing(need_peer),
];

fn of_client(ctx: &dyn Context, read: fn(&TlsFacts) -> i64) -> Fetched<'_> {
    let facts = ctx.tls(Side::Request);
    Fetched::settled(facts.map(|facts| Sample::Int(read(facts))))
}

fn of_certificate<'a>(
    args: &'a Args,
    ctx: &'a dyn Context,
    whose: Whose,
    read: Read,
) -> Fetched<'a> {
    let found = match whose {
        Whose::Client => ctx.tls(Side::Request).and_then(TlsFacts::peer_certificate),
        Whose::Own => ctx.tls(Side::Request).and_then(TlsFacts::own_certificate),
        Whose::Server => ctx.tls(Side::Response).and_then(TlsFacts::peer_certificate),
    };
    Fetched::settled(found.and_then(|found| read(args, found)))
}

/// The certificates that the peer sent, one behind the other, from so many on. A session that goes
/// on has none, as with HAProxy.
fn chain(ctx: &dyn Context, side: Side, from: usize) -> Fetched<'_> {
    let facts = ctx.tls(side).filter(|facts| !facts.resumed);
    let sent = facts.and_then(|facts| facts.peer.get(from..));
    let sent = sent.filter(|sent| !sent.is_empty());
    Fetched::settled(sent.map(|sent| Sample::Bin(sent.concat().into())))
}

/// All of a name, or the attribute that is asked for.
fn name<'a>(args: &'a Args, name: crate::tls::Name<'a>) -> Option<Sample<'a>> {
    if let Some(entry) = args.text(0).filter(|entry| !entry.is_empty()) {
        let found = name.entry(entry, args.int(1).unwrap_or(1))?;
        return Some(Sample::text(found));
    }
    Some(Sample::owned_text(match args.text(2) {
        Some(b"rfc2253") => name.rfc2253(),
        _ => name.one_line(),
    }))
}

fn prepare_name(args: &Args) -> Result<(), String> {
    match args.text(2) {
        None | Some(b"" | b"rfc2253") => Ok(()),
        Some(_) => Err("the format is 'rfc2253'".into()),
    }
}

fn prepare_peer_name(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    prepare_name(args)?;
    need_peer(args, env)
}

/// No manual that could be read says what the argument of `ssl_c_policies` stands for, and a guess
/// about who is let in is worse than an error.
fn prepare_policies(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    if args.text(0).is_some_and(|text| !text.is_empty()) {
        return Err("no argument is known here: all policies are given, between commas".into());
    }
    need_peer(args, env)
}

fn prepare_root_name(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    prepare_name(args)?;
    need_root(args, env)
}

fn prepare_own_name(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    prepare_name(args)?;
    need_own(args, env)
}
