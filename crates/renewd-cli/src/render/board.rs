//! The board: tabs with counts, and notices with the one command that fixes each.

use super::{and_more, shown};
use crate::commands::board::FIRST_STEPS;
use crate::ui::dates;
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::words;
use renewd_core::documents::Mode;
use renewd_engine::view::{BalanceView, Board, NoticeKind};

/// What a tab is called where people read it.
pub(crate) fn tab_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Manual => "manual renewals",
        Mode::Auto => "auto renewals",
        Mode::PayPerUse => "pay-per-use after expiration",
        Mode::Expire => "renewals canceled",
    }
}

/// The page of somebody who has nothing yet.
pub(crate) fn start(page: &mut Page, store: &str) {
    page.say(Tone::Strong, "renewd renews prepaid resources: on time, at a price someone agreed to, paid once");
    page.gap();
    page.line(format!("there is no store in `{store}` yet; write policies as YAML, then"));
    page.gap();
    FIRST_STEPS.iter().for_each(|step| page.command(step));
    page.gap();
    page.spans(&[(Tone::Plain, "see "), (Tone::Command, "renewd --help"), (Tone::Plain, " for everything else")]);
}

/// The board.
pub(crate) fn board(page: &mut Page, view: &Board) {
    let resources: usize = view.tabs.iter().map(|tab| tab.resources).sum();
    page.spans(&[
        (Tone::Strong, &words::count(resources, "resource")),
        (Tone::Faint, &format!("   revision {}   {} UTC   {}", view.revision, dates::short(&view.at), view.store)),
    ]);
    page.gap();
    let mut tabs = Table::new(&["tab", "resources>", "expiring>", "late>", "next expiry"]);
    for tab in &view.tabs {
        let late = if tab.late > 0 { Tone::Bad } else { Tone::Faint };
        let expiring = if tab.expiring > 0 { Tone::Warn } else { Tone::Faint };
        tabs.row(vec![
            plain(tab_name(tab.tab)),
            plain(words::grouped(tab.resources)),
            toned(expiring, words::grouped(tab.expiring)),
            toned(late, words::grouped(tab.late)),
            plain(dates::short_or_dash(tab.next_expiry.as_deref())),
        ]);
    }
    page.table(tabs);
    notices(page, view);
    money(page, view);
}

fn notices(page: &mut Page, view: &Board) {
    if view.notices.is_empty() {
        page.gap();
        page.say(Tone::Good, "nothing needs you");
        return;
    }
    let total = view.counts.values().sum::<usize>().max(view.notices.len());
    page.heading(format!("needs you ({})", words::grouped(total)));
    let count = shown(page, view.notices.len());
    let mut table = Table::new(&["what", "subject", "when", "why", "do"]).indent(2);
    for notice in view.notices.iter().take(count) {
        table.row(vec![
            toned(tone(notice.kind), notice_word(notice.kind)),
            toned(Tone::Strong, &notice.subject),
            toned(Tone::Faint, notice.when.as_deref().map(dates::short).unwrap_or_default()),
            plain(&notice.message),
            toned(Tone::Command, notice.command.as_deref().unwrap_or_default()),
        ]);
    }
    page.table(table);
    and_more(page, total.saturating_sub(count));
}

fn money(page: &mut Page, view: &Board) {
    page.gap();
    if let Some(unpaid) = words::sums(&view.unpaid) {
        page.field("unpaid orders", unpaid);
    }
    for BalanceView { account, balance } in &view.balances {
        page.field("balance", format!("{account}  {balance}"));
    }
}

/// The word for a kind of notice, as in JSON.
pub(crate) fn notice_word(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Unknown => "unknown",
        NoticeKind::RequiresAction => "requires-action",
        NoticeKind::Held => "held",
        NoticeKind::Pending => "pending",
        NoticeKind::Refund => "refund",
        NoticeKind::Declined => "declined",
        NoticeKind::Unpaid => "unpaid",
        NoticeKind::Due => "due",
        NoticeKind::Frozen => "frozen",
        NoticeKind::Lapsing => "lapsing",
        NoticeKind::Late => "late",
        NoticeKind::CannotRenew => "cannot-renew",
        NoticeKind::EventsBehind => "events-behind",
        NoticeKind::Restored => "restored",
        NoticeKind::NoPolicy => "no-policy",
        NoticeKind::PolicyConflict => "policy-conflict",
    }
}

fn tone(kind: NoticeKind) -> Tone {
    match kind {
        NoticeKind::Unknown
        | NoticeKind::Declined
        | NoticeKind::Frozen
        | NoticeKind::Late
        | NoticeKind::PolicyConflict => Tone::Bad,
        NoticeKind::RequiresAction
        | NoticeKind::Held
        | NoticeKind::Lapsing
        | NoticeKind::CannotRenew
        | NoticeKind::EventsBehind
        | NoticeKind::Restored
        | NoticeKind::NoPolicy => Tone::Warn,
        NoticeKind::Pending | NoticeKind::Refund | NoticeKind::Unpaid | NoticeKind::Due => Tone::Plain,
    }
}
