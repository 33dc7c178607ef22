//! An expiry as people mean it, a local date and time in a zone, and how that becomes an instant.
//!
//! The local date and time are kept as they were before a gap or fold moves them; they must never be read back
//! from the instant, or a daylight-saving change would make the anchor time drift.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, TimeZone as _, Utc};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The end of a paid term; the resource is active strictly before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expiry {
    /// The local date, before a gap or fold moves the instant.
    pub date: NaiveDate,
    /// The local time, before a gap or fold moves the instant: the anchor time.
    pub time: NaiveTime,
    /// The zone in which the anchors were taken.
    pub zone: Tz,
}

impl Expiry {
    /// The local date and time at which an instant falls in a zone.
    pub fn from_instant(instant: DateTime<Utc>, zone: Tz) -> Self {
        let instant = within_reach(instant.naive_utc()).and_utc();
        let local = instant.with_timezone(&zone).naive_local();
        Self { date: local.date(), time: local.time(), zone }
    }

    /// The moment of expiry, by [`resolve_local`].
    pub fn instant(&self) -> DateTime<Utc> {
        resolve_local(self.date.and_time(self.time), self.zone)
    }

    /// The moment as RFC 3339 in its zone, e.g. `2020-05-28T23:59:59+08:00`; UTC prints `+00:00`.
    pub fn rfc3339(&self) -> String {
        rfc3339_in(self.instant(), self.zone)
    }

    /// The same local time and zone on another date.
    #[must_use]
    pub fn with_date(&self, date: NaiveDate) -> Self {
        Self { date, ..*self }
    }

    /// The latest moment at this local time that is not after `now`, as a date; `None` at the calendar's ends.
    ///
    /// Starts a day after now's own date: a clock set back over midnight can make tomorrow's first minutes come
    /// before today's last.
    pub(super) fn latest_at_or_before(&self, now: DateTime<Utc>) -> Option<Self> {
        let mut candidate = self.with_date(Self::from_instant(now, self.zone).date.succ_opt()?);
        while candidate.instant() > now {
            candidate = candidate.days_before(1)?;
        }
        Some(candidate)
    }

    /// That many local calendar days earlier, at the same local time.
    pub(super) fn days_before(&self, days: u32) -> Option<Self> {
        let date = self.date.checked_sub_days(Days::new(u64::from(days)))?;
        Some(self.with_date(date))
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.rfc3339())
    }
}

/// An instant as RFC 3339 in a zone; UTC prints `+00:00`.
pub fn rfc3339_in(instant: DateTime<Utc>, zone: Tz) -> String {
    let instant = within_reach(instant.naive_utc()).and_utc();
    instant.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// The instant of a local date and time: in a gap the first instant after it, in a fold the earlier one.
///
/// Within two days of the ends of chrono's calendar, where zones cannot be applied, the time is pulled inwards.
pub fn resolve_local(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let local = within_reach(local);
    let found = zone.from_local_datetime(&local);
    if let Some(instant) = found.earliest().into_iter().chain(found.latest()).min() {
        return instant.to_utc();
    }
    if let Some(after) = GapInfo::new(&local, &zone).and_then(|gap| gap.end) {
        return after.to_utc();
    }
    // No zone of the database comes here; reading the time as if in UTC is off by an offset, and never a panic.
    local.and_utc()
}

fn within_reach(time: NaiveDateTime) -> NaiveDateTime {
    let margin = TimeDelta::days(2);
    let least = NaiveDateTime::MIN.checked_add_signed(margin).unwrap_or(time);
    let most = NaiveDateTime::MAX.checked_sub_signed(margin).unwrap_or(time);
    time.max(least).min(most)
}
