//! Giving lines back: never more than was paid, the newest renewal only, and its term with it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod fixtures;

use fixtures::*;
use renewd_core::decide::*;
use renewd_core::documents::AlignAsked;
use renewd_core::event::Event;
use renewd_core::ids::OrderId;
use renewd_core::order::*;
use renewd_core::quote::Wish;
use renewd_core::refusal::Reason;
use renewd_core::resource::{Freeze, Resource};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const OLD: &str = "2026-11-20T23:59:59+08:00";
const NEW: &str = "2026-12-20T23:59:59+08:00";

fn refused_refund() -> RefundResult {
    RefundResult::Declined { code: "no".to_owned(), message: "too old".to_owned() }
}

fn refund_pending() -> RefundResult {
    RefundResult::Pending { refund_reference: "re_1".to_owned() }
}

/// Paid by the card, and the refund of phone-1 begun.
fn refunding(world: &mut World) -> OrderId {
    let order = world.paid_order(&["phone-1", "phone-2"]);
    world.refund(&order, "phone-1", None).unwrap();
    order
}

#[test]
fn a_refund_restores_expiry_and_anchor_and_raises_the_generation() {
    let mut world = World::new();
    world.edit_policy(|policy| policy.month_end = renewd_core::calendar::MonthEnd::Anchor);
    let aligned = Wish { align: AlignAsked::Yes, ..Wish::default() };
    let quotes = vec![world.quote_for("phone-1", &aligned).unwrap(), world.quote("phone-2", 3)];
    let placing = world.placing(quotes);
    let order = world.place_with(placing).unwrap().id;
    world.pay(&order, "card").unwrap();
    world.answer(&order, succeeded()).unwrap();
    let before = world.resource("phone-1").clone();
    assert_eq!((before.end.anchor.get(), before.generation), (15, 0));

    let events = world.refund(&order, "phone-1", None).unwrap();
    let [Event::RefundStarted { refund, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((refund.amount, refund.attempt, refund.reference.as_str()), (money("46.00 USD"), 1, "ch_1"));
    assert_eq!(refund.outcome, RefundResult::InFlight);
    let frozen = Resource { freeze: Some(Freeze::Refunding { order: order.clone() }), ..before };
    assert_eq!(world.resource("phone-1"), &frozen, "the intent only freezes");
    assert!(world.state.live.contains(&order));

    world.refunded(&order, gone_back()).unwrap();
    let after = world.resource("phone-1");
    assert_eq!((after.end.clone(), after.generation, after.freeze.clone()), (end("2026-11-20T23:59:59"), 1, None));
    assert_eq!(after.end.anchor.get(), 20);
    assert_eq!(world.expiry("phone-2"), "2027-02-20T23:59:59+08:00", "the other line stays");
    assert_eq!((world.status(&order), world.state.live.is_empty()), ("settled", true));
    assert_eq!(world.month("2026-11").0, money("106 USD"), "what was paid in a month was paid");
}

#[test]
fn a_renewal_after_a_refund_has_other_keys() {
    let mut world = World::new();
    let order = world.paid_order(&["phone-1"]);
    let (renewal, payment) = (world.order(&order).lines[0].prepared.renewal_key(), world.order(&order).attempts[0].key);
    world.refund(&order, "phone-1", None).unwrap();
    world.refunded(&order, gone_back()).unwrap();
    let again = world.paid_order(&["phone-1"]);
    assert_ne!(world.order(&again).lines[0].prepared.renewal_key(), renewal);
    assert_ne!(world.order(&again).attempts[0].key, payment);
    assert_eq!(world.expiry("phone-1"), NEW);
}

#[test]
fn a_refund_is_refused_for_each_reason() {
    type Change = fn(&mut World, &OrderId);
    let cases: [(&str, Option<&str>, Reason, Change); 11] = [
        ("more than the line", Some("20.01 USD"), Reason::NothingToRefund, |_, _| ()),
        ("nothing", Some("0 USD"), Reason::NothingToRefund, |_, _| ()),
        ("less than nothing", Some("-1 USD"), Reason::NothingToRefund, |_, _| ()),
        ("another currency", Some("1 EUR"), Reason::CurrencyMismatch, |_, _| ()),
        ("renewed again", None, Reason::ExpiryMoved, |world, _| {
            world.paid_order(&["phone-1"]);
        }),
        ("moved by an inventory", None, Reason::ExpiryMoved, |world, _| {
            world.import_expiry("phone-1", "2026-12-21T23:59:59");
        }),
        ("in an open order", None, Reason::OpenOrder, |world, _| {
            world.place(&["phone-1"]);
        }),
        ("its next payment unknown", None, Reason::Frozen, |world, _| {
            world.unknown_order(&["phone-1"]);
        }),
        ("an import conflict", None, Reason::Frozen, |world, _| {
            let freeze = Freeze::ImportConflict { detail: "two dates".to_owned() };
            world.apply(&[Event::ResourceFrozen { resource: id("phone-1"), freeze }]);
        }),
        ("a refund under way", Some("1 USD"), Reason::OrderState, |world, order| {
            world.refund(order, "phone-1", Some("1 USD")).unwrap();
        }),
        ("all given back", None, Reason::NothingToRefund, |world, order| {
            world.refund(order, "phone-1", None).unwrap();
            world.refunded(order, gone_back()).unwrap();
        }),
    ];
    for (name, amount, expected, change) in cases {
        let mut world = World::new();
        let order = world.paid_order(&["phone-1", "phone-2"]);
        change(&mut world, &order);
        let before = world.state.clone();
        assert_eq!(reason(world.refund(&order, "phone-1", amount)), expected, "{name}");
        assert_eq!(world.state, before, "{name}");
    }
}

#[test]
fn only_paid_orders_with_a_known_charge_give_back() {
    let mut world = World::new();
    let open = world.place(&["phone-1"]);
    assert_eq!(reason(world.refund(&open, "phone-1", None)), Reason::OrderState, "not paid");
    world.pay(&open, "card").unwrap();
    world.answer(&open, succeeded()).unwrap();
    assert_eq!(reason(world.refund(&open, "phone-2", None)), Reason::NoResource, "no such line");
    let unnamed = world.unknown_order(&["phone-2"]);
    world.resolve(&unnamed, Resolution::Succeeded { reference: None }).unwrap();
    assert_eq!(reason(world.refund(&unnamed, "phone-2", None)), Reason::NothingToRefund, "no reference");
    world.month_price = decimal("0");
    let free = world.place(&["phone-3"]);
    world.pay(&free, "card").unwrap();
    assert_eq!(reason(world.refund(&free, "phone-3", None)), Reason::NothingToRefund, "it was free");
    assert_eq!(reason(world.refund(&OrderId::new("ord_none").unwrap(), "phone-1", None)), Reason::NoOrder);
}

/// Parts add up to the line and not to a cent more; the first one takes the term back, the others only money.
#[test]
fn a_line_goes_back_in_parts_and_its_term_once() {
    let mut world = World::new();
    let order = world.paid_order(&["phone-1", "phone-2"]);
    for (amount, generation) in [("5.00 USD", 1), ("14.99 USD", 1), ("0.01 USD", 1)] {
        world.refund(&order, "phone-1", Some(amount)).unwrap();
        world.refunded(&order, gone_back()).unwrap();
        let row = world.resource("phone-1");
        assert_eq!((row.generation, row.end.expiry.rfc3339().as_str(), row.freeze.as_ref()), (generation, OLD, None));
    }
    assert_eq!(reason(world.refund(&order, "phone-1", Some("0.01 USD"))), Reason::NothingToRefund);
    let keys: std::collections::BTreeSet<_> = world.order(&order).refunds.iter().map(|refund| refund.key).collect();
    assert_eq!(keys.len(), 3, "each part has a key of its own");
    world.refund(&order, "phone-2", None).unwrap();
}

/// The rest of a refunded line once undid the renewal that was bought after it.
#[test]
fn the_rest_of_a_refunded_line_leaves_later_renewals_alone() {
    let mut world = World::new();
    let order = world.paid_order(&["phone-1"]);
    world.refund(&order, "phone-1", Some("5 USD")).unwrap();
    world.refunded(&order, gone_back()).unwrap();
    let again = world.paid_order(&["phone-1"]);
    world.refund(&order, "phone-1", None).unwrap();
    assert_eq!(world.resource("phone-1").freeze, None, "it concerns no term");
    world.refunded(&order, gone_back()).unwrap();
    assert_eq!((world.expiry("phone-1").as_str(), world.resource("phone-1").generation), (NEW, 1));
    // Nor does it thaw what another order froze.
    let mut world = World::new();
    let order = world.paid_order(&["phone-1"]);
    world.refund(&order, "phone-1", Some("5 USD")).unwrap();
    world.refunded(&order, gone_back()).unwrap();
    let unknown = world.unknown_order(&["phone-1"]);
    world.refund(&order, "phone-1", None).unwrap();
    world.refunded(&order, gone_back()).unwrap();
    assert_eq!(world.resource("phone-1").freeze, Some(Freeze::UnknownPayment { order: unknown }));
    assert_ne!(again, order);
}

/// Refunds go back step by step: the newest renewal first, then the one before it.
#[test]
fn a_chain_of_renewals_is_undone_from_its_end() {
    let mut world = World::new();
    let first = world.paid_order(&["phone-1"]);
    let second = world.paid_order(&["phone-1"]);
    assert_eq!(reason(world.refund(&first, "phone-1", None)), Reason::ExpiryMoved);
    for (order, expiry, generation) in [(&second, NEW, 1), (&first, OLD, 2)] {
        world.refund(order, "phone-1", None).unwrap();
        world.refunded(order, gone_back()).unwrap();
        assert_eq!((world.expiry("phone-1").as_str(), world.resource("phone-1").generation), (expiry, generation));
    }
}

/// An inventory took the first renewal's term away; the second one, to the same date, is another's money.
#[test]
fn a_refund_never_undoes_the_renewal_of_another_order() {
    let mut world = World::new();
    let first = world.paid_order(&["phone-1"]);
    world.import_expiry("phone-1", "2026-11-20T23:59:59");
    let second = world.paid_order(&["phone-1"]);
    assert_eq!(world.expiry("phone-1"), NEW);
    assert_eq!(reason(world.refund(&first, "phone-1", None)), Reason::ExpiryMoved);
    world.refund(&second, "phone-1", None).unwrap();
    world.refunded(&second, gone_back()).unwrap();
    assert_eq!(world.expiry("phone-1"), OLD);
}

#[test]
fn the_balance_gets_its_money_back_at_once() {
    let mut world = World::new();
    world.top_up("50 USD", "t").unwrap();
    let order = world.place(&["phone-1", "phone-2"]);
    world.pay(&order, "balance").unwrap();
    assert_eq!(world.balance(), money("10 USD"));
    let events = world.refund(&order, "phone-1", Some("7.50 USD")).unwrap();
    assert!(matches!(events.as_slice(), [Event::RefundStarted { .. }, Event::RefundEnded { .. }]), "{events:?}");
    assert_eq!((world.balance(), world.expiry("phone-1").as_str()), (money("17.50 USD"), OLD));
    world.refund(&order, "phone-1", None).unwrap();
    world.refund(&order, "phone-2", None).unwrap();
    assert_eq!((world.balance(), world.state.live.is_empty()), (money("50 USD"), true));
    // A card's money goes to the card.
    let by_card = world.paid_order(&["phone-3"]);
    world.refund(&by_card, "phone-3", None).unwrap();
    world.refunded(&by_card, gone_back()).unwrap();
    assert_eq!(world.balance(), money("50 USD"));
}

/// First answer, then what is true: the word, whether the resource is frozen, whether its term is back.
#[test]
fn each_answer_to_a_refund() {
    let cases = [
        (gone_back(), "refunded", false, OLD),
        (refused_refund(), "declined", false, NEW),
        (refund_pending(), "pending", true, NEW),
        (refund_unknown(), "refund-unknown", true, NEW),
        (RefundResult::InFlight, "refund-unknown", true, NEW),
    ];
    for (answer, word, frozen, expiry) in cases {
        let mut world = World::new();
        let order = refunding(&mut world);
        world.refunded(&order, answer.clone()).unwrap();
        let refund = &world.order(&order).refunds[0];
        assert_eq!((refund.outcome.as_str(), refund.next_check.is_some()), (word, frozen), "{answer:?}");
        let back = world.order(&order).refunded(&id("phone-1")).unwrap();
        assert_eq!(back.is_zero(), word == "declined", "what may be back counts as back: {answer:?}");
        assert_eq!(world.resource("phone-1").freeze.is_some(), frozen, "{answer:?}");
        assert_eq!((world.expiry("phone-1").as_str(), world.state.live.contains(&order)), (expiry, frozen));
        assert_eq!(world.quote_for("phone-1", &Wish::default()).is_err(), frozen, "frozen is not renewed: {answer:?}");
        if frozen {
            assert_eq!(reason(world.refund(&order, "phone-1", Some("1 USD"))), Reason::OrderState, "{answer:?}");
        } else {
            assert_eq!(reason(world.refunded(&order, gone_back())), Reason::OrderState, "it has ended");
        }
    }
    // What was declined did not go back, and can be asked for again.
    let mut world = World::new();
    let order = refunding(&mut world);
    world.refunded(&order, refused_refund()).unwrap();
    world.refund(&order, "phone-1", None).unwrap();
    assert_eq!(world.order(&order).refunds[1].amount, money("20 USD"));
}

/// Asking again: state before, answer, whether the gateway still knows the key, state after.
#[test]
fn each_look_at_a_refund() {
    let cases = [
        (refund_unknown(), gone_back(), true, "refunded"),
        (refund_unknown(), gone_back(), false, "refunded"),
        (refund_unknown(), refused_refund(), true, "declined"),
        // Later a decline may only mean that the money has gone back already.
        (refund_unknown(), refused_refund(), false, "refund-unknown"),
        (refund_unknown(), refund_pending(), true, "pending"),
        (refund_unknown(), refund_unknown(), true, "refund-unknown"),
        (refund_unknown(), RefundResult::InFlight, true, "refund-unknown"),
        (refund_pending(), gone_back(), true, "refunded"),
        (refund_pending(), refused_refund(), true, "declined"),
        (refund_pending(), refused_refund(), false, "pending"),
        (refund_pending(), refund_pending(), true, "pending"),
        (refund_pending(), refund_unknown(), true, "pending"),
    ];
    for (before, answer, key_holds, after) in cases {
        let name = format!("{} then {} ({key_holds})", before.as_str(), answer.as_str());
        let mut world = World::new();
        let order = refunding(&mut world);
        world.refunded(&order, before.clone()).unwrap();
        let events = check_refund(&world.state, &order, 1, answer, key_holds, world.now);
        world.commit(events).unwrap();
        let refund = &world.order(&order).refunds[0];
        assert_eq!(refund.outcome.as_str(), after, "{name}");
        let is_final = refund.outcome.is_final();
        assert_eq!(refund.next_check.is_none(), is_final, "{name}");
        assert_eq!(world.resource("phone-1").freeze.is_none(), is_final, "{name}");
        assert_eq!(world.expiry("phone-1") == OLD, after == "refunded", "{name}");
    }
}

#[test]
fn an_unfinished_refund_is_looked_at_after_5_minutes_an_hour_and_then_daily() {
    let mut world = World::new();
    let order = refunding(&mut world);
    world.refunded(&order, refund_unknown()).unwrap();
    assert_eq!(world.order(&order).refunds[0].next_check, Some(world.now), "at once");
    for (checks, wait) in [(1, 5 * MINUTE), (2, HOUR), (3, 24 * HOUR), (4, 24 * HOUR)] {
        let events = check_refund(&world.state, &order, 1, refund_unknown(), true, world.now);
        world.commit(events).unwrap();
        let refund = &world.order(&order).refunds[0];
        let next = world.now + chrono::TimeDelta::seconds(wait);
        assert_eq!((refund.checks, refund.next_check), (checks, Some(next)));
        world.now = next;
    }
}

#[test]
fn a_refund_whose_process_is_gone_is_unknown() {
    let mut world = World::new();
    let order = refunding(&mut world);
    assert_eq!(abandoned_refund(world.order(&order), |_| true).count(), 0, "it lives");
    let events: Vec<Event> = abandoned_refund(world.order(&order), |_| false).collect();
    world.apply(&events);
    assert_eq!(world.order(&order).refunds[0].outcome.as_str(), "refund-unknown");
    assert!(world.resource("phone-1").freeze.is_some());
    assert_eq!(abandoned_refund(world.order(&order), |_| false).count(), 0, "once");
    // Its late answer counts.
    world.refunded(&order, gone_back()).unwrap();
    assert_eq!((world.expiry("phone-1").as_str(), world.resource("phone-1").freeze.as_ref()), (OLD, None));
}

#[test]
fn a_person_ends_a_refund_that_nobody_knows_of() {
    for (went_back, word, expiry) in [(true, "refunded", OLD), (false, "declined", NEW)] {
        let mut world = World::new();
        let order = refunding(&mut world);
        let resolve = |world: &World| {
            resolve_refunds(&world.state, &order, went_back, Some("re_9".to_owned()), "seen at the gateway")
        };
        assert_eq!(reason(resolve(&world)), Reason::OrderState, "its process still asks");
        world.refunded(&order, refund_unknown()).unwrap();
        let events = resolve(&world);
        world.commit(events).unwrap();
        assert_eq!(world.order(&order).refunds[0].outcome.as_str(), word);
        assert_eq!((world.expiry("phone-1").as_str(), world.resource("phone-1").freeze.as_ref()), (expiry, None));
        assert_eq!(reason(resolve(&world)), Reason::OrderState, "once");
    }
}

/// Gateways and journals keep this key for years: a change of its value would give back twice.
#[test]
fn refund_keys_have_the_values_they_have_had_since_they_tell_amounts_apart() {
    let mut world = World::new();
    let order = refunding(&mut world);
    let row = world.order(&order);
    assert_eq!(row.refunds[0].key.to_string(), "f02518c429567c062dc26a6135ee49508a77a8ebec72e42a3357b04ea055b95d");
    let late = row.refund_key(&row.attempts[0], &RefundCause::LateSuccess, row.total);
    assert_eq!(late.to_string(), "61a3f3b57ef69f46094eb1273f9e87fe3705d53a6745eb31ed6e7696b3f04f42");
}

/// A restored store gave the same lines back in another order, one of them under another key than before, and its gateway
/// gave that one back twice.
#[test]
fn a_refund_has_the_same_key_whatever_went_back_before_it() {
    let keys = |names: [&str; 2]| {
        let mut world = World::new();
        let order = world.paid_order(&["phone-1", "phone-2"]);
        let mut keys = names.map(|name| {
            world.refund(&order, name, None).unwrap();
            world.refunded(&order, gone_back()).unwrap();
            (name.to_owned(), world.order(&order).refunds.last().unwrap().key)
        });
        keys.sort();
        keys
    };
    assert_eq!(keys(["phone-1", "phone-2"]), keys(["phone-2", "phone-1"]));
}
