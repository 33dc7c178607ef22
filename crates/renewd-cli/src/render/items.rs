//! Quotes and results: one row per resource, one line per order, and the sum.

use super::{and_more, shown};
use crate::ui::dates;
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::words;
use renewd_core::refusal::Verdict;
use renewd_engine::view::{Item, OrderSummary, RenewView};
use std::collections::BTreeSet;

/// A quote, or what became of it.
pub(crate) fn renewal(page: &mut Page, view: &RenewView) {
    if view.items.is_empty() {
        page.say(Tone::Faint, "nothing is selected");
        return;
    }
    items(page, &view.items, view.dry_run);
    orders(page, &view.orders, view.dry_run);
    page.gap();
    let sum = words::sums_or_nothing(&view.totals);
    if view.dry_run {
        let open = view.items.iter().filter(|item| goes_on(item.verdict)).count();
        page.say(Tone::Strong, format!("renewing {} costs {sum}", words::count(open, "resource")));
        if let Some(until) = &view.valid_until {
            page.say(Tone::Faint, format!("valid until {} UTC", dates::short(until)));
        }
    } else {
        page.say(Tone::Strong, format!("{}; {sum}", words::counts(&view.counts)));
    }
}

/// Rows, with what went wrong first where not all are shown.
pub(crate) fn items(page: &mut Page, items: &[Item], quote: bool) {
    let count = shown(page, items.len());
    let mut rows: Vec<&Item> = items.iter().collect();
    if count < rows.len() {
        rows.sort_by_key(|item| goes_on(item.verdict));
    }
    rows.truncate(count);
    let moments = rows.iter().filter_map(|item| item.old_expiry.as_deref());
    let expiry = dates::column("expiry", moments);
    let mut table =
        Table::new(&["resource", &expiry, "term", "new expiry", "extra days", "total>", "verdict", "reason"]);
    for item in &rows {
        table.row(vec![
            plain(&item.resource),
            toned(Tone::Faint, dates::short_or_dash(item.old_expiry.as_deref())),
            plain(item.term.as_deref().unwrap_or("-")),
            plain(dates::short_or_dash(item.new_expiry.as_deref())),
            plain(extra_days(item)),
            plain(words::money(item.total)),
            toned(tone(item.verdict), word(item.verdict, quote)),
            plain(item.message.as_deref().unwrap_or_default()),
        ]);
    }
    page.table(table);
    and_more(page, items.len().saturating_sub(count));
    if page.screen().verbose {
        price_lines(page, &rows);
    }
    burned(page, items);
    hints(page, items, quote);
}

/// Days with the fraction that they cost: `18 (18/31)`.
fn extra_days(item: &Item) -> String {
    match (item.extra_days, item.fraction.as_deref()) {
        (None, _) => "-".to_owned(),
        (Some(0), _) => "0".to_owned(),
        (Some(days), None) => days.to_string(),
        (Some(days), Some(fraction)) => format!("{days} ({fraction})"),
    }
}

fn price_lines(page: &mut Page, items: &[&Item]) {
    let mut table = Table::new(&["resource", "line", "quantity>", "unit price>", "amount>"]).indent(2);
    for item in items {
        for line in &item.lines {
            table.row(vec![
                plain(&item.resource),
                plain(&line.description),
                plain(line.quantity.normalize()),
                plain(line.unit_price.normalize()),
                plain(line.amount),
            ]);
        }
    }
    page.gap();
    page.table(table);
}

/// A late renewal that starts at the old expiry pays for days that are gone; nobody should learn that afterwards.
fn burned(page: &mut Page, items: &[Item]) {
    let late = items.iter().filter(|item| item.burned_days.unwrap_or_default() > 0);
    let (mut count, mut most) = (0_usize, 0_u32);
    for item in late {
        count = count.saturating_add(1);
        most = most.max(item.burned_days.unwrap_or_default());
    }
    if count > 0 {
        let days = words::count(usize::try_from(most).unwrap_or_default(), "day");
        page.say(
            Tone::Warn,
            format!("{} late: up to {days} of the new term are already past", words::count(count, "resource")),
        );
    }
}

/// What to do next. Of a quote that goes through, nothing is to be done yet.
fn hints(page: &mut Page, items: &[Item], quote: bool) {
    let stuck = items.iter().filter(|item| !(quote && goes_on(item.verdict)));
    let hints: BTreeSet<&str> = stuck.filter_map(|item| item.hint.as_deref()).collect();
    for hint in hints.into_iter().take(super::ROWS_SHOWN) {
        page.spans(&[(Tone::Command, "hint: "), (Tone::Plain, hint)]);
    }
}

/// One line per order, with those that need something first where not all are shown.
pub(crate) fn orders(page: &mut Page, orders: &[OrderSummary], quote: bool) {
    if orders.is_empty() {
        return;
    }
    page.gap();
    let count = shown(page, orders.len());
    let mut rows: Vec<&OrderSummary> = orders.iter().collect();
    if count < rows.len() {
        rows.sort_by_key(|order| order.next.is_none());
    }
    rows.truncate(count);
    let mut table = Table::new(&["order", "account", "lines>", "total>", "methods", "status", ""]);
    for order in &rows {
        let id = order.order.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let adopted = if order.adopted { " (was open)" } else { "" };
        table.row(vec![
            plain(format!("{id}{adopted}")),
            plain(&order.account),
            plain(words::grouped(order.lines)),
            plain(order.total),
            plain(order.methods.join(", ")),
            toned(status_tone(&order.status), if quote && order.holds.is_empty() { "" } else { &order.status }),
            plain(order.paid_by.as_deref().map(|by| format!("paid by {by}")).unwrap_or_default()),
        ]);
    }
    page.table(table);
    and_more(page, orders.len().saturating_sub(count));
    for order in rows {
        for hold in &order.holds {
            page.say(Tone::Warn, format!("  held: {}", hold.detail));
        }
        if let Some(next) = &order.next {
            page.command(next);
        }
    }
}

fn goes_on(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Renewed | Verdict::Placed | Verdict::Held)
}

/// In a quote nothing has been placed yet.
fn word(verdict: Verdict, quote: bool) -> &'static str {
    match verdict {
        Verdict::Placed if quote => "quoted",
        Verdict::Held if quote => "would be held",
        other => other.as_str(),
    }
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Renewed => Tone::Good,
        Verdict::Placed => Tone::Plain,
        Verdict::Unchanged => Tone::Faint,
        Verdict::Held | Verdict::Pending | Verdict::RequiresAction => Tone::Warn,
        Verdict::Refused | Verdict::Declined | Verdict::Unknown => Tone::Bad,
    }
}

/// The tone of an order's status.
pub(crate) fn status_tone(status: &str) -> Tone {
    match status {
        "settled" => Tone::Good,
        "held" | "pending" | "requires-action" | "paying" => Tone::Warn,
        "unknown" | "declined" => Tone::Bad,
        "canceled" | "expired" => Tone::Faint,
        _ => Tone::Plain,
    }
}
