//! What `find-charge`, `cancel` and `refund` look at, and what they make of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole program is tests: a panic is how one fails"
)]

mod support;

use renewd_plugin_sdk::payment::http::HttpError;
use renewd_plugin_sdk::payment::{
    CancelOutcome, ChargeRef, ChargeStatus, Outcome, PaymentError, RefundOutcome, RefundRef, RefundStatus,
};
use support::{CHARGES, INTENTS, KEY, Reply, Script, charge_request, intent, list, refund_request, refusal, reply};

fn looked_for() -> ChargeRef {
    support::charge_ref(&charge_request())
}

fn named(reference: &str) -> ChargeRef {
    ChargeRef { reference: Some(reference.into()), ..looked_for() }
}

fn error(error: &PaymentError) -> String {
    match error {
        PaymentError::NotSent(detail) => format!("not-sent {}", detail.code),
        PaymentError::Unknown(detail) => format!("unknown {}", detail.code),
    }
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded(_) => "succeeded",
        Outcome::Declined(_) => "declined",
        Outcome::Pending(_) => "pending",
        Outcome::RequiresAction(_) => "requires-action",
        Outcome::PriceMoved(_) => "price-moved",
    }
}

fn found(config: &str, charge: &ChargeRef, replies: impl IntoIterator<Item = Reply>) -> (String, Script) {
    let mut script = Script { replies: replies.into_iter().collect(), asked: vec![] };
    let told = match stripe::find_charge(&mut script, config, charge) {
        Ok(ChargeStatus::Found(found)) => {
            assert_eq!(found.line_keys, ["line-1"]);
            format!("{} {} {} {}", found.reference, found.amount, found.currency, outcome(&found.outcome))
        }
        Ok(ChargeStatus::NotFound) => "not found".to_owned(),
        Err(failed) => error(&failed),
    };
    assert!(script.replies.is_empty(), "asked for less than scripted: {:?}", script.paths());
    (told, script)
}

fn foreign(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","object":"payment_intent","amount":1,"currency":"eur","status":"strange","metadata":{{"their":[1]}}}}"#
    )
}

/// Pages that never end.
fn endless(pages: usize) -> Vec<Reply> {
    (0..pages).map(|number| list(true, &[foreign(&format!("pi_{number}"))])).collect()
}

#[test]
fn a_charge_is_found_around_its_time_and_nothing_else_is_asked() {
    let page = list(true, &[foreign("pi_0"), intent("pi_1", KEY, "succeeded", "")]);
    let (told, script) = found(INTENTS, &looked_for(), [page]);
    assert_eq!(told, "pi_1 20.00 USD succeeded");
    assert_eq!(
        script.asked[0].url,
        "https://api.stripe.com/v1/payment_intents?created%5Bgte%5D=1795398300&created%5Blte%5D=1795400100&customer=cus_1&limit=100"
    );
    assert!(script.asked[0].body.is_empty());
}

#[test]
fn not_found_is_said_only_after_the_last_page() {
    let (told, script) = found(
        INTENTS,
        &looked_for(),
        [list(true, &[foreign("pi_8")]), list(false, &[foreign("pi_9")]), list(false, &[])],
    );
    assert_eq!(told, "not found");
    assert!(script.asked[1].url.ends_with("&limit=100&starting_after=pi_8"));
    assert!(
        script.asked[2].url.contains("created%5Bgte%5D=1795312800&created%5Blte%5D=1795572000"),
        "a day before to two days after"
    );
    let broken = [
        (vec![reply(500, "")], "unknown gateway-error"),
        (vec![Err(HttpError::MaybeSent("x".into()))], "unknown no-answer"),
        (vec![Err(HttpError::NotSent("x".into()))], "not-sent gateway-unreachable"),
        (vec![refusal(401, "invalid_request_error", "", "")], "unknown gateway-auth"),
        (vec![refusal(404, "invalid_request_error", "", "")], "unknown gateway-refused"),
        (vec![reply(200, r#"{"object":"list","has_more":false,"data":["#)], "unknown unreadable-reply"),
        (vec![reply(200, r#"{"object":"list","data":[]}"#)], "unknown unreadable-reply"),
        (vec![reply(200, r#"{"object":"search_result","has_more":false,"data":[]}"#)], "unknown unreadable-reply"),
        (vec![list(true, &[])], "unknown endless-list"),
        (vec![list(true, &[foreign("pi_8")]), list(true, &[foreign("pi_8")])], "unknown endless-list"),
        (
            vec![list(true, &[foreign("pi_8")]), refusal(400, "invalid_request_error", "", "")],
            "unknown gateway-refused",
        ),
        (vec![list(false, &[]), reply(429, "")], "unknown gateway-busy"),
    ];
    for (replies, wanted) in broken {
        assert_eq!(found(INTENTS, &looked_for(), replies).0, wanted);
    }
    assert_eq!(found(INTENTS, &looked_for(), endless(58)).0, "unknown too-many-payments");
}

#[test]
fn a_gateway_that_cannot_filter_is_read_through() {
    let refused = || refusal(400, "invalid_request_error", "", "");
    let (told, script) =
        found(INTENTS, &looked_for(), [refused(), list(false, &[intent("pi_1", KEY, "processing", "")])]);
    assert_eq!(told, "pi_1 20.00 USD pending");
    assert!(script.asked[1].url.ends_with("/v1/payment_intents?limit=100"));
    assert_eq!(found(INTENTS, &looked_for(), [refused(), list(false, &[])]).0, "not found");
    assert_eq!(found(INTENTS, &looked_for(), [refused(), refused()]).0, "unknown gateway-refused");
}

#[test]
fn what_was_found_is_told_as_it_is() {
    let failed = r#""last_payment_error":{"type":"card_error","code":"expired_card"},"#;
    let cases = [
        ("requires_payment_method", failed, "pi_1 20.00 USD declined"),
        ("canceled", "", "pi_1 20.00 USD declined"),
        ("requires_payment_method", "", "pi_1 20.00 USD pending"),
        ("requires_action", "", "pi_1 20.00 USD declined"),
        ("requires_confirmation", "", "pi_1 20.00 USD pending"),
        ("some_new_status", "", "unknown unknown-status"),
    ];
    for (status, more, wanted) in cases {
        assert_eq!(
            found(INTENTS, &looked_for(), [list(false, &[intent("pi_1", KEY, status, more)])]).0,
            wanted,
            "{status}"
        );
    }
    let both = [intent("pi_1", KEY, "canceled", ""), intent("pi_2", KEY, "succeeded", "")];
    assert_eq!(found(INTENTS, &looked_for(), [list(false, &both)]).0, "pi_2 20.00 USD succeeded", "money before none");
    let charge = support::charge("ch_1", KEY, "failed", "");
    assert_eq!(found(CHARGES, &looked_for(), [list(false, &[charge])]).0, "ch_1 20.00 USD declined");
}

#[test]
fn a_reference_is_looked_at_first_and_never_forgotten() {
    let (told, script) = found(INTENTS, &named("pi_1"), [reply(200, &intent("pi_1", KEY, "succeeded", ""))]);
    assert_eq!(
        (told.as_str(), script.paths()),
        ("pi_1 20.00 USD succeeded", vec!["GET /v1/payment_intents/pi_1".to_owned()])
    );
    let missing = || refusal(404, "invalid_request_error", "resource_missing", "");
    assert_eq!(
        found(INTENTS, &named("pi_1"), [missing(), list(false, &[]), list(false, &[])]).0,
        "unknown reference-lost"
    );
    let other = reply(200, &intent("pi_1", "another", "succeeded", ""));
    assert_eq!(
        found(INTENTS, &named("pi_1"), [other, list(false, &[intent("pi_2", KEY, "canceled", "")])]).0,
        "pi_2 20.00 USD declined"
    );
    assert_eq!(
        found(INTENTS, &named("../x y"), [missing(), list(false, &[]), list(false, &[])]).1.asked[0].url,
        "https://api.stripe.com/v1/payment_intents/..%2Fx%20y"
    );
}

/// Attempt 1 was presumed declined, attempt 2 was paid. A later look at attempt 1 told attempt 2's payment, so renewd gave
/// the money back that had paid the order; and of two orders of one line both were settled by one payment.
#[test]
fn another_attempts_payment_is_never_told_as_ones_own() {
    for config in [INTENTS, CHARGES] {
        for status in ["succeeded", "processing", "pending", "canceled", "failed"] {
            let make = if config == INTENTS { intent } else { support::charge };
            let page = || list(false, &[make("p_2", "attempt-2", status, "")]);
            assert_eq!(found(config, &looked_for(), [page(), page()]).0, "not found", "{status}");
            let own = make("p_1", KEY, if config == INTENTS { "canceled" } else { "failed" }, "");
            let both = list(false, &[make("p_2", "attempt-2", status, ""), own]);
            assert_eq!(found(config, &looked_for(), [both]).0, "p_1 20.00 USD declined", "{status}");
        }
    }
    let other = reply(200, &intent("pi_1", "attempt-2", "succeeded", ""));
    let empty = || list(false, &[]);
    assert_eq!(found(INTENTS, &named("pi_1"), [other, empty(), empty()]).0, "unknown reference-lost");
}

#[test]
fn a_payment_that_was_given_back_by_others_is_for_a_person_to_judge() {
    let of = |latest: &str| list(false, &[intent("pi_1", KEY, "succeeded", &format!(r#""latest_charge":{latest},"#))]);
    let charge = |more: &str| reply(200, &support::charge("ch_1", "", "succeeded", more));
    let (told, script) = found(INTENTS, &looked_for(), [of(r#""ch_1""#), charge("")]);
    assert_eq!(told, "pi_1 20.00 USD succeeded");
    assert_eq!(script.paths()[1], "GET /v1/charges/ch_1");
    for more in [r#""amount_refunded":2000,"refunded":true,"#, r#""amount_refunded":1,"#, r#""refunded":true,"#] {
        assert_eq!(found(INTENTS, &looked_for(), [of(r#""ch_1""#), charge(more)]).0, "unknown given-back", "{more}");
        let charge = support::charge("ch_1", KEY, "succeeded", more);
        assert_eq!(found(CHARGES, &looked_for(), [list(false, &[charge])]).0, "unknown given-back", "{more}");
    }
    assert_eq!(found(INTENTS, &looked_for(), [of(r#"{"amount_refunded":500}"#)]).0, "unknown given-back");
    assert_eq!(found(INTENTS, &looked_for(), [of(r#"{"refunded":true}"#)]).0, "unknown given-back");
    let doubts = [
        (reply(500, ""), "unknown gateway-error"),
        (refusal(404, "invalid_request_error", "resource_missing", ""), "unknown gateway-refused"),
        (reply(200, &support::charge("ch_9", "", "succeeded", "")), "unknown foreign-reply"),
    ];
    for (second, wanted) in doubts {
        assert_eq!(found(INTENTS, &looked_for(), [of(r#""ch_1""#), second]).0, wanted);
    }
}

#[test]
fn where_no_charge_says_what_was_given_back_the_refunds_do() {
    let without = |latest: &str| list(false, &[intent("pi_1", KEY, "succeeded", latest)]);
    let refunds = |status: &str| list(false, &[support::refund("re_1", 500, status, "")]);
    for latest in [r#""latest_charge":null,"#, r#""latest_charge":{},"#] {
        let (told, script) = found(INTENTS, &looked_for(), [without(latest), list(false, &[])]);
        assert_eq!(told, "pi_1 20.00 USD succeeded");
        assert!(script.asked[1].url.ends_with("/v1/refunds?payment_intent=pi_1&limit=100"));
        let cases = [
            (r#""succeeded""#, "unknown given-back"),
            (r#""pending""#, "unknown given-back"),
            (r#""requires_action""#, "unknown given-back"),
            (r#""failed""#, "pi_1 20.00 USD succeeded"),
            (r#""canceled""#, "pi_1 20.00 USD succeeded"),
            (r#""new""#, "unknown unknown-status"),
            ("null", "unknown unknown-status"),
        ];
        for (status, wanted) in cases {
            assert_eq!(found(INTENTS, &looked_for(), [without(latest), refunds(status)]).0, wanted, "{status}");
        }
    }
}

/// With pages of 20, forty of them at most, a shop with more than 800 payments could charge nothing.
#[test]
fn both_windows_together_stay_within_what_the_host_lets_a_call_send() {
    let near = |count: usize| {
        let mut pages = endless(count - 1);
        pages.push(list(false, &[foreign("pi_last")]));
        pages
    };
    let pages = near(40).into_iter().chain(endless(18));
    let (told, script) = found(INTENTS, &looked_for(), pages);
    assert_eq!((told.as_str(), script.asked.len()), ("unknown too-many-payments", 58));
    let (told, script) = found(INTENTS, &looked_for(), near(29).into_iter().chain(near(29)));
    assert_eq!((told.as_str(), script.asked.len()), ("not found", 58));
    let own = reply(200, &intent("pi_1", "another", "succeeded", ""));
    let (told, script) = found(INTENTS, &named("pi_1"), [own].into_iter().chain(endless(57)));
    assert_eq!((told.as_str(), script.asked.len()), ("unknown too-many-payments", 58));
}

#[test]
fn pages_that_do_not_fit_into_an_answer_are_made_smaller() {
    let too_large = || Err(HttpError::MaybeSent("the answer has more than 1048576 bytes".into()));
    let replies = [
        list(true, &[foreign("pi_8")]),
        too_large(),
        list(true, &[foreign("pi_7")]),
        list(false, &[intent("pi_1", KEY, "succeeded", "")]),
    ];
    let (told, script) = found(INTENTS, &looked_for(), replies);
    assert_eq!(told, "pi_1 20.00 USD succeeded");
    for (index, end) in ["&limit=100", "&limit=100&starting_after=pi_8", "&limit=20&starting_after=pi_8"]
        .into_iter()
        .chain(["&limit=20&starting_after=pi_7"])
        .enumerate()
    {
        assert!(script.asked[index].url.ends_with(end), "{}", script.asked[index].url);
    }
    assert_eq!(found(INTENTS, &looked_for(), [too_large(), too_large()]).0, "unknown answer-too-large");
    for other in ["the answer has more than 64 headers", "the answer takes too long", "the answer has more than  bytes"]
    {
        assert_eq!(found(INTENTS, &looked_for(), [Err(HttpError::MaybeSent(other.into()))]).0, "unknown no-answer");
    }
}

/// With `confirmPage` alone the bank's demand was a decline, and nobody was asked.
#[test]
fn a_demand_for_the_cardholder_stands_as_long_as_a_page_can_meet_it() {
    let config = r#"{"confirmPage":"https://shop.example/confirm?p={reference}"}"#;
    let demand = |words: &str| {
        let more = format!(r#""last_payment_error":{{"type":"card_error",{words}}},"#);
        list(false, &[intent("pi_1", KEY, "requires_payment_method", &more)])
    };
    let wanted = [r#""code":"authentication_required""#, r#""code":"x","decline_code":"authentication_required""#];
    for words in wanted {
        assert_eq!(found(config, &looked_for(), [demand(words)]).0, "pi_1 20.00 USD requires-action");
        assert_eq!(found(INTENTS, &looked_for(), [demand(words)]).0, "pi_1 20.00 USD declined", "no page");
    }
    let failed = r#""code":"payment_intent_authentication_failure""#;
    assert_eq!(found(config, &looked_for(), [demand(failed)]).0, "pi_1 20.00 USD declined");
    let never_refused = list(false, &[intent("pi_1", KEY, "requires_payment_method", "")]);
    assert_eq!(found(config, &looked_for(), [never_refused]).0, "pi_1 20.00 USD pending");
    let waiting = list(false, &[intent("pi_1", KEY, "requires_action", "")]);
    assert_eq!(found(config, &looked_for(), [waiting]).0, "pi_1 20.00 USD requires-action");
}

fn canceled(config: &str, replies: impl IntoIterator<Item = Reply>) -> String {
    let mut script = Script { replies: replies.into_iter().collect(), asked: vec![] };
    match stripe::cancel(&mut script, config, &named("p_1")) {
        Ok(CancelOutcome::Canceled) => "canceled".to_owned(),
        Ok(CancelOutcome::Charged(success)) => format!("charged {} {}", success.reference, success.amount),
        Ok(CancelOutcome::Pending(waiting)) => format!("pending {}", waiting.reference),
        Ok(CancelOutcome::NotFound) => "not found".to_owned(),
        Err(failed) => error(&failed),
    }
}

#[test]
fn canceling_ends_with_certainty_or_says_that_there_is_none() {
    let at = |status: &str| reply(200, &intent("p_1", KEY, status, ""));
    let refused = || refusal(400, "invalid_request_error", "payment_intent_unexpected_state", "");
    let received = || reply(200, &intent("p_1", KEY, "succeeded", r#""amount_received":2000,"#));
    let before = || reply(200, &intent("p_1", KEY, "requires_action", r#""amount_received":0,"#));
    assert_eq!(canceled(INTENTS, [before(), at("canceled")]), "canceled");
    assert_eq!(canceled(INTENTS, [at("canceled")]), "canceled");
    assert_eq!(canceled(INTENTS, [at("succeeded")]), "charged p_1 20.00");
    assert_eq!(canceled(INTENTS, [before(), refused(), received()]), "charged p_1 20.00");
    assert_eq!(canceled(INTENTS, [at("processing"), refused(), at("processing")]), "pending p_1");
    assert_eq!(canceled(INTENTS, [before(), reply(503, "")]), "unknown gateway-error");
    assert_eq!(canceled(INTENTS, [reply(200, "{")]), "unknown unreadable-reply");
    let failed = r#""last_payment_error":{"type":"card_error","code":"card_declined"},"#;
    let payable = ["requires_payment_method", "requires_action", "requires_confirmation", "requires_capture"];
    for (status, more) in payable.into_iter().flat_map(|status| [(status, ""), (status, failed)]) {
        let open = || reply(200, &intent("p_1", KEY, status, more));
        assert_eq!(canceled(INTENTS, [open(), at("canceled")]), "canceled", "{status}");
        assert_eq!(canceled(INTENTS, [open(), refused(), received()]), "charged p_1 20.00", "{status}: paid meanwhile");
        assert_eq!(canceled(INTENTS, [open(), refused(), open()]), "pending p_1", "{status}");
    }
    let charge = |status: &str| reply(200, &support::charge("p_1", KEY, status, ""));
    assert_eq!(canceled(CHARGES, [charge("failed")]), "canceled");
    assert_eq!(canceled(CHARGES, [charge("succeeded")]), "charged p_1 20.00");
    assert_eq!(canceled(CHARGES, [charge("pending")]), "pending p_1");
    assert_eq!(canceled(CHARGES, [charge("dreaming")]), "unknown unknown-status");
    let mut script = Script::of([list(false, &[]), list(false, &[])]);
    assert_eq!(stripe::cancel(&mut script, INTENTS, &looked_for()), Ok(CancelOutcome::NotFound));
}

/// Under a key, the gateway repeats a failure of the first cancel for a day, and no later one has any effect.
#[test]
fn canceling_carries_no_key_under_which_a_failure_would_be_repeated() {
    let open = reply(200, &intent("p_1", KEY, "requires_action", ""));
    let mut script = Script::of([open, reply(200, &intent("p_1", KEY, "canceled", ""))]);
    assert_eq!(stripe::cancel(&mut script, INTENTS, &named("p_1")), Ok(CancelOutcome::Canceled));
    assert_eq!(script.paths()[1], "POST /v1/payment_intents/p_1/cancel");
    assert_eq!(support::header(&script.asked[1], "Idempotency-Key"), None);
    assert_eq!(script.body(1), "");
}

fn refund(status: &str, amount: u32, key: &str) -> String {
    format!(
        r#"{{"id":"re_1","object":"refund","amount":{amount},"currency":"usd","status":{status},"metadata":{{"renewd_key":"{key}"}}}}"#
    )
}

fn refunded(replies: impl IntoIterator<Item = Reply>) -> (String, Script) {
    let mut script = Script { replies: replies.into_iter().collect(), asked: vec![] };
    let told = match stripe::refund(&mut script, INTENTS, &refund_request("pi_1", "5.00", "r-1")) {
        Ok(RefundOutcome::Refunded(success)) => format!("refunded {} {}", success.reference, success.amount),
        Ok(RefundOutcome::Declined(decline)) => format!("declined {} {:?}", decline.code, decline.retry),
        Ok(RefundOutcome::Pending(waiting)) => format!("pending {}", waiting.reference),
        Err(failed) => error(&failed),
    };
    (told, script)
}

#[test]
fn money_goes_back_once_for_each_key() {
    let (told, script) = refunded([
        list(false, &[refund(r#""succeeded""#, 500, "r-0")]),
        reply(200, &refund(r#""succeeded""#, 500, "r-1")),
    ]);
    assert_eq!(told, "refunded re_1 5.00");
    assert_eq!(script.asked[0].url, "https://api.stripe.com/v1/refunds?payment_intent=pi_1&limit=100");
    assert_eq!(
        script.body(1),
        "payment_intent=pi_1&amount=500&metadata%5Brenewd_key%5D=r-1&metadata%5Brenewd_order%5D=ord_1\
         &metadata%5Brenewd_account%5D=acme-asia&metadata%5Brenewd_reason%5D=ordered%20twice&metadata%5Brenewd_lines_0%5D=line-1"
    );
    let (told, script) = refunded([list(false, &[refund(r#""succeeded""#, 500, "r-1")])]);
    assert_eq!((told.as_str(), script.asked.len()), ("refunded re_1 5.00", 1), "given back before: nothing is sent");
}

#[test]
fn a_refunds_status_is_its_outcome() {
    let cases = [
        (r#""pending""#, "pending re_1"),
        (r#""requires_action""#, "pending re_1"),
        (r#""failed""#, "declined refund-failed Retry::Later"),
        (r#""canceled""#, "declined refund-failed Retry::Later"),
        (r#""new""#, "unknown unknown-status"),
        ("null", "unknown unknown-status"),
    ];
    for (status, wanted) in cases {
        assert_eq!(refunded([list(false, &[]), reply(200, &refund(status, 500, "r-1"))]).0, wanted, "{status}");
    }
    let replies = [
        (
            refusal(400, "invalid_request_error", "charge_already_refunded", ""),
            "declined charge-already-refunded Retry::Never",
        ),
        (refusal(400, "invalid_request_error", "", ""), "declined request-refused Retry::Later"),
        (refusal(409, "invalid_request_error", "lock_timeout", ""), "unknown gateway-conflict"),
        (reply(200, &refund(r#""succeeded""#, 500, "other")), "unknown foreign-reply"),
        (Err(HttpError::MaybeSent("x".into())), "unknown no-answer"),
        (Err(HttpError::NotSent("x".into())), "unknown gateway-unreachable"),
    ];
    for (second, wanted) in replies {
        assert_eq!(refunded([list(false, &[]), second]).0, wanted);
    }
    assert_eq!(refunded([refusal(401, "invalid_request_error", "", "")]).0, "declined gateway-auth Retry::Later");
    assert_eq!(refunded([reply(200, "")]).0, "unknown unreadable-reply");
}

fn found_refund(refund: &RefundRef, replies: impl IntoIterator<Item = Reply>) -> (String, Script) {
    let mut script = Script { replies: replies.into_iter().collect(), asked: vec![] };
    let told = match stripe::find_refund(&mut script, INTENTS, refund) {
        Ok(RefundStatus::Found(RefundOutcome::Refunded(success))) => format!("refunded {}", success.amount),
        Ok(RefundStatus::Found(RefundOutcome::Declined(decline))) => format!("declined {}", decline.code),
        Ok(RefundStatus::Found(RefundOutcome::Pending(waiting))) => format!("pending {}", waiting.reference),
        Ok(RefundStatus::NotFound) => "not found".to_owned(),
        Err(failed) => error(&failed),
    };
    assert!(script.asked.iter().all(|request| request.method == "GET"), "looking moves no money");
    (told, script)
}

#[test]
fn a_refund_is_found_by_its_key_among_all_of_its_payment() {
    let looked_for = support::refund_ref(&refund_request("pi_1", "5.00", "r-1"));
    let other = || refund(r#""succeeded""#, 300, "r-0");
    let own = |status: &str| refund(status, 500, "r-1");
    let second_page = [list(true, &[other()]), list(false, &[own(r#""succeeded""#)])];
    let (told, script) = found_refund(&looked_for, second_page);
    assert_eq!((told.as_str(), script.asked.len()), ("refunded 5.00", 2));
    for (status, wanted) in [(r#""pending""#, "pending re_1"), (r#""failed""#, "declined refund-failed")] {
        assert_eq!(found_refund(&looked_for, [list(false, &[own(status)])]).0, wanted);
    }
    assert_eq!(found_refund(&looked_for, [list(false, &[other()])]).0, "not found");
    let named = RefundRef { refund_reference: Some("re_1".into()), ..looked_for.clone() };
    assert_eq!(found_refund(&named, [list(false, &[other()])]).0, "unknown reference-lost");
    assert_eq!(found_refund(&looked_for, [refusal(401, "invalid_request_error", "", "")]).0, "unknown gateway-auth");
    assert_eq!(found_refund(&looked_for, [reply(200, "{")]).0, "unknown unreadable-reply");
}
