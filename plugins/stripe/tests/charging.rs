//! What a charge sends, and what every kind of reply makes of it, in both modes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole program is tests: a panic is how one fails"
)]

mod support;

use renewd_plugin_sdk::payment::http::HttpError;
use renewd_plugin_sdk::payment::{ChargeRequest, Outcome, PaymentError};
use support::{CHARGES, INTENTS, KEY, Reply, Script, charge_request, intent, raw, refusal, reply};

/// One line for an outcome, as a table shows it.
fn told(answer: &Result<Outcome, PaymentError>) -> String {
    match answer {
        Ok(Outcome::Succeeded(success)) => {
            format!("succeeded {} {} {}", success.reference, success.amount, success.currency)
        }
        Ok(Outcome::Declined(decline)) => format!("declined {} {:?}", decline.code, decline.retry),
        Ok(Outcome::Pending(waiting)) => format!("pending {}", waiting.reference),
        Ok(Outcome::RequiresAction(action)) => format!("action {} {}", action.url, action.expires),
        Ok(Outcome::PriceMoved(other)) => format!("price {}", other.actual),
        Err(PaymentError::NotSent(detail)) => format!("not-sent {}", detail.code),
        Err(PaymentError::Unknown(detail)) => format!("unknown {}", detail.code),
    }
}

fn charged(config: &str, replies: impl IntoIterator<Item = Reply>) -> (String, Script) {
    let mut script = Script { replies: replies.into_iter().collect(), asked: vec![] };
    let answer = stripe::charge(&mut script, config, &charge_request());
    assert!(script.replies.is_empty(), "asked for less than scripted");
    (told(&answer), script)
}

#[test]
fn an_intent_carries_everything_that_finds_it_again() {
    let (told, script) =
        charged(INTENTS, [reply(200, &intent("pi_1", KEY, "succeeded", r#""amount_received":2000,"#))]);
    assert_eq!(told, "succeeded pi_1 20.00 USD");
    let request = &script.asked[0];
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "https://api.stripe.com/v1/payment_intents"));
    let header = |name: &str| request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(header("Authorization"), Some("Bearer {{secret:stripe-key}}"));
    assert_eq!(header("Idempotency-Key"), Some(KEY));
    assert_eq!(
        script.body(0),
        "amount=2000&currency=usd&customer=cus_1&metadata%5Brenewd_key%5D=4f3c2b1a&metadata%5Brenewd_order%5D=ord_1\
         &metadata%5Brenewd_account%5D=acme-asia&metadata%5Brenewd_attempt%5D=2&metadata%5Brenewd_lines_0%5D=line-1\
         &payment_method=pm_1&confirm=true&off_session=true&payment_method_types%5B0%5D=card"
    );
}

#[test]
fn a_charge_carries_the_same() {
    let config = r#"{"mode":"charges","apiBase":"http://127.0.0.1:9/","description":"order {order}"}"#;
    let (told, script) = charged(config, [reply(200, &support::charge("ch_1", KEY, "succeeded", ""))]);
    assert_eq!(told, "succeeded ch_1 20.00 USD");
    assert_eq!(script.asked[0].url, "http://127.0.0.1:9/v1/charges");
    assert_eq!(
        script.body(0),
        "amount=2000&currency=usd&customer=cus_1&description=order%20ord_1&metadata%5Brenewd_key%5D=4f3c2b1a\
         &metadata%5Brenewd_order%5D=ord_1&metadata%5Brenewd_account%5D=acme-asia&metadata%5Brenewd_attempt%5D=2\
         &metadata%5Brenewd_lines_0%5D=line-1&source=pm_1"
    );
}

#[test]
fn an_intents_status_is_the_outcome() {
    let failed = r#""last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"lost_card"},"#;
    let doubtful = r#""last_payment_error":{"type":"card_error","code":"lock_timeout"},"#;
    let cases = [
        ("succeeded", "", "succeeded pi_1 20.00 USD"),
        ("succeeded", r#""amount_received":500,"#, "succeeded pi_1 5.00 USD"),
        ("processing", "", "pending pi_1"),
        ("requires_capture", "", "pending pi_1"),
        ("requires_confirmation", "", "pending pi_1"),
        ("requires_payment_method", failed, "declined lost-card Retry::Never"),
        ("requires_payment_method", doubtful, "unknown in-doubt"),
        ("canceled", "", "declined canceled Retry::Later"),
        ("some_new_status", "", "unknown unknown-status"),
        ("", "", "unknown unknown-status"),
    ];
    for (status, more, wanted) in cases {
        assert_eq!(charged(INTENTS, [reply(200, &intent("pi_1", KEY, status, more))]).0, wanted, "{status} {more}");
    }
}

#[test]
fn a_charges_status_is_the_outcome() {
    let cases = [
        ("succeeded", r#""captured":true,"#, "succeeded ch_1 20.00 USD"),
        ("succeeded", r#""captured":false,"#, "pending ch_1"),
        ("pending", "", "pending ch_1"),
        (
            "failed",
            r#""failure_code":"card_declined","outcome":{"reason":"expired_card"},"#,
            "declined expired-card Retry::Never",
        ),
        ("failed", r#""failure_code":"processing_error","outcome":null,"#, "declined processing-error Retry::Later"),
        ("failed", "", "declined card-declined Retry::Later"),
        ("some_new_status", "", "unknown unknown-status"),
    ];
    for (status, more, wanted) in cases {
        assert_eq!(
            charged(CHARGES, [reply(200, &support::charge("ch_1", KEY, status, more))]).0,
            wanted,
            "{status} {more}"
        );
    }
}

#[test]
fn refusals_are_declines_only_where_they_are_certain() {
    let cases = [
        (402, "card_error", "card_declined", "insufficient_funds", "declined insufficient-funds Retry::Later"),
        (402, "card_error", "card_declined", "stolen_card", "declined stolen-card Retry::Never"),
        (402, "card_error", "expired_card", "", "declined expired-card Retry::Never"),
        (402, "card_error", "authentication_required", "", "declined authentication-required Retry::OtherMethod"),
        (402, "invalid_request_error", "card_declined", "", "declined card-declined Retry::Later"),
        (400, "invalid_request_error", "amount_too_small", "", "declined amount-too-small Retry::OtherMethod"),
        (400, "invalid_request_error", "", "", "declined request-refused Retry::Later"),
        (404, "invalid_request_error", "resource_missing", "", "declined resource-missing Retry::OtherMethod"),
        (401, "invalid_request_error", "", "", "declined gateway-auth Retry::Later"),
        (403, "invalid_request_error", "", "", "declined gateway-forbidden Retry::Later"),
        (400, "idempotency_error", "", "", "unknown gateway-conflict"),
        (402, "api_error", "card_declined", "", "unknown gateway-conflict"),
        (409, "idempotency_error", "idempotency_key_in_use", "", "unknown gateway-conflict"),
        (409, "card_error", "card_declined", "", "unknown gateway-conflict"),
        (429, "rate_limit_error", "rate_limit", "", "unknown gateway-busy"),
        (429, "card_error", "card_declined", "", "unknown gateway-busy"),
        (500, "api_error", "", "", "unknown gateway-error"),
        (503, "card_error", "card_declined", "", "unknown gateway-error"),
        (302, "card_error", "card_declined", "", "unknown gateway-error"),
        (408, "card_error", "card_declined", "", "unknown gateway-error"),
    ];
    for config in [INTENTS, CHARGES] {
        for (status, kind, code, decline_code, wanted) in cases {
            assert_eq!(
                charged(config, [refusal(status, kind, code, decline_code)]).0,
                wanted,
                "{status} {kind} {code}"
            );
        }
        let doubt = refusal(400, "invalid_request_error", "idempotency_key_in_use", "");
        assert!(charged(config, [doubt]).0.starts_with("unknown in-doubt"));
    }
}

#[test]
fn a_reply_that_cannot_be_read_is_unknown() {
    let other = intent("pi_1", "another-key", "succeeded", "");
    let keyless = other.replace("renewd_key", "some_key");
    let bodies = [
        "",
        "{}",
        "null",
        "[]",
        "OK",
        "<html>502</html>",
        "{\"id\":\"pi_1\"}",
        "\u{feff}{}",
        r#"{"error":{}}"#,
        r#"{"error":"no"}"#,
        &intent("pi_1", KEY, "succeeded", r#""amount":1,"#),
        &intent("pi_1", KEY, "succeeded", "").replace("2000", "20.5"),
        &support::charge("ch_1", KEY, "failed", "").replace("charge", "refund"),
        &other,
        &keyless,
    ];
    for body in bodies {
        for status in [200, 201, 400, 401, 402, 403, 404] {
            for config in [INTENTS, CHARGES] {
                let (told, _) = charged(config, [reply(status, body)]);
                assert!(told.starts_with("unknown "), "{status} {body}: {told}");
            }
        }
    }
    assert!(charged(INTENTS, [raw(200, b"\xff\xfe{}")]).0.starts_with("unknown "));
}

#[test]
fn what_the_host_could_not_send_is_told_apart() {
    let cases = [
        (HttpError::Denied("x".into()), "not-sent http-denied"),
        (HttpError::InvalidRequest("x".into()), "not-sent http-invalid"),
        (HttpError::NotSent("x".into()), "not-sent gateway-unreachable"),
        (HttpError::MaybeSent("x".into()), "unknown no-answer"),
    ];
    for (error, wanted) in cases {
        for config in [INTENTS, CHARGES] {
            assert_eq!(charged(config, [Err(error.clone())]).0, wanted);
        }
    }
}

fn refused_intent(code: &str, status: &str, key: &str) -> Reply {
    let intent = intent("pi_1", key, status, "");
    reply(402, &format!(r#"{{"error":{{"type":"card_error","code":"{code}","payment_intent":{intent}}}}}"#))
}

#[test]
fn the_intents_own_status_outweighs_the_refusal() {
    let cases = [
        ("card_declined", "requires_payment_method", KEY, "declined card-declined Retry::Later"),
        ("card_declined", "canceled", KEY, "declined card-declined Retry::Later"),
        ("card_declined", "processing", KEY, "pending pi_1"),
        ("card_declined", "succeeded", KEY, "succeeded pi_1 20.00 USD"),
        ("card_declined", "some_new_status", KEY, "unknown unknown-status"),
        ("card_declined", "requires_payment_method", "other", "unknown foreign-reply"),
        (
            "authentication_required",
            "requires_payment_method",
            KEY,
            "declined authentication-required Retry::OtherMethod",
        ),
    ];
    for (code, status, key, wanted) in cases {
        assert_eq!(charged(INTENTS, [refused_intent(code, status, key)]).0, wanted, "{code} {status}");
    }
}

/// It was called declined, and could still have been confirmed and paid.
#[test]
fn an_intent_that_was_never_refused_is_canceled_before_it_is_declined() {
    let at = |status: &str| reply(200, &intent("pi_1", KEY, status, ""));
    let (told, script) = charged(INTENTS, [at("requires_payment_method"), at("canceled")]);
    assert_eq!(told, "declined no-payment-method Retry::Later");
    assert_eq!(script.paths()[1], "POST /v1/payment_intents/pi_1/cancel");
    assert_eq!(support::header(&script.asked[1], "Idempotency-Key"), None);
    let moved_on = || refusal(400, "invalid_request_error", "payment_intent_unexpected_state", "");
    let open = || at("requires_payment_method");
    assert_eq!(charged(INTENTS, [open(), moved_on(), at("succeeded")]).0, "succeeded pi_1 20.00 USD");
    assert_eq!(charged(INTENTS, [open(), moved_on(), open()]).0, "unknown in-doubt");
    assert_eq!(charged(INTENTS, [open(), reply(500, "")]).0, "unknown gateway-error");
}

const WITH_PAGE: &str = r#"{"returnUrl":"https://shop.example/back","actionHours":2}"#;
const REDIRECT: &str =
    r#""next_action":{"type":"redirect_to_url","redirect_to_url":{"url":"https://bank.example/3ds"}},"#;
const SDK_ONLY: &str =
    r#""next_action":{"type":"use_stripe_sdk","use_stripe_sdk":{"type":"three_d_secure_redirect"}},"#;

#[test]
fn a_cardholder_is_asked_where_a_page_is_known() {
    let refused = || refused_intent("authentication_required", "requires_payment_method", KEY);
    let waiting = reply(200, &intent("pi_1", KEY, "requires_action", REDIRECT));
    let (told, script) = charged(WITH_PAGE, [refused(), waiting]);
    assert_eq!(told, "action https://bank.example/3ds 2026-11-23T04:00:00Z");
    assert_eq!(script.paths(), ["POST /v1/payment_intents", "POST /v1/payment_intents/pi_1/confirm"]);
    assert_eq!(script.body(1), "payment_method=pm_1&return_url=https%3A%2F%2Fshop.example%2Fback");
    assert!(script.asked[1].headers.contains(&("Idempotency-Key".into(), format!("{KEY}-confirm"))));

    let after = [
        (reply(200, &intent("pi_1", KEY, "succeeded", "")), "succeeded pi_1 20.00 USD"),
        (refusal(402, "card_error", "card_declined", "do_not_honor"), "declined do-not-honor Retry::Later"),
        (
            refused_intent("authentication_required", "requires_payment_method", KEY),
            "declined authentication-required Retry::OtherMethod",
        ),
        (refused_intent("card_declined", "succeeded", KEY), "succeeded pi_1 20.00 USD"),
        (refusal(400, "invalid_request_error", "payment_intent_unexpected_state", ""), "unknown in-doubt"),
        (reply(500, ""), "unknown gateway-error"),
        (Err(HttpError::NotSent("x".into())), "unknown gateway-unreachable"),
        (Err(HttpError::Denied("x".into())), "unknown http-denied"),
    ];
    for (second, wanted) in after {
        assert_eq!(charged(WITH_PAGE, [refused(), second]).0, wanted);
    }
}

#[test]
fn a_merchants_own_page_confirms_what_the_gateway_shows_none_for() {
    let waiting = || reply(200, &intent("pi_1", KEY, "requires_action", SDK_ONLY));
    let config = r#"{"confirmPage":"https://shop.example/confirm?p={reference}"}"#;
    assert_eq!(charged(config, [waiting()]).0, "action https://shop.example/confirm?p=pi_1 2026-11-24T02:00:00Z");
    let canceled = reply(200, &intent("pi_1", KEY, "canceled", ""));
    let (told, script) = charged(INTENTS, [waiting(), canceled]);
    assert_eq!(told, "declined authentication-required Retry::OtherMethod");
    assert_eq!(script.paths()[1], "POST /v1/payment_intents/pi_1/cancel");
    let moved_on = || refusal(400, "invalid_request_error", "payment_intent_unexpected_state", "");
    let paid = || reply(200, &intent("pi_1", KEY, "succeeded", r#""amount_received":2000,"#));
    assert_eq!(charged(INTENTS, [waiting(), moved_on(), paid()]).0, "succeeded pi_1 20.00 USD");
    assert_eq!(charged(INTENTS, [waiting(), moved_on(), waiting()]).0, "unknown in-doubt");
    assert_eq!(charged(INTENTS, [waiting(), reply(500, "")]).0, "unknown gateway-error");
}

#[test]
fn a_merchants_own_page_is_enough_to_ask_the_cardholder() {
    let refused = || refused_intent("authentication_required", "requires_payment_method", KEY);
    let config = r#"{"confirmPage":"https://shop.example/confirm?p={reference}"}"#;
    let wanted = "action https://shop.example/confirm?p=pi_1 2026-11-24T02:00:00Z";
    let (told, script) = charged(config, [refused()]);
    assert_eq!((told.as_str(), script.asked.len()), (wanted, 1));
    // With both, the gateway's own page goes before; where it has none, the merchant's does.
    let both =
        r#"{"confirmPage":"https://shop.example/confirm?p={reference}","returnUrl":"https://shop.example/back"}"#;
    let redirected = reply(200, &intent("pi_1", KEY, "requires_action", REDIRECT));
    assert_eq!(charged(both, [refused(), redirected]).0, "action https://bank.example/3ds 2026-11-24T02:00:00Z");
    for second in [refused(), refusal(402, "card_error", "authentication_required", "")] {
        assert_eq!(charged(both, [refused(), second]).0, wanted);
    }
    let other = refusal(402, "card_error", "card_declined", "do_not_honor");
    assert_eq!(charged(both, [refused(), other]).0, "declined do-not-honor Retry::Later");
}

fn unsent(config: &str, change: impl Fn(&mut ChargeRequest)) -> String {
    let mut request = charge_request();
    change(&mut request);
    told(&stripe::charge(&mut Script::default(), config, &request))
}

#[test]
fn what_cannot_be_asked_for_is_never_sent() {
    assert_eq!(unsent("[]", |_| {}), "not-sent bad-config");
    assert_eq!(unsent(INTENTS, |request| request.method_reference = None), "not-sent bad-reference");
    assert_eq!(unsent(INTENTS, |request| request.method_reference = Some("cus_1".into())), "not-sent bad-reference");
    assert_eq!(unsent(INTENTS, |request| request.method_reference = Some("a b".into())), "not-sent bad-reference");
    assert_eq!(unsent(CHARGES, |request| request.lines[0].key = String::new()), "not-sent too-many-lines");
    assert_eq!(unsent(CHARGES, |request| request.idempotency_key = String::new()), "not-sent bad-key");
    assert_eq!(unsent(CHARGES, |request| request.idempotency_key = "k\r\nX: y".into()), "not-sent bad-key");
    for (amount, currency, digits) in
        [("0.00", "USD", 2), ("12.40", "MGA", 2), ("1.000", "IQD", 3), ("5.124", "KWD", 3)]
    {
        let told = unsent(INTENTS, |request| {
            (request.amount, request.currency, request.minor_digits) = (amount.into(), currency.into(), digits);
        });
        assert_eq!(told, "declined amount-not-chargeable Retry::OtherMethod", "{amount} {currency}");
    }
}
