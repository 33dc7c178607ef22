//! An answer in the format that was asked for.
//!
//! The JSON document is the contract: YAML is the same value, NDJSON the same items one a line. Text is for people and
//! may change. A format that does not fit an answer is a usage error, never an empty output.

use super::page::Page;
use super::{Output, Ui, stream};
use crate::error::CliError;
use anyhow::{Context as _, anyhow};
use serde::Serialize;
use std::io::{self, IsTerminal as _, Write};

/// Version of every JSON document; it rises when a field changes its meaning or goes.
pub(crate) const FORMAT_VERSION: u8 = 1;

/// The items of an answer that is a list.
pub(crate) struct Rows<'a, L> {
    /// One line of NDJSON each.
    pub(crate) lines: &'a [L],
    /// Columns of the CSV; none where the answer has no CSV.
    pub(crate) columns: &'static [&'static str],
    /// The CSV cells of an item.
    pub(crate) cells: fn(&L) -> Vec<String>,
    /// The id of an item, where it has one.
    pub(crate) id: fn(&L) -> Option<String>,
}

/// What a command answers.
pub(crate) struct Answer<'a, B, L = ()> {
    /// The `kind` of the JSON document.
    pub(crate) kind: &'static str,
    /// Its other fields.
    pub(crate) body: &'a B,
    /// Its items, where it is a list.
    pub(crate) rows: Option<Rows<'a, L>>,
}

impl<'a, B: Serialize> Answer<'a, B> {
    /// An answer about one thing.
    pub(crate) fn one(kind: &'static str, body: &'a B) -> Self {
        Self { kind, body, rows: None }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, B> {
    format_version: u8,
    kind: &'static str,
    #[serde(flatten)]
    body: &'a B,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    format_version: u8,
    kind: &'static str,
}

impl Ui {
    /// Refuses a format that the answer will not have, before anything is done.
    pub(crate) fn require(&self, formats: &[Output]) -> Result<(), CliError> {
        if formats.contains(&self.output) {
            return Ok(());
        }
        let words: Vec<&str> = formats.iter().map(|format| format.as_str()).collect();
        Err(CliError::usage(
            format!("this answer cannot be written as `{}`", self.output.as_str()),
            format!("use `--output {}`", words.join("|")),
        ))
    }

    /// Writes an answer; `draw` makes the text for people.
    pub(crate) fn answer<B: Serialize, L: Serialize>(
        &self,
        answer: &Answer<'_, B, L>,
        draw: impl FnOnce(&mut Page),
    ) -> Result<(), CliError> {
        let body = Document { format_version: FORMAT_VERSION, kind: answer.kind, body: answer.body };
        match (self.output, &answer.rows) {
            (Output::Table, _) => {
                let mut page = Page::new(self.screen);
                draw(&mut page);
                Ok(stream::stdout_text(page.as_str())?)
            }
            (Output::Json, _) => stream::stdout_bytes(|out| json(out, &body, io::stdout().is_terminal())),
            (Output::Yaml, _) => stream::stdout_bytes(|out| yaml(out, &body)),
            (Output::Ndjson, Some(rows)) => stream::stdout_bytes(|out| {
                json(out, &Header { format_version: FORMAT_VERSION, kind: answer.kind }, false)?;
                rows.lines.iter().try_for_each(|line| json(out, line, false))
            }),
            (Output::Csv, Some(rows)) if !rows.columns.is_empty() => stream::stdout_bytes(|out| csv(out, rows)),
            (Output::Ids, Some(rows)) => {
                let ids: Vec<String> = rows.lines.iter().filter_map(rows.id).collect();
                stream::stdout_bytes(|out| Ok(ids.iter().try_for_each(|id| writeln!(out, "{id}"))?))
            }
            (Output::Ndjson | Output::Csv | Output::Ids, _) => self.require(&formats_of(answer.rows.as_ref())),
        }
    }

    /// Writes an answer as one JSON document on one line, for answers that follow one another.
    pub(crate) fn document_line<B: Serialize>(&self, answer: &Answer<'_, B>) -> Result<(), CliError> {
        let body = Document { format_version: FORMAT_VERSION, kind: answer.kind, body: answer.body };
        stream::stdout_bytes(|out| json(out, &body, false))
    }

    /// Writes a bare value that is no document: `align date` and the JSON Schema.
    pub(crate) fn bare(&self, value: &impl Serialize, draw: impl FnOnce(&mut Page)) -> Result<(), CliError> {
        self.require(BARE)?;
        match self.output {
            Output::Yaml => stream::stdout_bytes(|out| yaml(out, value)),
            Output::Json | Output::Ndjson => stream::stdout_bytes(|out| json(out, value, false)),
            Output::Table | Output::Csv | Output::Ids => {
                let mut page = Page::new(self.screen);
                draw(&mut page);
                Ok(stream::stdout_text(page.as_str())?)
            }
        }
    }
}

/// Formats of an answer about one thing.
pub(crate) const SINGLE: &[Output] = &[Output::Table, Output::Json, Output::Yaml];
/// Formats of an answer that is no document.
const BARE: &[Output] = &[Output::Table, Output::Json, Output::Ndjson, Output::Yaml];
/// Formats of answers that follow one another.
pub(crate) const LINES: &[Output] = &[Output::Table, Output::Ndjson];
/// All formats.
pub(crate) const ALL: &[Output] =
    &[Output::Table, Output::Json, Output::Ndjson, Output::Yaml, Output::Csv, Output::Ids];

fn formats_of<L>(rows: Option<&Rows<'_, L>>) -> Vec<Output> {
    match rows {
        None => SINGLE.to_vec(),
        Some(rows) if rows.columns.is_empty() => ALL.iter().copied().filter(|f| *f != Output::Csv).collect(),
        Some(_) => ALL.to_vec(),
    }
}

fn json(out: &mut dyn Write, value: &impl Serialize, pretty: bool) -> Result<(), CliError> {
    let written =
        if pretty { serde_json::to_writer_pretty(&mut *out, value) } else { serde_json::to_writer(&mut *out, value) };
    written.map_err(|error| match error.io_error_kind() {
        Some(kind) => CliError::from(io::Error::from(kind)),
        None => CliError::Bug(anyhow::Error::new(error).context("the answer cannot be written as JSON")),
    })?;
    Ok(out.write_all(b"\n")?)
}

fn yaml(out: &mut dyn Write, value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_saphyr::to_string(value).context("the answer cannot be written as YAML")?;
    out.write_all(text.as_bytes())?;
    if text.ends_with('\n') { Ok(()) } else { Ok(out.write_all(b"\n")?) }
}

fn csv<L>(out: &mut dyn Write, rows: &Rows<'_, L>) -> Result<(), CliError> {
    let mut writer = ::csv::Writer::from_writer(out);
    let failed = |error: ::csv::Error| match error.into_kind() {
        ::csv::ErrorKind::Io(error) => CliError::from(error),
        other => CliError::Bug(anyhow!("the answer cannot be written as CSV: {other:?}")),
    };
    writer.write_record(rows.columns).map_err(failed)?;
    for line in rows.lines {
        writer.write_record((rows.cells)(line)).map_err(failed)?;
    }
    Ok(writer.flush()?)
}
