//! One calculation written out, with its timeline.

use crate::commands::align_date::Calculation;
use crate::ui::page::Page;
use crate::ui::style::Tone;
use crate::ui::table::{Table, plain, toned};
use crate::ui::timeline::{Bar, Scale};
use crate::ui::words;
use renewd_core::calendar::{Alignment, Dates, Expiry, ExtraOf};

/// The arithmetic, the timeline and the schedule.
pub(crate) fn page(page: &mut Page, asked: &Calculation, dates: &Dates, next: &[String]) {
    let mut table = Table::new(&["", "", ""]);
    table.row(vec![plain("expiry"), plain(moment(&asked.expiry)), toned(Tone::Faint, asked.expiry.zone)]);
    let rule = format!("+ {}, {} rule, anchor day {}", asked.term, asked.rules.month_end, dates.anchor_before);
    table.row(vec![plain("base"), plain(moment(&dates.base)), toned(Tone::Faint, rule)]);
    let (tone, extra) = match asked.alignment {
        Alignment::None => (Tone::Faint, "not aligned".to_owned()),
        Alignment::Day(_) | Alignment::SameDate(_) => (Tone::Faint, extra_words(asked, dates)),
    };
    table.row(vec![
        toned(Tone::Strong, "new expiry"),
        toned(Tone::Strong, moment(&dates.new_expiry)),
        toned(tone, extra),
    ]);
    page.table(table);
    timeline(page, dates);
    if !next.is_empty() {
        page.heading(format!(
            "next {}",
            if next.len() == 1 { "expiry".to_owned() } else { format!("{} expiries", next.len()) }
        ));
        next.iter().for_each(|expiry| page.line(format!("  {expiry}")));
    }
}

fn extra_words(asked: &Calculation, dates: &Dates) -> String {
    let day = match asked.alignment {
        Alignment::Day(day) => format!("renewal day {day}"),
        Alignment::None | Alignment::SameDate(_) => "aligned".to_owned(),
    };
    if dates.extra_days == 0 {
        return format!("+ no extra days, {day}");
    }
    let of = match dates.extra_of {
        ExtraOf::Month => format!("{} of a month, {}", dates.fraction, asked.rules.extra.proration),
        ExtraOf::Term => format!("{} of the term", dates.fraction),
    };
    format!("+ {}, {day}: {of}", words::count(usize::from(dates.extra_days), "extra day"))
}

fn moment(expiry: &Expiry) -> String {
    expiry.rfc3339()
}

fn timeline(page: &mut Page, dates: &Dates) {
    let bar = Bar { start: dates.start.date, base: dates.base.date, end: dates.new_expiry.date };
    let Some(scale) = Scale::over(std::slice::from_ref(&bar), page.screen().ascii) else { return };
    page.gap();
    let pieces = scale.draw(&bar);
    let pieces: Vec<(Tone, &str)> = pieces.iter().map(|(tone, text)| (*tone, text.as_str())).collect();
    page.spans(&pieces);
    page.say(Tone::Faint, scale.legend());
}
