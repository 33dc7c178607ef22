//! Checks spanned documents: each key and value against the field tables, then the rules between fields.
//!
//! Reports everything in one pass and accepts nothing by itself: a document becomes a value only in
//! [`crate::assemble`], and only when no finding stands in the way.

mod document;
mod keys;
pub(crate) mod prices;
mod references;
mod rules;
mod scalars;
mod shapes;

pub(crate) use document::{Header, check_document};
pub(crate) use prices::{PlacedRow, check_rows, inline_rows, price_file_rows};
pub(crate) use references::{Outline, check_references};
pub(crate) use rules::DEFAULT_TERM;

use crate::fields::Target;
use crate::finding::{Code, Finding, Findings, Place, Problem, Severity};
use crate::limits::FINDINGS_PER_FILE_MAX;

/// A place where a document names another one.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) target: Target,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) place: Place,
}

/// What the checks of one file write to.
pub(crate) struct Report<'a> {
    pub(crate) file: &'a str,
    pub(crate) findings: Findings,
    pub(crate) references: Vec<Reference>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: &'a str) -> Self {
        Self { file, findings: Findings::default(), references: Vec::new() }
    }

    pub(crate) fn error(&mut self, place: Place, problem: Problem) {
        if !self.is_full() {
            self.findings.error(self.file, place, problem);
        }
    }

    pub(crate) fn warning(&mut self, place: Place, problem: Problem) {
        if !self.is_full() {
            self.findings.push(Finding { severity: Severity::Warning, ..problem.at(self.file, place) });
        }
    }

    /// One more than is shown, so that the cut is noticed.
    pub(crate) fn is_full(&self) -> bool {
        self.findings.len() > FINDINGS_PER_FILE_MAX
    }
}

/// The problem of a key that must be there.
pub(crate) fn missing(field: &str, hint: String) -> Problem {
    Problem::new(Code::MissingField, format!("`{field}` is missing")).hint(hint)
}
