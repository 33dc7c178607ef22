//! What a new or restored store is told: whatever a long span holds, a line that is paid is never charged again, and one
//! that was given back is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole program is tests: a panic is how one fails"
)]

mod support;

use renewd_plugin_sdk::payment::{ChargeRef, ChargeStatus, Outcome, PaymentError};
use support::{CHARGES, INTENTS, KEY, Reply, Script, charge_ref, charge_request, intent, list, refusal, reply};

fn restored() -> ChargeRef {
    ChargeRef { since: Some("2026-11-01T00:00:00Z".into()), ..charge_ref(&charge_request()) }
}

fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Succeeded(success) => format!("succeeded {}", success.amount),
        Outcome::Declined(decline) => format!("declined {} {:?}", decline.code, decline.retry),
        Outcome::Pending(_) => "pending".to_owned(),
        Outcome::RequiresAction(action) => format!("action {}", action.url),
        Outcome::PriceMoved(_) => "price-moved".to_owned(),
    }
}

/// One line for an answer: `pi_1 20.00 [line-1] succeeded 20.00`.
fn asked(config: &str, charge: &ChargeRef, replies: impl IntoIterator<Item = Reply>) -> (String, Script) {
    let mut script = Script { replies: replies.into_iter().collect(), asked: vec![] };
    let told = match stripe::find_charge(&mut script, config, charge) {
        Ok(ChargeStatus::Found(found)) => {
            format!("{} {} [{}] {}", found.reference, found.amount, found.line_keys.join(" "), outcome(found.outcome))
        }
        Ok(ChargeStatus::NotFound) => "not found".to_owned(),
        Err(PaymentError::NotSent(detail)) => format!("not-sent {}", detail.code),
        Err(PaymentError::Unknown(detail)) => format!("unknown {}: {}", detail.code, detail.message),
    };
    assert!(script.replies.is_empty(), "asked for less than scripted: {:?}", script.paths());
    (told, script)
}

fn told(config: &str, replies: impl IntoIterator<Item = Reply>) -> String {
    asked(config, &restored(), replies).0
}

fn page(entries: &[&str]) -> Reply {
    list(false, &entries.iter().map(|&entry| entry.to_owned()).collect::<Vec<_>>())
}

const REFUSED: &str = r#""last_payment_error":{"type":"card_error","code":"card_declined"},"#;

/// The own payment, or one of the same line under another key.
fn own(status: &str, more: &str) -> String {
    intent("pi_1", KEY, status, more)
}

fn alike(status: &str, more: &str) -> String {
    intent("pi_7", "lost", status, more)
}

fn back(amount: u32) -> String {
    format!(r#""latest_charge":{{"amount_refunded":{amount},"refunded":{}}},"#, amount == 2000)
}

#[test]
fn the_whole_span_is_looked_through_at_every_customer() {
    let (told, script) = asked(INTENTS, &restored(), [page(&[&alike("succeeded", "")])]);
    assert_eq!(told, "pi_7 20.00 [line-1] succeeded 20.00");
    let url = &script.asked[0].url;
    assert!(url.ends_with("?created%5Bgte%5D=1793491200&created%5Blte%5D=1795572000&limit=100"), "{url}");
    let refused = refusal(400, "invalid_request_error", "", "");
    let (told, script) = asked(INTENTS, &restored(), [refused, page(&[])]);
    assert_eq!(told, "not found");
    assert!(script.asked[1].url.ends_with("/v1/payment_intents?limit=100"), "a gateway that cannot filter");
    let bad = ChargeRef { since: Some("yesterday".into()), ..restored() };
    assert!(asked(INTENTS, &bad, [page(&[])]).1.asked[0].url.ends_with("/v1/payment_intents?limit=100"));
}

/// A restored store asked for attempt 1, which had been declined; attempt 2, which had been paid, was on the same page
/// and on the next, and the walk ended before it. The line was charged again.
#[test]
fn a_dead_own_payment_hides_no_paid_one() {
    let dead = own("requires_payment_method", REFUSED);
    for dead in [&dead, &own("canceled", "")] {
        let paid = "pi_7 20.00 [line-1] succeeded 20.00";
        assert_eq!(told(INTENTS, [page(&[dead, &alike("succeeded", "")])]), paid);
        assert_eq!(told(INTENTS, [page(&[&alike("succeeded", ""), dead])]), paid);
        assert_eq!(told(INTENTS, [list(true, std::slice::from_ref(dead)), page(&[&alike("succeeded", "")])]), paid);
        let waiting = page(&[dead, &alike("processing", "")]);
        assert_eq!(told(INTENTS, [waiting]), "pi_7 20.00 [line-1] pending");
        let failed = page(&[dead, &alike("canceled", ""), &alike("requires_payment_method", REFUSED)]);
        assert!(told(INTENTS, [failed]).starts_with("pi_1 20.00 [line-1] declined "));
    }
    let charge = |key: &str, id: &str, status: &str| support::charge(id, key, status, "");
    let both = page(&[&charge(KEY, "ch_1", "failed"), &charge("lost", "ch_7", "succeeded")]);
    assert_eq!(told(CHARGES, [both]), "ch_7 20.00 [line-1] succeeded 20.00");
}

#[test]
fn money_goes_before_what_is_open_and_that_before_what_is_dead() {
    let (paid, open, dead) = (own("succeeded", ""), own("processing", ""), own("canceled", ""));
    let cases: [(&[&str], &str); 8] = [
        (&[&alike("succeeded", ""), &paid], "pi_1 20.00 [line-1] succeeded 20.00"),
        (&[&open, &alike("succeeded", "")], "pi_7 20.00 [line-1] succeeded 20.00"),
        (&[&alike("processing", ""), &paid], "pi_1 20.00 [line-1] succeeded 20.00"),
        (&[&alike("requires_action", ""), &open], "pi_1 20.00 [line-1] pending"),
        (&[&alike("requires_action", ""), &dead], "pi_7 20.00 [line-1] pending"),
        (&[&alike("requires_payment_method", ""), &dead], "pi_7 20.00 [line-1] pending"),
        (&[&alike("canceled", ""), &dead], "pi_1 20.00 [line-1] declined canceled Retry::Later"),
        (&[&alike("canceled", "")], "not found"),
    ];
    for (entries, wanted) in cases {
        assert_eq!(told(INTENTS, [page(entries)]), wanted);
    }
    let strange = told(INTENTS, [page(&[&alike("some_new_status", ""), &dead])]);
    assert!(strange.starts_with("unknown unknown-status"), "{strange}");
    let with_page = r#"{"confirmPage":"https://shop.example/c?p={reference}"}"#;
    assert_eq!(
        told(with_page, [page(&[&alike("requires_action", "")])]),
        "pi_7 20.00 [line-1] action https://shop.example/c?p=pi_7"
    );
}

/// A restored store took a payment for paid that had been wholly given back, or charged under its key, whose old answer
/// the gateway repeats.
#[test]
fn what_was_wholly_given_back_is_not_paid() {
    assert_eq!(told(INTENTS, [page(&[&alike("succeeded", &back(2000))])]), "not found");
    let refunded = "pi_1 20.00 [line-1] declined refunded Retry::Later";
    assert_eq!(told(INTENTS, [page(&[&own("succeeded", &back(2000))])]), refunded);
    assert_eq!(told(INTENTS, [page(&[&own("canceled", ""), &own("succeeded", &back(2000))])]), refunded);
    let both = page(&[&own("succeeded", &back(2000)), &alike("succeeded", "")]);
    assert_eq!(told(INTENTS, [both]), "pi_7 20.00 [line-1] succeeded 20.00", "renewed again since");
    let open = page(&[&own("succeeded", &back(2000)), &alike("processing", "")]);
    assert_eq!(told(INTENTS, [open]), "pi_7 20.00 [line-1] pending");
    let charge = |key: &str| support::charge("ch_1", key, "succeeded", r#""amount_refunded":2000,"refunded":true,"#);
    assert_eq!(told(CHARGES, [page(&[&charge("lost")])]), "not found");
    assert_eq!(told(CHARGES, [page(&[&charge(KEY)])]), "ch_1 20.00 [line-1] declined refunded Retry::Later");
    let held = |more: &str| support::charge("ch_1", "lost", "succeeded", more);
    assert_eq!(told(CHARGES, [page(&[&held(r#""captured":false,"#)])]), "ch_1 20.00 [line-1] pending");
    assert_eq!(told(CHARGES, [page(&[&held(r#""captured":false,"refunded":true,"#)])]), "not found", "let go");
}

#[test]
fn only_the_charges_of_candidates_are_asked_for() {
    let named = |key: &str, id: &str, lines: &str| {
        intent(id, key, "succeeded", r#""latest_charge":"ch_7","#).replace("line-1", lines)
    };
    let charge = |more: &str| reply(200, &support::charge("ch_7", "", "succeeded", more));
    let others = list(false, &[named("x", "pi_8", "line-8"), named("lost", "pi_7", "line-1")]);
    let (told, script) = asked(INTENTS, &restored(), [others, charge(r#""refunded":true,"#)]);
    assert_eq!(told, "not found");
    assert_eq!(script.paths(), ["GET /v1/payment_intents", "GET /v1/charges/ch_7"]);
    let one = || list(false, &[named("lost", "pi_7", "line-1")]);
    assert_eq!(asked(INTENTS, &restored(), [one(), charge("")]).0, "pi_7 20.00 [line-1] succeeded 20.00");
    assert!(asked(INTENTS, &restored(), [one(), reply(500, "")]).0.starts_with("unknown gateway-error"));
    let none = ChargeRef { line_keys: vec![], ..restored() };
    assert_eq!(asked(INTENTS, &none, [one()]).0, "not found");
}

#[test]
fn a_part_that_went_back_for_a_line_frees_that_line() {
    let two_lines = |text: &str| text.replace("line-1", "line-1 line-2");
    let refunds = |status: &str, lines: &str| list(false, &[support::refund("re_1", 500, status, lines)]);
    let part = || page(&[&two_lines(&alike("succeeded", &back(500)))]);
    let (freed, script) = asked(INTENTS, &restored(), [part(), refunds(r#""succeeded""#, "line-1")]);
    assert_eq!(freed, "not found");
    assert!(script.asked[1].url.ends_with("/v1/refunds?payment_intent=pi_7&limit=100"));
    let rest = "pi_7 15.00 [line-1] succeeded 15.00";
    let cases = [
        (r#""pending""#, "line-1", "not found"),
        (r#""requires_action""#, "line-1 line-2", "not found"),
        (r#""failed""#, "line-1", "pi_7 15.00 [line-1 line-2] succeeded 15.00"),
        (r#""succeeded""#, "line-2", rest),
        (r#""succeeded""#, "", "pi_7 15.00 [line-1 line-2] succeeded 15.00"),
    ];
    for (status, lines, wanted) in cases {
        assert_eq!(told(INTENTS, [part(), refunds(status, lines)]), wanted, "{status} {lines}");
    }
    assert!(told(INTENTS, [part(), refunds("null", "line-1")]).starts_with("unknown unknown-status"));
    let own_part = || page(&[&own("succeeded", &back(500))]);
    assert_eq!(
        told(INTENTS, [own_part(), refunds(r#""succeeded""#, "line-1")]),
        "pi_1 20.00 [line-1] declined refunded Retry::Later"
    );
    assert_eq!(told(INTENTS, [own_part(), refunds(r#""succeeded""#, "")]), "pi_1 15.00 [line-1] succeeded 15.00");
    let charge = support::charge("ch_7", "lost", "succeeded", r#""amount_refunded":500,"#);
    let (freed, script) = asked(CHARGES, &restored(), [page(&[&charge]), refunds(r#""succeeded""#, "line-1")]);
    assert_eq!(freed, "not found");
    assert!(script.asked[1].url.ends_with("/v1/refunds?charge=ch_7&limit=100"));
}

fn endless(pages: usize, last: &str) -> Vec<Reply> {
    let foreign = |number: usize| intent(&format!("pi_f{number}"), "x", "succeeded", "").replace("line-1", "line-9");
    (0..pages)
        .map(|number| if number == 1 { list(true, &[last.to_owned()]) } else { list(true, &[foreign(number)]) })
        .collect()
}

#[test]
fn where_all_customers_have_more_payments_than_the_newest_those_of_the_own_are_looked_at() {
    let nothing = alike("canceled", "");
    let (told, script) = asked(INTENTS, &restored(), endless(2, &nothing).into_iter().chain([page(&[])]));
    assert_eq!(told, "not found");
    let last = &script.asked[2].url;
    assert!(last.ends_with("&created%5Blte%5D=1795572000&customer=cus_1&limit=100"), "{last}");
    let paid = || page(&[&alike("succeeded", "")]);
    let (told, _) = asked(INTENTS, &restored(), endless(2, &nothing).into_iter().chain([paid()]));
    assert_eq!(told, "pi_7 20.00 [line-1] succeeded 20.00");
    let (told, script) = asked(INTENTS, &restored(), endless(58, &nothing));
    assert!(told.starts_with("unknown too-many-payments: even of this customer"), "{told}");
    assert_eq!(script.asked.len(), 58);
    let bare = ChargeRef { method_reference: Some("pm_1".into()), ..restored() };
    let (told, _) = asked(INTENTS, &bare, endless(58, &nothing));
    assert!(told.contains("about 5,800") && told.contains("`cus_…/pm_…`"), "{told}");
    // What was seen to be paid is paid, however much was not seen.
    let (told, _) = asked(INTENTS, &bare, endless(58, &alike("succeeded", "")));
    assert_eq!(told, "pi_7 20.00 [line-1] succeeded 20.00");
    let (told, _) = asked(INTENTS, &bare, endless(58, &alike("processing", "")));
    assert!(told.starts_with("unknown too-many-payments"), "a paid one may be among those not seen: {told}");
}

#[test]
fn a_reference_is_looked_at_too_and_never_forgotten() {
    let named = ChargeRef { reference: Some("pi_1".into()), ..restored() };
    let dead = || reply(200, &own("canceled", ""));
    let (told, _) = asked(INTENTS, &named, [dead(), page(&[&alike("succeeded", "")])]);
    assert_eq!(told, "pi_7 20.00 [line-1] succeeded 20.00");
    assert!(asked(INTENTS, &named, [dead(), page(&[])]).0.starts_with("pi_1 20.00 [line-1] declined"));
    let missing = refusal(404, "invalid_request_error", "resource_missing", "");
    assert!(asked(INTENTS, &named, [missing, page(&[])]).0.starts_with("unknown reference-lost"));
}
