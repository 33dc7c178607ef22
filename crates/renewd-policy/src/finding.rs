//! Findings: what is wrong in a document, where, and what to write instead.
//!
//! Bad input is data, so a finding is a value and never an error that ends the reading early. Nothing here renders
//! snippets; see [`crate::Sources`] for the text they are cut from.

pub use crate::code::Code;
use crate::limits::QUOTED_CHARS_MAX;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// A place in a file. Lines and columns count from 1, columns and lengths in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// How many characters on that line the place covers, at least 1.
    pub len: u32,
}

impl Place {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1, len: 1 };
}

/// Whether a finding stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The documents cannot be used.
    Error,
    /// The documents can be used; somebody should look.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The file, as it was given or found below the given directory.
    pub file: String,
    /// Where in the file.
    #[serde(flatten)]
    pub place: Place,
    /// What kind of finding.
    pub code: Code,
    /// What is wrong, lower-case, the user's text in backticks.
    pub message: String,
    /// The next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether it stands in the way.
    pub severity: Severity,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.place.line, self.place.column, self.message)
    }
}

/// A finding before it has a place: what a value's own rule says about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What kind of finding.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The same problem with its next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The finding at a place.
    pub fn at(self, file: &str, place: Place) -> Finding {
        let Self { code, message, hint } = self;
        Finding { file: file.to_owned(), place, code, message, hint, severity: Severity::Error }
    }
}

/// Text of the user as messages repeat it: in backticks, on one line, shortened, and without control characters.
pub fn quoted(text: &str) -> String {
    let mut shown: String =
        text.chars().take(QUOTED_CHARS_MAX).map(|c| if c.is_control() || c == '`' { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(QUOTED_CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Findings of many files, sorted by file, line and column when taken out.
#[derive(Debug, Clone, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds one.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Adds an error at a place.
    pub fn error(&mut self, file: &str, place: Place, problem: Problem) {
        self.push(problem.at(file, place));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The files that have an error.
    pub(crate) fn files_with_errors(&self) -> BTreeSet<String> {
        self.0.iter().filter(|f| f.severity == Severity::Error).map(|f| f.file.clone()).collect()
    }

    /// Adds all of another collection.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Keeps at most `max` and says so when there were more.
    pub(crate) fn cap(&mut self, file: &str, max: usize) {
        if self.0.len() <= max {
            return;
        }
        self.0.sort_by(order);
        let place = self.0.get(max).map_or(Place::START, |finding| finding.place);
        let more = self.0.len().saturating_sub(max);
        self.0.truncate(max);
        let message = format!("{more} or more further findings in this file are not shown");
        self.error(
            file,
            place,
            Problem::new(Code::TooManyFindings, message).hint("fix the first ones and check again"),
        );
    }

    /// All findings, sorted by file, line and column.
    pub fn into_sorted(mut self) -> Vec<Finding> {
        self.0.sort_by(order);
        self.0.dedup();
        self.0
    }
}

fn order(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    let key = |f: &Finding| (f.place.line, f.place.column, f.code);
    a.file.cmp(&b.file).then_with(|| key(a).cmp(&key(b))).then_with(|| a.message.cmp(&b.message))
}
