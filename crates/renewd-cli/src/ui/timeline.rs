//! Bars over days: what is paid already, what a term adds, and the extra days of alignment.

use super::style::Tone;
use chrono::NaiveDate;

/// Columns of a bar without its label.
const BAR_COLUMNS: i64 = 48;

/// One bar: dates in order, each span drawn in its own way.
pub(crate) struct Bar {
    /// Where the term starts.
    pub(crate) start: NaiveDate,
    /// Where the term ends.
    pub(crate) base: NaiveDate,
    /// Where the extra days end.
    pub(crate) end: NaiveDate,
}

/// The days that all bars of a picture share.
pub(crate) struct Scale {
    first: NaiveDate,
    days: i64,
    ascii: bool,
}

impl Scale {
    /// A scale over all bars.
    pub(crate) fn over(bars: &[Bar], ascii: bool) -> Option<Self> {
        let first = bars.iter().map(|bar| bar.start).min()?;
        let last = bars.iter().map(|bar| bar.end).max()?;
        let days = last.signed_duration_since(first).num_days().max(1);
        Some(Self { first, days, ascii })
    }

    fn column(&self, date: NaiveDate) -> i64 {
        let days = date.signed_duration_since(self.first).num_days();
        days.saturating_mul(BAR_COLUMNS).checked_div(self.days).unwrap_or_default()
    }

    /// The bar as pieces in their tones.
    pub(crate) fn draw(&self, bar: &Bar) -> Vec<(Tone, String)> {
        let (term, extra, from, to) = if self.ascii { ('=', '+', '|', '>') } else { ('━', '╍', '●', '◆') };
        let (start, base, end) = (self.column(bar.start), self.column(bar.base), self.column(bar.end));
        let run = |c: char, from: i64, to: i64| -> String {
            std::iter::repeat_n(c, usize::try_from(to.saturating_sub(from)).unwrap_or_default()).collect()
        };
        let mut pieces = vec![
            (Tone::Plain, run(' ', 0, start)),
            (Tone::Strong, from.to_string()),
            (Tone::Good, run(term, start, base)),
        ];
        // A day or two may be less than a column; they were paid for and are shown.
        let shown = if bar.end > bar.base { end.max(base.saturating_add(1)) } else { base };
        pieces.push((Tone::Warn, run(extra, base, shown)));
        pieces.push((Tone::Strong, to.to_string()));
        pieces
    }

    /// What the signs mean.
    pub(crate) fn legend(&self) -> &'static str {
        if self.ascii {
            "| expiry now   = term   + extra days   > new expiry"
        } else {
            "● expiry now   ━ term   ╍ extra days   ◆ new expiry"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_single_extra_day_is_visible() {
        let bar = Bar { start: date("2025-01-31"), base: date("2026-01-31"), end: date("2026-02-01") };
        let scale = Scale::over(std::slice::from_ref(&bar), true).unwrap();
        let text: String = scale.draw(&bar).into_iter().map(|(_, text)| text).collect();
        assert!(text.starts_with("|=") && text.ends_with("+>"), "{text}");
    }
}
