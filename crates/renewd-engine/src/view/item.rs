//! Batch items: one verdict for each resource of a selection.

use super::{HoldView, Totals};
use renewd_core::ids::{AccountName, OrderId, ResourceId};
use renewd_core::money::Money;
use renewd_core::quote::{PriceLine, Quote};
use renewd_core::refusal::{Reason, Refusal, Verdict};
use serde::Serialize;

/// What became, or would become, of one resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The resource.
    pub resource: ResourceId,
    /// The verdict. Before anything is placed, a quoted item is `placed` with `order` absent only in a dry run.
    pub verdict: Verdict,
    /// Why, where the verdict needs a reason.
    pub reason: Option<Reason>,
    /// The reason in words.
    pub message: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// The order that it is in.
    pub order: Option<OrderId>,
    /// RFC 3339.
    pub old_expiry: Option<String>,
    /// RFC 3339.
    pub base: Option<String>,
    /// RFC 3339.
    pub new_expiry: Option<String>,
    /// The term, `P1M`.
    pub term: Option<String>,
    /// Days from the base to the new expiry.
    pub extra_days: Option<u8>,
    /// Their exact fraction, `18/31`, or `0`.
    pub fraction: Option<String>,
    /// Local days already past that a late renewal pays for.
    pub burned_days: Option<u32>,
    /// The price, line by line.
    pub lines: Vec<PriceLine>,
    /// The price.
    pub total: Option<Money>,
}

impl Item {
    /// An item without a quote.
    pub fn refused(resource: &ResourceId, verdict: Verdict, refusal: &Refusal) -> Self {
        Self {
            resource: resource.clone(),
            verdict,
            reason: Some(refusal.reason),
            message: Some(refusal.message.clone()),
            hint: refusal.hint.clone(),
            order: None,
            old_expiry: None,
            base: None,
            new_expiry: None,
            term: None,
            extra_days: None,
            fraction: None,
            burned_days: None,
            lines: Vec::new(),
            total: None,
        }
    }

    /// A quoted item.
    pub fn quoted(quote: &Quote, verdict: Verdict) -> Self {
        let prepared = &quote.prepared;
        let dates = &prepared.dates;
        Self {
            resource: prepared.resource.clone(),
            verdict,
            reason: None,
            message: None,
            hint: None,
            order: None,
            old_expiry: Some(prepared.old_end.expiry.rfc3339()),
            base: Some(dates.base.rfc3339()),
            new_expiry: Some(dates.new_expiry.rfc3339()),
            term: Some(dates.term.to_string()),
            extra_days: Some(dates.extra_days),
            fraction: Some(dates.fraction.to_string()),
            burned_days: Some(dates.burned_days),
            lines: quote.lines.clone(),
            total: Some(quote.total),
        }
    }

    /// The same item, ordered and not yet paid.
    #[must_use]
    pub fn to_be_paid(mut self) -> Self {
        self.verdict = Verdict::Placed;
        self.reason = None;
        self.message = None;
        self
    }

    /// The same item with a refusal's reason, words and hint.
    #[must_use]
    pub fn because(mut self, verdict: Verdict, refusal: &Refusal) -> Self {
        self.verdict = verdict;
        self.reason = Some(refusal.reason);
        self.message = Some(refusal.message.clone());
        self.hint.clone_from(&refusal.hint);
        self
    }
}

/// An order as a summary line below its items.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummary {
    /// The order; absent in a dry run.
    pub order: Option<OrderId>,
    /// The payer.
    pub account: AccountName,
    /// How many lines it has.
    pub lines: usize,
    /// Σ of the lines.
    pub total: Money,
    /// The methods in the order in which they are tried.
    pub methods: Vec<String>,
    /// `placed`, `held`, `settled`, `unknown` …
    pub status: String,
    /// Why it is held.
    pub holds: Vec<HoldView>,
    /// The method that paid, and its reference.
    pub paid_by: Option<String>,
    /// Whether an open order was adopted rather than placed.
    pub adopted: bool,
    /// The next command, where something is left to do.
    pub next: Option<String>,
}

/// The answer of `renew` and `orders pay`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewView {
    /// Whether nothing was placed or paid.
    pub dry_run: bool,
    /// One verdict for each resource.
    pub items: Vec<Item>,
    /// The orders.
    pub orders: Vec<OrderSummary>,
    /// Σ of what was, or would be, renewed or placed, by currency.
    pub totals: Totals,
    /// How many items have each verdict.
    pub counts: std::collections::BTreeMap<String, usize>,
    /// RFC 3339 in UTC: until when these quotes can be accepted.
    pub valid_until: Option<String>,
}
