//! When automatic renewal charges first, and when again.

use super::expiry::Expiry;
use chrono::{DateTime, Days, NaiveTime, Utc};

/// The first automatic charge: the last `charge_at` at or before the expiry less that many local days, always
/// strictly before the expiry (DESIGN section 7, Auto).
pub fn auto_charge_at(expiry: &Expiry, charge_before_days: u32, charge_at: NaiveTime) -> DateTime<Utc> {
    let ends = expiry.instant();
    let latest = expiry.days_before(charge_before_days).map(|earlier| earlier.instant());
    let at_charge_time = Expiry { time: charge_at, ..*expiry };
    let mut charge = latest.and_then(|latest| at_charge_time.latest_at_or_before(latest));
    while let Some(found) = charge {
        if found.instant() < ends {
            return found.instant();
        }
        charge = found.days_before(1);
    }
    // Only at the beginning of the calendar is there no day before.
    DateTime::<Utc>::MIN_UTC
}

/// The next automatic try: the first one, or where one was made at `tried`, the first of those that lie `retry_days`
/// apart after it (DESIGN section 7, Auto). It may lie in the past: then it is due.
pub fn next_auto_try(
    expiry: &Expiry,
    charge_before_days: u32,
    charge_at: NaiveTime,
    retry_days: u32,
    tried: Option<DateTime<Utc>>,
) -> DateTime<Utc> {
    let first = auto_charge_at(expiry, charge_before_days, charge_at);
    let Some(tried) = tried.filter(|tried| first <= *tried) else { return first };
    let step = u64::from(retry_days.max(1));
    let first_date = first.with_timezone(&expiry.zone).date_naive();
    let passed = tried.with_timezone(&expiry.zone).date_naive().signed_duration_since(first_date).num_days();
    let whole = u64::try_from(passed).unwrap_or_default().checked_div(step).unwrap_or_default();
    let at_charge_time = Expiry { time: charge_at, ..*expiry };
    let nth = |number: u64| {
        let date = first_date.checked_add_days(Days::new(number.saturating_mul(step)))?;
        Some(at_charge_time.with_date(date).instant())
    };
    let candidates = [whole, whole.saturating_add(1), whole.saturating_add(2)];
    candidates.into_iter().filter_map(nth).find(|at| tried < *at).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
