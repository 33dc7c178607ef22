//! From verdicts to the exit code: the one home of that rule.

use renewd_core::refusal::Verdict;
use renewd_engine::Exit;
use renewd_engine::view::{ImportView, Item};

/// The exit code of a batch: anything left open is 4, some refused while others went on is 7, all refused is 1.
pub(crate) fn of_items(items: &[Item]) -> Exit {
    let (mut refused, mut went_on, mut waiting) = (false, false, false);
    for item in items {
        match item.verdict {
            Verdict::Renewed | Verdict::Placed | Verdict::Unchanged => went_on = true,
            Verdict::Refused | Verdict::Declined => refused = true,
            Verdict::Held | Verdict::Pending | Verdict::RequiresAction | Verdict::Unknown => waiting = true,
        }
    }
    match (waiting, refused, went_on) {
        (true, _, _) => Exit::Waiting,
        (false, true, true) => Exit::Partly,
        (false, true, false) => Exit::Refused,
        (false, false, _) => Exit::Done,
    }
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
