//! Whatever a payment plugin does, doubt becomes `unknown` and never a decline, and the next call works.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at once")]

mod common;

use common::{act, charge_ref, charge_request, component, host, hostile_payment, refund_ref, refund_request};
use renewd_plugin_host::{
    CancelOutcome, FindRefundResult, FindResult, Limits, Outcome, PaymentPlugin, RefundOutcome, Retry,
};

fn charge(plugin: &PaymentPlugin, action: &str) -> Outcome {
    let outcome = plugin.charge(&act(action), &charge_request("20.00")).value;
    let next = plugin.charge("{}", &charge_request("20.00")).value;
    assert!(matches!(next, Outcome::Succeeded { .. }), "after {action}: {next:?}");
    outcome
}

#[test]
fn exactly_the_amount_succeeds() {
    let called = hostile_payment().charge(&act("log"), &charge_request("20.00"));
    let Outcome::Succeeded { reference, amount, .. } = called.value else { panic!("{:?}", called.value) };
    assert_eq!((reference.as_str(), amount.to_string().as_str()), ("pay_1", "20.00 USD"));
    assert_eq!(called.log.lines[0].message, "asking the gateway");
}

#[test]
fn doubt_is_unknown_and_never_a_decline() {
    let plugin = hostile_payment();
    for action in [
        "trap",
        "loop",
        "garbage",
        "other-amount",
        "other-currency",
        "no-reference",
        "decline-badly",
        "bad-url",
        "bad-instant",
        "unknown",
    ] {
        let outcome = charge(&plugin, action);
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{action}: {outcome:?}");
    }
    let Outcome::Unknown { reason, reference } = charge(&plugin, "other-amount") else { panic!("known") };
    assert_eq!(reason, "the plugin says that 0.01 USD moved, and was asked for 20.00 USD");
    assert_eq!(reference.as_deref(), Some("pay_1"), "it may find the money");
}

#[test]
fn every_scripted_outcome_arrives() {
    let plugin = hostile_payment();
    let Outcome::Declined { code, retry, not_before, .. } = charge(&plugin, "decline") else { panic!("not declined") };
    assert_eq!((code.as_str(), retry), ("card-declined", Retry::Later));
    assert_eq!(not_before.unwrap().to_rfc3339(), "2026-11-24T00:00:00+00:00");
    assert_eq!(charge(&plugin, "pending"), Outcome::Pending { reference: "pay_1".into() });
    assert!(
        matches!(charge(&plugin, "requires-action"), Outcome::RequiresAction { url, .. } if url == "https://gateway.example/confirm/1")
    );
    assert!(
        matches!(charge(&plugin, "price-moved"), Outcome::PriceMoved { actual } if actual.to_string() == "99.00 USD")
    );
}

#[test]
fn what_was_never_sent_is_a_decline_for_later() {
    let plugin = hostile_payment();
    assert!(matches!(charge(&plugin, "not-sent"), Outcome::Declined { retry: Retry::Later, .. }));
    let Outcome::Declined { code, message, .. } = charge(&plugin, "http") else { panic!("not declined") };
    assert_eq!(
        (code.as_str(), message.as_str()),
        (
            "http-denied",
            "`POST https://gateway.example/v1/` is not granted: add it to `grants` of the `Plugin` document if it is meant"
        )
    );
}

#[test]
fn a_request_that_is_itself_wrong_never_reaches_the_plugin() {
    let called = hostile_payment().charge("{}", &charge_request("20.005"));
    assert!(matches!(called.value, Outcome::Declined { retry: Retry::Never, .. }));
    assert_eq!(called.fuel, 0);
}

#[test]
fn find_charge_tells_found_not_found_and_unknown_apart() {
    let plugin = hostile_payment();
    let find = |action: &str| plugin.find_charge(&act(action), &charge_ref("20.00")).value;
    let FindResult::Found(found) = find("succeed") else { panic!("not found") };
    assert_eq!(
        (found.amount.to_string().as_str(), found.line_keys.as_slice()),
        ("20.00 USD", ["line-key-1".to_owned()].as_slice())
    );
    assert!(matches!(found.outcome, Outcome::Succeeded { .. }));
    let FindResult::Found(other) = find("find-other-amount") else { panic!("not found") };
    assert_eq!(other.amount.to_string(), "0.01 USD");
    assert!(matches!(other.outcome, Outcome::Unknown { .. }));
    assert_eq!(find("find-nothing"), FindResult::NotFound);
    for action in ["find-error", "trap", "loop", "other-currency"] {
        let found = find(action);
        let unknown = matches!(&found, FindResult::Unknown { .. })
            || matches!(&found, FindResult::Found(charge) if matches!(charge.outcome, Outcome::Unknown { .. }));
        assert!(unknown, "{action}: {found:?}");
    }
}

#[test]
fn refund_and_cancel_doubt_alike() {
    let plugin = hostile_payment();
    let refund = |action: &str| plugin.refund(&act(action), &refund_request("20.00")).value;
    assert!(matches!(refund("succeed"), RefundOutcome::Refunded { .. }));
    assert!(matches!(refund("decline"), RefundOutcome::Declined { .. }));
    assert!(matches!(refund("pending"), RefundOutcome::Pending { .. }));
    assert!(matches!(refund("not-sent"), RefundOutcome::Declined { .. }));
    for action in ["trap", "loop", "unknown", "other-amount"] {
        assert!(matches!(refund(action), RefundOutcome::Unknown { .. }), "{action}");
    }
    let cancel = |action: &str| plugin.cancel(&act(action), &charge_ref("20.00")).value;
    assert_eq!(cancel("succeed"), CancelOutcome::Canceled);
    assert_eq!(cancel("find-nothing"), CancelOutcome::NotFound);
    assert!(matches!(cancel("charged"), CancelOutcome::Charged { .. }));
    assert_eq!(cancel("pending"), CancelOutcome::Pending { reference: "pay_1".into() });
    assert!(matches!(cancel("trap"), CancelOutcome::Unknown { .. }));
}

#[test]
fn find_refund_tells_found_not_found_and_unknown_apart() {
    let plugin = hostile_payment();
    let find = |action: &str| plugin.find_refund(&act(action), &refund_ref("5.00")).value;
    let found = |refund: RefundOutcome| FindRefundResult::Found { refund };
    let FindRefundResult::Found { refund: RefundOutcome::Refunded { amount, .. } } = find("succeed") else {
        panic!("not found")
    };
    assert_eq!(amount.to_string(), "5.00 USD");
    assert_eq!(find("pending"), found(RefundOutcome::Pending { reference: "pay_1".into() }));
    assert_eq!(find("find-nothing"), FindRefundResult::NotFound);
    assert!(matches!(find("other-amount"), FindRefundResult::Found { refund: RefundOutcome::Unknown { .. } }));
    for action in ["trap", "loop", "find-error"] {
        assert!(matches!(find(action), FindRefundResult::Unknown { .. }), "{action}");
    }
}

#[test]
fn a_restored_store_asks_since_when() {
    let called = hostile_payment().find_charge("{}", &charge_ref("20.00"));
    let said = &called.log.lines[0].message;
    assert_eq!(said, "asked at 2026-11-23T10:05:00+08:00, since Some(\"2026-11-01T00:00:00+08:00\")");
}

#[test]
fn the_manifest_is_read() {
    let manifest = hostile_payment().manifest().clone();
    assert_eq!(manifest.permissions[0].to_string(), "POST https://gateway.example/v1/");
    assert_eq!((manifest.idempotency_window_seconds, manifest.visibility_window_seconds), (86_400, 60));
}

#[test]
fn the_line_keys_of_a_found_charge_are_bounded() {
    let limits = Limits { line_keys: 2, ..Limits::default() };
    let plugin = host().load_payment(&component("fixtures/hostile-payment"), limits).unwrap();
    let found = |count: usize| {
        let mut asked = charge_ref("20.00");
        asked.line_keys = (0..count).map(|index| format!("line-key-{index}")).collect();
        plugin.find_charge("{}", &asked).value
    };
    assert!(matches!(found(2), FindResult::Found(_)));
    let FindResult::Unknown { reason } = found(3) else { panic!("{:?}", found(3)) };
    assert_eq!(reason, "`found/lineKeys` has 3 entries, and at most 2 are accepted");
}
