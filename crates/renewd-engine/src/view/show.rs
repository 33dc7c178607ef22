//! Everything about one thing, previews, and plugins.

use super::{OrderView, ResourceRow, Totals};
use renewd_core::documents::{AccountLimits, Mode};
use renewd_core::ids::{AccountName, OrderId, ResourceId};
use renewd_core::money::Money;
use serde::Serialize;
use std::collections::BTreeMap;

/// One entry of a history.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    /// Sequence in the journal.
    pub sequence: u64,
    /// RFC 3339.
    pub at: String,
    /// Operating-system user.
    pub actor: String,
    /// The command that caused it.
    pub command: String,
    /// What happened, in one sentence.
    pub what: String,
}

/// A policy that matches a resource, and why it wins or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CandidateView {
    /// The policy.
    pub policy: String,
    /// Its priority.
    pub priority: i32,
    /// Whether it wins.
    pub wins: bool,
    /// Why, in words.
    pub why: String,
}

/// A moment at which a resource's phase changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseChangeView {
    /// `expiring`, `expiry`, `retention` or `released`.
    pub phase: String,
    /// RFC 3339.
    pub at: String,
}

/// Everything about a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceView {
    /// As in lists.
    #[serde(flatten)]
    pub row: ResourceRow,
    /// Which policies match.
    pub candidates: Vec<CandidateView>,
    /// Where the mode comes from, in words.
    pub mode_source: String,
    /// Instants of the phase changes: expiring, expiry, retention, released.
    pub phase_changes: Vec<PhaseChangeView>,
    /// The arithmetic of the next renewal, step by step, or why there is none.
    pub arithmetic: Vec<String>,
    /// Price of the next renewal, line by line; empty where it cannot be priced.
    pub next_lines: Vec<renewd_core::quote::PriceLine>,
    /// Price of the next renewal.
    pub next_total: Option<Money>,
    /// Why it is frozen.
    pub frozen: Option<String>,
    /// What happened to it.
    pub history: Vec<EventView>,
}

/// Everything about an account.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountView {
    /// Its name.
    pub account: AccountName,
    /// Its zone.
    pub time_zone: String,
    /// Its currency.
    pub currency: String,
    /// Its renewal day.
    pub renewal_day: Option<String>,
    /// Its methods in order.
    pub methods: Vec<String>,
    /// Its prepaid balance.
    pub balance: Money,
    /// Its limits.
    pub limits: AccountLimits,
    /// Sums that monthly limits count, by month and currency.
    pub months: BTreeMap<String, Totals>,
    /// How many resources, by mode.
    pub modes: BTreeMap<String, usize>,
    /// Orders that are not final.
    pub open_orders: Vec<OrderId>,
    /// What happened to its money.
    pub history: Vec<EventView>,
}

/// Everything about a document of any other kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentView {
    /// Its kind.
    pub document_kind: String,
    /// Its name.
    pub name: String,
    /// The checked document, with all defaults.
    pub document: serde_json::Value,
    /// How many resources it matches and wins, for a policy.
    pub matches: Option<usize>,
    /// How many of them it wins.
    pub wins: Option<usize>,
    /// What happened to it.
    pub history: Vec<EventView>,
}

/// A use of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UseView {
    /// The resource.
    pub resource: ResourceId,
    /// The order.
    pub order: OrderId,
    /// Whether it is used up.
    pub done: bool,
}

/// Everything about a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestView {
    /// Its name.
    pub request: String,
    /// The checked document; absent for `--request-id`.
    pub document: Option<serde_json::Value>,
    /// Resources with the order that used it and whether it is used up.
    pub uses: Vec<UseView>,
    /// What happened to it.
    pub history: Vec<EventView>,
}

/// One line of an order computed again.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayLine {
    /// The resource.
    pub resource: ResourceId,
    /// What was ordered.
    pub recorded: Money,
    /// What the pinned plugin says of the pinned inputs now.
    pub recomputed: Option<Money>,
    /// Whether dates, lines and total are equal.
    pub equal: bool,
    /// What differs, in words.
    pub detail: Option<String>,
}

/// An order computed again from its pinned inputs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayView {
    /// The order.
    pub order: OrderId,
    /// Whether every line is equal.
    pub equal: bool,
    /// The lines.
    pub lines: Vec<ReplayLine>,
}

/// The answer of `show`.
#[derive(Debug, Clone, PartialEq)]
pub enum Show {
    /// A resource.
    Resource(Box<ResourceView>),
    /// An order with its history.
    Order {
        /// The order.
        order: Box<OrderView>,
        /// What happened to it.
        history: Vec<EventView>,
    },
    /// An account.
    Account(Box<AccountView>),
    /// A policy or another document.
    Document(Box<DocumentView>),
    /// A request.
    Request(Box<RequestView>),
    /// An order computed again.
    Replay(ReplayView),
}

/// One resource of an alignment preview.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlignRow {
    /// The resource.
    pub resource: ResourceId,
    /// RFC 3339.
    pub expiry: String,
    /// RFC 3339: the new expiry without alignment.
    pub unaligned: Option<String>,
    /// RFC 3339: the new expiry with it.
    pub aligned: Option<String>,
    /// Days that alignment adds.
    pub extra_days: Option<u8>,
    /// Price of the renewal with alignment.
    pub total: Option<Money>,
    /// What the extra days cost of it.
    pub extra_cost: Option<Money>,
    /// Why it cannot be aligned.
    pub message: Option<String>,
}

/// A renewal day with what it would cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DaySuggestion {
    /// The day.
    pub day: String,
    /// Sum of extra days.
    pub extra_days: u32,
    /// What the extra days cost, by currency.
    pub extra_cost: Totals,
}

/// The answer of `align preview`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlignPreview {
    /// The day or date, in words.
    pub target: String,
    /// One row a resource.
    pub rows: Vec<AlignRow>,
    /// Price of all renewals, by currency.
    pub totals: Totals,
    /// What the extra days cost, by currency.
    pub extra_cost: Totals,
    /// Days ranked by cost, for `--suggest`.
    pub suggestions: Vec<DaySuggestion>,
}

/// One resource that changes tabs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModeRow {
    /// The resource.
    pub resource: ResourceId,
    /// The mode before.
    pub before: Mode,
    /// The mode after.
    pub after: Mode,
    /// RFC 3339.
    pub next_charge_before: Option<String>,
    /// RFC 3339.
    pub next_charge_after: Option<String>,
    /// Whether that charge is due at the next run.
    pub charge_due: bool,
    /// Whether anything changes.
    pub changed: bool,
    /// Why it is refused, for instance because its policy denies overrides.
    pub refused: Option<String>,
}

/// The answer of `mode`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModeChangeView {
    /// One row a resource.
    pub rows: Vec<ModeRow>,
    /// How many change.
    pub changed: usize,
    /// What coming charges are after it, in words.
    pub effect: String,
    /// Whether it was journaled.
    pub done: bool,
}

/// What `plugin inspect` proves about a component.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginCheck {
    /// The file.
    pub file: String,
    /// Digest of its bytes.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// `pricing-plugin`, `payment-plugin`, or absent where it is neither.
    pub world: Option<String>,
    /// The version of the interface it was built for.
    pub interface: Option<String>,
    /// Everything it imports.
    pub imports: Vec<String>,
    /// Everything it exports.
    pub exports: Vec<String>,
    /// What it says about itself.
    pub manifest: Option<serde_json::Value>,
    /// What it can reach, in one sentence.
    pub reach: String,
    /// The HTTP requests that it asks to send; `*` is whatever the document grants.
    pub asks: Vec<String>,
    /// Why it would be refused; empty where it would not.
    pub problems: Vec<String>,
}

/// One plugin of `plugin list`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginRow {
    /// The document's name.
    pub name: String,
    /// Its role.
    pub role: String,
    /// Its file.
    pub file: String,
    /// Digest of its bytes.
    pub sha256: String,
    /// Whether the store has its bytes.
    pub stored: bool,
    /// Policies or methods that use it.
    pub used_by: Vec<String>,
}

/// What one call of a plugin gave, outside of any order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginTrialView {
    /// The plugin's name, or its file.
    pub plugin: String,
    /// Digest of its bytes.
    pub sha256: String,
    /// What was called.
    pub call: String,
    /// The checked answer.
    pub answer: serde_json::Value,
    /// Fuel used, the host's own work for the plugin included.
    pub fuel: u64,
    /// How many requests may have left the machine, or had when they were recorded.
    pub requests_sent: u32,
    /// What the plugin logged.
    pub log: renewd_plugin_host::GuestLog,
    /// What the answer means for a script.
    #[serde(skip)]
    pub exit: crate::error::Exit,
}
