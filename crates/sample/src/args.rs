//! Arguments of fetches and converters, checked and prepared when a configuration is compiled.

use std::net::IpAddr;
use std::sync::Arc;

use isthmus_pattern::{Expression, List, View};
use isthmus_plan::Arg;
use isthmus_table::Table;

use crate::assignment::Assignment;
use crate::jose::{Jose, Key};
use crate::registry::Param;
use crate::userlist::Users;
use crate::value::Sample;
use crate::variable::{Names, VarRef};

/// What compiling needs to know about the rest of the configuration.
pub struct CompileEnv<'e> {
    /// Names of variables; new ones are added.
    pub names: &'e mut Names,
    /// Looks up an environment variable (`env`).
    pub env: &'e dyn Fn(&[u8]) -> Option<Vec<u8>>,
    /// Looks up the index of a named ACL (`acl()`).
    pub acl: &'e dyn Fn(&[u8]) -> Option<usize>,
    /// The files of patterns that the plan names.
    pub lists: &'e [Arc<List>],
    /// The plan's userlists.
    pub userlists: &'e [Arc<Users>],
    /// The plan's stick tables.
    pub tables: &'e [Arc<Table>],
    /// What the plan says about tokens.
    pub jose: &'e Arc<Jose>,
}

/// One argument, as the function that takes it wants it.
#[derive(Debug, Clone)]
pub enum ArgValue {
    /// Left out.
    Absent,
    /// An integer; times are milliseconds.
    Int(i64),
    /// Text.
    Str(Box<[u8]>),
    /// An address.
    Ip(IpAddr),
    /// A netmask's length.
    Mask(u8),
    /// A variable.
    Var(VarRef),
    /// A frontend's index.
    Frontend(usize),
    /// A backend's index.
    Backend(usize),
    /// Indexes of a backend and of a server in it.
    Server(usize, usize),
    /// A compiled regular expression.
    Regex(Box<Expression>),
    /// An ACL's index, and whether it is negated.
    Acl(usize, bool),
    /// A file of patterns.
    List(Arc<List>),
    /// A stick table.
    Table(Arc<Table>),
    /// A userlist.
    Users(Arc<Users>),
    /// A file of patterns, compiled for a lookup.
    View(Arc<View>),
    /// A variable to be set.
    Assignment(Assignment),
    /// A key that tokens are decrypted with.
    Key(Arc<Key>),
    /// What the configuration says about tokens.
    Jose(Arc<Jose>),
    /// A value that was computed when the configuration was compiled.
    Sample(Sample<'static>),
}

/// The arguments of one call.
#[derive(Debug, Clone, Default)]
pub struct Args(Vec<ArgValue>);

impl Args {
    /// Takes the plan's arguments over; variables are given their numbers.
    ///
    /// # Errors
    /// A variable's name is invalid.
    pub(crate) fn from_plan(
        args: &[Arg],
        params: &[Param],
        env: &mut CompileEnv<'_>,
    ) -> Result<Self, String> {
        let mut kinds = params.iter().map(|param| param.kind);
        let convert = |arg: &Arg| {
            let text = kinds.next() == Some("string");
            Ok(match arg {
                // Where text may also be a variable's name, its taker tells them apart.
                Arg::Var { name } if text => ArgValue::Str(name.as_bytes().into()),
                Arg::Int { value } => ArgValue::Int(*value),
                Arg::Str { value } => ArgValue::Str(value.as_bytes().into()),
                Arg::Ip { value } => ArgValue::Ip(*value),
                Arg::Mask { bits } => ArgValue::Mask(*bits),
                Arg::Var { name } => ArgValue::Var(env.names.variable(name.as_bytes())?),
                Arg::Frontend { frontend } => ArgValue::Frontend(*frontend),
                Arg::Backend { backend } => ArgValue::Backend(*backend),
                Arg::Server { backend, server } => ArgValue::Server(*backend, *server),
                Arg::List { list } => {
                    let known = env.lists.get(*list);
                    ArgValue::List(known.cloned().ok_or("no such list of patterns")?)
                }
                Arg::Userlist { userlist } => {
                    let known = env.userlists.get(*userlist);
                    ArgValue::Users(known.cloned().ok_or("no such userlist")?)
                }
                Arg::Table { table } => {
                    let known = env.tables.get(*table);
                    ArgValue::Table(known.cloned().ok_or("no such stick table")?)
                }
                Arg::Absent {} => ArgValue::Absent,
            })
        };
        args.iter()
            .map(convert)
            .collect::<Result<_, String>>()
            .map(Self)
    }

    /// Refuses arguments of another type than a signature asks for. What text stands for is checked
    /// by those who take it.
    pub(crate) fn check(&self, params: &[Param]) -> Result<(), String> {
        for (at, param) in params.iter().enumerate() {
            let fits = match (param.kind, self.get(at)) {
                (_, ArgValue::Absent) => param.optional || at >= self.len(),
                ("integer", value) => matches!(value, ArgValue::Int(_)),
                ("frontend", value) => matches!(value, ArgValue::Frontend(_)),
                ("backend", value) => matches!(value, ArgValue::Backend(_)),
                ("server", value) => matches!(value, ArgValue::Server(..)),
                ("table", value) => matches!(value, ArgValue::Table(_)),
                ("user list", value) => matches!(value, ArgValue::Users(_)),
                ("regex", value) => matches!(value, ArgValue::Str(_)),
                ("string", value) => {
                    matches!(
                        value,
                        ArgValue::Str(_) | ArgValue::Int(_) | ArgValue::Var(_) | ArgValue::List(_)
                    )
                }
                _ => true,
            };
            if !fits {
                return Err(format!("argument {} is not a {}", at + 1, param.kind));
            }
        }
        Ok(())
    }

    /// How many were given, absent ones in between included.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The argument at a place, [`ArgValue::Absent`] behind the last.
    pub(crate) fn get(&self, at: usize) -> &ArgValue {
        self.0.get(at).unwrap_or(&ArgValue::Absent)
    }

    /// Replaces an argument by what was prepared from it.
    pub(crate) fn set(&mut self, at: usize, value: ArgValue) {
        while self.0.len() <= at {
            self.0.push(ArgValue::Absent);
        }
        if let Some(place) = self.0.get_mut(at) {
            *place = value;
        }
    }

    /// The integer at a place.
    pub(crate) fn int(&self, at: usize) -> Option<i64> {
        match self.get(at) {
            ArgValue::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The text at a place.
    pub(crate) fn text(&self, at: usize) -> Option<&[u8]> {
        match self.get(at) {
            ArgValue::Str(value) => Some(value),
            _ => None,
        }
    }

    /// The variable at a place.
    pub(crate) fn variable(&self, at: usize) -> Option<VarRef> {
        match self.get(at) {
            ArgValue::Var(value) => Some(*value),
            _ => None,
        }
    }
}
