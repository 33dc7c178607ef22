//! `renewd align date`: one calculation by the renewal arithmetic, without a store.
//!
//! Every rule is the core's; this file reads the values and writes the answer. The JSON object is a fixed contract
//! without `formatVersion`.

use crate::context::Context;
use crate::error::CliError;
use crate::render;
use crate::values::{self, quoted};
use anyhow::Context as _;
use chrono::{DateTime, NaiveDateTime, NaiveTime, Timelike as _, Utc};
use chrono_tz::Tz;
use clap::Args;
use renewd_core::calendar::{
    Alignment, AnchorDay, Dates, DatesError, Expiry, ExtraDays, ExtraOf, MonthEnd, Proration, Rules, Term, schedule,
};
use renewd_engine::Exit;
use serde::Serialize;

/// Longest schedule that `--count` asks for.
const COUNT_MAX: u32 = 10_000;

/// Calculate one renewal's dates
///
/// EXPIRY is a local date and time in the zone (a bare date is 00:00:00), or an instant with an offset.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renewd align date 2020-04-28T23:59:59 --zone Asia/Shanghai --term P1M --renewal-day 15
  renewd align date 2024-01-31 --term P1M --count 12
  renewd align date 2025-02-28 --anchor-day 31 --month-end end-of-month -o json")]
pub(crate) struct DateArgs {
    /// When the current term ends
    #[arg(value_name = "EXPIRY", allow_hyphen_values = true)]
    expiry: String,
    /// Read and show dates in this IANA time zone
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    zone: String,
    /// Add this term: whole months or years
    #[arg(long, value_name = "TERM", default_value = "P1M")]
    term: String,
    /// Align to this day: 1 to 28, or `last`
    #[arg(long, value_name = "DAY", allow_negative_numbers = true)]
    renewal_day: Option<String>,
    /// Step over short months by this rule: anchor, clamp or end-of-month
    #[arg(long, value_name = "RULE", default_value = "anchor")]
    month_end: String,
    /// Count months from this day, 1 to 31, instead of the expiry's own
    #[arg(long, value_name = "DAY", allow_negative_numbers = true)]
    anchor_day: Option<String>,
    /// Prorate extra days by this rule: actual, fixed-30 or natural-months
    #[arg(long, value_name = "RULE", default_value = "actual")]
    proration: String,
    /// Make extra days a fraction of a month or of the term
    #[arg(long, value_name = "month|term", default_value = "month")]
    of: String,
    /// Show the schedule of the next N expiries
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    count: Option<String>,
}

/// A calculation with all its values read.
pub(crate) struct Calculation {
    pub(crate) expiry: Expiry,
    pub(crate) term: Term,
    pub(crate) alignment: Alignment,
    pub(crate) rules: Rules,
    anchor: AnchorDay,
    count: u32,
}

/// The answer, in the order of its JSON fields.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DateAnswer {
    base: String,
    new_expiry: String,
    extra_days: u8,
    fraction: String,
    next: Vec<String>,
}

pub(crate) fn date(context: &Context<'_>, args: &DateArgs) -> Result<Exit, CliError> {
    let asked = args.read()?;
    let dates = asked.chain()?;
    let first = dates.first().context("a schedule without a first expiry")?;
    let shown = usize::try_from(asked.count).unwrap_or(usize::MAX);
    let answer = DateAnswer {
        base: first.base.rfc3339(),
        new_expiry: first.new_expiry.rfc3339(),
        extra_days: first.extra_days,
        fraction: first.fraction.to_string(),
        next: dates.iter().take(shown).map(|dates| dates.new_expiry.rfc3339()).collect(),
    };
    context.ui.bare(&answer, |page| render::align_date::page(page, &asked, first, &answer.next))?;
    Ok(Exit::Done)
}

impl DateArgs {
    fn read(&self) -> Result<Calculation, CliError> {
        let zone = renewd_policy::values::parse_zone(&self.zone)?;
        let expiry = expiry(&self.expiry, zone)?;
        let alignment = match self.renewal_day.as_deref() {
            Some(day) => Alignment::Day(values::renewal_day(day)?),
            None => Alignment::None,
        };
        let extra = ExtraDays { of: values::word(&self.of)?, proration: values::word(&self.proration)? };
        if extra.of == ExtraOf::Term && extra.proration != Proration::default() {
            let hint = "leave `--proration` out, or use `--of month`".to_owned();
            return Err(CliError::input("conflicting-fields", "`--of term` takes no proration", hint));
        }
        let month_end: MonthEnd = values::word(&self.month_end)?;
        let anchor = match self.anchor_day.as_deref() {
            Some(text) => anchor_day(text)?,
            None => AnchorDay::of(expiry.date),
        };
        let count = self.count.as_deref().map(count).transpose()?.unwrap_or(0);
        let rules = Rules { month_end, extra, ..Rules::default() };
        Ok(Calculation { expiry, term: values::term(&self.term)?, alignment, rules, anchor, count })
    }
}

impl Calculation {
    /// The first renewal, and as many more as are asked for.
    fn chain(&self) -> Result<Vec<Dates>, CliError> {
        let count = self.count.max(1);
        schedule(&self.expiry, self.anchor, self.term, &self.alignment, &self.rules, count).map_err(|error| {
            let code = match error {
                DatesError::AnchorMismatch { .. } => "bad-anchor-day",
                DatesError::PastExpiry { .. }
                | DatesError::TooFarAhead { .. }
                | DatesError::AlreadyThere
                | DatesError::LaterThanDate { .. }
                | DatesError::DateInPast { .. }
                | DatesError::OutOfRange => "date-out-of-range",
            };
            CliError::input(code, error.to_string(), error.hint())
        })
    }
}

/// An expiry: a bare date, a local date and time, or an instant; whole seconds, and only seconds that exist.
fn expiry(text: &str, zone: Tz) -> Result<Expiry, CliError> {
    let wrong = || {
        let hint = "write it like `2020-04-28`, `2020-04-28T23:59:59` or `2020-04-28T23:59:59+08:00`";
        CliError::input("bad-date", format!("{} is not an expiry", quoted(text)), hint.to_owned())
    };
    if let Ok(date) = values::date(text) {
        return Ok(Expiry { date, time: NaiveTime::MIN, zone });
    }
    let date_part = text.get(..10).and_then(|date| values::date(date).ok()).ok_or_else(wrong)?;
    let rest = text.get(10..).unwrap_or_default();
    if let Some(time) = rest.strip_prefix('T').and_then(|time| renewd_policy::values::parse_time(time).ok()) {
        return Ok(Expiry { date: date_part, time, zone });
    }
    let instant: DateTime<Utc> = DateTime::parse_from_rfc3339(text).map_err(|_| wrong())?.to_utc();
    // A leap second, or a part of a second, is no time at which a term could end.
    let whole = |local: NaiveDateTime| local.nanosecond() == 0;
    if !rest.starts_with('T') || !whole(instant.naive_utc()) {
        return Err(wrong());
    }
    Ok(Expiry::from_instant(instant, zone))
}

fn anchor_day(text: &str) -> Result<AnchorDay, CliError> {
    number(text).and_then(|day| u8::try_from(day).ok()).and_then(|day| AnchorDay::new(day).ok()).ok_or_else(|| {
        let message = format!("{} is not an anchor day", quoted(text));
        CliError::input("bad-anchor-day", message, "use a day of a month, 1 to 31".to_owned())
    })
}

fn count(text: &str) -> Result<u32, CliError> {
    number(text).filter(|count| *count <= COUNT_MAX).ok_or_else(|| {
        let message = format!("{} is not a count of expiries", quoted(text));
        CliError::input("bad-number", message, format!("use a number from 0 to {COUNT_MAX}"))
    })
}

/// Digits only: the standard parser would also take a sign.
fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}
