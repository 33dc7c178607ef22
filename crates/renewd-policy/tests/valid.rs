//! A complete valid tree gives exactly these checked values.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use chrono::NaiveTime;
use renewd_core::calendar::{ConventionsName, ExtraDays, ExtraOf, LateStart, MonthEnd, Proration, RenewalDay, Until};
use renewd_core::documents::{
    AlignAsked, AlignPolicy, AutoSettings, Days, DocumentKind, FailurePolicy, LocalMoment, Mode, Overrides, Pattern,
    Percent, PluginRole, Windows,
};
use renewd_core::ids::{Digest, MethodName};
use renewd_core::money::Rounding;
use renewd_policy::{DocumentSet, Place, load_dir};
use std::path::PathBuf;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/valid")
}

fn valid() -> DocumentSet {
    let loaded = load_dir(&fixtures());
    assert_eq!(loaded.warnings, []);
    loaded.documents.unwrap()
}

#[test]
fn accounts_plugins_and_methods() {
    let set = valid();
    assert_eq!(set.documents.len(), 11);
    let account = set.account("acme-asia").unwrap();
    assert_eq!(account.time_zone, chrono_tz::Asia::Singapore);
    assert_eq!(account.currency.code(), "USD");
    assert_eq!(account.renewal_day, Some(RenewalDay::Day(15)));
    assert_eq!(account.payment_methods.len(), 2);
    assert!(account.payment_methods[0].method.is_balance());
    assert_eq!(account.payment_methods[1].reference.as_deref(), Some("pm_card_acme"));
    assert_eq!(account.limits.per_month, Some("20000 USD".parse().unwrap()));
    assert_eq!(account.limits.per_order, None);

    let plugin = set.plugin("price-list").unwrap();
    assert_eq!(plugin.role, PluginRole::Pricing);
    assert_eq!(plugin.file, "plugins/price-list.wasm");
    assert_eq!(plugin.digest, Digest::of(b"pricing bytes"));
    assert_eq!(set.plugin_bytes(plugin), Some(b"pricing bytes".as_slice()));
    assert_eq!(plugin.limits.memory_bytes, Some(64 << 20));
    assert_eq!(plugin.limits.fuel, Some(20_000_000));
    assert_eq!(plugin.limits.deadline_ms, Some(2000));
    let gateway = set.plugin("stripe").unwrap();
    let grants: Vec<String> = gateway.grants.iter().map(ToString::to_string).collect();
    assert_eq!(grants, ["POST https://api.stripe.com/v1/", "GET https://api.stripe.com/v1/"]);
    assert_eq!(gateway.secrets[&"stripe-key".parse().unwrap()].env, "STRIPE_KEY");

    let method = set.payment_method("corporate-card").unwrap();
    assert_eq!(method.plugin.as_str(), "stripe");
    assert_eq!(method.config, serde_json::json!({ "mode": "payment-intents" }));
}

#[test]
fn price_rows_from_file_and_inline() {
    let set = valid();
    let phones = set.price_list("phones-2026").unwrap();
    assert_eq!(phones.row_count, 3);
    let rows = set.price_rows(phones).unwrap();
    let shown: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {} {:?} {:?}", row.sku, row.term, row.price, row.from, row.until))
        .collect();
    assert_eq!(
        shown,
        [
            "phone, large P1Y 210 Some(2027-01-01) None",
            "phone-4c8g P1M 20.00 None None",
            "phone-4c8g P1Y 200.00 Some(2026-01-01) Some(2027-01-01)",
        ]
    );
    let domains = set.price_rows(set.price_list("domains").unwrap()).unwrap();
    let shown: Vec<String> = domains.iter().map(|row| format!("{} {}", row.term, row.price)).collect();
    assert_eq!(shown, ["P1Y 12.345", "P2Y 20", "P2Y 21.00"]);
}

#[test]
fn a_policy_that_says_everything() {
    let set = valid();
    let policy = set.policy("phones-production").unwrap();
    let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(*text)).collect::<Vec<_>>();
    assert_eq!(policy.matcher.kinds, patterns(&["cloud-phone"]));
    assert_eq!(policy.matcher.labels["env"], patterns(&["prod"]));
    assert_eq!(policy.matcher.labels["team"], patterns(&["mobile", "web-*"]));
    assert_eq!(policy.matcher.exclude.as_ref().unwrap().ids, patterns(&["phone-lab-*"]));
    assert_eq!((policy.priority, policy.mode, policy.overrides), (100, Mode::Auto, Overrides::Allow));
    assert_eq!(policy.terms.allowed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["P1M", "P3M", "P1Y"]);
    assert_eq!(policy.terms.default.to_string(), "P1M");
    assert_eq!(policy.terms.max_ahead.unwrap().to_string(), "P3Y");
    let auto = AutoSettings {
        charge_before: Days(5),
        charge_at: NaiveTime::from_hms_opt(4, 30, 0).unwrap(),
        times: Some(12),
        retry: Days(2),
        until: Until::Grace,
    };
    assert_eq!(policy.auto, auto);
    assert_eq!((policy.align, policy.renewal_day), (AlignPolicy::Always, Some(RenewalDay::Last)));
    assert_eq!(policy.conventions, Some(ConventionsName::HuaweiCloud));
    assert_eq!((policy.month_end, policy.late_start), (MonthEnd::Clamp, LateStart::FromRenewal));
    assert_eq!(policy.extra_days, ExtraDays { of: ExtraOf::Month, proration: Proration::Fixed30 });
    assert_eq!(policy.rounding, Rounding::HalfUp);
    assert_eq!(policy.windows, Windows { expiring: Days(10), grace: Days(20), retention: Days(0) });
    let config = serde_json::json!({ "discount": "5%", "tiers": [1, 2.5, null, true, "03:00"] });
    assert_eq!(policy.pricing.config, config);
    assert_eq!(policy.payment, Some(vec![MethodName::balance(), "corporate-card".parse().unwrap()]));
    assert_eq!(policy.limits.per_month, Some("15000.50 USD".parse().unwrap()));
    assert_eq!(policy.limits.price_increase, Some(Percent("12.5".parse().unwrap())));
    assert_eq!(policy.on_plugin_failure, FailurePolicy::Deny);
}

#[test]
fn a_policy_that_says_little_gets_the_defaults() {
    let set = valid();
    let policy = set.policy("everything").unwrap();
    assert!(policy.matcher.is_empty());
    assert_eq!((policy.priority, policy.overrides, policy.align), (0, Overrides::Allow, AlignPolicy::OnRequest));
    assert_eq!(policy.terms.allowed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["P1M"]);
    assert_eq!((policy.terms.default.months(), policy.terms.max_ahead), (1, None));
    let auto = AutoSettings {
        charge_before: Days(7),
        charge_at: NaiveTime::from_hms_opt(3, 0, 0).unwrap(),
        times: None,
        retry: Days(1),
        until: Until::Retention,
    };
    assert_eq!(policy.auto, auto);
    assert_eq!((policy.month_end, policy.late_start), (MonthEnd::Anchor, LateStart::FromExpiry));
    assert_eq!(policy.extra_days, ExtraDays { of: ExtraOf::Month, proration: Proration::Actual });
    assert_eq!(policy.rounding, Rounding::HalfEven);
    assert_eq!(policy.windows, Windows::default());
    assert_eq!(policy.pricing.config, serde_json::json!({}));
    assert_eq!((policy.payment.as_ref(), policy.limits.per_order), (None, None));
    assert_eq!(policy.on_plugin_failure, FailurePolicy::Hold);
}

#[test]
fn conventions_give_the_defaults() {
    let set = valid();
    let policy = set.policy("tencent").unwrap();
    assert_eq!(policy.mode, Mode::PayPerUse);
    assert_eq!((policy.auto.charge_before, policy.auto.charge_at), (Days(0), NaiveTime::MIN));
    assert_eq!((policy.auto.until, policy.auto.times), (Until::Grace, None));
    assert_eq!(policy.extra_days.of, ExtraOf::Term);
    assert_eq!(policy.terms.default.to_string(), "P1Y");
    let exclude = policy.matcher.exclude.as_ref().unwrap();
    assert_eq!(exclude.ids, policy.matcher.ids, "the alias repeats the anchored list");
    assert_eq!(exclude.ids.len(), 2);
}

#[test]
fn requests() {
    let set = valid();
    let december = set.request("december-phones").unwrap();
    let midnight = "2027-01-01T00:00:00".parse().unwrap();
    assert_eq!(december.expires_before, Some(LocalMoment::Local(midnight)));
    assert_eq!((december.align, december.term.unwrap().months()), (AlignAsked::Yes, 1));
    assert_eq!(december.pay_with.as_ref().unwrap().as_str(), "corporate-card");
    assert_eq!(december.max_total, Some("1500 USD".parse().unwrap()));
    let january = set.request("january-phones").unwrap();
    let instant = "2027-01-31T04:00:00Z".parse().unwrap();
    assert_eq!(january.expires_before, Some(LocalMoment::Instant(instant)));
    assert_eq!((january.align, january.term), (AlignAsked::Day(RenewalDay::Day(28)), None));
}

#[test]
fn json_pointers_become_places() {
    let set = valid();
    let placed = set.get(DocumentKind::RenewalPolicy, "phones-production").unwrap();
    assert!(placed.file.ends_with("tests/fixtures/valid/policies.yml"), "{}", placed.file);
    assert_eq!(placed.place, Place { line: 2, column: 1, len: 1 });
    assert_eq!(placed.place_of("/spec/pricing/config/discount"), Place { line: 20, column: 78, len: 2 });
    assert_eq!(placed.place_of("/spec/pricing/config/tiers/1"), Place { line: 20, column: 93, len: 3 });
    assert_eq!(placed.place_of("/spec/pricing/config/missing"), placed.place_of("/spec/pricing/config"));
    assert_eq!(placed.place_of("/spec/pricing/config"), Place { line: 20, column: 58, len: 6 });
    assert_eq!(placed.place_of(""), placed.place);
    assert_eq!(placed.place_of("nonsense"), placed.place);
}

#[test]
fn one_file_is_accepted_too() {
    let loaded = load_dir(&fixtures().join("accounts.yaml"));
    assert_eq!(loaded.documents.unwrap().documents.len(), 6);
}
