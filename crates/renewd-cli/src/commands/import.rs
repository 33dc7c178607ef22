//! `renewd import`: inventories in.

use crate::context::Context;
use crate::error::CliError;
use crate::exit;
use crate::render;
use crate::ui::answer::{Answer, SINGLE};
use clap::{Args, ValueEnum};
use renewd_engine::{Exit, ImportOptions, Take};
use std::path::PathBuf;

/// Import an inventory of resources
///
/// A CSV file has the columns id, name, account, kind, sku, quantity, region, labels, expiry, anchorDay, mode, price,
/// externalId and renewable; JSON and NDJSON have the same fields. What was renewed here survives an inventory that
/// still shows the old date. A bad row changes nothing at all, unless --skip-bad.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd import inventory.csv
  vendor-cli list --json | renewd import - --format json
  renewd import inventory.csv --take inventory")]
pub(crate) struct ImportArgs {
    /// The file; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Leave bad rows out instead of changing nothing
    #[arg(long)]
    skip_bad: bool,
    /// Settle conflicts in favour of the inventory or the store
    #[arg(long, value_enum, value_name = "inventory|store", hide_possible_values = true)]
    take: Option<Taken>,
    /// Read the file as csv, json or ndjson, whatever its name
    #[arg(long, value_name = "FORMAT", value_parser = ["csv", "json", "ndjson"], hide_possible_values = true)]
    format: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Taken {
    /// The inventory wins
    Inventory,
    /// The store wins
    Store,
}

pub(crate) fn import(context: &Context<'_>, args: &ImportArgs) -> Result<Exit, CliError> {
    context.ui.require(SINGLE)?;
    let take = args.take.map(|taken| match taken {
        Taken::Inventory => Take::Inventory,
        Taken::Store => Take::Store,
    });
    let options = ImportOptions { skip_bad: args.skip_bad, take, format: args.format.clone() };
    let view = context.engine()?.import(&args.file, &options)?;
    context.ui.answer(&Answer::one("import", &view), |page| render::import::import(page, &view))?;
    Ok(exit::of_import(&view))
}
