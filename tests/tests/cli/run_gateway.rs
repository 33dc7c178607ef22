//! `run` against a gateway: what is declined for good, pending, confirmed too late, or never answered ends as the
//! gateway's own books say, and each payment is taken once. The gateway is a process with a ledger.

use super::due::{DUE, EXPIRY, RENEWED, auto, charged, order_of, verdict};
use super::till::{CARD, shop};
use renewd_tests::bank::books;
use renewd_tests::bank::shop::{Shop, VARIABLE};
use renewd_tests::process::answer;
use renewd_tests::world::machines;
use serde_json::Value;

/// Ten minutes later the gateway must show every charge that it has made.
const VISIBLE: &str = "2026-12-02T19:10:00Z";

/// Machines that are due.
fn due(wallet: Vec<(&'static str, Option<&'static str>)>, count: usize, fates: &str) -> Shop {
    let mut shop = shop(&auto(""), wallet, count, fates);
    shop.set_clock(DUE);
    shop
}

#[track_caller]
fn run(shop: &mut Shop, code: i32) -> Value {
    shop.run(&["run", "-o", "json"]).exits(code).json()
}

fn expiry(shop: &Shop) -> String {
    shop.expiries()["vm-001"].clone()
}

fn show(shop: &Shop, order: &str) -> Value {
    shop.json(&["show", order])
}

fn paid(shop: &Shop) -> usize {
    shop.till.ledger().paid().len()
}

#[test]
fn a_hard_decline_is_never_tried_again_on_that_card() {
    let mut shop = due(vec![CARD], 1, "charge#*=decline-for-good");
    let first = run(&mut shop, 1);
    assert_eq!(verdict(&first, "vm-001"), ("declined".to_owned(), "payment-declined".to_owned()), "{first}");
    let order = order_of(&first, "vm-001");
    // Only what can work is offered.
    let other = format!("renewd orders pay {order} --pay-with METHOD");
    assert!(first["items"][0]["hint"].as_str().unwrap().contains(&other), "{first}");
    shop.run(&[]).exits(0).says(&other);
    shop.till.fates("");
    shop.set_clock("2026-12-03T18:00:00Z");
    let warned = shop.run(&["run", "-o", "json"]).json();
    assert_eq!(warned["warnings"][0]["message"], "every payment method has declined it for good", "{warned}");
    shop.set_clock("2026-12-03T19:00:00Z");
    let next = shop.run(&["run", "-o", "json"]);
    assert_eq!(show(&shop, &order)["attempts"].as_array().unwrap().len(), 1, "{next:?}");
    assert_eq!((paid(&shop), expiry(&shop).as_str()), (0, EXPIRY));
}

#[test]
fn the_next_method_pays_where_the_first_declines() {
    let wallet = vec![("card", Some(books::CARD_DECLINED)), ("second", Some("pm_card_visa"))];
    let mut shop = due(wallet, 1, "");
    let run = run(&mut shop, 0);
    let attempts = show(&shop, &order_of(&run, "vm-001"))["attempts"].as_array().unwrap().clone();
    let told: Vec<_> = attempts.iter().map(|it| (it["method"].as_str(), it["outcome"].as_str())).collect();
    assert_eq!(told, [(Some("card"), Some("declined")), (Some("second"), Some("succeeded"))]);
    assert_eq!((paid(&shop), charged(&run)), (1, "10.00"));
}

#[test]
fn a_pending_payment_is_settled_when_the_gateway_has_decided() {
    let mut shop = due(vec![CARD], 1, "charge#*=processing:2");
    let first = run(&mut shop, 4);
    assert_eq!((verdict(&first, "vm-001").0.as_str(), charged(&first)), ("pending", "0"), "{first}");
    let order = order_of(&first, "vm-001");
    assert_eq!(show(&shop, &order)["status"], "pending");
    shop.run(&[]).exits(0).says("pending").says("renewd run");
    for now in ["2026-12-02T19:05:00Z", "2026-12-02T20:05:00Z", "2026-12-03T20:05:00Z"] {
        shop.set_clock(now);
        shop.run(&["run"]);
    }
    assert_eq!((show(&shop, &order)["status"].as_str(), paid(&shop)), (Some("settled"), 1));
    assert_eq!(expiry(&shop), RENEWED);
}

#[test]
fn a_charge_that_nobody_confirmed_in_time_is_canceled() {
    let mut shop = due(vec![("card", Some(books::CARD_TO_CONFIRM))], 1, "");
    let first = run(&mut shop, 4);
    assert_eq!(verdict(&first, "vm-001").0, "requires-action", "{first}");
    let order = order_of(&first, "vm-001");
    let attempt = show(&shop, &order)["attempts"][0].clone();
    assert!(attempt["detail"].as_str().unwrap().starts_with("https://bank.example/confirm/pi_"), "{attempt}");
    shop.run(&[]).exits(0).says("requires-action").says("https://bank.example/confirm/");
    shop.set_clock("2026-12-06T19:00:01Z");
    let late = shop.run(&["run", "-o", "json"]);
    let attempts = show(&shop, &order)["attempts"].clone();
    assert_eq!(attempts[0]["outcome"], "declined", "{late:?} {attempts}");
    assert_eq!((paid(&shop), expiry(&shop).as_str()), (0, EXPIRY));
}

#[test]
fn a_charge_that_somebody_confirmed_is_settled_by_the_next_run() {
    let mut shop = due(vec![("card", Some(books::CARD_TO_CONFIRM))], 1, "");
    let order = order_of(&run(&mut shop, 4), "vm-001");
    let url = show(&shop, &order)["attempts"][0]["detail"].as_str().unwrap().to_owned();
    shop.till.complete(url.rsplit('/').next().unwrap());
    shop.set_clock("2026-12-02T19:05:00Z");
    let next = run(&mut shop, 0);
    assert_eq!((verdict(&next, "vm-001").0.as_str(), charged(&next)), ("renewed", "10.00"), "{next}");
    assert_eq!((paid(&shop), expiry(&shop).as_str()), (1, RENEWED));
}

/// A time-out after the charge was read as a decline, and charged again.
#[test]
fn a_payment_without_an_answer_is_found_and_not_made_again() {
    for fate in ["timeout-after", "reset-after", "error-after", "garbage", "cut:40"] {
        let mut shop = due(vec![CARD], 1, &format!("charge#1={fate}"));
        let first = run(&mut shop, 4);
        assert_eq!(verdict(&first, "vm-001").0, "unknown", "{fate}: {first}");
        let order = order_of(&first, "vm-001");
        let board = shop.run(&["-o", "json"]).json();
        assert_eq!(board["counts"], serde_json::json!({ "unknown": 1 }), "said once: {board}");
        shop.run(&["renew", "vm-001", "--request-id", "r", "--yes"]).exits(1).says("renewd run");
        shop.set_clock("2026-12-02T19:05:00Z");
        let next = run(&mut shop, 0);
        assert_eq!((verdict(&next, "vm-001").0.as_str(), charged(&next)), ("renewed", "10.00"), "{fate}: {next}");
        assert_eq!(show(&shop, &order)["attempts"].as_array().unwrap().len(), 1, "{fate}");
        assert_eq!((paid(&shop), expiry(&shop).as_str()), (1, RENEWED), "{fate}");
    }
}

/// "Not found" within the visibility window is no decline; after it the order is paid with a new key, once.
#[test]
fn a_payment_that_never_arrived_is_made_again_after_the_window() {
    let mut shop = due(vec![CARD], 1, "charge#1=timeout-before");
    let order = order_of(&run(&mut shop, 4), "vm-001");
    shop.set_clock("2026-12-02T19:05:00Z");
    run(&mut shop, 4);
    let attempts = show(&shop, &order)["attempts"].clone();
    assert_eq!((attempts[0]["outcome"].as_str(), attempts[0]["checks"].as_u64()), (Some("unknown"), Some(1)));
    shop.run(&["show", &order]).exits(0).says("ASKED NEXT").says("once");
    shop.set_clock(VISIBLE);
    shop.run(&["run"]);
    assert_eq!(show(&shop, &order)["attempts"][0]["outcome"], "declined");
    shop.set_clock("2026-12-03T19:00:00Z");
    shop.run(&["run"]);
    let shown = show(&shop, &order);
    assert_eq!((shown["status"].as_str(), paid(&shop)), (Some("settled"), 1), "{shown}");
    assert_eq!(expiry(&shop), RENEWED);
}

#[test]
fn a_gateway_that_is_down_is_asked_again_later_and_less_and_less() {
    let mut shop = due(vec![CARD], 1, "charge#1=error-after");
    let order = order_of(&run(&mut shop, 4), "vm-001");
    shop.till.fates("find#*=error-before");
    for (now, checks) in [
        ("2026-12-02T19:00:01Z", 1),
        ("2026-12-02T19:05:00Z", 1),
        ("2026-12-02T19:05:01Z", 2),
        ("2026-12-02T20:05:00Z", 2),
        ("2026-12-02T20:05:01Z", 3),
        ("2026-12-03T20:05:00Z", 3),
        ("2026-12-03T20:05:01Z", 4),
    ] {
        shop.set_clock(now);
        shop.run(&["run"]);
        assert_eq!(show(&shop, &order)["attempts"][0]["checks"], checks, "{now}");
    }
    shop.till.fates("");
    shop.set_clock("2026-12-04T20:05:01Z");
    assert_eq!(charged(&run(&mut shop, 0)), "10.00");
    assert_eq!((paid(&shop), expiry(&shop).as_str()), (1, RENEWED));
}

/// The reply to a charge was lost, it was not found behind the window, and it had succeeded all the same; its order is
/// dead by then. Whoever finds out reads that the money went back.
#[test]
fn money_that_goes_back_is_told_by_whoever_finds_it() {
    for by_person in [true, false] {
        let mut shop = due(vec![CARD], 1, "charge#1=reset-after find#*=blind");
        let order = order_of(&run(&mut shop, 4), "vm-001");
        shop.set_clock(VISIBLE);
        _ = shop.run(&["run"]);
        shop.run(&["mode", "manual", "--all", "--yes"]).exits(0);
        shop.run(&["orders", "cancel", &order]).exits(0);
        shop.till.fates("");
        let charge = shop.till.ledger().paid()[0].payment.clone();
        let answer = if by_person {
            let said = ["--as", "succeeded", "--reference", &charge, "--reason", "seen there", "-o", "json"];
            shop.run(&[&["orders", "resolve", &order][..], &said].concat()).exits(0).json()
        } else {
            shop.set_clock("2026-12-04T19:00:00Z");
            shop.run(&["run", "-o", "json"]).json()
        };
        assert_eq!(answer["refunds"][0]["outcome"], "refunded", "{answer}");
        assert_eq!(answer["refunds"][0]["amount"]["amount"], "10.00", "{answer}");
        assert_eq!((shop.till.ledger().paid()[0].net(), expiry(&shop).as_str()), (0, EXPIRY));
    }
}

#[test]
fn a_refund_without_an_answer_is_found_and_not_given_twice() {
    let mut shop = due(vec![CARD], 1, "refund#1=error-after");
    let order = order_of(&run(&mut shop, 0), "vm-001");
    let refund = ["orders", "refund", &order, "--reason", "returned", "--yes", "-o", "json"];
    let answer = shop.run(&refund).exits(4).json();
    assert_eq!(answer["refunds"][0]["outcome"], "refund-unknown", "{answer}");
    shop.run(&[]).exits(0).says("refund").says("renewd run");
    shop.run(&["orders", "list"]).exits(0).says("settled, refund unknown");
    shop.run(&refund).exits(1);
    shop.set_clock("2026-12-02T19:05:00Z");
    let run = shop.run(&["run", "-o", "json"]).json();
    assert_eq!(run["refunds"][0]["outcome"], "refunded", "{run}");
    assert_eq!(expiry(&shop), EXPIRY);
    let kept: Vec<i64> = shop.till.ledger().paid().iter().map(|paid| paid.net()).collect();
    assert_eq!(kept, [0], "taken once, and given back once");
}

#[test]
fn a_refund_that_is_declined_leaves_the_renewal() {
    let mut shop = due(vec![CARD], 1, "refund#1=decline");
    let order = order_of(&run(&mut shop, 0), "vm-001");
    shop.run(&["orders", "refund", &order, "--reason", "returned", "--yes"]).exits(1).says("declined");
    assert_eq!(expiry(&shop), RENEWED);
    shop.run(&["orders", "refund", &order, "--reason", "returned", "--yes"]).exits(0);
    assert_eq!(expiry(&shop), EXPIRY);
}

/// A run that lacks a secret left its orders unpaid, and the board knew no reason.
#[test]
fn a_secret_that_is_not_there_is_named_on_the_board() {
    let shop = due(vec![CARD], 2, "");
    let without = |args: &[&str]| answer(shop.command(args).env_remove(VARIABLE));
    let run = without(&["run", "-o", "json"]).exits(1).json();
    assert_eq!(verdict(&run, "vm-001"), ("refused".to_owned(), "no-payment-method".to_owned()), "{run}");
    let board = without(&["-o", "json"]).exits(0).json();
    assert_eq!(board["counts"], serde_json::json!({ "unpaid": 2 }), "{board}");
    let message = board["notices"][0]["message"].as_str().unwrap();
    assert!(message.contains("from here it cannot be paid: secret `stripe-key`"), "{message}");
    assert_eq!(paid(&shop), 0);
}

#[test]
fn sixteen_at_once_are_paid_once_each() {
    let mut shop = due(vec![CARD], 20, "charge#*=slow:300,charge#%7=error-after");
    let first = shop.run(&["run", "-o", "json"]);
    assert!(matches!(first.code, Some(0 | 4)), "{first:?}");
    shop.set_clock("2026-12-02T19:05:00Z");
    shop.run(&["run"]);
    assert_eq!(paid(&shop), 20);
    for machine in machines(20, "2026-12-10") {
        assert_eq!(shop.expiries()[&machine.id], RENEWED, "{}", machine.id);
    }
}
