//! A bandwidth limit that all streams of one key share: what they sent is a rate in a stick table (manual,
//! `filter bwlim-out`, `key`).

use std::sync::Arc;

use isthmus_plan::http::{BandwidthLimit, Limited};
use isthmus_sample::{Compiled, table_key};
use isthmus_table::{Cell, Data, Entry, Table};

use crate::rules::Compiler;
use crate::session::Session;
use crate::turn::Turn;
use crate::view::View;

/// Pieces into which a period's bytes are cut at the most: smaller ones would wake a stream too often.
const PIECES: u64 = 50;

/// What a filter says of a limit that streams share.
#[derive(Debug)]
pub(super) struct SharedLimit {
    key: Compiled,
    table: Arc<Table>,
    cell: Cell,
    period: u64,
    bytes: u64,
    minimum: u64,
}

/// The limit of one stream's key.
#[derive(Debug)]
pub(super) struct Shared {
    entry: Arc<Entry>,
    cell: Cell,
    period: u64,
    bytes: u64,
    minimum: u64,
    /// When it was last asked, and what was free then.
    at: u64,
    free: u64,
}

impl Compiler<'_> {
    pub(super) fn shared_limit(
        &mut self,
        origin: &str,
        filter: &BandwidthLimit,
    ) -> Option<SharedLimit> {
        let Limited::Key { limit, key, table } = &filter.limited else {
            return None;
        };
        let data = match filter.incoming {
            true => Data::BytesInRate,
            false => Data::BytesOutRate,
        };
        let table = self.table(origin, *table)?;
        let stored = table.layout().stored().iter();
        let period = stored.clone().find(|stored| stored.data == data);
        let missing = || format!("table '{}' does not store {}", table.name(), data.name());
        let found = table.layout().cell(data, 0).zip(period).ok_or_else(missing);
        let (cell, stored) = self.note(origin, found)?;
        Some(SharedLimit {
            key: self.expression(origin, key)?,
            cell,
            period: u64::from(stored.period).max(1),
            bytes: (*limit).max(1),
            minimum: filter.minimum,
            table,
        })
    }
}

impl SharedLimit {
    /// The limit of a session's key; `None` where it has no key, or the table has no room: nothing is
    /// limited then.
    pub(super) fn of(&self, session: &Session, turn: &Turn) -> Option<Shared> {
        let view = View::new(session, turn);
        let key = table_key(&self.table, self.key.value(&view)?, &view)?;
        Some(Shared {
            entry: self.table.entry(&key, turn.now)?,
            cell: self.cell,
            period: self.period,
            bytes: self.bytes,
            minimum: self.minimum.max(self.bytes / PIECES).clamp(1, self.bytes),
            at: turn.now,
            free: 0,
        })
    }
}

impl Shared {
    /// How many bytes may pass now; 0 where there are too few for the least amount.
    pub(super) fn allowed(&mut self, now: u64) -> u64 {
        self.at = now;
        self.free = self.bytes.saturating_sub(self.entry.get(self.cell, now));
        match self.free >= self.minimum {
            true => self.free,
            false => 0,
        }
    }

    /// Takes note of bytes that passed.
    pub(super) fn pass(&mut self, count: usize) {
        self.entry.add(self.cell, count as u64, self.at);
        self.entry.touch(self.at);
    }

    /// When it is worth asking again: bytes become free as fast as the limit lets them pass.
    pub(super) fn ready(&self) -> u64 {
        let missing = self.minimum.saturating_sub(self.free).max(1);
        let wait = u128::from(missing) * u128::from(self.period) / u128::from(self.bytes);
        let wait = u64::try_from(wait).unwrap_or(u64::MAX);
        self.at.saturating_add(wait.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isthmus_table::{KeyType, Settings, Stored, Value};

    fn shared() -> [Shared; 2] {
        let table = Table::new(&Settings {
            name: "t".to_owned(),
            key: KeyType::Integer,
            size: 10,
            expire: None,
            nopurge: false,
            by_namespace: false,
            stored: vec![Stored {
                data: Data::BytesOutRate,
                count: 1,
                period: 1000,
            }],
        });
        let key = table.key(Value::Integer(1), b"").unwrap();
        let cell = table.layout().cell(Data::BytesOutRate, 0).unwrap();
        [(); 2].map(|()| Shared {
            entry: table.entry(&key, 0).unwrap(),
            cell,
            period: 1000,
            bytes: 1000,
            minimum: 100,
            at: 0,
            free: 0,
        })
    }

    #[test]
    fn streams_of_one_key_share_what_may_pass() {
        let [mut one, mut other] = shared();
        assert_eq!(one.allowed(0), 1000);
        one.pass(700);
        assert_eq!(other.allowed(0), 300);
        other.pass(250);
        assert_eq!(one.allowed(0), 0);
        assert_eq!(one.ready(), 50);
        assert_eq!(one.allowed(1_500), 525);
        assert_eq!(one.allowed(2_000), 1000);
    }
}
