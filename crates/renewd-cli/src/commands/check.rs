//! `renewd check`: documents without a store.

use crate::context::Context;
use crate::error::CliError;
use crate::ui::answer::{Answer, SINGLE};
use crate::ui::{findings, style::Tone, words};
use clap::Args;
use renewd_engine::Exit;
use renewd_policy::Finding;
use serde::Serialize;
use std::path::PathBuf;

/// Check documents, without a store
///
/// Reports everything that is wrong at once, each finding with its place and what to write instead.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd check policies/
  renewd check policies/ -o json
  renewd check --schema > renewd.schema.json")]
pub(crate) struct CheckArgs {
    /// The directory (or one file) of documents
    #[arg(value_name = "DIR", required_unless_present = "schema")]
    directory: Option<PathBuf>,
    /// Print the JSON Schema of documents, for editors
    #[arg(long)]
    schema: bool,
}

#[derive(Serialize)]
struct Checked<'a> {
    documents: usize,
    warnings: &'a [Finding],
}

pub(crate) fn check(context: &Context<'_>, args: &CheckArgs) -> Result<Exit, CliError> {
    let ui = context.ui;
    if args.schema {
        let schema = renewd_policy::schema();
        ui.bare(&schema, |page| {
            if let Ok(text) = serde_json::to_string_pretty(&schema) {
                text.lines().for_each(|line| page.line(line));
            }
        })?;
    }
    let Some(directory) = &args.directory else { return Ok(Exit::Done) };
    ui.require(SINGLE)?;
    let view = context.engine()?.check(directory)?;
    let checked = Checked { documents: view.documents, warnings: &view.warnings };
    if args.schema {
        return Ok(Exit::Done);
    }
    ui.answer(&Answer::one("check", &checked), |page| {
        if !view.warnings.is_empty() {
            page.drawn(&findings::drawn(&view.warnings, Some(&view.sources), page.screen().ascii));
        }
        let count = words::count(view.documents, "document");
        match view.warnings.len() {
            0 => page.say(Tone::Good, format!("{count}, nothing wrong")),
            warnings => page.say(Tone::Warn, format!("{count}, {}", words::count(warnings, "warning"))),
        }
    })?;
    Ok(Exit::Done)
}
