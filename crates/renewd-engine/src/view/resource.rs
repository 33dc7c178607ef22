//! Resources in lists and tabs.

use super::Totals;
use renewd_core::documents::Mode;
use renewd_core::ids::{AccountName, ResourceId};
use renewd_core::money::Money;
use renewd_core::resource::Phase;
use serde::Serialize;
use std::collections::BTreeMap;

/// One resource in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceRow {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Its account.
    pub account: AccountName,
    /// Its kind.
    pub kind: String,
    /// Its sku.
    pub sku: String,
    /// Units.
    pub quantity: u32,
    /// Its region.
    pub region: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// RFC 3339.
    pub expiry: String,
    /// Day of the month that short months do not forget.
    pub anchor_day: u8,
    /// Whole local days until the expiry; negative after it.
    pub days_left: i64,
    /// Its phase.
    pub phase: Phase,
    /// Its mode, which is its tab.
    pub mode: Mode,
    /// Whether a person or inventory chose the mode.
    pub overridden: bool,
    /// The mode to export: only a choice that stands.
    pub chosen_mode: Option<Mode>,
    /// Its policy; absent without one or in a conflict.
    pub policy: Option<String>,
    /// RFC 3339: when automatic renewal charges it next, at the latest `run`.
    pub next_charge: Option<String>,
    /// Whether that charge is due now.
    pub charge_due: bool,
    /// The order that it is in.
    pub open_order: Option<String>,
    /// Why it cannot be renewed as things stand: frozen, no policy, conflict, not renewable, released.
    pub blocked: Option<String>,
    /// Last net price per unit and month.
    pub price: Option<String>,
    /// What the vendor knows it by.
    pub external_id: Option<String>,
    /// Whether the vendor renews it at all.
    pub renewable: bool,
}

/// One tab with its count.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TabCount {
    /// The tab.
    pub tab: Mode,
    /// How many resources are in it, of all that the selector selects.
    pub resources: usize,
    /// How many of them are expiring, in grace or in retention.
    pub soon: usize,
}

/// The answer of `list`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListView {
    /// The tabs.
    pub tabs: Vec<TabCount>,
    /// The resources.
    pub resources: Vec<ResourceRow>,
    /// How many there are by phase.
    pub phases: BTreeMap<String, usize>,
    /// Σ of last net price × quantity per month, by currency, where known.
    pub monthly: Totals,
    /// RFC 3339 in UTC: the moment at which phases were judged.
    pub at: String,
    /// The prices, by account currency, for rows that have one.
    #[serde(skip)]
    pub prices: BTreeMap<ResourceId, Money>,
}
