//! The words of the calendar: what is read, what is refused with which advice, and how it is written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use chrono::NaiveDate;
use renewd_core::calendar::*;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn expiry(text: &str, zone: &str) -> Expiry {
    let at: chrono::NaiveDateTime = text.parse().unwrap();
    Expiry { date: at.date(), time: at.time(), zone: zone.parse().unwrap() }
}

fn months(months: u16) -> Term {
    Term::from_months(months)
}

#[test]
fn terms() {
    for (text, wanted, shown) in [
        ("P1M", 1, "P1M"),
        ("P3M", 3, "P3M"),
        ("P12M", 12, "P1Y"),
        ("P18M", 18, "P18M"),
        ("P1Y6M", 18, "P18M"),
        ("P100Y", 1200, "P100Y"),
        ("P0Y1M", 1, "P1M"),
        ("1 month", 1, "P1M"),
        ("3 months", 3, "P3M"),
        ("1 year", 12, "P1Y"),
        ("2 years", 24, "P2Y"),
    ] {
        let term: Term = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((term.months(), term.to_string().as_str()), (wanted, shown), "{text}");
    }
    assert_eq!(months(0).to_string(), "P0M");
    assert_eq!(months(u16::MAX).months(), Term::MONTHS_MAX);
}

#[test]
fn what_is_no_term() {
    for text in [
        "",
        "P",
        "PM",
        "PY",
        "P1",
        "1M",
        "p1m",
        "P1m",
        "P1D",
        "P30D",
        "P1W",
        "PT1M",
        "P-1M",
        "P+1M",
        "P1.5M",
        "P1M1Y",
        "P1M ",
        " P1M",
        "P1Y2Y",
        "month",
        "1month",
        "1  month",
        "one month",
        "1 Month",
        "30 days",
        "+1 month",
        "-1 month",
        "P9999999999M",
    ] {
        assert!(matches!(text.parse::<Term>(), Err(TermError::NotATerm(_))), "{text}");
    }
    for text in ["P0M", "P0Y", "0 months"] {
        assert!(matches!(text.parse::<Term>(), Err(TermError::Zero(_))), "{text}");
    }
    for text in ["P1201M", "P101Y", "P100Y1M", "P999999999Y"] {
        assert!(matches!(text.parse::<Term>(), Err(TermError::TooLong(_))), "{text}");
    }
    assert_eq!("p1m".parse::<Term>().unwrap_err().hint().unwrap(), "did you mean `P1M`?");
    assert_eq!("P1D".parse::<Term>().unwrap_err().to_string(), "`P1D` is not a term of whole months or years");
    assert!("P101Y".parse::<Term>().unwrap_err().to_string().ends_with("100 years"));
}

/// A same-date renewal of zero months is journaled; a store that cannot read its own journal back is lost.
#[test]
fn zero_months_can_be_written_and_read_back() {
    let text = serde_json::to_string(&months(0)).unwrap();
    assert_eq!(text, r#""P0M""#);
    assert_eq!(serde_json::from_str::<Term>(&text).unwrap(), months(0));
}

#[test]
fn renewal_days() {
    assert_eq!("15".parse(), Ok(RenewalDay::Day(15)));
    assert_eq!("last".parse(), Ok(RenewalDay::Last));
    assert_eq!(RenewalDay::Last.anchor().get(), 31);
    for text in ["0", "32", "-1", "+1", "1.5", "", "Last", "first", "99999999999999999999"] {
        assert!(matches!(text.parse::<RenewalDay>(), Err(RenewalDayError::NotADay(_))), "{text}");
    }
    for text in ["29", "30", "31"] {
        let error = text.parse::<RenewalDay>().unwrap_err();
        assert_eq!(error.to_string(), format!("not every month has a day `{text}`; use 28 or `last`"));
    }
}

#[test]
fn renewal_days_in_json() {
    let read = |text: &str| serde_json::from_str::<RenewalDay>(text);
    assert_eq!(read("15").unwrap(), RenewalDay::Day(15));
    assert_eq!(read(r#""last""#).unwrap(), RenewalDay::Last);
    assert_eq!(serde_json::to_string(&RenewalDay::Day(15)).unwrap(), "15");
    assert_eq!(serde_json::to_string(&RenewalDay::Last).unwrap(), r#""last""#);
    for text in ["0", "29", "-1", "1.0", "null", "true", "18446744073709551615", r#""31""#] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn anchor_days() {
    let day = |day| AnchorDay::new(day).unwrap();
    assert!(AnchorDay::new(0).is_err() && AnchorDay::new(32).is_err());
    assert!(day(31).fits(date("2025-02-28")) && day(29).fits(date("2025-02-28")) && day(28).fits(date("2025-02-28")));
    assert!(!day(28).fits(date("2024-02-29")) && day(31).fits(date("2024-04-30")) && !day(30).fits(date("2024-05-31")));
    assert!(!day(31).fits(date("2024-02-28")));
    assert!(serde_json::from_str::<AnchorDay>("0").is_err());
}

#[test]
fn words_are_the_same_in_text_and_json() {
    fn same<T: std::str::FromStr + ToString + serde::Serialize>(words: &[&str]) {
        for word in words {
            let Ok(value) = word.parse::<T>() else { panic!("{word}") };
            assert_eq!(value.to_string(), *word);
            assert_eq!(serde_json::to_value(&value).unwrap(), *word);
        }
    }
    same::<MonthEnd>(&["anchor", "clamp", "end-of-month"]);
    same::<LateStart>(&["from-expiry", "from-renewal"]);
    same::<Proration>(&["actual", "fixed-30", "natural-months"]);
    same::<ExtraOf>(&["month", "term"]);
    same::<Until>(&["expiry", "grace", "retention"]);
    same::<ConventionsName>(&["huawei-cloud", "alibaba-cloud", "tencent-cloud"]);
    let error = "Clamp".parse::<MonthEnd>().unwrap_err();
    assert_eq!(error.to_string(), "`Clamp` is not a month-end rule; use anchor, clamp, end-of-month");
}

#[test]
fn fractions() {
    for text in ["0", "18/31", "12/30 + 8/31"] {
        assert_eq!(text.parse::<Fraction>().unwrap().to_string(), text);
    }
    for text in ["", "1", "1/0", "0/31", "1/2+1/3", "-1/2", "+1/2", "/2", "1/", "1/2 + ", "99999999999/2"] {
        assert!(text.parse::<Fraction>().is_err(), "{text}");
    }
    let fraction: Fraction = "12/30 + 8/31".parse().unwrap();
    assert_eq!(fraction.ratio(), Some((612, 930)));
    assert_eq!(Fraction::default().of(rust_decimal::Decimal::TEN), Some(rust_decimal::Decimal::ZERO));
    // One division at the end: three thirds of 10 are 10, not 9.99….
    let thirds: Fraction = "1/3 + 1/3 + 1/3".parse().unwrap();
    assert_eq!(thirds.of(rust_decimal::Decimal::TEN), Some(rust_decimal::Decimal::TEN));
}

#[test]
fn instants_print_in_their_zone() {
    assert_eq!(expiry("2020-05-28T23:59:59", "Asia/Shanghai").rfc3339(), "2020-05-28T23:59:59+08:00");
    assert_eq!(expiry("2020-05-28T00:00:00", "UTC").rfc3339(), "2020-05-28T00:00:00+00:00");
    let at = expiry("2026-03-08T02:30:00", "America/New_York");
    let json = serde_json::to_string(&at).unwrap();
    assert_eq!(json, r#"{"date":"2026-03-08","time":"02:30:00","zone":"America/New_York"}"#);
    assert_eq!(serde_json::from_str::<Expiry>(&json).unwrap(), at);
}
