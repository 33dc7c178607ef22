//! Whatever bytes come back: nothing panics, and nothing is declined or not found unless the reply says so.
//!
//! The judge is independent of the plugin: it reads the same bytes as loose JSON and asks for the few shapes that are
//! definite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole program is tests: a panic is how one fails"
)]

mod support;

use renewd_plugin_sdk::payment::http::Request;
use renewd_plugin_sdk::payment::{ChargeStatus, Outcome, RefundOutcome, RefundStatus};
use serde_json::Value;
use stripe::Http;
use support::{
    CHARGES, INTENTS, KEY, Reply, charge_ref, charge_request, intent, list, raw, refund_ref, refund_request, refusal,
};

/// A small generator, the same numbers every time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most.max(1) as u64).unwrap()
    }
}

fn body(reply: &Reply) -> (u16, Vec<u8>) {
    let response = reply.as_ref().unwrap();
    (response.status, response.body.clone())
}

fn samples() -> Vec<(u16, Vec<u8>)> {
    let failed = r#""last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"lost_card"},"#;
    let with_intent = format!(
        r#"{{"error":{{"type":"card_error","code":"card_declined","payment_intent":{}}}}}"#,
        intent("pi_1", KEY, "requires_payment_method", "")
    );
    let intents = ["succeeded", "processing", "canceled", "requires_payment_method", "requires_action"];
    let mut replies: Vec<Reply> =
        intents.map(|status| support::reply(200, &intent("pi_1", KEY, status, failed))).into();
    replies.extend(
        ["succeeded", "pending", "failed"].map(|status| support::reply(200, &support::charge("ch_1", KEY, status, ""))),
    );
    replies.extend([
        refusal(402, "card_error", "card_declined", "insufficient_funds"),
        refusal(400, "invalid_request_error", "amount_too_small", ""),
        refusal(400, "idempotency_error", "", ""),
        refusal(401, "invalid_request_error", "", ""),
        support::reply(402, &with_intent),
        list(false, &[intent("pi_1", KEY, "canceled", failed)]),
        list(false, &[support::charge("ch_1", KEY, "failed", "")]),
        list(false, &[]),
    ]);
    replies.iter().map(body).collect()
}

/// The shapes that say for certain that nothing was taken; a look may also find what waits for a cardholder in vain.
fn says_no(status: u16, body: &[u8], looking: bool) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
    let dead_if = |object: &Value, refused: bool| {
        let own = object["metadata"]["renewd_key"] == KEY;
        own && match object["status"].as_str() {
            Some("canceled" | "failed") => true,
            Some("requires_payment_method") => refused || object["last_payment_error"].is_object(),
            Some("requires_action") => looking,
            _ => false,
        }
    };
    let dead = |object: &Value| dead_if(object, false);
    let kind = value["error"]["type"].as_str().unwrap_or_default();
    let refused = matches!(kind, "card_error" | "invalid_request_error" | "authentication_error");
    match status {
        200..=299 => dead(&value) || value["data"].as_array().is_some_and(|entries| entries.iter().any(dead)),
        400..=404 => {
            let intent = &value["error"]["payment_intent"];
            refused && (intent.is_null() || dead_if(intent, true))
        }
        _ => false,
    }
}

fn is_empty_list(status: u16, body: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
    let foreign = |entry: &Value| entry["metadata"]["renewd_key"] != KEY;
    let ended = value["object"] == "list" && value["has_more"] == false;
    (200..300).contains(&status) && ended && value["data"].as_array().is_some_and(|entries| entries.iter().all(foreign))
}

/// The same reply to everything that is asked.
struct Same<'a>(u16, &'a [u8]);

impl Http for Same<'_> {
    fn send(&mut self, request: &Request) -> Reply {
        assert_eq!(support::version(request), Some("2024-06-20"));
        raw(self.0, self.1)
    }
}

fn same(status: u16, body: &[u8]) -> Same<'_> {
    Same(status, body)
}

fn judge(status: u16, body: &[u8]) {
    let shown = || format!("{status} {}", String::from_utf8_lossy(body));
    for config in [INTENTS, CHARGES] {
        let request = charge_request();
        if let Ok(Outcome::Declined(_)) = stripe::charge(&mut same(status, body), config, &request) {
            assert!(says_no(status, body, false), "declined on {}", shown());
        }
        match stripe::find_charge(&mut same(status, body), config, &charge_ref(&request)) {
            Ok(ChargeStatus::NotFound) => assert!(is_empty_list(status, body), "not found on {}", shown()),
            Ok(ChargeStatus::Found(found)) if matches!(found.outcome, Outcome::Declined(_)) => {
                assert!(says_no(status, body, true), "found declined on {}", shown());
            }
            Ok(ChargeStatus::Found(_)) | Err(_) => {}
        }
        _ = stripe::cancel(&mut same(status, body), config, &charge_ref(&request));
    }
    let looked_for = refund_ref(&refund_request("pi_1", "5.00", KEY));
    if let Ok(RefundStatus::NotFound) = stripe::find_refund(&mut same(status, body), INTENTS, &looked_for) {
        assert!(is_empty_list(status, body), "refund not found on {}", shown());
    }
    if let Ok(RefundOutcome::Declined(_)) =
        stripe::refund(&mut same(status, body), INTENTS, &refund_request("pi_1", "5.00", KEY))
    {
        assert!(says_no(status, body, false) || says_failed(body), "refund declined on {}", shown());
    }
}

fn says_failed(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains("failed") || text.contains("canceled")
}

#[test]
fn every_cut_of_every_reply_is_doubt() {
    for (status, body) in samples() {
        judge(status, &body);
        for end in 0..body.len() {
            let cut = &body[..end];
            let answer = stripe::charge(&mut same(status, cut), INTENTS, &charge_request());
            assert!(answer.is_err(), "{status} {}: {answer:?}", String::from_utf8_lossy(cut));
            judge(status, cut);
        }
    }
}

#[test]
fn damaged_replies_never_decline_by_accident() {
    let samples = samples();
    let mut dice = Dice(7);
    let statuses = [200, 201, 204, 301, 400, 401, 402, 403, 404, 409, 429, 500, 503];
    for _ in 0..20_000 {
        let (status, mut body) = samples[dice.below(samples.len())].clone();
        for _ in 0..=dice.below(3) {
            damage(&mut body, &samples, &mut dice);
        }
        let status = if dice.below(4) == 0 { statuses[dice.below(statuses.len())] } else { status };
        judge(status, &body);
    }
}

fn damage(body: &mut Vec<u8>, samples: &[(u16, Vec<u8>)], dice: &mut Dice) {
    let at = dice.below(body.len());
    match dice.below(5) {
        0 if !body.is_empty() => body[at] ^= 1 << dice.below(8),
        1 => body.truncate(at),
        2 => body.insert(at, u8::try_from(dice.below(256)).unwrap()),
        3 => {
            let (_, other) = &samples[dice.below(samples.len())];
            body.truncate(at);
            body.extend_from_slice(&other[dice.below(other.len())..]);
        }
        _ => {
            let end = (at + dice.below(20)).min(body.len());
            body.drain(at..end);
        }
    }
}

#[test]
fn depth_and_length_do_no_harm() {
    for text in [
        "[".repeat(100_000),
        format!("{{\"error\":{}", "{\"payment_intent\":".repeat(5_000)),
        "9".repeat(100_000),
        "\"".repeat(9_999),
    ] {
        for status in [200, 402] {
            judge(status, text.as_bytes());
        }
    }
}
