//! The store: what it holds, and whether it is whole.

use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::words;
use renewd_engine::view::{StoreInfoView, StoreVerifyView};

/// What the store holds.
pub(crate) fn info(page: &mut Page, view: &StoreInfoView) {
    page.say(Tone::Strong, &view.directory);
    page.gap();
    page.field("id", &view.id);
    page.field("format", view.format);
    page.field("revision", view.revision);
    page.field("records", number(view.sequence));
    page.field("head", &view.head);
    page.field("journal", format!("{} bytes", number(view.journal_bytes)));
    page.field("index", format!("{} bytes", number(view.index_bytes)));
    for (tree, rows) in &view.rows {
        page.field(&format!("  {tree}"), format!("{} rows", number(*rows)));
    }
}

/// Whether the store is whole.
pub(crate) fn verification(page: &mut Page, view: &StoreVerifyView) {
    page.field("store", &view.directory);
    page.field("records", number(view.records));
    if let Some(rows) = view.rows {
        page.field("rows", number(rows));
    }
    if view.torn_bytes > 0 {
        page.field("torn end", format!("{} bytes of an unfinished commit, ignored", number(view.torn_bytes)));
    }
    page.gap();
    let tone = if view.clean { Tone::Plain } else { Tone::Bad };
    view.notes.iter().for_each(|note| page.say(tone, note));
    if view.clean {
        page.say(Tone::Good, "nothing is wrong");
    } else {
        page.say(Tone::Bad, "the store is damaged");
    }
}

fn number(number: u64) -> String {
    words::grouped(usize::try_from(number).unwrap_or(usize::MAX))
}
