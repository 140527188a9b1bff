//! What operators do to stick tables.

use std::net::{Ipv4Addr, Ipv6Addr};

use isthmus_plan::{
    self as plan, ByteString, Comparison, TableAnswer, TableEntry, TableFacts, TableFilter,
    TableNumber, TableRefusal, TableRequest,
};
use isthmus_table::{Data, Entry, Key, KeyType, Shown, Table, Value};

use crate::control::Control;

impl Control {
    /// Carries out what operators ask of stick tables.
    pub(crate) fn tables(&self, request: &TableRequest) -> TableAnswer {
        let current = self.current();
        let tables = current.as_ref().map_or(&[][..], |g| g.tables.as_slice());
        let now = self.clock.now();
        let Some(name) = name(request) else {
            let facts = tables
                .iter()
                .map(|(plan, table)| At { plan, table, now }.facts());
            return TableAnswer::Tables {
                tables: facts.collect(),
            };
        };
        let mut named = tables.iter().filter(|(plan, _)| plan.name == *name);
        match named.next() {
            Some((plan, table)) => At { plan, table, now }
                .carry_out(request)
                .unwrap_or_else(|why| TableAnswer::Refused { why }),
            None => TableAnswer::Refused {
                why: TableRefusal::Table,
            },
        }
    }
}

fn name(request: &TableRequest) -> Option<&String> {
    match request {
        TableRequest::Tables {} => None,
        TableRequest::Entries { table, .. }
        | TableRequest::Entry { table, .. }
        | TableRequest::Set { table, .. }
        | TableRequest::Clear { table, .. }
        | TableRequest::Remove { table, .. } => Some(table),
    }
}

/// A table at a moment.
struct At<'t> {
    plan: &'t plan::StickTable,
    table: &'t Table,
    now: u64,
}

impl At<'_> {
    fn facts(&self) -> TableFacts {
        let stored = self.table.layout().stored().iter();
        TableFacts {
            name: self.plan.name.clone(),
            key: self.plan.key,
            size: self.table.size(),
            used: self.table.used(self.now),
            stored: stored
                .map(|stored| plan::StoredData {
                    data: stored.data.name().to_owned(),
                    count: stored.count,
                    period: stored.period,
                })
                .collect(),
        }
    }

    fn carry_out(&self, request: &TableRequest) -> Result<TableAnswer, TableRefusal> {
        match request {
            TableRequest::Tables {} => {}
            TableRequest::Entries { filters, .. } => {
                let all = self.table.entries(self.now);
                let shown = all.iter().filter(|one| self.passes(&one.entry, filters));
                let entries = shown.map(|shown| self.shown(shown)).collect();
                return Ok(self.entries(entries));
            }
            TableRequest::Entry { key, namespace, .. } => {
                let key = self.key(key, namespace)?;
                let entry = self.table.find(&key, self.now);
                let shown = self.table.shown(entry.ok_or(TableRefusal::Entry)?);
                return Ok(self.entries(vec![self.shown(&shown)]));
            }
            TableRequest::Set {
                key,
                namespace,
                numbers,
                ..
            } => self.set(&self.key(key, namespace)?, numbers)?,
            TableRequest::Clear { filters, .. } => {
                self.table.clear(|entry| self.passes(entry, filters));
            }
            TableRequest::Remove { key, namespace, .. } => {
                let key = self.key(key, namespace)?;
                let found = self.table.find(&key, self.now).is_some();
                if found && !self.table.remove(&key) {
                    return Err(TableRefusal::InUse);
                }
            }
        }
        Ok(TableAnswer::Done {})
    }

    fn entries(&self, entries: Vec<TableEntry>) -> TableAnswer {
        TableAnswer::Entries {
            table: self.facts(),
            entries,
        }
    }

    fn set(&self, key: &Key, numbers: &[TableNumber]) -> Result<(), TableRefusal> {
        let entry = self.table.entry(key, self.now).ok_or(TableRefusal::Full)?;
        for number in numbers {
            let data = Data::named(&number.data);
            if let Some(cell) = data.and_then(|data| self.table.layout().cell(data, 0)) {
                entry.set(cell, number.value, self.now);
            }
        }
        Ok(())
    }

    /// Whether an entry is what all filters ask for; one about what is not stored lets nothing through.
    fn passes(&self, entry: &Entry, filters: &[TableFilter]) -> bool {
        filters.iter().all(|filter| {
            let data = Data::named(&filter.data);
            let cell = data.and_then(|data| self.table.layout().cell(data, 0));
            cell.is_some_and(|cell| {
                let held = i64::try_from(entry.get(cell, self.now)).unwrap_or(i64::MAX);
                match filter.comparison {
                    Comparison::Eq => held == filter.value,
                    Comparison::Ne => held != filter.value,
                    Comparison::Le => held <= filter.value,
                    Comparison::Ge => held >= filter.value,
                    Comparison::Lt => held < filter.value,
                    Comparison::Gt => held > filter.value,
                }
            })
        })
    }

    fn shown(&self, shown: &Shown<'_>) -> TableEntry {
        let layout = self.table.layout();
        let (key, namespace) = shown.key();
        let entry = &shown.entry;
        let numbers = layout.stored().iter().flat_map(|stored| {
            (0..usize::from(stored.count)).map(move |index| {
                let cell = layout.cell(stored.data, index);
                cell.map_or(0, |cell| entry.get(cell, self.now))
            })
        });
        TableEntry {
            key: ByteString(written(key)),
            namespace: String::from_utf8_lossy(namespace).into_owned(),
            trackers: entry.trackers(),
            expires: self.table.remaining(entry, self.now),
            numbers: numbers.collect(),
            server: entry.server_key().map(|name| ByteString(name.to_vec())),
        }
    }

    /// The key that an operator typed.
    fn key(&self, text: &ByteString, namespace: &str) -> Result<Key, TableRefusal> {
        let bytes = text.as_bytes();
        let text = std::str::from_utf8(bytes).ok();
        let value = match self.table.key_type() {
            KeyType::Ip => text
                .and_then(|t| t.parse::<Ipv4Addr>().ok())
                .map(Value::Ipv4),
            KeyType::Ipv6 => text
                .and_then(|t| t.parse::<Ipv6Addr>().ok())
                .map(Value::Ipv6),
            KeyType::Integer => text
                .and_then(|t| t.parse::<u32>().ok())
                .map(|number| Value::Integer(number.into())),
            KeyType::Text { .. } | KeyType::Binary { .. } => Some(Value::Bytes(bytes)),
        };
        let key = value.and_then(|value| self.table.key(value, namespace.as_bytes()));
        key.ok_or(TableRefusal::Key)
    }
}

fn written(key: Value<'_>) -> Vec<u8> {
    match key {
        Value::Ipv4(ip) => ip.to_string().into_bytes(),
        Value::Ipv6(ip) => ip.to_string().into_bytes(),
        Value::Integer(number) => number.to_string().into_bytes(),
        Value::Bytes(bytes) => bytes.to_vec(),
    }
}
