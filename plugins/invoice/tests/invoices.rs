//! What the plugin answers, natively: no WebAssembly needed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at once")]

use invoice::{charge, check_config};
use renewd_plugin_sdk::payment::{ChargeRequest, Outcome, PaymentError, Retry};

fn request(amount: &str) -> ChargeRequest {
    ChargeRequest {
        order: "ord_1".into(),
        attempt: 2,
        account: "acme".into(),
        method_reference: None,
        currency: "USD".into(),
        minor_digits: 2,
        amount: amount.into(),
        idempotency_key: "key".into(),
        requested_at: "2026-11-23T10:00:00Z".into(),
        requested_on: "2026-11-23".into(),
        lines: vec![],
        metadata: vec![],
    }
}

fn declined(config: &str, amount: &str) -> Option<(String, Retry)> {
    match charge(config, &request(amount)).unwrap() {
        Outcome::Declined(decline) => Some((decline.code, decline.retry)),
        _ => None,
    }
}

#[test]
fn an_order_within_the_limit_is_invoiced() {
    let Ok(Outcome::Succeeded(success)) = charge(r#"{"creditLimit":"5000 USD"}"#, &request("5000.00")) else {
        panic!("not succeeded")
    };
    assert_eq!(success.reference, "INV-ord_1-2");
    assert_eq!((success.amount.as_str(), success.currency.as_str()), ("5000.00", "USD"));
    assert_eq!(success.metadata, [("due".to_owned(), "2026-12-23".to_owned())]);
}

#[test]
fn an_order_over_the_limit_or_in_another_currency_is_declined() {
    assert_eq!(declined(r#"{"creditLimit":"5000 USD"}"#, "5000.01"), Some(("credit-limit".into(), Retry::OtherMethod)));
    assert_eq!(
        declined(r#"{"creditLimit":"5000 EUR"}"#, "1.00"),
        Some(("currency-mismatch".into(), Retry::OtherMethod))
    );
    assert_eq!(declined("{}", "999999.00"), None);
}

#[test]
fn a_bad_configuration_sends_nothing() {
    assert!(matches!(charge("[]", &request("1.00")), Err(PaymentError::NotSent(_))));
    let places: Vec<_> = check_config(r#"{"creditLimit":5000,"netDays":"x","net":1}"#)
        .into_iter()
        .map(|finding| finding.pointer)
        .collect();
    assert_eq!(places, ["/net", "/creditLimit", "/netDays"]);
}
