//! Answers as text for people: one file per kind of answer, from views to pages.
//!
//! Nothing here asks, decides or writes; what scripts read is the JSON of the views themselves.

pub(crate) mod align;
pub(crate) mod align_date;
pub(crate) mod board;
pub(crate) mod import;
pub(crate) mod items;
pub(crate) mod list;
pub(crate) mod mode;
pub(crate) mod order;
pub(crate) mod plan;
pub(crate) mod plan_changes;
pub(crate) mod plugin;
pub(crate) mod refund;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod show_resource;
pub(crate) mod store;

use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::words;

/// Rows of a long list that are shown unless everything is asked for.
pub(crate) const ROWS_SHOWN: usize = 20;

/// How many of so many rows are shown.
pub(crate) fn shown(page: &Page, rows: usize) -> usize {
    if page.screen().verbose { rows } else { rows.min(ROWS_SHOWN) }
}

/// Says how many rows were left out.
pub(crate) fn and_more(page: &mut Page, left_out: usize) {
    if left_out > 0 {
        page.say(Tone::Faint, format!("  and {} more (-v shows all)", words::grouped(left_out)));
    }
}
