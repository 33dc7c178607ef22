//! `renewd plugin`: what a plugin is, can reach, and is pinned to.

use super::plugin_test::{TestArgs, test};
use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::ui::answer::{ALL, Answer, Rows, SINGLE};
use clap::{Args, Subcommand};
use renewd_engine::Exit;
use renewd_engine::view::{LockChange, PluginRow};
use serde::Serialize;
use std::path::PathBuf;

/// Inspect, list, pin and try plugins
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  renewd plugin inspect plugins/dist/stripe.wasm
  renewd plugin list
  renewd plugin lock policies/ --upgrade stripe
  renewd plugin test stripe policies/ --call find-charge --request ask.json"
)]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Debug, Subcommand)]
enum PluginCommand {
    /// Prove what a component imports, exports and can reach
    #[command(after_help = "Example:\n  renewd plugin inspect plugins/dist/price-list.wasm")]
    Inspect {
        /// The component
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List the plugins in force
    #[command(after_help = "Example:\n  renewd plugin list -o json")]
    List,
    /// Write missing entries of renewd.lock, or take a changed plugin
    ///
    /// The lock pins each plugin's digest, world, grants and limits; apply refuses a plugin that does not match it.
    #[command(
        after_help = "Examples:\n  renewd plugin lock policies/\n  renewd plugin lock policies/ --upgrade stripe"
    )]
    Lock {
        /// The directory of documents, beside which the lock lies
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Take this plugin as it is now
        #[arg(long, value_name = "NAME")]
        upgrade: Option<String>,
    },
    Test(TestArgs),
}

#[derive(Serialize)]
struct Plugins {
    plugins: Vec<PluginRow>,
}

#[derive(Serialize)]
struct Changes {
    changes: Vec<LockChange>,
}

const COLUMNS: &[&str] = &["name", "role", "file", "sha256", "stored", "usedBy"];

pub(crate) fn plugin(context: &Context<'_>, args: &PluginArgs) -> Result<Exit, CliError> {
    let ui = context.ui;
    match &args.command {
        PluginCommand::Inspect { file } => {
            ui.require(SINGLE)?;
            let view = context.engine()?.plugin_inspect(file)?;
            ui.answer(&Answer::one("plugin-inspection", &view), |page| render::plugin::inspection(page, &view))?;
            Ok(if view.problems.is_empty() { Exit::Done } else { Exit::Invalid })
        }
        PluginCommand::List => {
            ui.require(ALL)?;
            let body = Plugins { plugins: context.engine()?.plugin_list()? };
            let rows = Rows { lines: &body.plugins, columns: COLUMNS, cells, id: |row| Some(row.name.clone()) };
            let answer = Answer { kind: "plugin-list", body: &body, rows: Some(rows) };
            ui.answer(&answer, |page| render::plugin::list(page, &body.plugins))?;
            Ok(Exit::Done)
        }
        PluginCommand::Lock { directory, upgrade } => {
            ui.require(SINGLE)?;
            let body = Changes { changes: context.engine()?.plugin_lock(directory, upgrade.as_deref())? };
            ui.answer(&Answer::one("plugin-lock", &body), |page| render::plugin::lock(page, &body.changes))?;
            Ok(Exit::Done)
        }
        PluginCommand::Test(args) => test(context, args),
    }
}

fn cells(row: &PluginRow) -> Vec<String> {
    vec![
        row.name.clone(),
        row.role.clone(),
        row.file.clone(),
        row.sha256.clone(),
        row.stored.to_string(),
        row.used_by.join(" "),
    ]
}
