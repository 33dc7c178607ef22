//! One renewal's dates: start, base, new expiry, anchors and extra days (DESIGN section 3).
//!
//! Decides dates only; must never know a price, a plugin or an order.

use super::day::AnchorDay;
use super::error::DatesError;
use super::expiry::{Expiry, resolve_local};
use super::fraction::Fraction;
use super::months::{add_months, day_in_month_before, first_renewal_day};
use super::options::{Alignment, ExtraOf, LateStart, MonthEnd, Rules};
use super::proration::{ExtraSpan, days_between, of_month, of_term};
use super::term::Term;
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What a renewal does to the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dates {
    /// Where the whole months start: the old expiry, or by the late-start rule.
    pub start: Expiry,
    /// Start plus term.
    pub base: Expiry,
    /// The base, or the aligned date on or after it.
    pub new_expiry: Expiry,
    /// The whole months; under `--same-date` computed, and possibly zero.
    pub term: Term,
    /// The anchor day that the month-end rule used.
    pub anchor_before: AnchorDay,
    /// The anchor day that the resource keeps.
    pub anchor_after: AnchorDay,
    /// New expiry less base, 0 to 30.
    pub extra_days: u8,
    /// What the fraction is of: the price of a month or of the term.
    pub extra_of: ExtraOf,
    /// The extra days as an exact fraction.
    pub fraction: Fraction,
    /// Whole local days already past that a late renewal from the old expiry pays for and loses.
    pub burned_days: u32,
}

/// Where a renewal starts.
struct Start {
    at: Expiry,
    anchor: AnchorDay,
    burned_days: u32,
}

/// The dates of one renewal. Under [`Alignment::SameDate`] the term is computed and `term` is not looked at.
///
/// Without `now` this is a pure calculation: nothing is late, in the past or too far ahead. With it, a renewal is
/// late from the expiry's own instant on.
///
/// # Errors
/// See [`DatesError`]; [`DatesError::AlreadyThere`] means that there is nothing to do.
pub fn renewal_dates(
    expiry: &Expiry,
    anchor: AnchorDay,
    term: Term,
    alignment: &Alignment,
    rules: &Rules,
    now: Option<DateTime<Utc>>,
) -> Result<Dates, DatesError> {
    if !anchor.fits(expiry.date) {
        return Err(DatesError::AnchorMismatch { anchor, date: expiry.date });
    }
    if let Alignment::SameDate(date) = *alignment {
        refuse_same_date_at_or_after(expiry, date)?;
    }
    let start = late_start(expiry, anchor, rules.late_start, now)?;
    let dates = dates_from(&start, term, alignment, rules)?;
    let Some(now) = now else { return Ok(dates) };
    if dates.new_expiry.instant() <= now {
        return Err(match *alignment {
            Alignment::SameDate(date) => DatesError::DateInPast { date },
            Alignment::None | Alignment::Day(_) => {
                let least = least_term(&start, alignment, rules, now);
                DatesError::PastExpiry { new_expiry: dates.new_expiry, least }
            }
        });
    }
    refuse_too_far_ahead(&dates.base, rules.max_ahead, now)?;
    Ok(dates)
}

/// A chain of `count` renewals, each from the one before: the schedule of `align date --count`.
///
/// Only the first can be to a date ([`Alignment::SameDate`]); the ones after it add the term, unaligned.
///
/// # Errors
/// As [`renewal_dates`] without `now`.
pub fn schedule(
    expiry: &Expiry,
    anchor: AnchorDay,
    term: Term,
    alignment: &Alignment,
    rules: &Rules,
    count: u32,
) -> Result<Vec<Dates>, DatesError> {
    let (mut expiry, mut anchor, mut alignment) = (*expiry, anchor, *alignment);
    let mut chain = Vec::new();
    for _ in 0..count {
        let dates = renewal_dates(&expiry, anchor, term, &alignment, rules, None)?;
        (expiry, anchor) = (dates.new_expiry, dates.anchor_after);
        if let Alignment::SameDate(_) = alignment {
            alignment = Alignment::None;
        }
        chain.push(dates);
    }
    Ok(chain)
}

fn refuse_same_date_at_or_after(expiry: &Expiry, date: NaiveDate) -> Result<(), DatesError> {
    match expiry.date.cmp(&date) {
        std::cmp::Ordering::Less => Ok(()),
        std::cmp::Ordering::Equal => Err(DatesError::AlreadyThere),
        std::cmp::Ordering::Greater => Err(DatesError::LaterThanDate { expiry: *expiry, date }),
    }
}

fn late_start(
    expiry: &Expiry,
    anchor: AnchorDay,
    rule: LateStart,
    now: Option<DateTime<Utc>>,
) -> Result<Start, DatesError> {
    let on_time = Start { at: *expiry, anchor, burned_days: 0 };
    let Some(now) = now.filter(|now| *now >= expiry.instant()) else { return Ok(on_time) };
    let latest = expiry.latest_at_or_before(now).ok_or(DatesError::OutOfRange)?;
    match rule {
        LateStart::FromExpiry => {
            let burned_days = days_between(expiry.date, latest.date).unwrap_or(0);
            Ok(Start { burned_days, ..on_time })
        }
        LateStart::FromRenewal => Ok(Start { at: latest, anchor: AnchorDay::of(latest.date), burned_days: 0 }),
    }
}

fn dates_from(start: &Start, term: Term, alignment: &Alignment, rules: &Rules) -> Result<Dates, DatesError> {
    let (term, base, new) = match *alignment {
        Alignment::None => {
            let base = step(start, term, rules.month_end)?;
            (term, base, base)
        }
        Alignment::Day(day) => {
            let base = step(start, term, rules.month_end)?;
            (term, base, first_renewal_day(base, day).ok_or(DatesError::OutOfRange)?)
        }
        Alignment::SameDate(date) => {
            let (term, base) = months_up_to(start, date, rules.month_end)?;
            (term, base, date)
        }
    };
    in_range(new)?;
    let extra_of = match alignment {
        // Zero months have no length to be a fraction of, so the days up to a date are always days of a month.
        Alignment::SameDate(_) => ExtraOf::Month,
        Alignment::None | Alignment::Day(_) => rules.extra.of,
    };
    let anchor_after = anchor_after(start, alignment, rules.month_end, new);
    let extra_days = days_between(base, new).and_then(|days| u8::try_from(days).ok());
    let fraction =
        extra_fraction(start, term, ExtraSpan { base, new, time: start.at.time }, anchor_after, extra_of, rules);
    Ok(Dates {
        start: start.at,
        base: start.at.with_date(base),
        new_expiry: start.at.with_date(new),
        term,
        anchor_before: start.anchor,
        anchor_after,
        extra_days: extra_days.ok_or(DatesError::OutOfRange)?,
        extra_of,
        fraction: fraction.ok_or(DatesError::OutOfRange)?,
        burned_days: start.burned_days,
    })
}

fn extra_fraction(
    start: &Start,
    term: Term,
    span: ExtraSpan,
    anchor_after: AnchorDay,
    extra_of: ExtraOf,
    rules: &Rules,
) -> Option<Fraction> {
    if span.base == span.new {
        return Some(Fraction::default());
    }
    match extra_of {
        ExtraOf::Month => of_month(span, rules.extra.proration, day_in_month_before(span.new, anchor_after)?),
        ExtraOf::Term => of_term(span, add_months(span.base, term.months(), rules.month_end, start.anchor)?),
    }
}

/// The anchor day after the renewal (DESIGN section 3): an aligned renewal sets it, another one leaves it, and a
/// rule that steps from the current expiry lets it follow.
fn anchor_after(start: &Start, alignment: &Alignment, rule: MonthEnd, new: NaiveDate) -> AnchorDay {
    match (alignment, rule) {
        (Alignment::Day(day), _) => day.anchor(),
        (Alignment::SameDate(date), _) => AnchorDay::of(*date),
        (Alignment::None, MonthEnd::Anchor) => start.anchor,
        (Alignment::None, MonthEnd::Clamp | MonthEnd::EndOfMonth) => AnchorDay::of(new),
    }
}

fn step(start: &Start, term: Term, rule: MonthEnd) -> Result<NaiveDate, DatesError> {
    let base = add_months(start.at.date, term.months(), rule, start.anchor);
    in_range(base.ok_or(DatesError::OutOfRange)?)
}

/// The years that RFC 3339 can write.
fn in_range(date: NaiveDate) -> Result<NaiveDate, DatesError> {
    if (0..=9999).contains(&date.year()) { Ok(date) } else { Err(DatesError::OutOfRange) }
}

/// As many whole months as end on or before the date, and where they end.
fn months_up_to(start: &Start, date: NaiveDate, rule: MonthEnd) -> Result<(Term, NaiveDate), DatesError> {
    in_range(date)?;
    if start.at.date > date {
        // Only a late start passes a date that the expiry itself does not; such a start is not after now.
        return Err(DatesError::DateInPast { date });
    }
    let mut found = (Term::from_months(0), start.at.date);
    for months in 1..=Term::MONTHS_MAX {
        match add_months(start.at.date, months, rule, start.anchor) {
            Some(end) if end <= date => found = (Term::from_months(months), end),
            Some(_) | None => return Ok(found),
        }
    }
    Err(DatesError::OutOfRange)
}

/// The least number of whole months whose new expiry, aligned if asked, lies strictly after now.
fn least_term(start: &Start, alignment: &Alignment, rules: &Rules, now: DateTime<Utc>) -> Option<Term> {
    (1..=Term::MONTHS_MAX)
        .map(Term::from_months)
        .find(|term| dates_from(start, *term, alignment, rules).is_ok_and(|dates| dates.new_expiry.instant() > now))
}

fn refuse_too_far_ahead(base: &Expiry, max_ahead: Option<Term>, now: DateTime<Utc>) -> Result<(), DatesError> {
    let Some(max_ahead) = max_ahead else { return Ok(()) };
    let today = Expiry::from_instant(now, base.zone);
    let date = add_months(today.date, max_ahead.months(), MonthEnd::Clamp, AnchorDay::of(today.date));
    // A limit beyond the calendar limits nothing.
    let Some(date) = date else { return Ok(()) };
    let limit = resolve_local(date.and_time(today.time), base.zone);
    if base.instant() > limit { Err(DatesError::TooFarAhead { base: *base, limit }) } else { Ok(()) }
}
