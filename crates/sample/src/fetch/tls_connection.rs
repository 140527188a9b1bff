//! Fetches about the TLS of the client's and of the server's connection (manual, section 7.3.4).

use super::{SERVER, SESSION};
use crate::args::{Args, CompileEnv};
use crate::context::{Context, Side};
use crate::expression::Fetched;
use crate::kind::Kind::{Bin, Bool, Int, Str};
use crate::registry::{Fetch, Run};
use crate::tls::{SecretLabel, TlsFacts, TlsNeeds};
use crate::value::Sample;

/// Tells something of a connection's TLS.
type Read = for<'a> fn(&'a TlsFacts) -> Option<Sample<'a>>;

/// A fetch of one side.
macro_rules! row {
    ($name:literal, $output:expr, $valid:expr, $side:ident, $prepare:ident, $read:expr) => {
        Fetch::new(
            $name,
            "",
            $output,
            $valid,
            Run::Call(|_, ctx| of_facts(ctx, Side::$side, $read)),
        )
        .preparing($prepare)
    };
}

/// The same fetch of both sides.
macro_rules! both {
    ($($front:literal $back:literal $output:ident $prepare:ident $read:expr;)*) => {
        &[$(
            row!($front, $output, SESSION, Request, $prepare, $read),
            row!($back, $output, SERVER, Response, $prepare, $read),
        )*]
    };
}

pub(super) const FETCHES: &[Fetch] = both! {
    "ssl_fc_alg_keysize" "ssl_bc_alg_keysize" Int need_facts key_bits;
    "ssl_fc_alpn" "ssl_bc_alpn" Str need_facts |facts| facts.alpn.as_deref().map(Sample::text);
    "ssl_fc_cipher" "ssl_bc_cipher" Str need_facts |facts| facts.cipher().map(name);
    "ssl_fc_client_random" "ssl_bc_client_random" Bin need_hellos client_random;
    "ssl_fc_curve" "ssl_bc_curve" Str need_facts |facts| facts.curve().map(name);
    "ssl_fc_err" "ssl_bc_err" Int need_facts error;
    "ssl_fc_err_str" "ssl_bc_err_str" Str need_facts error_text;
    "ssl_fc_npn" "ssl_bc_npn" Str need_facts |_| None;
    "ssl_fc_protocol" "ssl_bc_protocol" Str need_facts |facts| facts.version_name().map(name);
    "ssl_fc_server_random" "ssl_bc_server_random" Bin need_hellos |facts| {
        facts.server_random.as_deref().map(bytes)
    };
    "ssl_fc_session_id" "ssl_bc_session_id" Bin need_hellos |facts| Some(bytes(&facts.session_id));
    "ssl_fc_session_key" "ssl_bc_session_key" Bin need_master |facts| {
        facts.secret(SecretLabel::Master).map(bytes)
    };
    "ssl_fc_sni" "ssl_bc_sni" Str need_hellos |facts| {
        facts.greeting.as_ref()?.server_name.as_deref().map(Sample::text)
    };
    "ssl_fc_unique_id" "ssl_bc_unique_id" Bin need_unique |facts| facts.unique.as_deref().map(bytes);
    "ssl_fc_use_keysize" "ssl_bc_use_keysize" Int need_facts key_bits;
};

/// A secret of both sides, in hexadecimal.
macro_rules! secrets {
    ($($front:literal $back:literal $label:ident;)*) => {
        &[$(
            row!($front, Str, SESSION, Request, need_secrets, |facts| hexadecimal(facts, SecretLabel::$label)),
            row!($back, Str, SESSION, Response, need_secrets, |facts| hexadecimal(facts, SecretLabel::$label)),
        )*]
    };
}

/// What key logs are made of (`tune.ssl.keylog`).
pub(super) const SECRETS: &[Fetch] = secrets! {
    "ssl_fc_client_early_traffic_secret" "ssl_bc_client_early_traffic_secret" ClientEarlyTraffic;
    "ssl_fc_client_handshake_traffic_secret" "ssl_bc_client_handshake_traffic_secret" ClientHandshakeTraffic;
    "ssl_fc_client_traffic_secret_0" "ssl_bc_client_traffic_secret_0" ClientTraffic;
    "ssl_fc_early_exporter_secret" "ssl_bc_early_exporter_secret" EarlyExporter;
    "ssl_fc_exporter_secret" "ssl_bc_exporter_secret" Exporter;
    "ssl_fc_server_handshake_traffic_secret" "ssl_bc_server_handshake_traffic_secret" ServerHandshakeTraffic;
    "ssl_fc_server_traffic_secret_0" "ssl_bc_server_traffic_secret_0" ServerTraffic;
};

/// What is asked of one side only, and whether there is TLS at all.
pub(super) const OTHERS: &[Fetch] = &[
    Fetch::new(
        "ssl_bc",
        "",
        Bool,
        SERVER,
        Run::Call(|_, ctx| is_tls(ctx, Side::Response)),
    ),
    Fetch::new(
        "ssl_fc",
        "",
        Bool,
        SESSION,
        Run::Call(|_, ctx| is_tls(ctx, Side::Request)),
    ),
    row!("ssl_fc_crtname", Str, SESSION, Request, need_own, |facts| {
        facts
            .own_name
            .as_deref()
            .map(|name| Sample::text(name.as_bytes()))
    }),
    row!(
        "ssl_fc_early_rcvd",
        Bool,
        SESSION,
        Request,
        need_facts,
        |facts| Some(Sample::Bool(facts.early))
    ),
    row!(
        "ssl_fc_has_crt",
        Bool,
        SESSION,
        Request,
        need_peer,
        |facts| { Some(Sample::Bool(!facts.peer.is_empty() && !facts.resumed)) }
    ),
    Fetch::new(
        "ssl_fc_has_early",
        "",
        Bool,
        SESSION,
        Run::Call(|_, ctx| {
            let tls = ctx.tls(Side::Request);
            Fetched::settled(tls.map(|_| Sample::Bool(ctx.flows_early())))
        }),
    )
    .preparing(need_facts),
    row!(
        "ssl_bc_is_resumed",
        Bool,
        SERVER,
        Response,
        need_facts,
        |facts| Some(Sample::Bool(facts.resumed))
    ),
    Fetch::new(
        "ssl_fc_has_sni",
        "",
        Bool,
        SESSION,
        Run::Call(|_, ctx| {
            of_client(ctx, |facts| {
                facts.greeting.as_ref()?.server_name.as_ref().map(|_| ())
            })
        }),
    )
    .preparing(need_hellos),
    Fetch::new(
        "ssl_fc_is_resumed",
        "",
        Bool,
        SESSION,
        Run::Call(|_, ctx| of_client(ctx, |facts| facts.resumed.then_some(()))),
    )
    .preparing(need_facts),
];

const FACTS: TlsNeeds = TlsNeeds {
    facts: true,
    peer: false,
    root: false,
    own: false,
    hellos: false,
    secrets: false,
    master: false,
    unique: false,
};

fn need_facts(_args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    env.names.tls.add(FACTS);
    Ok(())
}

pub(super) fn need_peer(_args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    env.names.tls.add(TlsNeeds {
        peer: true,
        ..FACTS
    });
    Ok(())
}

pub(super) fn need_root(_args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    env.names.tls.add(TlsNeeds {
        peer: true,
        root: true,
        ..FACTS
    });
    Ok(())
}

pub(super) fn need_own(_args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    env.names.tls.add(TlsNeeds { own: true, ..FACTS });
    Ok(())
}

pub(super) fn need_hellos(_args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    env.names.tls.add(TlsNeeds {
        hellos: true,
        ..FACTS
    });
    Ok(())
}

fn need_secrets(_args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    env.names.tls.add(TlsNeeds {
        secrets: true,
        ..FACTS
    });
    Ok(())
}

fn need_master(_args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    env.names.tls.add(TlsNeeds {
        master: true,
        ..FACTS
    });
    Ok(())
}

fn need_unique(_args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    env.names.tls.add(TlsNeeds {
        unique: true,
        ..FACTS
    });
    Ok(())
}

fn of_facts(ctx: &dyn Context, side: Side, read: Read) -> Fetched<'_> {
    Fetched::settled(ctx.tls(side).and_then(read))
}

/// Whether something holds of the client's TLS; without TLS it does not.
fn of_client(ctx: &dyn Context, holds: fn(&TlsFacts) -> Option<()>) -> Fetched<'_> {
    let found = ctx.tls(Side::Request).and_then(holds);
    Fetched::known(Sample::Bool(found.is_some()))
}

fn is_tls(ctx: &dyn Context, side: Side) -> Fetched<'_> {
    Fetched::settled(ctx.speaks_tls(side).map(Sample::Bool))
}

const fn name(text: &'static str) -> Sample<'static> {
    Sample::text(text.as_bytes())
}

pub(super) const fn bytes(bytes: &[u8]) -> Sample<'_> {
    Sample::Bin(std::borrow::Cow::Borrowed(bytes))
}

fn key_bits(facts: &TlsFacts) -> Option<Sample<'_>> {
    facts.key_bits().map(|bits| Sample::Int(bits.into()))
}

fn client_random(facts: &TlsFacts) -> Option<Sample<'_>> {
    facts
        .greeting
        .as_ref()
        .map(|greeting| bytes(&greeting.random))
}

fn error(facts: &TlsFacts) -> Option<Sample<'_>> {
    let code = facts.failure.as_ref().map_or(0, |failure| failure.code);
    Some(Sample::Int(code.into()))
}

fn error_text(facts: &TlsFacts) -> Option<Sample<'_>> {
    let failure = facts.failure.as_ref()?;
    Some(Sample::text(failure.text.as_bytes()))
}

fn hexadecimal(facts: &TlsFacts, label: SecretLabel) -> Option<Sample<'_>> {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in facts.secret(label)? {
        write!(text, "{byte:02x}").ok()?;
    }
    Some(Sample::owned_text(text.into_bytes()))
}
