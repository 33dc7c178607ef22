//! The proration rule: which fraction of a month or term the extra days are (DESIGN section 3, `extraDays`).
//!
//! Works on local dates as they were before gaps and folds; must never count hours or instants.

use super::fraction::Fraction;
use super::options::Proration;
use chrono::{Datelike as _, NaiveDate, NaiveTime};

/// The days from the base to the new expiry, at one local time of day.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExtraSpan {
    pub(super) base: NaiveDate,
    pub(super) new: NaiveDate,
    pub(super) time: NaiveTime,
}

/// Extra days over one month; `month_before` is the renewal day before the new expiry.
pub(super) fn of_month(span: ExtraSpan, proration: Proration, month_before: NaiveDate) -> Option<Fraction> {
    let days = days_between(span.base, span.new)?;
    match proration {
        Proration::Actual => Some(Fraction::single(days, days_between(month_before, span.new)?)),
        Proration::Fixed30 => Some(Fraction::single(days, 30)),
        Proration::NaturalMonths => natural_months(span),
    }
}

/// Extra days over the term that follows the base.
pub(super) fn of_term(span: ExtraSpan, term_after_base: NaiveDate) -> Option<Fraction> {
    let days = days_between(span.base, span.new)?;
    Some(Fraction::single(days, days_between(span.base, term_after_base)?))
}

/// An extra day belongs to the local date of its last instant: with an expiry at midnight that is the date on
/// which the day starts, at any other time the one on which it ends.
fn natural_months(span: ExtraSpan) -> Option<Fraction> {
    let midnight = span.time == NaiveTime::MIN;
    let (mut day, end) = if midnight { (span.base, span.new) } else { (span.base.succ_opt()?, span.new.succ_opt()?) };
    let mut fraction = Fraction::default();
    while day < end {
        let month_days = u32::from(day.num_days_in_month());
        let next_month = day.with_day(month_days)?.succ_opt()?;
        let stop = end.min(next_month);
        fraction = fraction.with(days_between(day, stop)?, month_days);
        day = stop;
    }
    Some(fraction)
}

/// Whole days from one date to a later one; `None` when it is earlier.
pub(super) fn days_between(from: NaiveDate, to: NaiveDate) -> Option<u32> {
    u32::try_from(to.signed_duration_since(from).num_days()).ok()
}
