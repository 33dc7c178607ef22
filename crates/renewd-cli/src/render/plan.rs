//! Plans: documents, resources, orders, guards, warnings, and always the money of the next run at the end.

use super::plan_changes::{documents, resources};
use super::{and_more, import, items, plugin, shown};
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::{findings, words};
use renewd_core::refusal::Verdict;
use renewd_engine::view::{AppliedView, Item, NextRun, OverrideRow, PlanView, PlannedOrder};
use renewd_policy::{Finding, Sources};
use std::collections::BTreeMap;

/// Largest file from which the line of a warning is shown, in bytes.
const SNIPPET_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What of a plan is shown beyond the usual.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shown {
    /// Each override.
    pub(crate) overrides: bool,
    /// What was done follows at once, and has the money as its last line.
    pub(crate) followed: bool,
}

/// The plan.
pub(crate) fn plan(page: &mut Page, view: &PlanView, show: Shown) {
    warnings(page, &view.warnings);
    documents(page, &view.documents);
    grants_and_lock(page, view);
    if let Some(inventory) = &view.import {
        import::summary(page, inventory);
    }
    if !view.resources.is_empty() {
        page.heading("resources");
        resources(page, &view.resources);
    }
    orders(page, view);
    guards(page, view);
    page.gap();
    if view.empty {
        page.say(
            Tone::Good,
            format!("nothing changed: {} and {} are as declared", documents_of(view), resources_of(view)),
        );
    } else {
        page.line(format!("{}, {}", documents_of(view), resources_of(view)));
    }
    cover(page, view);
    overrides(page, view, show);
    next_run(page, &view.next_run);
    if !show.followed {
        page.say(Tone::Strong, money_line(&view.next_run));
    }
}

fn documents_of(view: &PlanView) -> String {
    words::count(view.document_count, "document")
}

fn resources_of(view: &PlanView) -> String {
    words::count(view.resource_count, "resource")
}

/// Documents were read a moment ago; where a file has gone since, the warning stands without its line.
fn warnings(page: &mut Page, warnings: &[Finding]) {
    if warnings.is_empty() {
        return;
    }
    let mut sources = Sources::default();
    for warning in warnings {
        let path = std::path::Path::new(&warning.file);
        let small = std::fs::metadata(path).is_ok_and(|meta| meta.len() <= SNIPPET_FILE_BYTES_MAX);
        if small
            && sources.text(&warning.file).is_none()
            && let Ok(text) = std::fs::read_to_string(path)
        {
            sources.insert(warning.file.clone(), text.trim_start_matches('\u{feff}').into());
        }
    }
    page.drawn(&findings::drawn(warnings, Some(&sources), page.screen().ascii));
}

fn grants_and_lock(page: &mut Page, view: &PlanView) {
    if !view.grants.is_empty() {
        page.heading("new grants");
        view.grants.iter().for_each(|grant| page.say(Tone::Warn, format!("  + {grant}")));
    }
    if !view.lock.is_empty() {
        page.heading("renewd.lock");
        view.lock.iter().for_each(|change| plugin::lock_line(page, change));
    }
}

fn orders(page: &mut Page, view: &PlanView) {
    if view.orders.is_empty() && view.request_items.is_empty() {
        return;
    }
    let (unchanged, rest): (Vec<Item>, Vec<Item>) =
        view.request_items.iter().cloned().partition(|item| item.verdict == Verdict::Unchanged);
    page.heading("requests");
    placed(page, &view.orders);
    let quotes = true;
    items::items(page, &rest, quotes);
    if page.screen().verbose {
        items::items(page, &unchanged, quotes);
    } else if !unchanged.is_empty() {
        page.say(Tone::Faint, format!("  {} ordered or renewed before", words::count(unchanged.len(), "resource")));
    }
}

fn placed(page: &mut Page, orders: &[PlannedOrder]) {
    let mut table = Table::new(&["request", "order", "account", "lines>", "total>", "status"]).indent(2);
    for planned in orders {
        let order = &planned.order;
        table.row(vec![
            plain(&planned.request),
            plain(order.order.as_ref().map_or_else(|| "new".to_owned(), ToString::to_string)),
            plain(&order.account),
            plain(words::grouped(order.lines)),
            plain(order.total),
            toned(items::status_tone(&order.status), &order.status),
        ]);
    }
    page.table(table);
    for hold in orders.iter().flat_map(|planned| &planned.order.holds) {
        page.say(Tone::Warn, format!("  held: {}", hold.detail));
    }
}

fn guards(page: &mut Page, view: &PlanView) {
    for guard in &view.guards {
        page.gap();
        match guard.as_str() {
            "lock" => page.say(
                Tone::Bad,
                "a plugin does not match renewd.lock: `renewd plugin lock DIR --upgrade NAME` takes it",
            ),
            other => page.say(Tone::Bad, format!("needs `--allow {other}`")),
        }
    }
}

fn cover(page: &mut Page, view: &PlanView) {
    if !view.modes.is_empty() {
        page.field("modes", words::counts(&view.modes));
    }
    if let Some(sums) = words::sums(&view.auto_totals) {
        page.field("auto renewals", format!("{sums} for the next renewal of each"));
    }
    if view.uncovered > 0 {
        page.say(Tone::Warn, format!("{} without a policy", words::count(view.uncovered, "resource")));
    }
    if view.conflicts > 0 {
        page.say(Tone::Bad, format!("{} in a conflict of policies", words::count(view.conflicts, "resource")));
    }
}

fn overrides(page: &mut Page, view: &PlanView, show: Shown) {
    let all = &view.overrides;
    if all.total > 0 || all.new > 0 || all.ended > 0 {
        let text = format!("{}, {} new, {} ended", words::count(all.total, "override"), all.new, all.ended);
        page.field("overrides", text);
    }
    if show.overrides {
        let mut table = Table::new(&["resource", "mode", "by", "reason"]).indent(2);
        for OverrideRow { resource, mode, actor, reason } in &all.rows {
            table.row(vec![plain(resource), plain(mode), plain(actor), plain(reason.as_deref().unwrap_or_default())]);
        }
        page.table(table);
    }
}

/// What the next run cannot charge, and each account's share where all is shown.
fn next_run(page: &mut Page, next: &NextRun) {
    if !next.refused.is_empty() {
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for item in &next.refused {
            let reason = item.reason.map_or_else(|| item.verdict.to_string(), |reason| reason.to_string());
            let count = reasons.entry(reason).or_default();
            *count = count.saturating_add(1);
        }
        let due = words::count(next.refused.len(), "due resource");
        page.say(Tone::Bad, format!("{due} cannot be charged: {}", words::counts(&reasons)));
        let count = shown(page, next.refused.len());
        for item in next.refused.iter().take(count) {
            page.line(format!("  {}: {}", item.resource, item.message.as_deref().unwrap_or_default()));
        }
        and_more(page, next.refused.len().saturating_sub(count));
    }
    if page.screen().verbose && next.accounts.len() > 1 {
        for account in &next.accounts {
            let resources = words::count(account.resources, "resource");
            page.field("  next run", format!("{}: {resources}, {}", account.account, account.total));
        }
    }
}

/// INVARIANT (money line): a plan always ends with what the next run charges, also when that is nothing.
fn money_line(next: &NextRun) -> String {
    match words::sums(&next.totals) {
        Some(sums) if next.resources > 0 => {
            format!("next run charges {}, {sums}", words::count(next.resources, "resource"))
        }
        Some(_) | None => "next run charges nothing".to_owned(),
    }
}

/// What `apply` did, below the plan that was shown already; the money is the last word here too.
pub(crate) fn applied(page: &mut Page, view: &AppliedView) {
    if !view.changed {
        page.line(format!("revision {}: nothing was journaled", view.revision));
        page.say(Tone::Strong, money_line(&view.plan.next_run));
        return;
    }
    if view.created_store {
        page.line("created the store");
    }
    if let Some(lock) = &view.wrote_lock {
        page.line(format!("wrote {lock}; commit it with the documents"));
    }
    if !view.placed.is_empty() {
        page.heading("placed orders");
        placed(page, &view.placed);
        view.placed.iter().filter_map(|planned| planned.order.next.as_ref()).for_each(|next| page.command(next));
    }
    if view.refused > 0 {
        page.say(Tone::Warn, format!("{} of new requests refused", words::count(view.refused, "item")));
    }
    page.say(Tone::Good, format!("applied revision {}", view.revision));
    page.say(Tone::Strong, money_line(&view.plan.next_run));
}

#[cfg(test)]
mod tests {
    use super::*;
    use renewd_engine::view::add_total;

    #[test]
    fn the_money_line_names_every_currency() {
        let mut next = NextRun::default();
        assert_eq!(money_line(&next), "next run charges nothing");
        next.resources = 17;
        add_total(&mut next.totals, "1020.00 USD".parse().unwrap());
        assert_eq!(money_line(&next), "next run charges 17 resources, 1,020.00 USD");
        add_total(&mut next.totals, "35000 JPY".parse().unwrap());
        assert_eq!(money_line(&next), "next run charges 17 resources, 35,000 JPY + 1,020.00 USD");
        next.resources = 1;
        next.totals.remove("JPY");
        assert_eq!(money_line(&next), "next run charges 1 resource, 1,020.00 USD");
    }
}
