//! `renewd plan`: what `apply` would change, and the money that comes of it.

use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::ui::answer::{Answer, SINGLE};
use clap::Args;
use renewd_engine::{Desired, Exit};
use std::path::PathBuf;

/// Show what apply would change, and what the next run would charge
///
/// Without DIR the documents in force stay, which shows what an inventory or the clock alone would change.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd plan policies/
  renewd plan policies/ --resources inventory.csv --out plan.json
  renewd plan policies/ --detailed-exitcode")]
pub(crate) struct PlanArgs {
    /// The complete desired set of documents
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Import this inventory in the same revision
    #[arg(long, value_name = "FILE")]
    resources: Option<PathBuf>,
    /// Save the plan for `apply --plan`; it can be applied once, while nothing has moved
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 2 where something would change
    #[arg(long)]
    detailed_exitcode: bool,
    /// List each override of a mode too
    #[arg(long, value_name = "overrides", value_parser = ["overrides"], hide_possible_values = true)]
    show: Vec<String>,
}

pub(crate) fn plan(context: &Context<'_>, args: &PlanArgs) -> Result<Exit, CliError> {
    context.ui.require(SINGLE)?;
    let desired = Desired { directory: args.directory.clone(), resources: args.resources.clone() };
    let planned = context.engine()?.plan(&desired)?;
    if let Some(file) = &args.out {
        planned.save(file)?;
        context.ui.note(&format!("saved the plan; apply it with `renewd apply --plan {}`", file.display()));
    }
    let view = &planned.view;
    let shown = render::plan::Shown { overrides: !args.show.is_empty(), followed: false };
    context.ui.answer(&Answer::one("plan", view), |page| render::plan::plan(page, view, shown))?;
    Ok(if args.detailed_exitcode && !view.empty { Exit::ChangesPending } else { Exit::Done })
}
