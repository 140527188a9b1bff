//! A match method with its patterns, for what never changes.

use std::sync::Arc;

use isthmus_plan::{ListValues, MatchMethod};

use crate::batch::Batch;
use crate::input::Input;
use crate::integer::without_operators;
use crate::set::{Hosts, Way};
use crate::view::{PatternError, View};

/// Patterns, compiled for one method.
#[derive(Debug)]
pub struct Matcher(View);

impl Matcher {
    /// Compiles patterns.
    ///
    /// # Errors
    /// A pattern is not what the method takes: not a number, not an address, not hexadecimal, not
    /// a regular expression.
    pub fn compile(
        method: MatchMethod,
        icase: bool,
        patterns: &[&[u8]],
    ) -> Result<Self, PatternError> {
        let view = View::new(Way { method, icase }, ListValues::Unused);
        let (places, written) = plain(method, patterns);
        let keys: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
        let layer = view
            .layer(&Arc::new(Batch::of_keys(&keys)), &Hosts::new())
            .map_err(|error| PatternError {
                index: places.get(error.index).copied().unwrap_or(error.index),
                ..error
            })?;
        view.publish(vec![layer]);
        Ok(Self(view))
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> MatchMethod {
        self.0.method()
    }

    /// Whether any pattern matches.
    #[must_use]
    pub fn matches(&self, input: Input<'_>) -> bool {
        self.0.matches(input)
    }
}

/// Patterns without the operators that may stand among integers, each with its place among those given.
pub(crate) fn plain(method: MatchMethod, patterns: &[&[u8]]) -> (Vec<usize>, Vec<Vec<u8>>) {
    if !matches!(method, MatchMethod::Int | MatchMethod::Len) {
        return patterns.iter().map(|p| p.to_vec()).enumerate().unzip();
    }
    let lowered = without_operators(patterns).into_iter();
    let written = lowered.map(|(index, range)| {
        // What is no range under its operator, as `gt` the highest number, must not pass for one alone.
        let as_is = || {
            let written = patterns.get(index).copied().unwrap_or_default();
            [b"no range: ", written].concat()
        };
        (
            index,
            range.map_or_else(as_is, |range| range.to_string().into_bytes()),
        )
    });
    written.unzip()
}
