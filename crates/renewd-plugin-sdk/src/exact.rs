//! Exact numbers: fractions of 128-bit integers, computed without any rounding until [`Exact::round`] at the very end.
//!
//! Must never round in between, and never wrap: what does not fit is `None`. Not inlined, because every copy of 128-bit
//! arithmetic costs a guest a kilobyte.

use std::cmp::Ordering;
use std::fmt;

/// Most decimals that a text may have.
const DECIMALS_MAX: usize = 20;
/// Most digits of a text.
const DIGITS_MAX: usize = 36;

/// How a half is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the even neighbour.
    HalfEven,
    /// Away from zero.
    HalfUp,
}

/// An exact number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact {
    numerator: i128,
    /// Above zero, without a common divisor with the numerator.
    denominator: i128,
}

impl Exact {
    /// Zero.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// A whole number.
    pub fn whole(number: i128) -> Self {
        Self { numerator: number, denominator: 1 }
    }

    /// `numerator / denominator`; `None` for a zero denominator.
    #[inline(never)]
    pub fn fraction(numerator: i128, denominator: i128) -> Option<Self> {
        let divisor = divisor(numerator, denominator);
        let sign = denominator.signum();
        let numerator = numerator.checked_div(divisor)?.checked_mul(sign)?;
        let denominator = denominator.checked_div(divisor)?.checked_mul(sign)?;
        (denominator > 0).then_some(Self { numerator, denominator })
    }

    /// Reads a plain decimal such as `-19.99`; `None` for anything else.
    #[inline(never)]
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, unsigned) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let dangling = unsigned.ends_with('.') || whole.is_empty();
        let digits = || whole.bytes().chain(decimals.bytes());
        if dangling
            || decimals.len() > DECIMALS_MAX
            || unsigned.len() > DIGITS_MAX
            || !digits().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let value = digits()
            .try_fold(0_i128, |sum, digit| sum.checked_mul(10)?.checked_add(i128::from(digit.wrapping_sub(b'0'))))?;
        Self::fraction(value.checked_mul(sign)?, power_of_ten(u32::try_from(decimals.len()).ok()?)?)
    }

    /// The sum; `None` when it does not fit.
    #[inline(never)]
    pub fn plus(self, other: Self) -> Option<Self> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        Self::fraction(left.checked_add(right)?, self.denominator.checked_mul(other.denominator)?)
    }

    /// The difference; `None` when it does not fit.
    #[inline(never)]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { numerator: other.numerator.checked_neg()?, denominator: other.denominator })
    }

    /// The product; `None` when it does not fit.
    #[inline(never)]
    pub fn times(self, other: Self) -> Option<Self> {
        // Crosswise reduction first keeps the products small.
        let left = Self::fraction(self.numerator, other.denominator)?;
        let right = Self::fraction(other.numerator, self.denominator)?;
        Self::fraction(left.numerator.checked_mul(right.numerator)?, left.denominator.checked_mul(right.denominator)?)
    }

    /// The quotient; `None` when it does not fit, or for a zero divisor.
    #[inline(never)]
    pub fn over(self, other: Self) -> Option<Self> {
        self.times(Self::fraction(other.denominator, other.numerator)?)
    }

    /// Which is larger; `None` when the comparison does not fit.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        Some(self.minus(other)?.numerator.cmp(&0))
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.numerator < 0
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// Rounds to `digits` decimals: the one rounding of a price. `None` when it does not fit.
    #[inline(never)]
    pub fn round(self, rounding: Rounding, digits: u32) -> Option<Rounded> {
        let scaled = self.times(Self::whole(power_of_ten(digits)?))?;
        let floor = scaled.numerator.checked_div_euclid(scaled.denominator)?;
        let rest = scaled.numerator.checked_rem_euclid(scaled.denominator)?;
        let up = match rest.checked_mul(2)?.cmp(&scaled.denominator) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => match rounding {
                Rounding::HalfEven => floor.rem_euclid(2) == 1,
                Rounding::HalfUp => scaled.numerator > 0,
            },
        };
        Some(Rounded { minor: floor.checked_add(i128::from(up))?, digits })
    }

    /// A text for reading: exact if `digits` decimals suffice, else rounded; no trailing zeros.
    pub fn readable(self, digits: u32) -> Option<String> {
        let text = self.round(Rounding::HalfEven, digits)?.to_string();
        let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        Some(short.to_owned())
    }
}

/// A number with a fixed count of decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounded {
    /// In units of the last decimal: cents for two digits.
    pub minor: i128,
    /// Decimals.
    pub digits: u32,
}

impl Rounded {
    /// The same number, exact.
    pub fn exact(self) -> Option<Exact> {
        Exact::fraction(self.minor, power_of_ten(self.digits)?)
    }
}

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let unit = 10_u128.saturating_pow(self.digits);
        let value = self.minor.unsigned_abs();
        let (whole, decimals) = (value.checked_div(unit).unwrap_or(0), value.checked_rem(unit).unwrap_or(0));
        match self.digits {
            0 => write!(f, "{sign}{whole}"),
            digits => write!(f, "{sign}{whole}.{decimals:0width$}", width = digits as usize),
        }
    }
}

fn power_of_ten(digits: u32) -> Option<i128> {
    10_i128.checked_pow(digits)
}

/// The greatest common divisor, at least 1.
#[inline(never)]
fn divisor(left: i128, right: i128) -> i128 {
    let (mut left, mut right) = (left.unsigned_abs(), right.unsigned_abs());
    while right != 0 {
        (left, right) = (right, left.checked_rem(right).unwrap_or(0));
    }
    i128::try_from(left).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(text: &str, rounding: Rounding, digits: u32) -> String {
        Exact::parse(text).unwrap().round(rounding, digits).unwrap().to_string()
    }

    #[test]
    fn halves_round_as_named() {
        let cases = [
            ("0.125", "0.12", "0.13"),
            ("0.135", "0.14", "0.14"),
            ("-0.125", "-0.12", "-0.13"),
            ("2.5", "2.50", "2.50"),
            ("-0.001", "0.00", "0.00"),
        ];
        for (text, even, up) in cases {
            assert_eq!(rounded(text, Rounding::HalfEven, 2), even, "{text}");
            assert_eq!(rounded(text, Rounding::HalfUp, 2), up, "{text}");
        }
        assert_eq!(rounded("0.5", Rounding::HalfEven, 0), "0");
        assert_eq!(rounded("-0.5", Rounding::HalfUp, 0), "-1");
    }

    #[test]
    fn a_third_times_three_is_one() {
        let third = Exact::fraction(1, 3).unwrap();
        assert_eq!(third.times(Exact::whole(3)).unwrap(), Exact::whole(1));
        assert_eq!(third.readable(4).unwrap(), "0.3333");
        assert_eq!(Exact::parse("20.00").unwrap().readable(10).unwrap(), "20");
    }

    #[test]
    fn only_plain_decimals_are_read() {
        for bad in ["", "-", "1.", ".5", "1e3", "+1", "1 000", "1.2.3", "٣"] {
            assert_eq!(Exact::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_does_not_fit_is_none() {
        let large = Exact::whole(i128::MAX);
        assert_eq!(large.plus(large), None);
        assert_eq!(large.times(large), None);
        assert_eq!(Exact::whole(1).over(Exact::ZERO), None);
    }
}
