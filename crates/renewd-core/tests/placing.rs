//! Placing: which limits hold an order, and why a quote can no longer be accepted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod fixtures;

use fixtures::*;
use renewd_core::decide::{Placing, check_quote, place};
use renewd_core::documents::Percent;
use renewd_core::event::Event;
use renewd_core::order::{Hold, ORDER_LINES_MAX, OrderStatus, Origin};
use renewd_core::quote::Wish;
use renewd_core::refusal::Reason;
use renewd_core::resource::Freeze;
use rust_decimal::Decimal;

const HOUR: i64 = 3600;
const OLD: &str = "2026-11-20T23:59:59+08:00";

// ---- limits

#[test]
fn an_order_within_all_limits_is_open_and_takes_its_resources() {
    let mut world = World::new();
    world.edit_account(|account| {
        account.limits.per_order = Some(money("40 USD"));
        account.limits.per_month = Some(money("40 USD"));
    });
    world.edit_policy(|policy| {
        policy.limits.per_order = Some(money("40 USD"));
        policy.limits.per_month = Some(money("40 USD"));
        policy.limits.price_increase = Some(Percent(Decimal::ZERO));
    });
    let order = world.place(&["phone-1", "phone-2"]);
    let placed = world.order(&order).clone();
    assert_eq!((placed.status.clone(), placed.holds.len()), (OrderStatus::Open, 0));
    assert_eq!(placed.total, money("40.00 USD"));
    assert_eq!(placed.expires_at, at("2026-11-04T00:00:00Z"));
    assert_eq!(world.resource("phone-1").open_order, Some(order.clone()));
    assert_eq!(world.resource("phone-3").open_order, None);
    assert_eq!(world.state.live.iter().collect::<Vec<_>>(), [&order]);
    assert_eq!(world.expiry("phone-1"), OLD, "placing extends nothing");
}

/// Each limit holds an order that exceeds it by one cent, and lets one pass that reaches it exactly.
#[test]
fn each_limit_holds_what_exceeds_it_and_not_what_reaches_it() {
    type Set = fn(&mut World, &str);
    let limits: [(&str, Reason, Set); 4] = [
        ("account per order", Reason::OverOrderLimit, |world, limit| {
            world.edit_account(|account| account.limits.per_order = Some(money(limit)));
        }),
        ("account per month", Reason::OverMonthLimit, |world, limit| {
            world.edit_account(|account| account.limits.per_month = Some(money(limit)));
        }),
        ("policy per order", Reason::OverOrderLimit, |world, limit| {
            world.edit_policy(|policy| policy.limits.per_order = Some(money(limit)));
        }),
        ("policy per month", Reason::OverMonthLimit, |world, limit| {
            world.edit_policy(|policy| policy.limits.per_month = Some(money(limit)));
        }),
    ];
    for (name, expected, set) in limits {
        for (limit, held) in [("40.00 USD", false), ("39.99 USD", true)] {
            let mut world = World::new();
            set(&mut world, limit);
            let order = world.place(&["phone-1", "phone-2"]);
            let holds: Vec<Reason> = world.order(&order).holds.iter().map(|hold| hold.reason).collect();
            assert_eq!(holds, if held { vec![expected] } else { vec![] }, "{name} {limit}");
            assert_eq!(world.status(&order), if held { "held" } else { "placed" }, "{name} {limit}");
        }
    }
}

#[test]
fn months_count_settled_open_and_unknown_orders_in_the_account_s_zone() {
    let mut world = World::new();
    world.edit_account(|account| account.limits.per_month = Some(money("50 USD")));
    let settled = world.place(&["phone-1"]);
    world.pay(&settled, "card").unwrap();
    world.answer(&settled, succeeded()).unwrap();
    world.unknown_order(&["phone-2"]);
    assert_eq!(world.month("2026-11"), (money("40.00 USD"), money("40.00 USD")));
    let third = world.place(&["phone-3"]);
    assert_eq!(world.status(&third), "held", "40 + 20 is more than 50");
    world.cancel(&third).unwrap();

    // 30 November 16:00 UTC is already December in Singapore.
    world.now = at("2026-11-30T15:59:59Z");
    let in_november = world.place(&["phone-3"]);
    assert_eq!(world.status(&in_november), "held");
    world.cancel(&in_november).unwrap();
    world.now = at("2026-11-30T16:00:00Z");
    let in_december = world.place(&["phone-3"]);
    assert_eq!(world.status(&in_december), "placed");
    assert_eq!(world.month("2026-12").0, money("20.00 USD"));
    assert_eq!(world.month("2026-11").0, money("40.00 USD"));
}

/// Two orders of November and two of December were all paid in December, each judged by the month of its placing.
#[test]
fn an_order_paid_in_another_month_is_judged_by_that_one_too() {
    let mut world = World::new();
    world.edit_account(|account| account.limits.per_month = Some(money("30 USD")));
    world.now = at("2026-11-30T15:00:00Z");
    let november = world.place(&["phone-1"]);
    world.now = at("2026-11-30T17:00:00Z");
    let december = world.place(&["phone-2"]);
    assert_eq!((world.status(&november), world.status(&december)), ("placed", "placed"));
    world.pay(&november, "card").unwrap();
    let row = world.order(&november);
    assert_eq!((row.status.as_str(), row.attempts.len(), row.holds[0].reason), ("held", 0, Reason::OverMonthLimit));
    world.approve(&november).unwrap();
    assert_eq!((world.month("2026-11").0, world.month("2026-12").0), (money("0 USD"), money("40 USD")));
    world.pay(&november, "card").unwrap();
    assert_eq!(world.status(&november), "paying", "a person has said so");
}

/// While an order of last month was under way, or its outcome unknown, it was missing from the month in which it was tried.
#[test]
fn an_order_under_way_counts_in_the_month_in_which_it_is_tried() {
    for said in [None, Some(unknown()), Some(pending())] {
        let mut world = World::new();
        world.now = at("2026-11-30T15:00:00Z");
        let (first, second) = (world.place(&["phone-1"]), world.place(&["phone-2"]));
        world.edit_account(|account| account.limits.per_month = Some(money("30 USD")));
        world.now = at("2026-11-30T17:00:00Z");
        world.pay(&first, "card").unwrap();
        if let Some(outcome) = said.clone() {
            world.answer(&first, outcome).unwrap();
        }
        assert_eq!((world.month("2026-11").0, world.month("2026-12").0), (money("20 USD"), money("20 USD")));
        world.pay(&second, "card").unwrap();
        assert_eq!(world.status(&second), "held", "{said:?}");
    }
}

#[test]
fn a_policy_s_limits_count_its_own_lines_only() {
    let mut world = World::new();
    let mut other = policy();
    other.name = "others".parse().unwrap();
    other.priority = 10;
    other.matcher.ids = vec![renewd_core::documents::Pattern::new("phone-3")];
    world.set_policy(other);
    let mut own = policy();
    own.limits.per_order = Some(money("40 USD"));
    own.limits.per_month = Some(money("40 USD"));
    world.set_policy(own);
    let order = world.place(&["phone-1", "phone-2", "phone-3"]);
    assert_eq!(world.status(&order), "placed", "{:?}", world.order(&order).holds);
    assert_eq!(world.month("2026-11"), (money("60.00 USD"), money("40.00 USD")));
}

#[test]
fn the_price_increase_is_judged_against_the_last_price_at_the_same_term() {
    // paid at P1M, imported, price of a month now, held
    let cases: [(Option<&str>, Option<&str>, &str, bool); 9] = [
        (None, None, "1000.00", false),
        (Some("20"), None, "22.00", false),
        (Some("20"), None, "22.01", true),
        (Some("20"), None, "5.00", false),
        (None, Some("20"), "22.00", false),
        (None, Some("20"), "22.01", true),
        (Some("20"), Some("100"), "22.01", true),
        (Some("100"), Some("20"), "22.01", false),
        (Some("0"), None, "0.01", true),
    ];
    for (paid, imported, price, held) in cases {
        let mut world = World::new();
        world.edit_policy(|policy| policy.limits.price_increase = Some(Percent(Decimal::TEN)));
        world.edit_resource("phone-1", |resource| {
            resource.imported.price = imported.map(decimal);
            if let Some(paid) = paid {
                resource.paid.insert("P1M".parse().unwrap(), decimal(paid));
            }
        });
        world.month_price = decimal(price);
        let order = world.place(&["phone-1"]);
        let holds: Vec<Reason> = world.order(&order).holds.iter().map(|hold| hold.reason).collect();
        let expected = if held { vec![Reason::PriceIncrease] } else { vec![] };
        assert_eq!(holds, expected, "paid {paid:?}, imported {imported:?}, now {price}");
    }
}

/// What was paid for a month says nothing about a year; an imported price speaks for every term.
#[test]
fn the_price_increase_is_not_checked_where_nothing_was_paid_for_that_term() {
    for (imported, held) in [(None, false), (Some("10"), true)] {
        let mut world = World::new();
        world.edit_policy(|policy| policy.limits.price_increase = Some(Percent(Decimal::ZERO)));
        world.edit_resource("phone-1", |resource| {
            resource.paid.insert("P1M".parse().unwrap(), decimal("1"));
            resource.imported.price = imported.map(decimal);
        });
        let quote = world.quote("phone-1", 12);
        assert_eq!(quote.net_per_month, Some(decimal("20")));
        let placing = world.placing(vec![quote]);
        let order = world.place_with(placing).unwrap();
        assert_eq!(order.status == OrderStatus::Held, held, "imported {imported:?}");
    }
}

/// Extra days do not make a price increase, and a renewal without a whole month has no price per month.
#[test]
fn extra_days_do_not_count_as_a_price_increase() {
    let mut world = World::new();
    world.edit_policy(|policy| policy.limits.price_increase = Some(Percent(Decimal::ZERO)));
    world.edit_resource("phone-1", |resource| resource.imported.price = Some(decimal("20")));
    let wish = Wish { align: renewd_core::documents::AlignAsked::Yes, ..Wish::default() };
    let quote = world.quote_for("phone-1", &wish).unwrap();
    assert_eq!((quote.total, quote.net_per_month), (money("46.00 USD"), Some(decimal("20"))));
    let placing = world.placing(vec![quote]);
    assert_eq!(world.place_with(placing).unwrap().status, OrderStatus::Open);

    let date = renewd_core::quote::SameDate("2026-11-30".parse().unwrap());
    let wish = Wish { same_date: Some(date), ..Wish::default() };
    let quote = world.quote_for("phone-2", &wish).unwrap();
    assert_eq!((quote.prepared.dates.term.months(), quote.prepared.dates.extra_days), (0, 10));
    assert_eq!(quote.net_per_month, None);
}

#[test]
fn holds_from_elsewhere_such_as_max_total_are_kept_beside_those_of_limits() {
    let mut world = World::new();
    world.edit_account(|account| account.limits.per_order = Some(money("10 USD")));
    let hold = Hold { reason: Reason::OverMaxTotal, detail: "more than maxTotal".to_owned() };
    let placing = Placing { holds: vec![hold.clone()], ..world.placing(vec![world.quote("phone-1", 1)]) };
    let order = world.place_with(placing).unwrap();
    assert_eq!(order.status, OrderStatus::Held);
    assert_eq!(order.holds.len(), 2);
    assert_eq!(order.holds[1], hold);
    let refused = world.pay(&order.id, "card").unwrap_err();
    assert_eq!(refused.reason, Reason::OrderState);
    assert!(refused.message.contains("more than maxTotal") && refused.hint.unwrap().contains("orders approve"));
}

#[test]
fn an_order_needs_a_method_an_account_and_1_to_100_different_resources() {
    let mut world = World::new();
    let quote = world.quote("phone-1", 1);
    let placing = Placing { methods: Vec::new(), ..world.placing(vec![quote.clone()]) };
    assert_eq!(reason(place(&world.state, placing, world.now)), Reason::NoPaymentMethod);
    let placing = Placing { account: "nobody".parse().unwrap(), ..world.placing(vec![quote.clone()]) };
    assert_eq!(reason(place(&world.state, placing, world.now)), Reason::NoAccount);
    assert_eq!(reason(place(&world.state, world.placing(Vec::new()), world.now)), Reason::OrderState);
    for number in 0..=ORDER_LINES_MAX {
        let resource = Box::new(resource(&format!("seat-{number:03}"), "2026-11-20T23:59:59"));
        world.apply(&[Event::ResourceAdded { resource }]);
    }
    let quotes: Vec<_> = (0..=ORDER_LINES_MAX).map(|number| world.quote(&format!("seat-{number:03}"), 1)).collect();
    let most = world.placing(quotes[..ORDER_LINES_MAX].to_vec());
    assert!(place(&world.state, most, world.now).is_ok());
    assert_eq!(reason(place(&world.state, world.placing(quotes), world.now)), Reason::OrderState);
}

/// A saved quote file that names a resource twice was ordered and paid twice, and extended once.
#[test]
fn a_resource_cannot_stand_twice_in_one_order() {
    let world = World::new();
    let quote = world.quote("phone-1", 1);
    let refused = place(&world.state, world.placing(vec![quote.clone(), quote]), world.now).unwrap_err();
    assert_eq!(refused.reason, Reason::OpenOrder);
    assert!(refused.message.contains("phone-1"), "{refused}");
}

/// A quote of another account's resource would have been paid by the wrong account.
#[test]
fn an_order_takes_only_quotes_of_its_own_account() {
    let mut world = World::new();
    let mut other = account();
    other.name = "other".parse().unwrap();
    world.set_account(other);
    let placing = Placing { account: "other".parse().unwrap(), ..world.placing(vec![world.quote("phone-1", 1)]) };
    assert_eq!(reason(place(&world.state, placing, world.now)), Reason::NoAccount);
}

#[test]
fn order_ids_differ_by_sequence_and_are_stable() {
    let mut world = World::new();
    let first = world.place(&["phone-1"]);
    world.cancel(&first).unwrap();
    let again = world.place(&["phone-1"]);
    assert_ne!(first, again);
    let world = World::new();
    let placing = Placing { sequence: 42, ..world.placing(vec![world.quote("phone-1", 1)]) };
    let (order, _) = place(&world.state, placing, world.now).unwrap();
    assert_eq!(order.id.as_str(), "ord_cc84de78c68e");
}

// ---- accepting quotes

#[test]
fn a_quote_is_refused_for_each_reason() {
    type Change = fn(&mut World);
    let cases: [(&str, Reason, Change); 7] = [
        ("gone", Reason::NoResource, |world| {
            world.state.resources.remove(&id("phone-1"));
        }),
        ("in an open order", Reason::OpenOrder, |world| {
            world.place(&["phone-1"]);
        }),
        ("in a held order", Reason::OpenOrder, |world| {
            world.edit_account(|account| account.limits.per_order = Some(money("1 USD")));
            world.place(&["phone-1"]);
        }),
        ("payment unknown", Reason::Frozen, |world| {
            world.unknown_order(&["phone-1"]);
        }),
        ("import conflict", Reason::Frozen, |world| {
            let freeze = Freeze::ImportConflict { detail: "two dates".to_owned() };
            world.apply(&[Event::ResourceFrozen { resource: id("phone-1"), freeze }]);
        }),
        ("renewed meanwhile", Reason::ExpiryMoved, |world| {
            let order = world.place(&["phone-1"]);
            world.top_up("20 USD", "t").unwrap();
            world.pay(&order, "balance").unwrap();
        }),
        ("moved by an inventory and back", Reason::ExpiryMoved, |world| {
            world.import_expiry("phone-1", "2026-11-21T23:59:59");
            world.import_expiry("phone-1", "2026-11-20T23:59:59");
        }),
    ];
    for (name, expected, change) in cases {
        let mut world = World::new();
        let quote = world.quote("phone-1", 1);
        assert_eq!(check_quote(&world.state, &quote, &Origin::Manual, world.now), Ok(()), "{name}");
        change(&mut world);
        assert_eq!(reason(check_quote(&world.state, &quote, &Origin::Manual, world.now)), expected, "{name}");
        assert_eq!(reason(place(&world.state, world.placing(vec![quote]), world.now)), expected, "{name}");
    }
}

#[test]
fn a_quote_is_stale_from_the_very_instant_on() {
    let mut world = World::new();
    let quote = world.quote("phone-1", 1);
    world.advance(24 * HOUR - 1);
    assert_eq!(check_quote(&world.state, &quote, &Origin::Manual, world.now), Ok(()));
    world.advance(1);
    assert_eq!(quote.valid_until, world.now);
    assert_eq!(reason(check_quote(&world.state, &quote, &Origin::Manual, world.now)), Reason::StaleQuote);
}

#[test]
fn a_request_renews_a_resource_once_for_ever() {
    let mut world = World::new();
    let order = world.place_for("december", &["phone-1"]).unwrap();
    assert_eq!(world.is_used_up("december", "phone-1"), Some(false));
    world.pay(&order, "card").unwrap();
    world.answer(&order, succeeded()).unwrap();
    assert_eq!(world.is_used_up("december", "phone-1"), Some(true));
    assert_eq!(reason(world.place_for("december", &["phone-1"])), Reason::AlreadyRenewed);
    assert!(world.place_for("december", &["phone-2"]).is_ok(), "another resource");
    assert!(world.place_for("january", &["phone-1"]).is_ok(), "another request");
}

#[test]
fn a_person_s_cancel_uses_a_request_up_and_an_expiry_frees_it() {
    let mut world = World::new();
    let canceled = world.place_for("december", &["phone-1"]).unwrap();
    world.cancel(&canceled).unwrap();
    assert_eq!(world.is_used_up("december", "phone-1"), Some(true));
    assert_eq!(reason(world.place_for("december", &["phone-1"])), Reason::AlreadyRenewed);

    let expired = world.place_for("december", &["phone-2"]).unwrap();
    world.advance(72 * HOUR);
    assert_eq!(world.expire(), 1);
    assert_eq!(world.status(&expired), "expired");
    assert_eq!(world.is_used_up("december", "phone-2"), None);
    assert!(world.place_for("december", &["phone-2"]).is_ok());
    assert_eq!(world.place_for("december", &["phone-1"]).unwrap_err().reason, Reason::AlreadyRenewed);
}
