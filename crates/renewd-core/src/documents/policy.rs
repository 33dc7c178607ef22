//! Renewal policies: how the resources they match are renewed, priced and paid.

use super::{Matcher, Mode};
use crate::calendar::{ConventionsName, ExtraDays, LateStart, MonthEnd, RenewalDay, Term, Until};
use crate::ids::{MethodName, PluginName, PolicyName, PriceListName};
use crate::money::{Money, Rounding};
use chrono::NaiveTime;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A number of local calendar days, written `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Days(pub u32);

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}d", self.0))
    }
}

/// A percentage, written `5%`; the value 5 stands for five hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percent(pub Decimal);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}%", self.0.normalize()))
    }
}

/// A `RenewalPolicy` document, with all defaults and conventions resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewalPolicy {
    /// The document's name.
    pub name: PolicyName,
    /// Which resources it is for.
    #[serde(rename = "match")]
    pub matcher: Matcher,
    /// The highest priority wins whole.
    pub priority: i32,
    /// What happens at expiry unless a person chose otherwise.
    pub mode: Mode,
    /// Whether a person's choice on one resource wins.
    pub overrides: Overrides,
    /// The terms that can be bought.
    pub terms: Terms,
    /// When automatic renewals are charged.
    pub auto: AutoSettings,
    /// Whether renewals move the expiry to the renewal day.
    pub align: AlignPolicy,
    /// The day to align to, instead of the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal_day: Option<RenewalDay>,
    /// The named defaults that the policy was written against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conventions: Option<ConventionsName>,
    /// How a month is added at a month's end.
    pub month_end: MonthEnd,
    /// Where a late renewal starts.
    pub late_start: LateStart,
    /// How extra days are priced.
    pub extra_days: ExtraDays,
    /// The one rounding of a price.
    pub rounding: Rounding,
    /// Expiring, grace and retention periods of what is sold under the policy.
    pub windows: Windows,
    /// Who says what a renewal costs.
    pub pricing: Pricing,
    /// Methods that replace the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Vec<MethodName>>,
    /// Limits over the policy's own lines.
    pub limits: Limits,
    /// What an automatic renewal does when a plugin fails.
    pub on_plugin_failure: FailurePolicy,
}

/// Whether a person's choice of mode on one resource wins over the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overrides {
    /// It wins.
    #[default]
    Allow,
    /// It is ignored.
    Deny,
}

/// The terms that a policy sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// Terms that may be chosen, never empty.
    pub allowed: Vec<Term>,
    /// The term where none is chosen, one of `allowed`.
    pub default: Term,
    /// How far after now the base may lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ahead: Option<Term>,
}

/// When automatic renewals are charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoSettings {
    /// Days before the expiry.
    pub charge_before: Days,
    /// Local time of day.
    pub charge_at: NaiveTime,
    /// Settled automatic renewals after which the mode becomes manual; unlimited without a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Days between two tries.
    pub retry: Days,
    /// Tries end when this period ends.
    pub until: Until,
}

/// Whether renewals are aligned to the renewal day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlignPolicy {
    /// Only when a person or request asks.
    #[default]
    OnRequest,
    /// Always; asking for the contrary is refused.
    Always,
    /// Never; asking for it is refused.
    Never,
}

/// The periods around an expiry, captured with each paid term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Windows {
    /// Days before the expiry in which a resource counts as expiring.
    pub expiring: Days,
    /// Days after the expiry in which it runs on.
    pub grace: Days,
    /// Days after grace in which it is frozen but kept.
    pub retention: Days,
}

impl Default for Windows {
    /// 7, 15 and 15 days: what holds until a policy says otherwise.
    fn default() -> Self {
        Self { expiring: Days(7), grace: Days(15), retention: Days(15) }
    }
}

/// Who says what a renewal costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pricing {
    /// The pricing plugin.
    pub plugin: PluginName,
    /// The price list whose rows the plugin is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_list: Option<PriceListName>,
    /// The plugin's own configuration.
    #[serde(default)]
    pub config: serde_json::Value,
}

/// Limits over a policy's own lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Largest sum of the policy's lines in one order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_order: Option<Money>,
    /// Largest sum of settled, open and unknown lines in one local calendar month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_month: Option<Money>,
    /// Largest rise of the net price per month and unit at the same term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_increase: Option<Percent>,
}

/// What an automatic renewal does when a plugin fails; never a default price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailurePolicy {
    /// Try again at the next run.
    #[default]
    Hold,
    /// Count it as a failed attempt.
    Deny,
}
