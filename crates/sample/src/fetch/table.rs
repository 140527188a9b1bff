//! table: fetches about stick tables (manual, section 7.3.3): `sc_`, `sc0_`, `sc1_`, `sc2_` and `src_`.

use isthmus_table::Data;

use super::{CLIENT, EXCEPT_CONFIG};
use crate::args::Args;
use crate::context::Context;
use crate::expression::Fetched;
use crate::kind::Kind::{Any, Bool, Int};
use crate::registry::{Fetch, Run};
use crate::table::Reading::{
    ClrGpc, ClrGpcAt, Connect, Gpc, GpcAt, GpcRate, GpcRateAt, Gpt0, GptAt, IncGpc, IncGpcAt, Key,
    Kilobytes, Number, Tracked, Trackers,
};
use crate::table::{Whose, table_of};
use crate::value::Sample;

/// The rows of a name for tracked counters, and for the client's address.
macro_rules! rows {
    ($($name:literal, $reading:expr;)*) => {
        &[$(
            Fetch::new(concat!("sc_", $name), "integer[,table]", Int, EXCEPT_CONFIG,
                Run::Table(Whose::Counter, $reading)),
            Fetch::new(concat!("sc0_", $name), "[table]", Int, EXCEPT_CONFIG,
                Run::Table(Whose::Fixed(0), $reading)),
            Fetch::new(concat!("sc1_", $name), "[table]", Int, EXCEPT_CONFIG,
                Run::Table(Whose::Fixed(1), $reading)),
            Fetch::new(concat!("sc2_", $name), "[table]", Int, EXCEPT_CONFIG,
                Run::Table(Whose::Fixed(2), $reading)),
            Fetch::new(concat!("src_", $name), "table", Int, CLIENT,
                Run::Table(Whose::Source, $reading)),
        )*]
    };
}

/// What is read of tracked entries and of the client's.
pub(super) const BOTH: &[Fetch] = rows! {
    "bytes_in_rate", Number(Data::BytesInRate);
    "bytes_out_rate", Number(Data::BytesOutRate);
    "clr_gpc0", ClrGpc(0);
    "clr_gpc1", ClrGpc(1);
    "conn_cnt", Number(Data::ConnCnt);
    "conn_cur", Number(Data::ConnCur);
    "conn_rate", Number(Data::ConnRate);
    "get_gpc0", Gpc(0);
    "get_gpc1", Gpc(1);
    "get_gpt0", Gpt0;
    "glitch_cnt", Number(Data::GlitchCnt);
    "glitch_rate", Number(Data::GlitchRate);
    "gpc0_rate", GpcRate(0);
    "gpc1_rate", GpcRate(1);
    "http_err_cnt", Number(Data::HttpErrCnt);
    "http_err_rate", Number(Data::HttpErrRate);
    "http_fail_cnt", Number(Data::HttpFailCnt);
    "http_fail_rate", Number(Data::HttpFailRate);
    "http_req_cnt", Number(Data::HttpReqCnt);
    "http_req_rate", Number(Data::HttpReqRate);
    "inc_gpc0", IncGpc(0);
    "inc_gpc1", IncGpc(1);
    "sess_cnt", Number(Data::SessCnt);
    "sess_rate", Number(Data::SessRate);
};

const fn of(
    name: &'static str,
    signature: &'static str,
    whose: Whose,
    reading: crate::table::Reading,
) -> Fetch {
    let valid = match whose {
        Whose::Source => CLIENT,
        _ => EXCEPT_CONFIG,
    };
    Fetch::new(name, signature, Int, valid, Run::Table(whose, reading))
}

const fn bytes(name: &'static str, signature: &'static str, whose: Whose, data: Data) -> Fetch {
    Fetch::new(
        name,
        signature,
        Int,
        CLIENT,
        Run::Table(whose, Kilobytes(data)),
    )
}

const fn other(
    name: &'static str,
    signature: &'static str,
    output: crate::kind::Kind,
    whose: Whose,
    reading: crate::table::Reading,
) -> Fetch {
    Fetch::new(
        name,
        signature,
        output,
        EXCEPT_CONFIG,
        Run::Table(whose, reading),
    )
}

/// The others.
pub(super) const FETCHES: &[Fetch] = &[
    of(
        "sc_clr_gpc",
        "integer,integer[,table]",
        Whose::Counter,
        ClrGpcAt,
    ),
    of(
        "sc_get_gpc",
        "integer,integer[,table]",
        Whose::Counter,
        GpcAt,
    ),
    of(
        "sc_get_gpt",
        "integer,integer[,table]",
        Whose::Counter,
        GptAt,
    ),
    of(
        "sc_gpc_rate",
        "integer,integer[,table]",
        Whose::Counter,
        GpcRateAt,
    ),
    of(
        "sc_inc_gpc",
        "integer,integer[,table]",
        Whose::Counter,
        IncGpcAt,
    ),
    of("sc1_clr_gpc", "integer[,table]", Whose::Fixed(1), ClrGpcAt),
    of("src_clr_gpc", "integer,table", Whose::Source, ClrGpcAt),
    of("src_get_gpc", "integer,table", Whose::Source, GpcAt),
    of("src_get_gpt", "integer,table", Whose::Source, GptAt),
    of("src_gpc_rate", "integer,table", Whose::Source, GpcRateAt),
    of("src_inc_gpc", "integer,table", Whose::Source, IncGpcAt),
    of("src_updt_conn_cnt", "table", Whose::Source, Connect),
    bytes(
        "sc_kbytes_in",
        "integer[,table]",
        Whose::Counter,
        Data::BytesInCnt,
    ),
    bytes(
        "sc0_kbytes_in",
        "[table]",
        Whose::Fixed(0),
        Data::BytesInCnt,
    ),
    bytes(
        "sc1_kbytes_in",
        "[table]",
        Whose::Fixed(1),
        Data::BytesInCnt,
    ),
    bytes(
        "sc2_kbytes_in",
        "[table]",
        Whose::Fixed(2),
        Data::BytesInCnt,
    ),
    bytes("src_kbytes_in", "table", Whose::Source, Data::BytesInCnt),
    bytes(
        "sc_kbytes_out",
        "integer[,table]",
        Whose::Counter,
        Data::BytesOutCnt,
    ),
    bytes(
        "sc0_kbytes_out",
        "[table]",
        Whose::Fixed(0),
        Data::BytesOutCnt,
    ),
    bytes(
        "sc1_kbytes_out",
        "[table]",
        Whose::Fixed(1),
        Data::BytesOutCnt,
    ),
    bytes(
        "sc2_kbytes_out",
        "[table]",
        Whose::Fixed(2),
        Data::BytesOutCnt,
    ),
    bytes("src_kbytes_out", "table", Whose::Source, Data::BytesOutCnt),
    other("sc_key", "integer", Any, Whose::Counter, Key),
    other("sc0_key", "", Any, Whose::Fixed(0), Key),
    other("sc1_key", "", Any, Whose::Fixed(1), Key),
    other("sc2_key", "", Any, Whose::Fixed(2), Key),
    other(
        "sc_tracked",
        "integer[,table]",
        Bool,
        Whose::Counter,
        Tracked,
    ),
    other("sc0_tracked", "[table]", Bool, Whose::Fixed(0), Tracked),
    other("sc1_tracked", "[table]", Bool, Whose::Fixed(1), Tracked),
    other("sc2_tracked", "[table]", Bool, Whose::Fixed(2), Tracked),
    other(
        "sc_trackers",
        "integer[,table]",
        Int,
        Whose::Counter,
        Trackers,
    ),
    other("sc0_trackers", "[table]", Int, Whose::Fixed(0), Trackers),
    other("sc1_trackers", "[table]", Int, Whose::Fixed(1), Trackers),
    other("sc2_trackers", "[table]", Int, Whose::Fixed(2), Trackers),
    Fetch::new(
        "table_avl",
        "table",
        Int,
        EXCEPT_CONFIG,
        Run::Call(available),
    ),
    Fetch::new("table_cnt", "table", Int, EXCEPT_CONFIG, Run::Call(used)),
];

/// How many entries more the table has room for.
fn available<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let free = table_of(args, 0).map(|table| table.size().saturating_sub(table.used(ctx.now_ms())));
    count(free)
}

fn used<'a>(args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    count(table_of(args, 0).map(|table| table.used(ctx.now_ms())))
}

fn count<'a>(number: Option<usize>) -> Fetched<'a> {
    let number = number.and_then(|number| i64::try_from(number).ok());
    Fetched::settled(number.map(Sample::Int))
}
