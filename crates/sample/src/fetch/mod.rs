//! The fetches: tables of rows, and how a row finds its value.

mod constant;
mod distcc;
mod http_auth;
mod http_body;
mod http_cookie;
mod http_exchange;
mod http_field;
mod http_param;
mod http_target;
mod internal;
mod layer4;
mod layers;
mod message;
mod multiplexed;
mod payload;
mod proxy;
mod rdp;
mod session;
mod table;
mod tls_certificate;
mod tls_client;
mod tls_connection;
mod tls_hello;
mod variables;

pub(crate) use internal::unit;
pub(crate) use session::request_total;

use crate::args::{ArgValue, Args};
use crate::context::Context;
use crate::expression::Fetched;
use crate::kind::Validity;
use crate::registry::{Each, Fetch, Run, Visit};
use crate::value::Sample;

/// Every table, in the order in which `-dKall` and the vocabulary list them before sorting.
pub(crate) const TABLES: &[&[Fetch]] = &[
    constant::FETCHES,
    distcc::FETCHES,
    http_auth::FETCHES,
    http_body::FETCHES,
    http_cookie::FETCHES,
    http_exchange::FETCHES,
    http_field::FETCHES,
    http_param::FETCHES,
    http_target::FETCHES,
    internal::FETCHES,
    layer4::FETCHES,
    layers::FETCHES,
    multiplexed::FETCHES,
    payload::FETCHES,
    proxy::FETCHES,
    rdp::FETCHES,
    session::FETCHES,
    table::BOTH,
    table::FETCHES,
    tls_certificate::CLIENTS,
    tls_certificate::OTHERS,
    tls_certificate::OURS,
    tls_certificate::SERVERS,
    tls_client::FETCHES,
    tls_connection::FETCHES,
    tls_connection::OTHERS,
    tls_connection::SECRETS,
    tls_hello::FETCHES,
    variables::FETCHES,
];

/// Valid everywhere.
pub(crate) const EVERYWHERE: Validity = Validity::new("YYYYYYYYYYYYYYYYYYYYYY");
/// Wherever there is a client connection, and in health checks.
pub(crate) const CLIENT: Validity = Validity::new("YYYYYYYYYYYYYYYYYYYY..");
/// Wherever there is a frontend.
pub(crate) const FRONTEND: Validity = Validity::new("YYYYYYYYYYYYYYYYYYY...");
/// Everywhere but where the configuration is read.
pub(crate) const EXCEPT_CONFIG: Validity = Validity::new("YYYYYYYYYYYYYYYYYYYY.Y");
/// Wherever there is a session, from its own rules on.
pub(crate) const SESSION: Validity = Validity::new(".YYYYYYYYYYYYYYYYYY...");
/// Wherever there is a stream, from content rules to the log.
pub(crate) const STREAM: Validity = Validity::new("..YYYYYYYYYYYYYYYYY...");
/// While the request's bytes are at hand.
pub(crate) const REQUEST: Validity = Validity::new("..YYYYYYYYY...........");
/// While the response's bytes are at hand.
pub(crate) const RESPONSE: Validity = Validity::new("...........YYYYYYY.Y..");
/// While bytes of either side are at hand.
pub(crate) const EITHER: Validity = Validity::new("..YYYYYYYYYYYYYYYY.Y..");
/// From the choice of a server to the log.
pub(crate) const TRANSFER: Validity = Validity::new(".........YYYYYYYYYY...");
/// Once a server is chosen.
pub(crate) const CHOSEN: Validity = Validity::new("..........YYYYYYYYYY..");
/// Behind the choice of a backend.
pub(crate) const BACKEND: Validity = Validity::new("......YYYYYYYYYYYYYY..");
/// Once there is a connection to a server.
pub(crate) const SERVER: Validity = Validity::new("...........YYYYYYYYY..");

impl Run {
    /// Finds the value.
    pub(crate) fn eval<'a>(self, args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
        let int = |value: Option<i64>| Fetched::settled(value.map(Sample::Int));
        match self {
            Self::Call(function) => function(args, ctx),
            Self::Head(of, read) => message::read_head(of, read, args, ctx),
            Self::Number(fact) => int(ctx.number(fact)),
            Self::Flag(fact) => {
                Fetched::settled(ctx.number(fact).map(|value| Sample::Bool(value != 0)))
            }
            Self::Text(fact) => Fetched::settled(ctx.text(fact).map(Sample::Str)),
            Self::Ip(end) => Fetched::settled(ctx.endpoint(end).map(|at| Sample::from(at.ip()))),
            Self::Port(end) => int(ctx.endpoint(end).map(|at| i64::from(at.port()))),
            Self::Frontend(fact) => int(ctx.frontend_number(frontend(args), fact)),
            Self::Backend(fact) => int(ctx.backend_number(backend(args), fact)),
            Self::Table(whose, reading) => crate::table::fetch(whose, reading, args, ctx),
            Self::Server(fact) => int(ctx.server_number(server(args), fact)),
        }
    }
}

impl Each {
    /// Gives `visit` every value; whether more may come.
    pub(crate) fn eval<'a>(
        self,
        args: &'a Args,
        ctx: &'a dyn Context,
        visit: &mut Visit<'_, 'a>,
    ) -> bool {
        match self {
            Self::Call(function) => function(args, ctx, visit),
            Self::Head(of, function) => message::visit_head(of, function, args, ctx, visit),
        }
    }
}

fn frontend(args: &Args) -> Option<usize> {
    match args.get(0) {
        ArgValue::Frontend(index) => Some(*index),
        _ => None,
    }
}

/// The backend of the first argument; `None` is the session's own.
pub(crate) fn backend(args: &Args) -> Option<usize> {
    match args.get(0) {
        ArgValue::Backend(index) => Some(*index),
        _ => None,
    }
}

/// The server of the first argument; `None` is the session's own.
pub(crate) fn server(args: &Args) -> Option<(usize, usize)> {
    match args.get(0) {
        ArgValue::Server(backend, server) => Some((*backend, *server)),
        _ => None,
    }
}
