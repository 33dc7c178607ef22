//! `renewd store`: the store as its keeper sees it.

use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::ui::answer::{Answer, SINGLE};
use clap::{Args, Subcommand};
use renewd_engine::Exit;
use renewd_engine::view::{StoreCopyView, StoreInfoView, StoreSalvageView, StoreVerifyView};
use std::path::PathBuf;

/// Make, look at, verify, rebuild and copy the store
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  renewd store init --pin policies/
  renewd store verify
  renewd store backup /backups/renewd-2026-12-01"
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
    ///
    /// Of a backup every byte is read that restoring it would take over; nothing is changed.
    #[command(after_help = "Examples:\n  renewd store verify\n  renewd store verify /backups/renewd-2026-12-01")]
    Verify {
        /// The directory of a backup, instead of the store
        #[arg(value_name = "BACKUP")]
        backup: Option<PathBuf>,
    },
    /// Build the queryable state anew from the journal
    #[command(after_help = "Example:\n  renewd store rebuild")]
    Rebuild,
    /// Copy the store to a new directory, while others go on using it
    ///
    /// The copy is whole or absent, and is verified before it appears. It is no store until it is restored.
    #[command(after_help = "Example:\n  renewd store backup /backups/renewd-2026-12-01")]
    Backup {
        /// The directory of the backup, which must not exist yet
        #[arg(value_name = "DIR")]
        target: PathBuf,
    },
    /// Make a store from a backup, never over another store
    ///
    /// The original may have charged after the backup was made. So a restored store says for ever that it is one, and
    /// before the first charge of each resource its gateway is asked for charges that the store does not know.
    #[command(after_help = "Example:\n  renewd store restore /backups/renewd-2026-12-01 --store .renewd-restored")]
    Restore {
        /// The directory of the backup
        #[arg(value_name = "BACKUP")]
        backup: PathBuf,
    },
    /// Make a new store from all that is intact of a damaged one
    ///
    /// Everything before the first damage is taken over, and what is lost is told. In the damaged store nothing is
    /// changed. The new store is marked as a restored one is.
    #[command(after_help = "Example:\n  renewd store salvage .renewd-salvaged")]
    Salvage {
        /// The directory of the new store, which must not exist yet
        #[arg(value_name = "NEWDIR")]
        target: PathBuf,
    },
}

pub(crate) fn store(context: &Context<'_>, args: &StoreArgs) -> Result<Exit, CliError> {
    context.ui.require(SINGLE)?;
    let engine = context.engine()?;
    match &args.command {
        StoreCommand::Init { pin } => info(context, &engine.store_init(pin.as_deref())?),
        StoreCommand::Info => info(context, &engine.store_info()?),
        StoreCommand::Verify { backup } => {
            let view = match backup {
                Some(backup) => engine.store_verify_backup(backup)?,
                None => engine.store_verify()?,
            };
            verified(context, "store-verification", &view)
        }
        StoreCommand::Rebuild => verified(context, "store-rebuild", &engine.store_rebuild()?),
        StoreCommand::Backup { target } => copied(context, "store-backup", &engine.store_backup(target)?),
        StoreCommand::Restore { backup } => copied(context, "store-restore", &engine.store_restore(backup)?),
        StoreCommand::Salvage { target } => salvaged(context, &engine.store_salvage(target)?),
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

fn copied(context: &Context<'_>, kind: &'static str, view: &StoreCopyView) -> Result<Exit, CliError> {
    context.ui.answer(&Answer::one(kind, view), |page| render::store::copy(page, view))?;
    Ok(Exit::Done)
}

fn salvaged(context: &Context<'_>, view: &StoreSalvageView) -> Result<Exit, CliError> {
    context.ui.answer(&Answer::one("store-salvage", view), |page| render::store::salvage(page, view))?;
    Ok(if view.complete { Exit::Done } else { Exit::Partly })
}
