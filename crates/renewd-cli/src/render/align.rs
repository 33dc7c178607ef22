//! Alignment previews: bars before and after, with the cost of the extra days.

use super::{and_more, shown};
use crate::ui::dates;
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::timeline::{Bar, Scale};
use crate::ui::words;
use chrono::NaiveDate;
use renewd_engine::view::{AlignPreview, AlignRow};

/// Days that `--suggest` shows unless everything is asked for.
const SUGGESTIONS_SHOWN: usize = 10;

/// The preview.
pub(crate) fn preview(page: &mut Page, view: &AlignPreview) {
    if view.rows.is_empty() {
        page.say(Tone::Faint, "nothing is selected");
        return;
    }
    page.say(Tone::Strong, format!("aligned to {}", view.target));
    page.gap();
    let count = shown(page, view.rows.len());
    table(page, view.rows.iter().take(count).collect());
    and_more(page, view.rows.len().saturating_sub(count));
    bars(page, view.rows.iter().take(count));
    suggestions(page, view);
    page.gap();
    page.say(
        Tone::Strong,
        format!(
            "renewing all costs {}, of which {} for extra days",
            words::sums_or_nothing(&view.totals),
            words::sums_or_nothing(&view.extra_cost)
        ),
    );
}

fn table(page: &mut Page, rows: Vec<&AlignRow>) {
    let expiry = dates::column("expiry", rows.iter().map(|row| row.expiry.as_str()));
    let mut table =
        Table::new(&["resource", &expiry, "not aligned", "aligned", "extra days>", "total>", "of it extra>", ""]);
    for row in rows {
        table.row(vec![
            plain(&row.resource),
            plain(dates::short(&row.expiry)),
            toned(Tone::Faint, dates::short_or_dash(row.unaligned.as_deref())),
            plain(dates::short_or_dash(row.aligned.as_deref())),
            plain(row.extra_days.map_or_else(|| "-".to_owned(), |days| days.to_string())),
            plain(words::money(row.total)),
            plain(words::money(row.extra_cost)),
            toned(Tone::Bad, row.message.as_deref().unwrap_or_default()),
        ]);
    }
    page.table(table);
}

fn bars<'a>(page: &mut Page, rows: impl Iterator<Item = &'a AlignRow>) {
    let drawn: Vec<(&AlignRow, Bar)> = rows.filter_map(|row| Some((row, bar(row)?))).collect();
    let (names, bars): (Vec<&AlignRow>, Vec<Bar>) = drawn.into_iter().unzip();
    let Some(scale) = Scale::over(&bars, page.screen().ascii) else { return };
    page.gap();
    let width = names.iter().map(|row| row.resource.as_str().chars().count()).max().unwrap_or_default();
    for (row, bar) in names.iter().zip(&bars) {
        let label = format!("{:<width$}  ", row.resource.as_str());
        let pieces = scale.draw(bar);
        let mut spans = vec![(Tone::Plain, label.as_str())];
        spans.extend(pieces.iter().map(|(tone, text)| (*tone, text.as_str())));
        page.spans(&spans);
    }
    page.say(Tone::Faint, scale.legend());
}

fn bar(row: &AlignRow) -> Option<Bar> {
    let date = |text: &str| dates::date(text).parse::<NaiveDate>().ok();
    let end = date(row.aligned.as_deref()?)?;
    let days = chrono::Days::new(row.extra_days.unwrap_or_default().into());
    Some(Bar { start: date(&row.expiry)?, base: end.checked_sub_days(days)?, end })
}

fn suggestions(page: &mut Page, view: &AlignPreview) {
    if view.suggestions.is_empty() {
        return;
    }
    page.heading("days by what their extra days cost");
    let mut table = Table::new(&["day>", "extra days>", "cost>"]).indent(2);
    let count = if page.screen().verbose { view.suggestions.len() } else { SUGGESTIONS_SHOWN };
    for (index, day) in view.suggestions.iter().take(count).enumerate() {
        let tone = if index == 0 { Tone::Good } else { Tone::Plain };
        table.row(vec![
            toned(tone, &day.day),
            plain(day.extra_days),
            toned(tone, words::sums_or_nothing(&day.extra_cost)),
        ]);
    }
    page.table(table);
    and_more(page, view.suggestions.len().saturating_sub(count));
}
