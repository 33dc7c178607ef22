//! The exact fraction that extra days are of a month or term: parts such as `12/30 + 8/31`, never reduced, so that
//! whoever reads it sees the days. Must never become a float or be rounded here.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Days over days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FractionPart {
    /// The extra days.
    pub numerator: u32,
    /// The days of the whole; never zero.
    pub denominator: u32,
}

/// A sum of parts; none is zero, written `0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fraction {
    /// The parts, in calendar order.
    pub parts: Vec<FractionPart>,
}

/// A text is not a fraction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fraction such as `18/31`, `12/30 + 8/31` or `0`")]
pub struct FractionError(String);

impl Fraction {
    /// One part; nothing at all for a numerator of zero.
    pub(super) fn single(numerator: u32, denominator: u32) -> Self {
        Self::default().with(numerator, denominator)
    }

    /// This and one part more, unless its numerator is zero.
    pub(super) fn with(mut self, numerator: u32, denominator: u32) -> Self {
        if numerator > 0 {
            self.parts.push(FractionPart { numerator, denominator });
        }
        self
    }

    /// Whether there is nothing to pay for extra days.
    pub fn is_zero(&self) -> bool {
        self.parts.iter().all(|part| part.numerator == 0)
    }

    /// The whole as one numerator over one denominator, unreduced; `None` beyond 64 bits.
    pub fn ratio(&self) -> Option<(u64, u64)> {
        self.parts.iter().try_fold((0_u64, 1_u64), |(over, under), part| {
            let (numerator, denominator) = (u64::from(part.numerator), u64::from(part.denominator));
            let sum = over.checked_mul(denominator)?.checked_add(numerator.checked_mul(under)?)?;
            Some((sum, under.checked_mul(denominator)?))
        })
    }

    /// That fraction of an amount, with one division at the very end so that no part is rounded by itself.
    ///
    /// `None` when a number grows beyond what a decimal holds.
    pub fn of(&self, amount: Decimal) -> Option<Decimal> {
        let (over, under) = self.ratio()?;
        amount.checked_mul(Decimal::from(over))?.checked_div(Decimal::from(under))
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parts.is_empty() {
            return f.pad("0");
        }
        let parts: Vec<String> = self.parts.iter().map(|p| format!("{}/{}", p.numerator, p.denominator)).collect();
        f.pad(&parts.join(" + "))
    }
}

impl FromStr for Fraction {
    type Err = FractionError;

    fn from_str(text: &str) -> Result<Self, FractionError> {
        if text == "0" {
            return Ok(Self::default());
        }
        let parts: Option<Vec<FractionPart>> = text.split(" + ").map(part).collect();
        parts.map(|parts| Self { parts }).ok_or_else(|| FractionError(text.to_owned()))
    }
}

fn part(text: &str) -> Option<FractionPart> {
    let (numerator, denominator) = text.split_once('/')?;
    let part = FractionPart { numerator: number(numerator)?, denominator: number(denominator)? };
    if part.numerator == 0 || part.denominator == 0 { None } else { Some(part) }
}

/// Digits only: `u32`'s own parser would also take a sign.
fn number(digits: &str) -> Option<u32> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

impl TryFrom<String> for Fraction {
    type Error = FractionError;

    fn try_from(text: String) -> Result<Self, FractionError> {
        text.parse()
    }
}

impl From<Fraction> for String {
    fn from(fraction: Fraction) -> Self {
        fraction.to_string()
    }
}
