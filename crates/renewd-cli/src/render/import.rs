//! What an inventory brought.

use super::{and_more, shown};
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::words;
use renewd_engine::view::{ImportConflict, ImportView};

/// An import by itself.
pub(crate) fn import(page: &mut Page, view: &ImportView) {
    super::plan_changes::resources(page, &view.changes);
    summary(page, view);
}

/// The counts and what did not land.
pub(crate) fn summary(page: &mut Page, view: &ImportView) {
    page.gap();
    let changed = view.added > 0 || view.changed > 0;
    page.say(
        if changed { Tone::Good } else { Tone::Plain },
        format!(
            "{}: {}: {} new, {} changed, {} unchanged",
            view.file,
            words::count(view.rows, "row"),
            words::grouped(view.added),
            words::grouped(view.changed),
            words::grouped(view.unchanged)
        ),
    );
    left_out(page, &view.conflicts, "frozen, because inventory and store disagree");
    if !view.conflicts.is_empty() {
        page.command("renewd import FILE --take inventory|store");
    }
    left_out(page, &view.busy, "left out, because they are being paid for");
    if !view.skipped.is_empty() {
        page.say(Tone::Warn, format!("{} skipped", words::count(view.skipped.len(), "row")));
        let count = shown(page, view.skipped.len());
        for row in view.skipped.iter().take(count) {
            let resource = row.resource.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
            page.line(format!("  line {}{resource}: {}", row.line, row.message));
        }
        and_more(page, view.skipped.len().saturating_sub(count));
    }
}

fn left_out(page: &mut Page, rows: &[ImportConflict], why: &str) {
    if rows.is_empty() {
        return;
    }
    page.say(Tone::Warn, format!("{} {why}", words::count(rows.len(), "resource")));
    let count = shown(page, rows.len());
    for row in rows.iter().take(count) {
        page.line(format!("  {}: {}", row.resource, row.detail));
    }
    and_more(page, rows.len().saturating_sub(count));
}
