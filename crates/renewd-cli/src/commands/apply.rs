//! `renewd apply`: makes the documents the desired state. Moves no money.

use crate::context::Context;
use crate::error::CliError;
use crate::exit;
use crate::render;
use crate::ui::answer::{Answer, SINGLE};
use crate::ui::page::Page;
use crate::ui::{Output, prompt};
use clap::{Args, ValueEnum};
use renewd_engine::view::AppliedView;
use renewd_engine::{Allow, Desired, Exit};
use std::path::PathBuf;

/// Make a directory of documents the desired state
///
/// Moves no money: it also places the orders of new requests, but never pays them. On a terminal it asks first,
/// without one it goes ahead.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd apply policies/
  renewd apply policies/ --resources inventory.csv --allow grants
  renewd plan policies/ --out plan.json && renewd apply --plan plan.json")]
pub(crate) struct ApplyArgs {
    /// The complete desired set of documents
    #[arg(value_name = "DIR", required_unless_present = "plan")]
    directory: Option<PathBuf>,
    /// Import this inventory in the same revision
    #[arg(long, value_name = "FILE")]
    resources: Option<PathBuf>,
    /// Apply a plan that was saved with `plan --out`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["directory", "resources"])]
    plan: Option<PathBuf>,
    /// Allow what is refused otherwise: removals of documents, or wider grants of plugins
    #[arg(long, value_enum, value_name = "removals|grants", value_delimiter = ',', hide_possible_values = true)]
    allow: Vec<Allowed>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Allowed {
    /// Documents may vanish
    Removals,
    /// Plugins may reach more than before
    Grants,
}

pub(crate) fn apply(context: &Context<'_>, args: &ApplyArgs) -> Result<Exit, CliError> {
    let ui = context.ui;
    ui.require(SINGLE)?;
    let engine = context.engine()?;
    let planned = match &args.plan {
        Some(file) => engine.load_plan(file)?,
        None => engine.plan(&Desired { directory: args.directory.clone(), resources: args.resources.clone() })?,
    };
    let asks = ui.interactive() && !args.yes && args.plan.is_none() && !planned.view.empty;
    let mut page = Page::new(ui.screen);
    let shown = render::plan::Shown { overrides: false, followed: !asks };
    render::plan::plan(&mut page, &planned.view, shown);
    if asks || (ui.output == Output::Table && !ui.quiet) {
        ui.show_page(&page)?;
    }
    if asks {
        prompt::confirm("apply this?")?;
    }
    let allow =
        Allow { removals: args.allow.contains(&Allowed::Removals), grants: args.allow.contains(&Allowed::Grants) };
    let view = engine.apply(planned, &allow)?;
    ui.answer(&Answer::one("apply", &view), |page| render::plan::applied(page, &view))?;
    Ok(exit_of(&view))
}

/// A request's refused items are told once, by the apply that meets them first.
fn exit_of(view: &AppliedView) -> Exit {
    let refused = if view.refused > 0 && view.changed { Exit::Partly } else { Exit::Done };
    let placed = view.placed.iter().map(|planned| exit::of_status(&planned.order.status));
    let import = view.plan.import.as_ref().map_or(Exit::Done, exit::of_import);
    placed.fold(refused.worse(import), Exit::worse)
}
