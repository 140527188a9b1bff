//! What expressions read of stick tables, and what they change there (manual, sections 7.3.1 and 7.3.3).

use std::sync::Arc;

use isthmus_table::{Cell, Data, Entry, Key, KeyType, Table, Value};

use crate::args::{ArgValue, Args};
use crate::cast::cast;
use crate::context::Context;
use crate::expression::Fetched;
use crate::facts::{End, Text};
use crate::kind::Kind;
use crate::value::Sample;

/// Whose entry is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// That of the counter whose number is an argument (`sc_...`).
    Counter,
    /// That of a counter (`sc0_...`).
    Fixed(usize),
    /// That of the client's address in a table (`src_...`).
    Source,
}

/// What is read of an entry, or done to it. Those with an index in their names take it from the first argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A number or a rate.
    Number(Data),
    /// Bytes, in KiB.
    Kilobytes(Data),
    Gpc(usize),
    GpcRate(usize),
    IncGpc(usize),
    ClrGpc(usize),
    GpcAt,
    GpcRateAt,
    IncGpcAt,
    ClrGpcAt,
    Gpt0,
    GptAt,
    /// How many track it.
    Trackers,
    /// Whether it is tracked.
    Tracked,
    /// Its key.
    Key,
    /// Counts a connection (`src_updt_conn_cnt`).
    Connect,
}

impl Reading {
    const fn has_index(self) -> bool {
        use Reading::{ClrGpcAt, GpcAt, GpcRateAt, GptAt, IncGpcAt};
        matches!(self, GpcAt | GpcRateAt | IncGpcAt | ClrGpcAt | GptAt)
    }

    /// Whether an entry is made where there is none.
    const fn changes(self) -> bool {
        use Reading::{ClrGpc, ClrGpcAt, Connect, IncGpc, IncGpcAt};
        matches!(self, ClrGpc(_) | ClrGpcAt | Connect | IncGpc(_) | IncGpcAt)
    }

    /// Where the number stands; `None` if the table does not store it.
    fn cell(self, table: &Table, index: usize) -> Option<Cell> {
        let layout = table.layout();
        match self {
            Self::Number(data) | Self::Kilobytes(data) => layout.cell(data, 0),
            Self::Gpc(at) | Self::ClrGpc(at) => layout.gpc(at),
            Self::IncGpc(at) => layout.gpc(at).or_else(|| layout.gpc_rate(at)),
            Self::GpcRate(at) => layout.gpc_rate(at),
            Self::GpcAt | Self::ClrGpcAt => layout.cell(Data::Gpc, index),
            Self::IncGpcAt => layout
                .cell(Data::Gpc, index)
                .or_else(|| layout.cell(Data::GpcRate, index)),
            Self::GpcRateAt => layout.cell(Data::GpcRate, index),
            Self::Gpt0 => layout.gpt0(),
            Self::GptAt => layout.cell(Data::Gpt, index),
            Self::Connect => layout.cell(Data::ConnCnt, 0),
            Self::Trackers | Self::Tracked | Self::Key => None,
        }
    }

    /// Reads it of an entry; 0 where there is none, and nothing where the table does not store it.
    fn of(self, table: &Table, entry: Option<&Entry>, index: usize, now: u64) -> Option<i64> {
        if self == Self::Trackers {
            return Some(entry.map_or(0, |entry| i64::from(entry.trackers())));
        }
        // As in HAProxy, an entry that is not there has 0 of whatever is asked for.
        let Some(entry) = entry else {
            return Some(0);
        };
        let cell = self.cell(table, index)?;
        let layout = table.layout();
        let found = match self {
            Self::Kilobytes(_) => entry.get(cell, now) >> 10,
            Self::IncGpc(at) => inc(entry, [layout.gpc(at), layout.gpc_rate(at)], now),
            Self::IncGpcAt => {
                let both = [Data::Gpc, Data::GpcRate].map(|data| layout.cell(data, index));
                inc(entry, both, now)
            }
            Self::ClrGpc(_) | Self::ClrGpcAt => entry.set(cell, 0, now),
            Self::Connect => entry.add(cell, 1, now),
            _ => entry.get(cell, now),
        };
        Some(i64::try_from(found).unwrap_or(i64::MAX))
    }
}

/// Adds one to a counter and its rate, as far as they are stored; gives the counter, else the rate.
fn inc(entry: &Entry, [counter, rate]: [Option<Cell>; 2], now: u64) -> u64 {
    let rate = rate.map(|cell| entry.add(cell, 1, now));
    counter
        .map(|cell| entry.add(cell, 1, now))
        .or(rate)
        .unwrap_or(0)
}

/// The key of a table that a sample of a session is; `None` if it cannot be one.
#[must_use]
pub fn table_key(table: &Table, sample: Sample<'_>, ctx: &dyn Context) -> Option<Key> {
    let kind = match table.key_type() {
        KeyType::Ip => Kind::Ipv4,
        KeyType::Ipv6 => Kind::Ipv6,
        KeyType::Integer => Kind::Int,
        KeyType::Text { .. } => Kind::Str,
        KeyType::Binary { .. } => Kind::Bin,
    };
    let sample = cast(sample, kind)?;
    let namespace = match table.by_namespace() {
        true => ctx.text(Text::SrcNetns).unwrap_or_default(),
        false => (&b""[..]).into(),
    };
    let value = match &sample {
        Sample::Ipv4(ip) => Value::Ipv4(*ip),
        Sample::Ipv6(ip) => Value::Ipv6(*ip),
        Sample::Int(value) => Value::Integer(*value),
        Sample::Str(bytes) | Sample::Bin(bytes) => Value::Bytes(bytes),
        Sample::Bool(value) => Value::Integer(i64::from(*value)),
    };
    table.key(value, &namespace)
}

/// The table of an argument.
pub(crate) fn table_of(args: &Args, at: usize) -> Option<&Arc<Table>> {
    match args.get(at) {
        ArgValue::Table(table) => Some(table),
        _ => None,
    }
}

fn number(args: &Args, at: usize) -> Option<usize> {
    usize::try_from(args.int(at)?).ok()
}

/// Evaluates a fetch about an entry.
pub(crate) fn fetch<'a>(
    whose: Whose,
    reading: Reading,
    args: &'a Args,
    ctx: &'a dyn Context,
) -> Fetched<'a> {
    let at = usize::from(reading.has_index());
    let index = match reading.has_index() {
        true => number(args, 0).unwrap_or(usize::MAX),
        false => 0,
    };
    let found = match whose {
        Whose::Source => of_source(reading, args, at, index, ctx),
        Whose::Fixed(counter) => of_counter(reading, counter, table_of(args, at), index, ctx),
        Whose::Counter => number(args, at)
            .and_then(|counter| of_counter(reading, counter, table_of(args, at + 1), index, ctx)),
    };
    Fetched::settled(found)
}

fn of_source<'a>(
    reading: Reading,
    args: &'a Args,
    at: usize,
    index: usize,
    ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    let table = table_of(args, at)?;
    let now = ctx.now_ms();
    let key = table_key(table, Sample::from(ctx.endpoint(End::Src)?.ip()), ctx)?;
    let entry = match reading.changes() {
        true => Some(table.entry(&key, now)?),
        false => table.find(&key, now),
    };
    reading
        .of(table, entry.as_deref(), index, now)
        .map(Sample::Int)
}

/// Reads of the entry that a counter tracks; with a table, of that table's entry of the same key.
fn of_counter<'a>(
    reading: Reading,
    counter: usize,
    table: Option<&Arc<Table>>,
    index: usize,
    ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    let tracked = ctx.tracked(counter);
    let now = ctx.now_ms();
    let elsewhere =
        table.filter(|table| tracked.is_none_or(|tracked| !Arc::ptr_eq(table, tracked.table())));
    if reading == Reading::Tracked {
        return Some(Sample::Bool(tracked.is_some()));
    }
    let tracked = tracked?;
    let own = tracked.table();
    if reading == Reading::Key {
        return Some(match own.key_type().parts(tracked.entry().key()).0 {
            Value::Ipv4(ip) => Sample::Ipv4(ip),
            Value::Ipv6(ip) => Sample::Ipv6(ip),
            Value::Integer(value) => Sample::Int(value),
            Value::Bytes(bytes) => match own.key_type() {
                KeyType::Text { .. } => Sample::text(bytes),
                _ => Sample::Bin(bytes.into()),
            },
        });
    }
    let found = match elsewhere {
        None => reading.of(own, Some(tracked.entry()), index, now),
        Some(table) => {
            let (value, namespace) = own.key_type().parts(tracked.entry().key());
            // No entry is made there, and a key of another type is none that the table has.
            let key = table.key(value, namespace);
            let entry = key.and_then(|key| table.find(&key, now));
            reading.of(table, entry.as_deref(), index, now)
        }
    };
    found.map(Sample::Int)
}

/// Evaluates a converter that looks a sample up in the table of its last argument.
pub(crate) fn convert<'a>(
    reading: Reading,
    sample: Sample<'a>,
    args: &'a Args,
    ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    let table = table_of(args, usize::from(reading.has_index()))?;
    let index = match reading.has_index() {
        true => number(args, 0)?,
        false => 0,
    };
    let key = table_key(table, sample, ctx)?;
    let entry = table.find(&key, ctx.now_ms());
    reading
        .of(table, entry.as_deref(), index, ctx.now_ms())
        .map(Sample::Int)
}
