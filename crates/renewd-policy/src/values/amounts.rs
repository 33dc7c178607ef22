//! Money, percentages, sizes and plain numbers.
//!
//! Never a float: decimals are exact, and a number without a unit is refused wherever a unit is needed.

use super::names::parse_currency;
use crate::finding::{Code, Problem, quoted};
use renewd_core::documents::Percent;
use renewd_core::money::{Currency, Money, MoneyError};
use rust_decimal::Decimal;

/// Reads money: `20000 USD`, `73.55 EUR`.
///
/// # Errors
/// The text is not an amount and a currency, the currency is unknown or has fewer decimals, or the amount is
/// negative.
pub fn parse_money(text: &str) -> Result<Money, Problem> {
    // Only plain digits: underscores, signs and exponents are left to no reader's mercy.
    let amount = text.trim().split(' ').next().unwrap_or_default();
    if plain_decimal(amount).is_none() {
        return Err(money_problem(text, &MoneyError::NotMoney(text.to_owned())));
    }
    match text.parse::<Money>() {
        Ok(money) if money.is_negative() => {
            let message = format!("{} is a negative amount", quoted(text));
            Err(Problem::new(Code::BadMoney, message).hint("write an amount of zero or more"))
        }
        Ok(money) => Ok(money),
        Err(error) => Err(money_problem(text, &error)),
    }
}

fn money_problem(text: &str, error: &MoneyError) -> Problem {
    match error {
        MoneyError::Currency(_) => {
            let code = text.trim().split_once(' ').map_or(text, |(_, code)| code.trim());
            let problem = parse_currency(code).err();
            problem.unwrap_or_else(|| Problem::new(Code::BadMoney, format!("{} is not money", quoted(text))))
        }
        MoneyError::TooManyDecimals { currency, digits, .. } => {
            let message = format!("{} has more decimals than {currency} has", quoted(text));
            Problem::new(Code::BadMoney, message).hint(format!("write at most {digits} decimals"))
        }
        MoneyError::Overflow => {
            Problem::new(Code::BadMoney, format!("{} is too large an amount", quoted(text))).hint("write less")
        }
        MoneyError::NotMoney(_) | MoneyError::Mixed(..) | MoneyError::NoWeights => {
            let (message, hint) = match money_guess(text) {
                Guess::NoCurrency(amount) => (
                    format!("{} has no currency", quoted(text)),
                    format!("write `{amount} USD`, or the currency meant"),
                ),
                Guess::Money(money) => (format!("{} is not money", quoted(text)), format!("write `{money}`")),
                Guess::Nothing => (format!("{} is not money", quoted(text)), "write it like `20.00 USD`".to_owned()),
            };
            Problem::new(Code::BadMoney, message).hint(hint)
        }
    }
}

enum Guess {
    NoCurrency(String),
    Money(String),
    Nothing,
}

/// What somebody who wrote `$1,500`, `USD 20`, `20USD` or `20` wants.
fn money_guess(text: &str) -> Guess {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    if Decimal::from_str_exact(&digits).is_err() || text.contains('-') {
        return Guess::Nothing;
    }
    let letters: String = text.chars().filter(|c| c.is_ascii_alphabetic()).collect();
    let symbol = text.chars().find_map(|c| match c {
        '$' => Some("USD"),
        '€' => Some("EUR"),
        '£' => Some("GBP"),
        '¥' => Some("CNY"),
        '₹' => Some("INR"),
        _ => None,
    });
    let code = if letters.is_empty() { symbol } else { Some(letters.as_str()) };
    match code.map(str::to_ascii_uppercase) {
        Some(code) if code.parse::<Currency>().is_ok() => Guess::Money(format!("{digits} {code}")),
        Some(_) => Guess::Nothing,
        None => Guess::NoCurrency(digits),
    }
}

/// Reads a percentage from 0 to 1000: `5%`, `2.5%`.
///
/// # Errors
/// The text has no `%`, is not a number, or is out of range.
pub fn parse_percent(text: &str) -> Result<Percent, Problem> {
    let wrong =
        |hint: String| Problem::new(Code::BadPercent, format!("{} is not a percentage", quoted(text))).hint(hint);
    let Some(number) = text.strip_suffix('%') else {
        let hint =
            if plain_decimal(text).is_some() { format!("write `{text}%`") } else { "write it like `10%`".to_owned() };
        return Err(wrong(hint));
    };
    let value = plain_decimal(number.trim_end()).ok_or_else(|| wrong("write it like `10%`".to_owned()))?;
    if value.is_sign_negative() || value > Decimal::ONE_THOUSAND {
        return Err(wrong("write a percentage from `0%` to `1000%`".to_owned()));
    }
    Ok(Percent(value))
}

/// Reads a size: `64MiB`, `512KiB`, `1GiB`, `4096B`.
///
/// # Errors
/// The text has no unit, is not a whole number, is zero or is too large.
pub fn parse_bytes(text: &str) -> Result<u64, Problem> {
    const UNITS: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];
    let wrong = || {
        Problem::new(Code::BadSize, format!("{} is not a size", quoted(text)))
            .hint("write it like `64MiB` (KiB, MiB, GiB)")
    };
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| text.strip_suffix(name).map(|number| (number, *unit)))
        .ok_or_else(wrong)?;
    let number = whole(number.trim_end()).ok_or_else(wrong)?;
    number.checked_mul(unit).filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

/// Reads an exact decimal of zero or more, such as a price without its currency.
///
/// # Errors
/// The text is not plain digits with an optional decimal point, is negative, or has too many digits.
pub fn parse_decimal(text: &str) -> Result<Decimal, Problem> {
    let wrong = |hint: &str| Problem::new(Code::BadNumber, format!("{} is not a price", quoted(text))).hint(hint);
    match plain_decimal(text) {
        Some(value) if value.is_sign_negative() && !value.is_zero() => Err(wrong("write zero or more")),
        Some(value) => Ok(value),
        None if text.split_once(' ').is_some_and(|(amount, _)| plain_decimal(amount).is_some()) => {
            Err(wrong("leave the currency out: the price list names it once"))
        }
        None => Err(wrong("write digits with an optional decimal point, like `20.00`")),
    }
}

/// Reads a whole number within bounds, both included.
///
/// # Errors
/// The text is not a whole number, or out of bounds.
pub fn parse_integer(text: &str, (min, max): (i64, i64)) -> Result<i64, Problem> {
    let negative = text.strip_prefix('-');
    let value = whole(negative.unwrap_or(text))
        .and_then(|value| i64::try_from(value).ok())
        .map(|value| if negative.is_some() { value.saturating_neg() } else { value })
        .filter(|value| (min..=max).contains(value));
    value.ok_or_else(|| {
        let message = format!("{} is not a whole number from {min} to {max}", quoted(text));
        Problem::new(Code::BadNumber, message).hint(format!("write a number from {min} to {max}"))
    })
}

/// Digits only: the number types' own parsers also take a sign.
pub(super) fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn plain_decimal(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let plain = unsigned.starts_with(|c: char| c.is_ascii_digit())
        && unsigned.ends_with(|c: char| c.is_ascii_digit())
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { Decimal::from_str_exact(text).ok() } else { None }
}
