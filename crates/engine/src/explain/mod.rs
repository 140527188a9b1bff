//! What would happen to a connection that was only described: the plan's own conditions, formats
//! and expressions, evaluated over the description. Nothing is opened and nothing is sent.
//!
//! `bytes` makes what such a client would send, `context` is what expressions see of it, and
//! `knowledge` says of which fetches that gives the truth: whatever else is asked is not known.

mod bytes;
mod context;
mod judging;
mod knowledge;

use std::sync::Arc;

use isthmus_pattern::List;
use isthmus_plan::explain::{Explained, Question};
use isthmus_plan::{ByteString, Plan};
use isthmus_sample::{CompileEnv, Jose, Names, Sample, Users};
use isthmus_table::Table;
use parking_lot::Mutex;

use crate::generation::Generation;
use crate::live::Process;
use crate::patterns::Files;
use crate::registry::Registry;
use crate::rules::environment;

/// A plan that answers questions about connections that nobody made.
pub struct Explainer {
    plan: Plan,
    generation: Generation,
    lists: Vec<Arc<List>>,
    userlists: Vec<Arc<Users>>,
    tables: Vec<Arc<Table>>,
    names: Mutex<Names>,
    jose: Arc<Jose>,
}

impl Explainer {
    /// Compiles a plan, with the texts of the pattern files that it names.
    ///
    /// # Errors
    /// What does not hold together, with the `file:line` that it belongs to.
    pub fn new(plan: Plan, files: &Files<'_>) -> Result<Self, Vec<(String, String)>> {
        let mut registry = Registry::new(Arc::new(Process::new(1)));
        let lists = crate::patterns::named(&plan, files, &registry)?;
        let generation = crate::compile::compile(&plan, files, &mut registry, (None, 1))?;
        let tables = generation.tables.iter().map(|(_, table)| table.clone());
        Ok(Self {
            tables: tables.collect(),
            lists,
            userlists: crate::compile::userlists(&plan)?,
            generation,
            names: Mutex::new(std::mem::take(&mut registry.names)),
            jose: Arc::new(crate::compile::jose(&plan.tls)?),
            plan,
        })
    }

    /// Answers a question.
    ///
    /// # Errors
    /// It names what the plan does not have, or an expression that cannot be compiled.
    pub fn ask(&self, question: &Question) -> Result<Explained, String> {
        match question {
            Question::Condition {
                connection,
                condition,
            } => self.judge(connection, condition),
            Question::Format { connection, format } => {
                let mut needs = Vec::new();
                for item in format {
                    knowledge::of_item(self, connection, item, &mut needs);
                }
                if !needs.is_empty() {
                    return Ok(unknown(needs));
                }
                let compiled = self.env(|env| isthmus_sample::Format::compile(format, env))?;
                let text = self.with(connection, |context| compiled.to_bytes(context))?;
                Ok(Explained {
                    text: Some(ByteString(text)),
                    ..Explained::default()
                })
            }
            Question::Expression {
                connection,
                expression,
            } => {
                let mut needs = Vec::new();
                knowledge::of_expression(self, connection, expression, &mut needs);
                if !needs.is_empty() {
                    return Ok(unknown(needs));
                }
                let compiled =
                    self.env(|env| isthmus_sample::Compiled::compile(expression, env))?;
                let value = self.with(connection, |context| {
                    compiled.value(context).map(Sample::into_owned)
                })?;
                Ok(Explained {
                    value: value.map(context::described),
                    ..Explained::default()
                })
            }
            Question::Certificate {
                frontend,
                bind,
                sni,
            } => {
                let acceptor = self
                    .generation
                    .frontends
                    .get(*frontend)
                    .and_then(|frontend| frontend.listeners.get(*bind)?.acceptor.as_ref())
                    .ok_or("no such bind with ssl")?;
                let acceptor = acceptor.load();
                let (found, names) = acceptor.candidates(sni.as_deref());
                Ok(Explained {
                    certificates: names.into_iter().map(ToOwned::to_owned).collect(),
                    found: Some(found),
                    ..Explained::default()
                })
            }
        }
    }

    fn env<T>(&self, work: impl FnOnce(&mut CompileEnv<'_>) -> T) -> T {
        let acls = &self.plan.acls;
        work(&mut CompileEnv {
            names: &mut self.names.lock(),
            env: &environment,
            acl: &|name| acls.iter().position(|acl| acl.name.as_bytes() == name),
            lists: &self.lists,
            userlists: &self.userlists,
            tables: &self.tables,
            jose: &self.jose,
        })
    }
}

/// An answer that is not known.
fn unknown(mut needs: Vec<String>) -> Explained {
    needs.sort_unstable();
    needs.dedup();
    Explained {
        needs,
        ..Explained::default()
    }
}
