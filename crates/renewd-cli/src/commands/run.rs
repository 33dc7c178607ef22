//! `renewd run`: does what is due, once or in rounds.
//!
//! Asks nobody: it is for schedulers. What it may charge is bounded by limits in documents and by `--max-charge`.

use super::{renew, run_watch};
use crate::context::Context;
use crate::error::CliError;
use crate::exit;
use crate::render;
use crate::ui::answer::{ALL, Answer, LINES};
use crate::values;
use clap::Args;
use renewd_engine::{Exit, RunOptions};
use std::time::Duration;

/// Do what is due: charge, retry, ask gateways, expire, release
///
/// Renews automatically what its policy says is due, pays the orders of declared requests, asks gateways about payments and
/// refunds that are not finished, and journals what time did: phases, ends, orders that expired. A second run at the
/// same moment does nothing. For cron or a timer; with --watch it is a service of its own.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd run
  renewd run --max-charge '2000 USD' --max-charge '500 EUR'
  renewd run --watch --every 5m -o ndjson")]
pub(crate) struct RunArgs {
    /// Charge at most this sum, in all rounds together, soonest expiries first; once for each currency, and others are
    /// then not charged
    #[arg(long, value_name = "MONEY")]
    max_charge: Vec<String>,
    /// Put what is due of an account and method list into one order, as far as limits and --max-charge allow, instead of
    /// one order for each resource
    #[arg(long)]
    group: bool,
    /// Go on until interrupted: run again and again, and write only what happened
    #[arg(long)]
    watch: bool,
    /// Wait this long between two rounds, in seconds, minutes or hours
    #[arg(long, value_name = "DURATION", default_value = "60s", requires = "watch")]
    every: String,
}

pub(crate) fn run(context: &Context<'_>, args: &RunArgs) -> Result<Exit, CliError> {
    let options = RunOptions { max_charge: sums(&args.max_charge)?, group: args.group };
    if args.watch {
        context.ui.require(LINES)?;
        if context.rehearses() {
            let hint = "leave `--watch` out, and move the clock with `--advance`";
            return Err(CliError::usage("the clock of a rehearsal stands still, so nothing would become due", hint));
        }
        return run_watch::watch(context, &options, every(&args.every)?);
    }
    context.ui.require(ALL)?;
    let view = context.engine()?.run(&options)?;
    let answer = Answer { kind: "run", body: &view, rows: Some(renew::item_rows(&view.renewals.items)) };
    context.ui.answer(&answer, |page| render::run::run(page, &view))?;
    Ok(exit::of_run(&view))
}

fn sums(texts: &[String]) -> Result<Vec<renewd_core::money::Money>, CliError> {
    let sums = texts.iter().map(|text| values::money(text)).collect::<Result<Vec<_>, _>>()?;
    for (index, sum) in sums.iter().enumerate() {
        let currency = sum.currency();
        if sum.is_negative() {
            let message = format!("at most {sum} cannot be charged");
            return Err(CliError::input("bad-money", message, "write a sum of zero or more".to_owned()));
        }
        if sums.iter().take(index).any(|earlier| earlier.currency() == currency) {
            let hint = "write `--max-charge` once for each currency";
            return Err(CliError::usage(format!("two limits are given for {currency}"), hint));
        }
    }
    Ok(sums)
}

/// Least time between two rounds.
const EVERY_MIN: Duration = Duration::from_secs(1);
/// Most time between two rounds: charges are due on a day, so less often makes no sense.
const EVERY_MAX: Duration = Duration::from_secs(24 * 60 * 60);

fn every(text: &str) -> Result<Duration, CliError> {
    let every = values::duration(text)?;
    if (EVERY_MIN..=EVERY_MAX).contains(&every) {
        return Ok(every);
    }
    let message = format!("{} is not a time between two rounds", values::quoted(text));
    Err(CliError::input("bad-duration", message, "write one from `1s` to `24h`".to_owned()))
}
