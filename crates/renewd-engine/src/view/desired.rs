//! Plans, applications of a desired state, and imports.

use super::{Item, OrderSummary, Totals};
use renewd_core::documents::Mode;
use renewd_core::ids::{AccountName, ResourceId};
use renewd_core::money::Money;
use renewd_policy::Finding;
use serde::Serialize;

/// What happens to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentChangeKind {
    /// It is new.
    Added,
    /// It differs.
    Changed,
    /// It is gone.
    Removed,
}

/// One changed field of a document or resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// `spec.renewalDay`, `expiry` …
    pub field: String,
    /// The value before, absent where there was none.
    pub before: Option<String>,
    /// The value after, absent where there is none.
    pub after: Option<String>,
}

/// A document that changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentChange {
    /// What happens to it.
    pub change: DocumentChangeKind,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What differs.
    pub fields: Vec<FieldChange>,
}

/// A resource whose policy, mode, renewal day, next charge or price changes, or that an inventory adds or changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceChange {
    /// The resource.
    pub resource: ResourceId,
    /// `added`, `imported`, `affected`.
    pub change: String,
    /// What changes.
    pub fields: Vec<FieldChange>,
    /// Whether no policy matches it any more.
    pub loses_cover: bool,
}

/// A lock entry that is written or does not match.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LockChange {
    /// The plugin.
    pub plugin: String,
    /// `added`, `changed`, `removed`.
    pub change: String,
    /// What differs, in words.
    pub detail: String,
}

/// An order that a request would place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedOrder {
    /// The request.
    pub request: String,
    /// The order.
    #[serde(flatten)]
    pub order: OrderSummary,
}

/// What the next run charges one account.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunCharge {
    /// The payer.
    pub account: AccountName,
    /// How many resources.
    pub resources: usize,
    /// The money.
    pub total: Money,
}

/// The money that a `run` at the time of the plan would charge.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextRun {
    /// How many resources.
    pub resources: usize,
    /// The money, by currency.
    pub totals: Totals,
    /// The same by account.
    pub accounts: Vec<RunCharge>,
    /// Due resources that cannot be charged, with the reasons.
    pub refused: Vec<Item>,
}

/// One override of the mode.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OverrideRow {
    /// The resource.
    pub resource: ResourceId,
    /// The chosen mode.
    pub mode: Mode,
    /// Who chose.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
}

/// Overrides of the mode.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OverrideSummary {
    /// How many stand.
    pub total: usize,
    /// How many the plan brings.
    pub new: usize,
    /// How many have ended or are given back.
    pub ended: usize,
    /// Each of them.
    pub rows: Vec<OverrideRow>,
}

/// An inventory row that was left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SkippedRow {
    /// Line of the file.
    pub line: usize,
    /// The resource, where it can be told.
    pub resource: Option<String>,
    /// Why.
    pub message: String,
}

/// A resource on which inventory and store disagree.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportConflict {
    /// The resource.
    pub resource: ResourceId,
    /// What disagrees.
    pub detail: String,
}

/// What an inventory brings.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportView {
    /// The file.
    pub file: String,
    /// How many rows it has.
    pub rows: usize,
    /// How many resources are new.
    pub added: usize,
    /// How many change.
    pub changed: usize,
    /// How many stay as they are.
    pub unchanged: usize,
    /// Resources that are frozen because inventory and store disagree.
    pub conflicts: Vec<ImportConflict>,
    /// Rows left out because their resource is being paid for.
    pub busy: Vec<ImportConflict>,
    /// Rows left out by `--skip-bad`.
    pub skipped: Vec<SkippedRow>,
    /// The resources that change.
    pub changes: Vec<ResourceChange>,
}

/// What `apply` would change.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// Whether nothing would change.
    pub empty: bool,
    /// The revision in force, 0 before the first.
    pub revision: u32,
    /// Documents that change.
    pub documents: Vec<DocumentChange>,
    /// How many documents there are.
    pub document_count: usize,
    /// What the inventory brings, where one is given.
    pub import: Option<ImportView>,
    /// Resources that change.
    pub resources: Vec<ResourceChange>,
    /// How many resources there are.
    pub resource_count: usize,
    /// How many of them no policy matches.
    pub uncovered: usize,
    /// How many are in a conflict of policies.
    pub conflicts: usize,
    /// Resources by mode after the plan.
    pub modes: std::collections::BTreeMap<String, usize>,
    /// Overrides.
    pub overrides: OverrideSummary,
    /// Orders that requests would place.
    pub orders: Vec<PlannedOrder>,
    /// What requests ask for, one item a resource.
    pub request_items: Vec<Item>,
    /// Grants that are asked for beyond those in force.
    pub grants: Vec<String>,
    /// Lock entries that would be written, or that do not match.
    pub lock: Vec<LockChange>,
    /// How many resources were priced through a plugin, and the price of the next renewals of all of them.
    pub priced: usize,
    /// Price of the next automatic renewal of every auto resource, whenever it is.
    pub auto_totals: Totals,
    /// The money that a `run` now would charge.
    pub next_run: NextRun,
    /// Warnings with places.
    pub warnings: Vec<Finding>,
    /// What would be refused without a flag: `removals`, `grants`, `lock`.
    pub guards: Vec<String>,
}

/// The answer of `apply`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppliedView {
    /// What was planned and done.
    pub plan: PlanView,
    /// Whether anything was journaled.
    pub changed: bool,
    /// The revision now in force.
    pub revision: u32,
    /// Whether the store was created.
    pub created_store: bool,
    /// The lock file, where it was written.
    pub wrote_lock: Option<String>,
    /// Orders that were placed.
    pub placed: Vec<PlannedOrder>,
    /// Items that new requests could not place.
    pub refused: usize,
}
