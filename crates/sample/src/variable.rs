//! Variables (manual, `set-var`): a scope says how long a variable lives, a name which one it is.
//! Names become numbers when a configuration is compiled.

use std::collections::HashMap;

use crate::tls::TlsNeeds;
use crate::value::Sample;

/// How long a variable lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// As long as the process.
    Proc,
    /// As long as the client's connection.
    Sess,
    /// As long as the stream (request and response).
    Txn,
    /// While the request is processed.
    Req,
    /// While the response is processed.
    Res,
    /// During a health check.
    Check,
}

/// A variable, by scope and number of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarRef {
    /// How long it lives.
    pub scope: Scope,
    /// Number of its name in [`Names`].
    pub id: u32,
}

/// What expressions named so far: variables, and facts of TLS. One table serves the process, and
/// a new plan adds to it, so that variables of scope `proc` outlive the plan that set them.
#[derive(Debug, Default, Clone)]
pub struct Names {
    /// What is asked of connections' TLS.
    pub tls: TlsNeeds,
    ids: HashMap<Box<[u8]>, u32>,
    names: Vec<Box<[u8]>>,
}

impl Names {
    /// The variable called `scope.name`.
    ///
    /// # Errors
    /// The scope is unknown, or the name empty or with a character outside `[A-Za-z0-9_.]`.
    pub fn variable(&mut self, name: &[u8]) -> Result<VarRef, String> {
        let shown = || String::from_utf8_lossy(name).into_owned();
        let dot = name.iter().position(|&b| b == b'.');
        let (scope, rest) = dot
            .and_then(|at| name.split_at_checked(at))
            .ok_or_else(|| format!("invalid variable name '{}': a scope must be given", shown()))?;
        let scope = match scope {
            b"proc" => Scope::Proc,
            b"sess" => Scope::Sess,
            b"txn" => Scope::Txn,
            b"req" => Scope::Req,
            b"res" => Scope::Res,
            b"check" => Scope::Check,
            _ => {
                return Err(format!(
                    "invalid variable name '{}': the scope is 'proc', 'sess', 'txn', 'req', 'res' or 'check'",
                    shown()
                ));
            }
        };
        let rest = rest.get(1..).unwrap_or_default();
        let allowed = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'.';
        if rest.is_empty() || !rest.iter().all(allowed) {
            return Err(format!(
                "invalid variable name '{}': use letters, digits, '.' and '_'",
                shown()
            ));
        }
        Ok(VarRef {
            scope,
            id: self.intern(rest),
        })
    }

    /// The name of number `id`, without its scope.
    #[must_use]
    pub fn name(&self, id: u32) -> Option<&[u8]> {
        self.names.get(id as usize).map(AsRef::as_ref)
    }

    /// The variable called `scope.name`, where it is known already.
    #[must_use]
    pub fn known(&mut self, name: &[u8]) -> Option<VarRef> {
        let dot = name.iter().position(|&b| b == b'.')?;
        self.ids.get(name.get(dot + 1..)?)?;
        self.variable(name).ok()
    }

    fn intern(&mut self, name: &[u8]) -> u32 {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.into());
        self.ids.insert(name.into(), id);
        id
    }
}

/// The variables of one scope of one session. Sessions set few, so they are kept in a list.
#[derive(Debug, Default, Clone)]
pub struct Variables {
    values: Vec<(u32, Sample<'static>)>,
}

impl Variables {
    /// The value of a variable.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&Sample<'static>> {
        self.values
            .iter()
            .find(|(have, _)| *have == id)
            .map(|(_, value)| value)
    }

    /// Sets or forgets a variable.
    pub fn set(&mut self, id: u32, value: Option<Sample<'static>>) {
        let place = self.values.iter().position(|(have, _)| *have == id);
        match (place, value) {
            (Some(at), None) => {
                self.values.swap_remove(at);
            }
            (Some(at), Some(value)) => {
                if let Some((_, old)) = self.values.get_mut(at) {
                    *old = value;
                }
            }
            (None, Some(value)) => self.values.push((id, value)),
            (None, None) => {}
        }
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// Numbers of the names that are set, and their values.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Sample<'static>)> {
        self.values.iter().map(|(id, value)| (*id, value))
    }
}
