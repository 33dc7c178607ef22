//! Moves between the tabs, with what they do to coming charges.

use super::{and_more, shown};
use crate::ui::dates;
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::words;
use renewd_engine::view::{ModeChangeView, ModeRow};

/// The rows that change or are refused, and the effect.
pub(crate) fn change(page: &mut Page, view: &ModeChangeView) {
    let rows: Vec<&ModeRow> = view.rows.iter().filter(|row| row.changed || row.refused.is_some()).collect();
    let count = shown(page, rows.len());
    let mut table = Table::new(&["resource", "mode", "next charge before", "next charge after", ""]);
    for row in rows.iter().take(count) {
        let arrow = if page.screen().ascii { "->" } else { "→" };
        let after = if row.charge_due {
            toned(Tone::Warn, "at the next run")
        } else {
            plain(dates::short_or_dash(row.next_charge_after.as_deref()))
        };
        table.row(vec![
            plain(&row.resource),
            plain(if row.before == row.after {
                row.after.to_string()
            } else {
                format!("{} {arrow} {}", row.before, row.after)
            }),
            toned(Tone::Faint, dates::short_or_dash(row.next_charge_before.as_deref())),
            after,
            toned(Tone::Bad, row.refused.as_deref().unwrap_or_default()),
        ]);
    }
    page.table(table);
    and_more(page, rows.len().saturating_sub(count));
    page.gap();
    if view.rows.is_empty() {
        page.say(Tone::Faint, "nothing is selected");
        return;
    }
    if !view.effect.is_empty() {
        page.line(&view.effect);
    }
    let unchanged = view.rows.len().saturating_sub(rows.len());
    let verb = if view.done { "changed" } else { "would change" };
    page.say(
        if view.done && view.changed > 0 { Tone::Good } else { Tone::Strong },
        format!("{} {verb}, {} already so", words::count(view.changed, "resource"), words::grouped(unchanged)),
    );
}
