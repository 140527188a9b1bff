//! Lists of patterns: loaded for a plan unless the one before it loaded them already, and looked at or
//! changed by operators while workers match against them.

use std::collections::HashMap;
use std::sync::Arc;

use isthmus_pattern::{Columns, Hosts, Input, List, Refusal, Which};
use isthmus_plan::{
    self as plan, ByteString, ListAnswer, ListCheck, ListFacts, ListRefusal, ListRequest, Lookup,
    MatchMethod,
};
use isthmus_sample::Program;

use crate::compile::Errors;
use crate::control::Control;
use crate::registry::Registry;

/// What pattern files hold, by the digests that the plan names.
pub type Files<'f> = HashMap<String, &'f [u8]>;

/// Messages about one file that are worth reading.
const MOST_MESSAGES: usize = 20;

/// A list as operators name it.
pub(crate) struct Listed {
    pub(crate) id: u32,
    /// The file; empty for the patterns of an ACL line.
    pub(crate) name: String,
    pub(crate) digest: String,
    description: String,
    acl: bool,
    pub(crate) list: Arc<List>,
}

/// What is wrong with the text of a file for a use of it, by line.
#[must_use]
pub fn check_list(text: &[u8], check: &ListCheck) -> Vec<(usize, String)> {
    let uses = (check.method, check.values);
    let hosts = hosts(&check.hosts);
    List::check(
        &Arc::from(text),
        columns(check.two_columns),
        uses,
        &hosts,
        MOST_MESSAGES,
    )
}

/// Whether a regular expression is one.
///
/// # Errors
/// What is wrong with it, on one line.
pub fn check_regex(pattern: &[u8]) -> Result<(), String> {
    isthmus_pattern::Expression::new(pattern, false).map(|_| ())
}

/// The lists of a plan. One that was loaded before is kept as long as its file is the same; changes
/// that operators made to it are not, unless it is in memory only or the plan came without the file's
/// text: then it is the running configuration with something else changed.
pub(crate) fn named(
    plan: &plan::Plan,
    files: &Files<'_>,
    registry: &Registry,
) -> Result<Vec<Arc<List>>, Errors> {
    let load = |from: &plan::PatternList| {
        let columns = columns(from.two_columns);
        let in_memory = from.digest.is_empty();
        if let Some((digest, known)) = registry.lists.get(&from.name) {
            let same = *digest == from.digest && known.columns() == columns;
            let unread = !files.contains_key(&from.digest);
            if same && (in_memory || unread || !known.touched()) {
                return Ok(known.clone());
            }
        }
        let text: Arc<[u8]> = match files.get(&from.digest) {
            Some(text) => Arc::from(*text),
            None if in_memory => Arc::default(),
            None => {
                return Err(vec![(
                    from.name.clone(),
                    "came without its text".to_owned(),
                )]);
            }
        };
        Ok(Arc::new(List::read(text, columns, hosts(&from.hosts))))
    };
    plan.lists.iter().map(load).collect()
}

/// Every list of a plan by number: files, and the patterns of ACL lines.
pub(crate) fn all(plan: &plan::Plan, named: &[Arc<List>], program: &Program) -> Vec<Listed> {
    let files = plan.lists.iter().zip(named).map(|(from, list)| Listed {
        id: from.id,
        name: from.name.clone(),
        digest: from.digest.clone(),
        description: from.description.clone(),
        acl: from.acl,
        list: list.clone(),
    });
    let lines = program.lists().iter().map(|line| Listed {
        id: line.id,
        name: String::new(),
        digest: String::new(),
        description: line.description.clone(),
        acl: true,
        list: line.list.clone(),
    });
    let mut all: Vec<Listed> = files.chain(lines).collect();
    all.sort_by_key(|listed| listed.id);
    all
}

const fn columns(two: bool) -> Columns {
    if two { Columns::Two } else { Columns::One }
}

fn hosts(from: &[(ByteString, std::net::IpAddr)]) -> Hosts {
    from.iter()
        .map(|(name, ip)| (name.as_bytes().to_vec(), *ip))
        .collect()
}

impl Control {
    /// Carries out what operators ask of lists.
    pub(crate) fn lists(&self, request: &ListRequest) -> ListAnswer {
        let current = self.current();
        let lists = current.as_ref().map_or(&[][..], |g| g.lists.as_slice());
        if let ListRequest::Lists {} = request {
            return ListAnswer::Lists {
                lists: lists.iter().map(facts).collect(),
            };
        }
        match lists
            .iter()
            .find(|listed| Some(listed.id) == number(request))
        {
            Some(listed) => carry_out(&listed.list, request).unwrap_or_else(refused),
            None => ListAnswer::Refused {
                why: ListRefusal::List,
                message: String::new(),
            },
        }
    }
}

const fn number(request: &ListRequest) -> Option<u32> {
    match request {
        ListRequest::Lists {} => None,
        ListRequest::Entries { list, .. }
        | ListRequest::Lookup { list, .. }
        | ListRequest::Add { list, .. }
        | ListRequest::Set { list, .. }
        | ListRequest::Delete { list, .. }
        | ListRequest::Clear { list, .. }
        | ListRequest::Prepare { list }
        | ListRequest::Commit { list, .. } => Some(*list),
    }
}

fn facts(listed: &Listed) -> ListFacts {
    let facts = listed.list.facts();
    ListFacts {
        id: listed.id,
        name: listed.name.clone(),
        description: listed.description.clone(),
        two_columns: listed.list.columns() == Columns::Two,
        acl: listed.acl,
        current: facts.current,
        next: facts.next,
        entries: facts.entries,
    }
}

fn refused(refusal: Refusal) -> ListAnswer {
    let (why, message) = match refusal {
        Refusal::Version => (ListRefusal::Version, String::new()),
        Refusal::NotFound => (ListRefusal::NotFound, String::new()),
        Refusal::Wrong(error) => (ListRefusal::Wrong, error.message),
    };
    ListAnswer::Refused { why, message }
}

fn carry_out(list: &List, request: &ListRequest) -> Result<ListAnswer, Refusal> {
    match request {
        ListRequest::Lists {} => {}
        ListRequest::Entries { version, .. } => return Ok(entries(list, *version)),
        ListRequest::Lookup { text, .. } => return Ok(lookup(list, text.as_bytes())),
        ListRequest::Add {
            version, entries, ..
        } => {
            let entries: Vec<(&[u8], &[u8])> = (entries.iter())
                .map(|(key, value)| (key.as_bytes(), value.as_bytes()))
                .collect();
            list.add(*version, &entries)?;
        }
        ListRequest::Set {
            key, entry, value, ..
        } => list.set(meant(key, *entry), value.as_bytes())?,
        ListRequest::Delete { key, entry, .. } => list.delete(meant(key, *entry))?,
        ListRequest::Clear { version, .. } => list.clear(*version),
        ListRequest::Prepare { .. } => {
            return Ok(ListAnswer::Version {
                version: list.prepare(),
            });
        }
        ListRequest::Commit { version, .. } => list.commit(*version)?,
    }
    Ok(ListAnswer::Done {})
}

fn meant(key: &ByteString, entry: Option<u32>) -> Which<'_> {
    entry.map_or(Which::Key(key.as_bytes()), Which::Id)
}

fn entries(list: &List, version: Option<u32>) -> ListAnswer {
    let shown = list.entries(version).into_iter();
    ListAnswer::Entries {
        entries: shown
            .map(|entry| (entry.id, ByteString(entry.key), ByteString(entry.value)))
            .collect(),
    }
}

fn lookup(list: &List, text: &[u8]) -> ListAnswer {
    let input = Input::Str(text);
    let uses = list.views().into_iter().map(|view| {
        let found = view.find(input, |found| {
            let value = found.value(<[u8]>::to_vec);
            (ByteString(found.key().to_vec()), ByteString(value))
        });
        let by_itself = matches!(view.method(), MatchMethod::Found | MatchMethod::Bool);
        let nothing = || (ByteString(Vec::new()), ByteString(Vec::new()));
        Lookup {
            method: view.method(),
            ignore_case: view.ignores_case(),
            values: view.values(),
            found: found.or_else(|| (by_itself && view.matches(input)).then(nothing)),
        }
    });
    ListAnswer::Found {
        uses: uses.collect(),
    }
}
