//! Exact money: a decimal amount in an ISO 4217 currency, never a float.
//!
//! Arithmetic is checked and refuses to mix currencies. The one place where a fraction becomes money is
//! [`Money::rounded`]; everything else is exact.

use iso_currency::Currency as Iso;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A currency of ISO 4217 that has a minor unit (so not `XAU` or `XXX`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(Iso);

/// A text is not the code of a currency that people pay in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ISO 4217 currency code")]
pub struct CurrencyError(String);

impl Currency {
    /// The upper-case three-letter code.
    pub fn code(&self) -> &'static str {
        self.0.code()
    }

    /// How many decimal digits the minor unit has: 2 for USD, 0 for JPY, 3 for KWD.
    pub fn minor_digits(&self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let wrong = || CurrencyError(text.to_owned());
        let iso = Iso::from_code(text).ok_or_else(wrong)?;
        iso.exponent().ok_or_else(wrong)?;
        Ok(Self(iso))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// How a fraction of a minor unit is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// Ties go to the even neighbour (the default).
    #[default]
    HalfEven,
    /// Ties go away from zero.
    HalfUp,
}

impl Rounding {
    /// The word used in documents and for plugins.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HalfEven => "half-even",
            Self::HalfUp => "half-up",
        }
    }

    fn strategy(self) -> RoundingStrategy {
        match self {
            Self::HalfEven => RoundingStrategy::MidpointNearestEven,
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
        }
    }
}

/// What can go wrong with money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not an amount and a currency.
    #[error("`{0}` is not an amount of money such as `20.00 USD`")]
    NotMoney(String),
    /// The currency code is unknown.
    #[error(transparent)]
    Currency(#[from] CurrencyError),
    /// More decimals than the currency's minor unit has.
    #[error("`{amount}` has more than {digits} decimals, which is all that {currency} has")]
    TooManyDecimals {
        /// The amount as given.
        amount: String,
        /// The currency.
        currency: Currency,
        /// The currency's decimal digits.
        digits: u32,
    },
    /// Two currencies in one sum.
    #[error("cannot combine {0} with {1}")]
    Mixed(Currency, Currency),
    /// The result is too large for exact arithmetic.
    #[error("the amount is too large")]
    Overflow,
    /// The weights to split by are negative, or none is above zero.
    #[error("an amount can only be split by weights of which none is negative and one is above zero")]
    NoWeights,
}

/// Largest absolute amount in major units; keeps every sum far from the decimal's own limits.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;

/// An amount in a currency, always with exactly the currency's minor digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "MoneyWire")]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

/// The unchecked shape of money in JSON. The amount is read as text, because the decimal's own reader would take
/// `1e5`, `1_000` and more digits than it keeps.
#[derive(Deserialize)]
struct MoneyWire {
    amount: String,
    currency: Currency,
}

impl TryFrom<MoneyWire> for Money {
    type Error = MoneyError;
    fn try_from(wire: MoneyWire) -> Result<Self, MoneyError> {
        let amount = plain_decimal(&wire.amount).ok_or_else(|| MoneyError::NotMoney(wire.amount.clone()))?;
        Self::new(amount, wire.currency)
    }
}

/// Digits, at most one point between digits, and a minus in front: no sign, exponent or separator beyond that.
fn plain_decimal(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = unsigned.split_once('.').map_or((unsigned, None), |(w, d)| (w, Some(d)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && decimals.is_none_or(digits) { Decimal::from_str_exact(text).ok() } else { None }
}

impl Money {
    /// Checks that the amount fits the currency's minor unit.
    ///
    /// # Errors
    /// More decimals than the currency has (trailing zeros do not count), or an amount beyond [`AMOUNT_MAX`].
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let digits = currency.minor_digits();
        if amount.normalize().scale() > digits {
            return Err(MoneyError::TooManyDecimals { amount: amount.to_string(), currency, digits });
        }
        Self::exact(amount, currency)
    }

    /// Rounds an exact amount to the currency's minor unit: the one rounding of a price.
    ///
    /// # Errors
    /// The amount lies beyond [`AMOUNT_MAX`].
    pub fn rounded(amount: Decimal, currency: Currency, rounding: Rounding) -> Result<Self, MoneyError> {
        let amount = amount.round_dp_with_strategy(currency.minor_digits(), rounding.strategy());
        Self::exact(amount, currency)
    }

    fn exact(mut amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        if amount.abs() > Decimal::from(AMOUNT_MAX) {
            return Err(MoneyError::Overflow);
        }
        amount.rescale(currency.minor_digits());
        if amount.is_zero() {
            amount.set_sign_positive(true);
        }
        Ok(Self { amount, currency })
    }

    /// Nothing, in a currency.
    pub fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::new(0, currency.minor_digits()), currency }
    }

    /// The amount in major units, with the currency's minor digits.
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Whether the amount is zero.
    pub fn is_zero(&self) -> bool {
        self.amount.is_zero()
    }

    /// Whether the amount is below zero.
    pub fn is_negative(&self) -> bool {
        self.amount.is_sign_negative() && !self.amount.is_zero()
    }

    /// The sum.
    ///
    /// # Errors
    /// Different currencies, or a sum beyond [`AMOUNT_MAX`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let sum = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Self::exact(sum, self.currency)
    }

    /// The difference.
    ///
    /// # Errors
    /// Different currencies, or a difference beyond [`AMOUNT_MAX`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let difference = self.amount.checked_sub(other.amount).ok_or(MoneyError::Overflow)?;
        Self::exact(difference, self.currency)
    }

    /// The sum of many amounts of one currency; zero of that currency when there are none.
    ///
    /// # Errors
    /// An amount in another currency, or a sum beyond [`AMOUNT_MAX`].
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// Compares two amounts of one currency.
    ///
    /// # Errors
    /// Different currencies.
    pub fn compare(self, other: Self) -> Result<std::cmp::Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.amount.cmp(&other.amount))
    }

    /// Splits the amount in proportion to the weights; the parts always add up to it.
    ///
    /// Every part is the step between two rounded running totals. Rounding each part by itself and putting the
    /// rest on the last one could make that last part negative: 0.05 over eight would give seven times 0.01.
    ///
    /// # Errors
    /// A negative weight, no weight above zero, or numbers beyond exact arithmetic.
    pub fn split(self, weights: &[Decimal], rounding: Rounding) -> Result<Vec<Self>, MoneyError> {
        if weights.iter().any(|weight| weight.is_sign_negative() && !weight.is_zero()) {
            return Err(MoneyError::NoWeights);
        }
        let add = |sum: Decimal, weight: &Decimal| sum.checked_add(*weight).ok_or(MoneyError::Overflow);
        let whole = weights.iter().try_fold(Decimal::ZERO, add)?;
        if whole.is_zero() {
            return Err(MoneyError::NoWeights);
        }
        let (mut weight_sum, mut given) = (Decimal::ZERO, Self::zero(self.currency));
        let mut parts = Vec::with_capacity(weights.len());
        for weight in weights {
            weight_sum = add(weight_sum, weight)?;
            let reached = if weight_sum == whole { self } else { self.share(weight_sum, whole, rounding)? };
            parts.push(reached.minus(given)?);
            given = reached;
        }
        Ok(parts)
    }

    /// This amount times `over` / `under`, rounded.
    fn share(self, over: Decimal, under: Decimal, rounding: Rounding) -> Result<Self, MoneyError> {
        let share = self.amount.checked_mul(over).and_then(|product| product.checked_div(under));
        Self::rounded(share.ok_or(MoneyError::Overflow)?, self.currency, rounding)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency { Ok(()) } else { Err(MoneyError::Mixed(self.currency, other.currency)) }
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let wrong = || MoneyError::NotMoney(text.to_owned());
        let (amount, code) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let amount = plain_decimal(amount).ok_or_else(wrong)?;
        Self::new(amount, code.trim_start().parse()?)
    }
}

/// Writes the amount with thousands separators and the code: `1,020.00 USD`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.amount.abs().to_string();
        let (whole, decimals) = digits.split_once('.').map_or((digits.as_str(), None), |(w, d)| (w, Some(d)));
        let mut text = String::new();
        if self.is_negative() {
            text.push('-');
        }
        for (index, digit) in whole.chars().enumerate() {
            let left = whole.len().saturating_sub(index);
            if index > 0 && left.is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        if let Some(decimals) = decimals {
            text.push('.');
            text.push_str(decimals);
        }
        text.push(' ');
        text.push_str(self.currency.code());
        f.pad(&text)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}
