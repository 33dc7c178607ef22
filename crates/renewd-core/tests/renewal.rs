//! One renewal at a time: the design's example, late starts, limits, and every refusal with its words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use renewd_core::calendar::*;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn expiry(text: &str, zone: &str) -> Expiry {
    let at: chrono::NaiveDateTime = text.parse().unwrap();
    Expiry { date: at.date(), time: at.time(), zone: zone.parse().unwrap() }
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn months(months: u16) -> Term {
    Term::from_months(months)
}

/// The JSON of `align date` in DESIGN section 8.
#[test]
fn the_design_example() {
    let at = expiry("2020-04-28T23:59:59", "Asia/Shanghai");
    let align = Alignment::Day(RenewalDay::Day(15));
    let dates = renewal_dates(&at, AnchorDay::of(at.date), months(1), &align, &Rules::default(), None).unwrap();
    assert_eq!(dates.base.rfc3339(), "2020-05-28T23:59:59+08:00");
    assert_eq!(dates.new_expiry.rfc3339(), "2020-06-15T23:59:59+08:00");
    assert_eq!((dates.extra_days, dates.fraction.to_string().as_str()), (18, "18/31"));
}

#[test]
fn from_renewal_takes_the_anchor_of_its_start_and_burns_nothing() {
    let at = expiry("2020-09-30T23:59:59", "Asia/Shanghai");
    let rules = Rules { late_start: LateStart::FromRenewal, ..Rules::default() };
    let now = instant("2020-10-11T15:00:00+08:00");
    let dates =
        renewal_dates(&at, AnchorDay::new(31).unwrap(), months(1), &Alignment::None, &rules, Some(now)).unwrap();
    assert_eq!((dates.anchor_before.get(), dates.anchor_after.get(), dates.burned_days), (10, 10, 0));
    let dates =
        renewal_dates(&at, AnchorDay::new(31).unwrap(), months(1), &Alignment::None, &Rules::default(), Some(now))
            .unwrap();
    assert_eq!((dates.anchor_after.get(), dates.burned_days), (31, 10));
}

#[test]
fn late_begins_at_the_expiry_itself() {
    let at = expiry("2026-01-10T12:00:00", "UTC");
    let rules = Rules { late_start: LateStart::FromRenewal, ..Rules::default() };
    let start = |now: &str| {
        let dates = renewal_dates(&at, AnchorDay::of(at.date), months(1), &Alignment::None, &rules, Some(instant(now)));
        dates.unwrap().start.date
    };
    assert_eq!(start("2026-01-10T11:59:59Z"), date("2026-01-10"));
    assert_eq!(start("2026-01-10T12:00:00Z"), date("2026-01-10"));
    assert_eq!(start("2026-01-11T11:59:59Z"), date("2026-01-10"));
    assert_eq!(start("2026-01-11T12:00:00Z"), date("2026-01-11"));
}

/// St. John's turned its clocks back at 00:01, so 00:00:30 on 1 November came before 23:30 on 31 October.
#[test]
fn a_late_start_can_bear_the_next_date_when_the_clock_goes_back_over_midnight() {
    let at = expiry("2009-10-20T00:00:30", "America/St_Johns");
    let rules = Rules { late_start: LateStart::FromRenewal, ..Rules::default() };
    let now = at.with_date(date("2009-11-01")).instant() + chrono::TimeDelta::minutes(30);
    assert_eq!(Expiry::from_instant(now, at.zone).date, date("2009-10-31"));
    let dates = renewal_dates(&at, AnchorDay::of(at.date), months(1), &Alignment::None, &rules, Some(now)).unwrap();
    assert_eq!(dates.start.date, date("2009-11-01"));
}

#[test]
fn an_aligned_new_expiry_counts_for_the_least_term() {
    let at = expiry("2025-01-31T23:59:59", "UTC");
    let anchor = AnchorDay::of(at.date);
    let now = Some(instant("2025-03-05T09:00:00Z"));
    let ask = |alignment| renewal_dates(&at, anchor, months(1), &alignment, &Rules::default(), now);
    assert_eq!(ask(Alignment::Day(RenewalDay::Day(15))).unwrap().new_expiry.date, date("2025-03-15"));
    let Err(error @ DatesError::PastExpiry { least, .. }) = ask(Alignment::Day(RenewalDay::Day(1))) else { panic!() };
    assert_eq!(least, Some(months(2)));
    assert_eq!(error.to_string(), "the new expiry 2025-03-01T23:59:59+00:00 already lies in the past");
    assert_eq!(error.hint().unwrap(), "renew for at least `P2M`");
}

#[test]
fn a_new_expiry_must_lie_strictly_in_the_future() {
    let at = expiry("2025-01-15T00:00:00", "UTC");
    let ask = |now: &str| {
        let anchor = AnchorDay::of(at.date);
        renewal_dates(&at, anchor, months(1), &Alignment::None, &Rules::default(), Some(instant(now))).is_ok()
    };
    assert!(ask("2025-02-14T23:59:59Z"));
    assert!(!ask("2025-02-15T00:00:00Z"));
}

#[test]
fn the_base_must_not_lie_too_far_ahead() {
    let at = expiry("2026-05-28T23:59:59", "Asia/Shanghai");
    let rules = Rules { max_ahead: Some(months(12)), ..Rules::default() };
    let ask = |now: &str, alignment| {
        renewal_dates(&at, AnchorDay::of(at.date), months(12), &alignment, &rules, Some(instant(now)))
    };
    assert!(ask("2026-05-28T23:59:59+08:00", Alignment::None).is_ok());
    // The extra days do not count, only the base does.
    assert!(ask("2026-05-28T23:59:59+08:00", Alignment::Day(RenewalDay::Day(27))).is_ok());
    let error = ask("2026-05-28T23:59:58+08:00", Alignment::None).unwrap_err();
    let wanted = "the term would end on 2027-05-28T23:59:59+08:00, later than 2027-05-28T23:59:58+08:00, the furthest that may be paid ahead";
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn same_date_refusals() {
    let at = expiry("2026-04-10T23:59:59", "UTC");
    let rules = Rules { late_start: LateStart::FromRenewal, ..Rules::default() };
    let ask = |day: &str, now: Option<&str>| {
        let same = Alignment::SameDate(date(day));
        renewal_dates(&at, AnchorDay::of(at.date), months(0), &same, &rules, now.map(instant))
    };
    assert_eq!(ask("2026-04-10", None), Err(DatesError::AlreadyThere));
    assert_eq!(ask("2026-04-09", None), Err(DatesError::LaterThanDate { expiry: at, date: date("2026-04-09") }));
    let past = |day| Err(DatesError::DateInPast { date: date(day) });
    assert_eq!(ask("2026-04-20", Some("2026-05-01T00:00:00Z")), past("2026-04-20"));
    assert_eq!(ask("2026-04-30", Some("2026-05-01T00:00:00Z")), past("2026-04-30"));
    assert_eq!(ask("2026-05-01", Some("2026-05-01T00:00:00Z")).unwrap().extra_days, 1);
    assert_eq!(ask("9999-12-31", None), Err(DatesError::OutOfRange));
}

/// Zero months have no length, so extra days up to a date are a fraction of a month even under `of: term`.
#[test]
fn same_date_under_of_term_is_of_a_month() {
    let at = expiry("2026-04-10T23:59:59", "UTC");
    let extra = ExtraDays { of: ExtraOf::Term, proration: Proration::Actual };
    let rules = Rules { extra, ..Rules::default() };
    let same = Alignment::SameDate(date("2026-05-05"));
    let dates = renewal_dates(&at, AnchorDay::of(at.date), months(0), &same, &rules, None).unwrap();
    assert_eq!((dates.extra_of, dates.fraction.to_string().as_str()), (ExtraOf::Month, "25/30"));
}

#[test]
fn an_anchor_day_must_give_the_expiry() {
    let at = expiry("2026-04-15T23:59:59", "UTC");
    let error = renewal_dates(&at, AnchorDay::new(31).unwrap(), months(1), &Alignment::None, &Rules::default(), None);
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), "the anchor day `31` does not give the expiry date `2026-04-15`");
}

#[test]
fn far_dates_are_refused_not_wrapped() {
    let rules = Rules::default();
    for at in ["9999-12-31T23:59:59", "9950-01-01T00:00:00"] {
        let at = expiry(at, "UTC");
        let anchor = AnchorDay::of(at.date);
        let found = renewal_dates(&at, anchor, months(1200), &Alignment::None, &rules, None);
        assert_eq!(found, Err(DatesError::OutOfRange));
    }
    let end = Expiry { date: NaiveDate::MAX, time: chrono::NaiveTime::MIN, zone: Tz::Pacific__Kiritimati };
    let found = renewal_dates(&end, AnchorDay::of(end.date), months(1), &Alignment::None, &rules, Some(end.instant()));
    assert_eq!(found, Err(DatesError::OutOfRange));
}

/// Every refusal reads alike: lower-case, and no name from the code.
#[test]
fn messages_are_for_people() {
    let at = expiry("2026-04-15T23:59:59", "UTC");
    let day = date("2026-04-15");
    let all = [
        DatesError::PastExpiry { new_expiry: at, least: None },
        DatesError::TooFarAhead { base: at, limit: at.instant() },
        DatesError::AlreadyThere,
        DatesError::LaterThanDate { expiry: at, date: day },
        DatesError::DateInPast { date: day },
        DatesError::AnchorMismatch { anchor: AnchorDay::of(day), date: day },
        DatesError::OutOfRange,
    ];
    for error in all {
        let text = error.to_string();
        assert!(
            text.starts_with(|first: char| first.is_lowercase()) && !text.contains("::") && !text.contains("Expiry"),
            "{text}"
        );
    }
}
