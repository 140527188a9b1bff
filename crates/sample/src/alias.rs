//! The aliases of log formats (manual, section 8.2.6): what each one writes.

mod exchange;
mod value;

use std::net::IpAddr;

use isthmus_pattern::write_ip;

use self::exchange::{Part, write_capture_list, write_captures, write_part};
use crate::cast::write_int;
use crate::context::{Context, Side};
use crate::date::{with_millis, with_zone};
use crate::facts::{BackendNumber, End, FrontendNumber, Number, ServerNumber, Text};
use crate::fetch::request_total;
use crate::format::{Flags, Output};
use crate::tls::TlsFacts;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Alias {
    name: &'static str,
    /// Whether it is known only after the session began, so that a line with it waits for that.
    late: bool,
    source: Source,
}

/// Where an alias's value comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// Nothing: flags of `%o` are the parser's business.
    Nothing,
    Text(Text),
    /// A text with a word where there is none.
    TextOr(Text, &'static str),
    Ip(End),
    Port(End),
    Number(Number),
    Frontend(FrontendNumber),
    Backend(BackendNumber),
    Server(ServerNumber),
    /// A function that writes.
    Call(fn(&dyn Context, Flags, &mut Vec<u8>)),
    /// A function that writes a number.
    Count(fn(&dyn Context, Flags, &mut Vec<u8>)),
    /// A name of the client's TLS.
    Tls(fn(&TlsFacts) -> Option<&'static str>),
    /// A part of the request line.
    Request(Part),
    /// What was captured from a side, as one text.
    Captures(Side),
    /// What was captured from a side, one by one.
    CaptureList(Side),
    /// A number that the flag X writes in hexadecimal.
    Hex(Number),
}

const fn now(name: &'static str, source: Source) -> Alias {
    Alias {
        name,
        late: false,
        source,
    }
}

const fn late(name: &'static str, source: Source) -> Alias {
    Alias {
        name,
        late: true,
        source,
    }
}

const ALIASES: &[Alias] = &[
    late("B", Source::Number(Number::BytesOut)),
    late("CC", Source::Text(Text::RequestCookie)),
    late("CS", Source::Text(Text::ResponseCookie)),
    now("H", Source::Text(Text::Hostname)),
    late("HM", Source::Request(exchange::method)),
    late("HP", Source::Request(exchange::target_without_query)),
    late("HPO", Source::Request(exchange::path_only)),
    late("HQ", Source::Request(exchange::query)),
    late("HU", Source::Request(exchange::target)),
    late("HV", Source::Request(exchange::version)),
    now("ID", Source::Text(Text::UniqueId)),
    late("ST", Source::Number(Number::Status)),
    now("T", Source::Call(accept_utc)),
    late("Ta", Source::Number(Number::TimeActive)),
    late("Tc", Source::Number(Number::TimeConnect)),
    late("Td", Source::Number(Number::TimeData)),
    now("Th", Source::Number(Number::TimeHandshake)),
    late("Ti", Source::Number(Number::TimeIdle)),
    now("Tl", Source::Call(accept_local)),
    late("TR", Source::Number(Number::TimeRequest)),
    late("Tq", Source::Count(time_tq)),
    late("Tr", Source::Number(Number::TimeResponse)),
    now("Ts", Source::Count(accept_seconds)),
    late("Tt", Source::Number(Number::TimeTotal)),
    late("Tu", Source::Number(Number::TimeUser)),
    late("Tw", Source::Number(Number::TimeQueue)),
    late("U", Source::Number(Number::BytesIn)),
    now("OG", Source::Text(Text::LogOrigin)),
    now("ac", Source::Number(Number::ActiveConnections)),
    now("b", Source::Text(Text::BackendName)),
    now("bc", Source::Backend(BackendNumber::Connections)),
    late("bi", Source::Ip(End::ServerSrc)),
    late("bp", Source::Port(End::ServerSrc)),
    now("bq", Source::Number(Number::BackendQueuePosition)),
    now("ci", Source::Ip(End::Src)),
    now("cp", Source::Port(End::Src)),
    now("f", Source::Text(Text::FrontendName)),
    now("fc", Source::Frontend(FrontendNumber::Connections)),
    now("fi", Source::Ip(End::Dst)),
    now("fp", Source::Port(End::Dst)),
    now("ft", Source::Call(frontend_and_transport)),
    late("hr", Source::Captures(Side::Request)),
    late("hrl", Source::CaptureList(Side::Request)),
    late("hs", Source::Captures(Side::Response)),
    late("hsl", Source::CaptureList(Side::Response)),
    now("lc", Source::Hex(Number::LogNumber)),
    now("ms", Source::Count(accept_millis)),
    now("o", Source::Nothing),
    now("pid", Source::Hex(Number::Pid)),
    late("r", Source::Request(exchange::whole_line)),
    late("rc", Source::Count(retries)),
    now("rt", Source::Hex(Number::SessionNumber)),
    late("s", Source::TextOr(Text::ServerName, "<NOSRV>")),
    late("sc", Source::Server(ServerNumber::Connections)),
    late("si", Source::Ip(End::ServerDst)),
    late("sp", Source::Port(End::ServerDst)),
    late("sq", Source::Number(Number::ServerQueuePosition)),
    now("t", Source::Call(accept_date)),
    late("tr", Source::Call(request_date)),
    late("trg", Source::Call(request_utc)),
    late("trl", Source::Call(request_local)),
    now("sslc", Source::Tls(TlsFacts::cipher)),
    now("sslv", Source::Tls(TlsFacts::version_name)),
    late("ts", Source::Call(termination_state)),
    late("tsc", Source::Call(termination_state_cookie)),
];

/// The names of the aliases, and whether a line with them waits for more than the accept.
pub fn aliases() -> impl Iterator<Item = (&'static str, bool)> {
    ALIASES.iter().map(|alias| (alias.name, alias.late))
}

/// The alias of a name without `%`.
pub(crate) fn find_alias(name: &str) -> Option<&'static Alias> {
    ALIASES.iter().find(|alias| alias.name == name)
}

impl Alias {
    /// Whether it asks for what is known of the client's TLS.
    pub(crate) const fn asks_tls(&self) -> bool {
        matches!(self.source, Source::Tls(_))
    }

    /// Writes what it stands for.
    pub(crate) fn write(&self, ctx: &dyn Context, flags: Flags, out: &mut Output<'_>) {
        let number = match self.source {
            Source::Nothing => return,
            Source::Text(text) => return out.text(ctx.text(text).as_deref(), flags),
            Source::TextOr(text, word) => {
                let found = ctx.text(text);
                return out.text(Some(found.as_deref().unwrap_or(word.as_bytes())), flags);
            }
            Source::Ip(end) => {
                let mut text = Vec::new();
                if let Some(at) = ctx.endpoint(end) {
                    write_address(at.ip(), flags, &mut text);
                } else if ctx.unix_port(end).is_some() {
                    text.extend_from_slice(b"unix");
                }
                return out.text(Some(&text), flags);
            }
            Source::Tls(name) => {
                let name = ctx.tls(Side::Request).and_then(name);
                return out.text(Some(name.unwrap_or("-").as_bytes()), flags);
            }
            Source::Request(part) => return write_part(part, ctx, flags, out),
            Source::Captures(side) => return write_captures(side, ctx, flags, out),
            Source::CaptureList(side) => return write_capture_list(side, ctx, flags, out),
            Source::Call(function) | Source::Count(function) => {
                return function(ctx, flags, out.bytes);
            }
            Source::Port(end) => match port(ctx, end) {
                Some(port) => return write_hex(port, flags, out.bytes),
                None => return out.text(None, flags),
            },
            Source::Hex(fact) => {
                return write_hex(ctx.number(fact).unwrap_or(0), flags, out.bytes);
            }
            Source::Number(fact) => ctx.number(fact),
            Source::Frontend(fact) => ctx.frontend_number(None, fact),
            Source::Backend(fact) => ctx.backend_number(None, fact),
            Source::Server(fact) => ctx.server_number(None, fact),
        };
        if self.grows() && ctx.number(Number::Unfinished) == Some(1) {
            out.bytes.push(b'+');
        }
        write_int(number.unwrap_or(0), out.bytes);
    }

    /// Whether the number goes on growing until the session's end (manual, `option logasap`).
    const fn grows(&self) -> bool {
        matches!(
            self.source,
            Source::Number(Number::TimeTotal | Number::TimeActive | Number::BytesOut)
        )
    }
}

/// The port of an end, or the number that stands for a unix socket.
fn port(ctx: &dyn Context, end: End) -> Option<i64> {
    let inet = ctx.endpoint(end).map(|at| at.port().into());
    inet.or_else(|| ctx.unix_port(end))
}

fn write_address(ip: IpAddr, flags: Flags, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V4(ip) if flags.hex => isthmus_pattern::to_hex(&ip.octets(), out),
        IpAddr::V6(ip) if flags.hex => isthmus_pattern::to_hex(&ip.octets(), out),
        ip => write_ip(ip, out),
    }
}

/// A number, in at least four hexadecimal digits with the flag X.
fn write_hex(value: i64, flags: Flags, out: &mut Vec<u8>) {
    if flags.hex {
        out.extend_from_slice(format!("{value:04X}").as_bytes());
    } else {
        write_int(value, out);
    }
}

/// Seconds and microseconds of a moment.
fn split(at: i64) -> (i64, i64) {
    (at.div_euclid(1_000_000), at.rem_euclid(1_000_000))
}

fn utc(at: Option<i64>, out: &mut Vec<u8>) {
    out.extend_from_slice(with_zone(split(at.unwrap_or(0)).0, 0).as_bytes());
}

fn local(ctx: &dyn Context, at: Option<i64>, out: &mut Vec<u8>) {
    let (seconds, _) = split(at.unwrap_or(0));
    let offset = ctx.utc_offset(seconds);
    out.extend_from_slice(with_zone(seconds + i64::from(offset), offset).as_bytes());
}

fn dated(ctx: &dyn Context, at: Option<i64>, out: &mut Vec<u8>) {
    let (seconds, micros) = split(at.unwrap_or(0));
    let offset = i64::from(ctx.utc_offset(seconds));
    out.extend_from_slice(with_millis(seconds + offset, micros / 1000).as_bytes());
}

/// The frontend's name, behind it a `~` where clients speak TLS.
fn frontend_and_transport(ctx: &dyn Context, flags: Flags, out: &mut Vec<u8>) {
    let mut name = ctx
        .text(Text::FrontendName)
        .unwrap_or_default()
        .into_owned();
    if ctx.speaks_tls(Side::Request) == Some(true) {
        name.push(b'~');
    }
    let printable = true;
    Output {
        bytes: out,
        printable,
    }
    .text(Some(&name), flags);
}

/// The termination state with the two letters that tell of the persistence cookie.
fn termination_state_cookie(ctx: &dyn Context, flags: Flags, out: &mut Vec<u8>) {
    termination_state(ctx, flags, out);
    out.extend_from_slice(ctx.text(Text::CookieState).as_deref().unwrap_or(b"--"));
}

fn accept_utc(ctx: &dyn Context, _flags: Flags, out: &mut Vec<u8>) {
    utc(ctx.number(Number::AcceptDate), out);
}

fn accept_local(ctx: &dyn Context, _flags: Flags, out: &mut Vec<u8>) {
    local(ctx, ctx.number(Number::AcceptDate), out);
}

fn accept_date(ctx: &dyn Context, _flags: Flags, out: &mut Vec<u8>) {
    dated(ctx, ctx.number(Number::AcceptDate), out);
}

fn request_utc(ctx: &dyn Context, _flags: Flags, out: &mut Vec<u8>) {
    utc(ctx.number(Number::RequestDate), out);
}

fn request_local(ctx: &dyn Context, _flags: Flags, out: &mut Vec<u8>) {
    local(ctx, ctx.number(Number::RequestDate), out);
}

fn request_date(ctx: &dyn Context, _flags: Flags, out: &mut Vec<u8>) {
    dated(ctx, ctx.number(Number::RequestDate), out);
}

fn accept_seconds(ctx: &dyn Context, flags: Flags, out: &mut Vec<u8>) {
    write_hex(
        split(ctx.number(Number::AcceptDate).unwrap_or(0)).0,
        flags,
        out,
    );
}

fn accept_millis(ctx: &dyn Context, flags: Flags, out: &mut Vec<u8>) {
    let millis = split(ctx.number(Number::AcceptDate).unwrap_or(0)).1 / 1000;
    let text = if flags.hex {
        format!("{millis:02X}")
    } else {
        format!("{millis:03}")
    };
    out.extend_from_slice(text.as_bytes());
}

fn time_tq(ctx: &dyn Context, _flags: Flags, out: &mut Vec<u8>) {
    write_int(request_total(ctx).unwrap_or(-1), out);
}

/// The number of retries, behind a `+` when the session was redispatched.
fn retries(ctx: &dyn Context, _flags: Flags, out: &mut Vec<u8>) {
    if ctx.number(Number::Redispatched).unwrap_or(0) != 0 {
        out.push(b'+');
    }
    write_int(ctx.number(Number::Retries).unwrap_or(0), out);
}

/// The two letters, never between quotes.
fn termination_state(ctx: &dyn Context, _flags: Flags, out: &mut Vec<u8>) {
    out.extend_from_slice(ctx.text(Text::TerminationState).as_deref().unwrap_or(b"--"));
}
