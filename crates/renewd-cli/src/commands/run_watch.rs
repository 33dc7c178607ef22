//! `renewd run --watch`: rounds until somebody ends it.
//!
//! Each round opens the store anew, so that others get at it in between, and an intent that a failed round left behind
//! is known to be nobody's. A round that has begun is finished before a signal is obeyed.

use crate::context::Context;
use crate::error::CliError;
use crate::exit;
use crate::render;
use crate::ui::answer::Answer;
use crate::ui::{Output, Ui, failure};
use anyhow::Context as _;
use renewd_engine::view::{OrderSummary, RunView};
use renewd_engine::{Budget, Exit, RunOptions};
use serde::Serialize;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// One round for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Round<'a> {
    /// What `renewd run` would have exited with.
    exit_code: u8,
    #[serde(flatten)]
    run: &'a RunView,
}

/// Runs until interrupted or told to end: then 0, whatever the rounds came to. A failure that another round cannot
/// mend ends it at once.
pub(crate) fn watch(context: &Context<'_>, options: &RunOptions, every: Duration) -> Result<Exit, CliError> {
    let ui = context.ui;
    let in_round = Arc::new(AtomicBool::new(false));
    let ended = ended_by_signal(ui, &in_round)?;
    // What is charged counts for all rounds: a sum for each would be none.
    let mut budget = Budget::of(&options.max_charge);
    ui.note(&format!("a round every {}; interrupt to end after the round under way", words(every)));
    let mut last: Option<RunView> = None;
    loop {
        in_round.store(true, Ordering::SeqCst);
        let round = context.engine().and_then(|engine| Ok(engine.run_within(options.group, &mut budget)?));
        in_round.store(false, Ordering::SeqCst);
        match round {
            Ok(view) => {
                if has_news(&view, last.as_ref()) {
                    show(context, &view)?;
                }
                last = Some(view);
            }
            Err(error) if passes(&error) => {
                failure::show(ui, &error);
                ui.note(&format!("nothing was done in this round; the next is in {}", words(every)));
            }
            Err(error) => return Err(error),
        }
        match ended.recv_timeout(every) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                ui.note("ended");
                return Ok(Exit::Done);
            }
        }
    }
}

/// A message for the first signal that ends the watch; a second one ends the process, as it would without a watch.
fn ended_by_signal(ui: &Ui, in_round: &Arc<AtomicBool>) -> Result<Receiver<()>, CliError> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("signals cannot be waited for")?;
    let (sender, ended) = channel();
    let ui = Ui { output: ui.output, quiet: ui.quiet, screen: ui.screen };
    let in_round = Arc::clone(in_round);
    std::thread::spawn(move || {
        let mut is_first = true;
        for signal in signals.forever() {
            if !is_first {
                _ = emulate_default_handler(signal);
            }
            is_first = false;
            if in_round.load(Ordering::SeqCst) {
                ui.note("stopping after this round; again to stop at once");
            }
            if sender.send(()).is_err() {
                return;
            }
        }
    });
    Ok(ended)
}

/// Whether the next round may fare better: the store is busy, or the disk is full.
fn passes(error: &CliError) -> bool {
    match error.exit() {
        Exit::Busy | Exit::Refused => true,
        Exit::Done
        | Exit::ChangesPending
        | Exit::Invalid
        | Exit::Waiting
        | Exit::Damaged
        | Exit::Partly
        | Exit::Usage
        | Exit::Bug => false,
    }
}

/// Whether something happened in a round. What stays as it was in the one before, such as a frozen resource or a gateway
/// that has still not decided, is not told again.
fn has_news(view: &RunView, last: Option<&RunView>) -> bool {
    let Some(last) = last else { return !render::run::is_quiet(view) };
    let RunView { at: _, charged: _, renewals, refunds, waiting: _, time, expired, asked: _, warnings, delivered } =
        view;
    !time.is_empty()
        || !expired.is_empty()
        || renewals.items.iter().any(|item| !last.renewals.items.contains(item))
        || renewals.orders.iter().any(|order| !last.renewals.orders.iter().any(|other| stands_as(order, other)))
        || refunds.iter().any(|refund| !last.refunds.contains(refund))
        || warnings.iter().any(|warning| !last.warnings.contains(warning))
        || delivered.iter().any(|sink| sink.delivered > 0 || !last.delivered.contains(sink))
}

/// Whether an order stands as it did; that an open one was placed by the round before is no difference.
fn stands_as(order: &OrderSummary, other: &OrderSummary) -> bool {
    order.order == other.order && order.status == other.status && order.holds == other.holds
}

fn show(context: &Context<'_>, view: &RunView) -> Result<(), CliError> {
    let round = Round { exit_code: exit::of_run(view).code(), run: view };
    let answer = Answer::one("run", &round);
    if context.ui.output == Output::Ndjson {
        return context.ui.document_line(&answer);
    }
    context.ui.answer(&answer, |page| {
        render::run::run(page, view);
        page.gap();
    })
}

fn words(every: Duration) -> String {
    match every.as_secs() {
        seconds if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        seconds if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
