//! Failures on standard error: `error: …`, `hint: …`, or the JSON document that scripts read.

use super::style::Tone;
use super::{Output, Ui, clean, findings, stream};
use crate::error::CliError;
use renewd_engine::EngineError;
use renewd_policy::{Finding, Sources};
use serde::Serialize;

/// Writes a failure as the chosen format wants it. A closed pipe is no failure worth a word.
pub(crate) fn show(ui: &Ui, error: &CliError) {
    if matches!(error, CliError::BrokenPipe) {
        return;
    }
    match ui.output {
        Output::Json | Output::Ndjson | Output::Yaml => show_json(error),
        Output::Table | Output::Csv | Output::Ids => show_text(ui, error),
    }
}

fn show_text(ui: &Ui, error: &CliError) {
    if let Some((found, sources)) = found(error) {
        stream::stderr_text(&findings::drawn(found, Some(sources), ui.screen.ascii));
    }
    let mut text = format!("{} {}\n", Tone::Bad.paint("error:"), clean::block(&error.message()));
    if let Some(hint) = error.hint() {
        text.push_str(&format!("{} {}\n", Tone::Command.paint("hint:"), clean::block(&hint)));
    }
    stream::stderr_text(&text);
}

#[derive(Serialize)]
struct Failure<'a> {
    error: FailureHead<'a>,
    findings: Vec<FoundAt<'a>>,
}

#[derive(Serialize)]
struct FailureHead<'a> {
    code: &'a str,
    message: String,
    hint: Option<String>,
}

#[derive(Serialize)]
struct FoundAt<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

/// Writes a failure as one JSON document. YAML reads JSON, so it serves both.
pub(crate) fn show_json(error: &CliError) {
    let findings = found(error).map_or(&[][..], |(findings, _)| findings);
    let failure = Failure {
        error: FailureHead { code: error.code(), message: error.message(), hint: error.hint() },
        findings: findings.iter().map(found_at).collect(),
    };
    if let Ok(text) = serde_json::to_string(&failure) {
        stream::stderr_text(&format!("{text}\n"));
    }
}

fn found_at(finding: &Finding) -> FoundAt<'_> {
    FoundAt {
        file: &finding.file,
        line: finding.place.line,
        column: finding.place.column,
        code: finding.code.as_str(),
        message: &finding.message,
        hint: finding.hint.as_deref(),
    }
}

fn found(error: &CliError) -> Option<(&[Finding], &Sources)> {
    let CliError::Engine(error) = error else { return None };
    let EngineError::Findings { findings, sources } = &**error else { return None };
    Some((findings, sources))
}
