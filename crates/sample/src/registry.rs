//! The rows in which fetches and converters are registered: the name, the signature in the
//! notation of `haproxy -dKall`, and the function.

use isthmus_proto::http1::View;

use crate::args::{Args, CompileEnv};
use crate::context::Context;
use crate::expression::Fetched;
use crate::facts::{BackendNumber, End, FrontendNumber, Number, ServerNumber, Text};
use crate::kind::{Kind, Validity};
use crate::table::{Reading, Whose};
use crate::value::Sample;

/// Checks arguments when a configuration is compiled, and prepares what they stand for.
pub type Prepare = fn(&mut Args, &mut CompileEnv<'_>) -> Result<(), String>;

/// A fetch.
#[derive(Debug)]
pub struct Fetch {
    /// Its name.
    pub name: &'static str,
    /// Its arguments, for instance `integer[,string]`.
    pub signature: &'static str,
    /// The type of what it finds.
    pub output: Kind,
    /// Where it may stand.
    pub valid: Validity,
    /// Where its value comes from.
    pub(crate) run: Run,
    /// How an ACL finds the values one after the other, where there may be several.
    pub(crate) each: Option<Each>,
    /// Checks and prepares the arguments.
    pub(crate) prepare: Option<Prepare>,
}

/// Which message of an exchange is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The request.
    Request,
    /// The response.
    Response,
    /// That of the rules that are evaluated.
    Either,
}

/// Finds a value in an HTTP head.
pub(crate) type HeadRead = for<'a> fn(&'a Args, View<'a>) -> Option<Sample<'a>>;

/// Takes values one by one, until it returns false.
pub(crate) type Visit<'v, 'a> = dyn FnMut(Sample<'a>) -> bool + 'v;

/// Finds all values in an HTTP head.
pub(crate) type HeadVisit = for<'a> fn(&'a Args, View<'a>, &mut Visit<'_, 'a>);

/// Where all the values of a fetch come from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Each {
    /// From an HTTP head.
    Head(Of, HeadVisit),
    /// From wherever a function looks; it returns whether more may come.
    Call(for<'a> fn(&'a Args, &'a dyn Context, &mut Visit<'_, 'a>) -> bool),
}

/// Where the value of a fetch comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    /// A function.
    Call(for<'a> fn(&'a Args, &'a dyn Context) -> Fetched<'a>),
    /// A function of an HTTP head.
    Head(Of, HeadRead),
    /// A fact as an integer.
    Number(Number),
    /// A fact as a truth value.
    Flag(Number),
    /// A fact as text.
    Text(Text),
    /// An address.
    Ip(End),
    /// A port.
    Port(End),
    /// A figure of the frontend in the first argument.
    Frontend(FrontendNumber),
    /// A figure of the backend in the first argument.
    Backend(BackendNumber),
    /// A figure of the server in the first argument.
    Server(ServerNumber),
    /// A number of an entry of a stick table.
    Table(Whose, Reading),
}

/// A converter.
#[derive(Debug)]
pub struct Converter {
    /// Its name.
    pub name: &'static str,
    /// Its arguments, for instance `integer[,string]`.
    pub signature: &'static str,
    /// The type it takes; other samples are cast to it.
    pub input: Kind,
    /// The type of what it gives.
    pub output: Kind,
    /// The function.
    pub(crate) run: Convert,
    /// Checks and prepares the arguments.
    pub(crate) prepare: Option<Prepare>,
}

/// A converter's function: a value, or none when there is nothing to give.
pub(crate) type Convert = for<'a> fn(Sample<'a>, &'a Args, &'a dyn Context) -> Option<Sample<'a>>;

/// A parameter of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Its type: `string`, `integer`, `backend`, `IPv4 mask` ...
    pub kind: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
}

/// Splits a signature. What `-dKall` prints as mandatory may still be left out where HAProxy lets
/// it: a frontend or backend is the session's own then, and a lone string is empty.
pub(crate) fn params(signature: &'static str) -> impl Iterator<Item = Param> {
    let (required, optional) = signature.split_once('[').unwrap_or((signature, ""));
    let lenient = matches!(required, "frontend" | "backend" | "table" | "string");
    let list = |text: &'static str, optional| {
        text.trim_end_matches(']')
            .split(',')
            .filter(|kind| !kind.is_empty())
            .map(move |kind| Param { kind, optional })
    };
    list(required, lenient).chain(list(optional, true))
}

impl Fetch {
    /// The parameters.
    pub fn params(&self) -> impl Iterator<Item = Param> {
        params(self.signature)
    }

    pub(crate) const fn new(
        name: &'static str,
        signature: &'static str,
        output: Kind,
        valid: Validity,
        run: Run,
    ) -> Self {
        Self {
            name,
            signature,
            output,
            valid,
            run,
            each: None,
            prepare: None,
        }
    }

    pub(crate) const fn preparing(mut self, prepare: Prepare) -> Self {
        self.prepare = Some(prepare);
        self
    }

    pub(crate) const fn iterating(mut self, each: Each) -> Self {
        self.each = Some(each);
        self
    }
}

impl Converter {
    /// The parameters.
    pub fn params(&self) -> impl Iterator<Item = Param> {
        params(self.signature)
    }

    pub(crate) const fn new(
        name: &'static str,
        signature: &'static str,
        input: Kind,
        output: Kind,
        run: Convert,
    ) -> Self {
        Self {
            name,
            signature,
            input,
            output,
            run,
            prepare: None,
        }
    }

    pub(crate) const fn preparing(mut self, prepare: Prepare) -> Self {
        self.prepare = Some(prepare);
        self
    }
}

/// Every fetch.
pub fn fetches() -> impl Iterator<Item = &'static Fetch> {
    crate::fetch::TABLES.iter().copied().flatten()
}

/// Every converter.
pub fn converters() -> impl Iterator<Item = &'static Converter> {
    crate::convert::TABLES.iter().copied().flatten()
}

/// The fetch of a name.
#[must_use]
pub fn find_fetch(name: &str) -> Option<&'static Fetch> {
    fetches().find(|fetch| fetch.name == name)
}

/// The converter of a name.
#[must_use]
pub fn find_converter(name: &str) -> Option<&'static Converter> {
    converters().find(|converter| converter.name == name)
}
