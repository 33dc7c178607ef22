//! Amounts as the gateway counts them: whole numbers of a unit that is not always ISO 4217's minor unit.
//!
//! Must never round: an amount that the gateway cannot take exactly is refused before anything is sent.

/// How the gateway counts a currency.
struct Unit {
    currency: &'static str,
    /// Decimals of the gateway's unit.
    decimals: u32,
    /// Every amount must be a multiple of this.
    step: i64,
}

const fn unit(currency: &'static str, decimals: u32, step: i64) -> Unit {
    Unit { currency, decimals, step }
}

/// Every currency that is not simply counted in hundredths.
///
/// HUF and TWD are whole numbers for payouts only; a charge in them is counted in hundredths like most.
const UNITS: [Unit; 22] = [
    // Without decimals. MGA has two in ISO 4217 and none here.
    unit("BIF", 0, 1),
    unit("CLP", 0, 1),
    unit("DJF", 0, 1),
    unit("GNF", 0, 1),
    unit("JPY", 0, 1),
    unit("KMF", 0, 1),
    unit("KRW", 0, 1),
    unit("MGA", 0, 1),
    unit("PYG", 0, 1),
    unit("RWF", 0, 1),
    unit("VND", 0, 1),
    unit("VUV", 0, 1),
    unit("XAF", 0, 1),
    unit("XOF", 0, 1),
    unit("XPF", 0, 1),
    // Without decimals in ISO 4217, but sent in hundredths that must be whole: 5 UGX is 500.
    unit("ISK", 2, 100),
    unit("UGX", 2, 100),
    // With three decimals, of which the last must be 0.
    unit("BHD", 3, 10),
    unit("JOD", 3, 10),
    unit("KWD", 3, 10),
    unit("OMR", 3, 10),
    unit("TND", 3, 10),
];

/// Most that one payment may be, in the gateway's unit: twelve digits.
const AMOUNT_MAX: i64 = 999_999_999_999;
/// Decimals in ISO 4217 of every currency that the table does not name.
const USUAL_DECIMALS: u32 = 2;

/// Why an amount cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is no positive decimal, or has too many digits.
    NotAnAmount,
    /// The gateway takes no such fraction in this currency.
    Fraction,
    /// Nobody has said how the gateway counts this currency.
    Currency,
}

/// The amount in the gateway's unit.
pub(crate) fn to_gateway(amount: &str, currency: &str, minor_digits: u32) -> Result<i64, Unfit> {
    let unit = unit_of(currency, minor_digits)?;
    let (whole, decimals) = amount.split_once('.').unwrap_or((amount, ""));
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(decimals) || amount.ends_with('.') {
        return Err(Unfit::NotAnAmount);
    }
    let kept = usize::try_from(unit.decimals).map_err(|_| Unfit::Currency)?;
    let (sent, rest) = decimals.split_at_checked(kept.min(decimals.len())).ok_or(Unfit::NotAnAmount)?;
    if rest.bytes().any(|b| b != b'0') {
        return Err(Unfit::Fraction);
    }
    let number = format!("{whole}{sent:0<kept$}").parse::<i64>().map_err(|_| Unfit::NotAnAmount)?;
    if !(1..=AMOUNT_MAX).contains(&number) {
        return Err(Unfit::NotAnAmount);
    }
    if number % unit.step == 0 { Ok(number) } else { Err(Unfit::Fraction) }
}

/// The gateway's amount as a decimal with the currency's own digits; with more where it says more.
pub(crate) fn from_gateway(amount: i64, currency: &str, minor_digits: u32) -> String {
    let decimals = unit_of(currency, minor_digits).map_or(minor_digits, |unit| unit.decimals);
    let sign = if amount < 0 { "-" } else { "" };
    let kept = decimals as usize;
    let digits = format!("{:0>width$}", amount.unsigned_abs(), width = kept.saturating_add(1));
    let (whole, fraction) = digits.split_at_checked(digits.len().saturating_sub(kept)).unwrap_or((&digits, ""));
    let wanted = minor_digits as usize;
    let extra = fraction.get(wanted..).unwrap_or_default();
    let shown = if extra.bytes().all(|b| b == b'0') { fraction.get(..wanted).unwrap_or(fraction) } else { fraction };
    match wanted.max(shown.len()) {
        0 => format!("{sign}{whole}"),
        width => format!("{sign}{whole}.{shown:0<width$}"),
    }
}

fn unit_of(currency: &str, minor_digits: u32) -> Result<Unit, Unfit> {
    if let Some(known) = UNITS.iter().find(|unit| unit.currency == currency) {
        return Ok(unit(known.currency, known.decimals, known.step));
    }
    // A currency of another number of digits that the table does not name could be a hundredfold off.
    if minor_digits == USUAL_DECIMALS { Ok(unit("", USUAL_DECIMALS, 1)) } else { Err(Unfit::Currency) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_counted_as_the_gateway_does() {
        let cases = [
            ("20.00", "USD", 2, Ok(2000), "20.00"),
            ("0.01", "EUR", 2, Ok(1), "0.01"),
            ("20", "USD", 2, Ok(2000), "20.00"),
            ("20.000", "USD", 2, Ok(2000), "20.00"),
            ("9999999999.99", "IDR", 2, Ok(999_999_999_999), "9999999999.99"),
            ("500", "JPY", 0, Ok(500), "500"),
            ("500.00", "JPY", 0, Ok(500), "500"),
            ("1500", "XOF", 0, Ok(1500), "1500"),
            ("12.00", "MGA", 2, Ok(12), "12.00"),
            ("5", "UGX", 0, Ok(500), "5"),
            ("5", "ISK", 0, Ok(500), "5"),
            ("10.45", "HUF", 2, Ok(1045), "10.45"),
            ("800.45", "TWD", 2, Ok(80045), "800.45"),
            ("5.120", "KWD", 3, Ok(5120), "5.120"),
            ("5.12", "BHD", 3, Ok(5120), "5.120"),
            ("5.124", "KWD", 3, Err(Unfit::Fraction), ""),
            ("12.40", "MGA", 2, Err(Unfit::Fraction), ""),
            ("5.50", "UGX", 0, Err(Unfit::Fraction), ""),
            ("0.5", "JPY", 0, Err(Unfit::Fraction), ""),
            ("20.005", "USD", 2, Err(Unfit::Fraction), ""),
            ("0", "USD", 2, Err(Unfit::NotAnAmount), ""),
            ("-1.00", "USD", 2, Err(Unfit::NotAnAmount), ""),
            ("1e3", "USD", 2, Err(Unfit::NotAnAmount), ""),
            ("", "USD", 2, Err(Unfit::NotAnAmount), ""),
            ("1.", "USD", 2, Err(Unfit::NotAnAmount), ""),
            (".5", "USD", 2, Err(Unfit::NotAnAmount), ""),
            ("٣", "USD", 2, Err(Unfit::NotAnAmount), ""),
            ("10000000000.00", "USD", 2, Err(Unfit::NotAnAmount), ""),
            ("99999999999999999999999", "JPY", 0, Err(Unfit::NotAnAmount), ""),
            ("1.000", "IQD", 3, Err(Unfit::Currency), ""),
            ("1", "UYI", 0, Err(Unfit::Currency), ""),
        ];
        for (amount, currency, digits, wanted, back) in cases {
            let sent = to_gateway(amount, currency, digits);
            assert_eq!(sent, wanted, "{amount} {currency}");
            if let Ok(sent) = sent {
                assert_eq!(from_gateway(sent, currency, digits), back, "{amount} {currency}");
            }
        }
    }

    #[test]
    fn what_the_gateway_says_is_never_shortened() {
        assert_eq!(from_gateway(550, "UGX", 0), "5.50");
        assert_eq!(from_gateway(0, "USD", 2), "0.00");
        assert_eq!(from_gateway(-1999, "USD", 2), "-19.99");
        assert_eq!(from_gateway(i64::MIN, "JPY", 0), "-9223372036854775808");
        assert_eq!(from_gateway(5, "KWD", 3), "0.005");
    }
}
