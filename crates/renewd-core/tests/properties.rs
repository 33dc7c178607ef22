//! What holds for every renewal, whatever its date, zone, term and rules: checked on generated ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;
use renewd_core::calendar::*;
use renewd_core::money::{Currency, Money, Rounding};
use rust_decimal::Decimal;

fn date() -> impl Strategy<Value = NaiveDate> {
    (1995..2060_i32, 1..=366_u32).prop_filter_map("day 366", |(year, day)| NaiveDate::from_yo_opt(year, day))
}

/// Whole seconds, with the ends of the day and the hours of clock changes more often than chance would.
fn time() -> impl Strategy<Value = NaiveTime> {
    prop_oneof![Just(0), Just(86_399), Just(9_000), 0..86_400_u32]
        .prop_map(|seconds| NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap())
}

fn zone() -> impl Strategy<Value = Tz> {
    let known = ["America/New_York", "Europe/Paris", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo"];
    let dst: Vec<Tz> = known.iter().map(|name| name.parse().unwrap()).collect();
    prop_oneof![proptest::sample::select(dst), proptest::sample::select(TZ_VARIANTS.to_vec())]
}

fn expiry() -> impl Strategy<Value = Expiry> {
    (date(), time(), zone()).prop_map(|(date, time, zone)| Expiry { date, time, zone })
}

/// An expiry and an anchor day that gives its date: the day, or a later one where the month has none.
fn anchored() -> impl Strategy<Value = (Expiry, AnchorDay)> {
    (expiry(), 0..=3_u8).prop_map(|(expiry, beyond)| {
        let own = AnchorDay::of(expiry.date);
        let later = AnchorDay::new(own.get().saturating_add(beyond)).ok().filter(|day| day.fits(expiry.date));
        (expiry, later.unwrap_or(own))
    })
}

fn renewal_day() -> impl Strategy<Value = RenewalDay> {
    prop_oneof![4 => (1..=28_u8).prop_map(RenewalDay::Day), 1 => Just(RenewalDay::Last)]
}

fn month_end() -> impl Strategy<Value = MonthEnd> {
    prop_oneof![Just(MonthEnd::Anchor), Just(MonthEnd::Clamp), Just(MonthEnd::EndOfMonth)]
}

fn rules() -> impl Strategy<Value = Rules> {
    let proration = prop_oneof![Just(Proration::Actual), Just(Proration::Fixed30), Just(Proration::NaturalMonths)];
    let of = prop_oneof![Just(ExtraOf::Month), Just(ExtraOf::Term)];
    let late_start = prop_oneof![Just(LateStart::FromExpiry), Just(LateStart::FromRenewal)];
    (month_end(), late_start, of, proration).prop_map(|(month_end, late_start, of, proration)| Rules {
        month_end,
        late_start,
        extra: ExtraDays { of, proration },
        max_ahead: None,
    })
}

fn term() -> impl Strategy<Value = Term> {
    (1..=36_u16).prop_map(Term::from_months)
}

/// No alignment, a renewal day, or a date one day to three years after the expiry.
fn alignment(expiry: Expiry) -> impl Strategy<Value = Alignment> {
    prop_oneof![
        Just(Alignment::None),
        renewal_day().prop_map(Alignment::Day),
        (1..=1100_i64).prop_map(move |days| Alignment::SameDate(expiry.date + TimeDelta::days(days))),
    ]
}

fn renewal() -> impl Strategy<Value = (Expiry, AnchorDay, Term, Alignment, Rules)> {
    anchored().prop_flat_map(|(expiry, anchor)| (Just(expiry), Just(anchor), term(), alignment(expiry), rules()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dates_are_in_order((expiry, anchor, term, alignment, rules) in renewal()) {
        let dates = renewal_dates(&expiry, anchor, term, &alignment, &rules, None).unwrap();
        prop_assert_eq!(dates.start, expiry);
        prop_assert!(dates.start.date <= dates.base.date && dates.base.date <= dates.new_expiry.date);
        prop_assert!(dates.new_expiry.date > expiry.date);
        prop_assert!(dates.extra_days <= 30);
        let extra = dates.new_expiry.date.signed_duration_since(dates.base.date).num_days();
        prop_assert_eq!(i64::from(dates.extra_days), extra);
        prop_assert_eq!(dates.new_expiry.time, expiry.time);
        prop_assert_eq!(dates.new_expiry.zone, expiry.zone);
        prop_assert!(dates.anchor_after.fits(dates.new_expiry.date), "{:?}", dates);
        if let Alignment::Day(day) = alignment {
            prop_assert_eq!(dates.anchor_after, day.anchor());
        }
    }

    #[test]
    fn fractions_count_the_extra_days((expiry, anchor, term, alignment, rules) in renewal()) {
        let dates = renewal_dates(&expiry, anchor, term, &alignment, &rules, None).unwrap();
        let days: u32 = dates.fraction.parts.iter().map(|part| part.numerator).sum();
        prop_assert_eq!(days, u32::from(dates.extra_days));
        prop_assert_eq!(dates.fraction.is_zero(), dates.extra_days == 0);
        prop_assert!(dates.fraction.parts.iter().all(|part| part.numerator <= part.denominator));
        prop_assert_eq!(dates.fraction.to_string().parse::<Fraction>(), Ok(dates.fraction.clone()));
        // A date can be a whole month away (28 Feb to 30 Mar under anchor 31); a renewal day never is.
        let (over, under) = dates.fraction.ratio().unwrap();
        let natural = dates.extra_of == ExtraOf::Month && rules.extra.proration == Proration::NaturalMonths;
        let fixed = dates.extra_of == ExtraOf::Month && rules.extra.proration == Proration::Fixed30;
        match alignment {
            Alignment::None => prop_assert_eq!(over, 0),
            // 30 days of February and March, each over its own month, or over thirty, may be a little more than one.
            _ if natural || fixed => prop_assert!(over * 20 <= under * 22),
            Alignment::SameDate(_) => prop_assert!(over <= under),
            Alignment::Day(_) if dates.extra_of == ExtraOf::Term && term.months() == 1 => prop_assert!(over * 28 <= under * 30),
            Alignment::Day(_) => prop_assert!(over < under),
        }
    }

    /// `clamp` leaves the last day after February, and `end-of-month` takes 28 February for a last day: the two
    /// rules that step from the expiry can move off the renewal day again.
    #[test]
    fn an_aligned_resource_needs_no_more_days(
        (expiry, anchor) in anchored(), day in renewal_day(), term in term(), again in term(), rules in rules(),
    ) {
        let steps_off = match rules.month_end {
            MonthEnd::Anchor => false,
            MonthEnd::Clamp => day == RenewalDay::Last,
            MonthEnd::EndOfMonth => day == RenewalDay::Day(28),
        };
        prop_assume!(!steps_off);
        let align = Alignment::Day(day);
        let first = renewal_dates(&expiry, anchor, term, &align, &rules, None).unwrap();
        let second = renewal_dates(&first.new_expiry, first.anchor_after, again, &align, &rules, None).unwrap();
        prop_assert_eq!(second.extra_days, 0);
        prop_assert_eq!(second.base, second.new_expiry);
    }

    #[test]
    fn under_anchor_months_split_and_join((expiry, anchor) in anchored(), first in 1..=40_u16, second in 1..=40_u16) {
        let rule = MonthEnd::Anchor;
        let there = add_months(expiry.date, first, rule, anchor).and_then(|date| add_months(date, second, rule, anchor));
        prop_assert_eq!(there, add_months(expiry.date, first + second, rule, anchor));
    }

    /// Resources sold on the last days of a month at any hour, in any zone: no short month and no clock change may
    /// move the day or the hour for good.
    #[test]
    fn a_chain_never_drifts(day in 29..=31_u32, month in 0..6_usize, year in 2000..2035_i32, time in time(), zone in zone()) {
        let month = [1, 3, 5, 7, 8, 12][month];
        let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let expiry = Expiry { date, time, zone };
        let anchor = AnchorDay::of(date);
        let one = Term::from_months(1);
        let chain = schedule(&expiry, anchor, one, &Alignment::None, &Rules::default(), 36).unwrap();
        for dates in &chain {
            let new = dates.new_expiry;
            prop_assert_eq!(new.date.day(), day.min(u32::from(new.date.num_days_in_month())));
            prop_assert_eq!(new.time, time);
            prop_assert_eq!(dates.anchor_after, anchor);
            prop_assert!(new.instant() > dates.start.instant());
        }
        prop_assert_eq!(chain[35].new_expiry, expiry.with_date(date.with_year(year + 3).unwrap()));
    }

    /// The rule itself, said without any library: the first moment at which the clock on the wall has come so far.
    #[test]
    fn a_local_time_is_the_first_moment_the_clock_reaches_it(date in date(), time in time(), zone in zone()) {
        first_moment(date.and_time(time), zone)?;
    }

    #[test]
    fn resolving_never_panics(seconds in any::<i64>(), zone in zone()) {
        let (least, most) = (NaiveDateTime::MIN.and_utc().timestamp(), NaiveDateTime::MAX.and_utc().timestamp());
        for seconds in [least, most, seconds.clamp(least, most)] {
            let local = DateTime::from_timestamp(seconds, 0).unwrap().naive_utc();
            let expiry = Expiry { date: local.date(), time: local.time(), zone };
            let text = rfc3339_in(resolve_local(local, zone), zone);
            prop_assert_eq!(expiry.rfc3339(), text);
            let back = Expiry::from_instant(expiry.instant(), zone);
            let at_the_ends = local.date().year().abs() > 262_000;
            prop_assert!(at_the_ends || back.instant() == expiry.instant());
            let charge = auto_charge_at(&expiry, u32::MAX, NaiveTime::MIN);
            prop_assert!(charge <= expiry.instant());
            let _ = renewal_dates(&expiry, AnchorDay::of(expiry.date), Term::from_months(1200), &Alignment::None, &Rules::default(), Some(expiry.instant()));
        }
    }

    #[test]
    fn a_late_renewal_lies_in_the_future_or_names_the_least_term(
        (expiry, anchor, term, alignment, rules) in renewal(), late_hours in 0..20_000_i64,
    ) {
        let now = expiry.instant() + TimeDelta::hours(late_hours);
        match renewal_dates(&expiry, anchor, term, &alignment, &rules, Some(now)) {
            Ok(dates) => {
                prop_assert!(dates.new_expiry.instant() > now);
                match rules.late_start {
                    LateStart::FromExpiry => prop_assert_eq!(dates.start, expiry),
                    LateStart::FromRenewal => {
                        prop_assert!(dates.start.instant() <= now);
                        prop_assert!(dates.start.with_date(dates.start.date.succ_opt().unwrap()).instant() > now);
                        prop_assert_eq!(dates.burned_days, 0);
                    }
                }
            }
            Err(DatesError::PastExpiry { least, .. }) => {
                let least = least.unwrap();
                prop_assert!(least > term);
                let would = |months| renewal_dates(&expiry, anchor, Term::from_months(months), &alignment, &rules, Some(now));
                prop_assert!(would(least.months()).is_ok());
                prop_assert!(would(least.months() - 1).is_err());
            }
            Err(DatesError::DateInPast { .. }) => prop_assert!(matches!(alignment, Alignment::SameDate(_))),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn an_automatic_charge_comes_before_the_expiry(expiry in expiry(), before in 0..30_u32, at in time()) {
        let charge = auto_charge_at(&expiry, before, at);
        let point = expiry.with_date(expiry.date - TimeDelta::days(i64::from(before))).instant();
        prop_assert!(charge < expiry.instant() && charge <= point);
        // The last one: the same local time a day later is too late.
        let day = Expiry { time: at, ..expiry };
        let dates = (0..=40).map(|days| day.with_date(expiry.date + TimeDelta::days(2 - days)));
        let last = dates.map(|candidate| candidate.instant()).find(|it| *it <= point && *it < expiry.instant());
        prop_assert_eq!(Some(charge), last);
    }

    #[test]
    fn parts_add_up_in_every_currency(
        minor in -1_000_000_000_i64..1_000_000_000, weights in proptest::collection::vec(0..10_000_u32, 1..12), half_up: bool,
    ) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let rounding = if half_up { Rounding::HalfUp } else { Rounding::HalfEven };
        let weights: Vec<Decimal> = weights.into_iter().map(Decimal::from).collect();
        let whole: Decimal = weights.iter().sum();
        for code in ["USD", "JPY", "KWD", "CLF"] {
            let currency: Currency = code.parse().unwrap();
            let total = Money::new(Decimal::new(minor, currency.minor_digits()), currency).unwrap();
            let parts = total.split(&weights, rounding).unwrap();
            prop_assert_eq!(Money::sum(currency, parts.iter().copied()).unwrap(), total);
            let unit = Decimal::new(1, currency.minor_digits());
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!((part.amount() - total.amount() * weight / whole).abs() <= unit);
                prop_assert!(part.is_zero() || part.is_negative() == total.is_negative());
            }
        }
    }

    #[test]
    fn what_is_written_can_be_read((expiry, anchor, term, alignment, rules) in renewal()) {
        let dates = renewal_dates(&expiry, anchor, term, &alignment, &rules, None).unwrap();
        let again: Dates = serde_json::from_str(&serde_json::to_string(&dates).unwrap()).unwrap();
        prop_assert_eq!(&again, &dates);
        let again: Rules = serde_json::from_str(&serde_json::to_string(&rules).unwrap()).unwrap();
        prop_assert_eq!(again, rules);
        let again: Alignment = serde_json::from_str(&serde_json::to_string(&alignment).unwrap()).unwrap();
        prop_assert_eq!(again, alignment);
        let text = dates.term.to_string();
        prop_assert_eq!(text.parse::<Term>().is_ok(), dates.term.months() > 0);
    }
}

/// Every clock change of every zone since 1970, a minute to three hours around it.
#[test]
fn every_clock_change_resolves_to_the_first_moment() {
    for zone in TZ_VARIANTS {
        let mut day = DateTime::from_timestamp(0, 0).unwrap();
        let end = Utc.with_ymd_and_hms(2040, 1, 1, 0, 0, 0).unwrap();
        while day < end {
            let next = day + TimeDelta::days(1);
            let (before, after) = (day.with_timezone(&zone), next.with_timezone(&zone));
            if before.naive_local() + TimeDelta::days(1) != after.naive_local() {
                let local = before.naive_local() - TimeDelta::hours(3);
                for step in 0..60 {
                    first_moment(local + TimeDelta::minutes(31 * step), zone).unwrap();
                }
            }
            day = next;
        }
    }
}

fn first_moment(local: NaiveDateTime, zone: Tz) -> Result<(), TestCaseError> {
    let found = resolve_local(local, zone);
    let clock = |instant: DateTime<Utc>| instant.with_timezone(&zone).naive_local();
    prop_assert!(clock(found) >= local, "{local} {zone}: {found} shows less");
    for seconds in [1, 60, 900, 1800, 3599, 3600, 5400, 7200, 10_800] {
        let earlier = found - TimeDelta::seconds(seconds);
        prop_assert!(clock(earlier) < local, "{local} {zone}: {earlier} comes before {found}");
    }
    Ok(())
}
