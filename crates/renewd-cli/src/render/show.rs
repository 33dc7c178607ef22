//! Everything about an order, account, document or request.

use super::{order, show_resource};
use crate::ui::dates;
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::words;
use renewd_engine::view::{AccountView, DocumentView, EventView, ReplayView, RequestView, Show, UseView};

/// Entries of a history that are shown unless everything is asked for: the latest ones.
const HISTORY_SHOWN: usize = 10;

/// Whatever was asked for.
pub(crate) fn show(page: &mut Page, view: &Show) {
    match view {
        Show::Resource(resource) => show_resource::resource(page, resource),
        Show::Order { order: view, history: events } => {
            order::order(page, view);
            history(page, events);
        }
        Show::Account(view) => account(page, view),
        Show::Document(view) => document(page, view),
        Show::Request(view) => request(page, view),
        Show::Replay(view) => replay(page, view),
    }
}

/// What happened, latest last.
pub(crate) fn history(page: &mut Page, events: &[EventView]) {
    if events.is_empty() {
        return;
    }
    page.heading("history");
    let skipped = if page.screen().verbose { 0 } else { events.len().saturating_sub(HISTORY_SHOWN) };
    if skipped > 0 {
        page.say(Tone::Faint, format!("  {} earlier (-v shows all)", words::grouped(skipped)));
    }
    let mut table = Table::new(&["#>", "at", "by", "what", "command"]).indent(2);
    for event in events.iter().skip(skipped) {
        table.row(vec![
            toned(Tone::Faint, event.sequence),
            plain(dates::short(&event.at)),
            plain(&event.actor),
            plain(&event.what),
            toned(Tone::Faint, &event.command),
        ]);
    }
    page.table(table);
}

fn account(page: &mut Page, view: &AccountView) {
    page.say(Tone::Strong, format!("account {}", view.account));
    page.gap();
    page.field("time zone", &view.time_zone);
    page.field("currency", &view.currency);
    page.field("renewal day", view.renewal_day.as_deref().unwrap_or("-"));
    page.field("methods", view.methods.join(", "));
    page.field("balance", view.balance);
    let limits = [("per order", view.limits.per_order), ("per month", view.limits.per_month)];
    for (what, limit) in limits.into_iter().filter_map(|(what, limit)| Some((what, limit?))) {
        page.field("limit", format!("{what} {limit}"));
    }
    for (month, totals) in &view.months {
        page.field(&format!("month {month}"), words::sums_or_nothing(totals));
    }
    page.field("resources", words::counts(&view.modes));
    let orders: Vec<String> = view.open_orders.iter().map(ToString::to_string).collect();
    page.field("open orders", if orders.is_empty() { "none".to_owned() } else { orders.join(", ") });
    history(page, &view.history);
}

fn document(page: &mut Page, view: &DocumentView) {
    page.say(Tone::Strong, format!("{} {}", view.document_kind, view.name));
    page.gap();
    if let Some(matches) = view.matches {
        let wins = view.wins.unwrap_or_default();
        page.field("matches", format!("{}, wins {}", words::count(matches, "resource"), words::grouped(wins)));
        page.gap();
    }
    yaml(page, &view.document);
    history(page, &view.history);
}

fn yaml(page: &mut Page, document: &serde_json::Value) {
    if let Ok(text) = serde_saphyr::to_string(document) {
        text.lines().for_each(|line| page.line(line));
    }
}

fn request(page: &mut Page, view: &RequestView) {
    page.say(Tone::Strong, format!("request {}", view.request));
    if let Some(document) = &view.document {
        page.gap();
        yaml(page, document);
    }
    let used = view.uses.iter().filter(|used| used.done).count();
    page.heading(format!("{}, {} used up", words::count(view.uses.len(), "resource"), words::grouped(used)));
    let mut table = Table::new(&["resource", "order", "used up"]).indent(2);
    for UseView { resource, order, done } in &view.uses {
        table.row(vec![plain(resource), plain(order), plain(if *done { "yes" } else { "no" })]);
    }
    page.table(table);
    history(page, &view.history);
}

fn replay(page: &mut Page, view: &ReplayView) {
    page.say(Tone::Strong, format!("order {} computed again from its pinned inputs", view.order));
    page.gap();
    let mut table = Table::new(&["resource", "ordered>", "computed>", "", ""]);
    for line in &view.lines {
        table.row(vec![
            plain(&line.resource),
            plain(line.recorded),
            plain(words::money(line.recomputed)),
            if line.equal { toned(Tone::Good, "equal") } else { toned(Tone::Bad, "differs") },
            plain(line.detail.as_deref().unwrap_or_default()),
        ]);
    }
    page.table(table);
    page.gap();
    if view.equal {
        page.say(Tone::Good, "every line is equal");
    } else {
        page.say(Tone::Bad, "not every line is equal");
    }
}
