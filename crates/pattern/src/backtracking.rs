//! A regular expression that needs backtracking, by PCRE2, as HAProxy's are. What a client sends cannot
//! make one run long: a search ends after [`STEPS`] as if nothing matched, and is counted.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use pcre2::bytes::{CaptureLocations, Regex, RegexBuilder};

/// Backtracking points of one search: some 10 ms of a worker at worst, where each leads nowhere, and
/// ten for every byte of the largest usual head.
const STEPS: u32 = 200_000;

/// KiB that PCRE2 may take to remember backtracking points, and keeps for the next search.
const HEAP: u32 = 8192;

/// What would call the whole pattern, which stands inside another one here.
const WHOLE: &[&str] = &["(?R)", "(?0)", "\\g<0>", "\\g'0'"];

static LIMITED: AtomicU64 = AtomicU64::new(0);

/// An expression of PCRE2.
#[derive(Clone)]
pub struct Backtracking(Regex);

impl Backtracking {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it, on one line.
    pub(crate) fn new(pattern: &str, icase: bool) -> Result<Self, String> {
        if let Some(call) = WHOLE.iter().find(|call| pattern.contains(**call)) {
            return Err(format!(
                "`{call}` is not supported: put the pattern in a group and write `(?1)`"
            ));
        }
        let mut builder = RegexBuilder::new();
        builder.caseless(icase);
        builder.build(pattern).map_err(|error| explained(&error))?;
        // PCRE2 counts anew for each place where a match might begin: a text of 16 KiB would have
        // 16384 times the limit. So the walk to that place is made part of the match. What ends the
        // pattern must end a `\Q`, or a comment of `(?x)`, too.
        let bounded = |end: &str| {
            builder.build(&format!(
                "(*LIMIT_MATCH={STEPS})(*LIMIT_HEAP={HEAP})\\G(?s:.*?)\\K(?:{pattern}{end})"
            ))
        };
        bounded("\\E")
            .or_else(|_| bounded("\n"))
            .map(Self)
            .map_err(|error| explained(&error))
    }

    /// Whether it matches anywhere in a text.
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        counted(self.0.is_match(text))
    }

    /// The first match that begins at an offset or behind it.
    pub(crate) fn groups_at(&self, text: &[u8], at: usize) -> Option<CaptureLocations> {
        let mut places = self.0.capture_locations();
        let found = self.0.captures_read_at(&mut places, text, at);
        counted(found.map(|found| found.is_some())).then_some(places)
    }
}

impl fmt::Debug for Backtracking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Searches of this process that ended at a limit, and so as if nothing matched.
#[must_use]
pub fn limited_searches() -> u64 {
    LIMITED.load(Ordering::Relaxed)
}

fn counted(found: Result<bool, pcre2::Error>) -> bool {
    found.unwrap_or_else(|_| {
        LIMITED.fetch_add(1, Ordering::Relaxed);
        false
    })
}

fn explained(error: &pcre2::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("PCRE2: ").unwrap_or(&text).to_owned()
}
