//! When automatic renewal first charges. Retries after that belong to the engine, not here.

use super::expiry::Expiry;
use chrono::{DateTime, NaiveTime, Utc};

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
