//! table: converters that look a sample up in a stick table (manual, section 7.3.1). None of them keeps the
//! entry from expiring.

use std::sync::Arc;

use isthmus_table::{Data, Entry, Table};

use crate::args::Args;
use crate::context::Context;
use crate::kind::Kind;
use crate::registry::Converter;
use crate::table::Reading::{
    ClrGpc, ClrGpcAt, Gpc, GpcAt, GpcRate, GpcRateAt, Gpt0, GptAt, IncGpc, IncGpcAt, Kilobytes,
    Number, Trackers,
};
use crate::table::{convert, table_key, table_of};
use crate::value::Sample;

macro_rules! rows {
    ($($name:literal $signature:literal $reading:expr;)*) => {
        &[$(
            Converter::new($name, $signature, Kind::Any, Kind::Int,
                |sample, args, ctx| convert($reading, sample, args, ctx)),
        )*]
    };
}

pub(super) const CONVERTERS: &[Converter] = rows! {
    "table_bytes_in_rate" "table" Number(Data::BytesInRate);
    "table_bytes_out_rate" "table" Number(Data::BytesOutRate);
    "table_clr_gpc" "integer,table" ClrGpcAt;
    "table_clr_gpc0" "table" ClrGpc(0);
    "table_clr_gpc1" "table" ClrGpc(1);
    "table_conn_cnt" "table" Number(Data::ConnCnt);
    "table_conn_cur" "table" Number(Data::ConnCur);
    "table_conn_rate" "table" Number(Data::ConnRate);
    "table_glitch_cnt" "table" Number(Data::GlitchCnt);
    "table_glitch_rate" "table" Number(Data::GlitchRate);
    "table_gpc" "integer,table" GpcAt;
    "table_gpc0" "table" Gpc(0);
    "table_gpc0_rate" "table" GpcRate(0);
    "table_gpc1" "table" Gpc(1);
    "table_gpc1_rate" "table" GpcRate(1);
    "table_gpc_rate" "integer,table" GpcRateAt;
    "table_gpt" "integer,table" GptAt;
    "table_gpt0" "table" Gpt0;
    "table_http_err_cnt" "table" Number(Data::HttpErrCnt);
    "table_http_err_rate" "table" Number(Data::HttpErrRate);
    "table_http_fail_cnt" "table" Number(Data::HttpFailCnt);
    "table_http_fail_rate" "table" Number(Data::HttpFailRate);
    "table_http_req_cnt" "table" Number(Data::HttpReqCnt);
    "table_http_req_rate" "table" Number(Data::HttpReqRate);
    "table_inc_gpc" "integer,table" IncGpcAt;
    "table_inc_gpc0" "table" IncGpc(0);
    "table_inc_gpc1" "table" IncGpc(1);
    "table_kbytes_in" "table" Kilobytes(Data::BytesInCnt);
    "table_kbytes_out" "table" Kilobytes(Data::BytesOutCnt);
    "table_server_id" "table" Number(Data::ServerId);
    "table_sess_cnt" "table" Number(Data::SessCnt);
    "table_sess_rate" "table" Number(Data::SessRate);
    "table_trackers" "table" Trackers;
};

/// Those that give something else than a number of the entry.
pub(super) const OTHERS: &[Converter] = &[
    Converter::new("in_table", "table", Kind::Any, Kind::Bool, in_table),
    Converter::new(
        "table_expire",
        "table[,integer]",
        Kind::Any,
        Kind::Int,
        |sample, args, ctx| time(sample, args, ctx, Table::remaining),
    ),
    Converter::new(
        "table_idle",
        "table[,integer]",
        Kind::Any,
        Kind::Int,
        |sample, args, ctx| time(sample, args, ctx, |_, entry, now| Some(entry.idle(now))),
    ),
];

fn find<'a>(
    sample: Sample<'a>,
    args: &'a Args,
    ctx: &'a dyn Context,
) -> Option<(&'a Arc<Table>, Option<Arc<Entry>>)> {
    let table = table_of(args, 0)?;
    let key = table_key(table, sample, ctx)?;
    Some((table, table.find(&key, ctx.now_ms())))
}

fn in_table<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let (_, entry) = find(sample, args, ctx)?;
    Some(Sample::Bool(entry.is_some()))
}

/// A time of the entry in milliseconds, else the second argument.
fn time<'a>(
    sample: Sample<'a>,
    args: &'a Args,
    ctx: &'a dyn Context,
    read: fn(&Table, &Entry, u64) -> Option<u64>,
) -> Option<Sample<'a>> {
    let (table, entry) = find(sample, args, ctx)?;
    match entry {
        // Where nothing expires, HAProxy says 0.
        Some(entry) => {
            let time = read(table, &entry, ctx.now_ms()).unwrap_or(0);
            i64::try_from(time).ok().map(Sample::Int)
        }
        None => args.int(1).map(Sample::Int),
    }
}
