//! Steps of whole months on the calendar: the month-end rules, in one function.
//!
//! Knows dates only; must never see a time of day or a zone.

use super::day::{AnchorDay, RenewalDay};
use super::options::MonthEnd;
use chrono::{Datelike as _, NaiveDate};

/// The date that many months later, by the month-end rule (DESIGN section 3, `monthEnd`).
///
/// No months at all give the date itself. `None` when the calendar does not reach that far.
pub fn add_months(date: NaiveDate, months: u16, rule: MonthEnd, anchor: AnchorDay) -> Option<NaiveDate> {
    if months == 0 {
        return Some(date);
    }
    let first = month_start(date, i32::from(months))?;
    let wanted = match rule {
        MonthEnd::Anchor => u32::from(anchor.get()),
        MonthEnd::Clamp => date.day(),
        MonthEnd::EndOfMonth if is_last_day(date) => 31,
        MonthEnd::EndOfMonth => date.day(),
    };
    day_or_last(first, wanted)
}

/// The first date on or after `base` that is a renewal day.
pub(super) fn first_renewal_day(base: NaiveDate, day: RenewalDay) -> Option<NaiveDate> {
    let wanted = u32::from(day.anchor().get());
    let here = day_or_last(month_start(base, 0)?, wanted)?;
    if here >= base { Some(here) } else { day_or_last(month_start(base, 1)?, wanted) }
}

/// That day in the month before the one of `date`, or the month's last day when it has no such day.
pub(super) fn day_in_month_before(date: NaiveDate, day: AnchorDay) -> Option<NaiveDate> {
    day_or_last(month_start(date, -1)?, u32::from(day.get()))
}

/// The first day of the month that lies so many months after the month of `date`.
fn month_start(date: NaiveDate, months: i32) -> Option<NaiveDate> {
    let month0 = i32::try_from(date.month0()).ok()?;
    let index = date.year().checked_mul(12)?.checked_add(month0)?.checked_add(months)?;
    let month = u32::try_from(index.rem_euclid(12)).ok()?.checked_add(1)?;
    NaiveDate::from_ymd_opt(index.div_euclid(12), month, 1)
}

fn day_or_last(first: NaiveDate, wanted: u32) -> Option<NaiveDate> {
    first.with_day(wanted.min(u32::from(first.num_days_in_month())))
}

fn is_last_day(date: NaiveDate) -> bool {
    date.day() == u32::from(date.num_days_in_month())
}
