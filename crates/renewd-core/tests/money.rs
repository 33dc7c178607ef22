//! Money: what is read and refused, how it is written, and the one rounding.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use renewd_core::money::{AMOUNT_MAX, Currency, Money, MoneyError, Rounding};
use rust_decimal::Decimal;

fn money(text: &str) -> Money {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn rounded(amount: &str, code: &str, rounding: Rounding) -> String {
    Money::rounded(decimal(amount), code.parse().unwrap(), rounding).unwrap().to_string()
}

#[test]
fn amounts_are_read_plainly() {
    for (text, shown) in [
        ("20.00 USD", "20.00 USD"),
        ("5 USD", "5.00 USD"),
        (" 5 USD ", "5.00 USD"),
        ("5.1 USD", "5.10 USD"),
        ("1.5000 USD", "1.50 USD"),
        ("-3.50 USD", "-3.50 USD"),
        ("500 JPY", "500 JPY"),
        ("500.0 JPY", "500 JPY"),
        ("1.234 KWD", "1.234 KWD"),
        ("1020 USD", "1,020.00 USD"),
        ("999 USD", "999.00 USD"),
        ("1234567.891 KWD", "1,234,567.891 KWD"),
        ("-1000 JPY", "-1,000 JPY"),
    ] {
        assert_eq!(money(text).to_string(), shown, "{text}");
    }
}

/// The decimal's own reader takes signs, exponents and underscores, any of which may hide a wrong amount.
#[test]
fn anything_else_is_refused() {
    for text in [
        "",
        "USD",
        "5",
        "5USD",
        "USD 5",
        "1e5 USD",
        "1E5 USD",
        "+5 USD",
        "--5 USD",
        "1_000 USD",
        "1,000 USD",
        ".5 USD",
        "5. USD",
        "0x10 USD",
        "NaN USD",
        "inf USD",
        "٥ USD",
        "5 USD USD",
        "5 usd",
        "5 XXX",
        "5 XAU",
        "5 DOGE",
        "1.2.3 USD",
        "- 5 USD",
    ] {
        assert!(text.parse::<Money>().is_err(), "{text}");
    }
}

#[test]
fn money_in_json_is_as_strict() {
    assert_eq!(serde_json::to_string(&money("60 USD")).unwrap(), r#"{"amount":"60.00","currency":"USD"}"#);
    let read = |text: &str| serde_json::from_str::<Money>(text);
    assert_eq!(read(r#"{"amount":"60.0","currency":"USD"}"#).unwrap(), money("60 USD"));
    for text in [
        r#"{"amount":60,"currency":"USD"}"#,
        r#"{"amount":60.5,"currency":"USD"}"#,
        r#"{"amount":"6e1","currency":"USD"}"#,
        r#"{"amount":"1_0","currency":"USD"}"#,
        r#"{"amount":"0.001","currency":"USD"}"#,
        r#"{"amount":"1.00000000000000000000000000000000001","currency":"USD"}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn more_decimals_than_the_currency_has() {
    for text in ["0.001 USD", "0.1 JPY", "0.0001 KWD"] {
        assert!(matches!(text.parse::<Money>(), Err(MoneyError::TooManyDecimals { .. })), "{text}");
    }
}

#[test]
fn there_is_no_negative_zero() {
    for zero in
        [money("-0 USD"), money("-0.00 USD"), Money::rounded(decimal("-0.001"), usd(), Rounding::HalfUp).unwrap()]
    {
        assert!(zero.is_zero() && !zero.is_negative());
        assert_eq!(zero.to_string(), "0.00 USD");
        assert_eq!(serde_json::to_string(&zero).unwrap(), r#"{"amount":"0.00","currency":"USD"}"#);
    }
    assert_eq!(money("1 USD").minus(money("1 USD")).unwrap().to_string(), "0.00 USD");
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}

#[test]
fn the_one_rounding() {
    for (amount, code, half_even, half_up) in [
        ("0.125", "USD", "0.12 USD", "0.13 USD"),
        ("0.135", "USD", "0.14 USD", "0.14 USD"),
        ("-0.125", "USD", "-0.12 USD", "-0.13 USD"),
        ("0.1250000001", "USD", "0.13 USD", "0.13 USD"),
        ("0.5", "JPY", "0 JPY", "1 JPY"),
        ("1.5", "JPY", "2 JPY", "2 JPY"),
        ("2.5", "JPY", "2 JPY", "3 JPY"),
        ("0.0005", "KWD", "0.000 KWD", "0.001 KWD"),
        ("0.0015", "KWD", "0.002 KWD", "0.002 KWD"),
        ("34.838709677419354838709677419", "USD", "34.84 USD", "34.84 USD"),
    ] {
        assert_eq!(rounded(amount, code, Rounding::HalfEven), half_even, "{amount} half-even");
        assert_eq!(rounded(amount, code, Rounding::HalfUp), half_up, "{amount} half-up");
    }
    assert_eq!(Rounding::default(), Rounding::HalfEven);
}

#[test]
fn currencies_never_mix() {
    let (dollars, yen) = (money("1 USD"), money("1 JPY"));
    assert!(matches!(dollars.plus(yen), Err(MoneyError::Mixed(..))));
    assert!(matches!(dollars.minus(yen), Err(MoneyError::Mixed(..))));
    assert!(dollars.compare(yen).is_err());
    assert!(Money::sum(usd(), [dollars, yen]).is_err());
    assert_eq!(Money::sum(usd(), []).unwrap(), Money::zero(usd()));
}

#[test]
fn amounts_have_a_limit() {
    let most = Money::new(Decimal::from(AMOUNT_MAX), usd()).unwrap();
    assert_eq!(most.plus(money("0.01 USD")), Err(MoneyError::Overflow));
    assert_eq!(most.to_string(), "1,000,000,000,000,000.00 USD");
    assert!("1000000000000000.01 USD".parse::<Money>().is_err());
    assert!(Money::new(Decimal::MAX, usd()).is_err());
    assert!(Money::new(Decimal::MIN, usd()).is_err());
}

#[test]
fn splitting() {
    let parts = |total: &str, weights: &[&str], rounding| {
        let weights: Vec<Decimal> = weights.iter().map(|weight| decimal(weight)).collect();
        let parts = money(total).split(&weights, rounding);
        parts.map(|parts| parts.iter().map(|part| part.amount().to_string()).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(parts("10 USD", &["1", "1", "1"], Rounding::HalfUp).unwrap(), "3.33 3.34 3.33");
    assert_eq!(parts("0.05 USD", &["1"; 8], Rounding::HalfUp).unwrap(), "0.01 0.00 0.01 0.01 0.00 0.01 0.00 0.01");
    assert_eq!(parts("100 JPY", &["0", "0.5", "1.5"], Rounding::HalfEven).unwrap(), "0 25 75");
    assert_eq!(parts("1 USD", &["7"], Rounding::HalfEven).unwrap(), "1.00");
    for none in [&[][..], &["0"], &["1", "-1"], &["2", "-1"]] {
        assert_eq!(parts("1 USD", none, Rounding::HalfEven), Err(MoneyError::NoWeights));
    }
    let huge = [Decimal::MAX, Decimal::MAX];
    assert_eq!(money("1 USD").split(&huge, Rounding::HalfEven), Err(MoneyError::Overflow));
}
