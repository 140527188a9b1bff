//! `stick` rules: the server that a table remembers of a client, and which server it is to remember (manual,
//! `stick match`, `stick store-request`, `stick store-response`).

use std::sync::Arc;

use isthmus_balance::State;
use isthmus_plan::{self as plan, Stick};
use isthmus_sample::{Compiled, CompiledCondition, Verdict, table_key};
use isthmus_table::{Data, Key, Table};

use crate::generation::{Backend, Server};
use crate::rules::Compiler;
use crate::session::Session;
use crate::turn::Turn;
use crate::view::View;
use crate::worker::Worker;

/// A `stick` rule.
#[derive(Debug)]
pub(crate) struct StickRule {
    what: Stick,
    key: Compiled,
    table: Arc<Table>,
    /// `srvkey addr`
    by_address: bool,
    condition: Option<CompiledCondition>,
}

/// A key of which a table is to remember the server.
#[derive(Debug)]
pub(crate) struct ToStore {
    table: Arc<Table>,
    key: Key,
    by_address: bool,
}

/// Keys of a request or a response at most (manual, `stick store-request`).
const MOST: usize = 8;

impl Compiler<'_> {
    pub(crate) fn stick_rules(&mut self, from: &[plan::StickRule]) -> Vec<StickRule> {
        let rules = from.iter();
        rules.filter_map(|rule| self.stick_rule(rule)).collect()
    }

    fn stick_rule(&mut self, from: &plan::StickRule) -> Option<StickRule> {
        let by_address = self.table_plans.get(from.table);
        Some(StickRule {
            what: from.what,
            key: self.expression(&from.origin, &from.expression)?,
            table: self.table(&from.origin, from.table)?,
            by_address: by_address.is_some_and(|table| table.server_by_address),
            condition: self.condition(&from.origin, from.condition.as_ref()),
        })
    }
}

impl StickRule {
    fn applies(&self, view: &View<'_>) -> bool {
        let program = &view.session.frontend.generation.program;
        let holds = |condition| program.eval(condition, view) == Verdict::Pass;
        self.condition.as_ref().is_none_or(holds)
    }

    fn key(&self, view: &View<'_>) -> Option<Key> {
        table_key(&self.table, self.key.value(view)?, view)
    }

    /// The server that an entry remembers.
    fn remembered(&self, key: &Key, backend: &Backend, now: u64) -> Option<usize> {
        let entry = self.table.find(key, now)?;
        let known = entry.server_key();
        let id = self.table.layout().cell(Data::ServerId, 0);
        let id = id.map_or(0, |cell| entry.get(cell, now));
        let found = match known {
            Some(known) => backend
                .servers
                .iter()
                .position(|server| name_of(server, self.by_address) == *known),
            None => (backend.servers.iter()).position(|server| u64::from(server.plan.id) == id),
        };
        found.inspect(|_| entry.touch(now))
    }
}

/// What a server is remembered by.
fn name_of(server: &Server, by_address: bool) -> Vec<u8> {
    match server.fixed_address().filter(|_| by_address) {
        Some(address) => address.to_string().into_bytes(),
        None => server.plan.name.as_bytes().to_vec(),
    }
}

impl Worker {
    /// The server that `stick` rules lead to, if it can be used; what is to be stored is noted. Without such
    /// rules it costs a look at an empty list.
    pub(crate) fn stick(
        &self,
        session: &Session,
        backend: &Backend,
        forces: bool,
    ) -> Option<usize> {
        if backend.stick_rules.is_empty() {
            return None;
        }
        let view = View::new(session, &self.turn);
        let mut found = None;
        let mut to_store: Vec<ToStore> = Vec::new();
        for rule in &backend.stick_rules {
            match rule.what {
                Stick::Match if found.is_none() && rule.applies(&view) => {
                    let key = rule.key(&view);
                    found = key.and_then(|key| rule.remembered(&key, backend, self.turn.now));
                }
                Stick::StoreRequest => note(rule, &view, &mut to_store),
                _ => {}
            }
        }
        if !to_store.is_empty() {
            session.notes().to_store.replace(to_store);
        }
        let server = backend.servers.get(found?)?;
        let state = server.state.state();
        let persists = backend.plan.http.as_ref().is_some_and(|http| http.persist);
        (forces || persists || matches!(state, State::Up | State::Drain)).then_some(server.at)
    }
}

/// Notes the key of a rule, unless its table learns one already.
fn note(rule: &StickRule, view: &View<'_>, to_store: &mut Vec<ToStore>) {
    let known = to_store
        .iter()
        .any(|one| Arc::ptr_eq(&one.table, &rule.table));
    if known || to_store.len() >= MOST || !rule.applies(view) {
        return;
    }
    if let Some(key) = rule.key(view) {
        to_store.push(ToStore {
            table: rule.table.clone(),
            key,
            by_address: rule.by_address,
        });
    }
}

impl Session {
    /// Lets tables remember the server that answers this session's keys.
    pub(crate) fn remember_server(&self, turn: &Turn) {
        let Some(backend) = self.backend.as_ref().map(|backend| &backend.shared) else {
            return;
        };
        if backend.stick_rules.is_empty() {
            return;
        }
        let Some(server) = self.chosen.as_ref().map(|chosen| &chosen.shared) else {
            return;
        };
        if server.plan.non_stick {
            return;
        }
        let view = View::new(self, turn);
        let mut to_store = Vec::new();
        for rule in &backend.stick_rules {
            if rule.what == Stick::StoreResponse {
                note(rule, &view, &mut to_store);
            }
        }
        let noted = self.notes.get().map(|notes| notes.to_store.take());
        for store in noted.into_iter().flatten().chain(to_store) {
            store.remember(server, turn.now);
        }
    }
}

impl ToStore {
    fn remember(&self, server: &Server, now: u64) {
        let Some(entry) = self.table.entry(&self.key, now) else {
            return;
        };
        if let Some(cell) = self.table.layout().cell(Data::ServerId, 0) {
            entry.set(cell, server.plan.id.into(), now);
        }
        entry.set_server_key(&name_of(server, self.by_address));
    }
}
