//! Orders from paying to their end: what takes money exactly once, and what an end gives back.

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
use renewd_core::documents::Windows;
use renewd_core::event::Event;
use renewd_core::ids::{MethodName, OrderId};
use renewd_core::order::*;
use renewd_core::refusal::Reason;
use renewd_core::resource::Freeze;
use rust_decimal::Decimal;

const HOUR: i64 = 3600;
const OLD: &str = "2026-11-20T23:59:59+08:00";
const NEW: &str = "2026-12-20T23:59:59+08:00";

// ---- paying

#[test]
fn the_balance_pays_or_declines_at_once() {
    for (balance, pays) in [("20.00 USD", true), ("19.99 USD", false)] {
        let mut world = World::new();
        world.top_up(balance, "transfer-1").unwrap();
        let order = world.place(&["phone-1"]);
        let events = world.pay(&order, "balance").unwrap();
        assert_eq!(events.len(), 2, "intent and outcome are one unit");
        assert_eq!(world.order(&order).attempts.len(), 1);
        if pays {
            assert_eq!((world.status(&order), world.balance()), ("settled", money("0.00 USD")));
            assert_eq!(world.expiry("phone-1"), NEW);
        } else {
            assert_eq!((world.status(&order), world.balance()), ("placed", money("19.99 USD")));
            let Outcome::Declined { code, retry, .. } = &world.order(&order).attempts[0].outcome else { panic!() };
            assert_eq!((code.as_str(), *retry), ("insufficient-balance", Retry::Later));
            assert_eq!(world.expiry("phone-1"), OLD);
            assert_eq!(world.resource("phone-1").open_order, Some(order));
        }
    }
}

#[test]
fn a_zero_total_is_settled_without_an_attempt() {
    let mut world = World::new();
    world.month_price = Decimal::ZERO;
    let order = world.place(&["phone-1"]);
    let events = world.pay(&order, "card").unwrap();
    assert_eq!(events, [Event::OrderSettled { order: order.clone(), payment: Payment::Nothing }]);
    assert!(world.order(&order).attempts.is_empty());
    assert_eq!((world.status(&order), world.expiry("phone-1").as_str()), ("settled", NEW));
}

#[test]
fn a_card_is_asked_before_anything_is_settled() {
    let mut world = World::new();
    let order = world.place(&["phone-1", "phone-2"]);
    let events = world.pay(&order, "card").unwrap();
    let [Event::AttemptStarted { attempt, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((attempt.number, &attempt.outcome, &attempt.method), (1, &Outcome::InFlight, &method("card")));
    assert_eq!((world.status(&order), world.expiry("phone-1").as_str()), ("paying", OLD));
    world.answer(&order, succeeded()).unwrap();
    let settled = world.order(&order);
    let OrderStatus::Settled { payment: Payment::Attempt { attempt: 1, reference }, .. } = &settled.status else {
        panic!("{:?}", settled.status)
    };
    assert_eq!((reference.as_str(), &settled.attempts[0].outcome), ("ch_1", &succeeded()));
    for name in ["phone-1", "phone-2"] {
        assert_eq!(world.expiry(name), NEW);
        assert_eq!(world.resource(name).open_order, None);
        assert_eq!(world.resource(name).generation, 0, "a renewal does not raise the generation");
    }
    assert!(world.state.live.is_empty());
    assert_eq!(world.balance(), money("0 USD"), "a card does not touch the balance");
}

#[test]
fn an_order_in_any_other_state_cannot_be_paid() {
    type Change = fn(&mut World, &OrderId);
    let cases: [(&str, Reason, Change); 8] = [
        ("settled", Reason::OrderState, |world, order| {
            world.pay(order, "card").unwrap();
            world.answer(order, succeeded()).unwrap();
        }),
        ("settled by balance", Reason::OrderState, |world, order| {
            world.top_up("1000 USD", "t").unwrap();
            world.pay(order, "balance").unwrap();
        }),
        ("being paid", Reason::OrderState, |world, order| {
            world.pay(order, "card").unwrap();
        }),
        ("unknown", Reason::Frozen, |world, order| {
            world.pay(order, "card").unwrap();
            world.answer(order, unknown()).unwrap();
        }),
        ("canceled", Reason::OrderState, |world, order| {
            world.cancel(order).unwrap();
        }),
        ("expired", Reason::OrderState, |world, _| {
            world.advance(72 * HOUR);
            world.expire();
        }),
        ("overdue at exactly 72 h", Reason::OrderState, |world, _| world.advance(72 * HOUR)),
        ("gone", Reason::NoOrder, |world, order| {
            world.state.orders.remove(order);
        }),
    ];
    for (name, expected, change) in cases {
        for pays_with in ["card", "balance"] {
            let mut world = World::new();
            let order = world.place(&["phone-1"]);
            let requotes = world.requotes(&order);
            change(&mut world, &order);
            let before = world.state.clone();
            let spec = world.spec(pays_with);
            let result = start_attempt(&world.state, &order, spec, &requotes, world.now);
            assert_eq!(reason(result), expected, "{name} by {pays_with}");
            assert_eq!(world.state, before, "{name}");
        }
    }
}

#[test]
fn an_order_can_be_paid_until_72_hours_have_passed() {
    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    world.advance(72 * HOUR - 1);
    assert_eq!(world.expire(), 0);
    assert!(world.clone().pay(&order, "card").is_ok());
    world.advance(1);
    assert_eq!(reason(world.clone().pay(&order, "card")), Reason::OrderState);
    assert_eq!(world.expire(), 1);
}

#[test]
fn what_is_charged_is_the_quote_or_nothing() {
    type Change = fn(&mut World);
    let cases: [(&str, Reason, Change); 7] = [
        ("dearer", Reason::PriceChanged, |world| world.month_price = decimal("20.01")),
        ("cheaper", Reason::PriceChanged, |world| world.month_price = decimal("19.99")),
        ("more units", Reason::PriceChanged, |world| {
            world.edit_resource("phone-1", |resource| resource.description.quantity = 2);
        }),
        ("always aligned now", Reason::PriceChanged, |world| {
            world.edit_policy(|policy| policy.align = renewd_core::documents::AlignPolicy::Always);
        }),
        ("no longer sold", Reason::PriceChanged, |world| {
            world.edit_policy(|policy| policy.terms.allowed = vec!["P1Y".parse().unwrap()]);
        }),
        ("expiry moved", Reason::ExpiryMoved, |world| world.import_expiry("phone-1", "2026-11-21T23:59:59")),
        ("expiry moved and back", Reason::ExpiryMoved, |world| {
            world.import_expiry("phone-1", "2026-11-21T23:59:59");
            world.import_expiry("phone-1", "2026-11-20T23:59:59");
        }),
    ];
    for (name, expected, change) in cases {
        let mut world = World::new();
        world.top_up("1000 USD", "t").unwrap();
        let order = world.place(&["phone-1", "phone-2"]);
        change(&mut world);
        for pays_with in ["card", "balance"] {
            assert_eq!(reason(world.pay(&order, pays_with)), expected, "{name} by {pays_with}");
        }
        assert!(world.order(&order).attempts.is_empty(), "{name}");
        assert_eq!(world.balance(), money("1000 USD"), "{name}");
        assert!(world.cancel(&order).is_ok(), "{name}: the hint's cancel must be possible");
    }
}

#[test]
fn an_import_conflict_on_one_line_stops_the_payment_of_all() {
    let mut world = World::new();
    let order = world.place(&["phone-1", "phone-2"]);
    let freeze = Freeze::ImportConflict { detail: "two dates".to_owned() };
    world.apply(&[Event::ResourceFrozen { resource: id("phone-2"), freeze }]);
    assert_eq!(reason(world.pay(&order, "card")), Reason::Frozen);
    world.cancel(&order).unwrap();
    assert!(world.resource("phone-2").freeze.is_some(), "closing an order does not settle an import conflict");
}

#[test]
fn a_decline_leaves_the_order_open_for_the_next_attempt() {
    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    for number in 1..=3 {
        world.pay(&order, "card").unwrap();
        assert_eq!(world.order(&order).attempts.last().unwrap().number, number);
        world.answer(&order, declined(Retry::Later)).unwrap();
        assert_eq!((world.status(&order), world.expiry("phone-1").as_str()), ("placed", OLD));
        assert_eq!(world.resource("phone-1").freeze, None);
    }
    let keys: std::collections::BTreeSet<_> = world.order(&order).attempts.iter().map(|attempt| attempt.key).collect();
    assert_eq!(keys.len(), 3);
    world.pay(&order, "card").unwrap();
    world.answer(&order, succeeded()).unwrap();
    assert_eq!(world.expiry("phone-1"), NEW);
}

#[test]
fn a_method_that_said_never_is_not_tried_again() {
    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    let names = |world: &World, only: Option<&str>| {
        let only = only.map(|name| MethodName::new(name).unwrap());
        let methods = usable_methods(&world.state, world.order(&order), only.as_ref(), world.now);
        methods.into_iter().map(|method| method.method.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&world, None), ["balance", "card"]);
    assert_eq!(names(&world, Some("card")), ["card"]);
    assert!(names(&world, Some("invoice")).is_empty());
    for (retry, left) in [
        (Retry::Later, vec!["balance", "card"]),
        (Retry::OtherMethod, vec!["balance", "card"]),
        (Retry::Never, vec!["balance"]),
    ] {
        world.pay(&order, "card").unwrap();
        world.answer(&order, declined(retry)).unwrap();
        assert_eq!(names(&world, None), left, "{retry:?}");
    }
    assert!(names(&world, Some("card")).is_empty());
}

#[test]
fn an_unknown_outcome_freezes_until_it_is_known() {
    for outcome in [unknown(), Outcome::InFlight] {
        let mut world = World::new();
        let order = world.place(&["phone-1", "phone-2"]);
        world.pay(&order, "card").unwrap();
        world.answer(&order, outcome.clone()).unwrap();
        assert_eq!(world.status(&order), "unknown", "{outcome:?}");
        let attempt = &world.order(&order).attempts[0];
        assert!(matches!(attempt.outcome, Outcome::Unknown { .. }), "{outcome:?}");
        assert_eq!(attempt.next_check, Some(world.now), "the gateway is to be asked at once");
        for name in ["phone-1", "phone-2"] {
            assert_eq!(world.resource(name).freeze, Some(Freeze::UnknownPayment { order: order.clone() }));
            assert_eq!(world.expiry(name), OLD);
        }
        nothing_else_can_happen(&mut world, &order, Reason::Frozen);
    }
}

/// The gateway works on it: nothing is unknown, so nothing is frozen, but the order waits.
#[test]
fn a_pending_payment_waits_without_freezing() {
    for outcome in [pending(), requires_action()] {
        let mut world = World::new();
        let order = world.place(&["phone-1"]);
        world.pay(&order, "card").unwrap();
        world.answer(&order, outcome.clone()).unwrap();
        assert_eq!(world.status(&order), "pending", "{outcome:?}");
        let attempt = &world.order(&order).attempts[0];
        assert_eq!((&attempt.outcome, attempt.next_check), (&outcome, Some(world.now)));
        assert_eq!((world.resource("phone-1").freeze.as_ref(), world.expiry("phone-1").as_str()), (None, OLD));
        assert_eq!(world.month("2026-11").0, money("20 USD"), "what is pending counts towards limits");
        nothing_else_can_happen(&mut world, &order, Reason::OrderState);
        assert_eq!(
            reason(check_quote(&world.state, &world.quote("phone-1", 1), &Origin::Manual, world.now)),
            Reason::OpenOrder
        );
    }
}

/// No cancel, expiry or second payment while an attempt is undecided; its own late answer counts.
fn nothing_else_can_happen(world: &mut World, order: &OrderId, pay: Reason) {
    assert_eq!(reason(world.cancel(order)), Reason::OrderState);
    assert_eq!(reason(world.approve(order)), Reason::OrderState);
    assert_eq!(reason(world.pay(order, "card")), pay);
    let mut answered = world.clone();
    answered.answer(order, succeeded()).unwrap();
    assert_eq!((answered.status(order), answered.expiry("phone-1").as_str()), ("settled", NEW));
    assert_eq!(answered.resource("phone-1").freeze, None);
    let mut refused = world.clone();
    refused.answer(order, declined(Retry::Later)).unwrap();
    assert_eq!((refused.status(order), refused.resource("phone-1").freeze.as_ref()), ("placed", None));
    let mut later = world.clone();
    later.advance(1000 * HOUR);
    assert_eq!(later.expire(), 0, "an undecided order never expires");
}

#[test]
fn another_price_at_the_gateway_holds_the_order_until_a_person_approves() {
    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    world.pay(&order, "card").unwrap();
    world.answer(&order, Outcome::PriceMoved { actual: money("21 USD") }).unwrap();
    assert_eq!(world.status(&order), "held");
    assert_eq!(world.order(&order).holds.last().map(|hold| hold.reason), Some(Reason::PriceMoved));
    assert_eq!(world.resource("phone-1").freeze, None);
    assert_eq!(world.expiry("phone-1"), OLD);
    assert_eq!(reason(world.pay(&order, "card")), Reason::OrderState);
    world.approve(&order).unwrap();
    world.pay(&order, "card").unwrap();
    world.answer(&order, succeeded()).unwrap();
    assert_eq!(world.status(&order), "settled");
}

#[test]
fn an_answer_counts_once() {
    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    assert_eq!(reason(world.answer_to(&order, 1, succeeded())), Reason::OrderState, "no such attempt");
    world.pay(&order, "card").unwrap();
    assert_eq!(reason(world.answer_to(&order, 2, succeeded())), Reason::OrderState, "no such attempt");
    world.answer(&order, declined(Retry::Later)).unwrap();
    for outcome in [declined(Retry::Later), unknown(), pending(), requires_action(), Outcome::InFlight] {
        assert_eq!(reason(world.answer_to(&order, 1, outcome)), Reason::OrderState, "it has ended");
    }
    world.pay(&order, "card").unwrap();
    world.answer(&order, succeeded()).unwrap();
    for outcome in [declined(Retry::Later), unknown(), pending()] {
        assert_eq!(reason(world.answer_to(&order, 2, outcome)), Reason::OrderState);
    }
    assert_eq!(world.answer_to(&order, 2, succeeded()), Ok(Vec::new()), "known");
}

#[test]
fn an_attempt_whose_process_is_gone_is_unknown() {
    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    assert_eq!(abandoned(world.order(&order)), None);
    world.pay(&order, "card").unwrap();
    let event = abandoned(world.order(&order)).unwrap();
    world.apply(&[event]);
    assert_eq!(world.status(&order), "unknown");
    assert!(world.resource("phone-1").freeze.is_some());
    assert_eq!(abandoned(world.order(&order)), None, "once");
}

#[test]
fn a_person_resolves_an_unknown_outcome_either_way() {
    let mut world = World::new();
    let order = world.unknown_order(&["phone-1", "phone-2"]);
    world.advance(100 * 24 * HOUR);
    world.resolve(&order, Resolution::Succeeded { reference: Some("ch_9".to_owned()) }).unwrap();
    assert_eq!((world.status(&order), world.expiry("phone-1").as_str()), ("settled", NEW));
    assert_eq!(world.resource("phone-2").freeze, None);
    assert_eq!(world.order(&order).attempts[0].outcome, Outcome::Succeeded { reference: "ch_9".to_owned() });
    assert_eq!(reason(world.resolve(&order, Resolution::Declined)), Reason::OrderState);

    let mut world = World::new();
    let order = world.unknown_order(&["phone-1"]);
    world.resolve(&order, Resolution::Declined).unwrap();
    assert_eq!((world.status(&order), world.expiry("phone-1").as_str()), ("placed", OLD));
    assert_eq!(world.resource("phone-1").freeze, None);
    assert!(matches!(world.order(&order).attempts[0].outcome, Outcome::Declined { retry: Retry::Later, .. }));
    assert_eq!(
        reason(world.resolve(&order, Resolution::Succeeded { reference: None })),
        Reason::OrderState,
        "a success that a person finds later needs the charge's name"
    );
    world.pay(&order, "card").unwrap();
    assert_eq!(world.order(&order).attempts.last().unwrap().number, 2);
}

/// Resolved as declined long after placing, an order is overdue at once and lets its resources go.
#[test]
fn an_order_resolved_as_declined_after_72_hours_expires() {
    let mut world = World::new();
    let order = world.unknown_order(&["phone-1"]);
    world.advance(80 * HOUR);
    world.resolve(&order, Resolution::Declined).unwrap();
    assert_eq!(reason(world.pay(&order, "card")), Reason::OrderState);
    assert_eq!(world.expire(), 1);
    assert_eq!(world.resource("phone-1").open_order, None);
    assert_eq!(world.month("2026-11").0, money("0 USD"));
}

#[test]
fn only_held_orders_are_approved_and_only_in_time() {
    let mut world = World::new();
    let open = world.place(&["phone-1"]);
    assert_eq!(reason(world.approve(&open)), Reason::OrderState);
    world.edit_account(|account| account.limits.per_order = Some(money("1 USD")));
    let held = world.place(&["phone-2"]);
    let late = world.place(&["phone-3"]);
    world.approve(&held).unwrap();
    assert_eq!(world.status(&held), "placed");
    assert_eq!(world.order(&held).holds.len(), 1, "the reason stays for the record");
    assert_eq!(reason(world.approve(&held)), Reason::OrderState);
    world.pay(&held, "card").unwrap();
    world.advance(72 * HOUR);
    assert_eq!(reason(world.approve(&late)), Reason::OrderState);
    assert_eq!(world.expire(), 2, "the open one and the held one, not the one that is being paid");
    assert_eq!(reason(approve(&world.state, &OrderId::new("ord_none").unwrap(), None, world.now)), Reason::NoOrder);
}

#[test]
fn a_canceled_order_lets_its_resources_go() {
    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    world.cancel(&order).unwrap();
    assert_eq!(world.resource("phone-1").open_order, None);
    assert!(
        matches!(&world.order(&order).status, OrderStatus::Canceled { reason: Some(why), .. } if why == "not needed")
    );
    assert_eq!(reason(world.cancel(&order)), Reason::OrderState);
    let again = world.place(&["phone-1"]);
    world.pay(&again, "card").unwrap();
    assert_eq!(reason(world.cancel(&again)), Reason::OrderState, "not while it is being paid");
    world.answer(&again, succeeded()).unwrap();
    assert_eq!(reason(world.cancel(&again)), Reason::OrderState, "nor after");
}

// ---- money

#[test]
fn a_top_up_counts_once_per_reference() {
    let mut world = World::new();
    assert_eq!(world.top_up("50 USD", "transfer-1").unwrap().len(), 1);
    assert_eq!(world.top_up("50.00 USD", "transfer-1").unwrap(), []);
    assert_eq!(world.balance(), money("50 USD"));
    assert_eq!(reason(world.top_up("50.01 USD", "transfer-1")), Reason::ReferenceReused);
    world.top_up("50 USD", "transfer-2").unwrap();
    assert_eq!(world.balance(), money("100 USD"));
    assert_eq!(reason(world.top_up("50 EUR", "transfer-3")), Reason::CurrencyMismatch);
    for nothing in ["0 USD", "-1 USD"] {
        assert_eq!(reason(world.top_up(nothing, "transfer-3")), Reason::OrderState);
    }
    let nobody = "nobody".parse().unwrap();
    assert_eq!(reason(top_up(&world.state, &nobody, money("1 USD"), "r".to_owned())), Reason::NoAccount);
    world.top_up("999999999999900 USD", "large").unwrap();
    assert_eq!(reason(world.top_up("0.01 USD", "too-much")), Reason::OrderState);
    assert_eq!(world.balance(), money("1000000000000000 USD"));
}

#[test]
fn month_sums_go_back_on_cancel_and_expiry_and_stay_on_settling() {
    let mut world = World::new();
    let sums = |amount: &str| (money(amount), money(amount));
    let canceled = world.place(&["phone-1"]);
    assert_eq!(world.month("2026-11"), sums("20 USD"));
    world.cancel(&canceled).unwrap();
    assert_eq!(world.month("2026-11"), sums("0 USD"));
    world.place(&["phone-1"]);
    world.advance(72 * HOUR);
    world.expire();
    assert_eq!(world.month("2026-11"), sums("0 USD"));
    let settled = world.place(&["phone-1"]);
    world.pay(&settled, "card").unwrap();
    assert_eq!(world.month("2026-11"), sums("20 USD"));
    world.answer(&settled, succeeded()).unwrap();
    assert_eq!(world.month("2026-11"), sums("20 USD"));
    // An order that is canceled in December gives back what it took in November.
    world.place(&["phone-2"]);
    let late = world.resource("phone-2").open_order.clone().unwrap();
    world.now = at("2026-12-02T00:00:00Z");
    world.cancel(&late).unwrap();
    assert_eq!((world.month("2026-11"), world.month("2026-12")), (sums("20 USD"), sums("0 USD")));
}

#[test]
fn settling_captures_windows_and_records_the_paid_price() {
    let mut world = World::new();
    assert_eq!(world.resource("phone-1").windows, Windows::default());
    let placing = world.placing(vec![world.quote("phone-1", 3)]);
    let order = world.place_with(placing).unwrap().id;
    assert!(!world.resource("phone-1").windows_captured);
    // What was sold counts, not what the policy says when the money comes.
    world.edit_policy(|policy| policy.windows.grace = renewd_core::documents::Days(1));
    world.pay(&order, "card").unwrap();
    world.answer(&order, succeeded()).unwrap();
    let resource = world.resource("phone-1");
    assert_eq!((resource.windows, resource.windows_captured), (POLICY_WINDOWS, true));
    assert_eq!(resource.known_price("P3M".parse().unwrap()), Some(decimal("20")));
    assert_eq!(resource.known_price("P1M".parse().unwrap()), None);
    assert_eq!(resource.shown_price(), Some(decimal("20")));
    assert_eq!(resource.end.expiry.rfc3339(), "2027-02-20T23:59:59+08:00");
}

/// A settled line extends exactly the expiry that it was quoted for: replayed on a moved resource it does nothing.
#[test]
fn an_extension_is_a_compare_and_set_by_generation_and_expiry() {
    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    world.pay(&order, "card").unwrap();
    let settled = end_attempt(&world.state, &order, 1, succeeded(), "process-1", world.now).unwrap();
    let mut moved = world.clone();
    moved.import_expiry("phone-1", "2026-11-25T23:59:59");
    moved.import_expiry("phone-1", "2026-11-20T23:59:59");
    assert_eq!(moved.resource("phone-1").generation, 2);
    moved.apply(&settled);
    assert_eq!(moved.expiry("phone-1"), OLD);
    world.apply(&settled);
    assert_eq!(world.expiry("phone-1"), NEW);
    world.apply(&settled);
    assert_eq!(world.expiry("phone-1"), NEW);
}

/// The generation counts what is no renewal; an import that only moves the anchor leaves the expiry and it.
#[test]
fn the_generation_rises_when_an_inventory_moves_the_expiry() {
    let mut world = World::new();
    let key = world.quote("phone-1", 1).prepared.renewal_key();
    world.import_expiry("phone-1", "2026-11-20T23:59:59");
    assert_eq!(world.resource("phone-1").generation, 0);
    world.import_expiry("phone-1", "2026-12-20T23:59:59");
    world.import_expiry("phone-1", "2026-11-20T23:59:59");
    assert_eq!(world.resource("phone-1").generation, 2);
    assert_ne!(world.quote("phone-1", 1).prepared.renewal_key(), key);
}

// ---- keys

/// Gateways and journals keep these keys for years: a change of their values would charge twice.
#[test]
fn keys_have_the_values_they_always_had() {
    let mut world = World::new();
    let quote = world.quote("phone-1", 1);
    assert_eq!(
        quote.prepared.renewal_key().to_string(),
        "5b253474e4a38d01c9e5a1dcb200175bb71213dbde6e8eb7a6f5359c0fc92c13"
    );
    assert_eq!(
        quote.prepared.line_key().to_string(),
        "deaf78997837f984efde0a9ecda1cce7d63224e23070ad621f62bdce4a103147"
    );
    let order = world.place(&["phone-1", "phone-2"]);
    let order = world.order(&order).clone();
    assert_eq!(order.payment_key(1).to_string(), "1bb6fa8fa9705094241e686070fbd103b5c31b3812f22d66a5f6cee70c2e2640");
    assert_eq!(order.payment_key(2).to_string(), "019b57b29f345eda711f1b781cd9445705adbf80c4da96e4ab288efe6dcfd91e");
    world.edit_resource("phone-1", |resource| resource.generation = 1);
    let again = world.quote("phone-1", 1).prepared;
    assert_eq!(again.line_key(), quote.prepared.line_key(), "a line key does not know the generation");
    assert_ne!(again.renewal_key(), quote.prepared.renewal_key());
}

#[test]
fn a_payment_key_depends_on_lines_total_and_attempt_and_not_on_their_order() {
    let mut world = World::new();
    let placed = world.place(&["phone-1", "phone-2"]);
    let order = world.order(&placed).clone();
    let mut turned = order.clone();
    turned.lines.reverse();
    assert_eq!(order.payment_key(1), turned.payment_key(1));
    let mut fewer = order.clone();
    fewer.lines.pop();
    let mut dearer = order.clone();
    dearer.total = money("40.01 USD");
    let mut elsewhere = order.clone();
    elsewhere.account = "other".parse().unwrap();
    let mut keys: Vec<_> = (1..=50).map(|attempt| order.payment_key(attempt)).collect();
    keys.extend([fewer.payment_key(1), dearer.payment_key(1), elsewhere.payment_key(1)]);
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count);
}
