//! What a configuration may say, and where each fault is shown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole program is tests: a panic is how one fails"
)]

use renewd_plugin_sdk::types::Role;
use stripe::{check_config, describe};

fn places(config: &str) -> Vec<(String, String)> {
    check_config(config).into_iter().map(|finding| (finding.pointer, finding.code)).collect()
}

#[test]
fn sound_configurations_have_no_findings() {
    let sound = [
        "{}",
        r#"{"mode":"charges"}"#,
        r#"{"mode":"payment-intents","apiBase":"https://gateway.example:8443/","returnUrl":"https://shop.example/back","actionHours":48}"#,
        r#"{"apiBase":"http://127.0.0.1:8420","paymentMethodTypes":["card","sepa_debit"],"description":"renewal {order}"}"#,
        r#"{"apiBase":"http://[::1]:8420"}"#,
        r#"{"apiBase":"http://localhost:8420"}"#,
        r#"{"confirmPage":"https://shop.example/confirm?payment={reference}"}"#,
    ];
    for config in sound {
        assert_eq!(places(config), [], "{config}");
    }
}

#[test]
fn every_fault_has_its_place() {
    let cases = [
        (r#"{"mode":"charge"}"#, "/mode", "bad-value"),
        (r#"{"mode":1}"#, "/mode", "bad-value"),
        (r#"{"apibase":"https://x"}"#, "/apibase", "unknown-key"),
        (r#"{"apiBase":"http://gateway.example"}"#, "/apiBase", "bad-value"),
        (r#"{"apiBase":"http://127.0.0.1.example"}"#, "/apiBase", "bad-value"),
        (r#"{"apiBase":"ftp://x"}"#, "/apiBase", "bad-value"),
        (r#"{"apiBase":"https://"}"#, "/apiBase", "bad-value"),
        (r#"{"apiBase":"https://user@gateway.example"}"#, "/apiBase", "bad-value"),
        (r#"{"apiBase":"https://gateway.example/?x"}"#, "/apiBase", "bad-value"),
        (r#"{"apiBase":"https://gateway.example/stripe"}"#, "/apiBase", "bad-value"),
        (r#"{"apiBase":"https://gateway.example:0"}"#, "/apiBase", "bad-value"),
        (r#"{"apiBase":"https://gateway.example:99999"}"#, "/apiBase", "bad-value"),
        (r#"{"apiBase":"https://Gateway.example"}"#, "/apiBase", "bad-value"),
        (r#"{"returnUrl":"http://shop.example"}"#, "/returnUrl", "bad-value"),
        (r#"{"returnUrl":"https://shop.example/a b"}"#, "/returnUrl", "bad-value"),
        (r#"{"confirmPage":"https://shop.example/confirm"}"#, "/confirmPage", "bad-value"),
        (r#"{"actionHours":0}"#, "/actionHours", "bad-value"),
        (r#"{"actionHours":169}"#, "/actionHours", "bad-value"),
        (r#"{"paymentMethodTypes":[]}"#, "/paymentMethodTypes", "bad-value"),
        (r#"{"paymentMethodTypes":["card","Sepa"]}"#, "/paymentMethodTypes/1", "bad-value"),
        (r#"{"description":"a\nb"}"#, "/description", "bad-value"),
        (r#"{"mode":"charges","returnUrl":"https://shop.example"}"#, "/returnUrl", "no-effect"),
        ("[]", "", "bad-value"),
        ("{", "", "bad-json"),
        (r#"{"mode":"charges","mode":"charges"}"#, "", "bad-json"),
    ];
    for (config, pointer, code) in cases {
        assert_eq!(places(config), [(pointer.to_owned(), code.to_owned())], "{config}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let found = places(r#"{"mode":"x","apiBase":"y","returnUrl":"z","secret":"sk_live_1"}"#);
    let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/secret", "/mode", "/apiBase", "/returnUrl"]);
}

#[test]
fn the_manifest_asks_for_no_more_than_it_needs() {
    let manifest = describe();
    assert_eq!((manifest.name.as_str(), manifest.role), ("stripe", Role::Payment));
    let asked: Vec<_> = manifest
        .permissions
        .iter()
        .map(|it| format!("{} {}://{}:{}{}", it.method, it.scheme, it.host, it.port, it.path_prefix))
        .collect();
    let wanted = ["GET https", "POST https", "GET http", "POST http"].map(|it| format!("{it}://*:0/v1/"));
    assert_eq!(asked, wanted, "the host is the configuration's choice and the document's grant");
    assert_eq!((manifest.idempotency_window_seconds, manifest.visibility_window_seconds), (86_400, 600));
}
