//! From verdicts to the exit code: the one home of that rule.

use renewd_core::refusal::Verdict;
use renewd_engine::Exit;
use renewd_engine::view::{ImportView, Item, RefundView, RunView};

/// What a batch came to.
#[derive(Default)]
struct Tally {
    refused: bool,
    went_on: bool,
    waiting: bool,
}

impl Tally {
    fn items(mut self, items: &[Item]) -> Self {
        for item in items {
            match item.verdict {
                Verdict::Renewed | Verdict::Placed | Verdict::Unchanged => self.went_on = true,
                Verdict::Refused | Verdict::Declined => self.refused = true,
                Verdict::Held | Verdict::Pending | Verdict::RequiresAction | Verdict::Unknown => self.waiting = true,
            }
        }
        self
    }

    fn refunds<'a>(mut self, refunds: impl IntoIterator<Item = &'a RefundView>) -> Self {
        for refund in refunds {
            match refund.outcome.as_str() {
                "refunded" => self.went_on = true,
                "declined" => self.refused = true,
                _ => self.waiting = true,
            }
        }
        self
    }

    /// Anything left open is 4, some refused while others went on is 7, all refused is 1.
    fn exit(self) -> Exit {
        match (self.waiting, self.refused, self.went_on) {
            (true, _, _) => Exit::Waiting,
            (false, true, true) => Exit::Partly,
            (false, true, false) => Exit::Refused,
            (false, false, _) => Exit::Done,
        }
    }
}

/// The exit code of a batch.
pub(crate) fn of_items(items: &[Item]) -> Exit {
    Tally::default().items(items).exit()
}

/// The exit code of a run. What still waits of runs before, and a sink that could not be told, leave something open,
/// whatever became of the renewals.
pub(crate) fn of_run(run: &RunView) -> Exit {
    let refunds = run.refunds.iter().map(|refund| &refund.refund);
    let mut tally = Tally::default().items(&run.renewals.items).refunds(refunds);
    tally.waiting |= !run.waiting.is_empty();
    tally.waiting |= run.delivered.iter().any(|sink| sink.behind.as_ref().is_some_and(|behind| behind.failed));
    tally.exit()
}

/// The exit code of refunds that were just asked for.
pub(crate) fn of_refunds(refunds: &[RefundView]) -> Exit {
    Tally::default().refunds(refunds).exit()
}

/// The exit code of an order by the word of its status.
pub(crate) fn of_status(status: &str) -> Exit {
    match status {
        "held" | "unknown" | "pending" | "requires-action" | "paying" => Exit::Waiting,
        _ => Exit::Done,
    }
}

/// Rows that did not land leave an import partly done.
pub(crate) fn of_import(import: &ImportView) -> Exit {
    let all_landed = import.conflicts.is_empty() && import.busy.is_empty() && import.skipped.is_empty();
    if all_landed { Exit::Done } else { Exit::Partly }
}
