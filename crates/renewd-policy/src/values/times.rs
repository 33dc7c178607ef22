//! Days, terms, times of day, dates, moments and durations.

use super::amounts::whole;
use crate::finding::{Code, Problem, quoted};
use crate::limits::DAYS_MAX;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use renewd_core::calendar::{RenewalDay, RenewalDayError, Term, TermError};
use renewd_core::documents::{Days, LocalMoment};

/// Reads a number of days: `7d`.
///
/// # Errors
/// The text has no `d`, is not a whole number, or is beyond [`DAYS_MAX`].
pub fn parse_days(text: &str) -> Result<Days, Problem> {
    let wrong =
        |hint: String| Problem::new(Code::BadDays, format!("{} is not a number of days", quoted(text))).hint(hint);
    let Some(number) = text.strip_suffix('d') else {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        let rest = text.strip_prefix(digits.as_str()).unwrap_or_default().trim();
        let days = !digits.is_empty() && matches!(rest, "" | "D" | "day" | "days" | "Days");
        return Err(wrong(if days { format!("write `{digits}d`") } else { "write it like `7d`".to_owned() }));
    };
    match whole(number).and_then(|days| u32::try_from(days).ok()) {
        Some(days) if days <= DAYS_MAX => Ok(Days(days)),
        Some(_) => Err(wrong(format!("write at most `{DAYS_MAX}d`"))),
        None => Err(wrong("write it like `7d`".to_owned())),
    }
}

/// Reads a term: `P1M`, `P1Y`, `1 month`.
///
/// # Errors
/// The text is not a term of whole months or years.
pub fn parse_term(text: &str) -> Result<Term, Problem> {
    text.parse::<Term>().map_err(|error: TermError| {
        let what = match error {
            TermError::NotATerm(_) => "is not a term",
            TermError::Zero(_) => "adds no month",
            TermError::TooLong(_) => "is too long a term",
        };
        let problem = Problem::new(Code::BadTerm, format!("{} {what}", quoted(text)));
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    })
}

/// Reads a renewal day: 1 to 28, or `last`.
///
/// # Errors
/// The text is anything else, 29 to 31 included.
pub fn parse_renewal_day(text: &str) -> Result<RenewalDay, Problem> {
    text.parse::<RenewalDay>().map_err(|error: RenewalDayError| {
        let what = match error {
            RenewalDayError::NotInEveryMonth(_) => "is not a day that every month has",
            RenewalDayError::NotADay(_) => "is not a renewal day",
        };
        let problem = Problem::new(Code::BadRenewalDay, format!("{} {what}", quoted(text)));
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    })
}

/// Reads a time of day: `03:00` or `03:00:00`.
///
/// # Errors
/// The text is not a time of day.
pub fn parse_time(text: &str) -> Result<NaiveTime, Problem> {
    let shape = [5, 8].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let time = if shape {
        NaiveTime::parse_from_str(text, if text.len() == 5 { "%H:%M" } else { "%H:%M:%S" }).ok()
    } else {
        None
    };
    // A 60th second is a leap second to the calendar library and never a time to charge at.
    let time = time.filter(|_| !text.ends_with(":60"));
    time.ok_or_else(|| {
        Problem::new(Code::BadTime, format!("{} is not a time of day", quoted(text)))
            .hint("write it like `\"03:00\"`, from `\"00:00\"` to `\"23:59:59\"`")
    })
}

/// Reads a date: `2027-01-01`.
///
/// # Errors
/// The text is not a date.
pub fn parse_date(text: &str) -> Result<NaiveDate, Problem> {
    let shape = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = if shape { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None };
    date.ok_or_else(|| {
        Problem::new(Code::BadDate, format!("{} is not a date", quoted(text))).hint("write it like `2027-01-01`")
    })
}

/// Reads a moment: an RFC 3339 instant, or a local date and time, or a bare date (00:00:00 local).
///
/// # Errors
/// The text is none of these.
pub fn parse_moment(text: &str) -> Result<LocalMoment, Problem> {
    let leap_second = text.contains(":60");
    if let Ok(date) = parse_date(text) {
        return Ok(LocalMoment::Local(date.and_time(NaiveTime::MIN)));
    }
    let local = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];
    let four_digit_year = text.as_bytes().get(4) == Some(&b'-');
    let local = local
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .filter(|_| four_digit_year && !leap_second);
    if let Some(local) = local {
        return Ok(LocalMoment::Local(local));
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(instant) if text.contains('T') && !leap_second => Ok(LocalMoment::Instant(instant.with_timezone(&Utc))),
        Ok(_) | Err(_) => Err(Problem::new(Code::BadDate, format!("{} is not a date or a moment", quoted(text)))
            .hint("write it like `2027-01-01`, `2027-01-01T12:00:00` or `2027-01-01T12:00:00+08:00`")),
    }
}

/// Reads a duration of a plugin call: `500ms` or `2s`, at least a millisecond, at most ten minutes.
///
/// # Errors
/// The text has no unit, or is out of range.
pub fn parse_millis(text: &str) -> Result<u64, Problem> {
    const MILLIS_MAX: u64 = 600_000;
    let millis = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => whole(number),
        (None, Some(number)) => whole(number).and_then(|seconds| seconds.checked_mul(1000)),
        (None, None) => None,
    };
    millis.filter(|millis| (1..=MILLIS_MAX).contains(millis)).ok_or_else(|| {
        Problem::new(Code::BadSize, format!("{} is not a duration", quoted(text)))
            .hint("write it like `500ms` or `2s`, at most `600s`")
    })
}
