//! `renewd store`: the store as its keeper sees it.

use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::ui::answer::{Answer, SINGLE};
use clap::{Args, Subcommand};
use renewd_engine::Exit;
use renewd_engine::view::{StoreInfoView, StoreVerifyView};
use std::path::PathBuf;

/// Make, look at, verify and rebuild the store
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  renewd store init --pin policies/
  renewd store info
  renewd store verify"
)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Make an empty store
    #[command(after_help = "Examples:\n  renewd store init\n  renewd store init --pin policies/")]
    Init {
        /// Write the store's id into the renewd.lock of this directory, so that no other store can be used by mistake
        #[arg(long, value_name = "DIR")]
        pin: Option<PathBuf>,
    },
    /// Show what the store holds
    #[command(after_help = "Example:\n  renewd store info -o json")]
    Info,
    /// Check every record of the journal, and the state built from it
    #[command(after_help = "Example:\n  renewd store verify")]
    Verify,
    /// Build the queryable state anew from the journal
    #[command(after_help = "Example:\n  renewd store rebuild")]
    Rebuild,
}

pub(crate) fn store(context: &Context<'_>, args: &StoreArgs) -> Result<Exit, CliError> {
    context.ui.require(SINGLE)?;
    let engine = context.engine()?;
    match &args.command {
        StoreCommand::Init { pin } => info(context, &engine.store_init(pin.as_deref())?),
        StoreCommand::Info => info(context, &engine.store_info()?),
        StoreCommand::Verify => verified(context, "store-verification", &engine.store_verify()?),
        StoreCommand::Rebuild => verified(context, "store-rebuild", &engine.store_rebuild()?),
    }
}

fn info(context: &Context<'_>, view: &StoreInfoView) -> Result<Exit, CliError> {
    context.ui.answer(&Answer::one("store-info", view), |page| render::store::info(page, view))?;
    Ok(Exit::Done)
}

fn verified(context: &Context<'_>, kind: &'static str, view: &StoreVerifyView) -> Result<Exit, CliError> {
    context.ui.answer(&Answer::one(kind, view), |page| render::store::verification(page, view))?;
    Ok(if view.clean { Exit::Done } else { Exit::Damaged })
}
