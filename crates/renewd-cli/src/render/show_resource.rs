//! Everything about a resource.

use super::show::history;
use crate::ui::dates;
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use renewd_engine::view::{PhaseChangeView, ResourceView};

/// The resource: description, policy, next charge, arithmetic, history.
pub(crate) fn resource(page: &mut Page, view: &ResourceView) {
    let row = &view.row;
    page.spans(&[
        (Tone::Strong, &format!("resource {}", row.id)),
        (Tone::Plain, &if row.name == row.id.as_str() { String::new() } else { format!("  {}", row.name) }),
        (Tone::Faint, &format!("  {}", row.phase)),
    ]);
    if let Some(frozen) = &view.frozen {
        page.say(Tone::Bad, format!("frozen: {frozen}"));
    }
    page.gap();
    page.field("account", &row.account);
    page.field("what", format!("{} {} × {}", row.kind, row.quantity, row.sku));
    if !row.region.is_empty() {
        page.field("region", &row.region);
    }
    if !row.labels.is_empty() {
        let labels: Vec<String> = row.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        page.field("labels", labels.join(", "));
    }
    page.field(
        "expiry",
        format!("{} ({}), anchor day {}", row.expiry, dates::days_left(row.days_left), row.anchor_day),
    );
    page.field("mode", format!("{} ({})", row.mode, view.mode_source));
    match (&row.next_charge, row.charge_due) {
        (_, true) => page.field("next charge", "at the next run"),
        (Some(at), false) => page.field("next charge", at),
        (None, false) => page.field("next charge", "none"),
    }
    if let Some(order) = &row.open_order {
        page.field("open order", order);
    }
    if let Some(blocked) = &row.blocked {
        page.say(Tone::Bad, format!("cannot be renewed: {blocked}"));
    }
    for PhaseChangeView { phase, at } in &view.phase_changes {
        page.field(&format!("  {phase}"), dates::short(at));
    }
    candidates(page, view);
    next_renewal(page, view);
    history(page, &view.history);
}

fn candidates(page: &mut Page, view: &ResourceView) {
    page.heading("policies");
    if view.candidates.is_empty() {
        page.say(Tone::Warn, "  none matches");
        return;
    }
    let mut table = Table::new(&["", "policy", "priority>", "why"]).indent(2);
    for candidate in &view.candidates {
        table.row(vec![
            if candidate.wins { toned(Tone::Good, "wins") } else { toned(Tone::Faint, "") },
            plain(&candidate.policy),
            plain(candidate.priority),
            plain(&candidate.why),
        ]);
    }
    page.table(table);
}

fn next_renewal(page: &mut Page, view: &ResourceView) {
    page.heading("next renewal");
    view.arithmetic.iter().for_each(|step| page.line(format!("  {step}")));
    if !page.screen().verbose && !view.arithmetic.is_empty() {
        return;
    }
    let mut table = Table::new(&["line", "quantity>", "unit price>", "amount>"]).indent(2);
    for line in &view.next_lines {
        table.row(vec![
            plain(&line.description),
            plain(line.quantity.normalize()),
            plain(line.unit_price.normalize()),
            plain(line.amount),
        ]);
    }
    if let Some(total) = view.next_total {
        table.row(vec![toned(Tone::Strong, "total"), plain(""), plain(""), toned(Tone::Strong, total)]);
    }
    page.gap();
    page.table(table);
    if view.next_total.is_none() && view.arithmetic.is_empty() {
        page.say(
            Tone::Faint,
            format!("  none{}", view.row.blocked.as_deref().map(|why| format!(": {why}")).unwrap_or_default()),
        );
    }
}
