//! Quotes: which policy and mode a resource has, what can be asked of it, and how long an answer holds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod fixtures;

use fixtures::*;
use renewd_core::calendar::{LateStart, RenewalDay, Term};
use renewd_core::cover::{Cover, ModeSource, mode_of};
use renewd_core::documents::*;
use renewd_core::ids::OrderId;
use renewd_core::quote::{Price, Quote, SameDate, Wish, prepare};
use renewd_core::refusal::{Reason, Refusal};
use renewd_core::resource::{Freeze, ModeOverride, Phase};

/// The instant of a local time of the account's zone.
fn instant(text: &str) -> chrono::DateTime<chrono::Utc> {
    local(text).instant()
}

fn at_local(text: &str) -> World {
    let mut world = World::new();
    world.now = instant(text);
    world
}

fn quote(world: &World) -> Result<Quote, Refusal> {
    world.quote_for("phone-1", &Wish::default())
}

// ---- phases

#[test]
fn a_phase_begins_at_its_exact_instant() {
    for (now, phase, renewable) in [
        ("2026-11-13T23:59:58", Phase::Active, true),
        ("2026-11-13T23:59:59", Phase::Expiring, true),
        ("2026-11-20T23:59:58", Phase::Expiring, true),
        ("2026-11-20T23:59:59", Phase::Grace, true),
        ("2026-12-05T23:59:58", Phase::Grace, true),
        ("2026-12-05T23:59:59", Phase::Retention, true),
        ("2026-12-20T23:59:58", Phase::Retention, true),
        ("2026-12-20T23:59:59", Phase::Released, false),
    ] {
        let mut world = at_local(now);
        world.edit_policy(|policy| policy.terms.default = Term::from_months(3));
        assert_eq!(world.resource("phone-1").phase(world.now), phase, "{now}");
        match quote(&world) {
            Ok(_) => assert!(renewable, "{now}"),
            Err(refusal) => assert_eq!((renewable, refusal.reason), (false, Reason::Released), "{now}"),
        }
    }
}

#[test]
fn windows_of_no_days_make_no_phase() {
    let mut world = at_local("2026-11-20T23:59:59");
    let none = Days(0);
    world.edit_resource("phone-1", |resource| {
        resource.windows = Windows { expiring: none, grace: none, retention: none };
    });
    let resource = world.resource("phone-1");
    assert_eq!(resource.phase(world.now), Phase::Released);
    assert_eq!(resource.phase(world.now - chrono::TimeDelta::seconds(1)), Phase::Active);
}

// ---- validity

#[test]
fn a_quote_holds_for_a_day_or_until_the_phase_changes() {
    for (now, until) in [
        ("2026-11-01T08:00:00", "2026-11-02T08:00:00"),
        ("2026-11-12T23:59:58", "2026-11-13T23:59:58"),
        ("2026-11-12T23:59:59", "2026-11-13T23:59:59"),
        ("2026-11-13T00:00:00", "2026-11-13T23:59:59"),
        ("2026-11-13T23:59:59", "2026-11-14T23:59:59"),
        ("2026-11-20T23:59:58", "2026-11-20T23:59:59"),
        ("2026-11-20T23:59:59", "2026-11-21T23:59:59"),
        ("2026-12-05T12:00:00", "2026-12-05T23:59:59"),
        ("2026-12-20T12:00:00", "2026-12-20T23:59:59"),
    ] {
        let mut world = at_local(now);
        world.edit_policy(|policy| policy.terms.default = Term::from_months(3));
        let quote = quote(&world).unwrap_or_else(|refusal| panic!("{now}: {refusal:?}"));
        assert_eq!(quote.valid_until, instant(until), "{now}");
        assert_eq!(quote.quoted_at, world.now);
    }
}

/// A late renewal from the day of renewal starts a day later once the anchor time has passed.
#[test]
fn a_late_quote_from_renewal_holds_until_the_next_anchor_time() {
    for (now, until, start) in [
        ("2026-11-20T12:00:00", "2026-11-20T23:59:59", "2026-11-20T23:59:59+08:00"),
        ("2026-11-20T23:59:59", "2026-11-21T23:59:59", "2026-11-20T23:59:59+08:00"),
        ("2026-11-25T12:00:00", "2026-11-25T23:59:59", "2026-11-24T23:59:59+08:00"),
        ("2026-11-25T23:59:58", "2026-11-25T23:59:59", "2026-11-24T23:59:59+08:00"),
        ("2026-11-25T23:59:59", "2026-11-26T23:59:59", "2026-11-25T23:59:59+08:00"),
    ] {
        let mut world = at_local(now);
        world.edit_policy(|policy| policy.late_start = LateStart::FromRenewal);
        let quote = quote(&world).unwrap_or_else(|refusal| panic!("{now}: {refusal:?}"));
        assert_eq!(quote.valid_until, instant(until), "{now}");
        assert_eq!(quote.prepared.dates.start.rfc3339(), start, "{now}");
    }
}

/// Within its validity a late quote's dates do not move: at the last second it is what it was at the first.
#[test]
fn dates_stay_the_same_while_a_quote_is_valid() {
    for late_start in [LateStart::FromExpiry, LateStart::FromRenewal] {
        for now in ["2026-11-01T08:00:00", "2026-11-13T12:00:00", "2026-11-25T12:00:00", "2026-12-05T23:59:58"] {
            let mut world = at_local(now);
            world.edit_policy(|policy| policy.late_start = late_start);
            let first = quote(&world).unwrap();
            world.now = first.valid_until - chrono::TimeDelta::seconds(1);
            assert_eq!(quote(&world).unwrap().prepared.new_end(), first.prepared.new_end(), "{late_start} {now}");
        }
    }
}

// ---- alignment

#[test]
fn what_a_policy_says_of_alignment_binds() {
    use AlignAsked::{Day, No, Unsaid, Yes};
    use AlignPolicy::{Always, Never, OnRequest};
    let eighth = Day(RenewalDay::Day(8));
    // The base is 20 December; the account's day is the 15th.
    let (base, fifteenth, asked) = (Some("2026-12-20"), Some("2027-01-15"), Some("2027-01-08"));
    for (policy, ask, expected) in [
        (OnRequest, Unsaid, base),
        (OnRequest, No, base),
        (OnRequest, Yes, fifteenth),
        (OnRequest, eighth, asked),
        (Always, Unsaid, fifteenth),
        (Always, Yes, fifteenth),
        (Always, eighth, asked),
        (Always, No, None),
        (Never, Unsaid, base),
        (Never, No, base),
        (Never, Yes, None),
        (Never, eighth, None),
    ] {
        let mut world = World::new();
        world.edit_policy(|it| it.align = policy);
        let quote = world.quote_for("phone-1", &Wish { align: ask, ..Wish::default() });
        let found = quote.map(|quote| quote.prepared.new_expiry().date.to_string()).map_err(|refusal| refusal.reason);
        assert_eq!(found, expected.map(str::to_owned).ok_or(Reason::AlignDenied), "{policy:?} asked {ask:?}");
    }
    for (policy, expected) in [(OnRequest, true), (Always, true), (Never, false)] {
        let mut world = World::new();
        world.edit_policy(|it| it.align = policy);
        let wish = Wish { same_date: Some(SameDate("2027-03-01".parse().unwrap())), ..Wish::default() };
        assert_eq!(world.quote_for("phone-1", &wish).is_ok(), expected, "{policy:?} to one date");
    }
}

#[test]
fn a_policy_s_own_renewal_day_goes_before_the_account_s() {
    for (of_policy, of_account, expected) in [
        (None, Some(RenewalDay::Day(15)), Ok("2027-01-15")),
        (Some(RenewalDay::Day(25)), Some(RenewalDay::Day(15)), Ok("2026-12-25")),
        (Some(RenewalDay::Last), None, Ok("2026-12-31")),
        (None, None, Err(Reason::AlignDenied)),
    ] {
        let mut world = World::new();
        world.edit_policy(|policy| policy.renewal_day = of_policy);
        world.edit_account(|account| account.renewal_day = of_account);
        let quote = world.quote_for("phone-1", &Wish { align: AlignAsked::Yes, ..Wish::default() });
        let found = quote.map(|quote| quote.prepared.new_expiry().date.to_string()).map_err(|refusal| refusal.reason);
        assert_eq!(found, expected.map(str::to_owned), "{of_policy:?} {of_account:?}");
    }
}

#[test]
fn an_aligned_renewal_sets_the_anchor_day() {
    for (ask, anchor) in [
        (AlignAsked::Unsaid, 20),
        (AlignAsked::Yes, 15),
        (AlignAsked::Day(RenewalDay::Day(8)), 8),
        (AlignAsked::Day(RenewalDay::Last), 31),
    ] {
        let world = World::new();
        let quote = world.quote_for("phone-1", &Wish { align: ask, ..Wish::default() }).unwrap();
        assert_eq!(quote.prepared.new_end().anchor.get(), anchor, "{ask:?}");
    }
}

// ---- reasons

#[test]
fn only_the_terms_of_the_policy_are_sold() {
    let world = World::new();
    for (months, allowed) in [(1, true), (2, false), (3, true), (12, true), (24, false)] {
        let wish = Wish { term: Some(Term::from_months(months)), ..Wish::default() };
        match world.quote_for("phone-1", &wish) {
            Ok(quote) => assert!(allowed && quote.prepared.dates.term.months() == months),
            Err(refusal) => {
                assert_eq!((allowed, refusal.reason), (false, Reason::TermNotAllowed));
                assert_eq!(refusal.hint.as_deref(), Some("choose one of P1M, P3M, P1Y"));
            }
        }
    }
    let quote = quote(&world).unwrap();
    assert_eq!(quote.prepared.dates.term, Term::from_months(1), "the default");
    assert_eq!(quote.prepared.wish.term, Some(Term::from_months(1)), "the decided term is asked again when paying");
    let wish = Wish { same_date: Some(SameDate("2027-01-25".parse().unwrap())), ..Wish::default() };
    let dates = world.quote_for("phone-1", &wish).unwrap().prepared.dates;
    assert_eq!((dates.term.months(), dates.extra_days), (2, 5), "one date is not bound to the terms");
}

#[test]
fn each_reason_why_there_is_no_quote() {
    type Change = fn(&mut World);
    let cases: [(Reason, Change); 11] = [
        (Reason::NoPolicy, |world| world.edit_policy(|policy| policy.matcher.ids = vec![Pattern::new("other-*")])),
        (Reason::PolicyConflict, |world| {
            let second = RenewalPolicy { name: "second".parse().unwrap(), ..policy() };
            world.set_policy(second);
        }),
        (Reason::Released, |world| world.now = at("2027-06-01T00:00:00Z")),
        (Reason::NotRenewable, |world| {
            world.edit_resource("phone-1", |resource| resource.description.renewable = false);
        }),
        (Reason::Frozen, |world| {
            let order = OrderId::new("ord_1").unwrap();
            world.edit_resource("phone-1", |resource| resource.freeze = Some(Freeze::UnknownPayment { order }));
        }),
        (Reason::Frozen, |world| {
            let freeze = Freeze::ImportConflict { detail: "two dates".to_owned() };
            world.edit_resource("phone-1", |resource| resource.freeze = Some(freeze));
        }),
        (Reason::CurrencyMismatch, |world| {
            world.edit_policy(|policy| policy.limits.per_order = Some(money("1 EUR")));
        }),
        (Reason::CurrencyMismatch, |world| {
            world.edit_policy(|policy| policy.limits.per_month = Some(money("1 EUR")));
        }),
        (Reason::TooFarAhead, |world| world.edit_policy(|policy| policy.terms.max_ahead = Some(Term::from_months(1)))),
        // One month from an expiry long past still lies in the past.
        (Reason::PastExpiry, |world| {
            world.edit_resource("phone-1", |resource| resource.windows.retention = Days(100));
            world.now = instant("2026-12-20T23:59:59");
        }),
        (Reason::AlignDenied, |world| {
            world.edit_policy(|policy| policy.align = AlignPolicy::Always);
            world.edit_account(|account| account.renewal_day = None);
        }),
    ];
    for (expected, change) in cases {
        let mut world = World::new();
        change(&mut world);
        let refusal = quote(&world).expect_err(expected.as_str());
        assert_eq!(refusal.reason, expected, "{refusal}");
    }
    let world = World::new();
    for (date, expected) in [("2026-11-20", Reason::AlreadyThere), ("2026-11-19", Reason::LaterThanDate)] {
        let wish = Wish { same_date: Some(SameDate(date.parse().unwrap())), ..Wish::default() };
        assert_eq!(world.quote_for("phone-1", &wish).unwrap_err().reason, expected, "{date}");
    }
}

#[test]
fn the_hint_for_an_expiry_in_the_past_names_the_least_term() {
    let mut world = at_local("2027-01-10T00:00:00");
    world.edit_resource("phone-1", |resource| resource.windows.retention = Days(100));
    let refusal = quote(&world).unwrap_err();
    assert_eq!(refusal.reason, Reason::PastExpiry);
    assert!(refusal.hint.unwrap().contains("P2M"));
}

// ---- prices

#[test]
fn a_price_is_the_sum_of_its_lines_in_one_currency() {
    let world = World::new();
    let resource = world.resource("phone-1");
    let policy = policy();
    let priced = |lines| {
        let prepared = prepare(resource, &Cover::Policy(&policy), &account(), &Wish::default(), world.now).unwrap();
        prepared.priced(resource, &policy, Price { lines, term_net: None, pricing: pinned() }, world.now)
    };
    let quote = priced(vec![line("term", money("20 USD")), line("discount", money("-5 USD"))]).unwrap();
    assert_eq!((quote.total, quote.net_per_month), (money("15.00 USD"), Some(decimal("15"))));
    assert!(priced(vec![line("term", money("20 EUR"))]).is_err());
    assert_eq!(priced(Vec::new()).unwrap().total, money("0 USD"));
}

#[test]
fn the_net_price_is_per_month_and_unit_without_extra_days() {
    let usd = |amount: &str| money(&format!("{amount} USD"));
    // term line, extra days, discount, what the plugin says the term costs; months, units; net
    for (term, extra, discount, said, months, units, net) in [
        ("60", None, None, None, 3, 1, "20"),
        ("120", None, None, None, 3, 2, "20"),
        ("60", Some("10"), None, None, 3, 1, "20"),
        ("60", Some("20"), Some("-8"), None, 3, 1, "18"),
        ("60", Some("20"), Some("-8"), Some("54"), 3, 1, "18"),
        ("60", Some("20"), Some("-8"), Some("60"), 3, 1, "20"),
        ("60", None, Some("-60"), None, 3, 1, "0"),
        ("100", None, None, None, 12, 1, "8.333333333333"),
        ("200", None, None, None, 12, 1, "16.666666666667"),
    ] {
        let mut world = World::new();
        world.edit_resource("phone-1", |resource| resource.description.quantity = units);
        let resource = world.resource("phone-1");
        let policy = policy();
        let wish = Wish { term: Some(Term::from_months(months)), ..Wish::default() };
        let prepared = prepare(resource, &Cover::Policy(&policy), &account(), &wish, world.now).unwrap();
        let mut lines = vec![line("term", usd(term))];
        lines.extend(extra.map(|amount| line("extra-days", usd(amount))));
        lines.extend(discount.map(|amount| line("discount", usd(amount))));
        let price = Price { lines, term_net: said.map(usd), pricing: pinned() };
        let quote = prepared.priced(resource, &policy, price, world.now).unwrap();
        assert_eq!(quote.net_per_month, Some(decimal(net)), "{term} {extra:?} {discount:?} {said:?}");
    }
}

// ---- cover and mode

fn named(name: &str, priority: i32, ids: &str) -> RenewalPolicy {
    let matcher = Matcher { ids: vec![Pattern::new(ids)], ..Matcher::default() };
    RenewalPolicy { name: name.parse().unwrap(), priority, matcher, ..policy() }
}

#[test]
fn the_highest_priority_wins_whole_and_equal_ones_conflict() {
    let resource = resource("phone-1", "2026-11-20T23:59:59");
    for (policies, expected) in [
        (vec![], "none"),
        (vec![named("a", 0, "server-*")], "none"),
        (vec![named("a", 0, "phone-*")], "a"),
        (vec![named("a", 0, "*"), named("b", 1, "phone-*")], "b"),
        (vec![named("a", 1, "*"), named("b", 0, "phone-1")], "a"),
        (vec![named("a", -2, "*"), named("b", -1, "*")], "b"),
        (vec![named("a", 0, "*"), named("b", 0, "*")], "conflict of a, b"),
        (vec![named("a", 0, "*"), named("b", 0, "*"), named("c", 1, "*")], "c"),
        (vec![named("c", 1, "*"), named("a", 0, "*"), named("b", 0, "*")], "c"),
        (vec![named("a", 1, "server-*"), named("b", 0, "*")], "b"),
        (vec![named("a", 2, "*"), named("b", 1, "*"), named("c", 2, "*")], "conflict of a, c"),
    ] {
        let names: Vec<String> = policies.iter().map(|policy| policy.name.to_string()).collect();
        let found = match Cover::find(&resource, &policies) {
            Cover::None => "none".to_owned(),
            Cover::Policy(policy) => policy.name.to_string(),
            Cover::Conflict(names) => {
                format!("conflict of {}", names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "))
            }
        };
        assert_eq!(found, expected, "{names:?}");
    }
}

#[test]
fn matchers_and_their_keys_and_or_their_values() {
    let resource = resource("phone-1", "2026-11-20T23:59:59");
    let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(*text)).collect::<Vec<_>>();
    let labels =
        |pairs: &[(&str, &[&str])]| pairs.iter().map(|(key, values)| ((*key).to_owned(), patterns(values))).collect();
    let none = Matcher::default;
    let excluded = |matcher| Some(Box::new(matcher));
    for (matcher, expected) in [
        (none(), true),
        (Matcher { kinds: patterns(&["disk", "cloud-*"]), ..none() }, true),
        (Matcher { kinds: patterns(&["cloud-*"]), regions: patterns(&["eu-*"]), ..none() }, false),
        (Matcher { labels: labels(&[("env", &["test", "prod"])]), ..none() }, true),
        (Matcher { labels: labels(&[("env", &["prod"]), ("team", &["*"])]), ..none() }, false),
        (Matcher { labels: labels(&[("env", &["*"])]), ..none() }, true),
        (Matcher { exclude: excluded(Matcher { ids: patterns(&["phone-1"]), ..none() }), ..none() }, false),
        (Matcher { exclude: excluded(Matcher { ids: patterns(&["phone-2"]), ..none() }), ..none() }, true),
        // An exclusion that says nothing excludes everything, as a match that says nothing matches everything.
        (Matcher { exclude: excluded(none()), ..none() }, false),
    ] {
        assert_eq!(matcher.matches(&resource.subject()), expected, "{matcher:?}");
    }
}

#[test]
fn a_choice_stands_against_the_policy_where_it_allows_that_and_until_it_ends() {
    let now = at("2026-11-01T00:00:00Z");
    let second = chrono::TimeDelta::seconds(1);
    let chosen = |until| Some(ModeOverride { mode: Mode::Expire, actor: "ana".to_owned(), reason: None, until });
    for (overrides, choice, expected) in [
        (Overrides::Allow, None, Mode::Auto),
        (Overrides::Allow, chosen(None), Mode::Expire),
        (Overrides::Deny, chosen(None), Mode::Auto),
        (Overrides::Allow, chosen(Some(now + second)), Mode::Expire),
        (Overrides::Allow, chosen(Some(now)), Mode::Auto),
        (Overrides::Allow, chosen(Some(now - second)), Mode::Auto),
    ] {
        let mut resource = resource("phone-1", "2026-11-20T23:59:59");
        resource.chosen = choice;
        let policy = RenewalPolicy { overrides, ..policy() };
        let (mode, source) = mode_of(&resource, &Cover::Policy(&policy), now);
        assert_eq!(mode, expected, "{overrides:?} {:?}", resource.chosen);
        assert_eq!(matches!(source, ModeSource::Override(_)), expected == Mode::Expire);
    }
    let resource = resource("phone-1", "2026-11-20T23:59:59");
    let policy = policy();
    let conflict = Cover::Conflict(vec![&policy.name]);
    for cover in [Cover::None, conflict] {
        assert_eq!(mode_of(&resource, &cover, now), (Mode::Manual, ModeSource::Default));
    }
}
