//! What the tests of this crate share: the built components, and requests to ask them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at once")]
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use renewd_plugin_host::payment_wire::{ChargeLine, ChargeRef, ChargeRequest, RefundRef, RefundRequest};
use renewd_plugin_host::pricing_wire::{ExtraBasis, PriceRequest, PriceRow, Rounding};
use renewd_plugin_host::{Host, HostOptions, Limits, PaymentPlugin, PricingPlugin};
use std::io::Write;
use std::path::PathBuf;

/// The bytes of a committed component, or of a rebuilt one under `RENEWD_PLUGIN_DIST`.
pub fn component(name: &str) -> Vec<u8> {
    let committed = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dist");
    let dist = std::env::var_os("RENEWD_PLUGIN_DIST").map_or_else(committed, PathBuf::from);
    let path = dist.join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes of a committed component, whatever is rebuilt.
pub fn committed(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../plugins/dist/{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Adds an answer to the file that `.ci/rebuild-plugins` compares.
pub fn record_answer(name: &str, answer: &str) {
    let Some(path) = std::env::var_os("RENEWD_PLUGIN_ANSWERS") else { return };
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(format!("{name}: {answer}\n").as_bytes()).unwrap();
}

pub fn host() -> Host {
    Host::new(&HostOptions::default()).unwrap()
}

pub fn hostile_pricing(limits: Limits) -> PricingPlugin {
    host().load_pricing(&component("fixtures/hostile-pricing"), limits).unwrap()
}

pub fn hostile_payment() -> PaymentPlugin {
    host().load_payment(&component("fixtures/hostile-payment"), Limits::default()).unwrap()
}

pub fn act(action: &str) -> String {
    format!(r#"{{"do":"{action}"}}"#)
}

pub fn price_request(item: &str) -> PriceRequest {
    PriceRequest {
        item: item.into(),
        sku: "phone.s".into(),
        kind: "cloud-phone".into(),
        region: "ap-southeast-1".into(),
        labels: vec![("env".into(), "prod".into())],
        quantity: 1,
        currency: "USD".into(),
        minor_digits: 2,
        rounding: Rounding::HalfEven,
        quoted_at: "2026-11-23T10:00:00+08:00".into(),
        quoted_on: "2026-11-23".into(),
        old_expiry: "2026-11-30T23:59:59".into(),
        base: "2026-12-30T23:59:59".into(),
        new_expiry: "2026-12-30T23:59:59".into(),
        term: "P1M".into(),
        months: 1,
        extra_days: 0,
        extra_of: ExtraBasis::Month,
        extra_fraction: vec![],
        rows: vec![
            PriceRow { term: "P1M".into(), months: 1, unit_price: "20.00".into() },
            PriceRow { term: "P1Y".into(), months: 12, unit_price: "200.00".into() },
        ],
        metadata: vec![],
    }
}

pub fn charge_request(amount: &str) -> ChargeRequest {
    ChargeRequest {
        order: "ord_0123456789ab".into(),
        attempt: 1,
        account: "acme-asia".into(),
        method_reference: Some("pm_card_acme".into()),
        currency: "USD".into(),
        minor_digits: 2,
        amount: amount.into(),
        idempotency_key: "4f3c2b1a".into(),
        requested_at: "2026-11-23T10:00:00+08:00".into(),
        requested_on: "2026-11-23".into(),
        lines: vec![ChargeLine {
            item: "phone-1".into(),
            external_id: None,
            description: "phone.s for P1M".into(),
            old_expiry: "2026-11-30T23:59:59".into(),
            new_expiry: "2026-12-30T23:59:59".into(),
            term: "P1M".into(),
            amount: amount.into(),
            key: "line-key-1".into(),
        }],
        metadata: vec![],
    }
}

pub fn charge_ref(amount: &str) -> ChargeRef {
    ChargeRef {
        order: "ord_0123456789ab".into(),
        attempt: 1,
        account: "acme-asia".into(),
        method_reference: None,
        idempotency_key: "4f3c2b1a".into(),
        currency: "USD".into(),
        minor_digits: 2,
        amount: amount.into(),
        requested_at: "2026-11-23T10:00:00+08:00".into(),
        asked_at: "2026-11-23T10:05:00+08:00".into(),
        since: Some("2026-11-01T00:00:00+08:00".into()),
        reference: None,
        line_keys: vec!["line-key-1".into()],
        metadata: vec![],
    }
}

pub fn refund_request(amount: &str) -> RefundRequest {
    RefundRequest {
        order: "ord_0123456789ab".into(),
        account: "acme-asia".into(),
        reference: "INV-ord_0123456789ab-1".into(),
        currency: "USD".into(),
        minor_digits: 2,
        amount: amount.into(),
        idempotency_key: "4f3c2b1a-r".into(),
        requested_at: "2026-11-24T10:00:00+08:00".into(),
        reason: "ordered twice".into(),
        line_keys: vec!["line-key-1".into()],
        metadata: vec![],
    }
}

pub fn refund_ref(amount: &str) -> RefundRef {
    RefundRef {
        order: "ord_0123456789ab".into(),
        account: "acme-asia".into(),
        reference: "INV-ord_0123456789ab-1".into(),
        refund_reference: None,
        currency: "USD".into(),
        minor_digits: 2,
        amount: amount.into(),
        idempotency_key: "4f3c2b1a-r".into(),
        requested_at: "2026-11-24T10:00:00+08:00".into(),
        asked_at: "2026-11-24T10:05:00+08:00".into(),
        metadata: vec![],
    }
}
