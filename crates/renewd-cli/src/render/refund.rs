//! What a refund would give back, before anybody says yes; and what was given back.

use crate::ui::dates;
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::words;
use renewd_core::money::Money;
use renewd_engine::RefundWish;
use renewd_engine::view::{OrderLineView, OrderView, RefundView, RunRefund, Totals, add_total};

/// Draws what would go back, and answers its sum in words; none where there is nothing to ask about.
pub(crate) fn preview(page: &mut Page, order: &OrderView, wish: &RefundWish) -> Option<String> {
    page.spans(&[(Tone::Strong, &format!("refund of order {}", order.order)), (Tone::Plain, &paid_by(order))]);
    if wish.resources.is_empty()
        && let Some(late) = order.refunds.iter().rfind(|refund| refund.resource.is_none())
        && late.outcome == "declined"
    {
        page.line("a charge that came too late goes back; no expiry changes");
        return Some(wish.amount.unwrap_or(late.amount).to_string());
    }
    if order.status != "settled" {
        return None;
    }
    let lines: Vec<&OrderLineView> = order
        .lines
        .iter()
        .filter(|line| wish.resources.is_empty() || wish.resources.contains(&line.resource))
        .collect();
    let expiry = dates::column("expiry", lines.iter().map(|line| line.new_expiry.as_str()));
    let mut table = Table::new(&["resource", "paid>", "goes back>", &expiry, "expiry after"]);
    let mut sums = Totals::new();
    for line in lines {
        let back = wish.amount.or_else(|| left(order, line))?;
        add_total(&mut sums, back);
        let undone = of_line(order, line).any(|refund| refund.outcome == "refunded");
        let (now, after) = match undone {
            true => ("-".to_owned(), "as it is".to_owned()),
            false => (dates::short(&line.new_expiry), dates::short(&line.old_expiry)),
        };
        table.row(vec![
            plain(&line.resource),
            toned(Tone::Faint, line.total),
            plain(back),
            toned(Tone::Faint, now),
            plain(after),
        ]);
    }
    page.gap();
    page.table(table);
    page.gap();
    page.field("reason", &wish.reason);
    manual_from_now_on(page, order);
    words::sums(&sums)
}

fn paid_by(order: &OrderView) -> String {
    order.detail.as_deref().map_or_else(String::new, |detail| format!("  {detail}"))
}

fn of_line<'a>(order: &'a OrderView, line: &'a OrderLineView) -> impl Iterator<Item = &'a RefundView> {
    order.refunds.iter().filter(|refund| refund.resource.as_ref() == Some(&line.resource))
}

/// What is left of a line that has not gone back, and is not on its way.
fn left(order: &OrderView, line: &OrderLineView) -> Option<Money> {
    let gone = of_line(order, line).filter(|refund| refund.outcome != "declined");
    gone.into_iter().try_fold(line.total, |left, refund| left.minus(refund.amount).ok())
}

/// Every try to give money of an order back.
pub(crate) fn refunds(page: &mut Page, order: &OrderView) {
    if !order.refunds.is_empty() {
        page.heading("refunds");
        page.table(table("#>", order.refunds.iter().map(|refund| (refund.number.to_string(), refund))));
    }
}

/// Refunds that a run asked about.
pub(crate) fn of_run(page: &mut Page, refunds: &[RunRefund]) {
    if !refunds.is_empty() {
        page.heading("refunds");
        page.table(table("order", refunds.iter().map(|of_order| (of_order.order.to_string(), &of_order.refund))));
    }
}

fn table<'a>(first: &str, refunds: impl Iterator<Item = (String, &'a RefundView)> + Clone) -> Table {
    // The column about asking again is only there where somebody will.
    let asks = refunds.clone().any(|(_, refund)| refund.next_check.is_some());
    let mut columns = vec![first, "for", "amount>", "started", "outcome", "", "why"];
    columns.extend(asks.then_some("asked next"));
    let mut table = Table::new(&columns).indent(2);
    for (name, refund) in refunds {
        let what = refund.resource.as_ref().map_or_else(|| "a late charge".to_owned(), ToString::to_string);
        let mut row = vec![
            plain(name),
            plain(what),
            plain(refund.amount),
            plain(dates::short(&refund.started_at)),
            toned(tone(&refund.outcome), &refund.outcome),
            plain(refund.detail.as_deref().unwrap_or_default()),
            plain(&refund.reason),
        ];
        row.extend(asks.then(|| toned(Tone::Faint, dates::short_or_dash(refund.next_check.as_deref()))));
        table.row(row);
    }
    table
}

/// What renewed itself does so no more once it is given back; nobody should learn that from a lapse.
pub(crate) fn manual_from_now_on(page: &mut Page, order: &OrderView) {
    if order.origin == "auto" {
        let why = "what renewed itself is manual once it is given back; ";
        let how = "`renewd mode policy RESOURCE` returns it to its policy";
        page.spans(&[(Tone::Command, "hint: "), (Tone::Plain, why), (Tone::Plain, how)]);
    }
}

/// The word beside an order's status where money went, or goes, back.
pub(crate) fn note(order: &OrderView) -> Option<(Tone, &'static str)> {
    let has = |outcome: &str| order.refunds.iter().any(|refund| refund.outcome == outcome);
    if has("refund-unknown") {
        Some((Tone::Bad, "refund unknown"))
    } else if has("refunding") || has("pending") {
        Some((Tone::Warn, "refund under way"))
    } else if order.refunds.last().is_some_and(|refund| refund.outcome == "declined") {
        Some((Tone::Bad, "refund declined"))
    } else if has("refunded") {
        Some((Tone::Faint, "refunded"))
    } else {
        None
    }
}

fn tone(outcome: &str) -> Tone {
    match outcome {
        "refunded" => Tone::Good,
        "declined" | "refund-unknown" => Tone::Bad,
        _ => Tone::Warn,
    }
}
