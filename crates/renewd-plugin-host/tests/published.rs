//! Every published version of the interface is served: components that were built for 0.1.0 are committed, load, and
//! answer as they did.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at once")]

mod common;

use common::{act, charge_ref, charge_request, committed, component, host, price_request, refund_ref, refund_request};
use renewd_core::ids::Digest;
use renewd_plugin_host::{
    Access, Answered, CancelOutcome, Content, Exchange, FindRefundResult, FindResult, Limits, Network, Outcome,
    PaymentPlugin, Recording, RefundOutcome, SentRequest,
};

fn old_payment() -> PaymentPlugin {
    host().load_payment(&committed("fixtures/0.1.0/hostile-payment"), Limits::default()).unwrap()
}

#[test]
fn a_pricing_plugin_of_0_1_0_answers_as_the_one_of_today() {
    let old = host().load_pricing(&committed("fixtures/0.1.0/price-list"), Limits::default()).unwrap();
    let today = host().load_pricing(&component("price-list"), Limits::default()).unwrap();
    assert_eq!(old.world(), "renewd:plugin/pricing-plugin@0.1.0");
    assert_eq!(today.world(), "renewd:plugin/pricing-plugin@1.0.0");
    assert_eq!(old.manifest(), today.manifest());
    let requests = ["phone-1", "phone-2"].map(price_request);
    for config in ["{}", r#"{"discount":"5%","minimum":"30 USD"}"#] {
        let quotes = old.quote(config, &requests).value;
        assert!(quotes.iter().all(Result::is_ok), "{quotes:?}");
        assert_eq!(quotes, today.quote(config, &requests).value);
    }
    let findings = |config: &str| (old.check_config(config).value, today.check_config(config).value);
    let (before, now) = findings(r#"{"discount":5}"#);
    assert_eq!(before, now);
    assert!(!now.unwrap().is_empty());
}

#[test]
fn a_payment_plugin_of_0_1_0_takes_finds_and_gives_back() {
    let plugin = old_payment();
    assert_eq!(plugin.world(), "renewd:plugin/payment-plugin@0.1.0");
    let outcome = plugin.charge("{}", &charge_request("20.00")).value;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    let FindResult::Found(found) = plugin.find_charge("{}", &charge_ref("20.00")).value else { panic!("not found") };
    assert_eq!(found.line_keys, ["line-key-1"]);
    assert_eq!(plugin.find_charge(&act("find-nothing"), &charge_ref("20.00")).value, FindResult::NotFound);
    assert!(matches!(plugin.refund("{}", &refund_request("5.00")).value, RefundOutcome::Refunded { .. }));
    assert_eq!(plugin.cancel("{}", &charge_ref("20.00")).value, CancelOutcome::Canceled);
    assert!(matches!(plugin.cancel(&act("charged"), &charge_ref("20.00")).value, CancelOutcome::Charged { .. }));
    assert_eq!(plugin.cancel(&act("find-nothing"), &charge_ref("20.00")).value, CancelOutcome::NotFound);
}

#[test]
fn what_0_1_0_cannot_be_asked_is_unknown() {
    let FindRefundResult::Unknown { reason } = old_payment().find_refund("{}", &refund_ref("5.00")).value else {
        panic!("known")
    };
    assert_eq!(reason, "the plugin was built for version 0.1.0, which cannot look for refunds");
}

#[test]
fn a_payment_plugin_of_0_1_0_sends_and_doubts_like_any_other() {
    let request = SentRequest {
        method: "POST".into(),
        url: "https://gateway.example/v1/charges".into(),
        headers: vec![],
        body: Content::Text(String::new()),
    };
    let answer = Answered::Response { status: 200, headers: vec![], body: Content::Text("{}".into()) };
    let network = Network::playing(Recording { exchanges: vec![Exchange { request, answer, left: 1 }] });
    let grants = vec!["POST https://gateway.example/v1/".parse().unwrap()];
    let plugin = old_payment().with_access(Access { grants, network, ..Access::default() });
    let called = plugin.charge(&act("http"), &charge_request("20.00"));
    assert!(matches!(called.value, Outcome::Unknown { .. }), "{:?}", called.value);
    assert_eq!(called.requests_sent, 1);
    for action in ["trap", "loop", "garbage", "other-amount"] {
        let outcome = plugin.charge(&act(action), &charge_request("20.00")).value;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{action}: {outcome:?}");
    }
}

/// A plugin is built once and used for years, so a published text never changes again, not even a comment: what is
/// missing becomes a version of its own beside these.
#[test]
fn published_texts_never_change() {
    let published = [
        ("0.1.0/", "c89f0c4739126d42205de316b855bd3f95cd06695e05ce98862311ddefee6726"),
        ("", "c0703966e9eb739425ae497a1bf752df0f5e7755f1a57b1aca8edcfa27ddabea"),
    ];
    for (folder, digest) in published {
        let mut text = Vec::new();
        for file in ["payment.wit", "pricing.wit", "types.wit"] {
            let path = format!("{}/../../plugins/wit/{folder}{file}", env!("CARGO_MANIFEST_DIR"));
            text.extend(std::fs::read(path).unwrap());
        }
        assert_eq!(Digest::of(&text).to_string(), digest, "plugins/wit/{folder}");
    }
}
