//! Money that comes when nobody waits for it any more: it pays the order where it still can, and else goes back, once.

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
use renewd_core::event::Event;
use renewd_core::ids::OrderId;
use renewd_core::order::*;
use renewd_core::refusal::Reason;

const HOUR: i64 = 3600;
const OLD: &str = "2026-11-20T23:59:59+08:00";
const NEW: &str = "2026-12-20T23:59:59+08:00";

type Change = fn(&mut World, &OrderId);
type Learn = fn(&mut World, &OrderId) -> Vec<Event>;

/// What may become of an order whose first attempt is doubted, before that attempt turns out to have succeeded.
const DEATHS: [(&str, &str, Change); 4] = [
    ("paid by a later attempt", "settled", |world, order| {
        world.pay(order, "card").unwrap();
        world.answer(order, second(succeeded())).unwrap();
    }),
    ("paid from the balance", "settled", |world, order| {
        world.top_up("20 USD", "t").unwrap();
        world.pay(order, "balance").unwrap();
    }),
    ("canceled", "canceled", |world, order| {
        world.cancel(order).unwrap();
    }),
    ("expired", "expired", |world, _| {
        world.advance(72 * HOUR);
        assert_eq!(world.expire(), 1);
    }),
];

/// The ways in which a late success is learned of.
const WAYS: [(&str, Learn); 3] = [
    ("a look", |world, order| {
        let seen = world.found(order, succeeded());
        world.look(order, 1, seen).unwrap()
    }),
    ("the process that asked", |world, order| world.answer_to(order, 1, succeeded()).unwrap()),
    ("a person", |world, order| {
        world.resolve(order, Resolution::Succeeded { reference: Some("ch_1".to_owned()) }).unwrap()
    }),
];

#[test]
fn a_late_success_of_a_dead_order_goes_back_exactly_once() {
    for (death, status, die) in DEATHS {
        for (way, learn) in WAYS {
            let mut world = World::new();
            let order = world.doubted_order(&["phone-1"]);
            die(&mut world, &order);
            let (expiry, month) = (world.expiry("phone-1"), world.month("2026-11"));
            assert!(world.state.live.contains(&order), "{death}: the doubt keeps it live");
            let events = learn(&mut world, &order);
            let [Event::LateSuccess { number: 1, .. }, Event::RefundStarted { refund, .. }] = events.as_slice() else {
                panic!("{death}, {way}: {events:?}")
            };
            assert_eq!((refund.amount, refund.attempt, &refund.cause), (money("20 USD"), 1, &RefundCause::LateSuccess));
            assert_eq!((refund.reference.as_str(), refund.outcome.clone()), ("ch_1", RefundResult::InFlight));
            assert!(refund.reason.contains(status), "{}", refund.reason);
            assert_eq!((world.status(&order), world.expiry("phone-1")), (status, expiry), "{death}, {way}");
            assert_eq!(world.month("2026-11"), month);
            assert_eq!(world.resource("phone-1").freeze, None, "it touches no term");
            for (again, learn) in [WAYS[0], WAYS[1]] {
                assert_eq!(learn(&mut world, &order), [], "{death}, {way}, then {again}");
            }
            assert!(world.state.live.contains(&order), "money is on its way back");
            world.refunded(&order, gone_back()).unwrap();
            assert!(!world.state.live.contains(&order), "{death}, {way}");
            assert_eq!(world.order(&order).refunds.len(), 1);
        }
    }
}

#[test]
fn a_late_success_pays_an_order_that_is_still_open_or_held() {
    let held: Change = |world, order| {
        world.pay(order, "card").unwrap();
        world.answer(order, Outcome::PriceMoved { actual: money("21 USD") }).unwrap();
    };
    let declined_again: Change = |world, order| {
        world.pay(order, "card").unwrap();
        world.answer(order, declined(Retry::Never)).unwrap();
    };
    for (name, change) in [("open", (|_, _| ()) as Change), ("held", held), ("declined again", declined_again)] {
        for (way, learn) in WAYS {
            let mut world = World::new();
            let order = world.doubted_order(&["phone-1"]);
            change(&mut world, &order);
            learn(&mut world, &order);
            assert_eq!((world.status(&order), world.expiry("phone-1").as_str()), ("settled", NEW), "{name}, {way}");
            assert_eq!(world.order(&order).paid_by().map(|paid| paid.number), Some(1), "{name}, {way}");
            assert!(world.order(&order).refunds.is_empty() && world.state.live.is_empty(), "{name}, {way}");
        }
    }
}

/// Which of two charges pays the order is clear only when the later one has ended.
#[test]
fn a_success_waits_while_a_later_attempt_is_undecided() {
    for undecided in [None, Some(unknown()), Some(pending()), Some(requires_action())] {
        for (way, learn) in [WAYS[0], WAYS[1]] {
            for last in [second(succeeded()), declined(Retry::Later)] {
                let mut world = World::new();
                let order = world.doubted_order(&["phone-1"]);
                world.pay(&order, "card").unwrap();
                if let Some(outcome) = undecided.clone() {
                    world.answer(&order, second(outcome)).unwrap();
                }
                let status = world.status(&order);
                let events = learn(&mut world, &order);
                let [Event::AttemptChecked { number: 1, next: Some(next), detail, .. }] = events.as_slice() else {
                    panic!("{way}: {events:?}")
                };
                assert!(detail.contains("ch_1"), "{detail}");
                assert_eq!(world.status(&order), status);
                assert_eq!(next.signed_duration_since(world.now).num_minutes(), 5);
                world.answer_to(&order, 2, last.clone()).unwrap();
                learn(&mut world, &order);
                let (paid_by, refunds) = if last == second(succeeded()) { (2, 1) } else { (1, 0) };
                let row = world.order(&order);
                assert_eq!(row.paid_by().map(|paid| paid.number), Some(paid_by), "{way}, {undecided:?}");
                assert_eq!((row.refunds.len(), world.expiry("phone-1").as_str()), (refunds, NEW));
            }
        }
    }
}

/// The inventory moved the expiry while the payment was open: what was ordered cannot be had any more.
#[test]
fn money_for_a_resource_that_moved_goes_back_and_the_order_opens() {
    for undecided in [unknown(), pending(), requires_action()] {
        for (way, learn) in WAYS {
            let mut world = World::new();
            let order = world.place(&["phone-1", "phone-2"]);
            world.pay(&order, "card").unwrap();
            world.answer(&order, undecided.clone()).unwrap();
            world.import_expiry("phone-2", "2026-12-25T23:59:59");
            let none = Resolution::Succeeded { reference: None };
            let refused = resolve(&world.state, &order, none, "seen".to_owned(), "p", world.now).unwrap_err();
            assert!(refused.hint.unwrap().contains("--reference"), "without a name it cannot go back");
            let events = learn(&mut world, &order);
            assert!(matches!(events[0], Event::LateSuccess { .. }), "{way}: {events:?}");
            assert_eq!(world.order(&order).refunds[0].amount, money("40 USD"));
            assert_eq!((world.status(&order), world.expiry("phone-1").as_str()), ("placed", OLD), "{way}");
            for name in ["phone-1", "phone-2"] {
                assert_eq!(world.resource(name).freeze, None, "{way}");
            }
            assert_eq!(reason(world.pay(&order, "card")), Reason::ExpiryMoved);
            world.cancel(&order).unwrap();
            assert!(world.state.live.contains(&order), "its money is not back yet");
        }
    }
}

#[test]
fn a_late_answer_counts_after_the_attempt_was_taken_for_abandoned() {
    let cases = [
        (succeeded(), "settled"),
        (declined(Retry::Later), "placed"),
        (pending(), "pending"),
        (requires_action(), "pending"),
        (Outcome::PriceMoved { actual: money("21 USD") }, "held"),
        (unknown(), "unknown"),
        (Outcome::InFlight, "unknown"),
    ];
    for (outcome, status) in cases {
        let mut world = World::new();
        let order = world.place(&["phone-1"]);
        world.pay(&order, "card").unwrap();
        let gone = abandoned(world.order(&order)).unwrap();
        world.apply(&[gone]);
        assert_eq!(world.status(&order), "unknown");
        world.answer(&order, outcome.clone()).unwrap();
        assert_eq!(world.status(&order), status, "{outcome:?}");
        assert_eq!(world.resource("phone-1").freeze.is_some(), status == "unknown", "{outcome:?}");
    }
}

#[test]
fn a_person_resolves_a_doubted_decline_only_with_the_charge_s_name() {
    let mut world = World::new();
    let order = world.doubted_order(&["phone-1"]);
    let refused = world.resolve(&order, Resolution::Succeeded { reference: None }).unwrap_err();
    assert!(refused.reason == Reason::OrderState && refused.hint.unwrap().contains("--reference"));
    assert_eq!(reason(world.resolve(&order, Resolution::Declined)), Reason::OrderState, "it is declined");
    // What the gateway itself declined is no doubt.
    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    world.pay(&order, "card").unwrap();
    let named = Resolution::Succeeded { reference: Some("ch_1".to_owned()) };
    assert_eq!(reason(world.resolve(&order, named.clone())), Reason::OrderState, "it is under way");
    world.answer(&order, declined(Retry::Later)).unwrap();
    assert_eq!(reason(world.resolve(&order, named)), Reason::OrderState);
}

/// A declined refund of a late success is not the end: a person tries again, under a new key.
#[test]
fn a_late_refund_that_was_declined_can_be_tried_again() {
    let mut world = World::new();
    let order = world.doubted_order(&["phone-1"]);
    let retry = |world: &World, amount: Option<&str>| {
        retry_late_refund(&world.state, &order, amount.map(money), "p", world.now)
    };
    assert_eq!(retry(&world, None), Ok(None));
    world.cancel(&order).unwrap();
    world.answer_to(&order, 1, succeeded()).unwrap();
    assert_eq!(retry(&world, None), Ok(None), "under way");
    assert!(late_charge(world.order(&order)).is_some());
    let no = RefundResult::Declined { code: "no".to_owned(), message: "no".to_owned() };
    world.refunded(&order, no).unwrap();
    let events = retry(&world, None).unwrap().unwrap();
    world.apply(&events);
    let refunds = &world.order(&order).refunds;
    assert_eq!((refunds.len(), refunds[1].amount, refunds[1].attempt), (2, money("20 USD"), 1));
    assert_ne!(refunds[0].key, refunds[1].key);
    world.refunded(&order, gone_back()).unwrap();
    assert_eq!(retry(&world, None), Ok(None), "it is back");
    assert_eq!(late_charge(world.order(&order)), None);
}

/// A part of it went back in a history that a restored store has lost, so that the gateway declines to give all of it.
#[test]
fn what_is_left_of_a_late_charge_can_be_given_back() {
    let mut world = World::new();
    let order = world.doubted_order(&["phone-1"]);
    world.cancel(&order).unwrap();
    world.answer_to(&order, 1, succeeded()).unwrap();
    let no = RefundResult::Declined { code: "no".to_owned(), message: "more than is left".to_owned() };
    world.refunded(&order, no).unwrap();
    let retry = |world: &World, amount| retry_late_refund(&world.state, &order, Some(money(amount)), "p", world.now);
    for (amount, why) in [
        ("20.01 USD", Reason::NothingToRefund),
        ("0 USD", Reason::NothingToRefund),
        ("5 EUR", Reason::CurrencyMismatch),
    ] {
        assert_eq!(reason(retry(&world, amount)), why, "{amount}");
    }
    let events = retry(&world, "12.50 USD").unwrap().unwrap();
    world.apply(&events);
    let refund = &world.order(&order).refunds[1];
    assert_eq!((refund.amount, refund.line()), (money("12.50 USD"), None));
    world.refunded(&order, gone_back()).unwrap();
    assert_eq!(late_charge(world.order(&order)), None);
    assert!(world.state.live.is_empty());
}

/// A gateway showed the charge of an attempt that was taken for declined, while a later attempt was open, and did not
/// know it when it was asked for the last time: the charge was forgotten.
#[test]
fn a_charge_that_was_shown_once_is_asked_for_until_it_has_ended() {
    for shows in [succeeded(), pending()] {
        let mut world = World::new();
        let order = world.doubted_order(&["phone-1"]);
        world.pay(&order, "card").unwrap();
        world.answer(&order, second(pending())).unwrap();
        let seen = world.found(&order, shows);
        world.look(&order, 1, seen).unwrap();
        assert_eq!(world.order(&order).attempts[0].shown.as_deref(), Some("ch_1"));
        world.answer_to(&order, 2, second(succeeded())).unwrap();
        world.advance(100 * 24 * HOUR);
        for _ in 0..10 {
            world.look(&order, 1, Seen::NotFound).unwrap();
            assert!(world.order(&order).attempts[0].next_check.is_some(), "it is not believed");
        }
        let seen = world.found(&order, succeeded());
        world.look(&order, 1, seen).unwrap();
        assert_eq!(world.order(&order).refunds[0].attempt, 1, "it goes back");
    }
}

/// A charge was taken for declined, and shown by its gateway as still under way: the order was charged again beside it.
#[test]
fn an_order_waits_while_its_gateway_works_on_a_charge_that_was_taken_for_declined() {
    for (end, status) in [(succeeded(), "settled"), (declined(Retry::Later), "placed")] {
        let mut world = World::new();
        let order = world.doubted_order(&["phone-1"]);
        world.pay(&order, "card").unwrap();
        world.answer(&order, declined(Retry::Later)).unwrap();
        let seen = world.found(&order, pending());
        world.look(&order, 1, seen).unwrap();
        assert_eq!(reason(world.pay(&order, "card")), Reason::Frozen);
        world.advance(100 * 24 * HOUR);
        assert_eq!(world.expire(), 0, "its payment is not decided");
        assert_eq!(reason(world.pay(&order, "card")), Reason::Frozen);
        let seen = world.found(&order, end);
        world.look(&order, 1, seen).unwrap();
        assert_eq!((world.status(&order), world.order(&order).attempts.len()), (status, 2));
        assert_eq!(world.expire(), usize::from(status == "placed"));
    }
}

/// The look that follows a presumed decline found the charge that had paid the order meanwhile, took it for a late
/// success of the first attempt, and gave it back: the term stood, and the money was gone.
#[test]
fn a_follow_up_that_finds_the_paying_charge_gives_nothing_back() {
    for (by, key) in [("its reference", None), ("its key", Some(2))] {
        let mut world = World::new();
        let order = world.doubted_order(&["phone-1"]);
        world.pay(&order, "card").unwrap();
        world.answer(&order, succeeded()).unwrap();
        let Seen::Found(mut charge) = world.found(&order, succeeded()) else { panic!() };
        if let Some(number) = key {
            charge.key = Some(world.order(&order).attempt(number).unwrap().key.to_string());
            charge.reference = "ch_1_by_another_name".to_owned();
        }
        let looks = world.order(&order).attempts[0].next_check;
        let events = world.look(&order, 1, Seen::Found(charge)).unwrap();
        assert!(matches!(events.as_slice(), [Event::AttemptChecked { number: 1, .. }]), "{by}: {events:?}");
        assert_eq!((world.status(&order), world.expiry("phone-1").as_str()), ("settled", NEW), "{by}");
        assert!(world.order(&order).refunds.is_empty(), "{by}");
        assert!(looks < world.order(&order).attempts[0].next_check, "{by}: it goes on being doubted");
    }
}

/// Whose end nobody knows must not be guessed from what was found under another key.
#[test]
fn an_unknown_attempt_is_not_ended_by_the_charge_of_another_key() {
    let mut world = World::new();
    let order = world.unknown_order(&["phone-1"]);
    let Seen::Found(mut charge) = world.found(&order, succeeded()) else { panic!() };
    charge.key = Some("another".to_owned());
    world.look(&order, 1, Seen::Found(charge.clone())).unwrap();
    assert_eq!(world.status(&order), "unknown");
    charge.key = Some(world.order(&order).attempts[0].key.to_string());
    world.look(&order, 1, Seen::Found(charge)).unwrap();
    assert_eq!(world.status(&order), "settled");
}

/// The same word said twice was taken for another charge, of an older attempt, and gave the payment back.
#[test]
fn a_resolution_said_twice_changes_nothing_the_second_time() {
    let mut world = World::new();
    let order = world.unknown_order(&["phone-1"]);
    world.resolve(&order, Resolution::Declined).unwrap();
    world.pay(&order, "card").unwrap();
    world.answer(&order, unknown()).unwrap();
    let seen = Resolution::Succeeded { reference: Some("ch_2".to_owned()) };
    assert_eq!(world.resolve(&order, seen.clone()).unwrap().len(), 1);
    assert_eq!(world.resolve(&order, seen), Ok(Vec::new()));
    assert!(world.order(&order).refunds.is_empty());
    let other = Resolution::Succeeded { reference: Some("ch_1".to_owned()) };
    assert_eq!(world.resolve(&order, other).unwrap().len(), 2, "another charge is the doubted attempt's");
}

/// What was said of an unknown refund settled a doubted attempt instead, and asked for the refund to be refunded.
#[test]
fn a_word_about_an_unknown_refund_is_not_taken_for_a_charge() {
    let mut world = World::new();
    let order = world.doubted_order(&["phone-1"]);
    world.pay(&order, "card").unwrap();
    world.answer(&order, second(succeeded())).unwrap();
    world.refund(&order, "phone-1", None).unwrap();
    world.refunded(&order, refund_unknown()).unwrap();
    let seen = Resolution::Succeeded { reference: Some("re_1".to_owned()) };
    assert_eq!(reason(world.resolve(&order, seen)), Reason::OrderState);
    let events = resolve_refunds(&world.state, &order, true, Some("re_1".to_owned()), "seen").unwrap();
    world.apply(&events);
    assert_eq!(world.expiry("phone-1"), OLD);
    assert!(matches!(world.order(&order).attempts[0].outcome, Outcome::Declined { .. }));
}

/// Nobody answers for the balance: a declined one cannot turn out to have paid.
#[test]
fn the_balance_has_no_late_success() {
    let mut world = World::new();
    let order = world.place(&["phone-1"]);
    world.pay(&order, "balance").unwrap();
    assert_eq!(reason(world.answer_to(&order, 1, succeeded())), Reason::OrderState);
    let seen = world.found(&order, succeeded());
    assert_eq!(world.look(&order, 1, seen), Ok(Vec::new()));
}

// ---- charges from before this store

#[test]
fn an_earlier_charge_pays_holds_or_waits() {
    let other = |_: &mut World| Earlier::Other { detail: "another total".to_owned() };
    let same = |outcome: Outcome| move |_: &mut World| Earlier::Same { outcome: outcome.clone(), key: None };
    let moved = |world: &mut World| {
        world.import_expiry("phone-1", "2026-11-25T23:59:59");
        Earlier::Same { outcome: succeeded(), key: None }
    };
    type Find<'a> = &'a dyn Fn(&mut World) -> Earlier;
    let (taken, waits, no_answer, refused) =
        (same(succeeded()), same(pending()), same(Outcome::InFlight), same(declined(Retry::Later)));
    let cases: [(&str, Find<'_>, &str, usize); 6] = [
        ("another charge", &other, "held", 0),
        ("moved meanwhile", &moved, "held", 0),
        ("the same, taken", &taken, "settled", 1),
        ("the same, pending", &waits, "pending", 1),
        ("the same, no answer", &no_answer, "unknown", 1),
        ("the same, declined", &refused, "placed", 1),
    ];
    for (name, find, status, attempts) in cases {
        let mut world = World::new();
        let order = world.place(&["phone-1"]);
        // What it would cost today does not matter: the money is gone.
        world.month_price = decimal("99");
        let earlier = find(&mut world);
        let spec = AttemptSpec { sought: Some(2), ..world.spec("card") };
        let events = take_earlier(&world.state, &order, spec, earlier, world.now).unwrap();
        world.apply(&events);
        assert_eq!((world.status(&order), world.order(&order).attempts.len()), (status, attempts), "{name}");
        if status == "held" {
            assert_eq!(world.order(&order).holds.last().unwrap().reason, Reason::ChargeFound);
            world.approve(&order).unwrap();
            assert_eq!(world.order(&order).sought, Some(2), "{name}: whoever approves it knows");
        }
        assert_eq!(world.resource("phone-1").sought, None, "{name}: the lost history may have gone on");
    }
}

/// A charge of the lost history that took no money was put down as an attempt at an order whose resource had been brought
/// in anew at another expiry.
#[test]
fn a_charge_that_took_nothing_is_no_attempt_at_what_can_no_longer_be_extended() {
    let nothing = Earlier::Same { outcome: declined(Retry::Later), key: None };
    for (moves, reason) in [(false, None), (true, Some(Reason::ExpiryMoved))] {
        let mut world = World::new();
        let order = world.place(&["phone-1"]);
        if moves {
            world.import_expiry("phone-1", "2026-11-25T23:59:59");
        }
        let spec = AttemptSpec { sought: Some(2), ..world.spec("card") };
        let taken = take_earlier(&world.state, &order, spec, nothing.clone(), world.now);
        assert_eq!(taken.err().map(|refusal| refusal.reason), reason);
        assert_eq!(world.status(&order), "placed");
    }
}

/// An order was lost at its gateway and canceled; its resource was ordered anew with the same lines, total and number of
/// attempt, so with the same key. A look at the dead order then found the other's charge, and gave it back.
#[test]
fn an_order_placed_anew_shares_no_key_with_the_dead_one() {
    let mut world = World::new();
    let dead = world.doubted_order(&["phone-1"]);
    world.cancel(&dead).unwrap();
    let anew = world.place(&["phone-1"]);
    world.pay(&anew, "card").unwrap();
    assert_eq!(world.order(&dead).total, world.order(&anew).total);
    assert_eq!(world.order(&anew).attempts[0].number, 1);
    assert_ne!(world.order(&dead).attempts[0].key, world.order(&anew).attempts[0].key);
}

/// A hold for a charge that another store had made ran out, was canceled or approved, and the next order of the resource
/// was charged without asking again, though the lost history had charged it more than once.
#[test]
fn what_was_found_is_sought_again_for_every_other_order() {
    for (name, end) in [
        ("canceled", (|world, order| drop(world.cancel(order).unwrap())) as Change),
        ("expired", |world, _| {
            world.advance(72 * HOUR);
            assert_eq!(world.expire(), 1);
        }),
        ("approved", |world, order| drop(world.approve(order).unwrap())),
    ] {
        let mut world = World::new();
        let order = world.place(&["phone-1"]);
        let spec = AttemptSpec { sought: Some(2), ..world.spec("card") };
        let earlier = Earlier::Other { detail: "9.99 USD".to_owned() };
        let events = take_earlier(&world.state, &order, spec, earlier, world.now).unwrap();
        world.apply(&events);
        end(&mut world, &order);
        assert_eq!(world.resource("phone-1").sought, None, "{name}");
    }
}

/// A person named the charge that the gateway had shown for the first attempt. It was booked on the second, whose own
/// charge was forgotten and never went back.
#[test]
fn a_charge_that_was_shown_is_booked_on_its_own_attempt() {
    let mut world = World::new();
    let order = world.doubted_order(&["phone-1"]);
    world.pay(&order, "card").unwrap();
    world.answer(&order, second(pending())).unwrap();
    let seen = world.found(&order, succeeded());
    world.look(&order, 1, seen).unwrap();
    let named = Resolution::Succeeded { reference: Some("ch_1".to_owned()) };
    let refused = world.resolve(&order, named.clone()).unwrap_err();
    assert!(refused.reason == Reason::OrderState && refused.hint.unwrap().contains("attempt 2"));
    world.resolve(&order, Resolution::Declined).unwrap();
    world.resolve(&order, named).unwrap();
    assert_eq!(world.order(&order).paid_by().map(|paid| paid.number), Some(1));
    world.answer_to(&order, 2, second(succeeded())).unwrap();
    let refund = &world.order(&order).refunds[0];
    assert_eq!((refund.attempt, refund.reference.as_str()), (2, "ch_2"));
}

/// The look that follows a presumed decline found the charge over another amount: nobody was told, and the order was
/// charged again beside it.
#[test]
fn a_found_charge_over_another_amount_is_not_charged_beside() {
    let mut world = World::new();
    let order = world.doubted_order(&["phone-1"]);
    let Seen::Found(charge) = world.found(&order, succeeded()) else { panic!() };
    let seen = Seen::Found(FoundCharge { amount: money("19.99 USD"), ..charge });
    world.look(&order, 1, seen).unwrap();
    assert_eq!(reason(world.pay(&order, "card")), Reason::Frozen);
    world.resolve(&order, Resolution::Succeeded { reference: Some("ch_1".to_owned()) }).unwrap();
    assert_eq!(world.status(&order), "settled", "a person has looked");
}
