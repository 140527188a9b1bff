//! Rules compiled from the plan: conditions, actions, choices of backends and servers. They hold
//! no session: `View` is what they are evaluated over, and the worker carries out what they say.

use std::sync::Arc;

use isthmus_pattern::List;
use isthmus_plan as plan;
use isthmus_sample::{CompileEnv, Compiled, CompiledCondition, Format, Names, Program, VarRef};
use isthmus_table::Table;

use crate::asking::Resolve;
use crate::marking::Towards;
use crate::tracking::{Mark, Track};

/// A rule, ready to be evaluated.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) action: Action,
    pub(crate) condition: Option<CompiledCondition>,
    /// File and line, `a.cfg:2`.
    pub(crate) origin: Arc<str>,
}

/// What a rule does.
#[derive(Debug)]
pub(crate) enum Action {
    Accept,
    Reject,
    SilentDrop(Option<u8>),
    ExpectProxy,
    /// The connection becomes HTTP: of which version, where that is given.
    SwitchMode(Option<bool>),
    SetVar(VarRef, Value, Vec<SetIf>),
    UnsetVar(VarRef),
    SetAddress(Part, Compiled),
    Capture {
        expression: Compiled,
        len: usize,
        slot: usize,
    },
    SetLogLevel(Option<u8>),
    /// `do-log`
    Log(plan::LogOrigin),
    SetMark(Towards, Compiled),
    SetTos(Towards, Compiled),
    SetRetries(Compiled),
    Resolve(Resolve),
    Track(Track),
    Mark(Mark),
}

/// Which part of which address a rule replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Source,
    SourcePort,
    Destination,
    DestinationPort,
}

/// What a variable is set to.
#[derive(Debug)]
pub(crate) enum Value {
    Expression(Compiled),
    Format(Format),
}

/// Conditions under which `set-var` sets (manual, `set-var`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetIf {
    Exists,
    NotExists,
    Empty,
    NotEmpty,
    Set,
    NotSet,
    Greater,
    Less,
}

/// A choice among backends or servers: by index, or by a name made at run time.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) target: Target,
    pub(crate) condition: Option<CompiledCondition>,
}

/// What is chosen.
#[derive(Debug)]
pub(crate) enum Target {
    Fixed(usize),
    Dynamic(Format),
}

/// What compiling needs, and the errors that it met, each with the `file:line` it belongs to.
pub(crate) struct Compiler<'c> {
    pub(crate) names: &'c mut Names,
    pub(crate) program: &'c Program,
    pub(crate) acls: &'c [plan::Acl],
    pub(crate) lists: &'c [Arc<List>],
    pub(crate) userlists: &'c [Arc<isthmus_sample::Users>],
    /// `filter bwlim-in` and `bwlim-out` of the proxy that is being compiled.
    pub(crate) limits: Vec<plan::http::BandwidthLimit>,
    pub(crate) caches: &'c [Arc<crate::http::Cache>],
    pub(crate) services: &'c [Arc<crate::http::Service>],
    pub(crate) tables: &'c [Arc<Table>],
    pub(crate) table_plans: &'c [plan::StickTable],
    pub(crate) jose: &'c Arc<isthmus_sample::Jose>,
    pub(crate) errors: Vec<(String, String)>,
}

impl Compiler<'_> {
    fn env<T>(&mut self, work: impl FnOnce(&mut CompileEnv<'_>) -> T) -> T {
        let (acls, lists, userlists) = (self.acls, self.lists, self.userlists);
        let (tables, jose) = (self.tables, self.jose);
        work(&mut CompileEnv {
            names: self.names,
            env: &environment,
            acl: &|name| acls.iter().position(|acl| acl.name.as_bytes() == name),
            lists,
            userlists,
            tables,
            jose,
        })
    }

    pub(crate) fn note<T>(&mut self, origin: &str, outcome: Result<T, String>) -> Option<T> {
        outcome
            .map_err(|message| self.errors.push((origin.to_owned(), message)))
            .ok()
    }

    pub(crate) fn expression(&mut self, origin: &str, from: &plan::Expression) -> Option<Compiled> {
        let outcome = self.env(|env| Compiled::compile(from, env));
        self.note(origin, outcome)
    }

    /// What TLS made of a line; the line is told what is wrong with it.
    pub(crate) fn tls<T>(
        &mut self,
        origin: &str,
        made: Result<T, isthmus_tls::TlsError>,
    ) -> Option<T> {
        self.note(origin, made.map_err(|error| error.to_string()))
    }

    pub(crate) fn format(&mut self, origin: &str, from: &[plan::FormatItem]) -> Option<Format> {
        let outcome = self.env(|env| Format::compile(from, env));
        self.note(origin, outcome)
    }

    fn variable(&mut self, origin: &str, name: &str) -> Option<VarRef> {
        let outcome = self.names.variable(name.as_bytes());
        self.note(origin, outcome)
    }

    pub(crate) fn condition(
        &mut self,
        origin: &str,
        from: Option<&plan::Condition>,
    ) -> Option<CompiledCondition> {
        let outcome = self.program.condition(from?);
        self.note(origin, outcome)
    }

    pub(crate) fn rules(&mut self, from: &[plan::Rule]) -> Vec<Rule> {
        from.iter()
            .filter_map(|rule| {
                let action = self.action(&rule.origin, &rule.action)?;
                let condition = self.condition(&rule.origin, rule.condition.as_ref());
                Some(Rule {
                    action,
                    condition,
                    origin: rule.origin.as_str().into(),
                })
            })
            .collect()
    }

    pub(crate) fn action(&mut self, origin: &str, from: &plan::Action) -> Option<Action> {
        use plan::Action as From;
        Some(match from {
            From::Accept {} => Action::Accept,
            From::Reject {} => Action::Reject,
            From::SilentDrop { rst_ttl } => Action::SilentDrop(*rst_ttl),
            From::ExpectProxy {} => Action::ExpectProxy,
            From::SwitchMode { h2 } => Action::SwitchMode(*h2),
            From::SetVar {
                name,
                expression,
                conditions,
            } => Action::SetVar(
                self.variable(origin, name)?,
                Value::Expression(self.expression(origin, expression)?),
                self.set_ifs(origin, conditions),
            ),
            From::SetVarFmt {
                name,
                format,
                conditions,
            } => Action::SetVar(
                self.variable(origin, name)?,
                Value::Format(self.format(origin, format)?),
                self.set_ifs(origin, conditions),
            ),
            From::UnsetVar { name } => Action::UnsetVar(self.variable(origin, name)?),
            From::SetSrc { expression } => self.set_address(origin, Part::Source, expression)?,
            From::SetSrcPort { expression } => {
                self.set_address(origin, Part::SourcePort, expression)?
            }
            From::SetDst { expression } => {
                self.set_address(origin, Part::Destination, expression)?
            }
            From::SetDstPort { expression } => {
                self.set_address(origin, Part::DestinationPort, expression)?
            }
            From::Capture {
                expression,
                len,
                slot,
            } => Action::Capture {
                expression: self.expression(origin, expression)?,
                len: *len,
                slot: *slot,
            },
            From::SetLogLevel { level } => Action::SetLogLevel(*level),
            From::DoLog { log_origin } => Action::Log(*log_origin),
            From::SetMark { server, value } => {
                Action::SetMark(Towards::of(*server), self.expression(origin, value)?)
            }
            From::SetTos { server, value } => {
                Action::SetTos(Towards::of(*server), self.expression(origin, value)?)
            }
            From::SetRetries { value } => Action::SetRetries(self.expression(origin, value)?),
            From::DoResolve { .. } => Action::Resolve(self.resolve(origin, from)?),
            From::Track { .. } | From::AddGpc { .. } | From::SetGpt { .. } => {
                self.table_action(origin, from)?
            }
        })
    }

    fn set_address(&mut self, origin: &str, part: Part, from: &plan::Expression) -> Option<Action> {
        Some(Action::SetAddress(part, self.expression(origin, from)?))
    }

    fn set_ifs(&mut self, origin: &str, words: &[String]) -> Vec<SetIf> {
        words
            .iter()
            .filter_map(|word| {
                let outcome = match word.as_str() {
                    "ifexists" => Ok(SetIf::Exists),
                    "ifnotexists" => Ok(SetIf::NotExists),
                    "ifempty" => Ok(SetIf::Empty),
                    "ifnotempty" => Ok(SetIf::NotEmpty),
                    "ifset" => Ok(SetIf::Set),
                    "ifnotset" => Ok(SetIf::NotSet),
                    "ifgt" => Ok(SetIf::Greater),
                    "iflt" => Ok(SetIf::Less),
                    _ => Err(format!("unknown condition '{word}' of set-var")),
                };
                self.note(origin, outcome)
            })
            .collect()
    }

    pub(crate) fn backend_choices(&mut self, from: &[plan::BackendChoice]) -> Vec<Choice> {
        from.iter()
            .filter_map(|choice| {
                let target = match &choice.target {
                    plan::BackendTarget::Fixed { backend } => Target::Fixed(*backend),
                    plan::BackendTarget::Dynamic { format } => {
                        Target::Dynamic(self.format("use_backend", format)?)
                    }
                };
                let condition = self.condition("use_backend", choice.condition.as_ref());
                Some(Choice { target, condition })
            })
            .collect()
    }

    pub(crate) fn server_choices(&mut self, from: &[plan::ServerChoice]) -> Vec<Choice> {
        from.iter()
            .filter_map(|choice| {
                let target = match &choice.target {
                    plan::ServerTarget::Fixed { server } => Target::Fixed(*server),
                    plan::ServerTarget::Dynamic { format } => {
                        Target::Dynamic(self.format("use-server", format)?)
                    }
                };
                let condition = self.condition("use-server", choice.condition.as_ref());
                Some(Choice { target, condition })
            })
            .collect()
    }
}

pub(crate) fn environment(name: &[u8]) -> Option<Vec<u8>> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    std::env::var_os(std::ffi::OsStr::from_bytes(name)).map(OsStringExt::into_vec)
}
