//! The stick tables of a plan: found again where a plan before had them, and the rules about them.

use std::sync::Arc;

use isthmus_plan as plan;
use isthmus_plan::TableKey;
use isthmus_table::{Data, KeyType, Settings, Stored, Table};

use crate::compile::Errors;
use crate::generation::Generation;
use crate::registry::Registry;
use crate::rules::{Action, Compiler};
use crate::tracking::{Mark, Marked, Track};

/// What the plan says of a table.
///
/// # Errors
/// It stores a type that is unknown here.
fn settings(from: &plan::StickTable) -> Result<Settings, Errors> {
    let stored = |data: &plan::StoredData| -> Result<Stored, Errors> {
        let unknown = || {
            vec![(
                from.name.clone(),
                format!("'{}' is no data type", data.data),
            )]
        };
        Ok(Stored {
            data: Data::named(&data.data).ok_or_else(unknown)?,
            count: data.count,
            period: data.period,
        })
    };
    Ok(Settings {
        name: from.name.clone(),
        key: match from.key {
            TableKey::Ip {} => KeyType::Ip,
            TableKey::Ipv6 {} => KeyType::Ipv6,
            TableKey::Integer {} => KeyType::Integer,
            TableKey::String { len } => KeyType::Text { len },
            TableKey::Binary { len } => KeyType::Binary { len },
        },
        size: from.size,
        expire: from.expire,
        nopurge: from.nopurge,
        by_namespace: from.by_namespace,
        stored: from.stored.iter().map(stored).collect::<Result<_, _>>()?,
    })
}

impl Registry {
    /// The tables of a plan: one that stores the same for the same keys as before stays as it is.
    ///
    /// # Errors
    /// A table stores what is unknown here.
    pub(crate) fn tables(&self, from: &[plan::StickTable]) -> Result<Vec<Arc<Table>>, Errors> {
        let table = |from: &plan::StickTable| -> Result<Arc<Table>, Errors> {
            let wanted = settings(from)?;
            let known = self.known_tables.get(&from.name);
            let fitting = known.filter(|table| table.fits(&wanted));
            Ok(fitting
                .cloned()
                .unwrap_or_else(|| Arc::new(Table::new(&wanted))))
        };
        from.iter().map(table).collect()
    }

    /// Keeps the tables of a plan that comes into force, with the limits that it gives them.
    pub(crate) fn keep_tables(&mut self, generation: &Generation) {
        self.known_tables.clear();
        for (from, table) in &generation.tables {
            if let Ok(settings) = settings(from) {
                table.adopt(&settings);
            }
            self.known_tables.insert(from.name.clone(), table.clone());
        }
    }
}

impl Compiler<'_> {
    pub(crate) fn table(&mut self, origin: &str, index: usize) -> Option<Arc<Table>> {
        let found = self.tables.get(index).cloned();
        self.note(
            origin,
            found.ok_or_else(|| format!("there is no table {index}")),
        )
    }

    /// An action about tracked entries.
    pub(crate) fn table_action(&mut self, origin: &str, from: &plan::Action) -> Option<Action> {
        use plan::Action as From;
        Some(match from {
            From::Track {
                counter,
                expression,
                table,
            } => Action::Track(Track {
                counter: *counter,
                key: self.expression(origin, expression)?,
                table: self.table(origin, *table)?,
            }),
            From::AddGpc {
                gpc,
                counter,
                amount,
            } => Action::Mark(Mark {
                counter: *counter,
                what: Marked::Gpc(*gpc),
                value: self.expression(origin, amount)?,
            }),
            From::SetGpt {
                index,
                counter,
                value,
            } => Action::Mark(Mark {
                counter: *counter,
                what: Marked::Gpt(*index),
                value: self.expression(origin, value)?,
            }),
            _ => return None,
        })
    }
}
