//! What the tests share: requests to ask the plugin, and a gateway that answers from a script.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests: a panic is how a test fails"
)]

use renewd_plugin_sdk::payment::http::{HttpError, Request, Response};
use renewd_plugin_sdk::payment::{ChargeLine, ChargeRef, ChargeRequest, RefundRef, RefundRequest};
use std::collections::VecDeque;
use stripe::Http;

pub const KEY: &str = "4f3c2b1a";
pub const INTENTS: &str = "{}";
pub const CHARGES: &str = r#"{"mode":"charges"}"#;

pub type Reply = Result<Response, HttpError>;

/// Answers in order and keeps what was asked.
#[derive(Default)]
pub struct Script {
    pub replies: VecDeque<Reply>,
    pub asked: Vec<Request>,
}

impl Script {
    pub fn of<const N: usize>(replies: [Reply; N]) -> Self {
        Self { replies: replies.into(), asked: Vec::new() }
    }

    /// `POST /v1/payment_intents` and the like, in order.
    pub fn paths(&self) -> Vec<String> {
        let short = |request: &Request| {
            let path = request.url.strip_prefix("https://api.stripe.com").unwrap_or(&request.url);
            format!("{} {}", request.method, path.split('?').next().unwrap())
        };
        self.asked.iter().map(short).collect()
    }

    pub fn body(&self, index: usize) -> String {
        String::from_utf8(self.asked[index].body.clone()).unwrap()
    }
}

impl Http for Script {
    fn send(&mut self, request: &Request) -> Reply {
        assert_eq!(version(request), Some("2024-06-20"), "{} {}", request.method, request.url);
        self.asked.push(request.clone());
        self.replies.pop_front().unwrap_or_else(|| panic!("nothing is scripted for {} {}", request.method, request.url))
    }
}

/// The version of the API that a request asks for.
pub fn version(request: &Request) -> Option<&str> {
    header(request, "Stripe-Version")
}

pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

pub fn reply(status: u16, body: &str) -> Reply {
    raw(status, body.as_bytes())
}

pub fn raw(status: u16, body: &[u8]) -> Reply {
    Ok(Response { status, headers: vec![("content-type".into(), "application/json".into())], body: body.to_vec() })
}

/// A payment intent with a status, and further fields in front of the rest. Nothing of it was given back, unless those
/// say so.
pub fn intent(id: &str, key: &str, status: &str, more: &str) -> String {
    let charge = if more.contains("latest_charge") { "" } else { NOTHING_BACK };
    format!(
        r#"{{{more}{charge}"id":"{id}","object":"payment_intent","amount":2000,"currency":"usd","status":"{status}","livemode":false,"metadata":{{"renewd_key":"{key}","renewd_order":"ord_1","renewd_lines_0":"line-1"}}}}"#
    )
}

const NOTHING_BACK: &str = r#""latest_charge":{"id":"ch_1","amount_refunded":0,"refunded":false},"#;

pub fn charge(id: &str, key: &str, status: &str, more: &str) -> String {
    let back = if more.contains("amount_refunded") { "" } else { r#""amount_refunded":0,"# };
    format!(
        r#"{{{more}{back}"id":"{id}","object":"charge","amount":2000,"currency":"usd","status":"{status}","paid":true,"metadata":{{"renewd_key":"{key}","renewd_order":"ord_1","renewd_lines_0":"line-1"}}}}"#
    )
}

/// A refund, with the keys of the lines that it undoes.
pub fn refund(id: &str, amount: u32, status: &str, lines: &str) -> String {
    format!(
        r#"{{"id":"{id}","object":"refund","amount":{amount},"currency":"usd","status":{status},"metadata":{{"renewd_lines_0":"{lines}"}}}}"#
    )
}

pub fn list(has_more: bool, entries: &[String]) -> Reply {
    reply(200, &format!(r#"{{"object":"list","has_more":{has_more},"data":[{}]}}"#, entries.join(",")))
}

pub fn refusal(status: u16, kind: &str, code: &str, decline_code: &str) -> Reply {
    let text =
        format!(r#"{{"error":{{"type":"{kind}","code":"{code}","decline_code":"{decline_code}","message":"No."}}}}"#);
    reply(status, &text.replace(r#""code":"","#, "").replace(r#""decline_code":"","#, ""))
}

pub fn charge_request() -> ChargeRequest {
    ChargeRequest {
        order: "ord_1".into(),
        attempt: 2,
        account: "acme-asia".into(),
        method_reference: Some("cus_1/pm_1".into()),
        currency: "USD".into(),
        minor_digits: 2,
        amount: "20.00".into(),
        idempotency_key: KEY.into(),
        requested_at: "2026-11-23T10:00:00+08:00".into(),
        requested_on: "2026-11-23".into(),
        lines: vec![ChargeLine {
            item: "phone-1".into(),
            external_id: None,
            description: "phone.s for P1M".into(),
            old_expiry: "2026-11-30T23:59:59".into(),
            new_expiry: "2026-12-30T23:59:59".into(),
            term: "P1M".into(),
            amount: "20.00".into(),
            key: "line-1".into(),
        }],
        metadata: vec![],
    }
}

/// What renewd remembers of a charge.
pub fn charge_ref(request: &ChargeRequest) -> ChargeRef {
    ChargeRef {
        order: request.order.clone(),
        attempt: request.attempt,
        account: request.account.clone(),
        method_reference: request.method_reference.clone(),
        idempotency_key: request.idempotency_key.clone(),
        currency: request.currency.clone(),
        minor_digits: request.minor_digits,
        amount: request.amount.clone(),
        requested_at: request.requested_at.clone(),
        asked_at: "2026-11-23T10:05:00+08:00".into(),
        since: None,
        reference: None,
        line_keys: request.lines.iter().map(|line| line.key.clone()).collect(),
        metadata: vec![],
    }
}

pub fn refund_request(reference: &str, amount: &str, key: &str) -> RefundRequest {
    RefundRequest {
        order: "ord_1".into(),
        account: "acme-asia".into(),
        reference: reference.into(),
        currency: "USD".into(),
        minor_digits: 2,
        amount: amount.into(),
        idempotency_key: key.into(),
        requested_at: "2026-11-24T10:00:00+08:00".into(),
        reason: "ordered twice".into(),
        line_keys: vec!["line-1".into()],
        metadata: vec![],
    }
}

/// What renewd remembers of a refund.
pub fn refund_ref(request: &RefundRequest) -> RefundRef {
    RefundRef {
        order: request.order.clone(),
        account: request.account.clone(),
        reference: request.reference.clone(),
        refund_reference: None,
        currency: request.currency.clone(),
        minor_digits: request.minor_digits,
        amount: request.amount.clone(),
        idempotency_key: request.idempotency_key.clone(),
        requested_at: request.requested_at.clone(),
        asked_at: "2026-11-24T10:05:00+08:00".into(),
        metadata: vec![],
    }
}
