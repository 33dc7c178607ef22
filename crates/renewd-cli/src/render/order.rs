//! Orders, and top-ups of balances.

use super::items::status_tone;
use super::refund;
use super::{and_more, shown};
use crate::ui::dates;
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::words;
use renewd_engine::view::{OrderView, TopUpView, Totals, add_total};

/// Orders as a table, each open one with its next command.
pub(crate) fn list(page: &mut Page, orders: &[OrderView]) {
    if orders.is_empty() {
        page.say(Tone::Faint, "no orders");
        return;
    }
    let mut table = Table::new(&["order", "account", "status", "origin", "lines>", "total>", "placed", "next"]);
    let mut totals = Totals::new();
    for order in orders {
        add_total(&mut totals, order.total);
        table.row(vec![
            plain(&order.order),
            plain(&order.account),
            status(order),
            plain(&order.origin),
            plain(words::grouped(order.line_count)),
            plain(order.total),
            toned(Tone::Faint, dates::short(&order.placed_at)),
            toned(Tone::Command, order.next.as_deref().unwrap_or_default()),
        ]);
    }
    page.table(table);
    page.gap();
    page.say(Tone::Strong, format!("{}, {}", words::count(orders.len(), "order"), words::sums_or_nothing(&totals)));
}

/// An order's status, and what became of its money since.
fn status(order: &OrderView) -> (Tone, String) {
    match refund::note(order) {
        Some((tone, note)) => toned(tone, format!("{}, {note}", order.status)),
        None => toned(status_tone(&order.status), &order.status),
    }
}

/// One order with its lines, attempts and refunds.
pub(crate) fn order(page: &mut Page, order: &OrderView) {
    page.spans(&[
        (Tone::Strong, &format!("order {}  ", order.order)),
        (status_tone(&order.status), &order.status),
        (Tone::Plain, &format!("  {}", order.total)),
    ]);
    if let Some((tone, note)) = refund::note(order) {
        page.say(tone, note);
    }
    if let Some(detail) = &order.detail {
        page.line(detail);
    }
    page.gap();
    page.field("account", &order.account);
    page.field("origin", &order.origin);
    page.field("methods", order.methods.join(", "));
    page.field("placed", dates::short(&order.placed_at));
    if matches!(order.status.as_str(), "placed" | "held") {
        page.field("expires unpaid", dates::short(&order.expires_at));
    }
    for hold in &order.holds {
        page.field("held", format!("{} ({})", hold.detail, hold.reason));
    }
    lines(page, order);
    attempts(page, order);
    refund::refunds(page, order);
    if let Some(next) = &order.next {
        page.gap();
        page.command(next);
    }
}

fn lines(page: &mut Page, order: &OrderView) {
    page.heading(words::count(order.line_count, "line"));
    let count = shown(page, order.lines.len());
    let expiry = dates::column("expiry", order.lines.iter().map(|line| line.old_expiry.as_str()));
    let mut table =
        Table::new(&["resource", "policy", "term", &expiry, "new expiry", "extra days", "total>"]).indent(2);
    for line in order.lines.iter().take(count) {
        let extra =
            if line.extra_days == 0 { "0".to_owned() } else { format!("{} ({})", line.extra_days, line.fraction) };
        table.row(vec![
            plain(&line.resource),
            plain(&line.policy),
            plain(&line.term),
            toned(Tone::Faint, dates::short(&line.old_expiry)),
            plain(dates::short(&line.new_expiry)),
            plain(extra),
            plain(line.total),
        ]);
    }
    page.table(table);
    and_more(page, order.lines.len().saturating_sub(count));
}

fn attempts(page: &mut Page, order: &OrderView) {
    if order.attempts.is_empty() {
        return;
    }
    page.heading("attempts");
    // Columns about asking again are only there where somebody asked, or will.
    let asks = order.attempts.iter().any(|attempt| attempt.checks > 0 || attempt.next_check.is_some());
    let columns: &[&str] = if asks {
        &["#>", "method", "started", "outcome", "", "asked>", "asked next"]
    } else {
        &["#>", "method", "started", "outcome", ""]
    };
    let mut table = Table::new(columns).indent(2);
    for attempt in &order.attempts {
        let tone = match attempt.outcome.as_str() {
            "succeeded" => Tone::Good,
            "declined" | "unknown" => Tone::Bad,
            _ => Tone::Warn,
        };
        let mut row = vec![
            plain(attempt.number),
            plain(&attempt.method),
            plain(dates::short(&attempt.started_at)),
            toned(tone, &attempt.outcome),
            plain(attempt.detail.as_deref().unwrap_or_default()),
        ];
        if asks {
            row.push(plain(words::times(attempt.checks)));
            row.push(toned(Tone::Faint, dates::short_or_dash(attempt.next_check.as_deref())));
        }
        table.row(row);
    }
    page.table(table);
    if page.screen().verbose {
        for attempt in &order.attempts {
            page.field(&format!("  key {}", attempt.number), &attempt.key);
        }
    }
}

/// A top-up, or that it was known.
pub(crate) fn top_up(page: &mut Page, view: &TopUpView) {
    if view.changed {
        page.say(Tone::Good, format!("added {} to {} ({})", view.amount, view.account, view.reference));
    } else {
        page.line(format!("{} was added under {} before; nothing changed", view.amount, view.reference));
    }
    page.say(Tone::Strong, format!("balance {}", view.balance));
}
