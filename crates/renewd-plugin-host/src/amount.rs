//! Decimals from a guest become money, or the answer is refused. Nothing is rounded here: a plugin rounds, the host checks.

use crate::invalid_output::InvalidOutput;
use crate::text::excerpt;
use renewd_core::money::{AMOUNT_MAX, Currency, Money, MoneyError};
use rust_decimal::Decimal;

/// Longest accepted decimal, bytes: a sign, 16 digits, a point, 28 decimals.
const DECIMAL_BYTES: usize = 46;

/// A plain decimal: `-?[0-9]+(\.[0-9]+)?`, at most 10^15 either way, exact.
pub(crate) fn decimal(text: &str, at: &str) -> Result<Decimal, InvalidOutput> {
    let bad = || InvalidOutput::BadDecimal { at: at.to_owned(), value: excerpt(text) };
    if !is_plain(text) {
        return Err(bad());
    }
    let value = Decimal::from_str_exact(text).map_err(|_| bad())?;
    if value.abs() > Decimal::from(AMOUNT_MAX) { Err(bad()) } else { Ok(value) }
}

/// An amount of `currency` with no more decimals than its minor unit has.
pub(crate) fn money(text: &str, currency: Currency, at: &str) -> Result<Money, InvalidOutput> {
    let value = decimal(text, at)?;
    match Money::new(value, currency) {
        Ok(money) => Ok(money),
        Err(MoneyError::TooManyDecimals { .. }) => Err(InvalidOutput::TooManyDecimals {
            at: at.to_owned(),
            value: excerpt(text),
            currency: currency.code().to_owned(),
            digits: currency.minor_digits(),
        }),
        Err(_) => Err(InvalidOutput::BadDecimal { at: at.to_owned(), value: excerpt(text) }),
    }
}

/// Demands that the guest's `found` is the currency that was asked for.
pub(crate) fn same_currency(found: &str, wanted: Currency) -> Result<(), InvalidOutput> {
    if found == wanted.code() {
        return Ok(());
    }
    Err(InvalidOutput::OtherCurrency { found: excerpt(found), wanted: wanted.code().to_owned() })
}

fn is_plain(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if text.len() > DECIMAL_BYTES {
        return false;
    }
    match unsigned.split_once('.') {
        Some((whole, decimals)) => digits(whole) && digits(decimals),
        None => digits(unsigned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimals_are_read() {
        for good in ["0", "-0.5", "1000000000000000", "19.990"] {
            assert!(decimal(good, "total").is_ok(), "{good}");
        }
        for bad in ["", "-", "+1", "1e3", ".5", "5.", "1,000", " 1", "0x1", "NaN", "1000000000000000.1", "1_0", "١"] {
            assert!(decimal(bad, "total").is_err(), "{bad}");
        }
    }

    #[test]
    fn minor_digits_bind() {
        let yen: Currency = "JPY".parse().unwrap();
        assert!(money("100", yen, "total").is_ok());
        assert!(money("100.5", yen, "total").is_err());
    }
}
