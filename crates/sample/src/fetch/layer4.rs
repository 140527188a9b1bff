//! Fetches about the connections (manual, section 7.3.3).

use super::{CLIENT, FRONTEND, SERVER, SESSION};
use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::{Context, Side};
use crate::expression::Fetched;
use crate::facts::{End, Number, TcpInfo, Text};
use crate::kind::Kind::{Addr, Bin, Bool, Int, Str};
use crate::registry::{Fetch, Run};
use crate::value::Sample;

pub(super) const FETCHES: &[Fetch] = &[
    Fetch::new("bc_dst", "", Addr, SERVER, Run::Ip(End::ServerDst)),
    Fetch::new("bc_dst_port", "", Int, SERVER, Run::Port(End::ServerDst)),
    Fetch::new("bc_err", "", Int, SERVER, Run::Number(Number::ServerError)),
    Fetch::new(
        "bc_err_name",
        "",
        Str,
        SERVER,
        Run::Text(Text::ServerErrorName),
    ),
    Fetch::new(
        "bc_err_str",
        "",
        Str,
        SERVER,
        Run::Text(Text::ServerErrorText),
    ),
    Fetch::new(
        "bc_reused",
        "",
        Bool,
        SERVER,
        Run::Flag(Number::ServerConnectionReused),
    ),
    Fetch::new("bc_rtt", "[string]", Int, CLIENT, Run::Call(bc_rtt)).preparing(prepare_unit),
    Fetch::new("bc_rttvar", "[string]", Int, CLIENT, Run::Call(bc_rttvar)).preparing(prepare_unit),
    Fetch::new("bc_src", "", Addr, SERVER, Run::Ip(End::ServerSrc)),
    Fetch::new("bc_src_port", "", Int, SERVER, Run::Port(End::ServerSrc)),
    Fetch::new("dst", "", Addr, CLIENT, Run::Ip(End::Dst)),
    Fetch::new(
        "dst_conn",
        "",
        Int,
        FRONTEND,
        Run::Number(Number::ListenerConnections),
    ),
    Fetch::new(
        "dst_is_local",
        "",
        Bool,
        CLIENT,
        Run::Flag(Number::DstIsLocal),
    ),
    Fetch::new("dst_netns", "", Str, SERVER, Run::Text(Text::DstNetns)),
    Fetch::new("dst_port", "", Int, CLIENT, Run::Port(End::Dst)),
    Fetch::new("fc_dst", "", Addr, CLIENT, Run::Ip(End::ClientDst)),
    Fetch::new(
        "fc_dst_is_local",
        "",
        Bool,
        CLIENT,
        Run::Flag(Number::ClientDstIsLocal),
    ),
    Fetch::new("fc_dst_port", "", Int, CLIENT, Run::Port(End::ClientDst)),
    Fetch::new("fc_err", "", Int, CLIENT, Run::Number(Number::ClientError)),
    Fetch::new(
        "fc_err_name",
        "",
        Str,
        CLIENT,
        Run::Text(Text::ClientErrorName),
    ),
    Fetch::new(
        "fc_err_str",
        "",
        Str,
        CLIENT,
        Run::Text(Text::ClientErrorText),
    ),
    Fetch::new("fc_fackets", "[string]", Int, CLIENT, Run::Call(fc_fackets)),
    Fetch::new("fc_lost", "[string]", Int, CLIENT, Run::Call(fc_lost)),
    Fetch::new(
        "fc_pp_authority",
        "",
        Str,
        CLIENT,
        Run::Text(Text::PpAuthority),
    ),
    Fetch::new("fc_pp_tlv", "string", Str, SESSION, Run::Call(fc_pp_tlv)).preparing(prepare_tlv),
    Fetch::new(
        "fc_pp_unique_id",
        "",
        Str,
        CLIENT,
        Run::Text(Text::PpUniqueId),
    ),
    Fetch::new(
        "fc_rcvd_proxy",
        "",
        Bool,
        CLIENT,
        Run::Flag(Number::ReceivedProxy),
    ),
    Fetch::new(
        "fc_reordering",
        "[string]",
        Int,
        CLIENT,
        Run::Call(fc_reordering),
    ),
    Fetch::new("fc_retrans", "[string]", Int, CLIENT, Run::Call(fc_retrans)),
    Fetch::new("fc_rtt", "[string]", Int, CLIENT, Run::Call(fc_rtt)).preparing(prepare_unit),
    Fetch::new("fc_rttvar", "[string]", Int, CLIENT, Run::Call(fc_rttvar)).preparing(prepare_unit),
    Fetch::new("fc_sacked", "[string]", Int, CLIENT, Run::Call(fc_sacked)),
    Fetch::new("fc_saved_syn", "", Bin, CLIENT, Run::Call(fc_saved_syn)),
    Fetch::new("fc_src", "", Addr, CLIENT, Run::Ip(End::ClientSrc)),
    Fetch::new(
        "fc_src_is_local",
        "",
        Bool,
        CLIENT,
        Run::Flag(Number::ClientSrcIsLocal),
    ),
    Fetch::new("fc_src_port", "", Int, CLIENT, Run::Port(End::ClientSrc)),
    Fetch::new("fc_unacked", "[string]", Int, CLIENT, Run::Call(fc_unacked)),
    Fetch::new("so_id", "", Int, FRONTEND, Run::Number(Number::ListenerId)),
    Fetch::new("so_name", "", Str, FRONTEND, Run::Text(Text::ListenerName)),
    Fetch::new("src", "", Addr, CLIENT, Run::Ip(End::Src)),
    Fetch::new(
        "src_is_local",
        "",
        Bool,
        CLIENT,
        Run::Flag(Number::SrcIsLocal),
    ),
    Fetch::new("src_netns", "", Str, CLIENT, Run::Text(Text::SrcNetns)),
    Fetch::new("src_port", "", Int, CLIENT, Run::Port(End::Src)),
];

/// Units in which round-trip times are asked for: what microseconds are divided by.
fn prepare_unit(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let divisor = match args.text(0) {
        None | Some(b"ms") => 1000,
        Some(b"us") => 1,
        Some(_) => return Err("the unit is 'us' or 'ms'".into()),
    };
    args.set(0, ArgValue::Int(divisor));
    Ok(())
}

fn tcp_info(ctx: &dyn Context, side: Side, fact: TcpInfo, divisor: Option<i64>) -> Fetched<'_> {
    let value = ctx.tcp_info(side, fact);
    Fetched::settled(value.map(|value| Sample::Int(value / divisor.unwrap_or(1).max(1))))
}

fn fc_rtt<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    tcp_info(ctx, Side::Request, TcpInfo::Rtt, args.int(0))
}

fn fc_rttvar<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    tcp_info(ctx, Side::Request, TcpInfo::RttVariance, args.int(0))
}

fn bc_rtt<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    tcp_info(ctx, Side::Response, TcpInfo::Rtt, args.int(0))
}

fn bc_rttvar<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    tcp_info(ctx, Side::Response, TcpInfo::RttVariance, args.int(0))
}

fn fc_fackets<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    tcp_info(ctx, Side::Request, TcpInfo::ForwardAcked, None)
}

fn fc_lost<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    tcp_info(ctx, Side::Request, TcpInfo::Lost, None)
}

fn fc_reordering<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    tcp_info(ctx, Side::Request, TcpInfo::Reordering, None)
}

fn fc_retrans<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    tcp_info(ctx, Side::Request, TcpInfo::Retransmitted, None)
}

fn fc_sacked<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    tcp_info(ctx, Side::Request, TcpInfo::Sacked, None)
}

fn fc_unacked<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    tcp_info(ctx, Side::Request, TcpInfo::Unacked, None)
}

fn fc_saved_syn<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    Fetched::settled(ctx.text(Text::SavedSyn).map(Sample::Bin))
}

/// TLV types by the names that the PROXY protocol gives them, or as a number.
fn prepare_tlv(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let kind = match args.get(0) {
        ArgValue::Int(value) => u8::try_from(*value).ok(),
        ArgValue::Str(name) => match &**name {
            b"ALPN" => Some(0x01),
            b"AUTHORITY" => Some(0x02),
            b"CRC32C" => Some(0x03),
            b"NOOP" => Some(0x04),
            b"UNIQUE_ID" => Some(0x05),
            b"SSL" => Some(0x20),
            b"NETNS" => Some(0x30),
            other => tlv_number(other),
        },
        _ => None,
    };
    let kind = kind.ok_or("a TLV type is a name of the PROXY protocol or a number 0..255")?;
    args.set(0, ArgValue::Int(i64::from(kind)));
    Ok(())
}

fn tlv_number(text: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(text).ok()?;
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u8::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn fc_pp_tlv<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let kind = args.int(0).and_then(|kind| u8::try_from(kind).ok());
    Fetched::settled(kind.and_then(|kind| ctx.pp_tlv(kind)).map(Sample::Str))
}
