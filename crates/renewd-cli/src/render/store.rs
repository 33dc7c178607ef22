//! The store: what it holds, and whether it is whole.

use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::words;
use renewd_engine::view::{Origin, RestoredView, StoreCopyView, StoreInfoView, StoreSalvageView, StoreVerifyView};

/// What the store holds.
pub(crate) fn info(page: &mut Page, view: &StoreInfoView) {
    page.say(Tone::Strong, &view.directory);
    page.gap();
    page.field("id", &view.id);
    page.field("format", view.format);
    page.field("revision", view.revision);
    if let Some(restored) = &view.restored {
        page.field("restored", restored_words(restored));
    }
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
    page.field(if view.backup { "backup" } else { "store" }, &view.directory);
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

/// A backup, or a store that was made from one.
pub(crate) fn copy(page: &mut Page, view: &StoreCopyView) {
    let what = if view.restored.is_some() { "store" } else { "backup" };
    page.field(what, &view.directory);
    page.field("from", &view.from);
    page.field("records", number(view.sequence));
    page.field("head", &view.head);
    page.field("size", format!("{} bytes, {} blobs among them", number(view.bytes), number(view.blobs)));
    page.gap();
    match &view.restored {
        None => {
            page.say(Tone::Good, "verified");
            page.command(format!("renewd store restore {} --store NEWDIR", view.directory));
        }
        Some(restored) => marked(page, restored),
    }
}

/// What was saved of a damaged store, and what was not.
pub(crate) fn salvage(page: &mut Page, view: &StoreSalvageView) {
    let StoreSalvageView { copy: new, damage, complete, lost } = view;
    page.field("new store", &new.directory);
    page.field("from", &new.from);
    page.field("records", number(new.sequence));
    page.gap();
    damage.iter().for_each(|what| page.say(Tone::Bad, what));
    if *complete {
        page.say(Tone::Good, "nothing was lost");
    } else {
        let tail = format!("at least {} records in {} bytes", number(lost.records), number(lost.bytes));
        let acknowledged = match lost.acknowledged {
            Some(0) => "none of them was acknowledged for certain".to_owned(),
            Some(count) => format!("{} of them had been acknowledged", number(count)),
            None => "how many of them had been acknowledged cannot be told".to_owned(),
        };
        if lost.records > 0 || lost.bytes > 0 {
            page.say(Tone::Bad, format!("lost: {tail}; {acknowledged}"));
        }
        lost.blobs.iter().for_each(|blob| page.say(Tone::Bad, format!("lost: the blob {blob}")));
    }
    if let Some(restored) = &new.restored {
        marked(page, restored);
    }
    page.line("the damaged store was not changed; keep it");
}

/// What follows from the mark of a store that was made from a copy.
fn marked(page: &mut Page, restored: &RestoredView) {
    page.line(format!("marked as {}", restored_words(restored)));
    page.line("before the first charge of each resource its gateway is asked for charges that are not known here");
}

fn restored_words(restored: &RestoredView) -> String {
    let origin = match restored.origin {
        Origin::Backup => "restored from a backup",
        Origin::Salvage => "salvaged from a damaged store",
    };
    let times = if restored.epoch > 1 { format!(" ({} times in all)", restored.epoch) } else { String::new() };
    format!("{origin}{times}, up to record {}", number(restored.sequence))
}

fn number(number: u64) -> String {
    words::grouped(usize::try_from(number).unwrap_or(usize::MAX))
}
