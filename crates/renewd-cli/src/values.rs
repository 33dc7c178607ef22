//! Values on the command line: text in, checked value or an input error (exit 3) out.
//!
//! These are not clap's value parsers, because a wrong date or zone is wrong input, not wrong usage. The rules
//! themselves live in the core and in renewd-policy; nothing here may know one.

use crate::error::CliError;
use chrono::{DateTime, NaiveDate, Utc};
use renewd_core::calendar::{RenewalDay, Term, WordError};
use renewd_core::documents::{AlignAsked, Days, LocalMoment};
use renewd_core::ids::{AccountName, MethodName, NameError, OrderId, RequestName, ResourceId};
use renewd_core::money::Money;
use renewd_policy::{did_you_mean, values};
use std::str::FromStr;
use std::time::Duration;

pub(crate) fn term(text: &str) -> Result<Term, CliError> {
    Ok(values::parse_term(text)?)
}

pub(crate) fn renewal_day(text: &str) -> Result<RenewalDay, CliError> {
    Ok(values::parse_renewal_day(text)?)
}

pub(crate) fn date(text: &str) -> Result<NaiveDate, CliError> {
    Ok(values::parse_date(text)?)
}

pub(crate) fn moment(text: &str) -> Result<LocalMoment, CliError> {
    Ok(values::parse_moment(text)?)
}

pub(crate) fn days(text: &str) -> Result<Days, CliError> {
    Ok(values::parse_days(text)?)
}

pub(crate) fn money(text: &str) -> Result<Money, CliError> {
    Ok(values::parse_money(text)?)
}

/// A time in whole seconds, minutes or hours: `90s`, `5m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, CliError> {
    let units = [("s", 1), ("m", 60), ("h", 60 * 60)];
    let read = |unit: &str, seconds: u64| {
        let number = text.strip_suffix(unit).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
        number.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
    };
    units.into_iter().find_map(|(unit, seconds)| read(unit, seconds)).ok_or_else(|| {
        let hint = "write whole seconds, minutes or hours, such as `90s`, `5m` or `1h`";
        CliError::input("bad-duration", format!("{} is not a duration", quoted(text)), hint.to_owned())
    })
}

/// A moment that must stand by itself: an instant, or a local time read in UTC.
pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, CliError> {
    Ok(moment(text)?.instant(chrono_tz::UTC))
}

/// `--align` without a value, or with a day.
pub(crate) fn align(align: Option<&str>, no_align: bool) -> Result<AlignAsked, CliError> {
    match align {
        Some("") => Ok(AlignAsked::Yes),
        Some(day) => Ok(AlignAsked::Day(renewal_day(day)?)),
        None if no_align => Ok(AlignAsked::No),
        None => Ok(AlignAsked::Unsaid),
    }
}

/// One word of a closed list.
pub(crate) fn word<T: FromStr<Err = WordError>>(text: &str) -> Result<T, CliError> {
    text.parse().map_err(|error: WordError| {
        let message = format!("{} is not a {}", quoted(&error.word), error.what);
        CliError::input("unknown-word", message, did_you_mean(&error.word, error.allowed))
    })
}

pub(crate) fn method(text: &str) -> Result<MethodName, CliError> {
    name(text, "a payment method")
}

pub(crate) fn account(text: &str) -> Result<AccountName, CliError> {
    name(text, "an account")
}

pub(crate) fn resource(text: &str) -> Result<ResourceId, CliError> {
    name(text, "a resource")
}

pub(crate) fn request(text: &str) -> Result<RequestName, CliError> {
    name(text, "a request id")
}

/// An order's id: `ord_` and twelve hexadecimal digits.
pub(crate) fn order(text: &str) -> Result<OrderId, CliError> {
    let shape = text.strip_prefix("ord_").is_some_and(|rest| {
        rest.len() == 12 && rest.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
    });
    if shape {
        return name(text, "an order");
    }
    let hint = "an order is `ord_` and twelve digits or letters a to f; `renewd orders list --all` shows them";
    Err(CliError::input("bad-name", format!("{} is not an order", quoted(text)), hint.to_owned()))
}

fn name<T: FromStr<Err = NameError>>(text: &str, what: &str) -> Result<T, CliError> {
    text.parse().map_err(|error: NameError| {
        CliError::input("bad-name", format!("{} cannot be {what}", quoted(text)), error.to_string())
    })
}

/// The user's text in backticks, on one line.
pub(crate) fn quoted(text: &str) -> String {
    renewd_policy::finding::quoted(text)
}
