//! The documents as serde_yaml reads them, before anything is checked.
//!
//! Only ever filled from a text whose spanned tree had no findings. Most values stay texts here and are read by
//! [`crate::values`], so that there is one reader per form.

use renewd_core::calendar::RenewalDay;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A document with the `spec` of its kind.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawDocument<S> {
    #[serde(rename = "apiVersion")]
    pub(crate) _api_version: Option<String>,
    #[serde(rename = "kind")]
    pub(crate) _kind: String,
    pub(crate) metadata: RawMetadata,
    pub(crate) spec: S,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawMetadata {
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawAccount {
    pub(crate) time_zone: String,
    pub(crate) currency: String,
    pub(crate) renewal_day: Option<RenewalDay>,
    #[serde(default)]
    pub(crate) payment_methods: Vec<RawAccountMethod>,
    #[serde(default)]
    pub(crate) limits: RawLimits,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawAccountMethod {
    pub(crate) method: String,
    pub(crate) reference: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawLimits {
    pub(crate) per_order: Option<String>,
    pub(crate) per_month: Option<String>,
    pub(crate) price_increase: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawPriceList {
    pub(crate) currency: String,
    #[serde(rename = "file")]
    pub(crate) _file: Option<String>,
    #[serde(rename = "rows")]
    pub(crate) _rows: Option<Vec<RawPriceRow>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawPriceRow {
    #[serde(rename = "sku")]
    pub(crate) _sku: String,
    #[serde(rename = "term")]
    pub(crate) _term: String,
    #[serde(rename = "price")]
    pub(crate) _price: String,
    #[serde(rename = "from")]
    pub(crate) _from: Option<String>,
    #[serde(rename = "until")]
    pub(crate) _until: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawPlugin {
    pub(crate) file: String,
    pub(crate) role: renewd_core::documents::PluginRole,
    #[serde(default)]
    pub(crate) limits: RawPluginLimits,
    #[serde(default)]
    pub(crate) grants: Vec<String>,
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, RawSecret>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawSecret {
    pub(crate) env: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawPluginLimits {
    pub(crate) memory: Option<String>,
    pub(crate) fuel: Option<u64>,
    pub(crate) deadline: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawPaymentMethod {
    pub(crate) plugin: String,
    #[serde(default = "empty_config")]
    pub(crate) config: serde_json::Value,
    pub(crate) max_in_flight: Option<u16>,
}

/// No configuration is an empty one, so that a plugin always gets an object.
fn empty_config() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawPolicy {
    #[serde(rename = "match")]
    pub(crate) matcher: RawMatch,
    #[serde(default)]
    pub(crate) priority: i32,
    pub(crate) mode: renewd_core::documents::Mode,
    #[serde(default)]
    pub(crate) overrides: renewd_core::documents::Overrides,
    #[serde(default)]
    pub(crate) terms: RawTerms,
    #[serde(default)]
    pub(crate) auto: RawAuto,
    #[serde(default)]
    pub(crate) align: renewd_core::documents::AlignPolicy,
    pub(crate) renewal_day: Option<RenewalDay>,
    pub(crate) conventions: Option<renewd_core::calendar::ConventionsName>,
    pub(crate) month_end: Option<renewd_core::calendar::MonthEnd>,
    pub(crate) late_start: Option<renewd_core::calendar::LateStart>,
    #[serde(default)]
    pub(crate) extra_days: RawExtraDays,
    #[serde(default)]
    pub(crate) rounding: renewd_core::money::Rounding,
    #[serde(default)]
    pub(crate) windows: RawWindows,
    pub(crate) pricing: RawPricing,
    pub(crate) payment: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) limits: RawLimits,
    #[serde(default)]
    pub(crate) on_plugin_failure: renewd_core::documents::FailurePolicy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct RawMatch {
    pub(crate) ids: Vec<String>,
    pub(crate) accounts: Vec<String>,
    pub(crate) kinds: Vec<String>,
    pub(crate) skus: Vec<String>,
    pub(crate) regions: Vec<String>,
    pub(crate) labels: BTreeMap<String, RawPatterns>,
    pub(crate) exclude: Option<Box<RawMatch>>,
}

/// One value or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum RawPatterns {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawTerms {
    pub(crate) allowed: Option<Vec<String>>,
    pub(crate) default: Option<String>,
    pub(crate) max_ahead: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawAuto {
    pub(crate) charge_before: Option<String>,
    pub(crate) charge_at: Option<String>,
    pub(crate) times: Option<RawTimes>,
    pub(crate) retry: Option<String>,
    pub(crate) until: Option<renewd_core::calendar::Until>,
}

/// A count or the word `unlimited`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum RawTimes {
    Count(u32),
    Word(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawExtraDays {
    pub(crate) of: Option<renewd_core::calendar::ExtraOf>,
    pub(crate) proration: Option<renewd_core::calendar::Proration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawWindows {
    pub(crate) expiring: Option<String>,
    pub(crate) grace: Option<String>,
    pub(crate) retention: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawPricing {
    pub(crate) plugin: String,
    pub(crate) price_list: Option<String>,
    #[serde(default = "empty_config")]
    pub(crate) config: serde_json::Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawRequest {
    #[serde(rename = "match")]
    pub(crate) matcher: RawMatch,
    pub(crate) expires_before: Option<String>,
    pub(crate) term: Option<String>,
    pub(crate) align: Option<RawAlign>,
    pub(crate) pay_with: Option<String>,
    pub(crate) max_total: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawEventSink {
    pub(crate) webhook: Option<String>,
    pub(crate) secret: Option<RawSecret>,
    #[serde(rename = "file")]
    pub(crate) _file: Option<String>,
    #[serde(default)]
    pub(crate) events: Vec<renewd_core::documents::EventKind>,
}

/// A switch or a day.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum RawAlign {
    Switch(bool),
    Day(RenewalDay),
}
