//! Lines whose rounded amounts add up to the rounded total: the residual goes to the last line.

use crate::exact::{Exact, Rounded, Rounding};

/// Rounds the sum of the parts once, and each part for its line; the last line takes what is left over.
/// `None` when a number does not fit.
pub fn settle(parts: &[Exact], rounding: Rounding, digits: u32) -> Option<(Vec<Rounded>, Rounded)> {
    let sum = parts.iter().try_fold(Exact::ZERO, |sum, part| sum.plus(*part))?;
    let total = sum.round(rounding, digits)?;
    let mut amounts = parts.iter().map(|part| part.round(rounding, digits)).collect::<Option<Vec<_>>>()?;
    let rounded_sum = amounts.iter().try_fold(0_i128, |sum, amount| sum.checked_add(amount.minor))?;
    if let Some(last) = amounts.last_mut() {
        last.minor = last.minor.checked_add(total.minor.checked_sub(rounded_sum)?)?;
    }
    Some((amounts, total))
}

/// The sum of fraction parts, exact. `None` for a zero denominator or when it does not fit.
#[cfg(feature = "pricing")]
pub fn fraction(parts: &[crate::pricing::FractionPart]) -> Option<Exact> {
    let one = |part: &crate::pricing::FractionPart| Exact::fraction(part.numerator.into(), part.denominator.into());
    parts.iter().try_fold(Exact::ZERO, |sum, part| sum.plus(one(part)?))
}

#[cfg(feature = "pricing")]
impl From<crate::pricing::Rounding> for Rounding {
    fn from(rounding: crate::pricing::Rounding) -> Self {
        match rounding {
            crate::pricing::Rounding::HalfEven => Self::HalfEven,
            crate::pricing::Rounding::HalfUp => Self::HalfUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_takes_the_residual() {
        let third = Exact::fraction(1, 3).unwrap();
        let (amounts, total) = settle(&[third, third, third], Rounding::HalfEven, 2).unwrap();
        assert_eq!(amounts.iter().map(ToString::to_string).collect::<Vec<_>>(), ["0.33", "0.33", "0.34"]);
        assert_eq!(total.to_string(), "1.00");
    }

    #[test]
    fn no_lines_cost_nothing() {
        let (amounts, total) = settle(&[], Rounding::HalfUp, 0).unwrap();
        assert!(amounts.is_empty());
        assert_eq!(total.to_string(), "0");
    }
}
