//! When a gateway is asked again: often at first, then once a day; and for how long a decline that nobody but time
//! told is doubted.

use chrono::{DateTime, TimeDelta, Utc};

/// Minutes between two looks at an attempt or refund that is not decided; the last one repeats.
const LOOKS_MINUTES: [i64; 3] = [5, 60, 24 * 60];

/// Minutes between the looks at an attempt that was taken for declined because the gateway did not know it, or because
/// a person said so. After the last one it is believed.
const FOLLOW_UPS_MINUTES: [i64; 4] = [60, 24 * 60, 3 * 24 * 60, 7 * 24 * 60];

/// How many looks a presumed decline gets before it is believed.
pub const FOLLOW_UPS: u32 = FOLLOW_UPS_MINUTES.len() as u32;

/// The next look after one that decided nothing. `checks` are the looks made before this one.
pub fn next_look(now: DateTime<Utc>, checks: u32) -> DateTime<Utc> {
    let at = usize::try_from(checks).unwrap_or(usize::MAX);
    let minutes = LOOKS_MINUTES.get(at).or(LOOKS_MINUTES.last()).copied().unwrap_or_default();
    after(now, minutes)
}

/// The next look at a presumed decline, given the looks made before; none once it is believed.
pub fn follow_up(now: DateTime<Utc>, checks: u32) -> Option<DateTime<Utc>> {
    let at = usize::try_from(checks).ok()?;
    FOLLOW_UPS_MINUTES.get(at).map(|minutes| after(now, *minutes))
}

/// Whether an attempt is so old that a presumed decline may be believed. Looks at which the gateway could not tell count
/// like others, so that their number alone proves nothing.
pub fn is_believed(started_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    after(started_at, FOLLOW_UPS_MINUTES.iter().sum()) <= now
}

fn after(now: DateTime<Utc>, minutes: i64) -> DateTime<Utc> {
    now.checked_add_signed(TimeDelta::minutes(minutes)).unwrap_or(now)
}
