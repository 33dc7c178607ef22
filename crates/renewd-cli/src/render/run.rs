//! What a run did: what time did, each renewal, the orders, and the money.

use super::{and_more, shown};
use super::{items, refund};
use crate::ui::dates;
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::words;
use renewd_engine::view::{OrderSummary, RunView, SinkView, TimeNote, Warning};

/// What a run did.
pub(crate) fn run(page: &mut Page, view: &RunView) {
    page.spans(&[(Tone::Strong, "run "), (Tone::Plain, &dates::short(&view.at)), (Tone::Faint, " UTC")]);
    if is_quiet(view) {
        page.say(Tone::Faint, "nothing was due");
    }
    time(page, &view.time);
    if !view.expired.is_empty() {
        page.gap();
        let orders: Vec<String> = view.expired.iter().map(ToString::to_string).collect();
        page.field("expired unpaid", orders.join(", "));
    }
    if view.asked > 0 {
        page.gap();
        page.field("asked", format!("gateways about {}", words::count(view.asked, "payment")));
    }
    if !view.renewals.items.is_empty() {
        page.gap();
        items::items(page, &view.renewals.items, false);
        orders(page, &view.renewals.orders);
        page.gap();
        page.line(words::counts(&view.renewals.counts));
    }
    refund::of_run(page, &view.refunds);
    if !view.waiting.is_empty() {
        page.heading("still waiting");
        items::orders(page, &view.waiting, false);
    }
    warnings(page, &view.warnings);
    sinks(page, &view.delivered);
    page.gap();
    page.say(Tone::Strong, format!("charged {}", words::sums_or_nothing(&view.charged)));
}

/// Orders that say more than their items: those of several lines, and those that stand still. What they need is said by
/// the hints of their items; an open one needs nothing but the next run.
fn orders(page: &mut Page, orders: &[OrderSummary]) {
    let told = |order: &&OrderSummary| order.lines > 1 || !matches!(order.status.as_str(), "settled" | "placed");
    let told = orders.iter().filter(told).map(|order| OrderSummary { next: None, ..order.clone() });
    items::orders(page, &told.collect::<Vec<_>>(), false);
}

/// Whether nothing happened in a run, and nothing that was due was left. What waits as it did is no news.
pub(crate) fn is_quiet(view: &RunView) -> bool {
    let RunView { at: _, charged: _, renewals, refunds, waiting: _, time, expired, asked, warnings, delivered } = view;
    refunds.is_empty()
        && renewals.items.is_empty()
        && time.is_empty()
        && expired.is_empty()
        && *asked == 0
        && warnings.is_empty()
        && delivered.is_empty()
}

fn sinks(page: &mut Page, sinks: &[SinkView]) {
    if sinks.is_empty() {
        return;
    }
    page.heading("events");
    let mut table = Table::new(&["sink", "told>", "behind since", "why"]).indent(2);
    for sink in sinks {
        let (since, why) = match &sink.behind {
            Some(behind) => (dates::short(&behind.since), behind.reason.as_str()),
            None => (String::new(), ""),
        };
        table.row(vec![
            plain(&sink.sink),
            plain(words::grouped(sink.delivered)),
            toned(Tone::Warn, since),
            toned(Tone::Warn, why),
        ]);
    }
    page.table(table);
}

fn warnings(page: &mut Page, warnings: &[Warning]) {
    if warnings.is_empty() {
        return;
    }
    page.heading("will fail as things stand");
    let count = shown(page, warnings.len());
    let charge = dates::column("charge", warnings.iter().map(|warning| warning.charge.as_str()));
    let mut table = Table::new(&["resource", &charge, "why", "do"]).indent(2);
    for warning in warnings.iter().take(count) {
        table.row(vec![
            plain(&warning.resource),
            toned(Tone::Faint, dates::short(&warning.charge)),
            toned(Tone::Warn, &warning.message),
            plain(warning.hint.as_deref().unwrap_or_default()),
        ]);
    }
    page.table(table);
    and_more(page, warnings.len().saturating_sub(count));
}

fn time(page: &mut Page, notes: &[TimeNote]) {
    if notes.is_empty() {
        return;
    }
    page.gap();
    let count = shown(page, notes.len());
    let expiry = dates::column("expiry", notes.iter().map(|note| note.expiry.as_str()));
    let mut table = Table::new(&["resource", "now", &expiry]);
    let mut notes: Vec<&TimeNote> = notes.iter().collect();
    notes.sort_by_key(|note| gravity(&note.entered));
    for note in notes.iter().take(count) {
        table.row(vec![
            plain(&note.resource),
            toned(tone(&note.entered), words_for(&note.entered)),
            toned(Tone::Faint, dates::short(&note.expiry)),
        ]);
    }
    page.table(table);
    and_more(page, notes.len().saturating_sub(count));
}

/// What is worst comes first.
fn gravity(entered: &str) -> usize {
    const WORST_FIRST: [&str; 6] = ["released", "retention", "grace", "ended", "pay-per-use", "expiring"];
    WORST_FIRST.iter().position(|word| *word == entered).unwrap_or(WORST_FIRST.len())
}

fn words_for(entered: &str) -> String {
    match entered {
        "grace" | "retention" => format!("in {entered}"),
        other => other.to_owned(),
    }
}

fn tone(entered: &str) -> Tone {
    match entered {
        "expiring" => Tone::Warn,
        "grace" | "retention" | "released" => Tone::Bad,
        _ => Tone::Plain,
    }
}
