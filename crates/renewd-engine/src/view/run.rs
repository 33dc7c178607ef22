//! What a run did.

use super::{OrderSummary, RefundView, RenewView, SinkView, Totals};
use renewd_core::ids::{OrderId, ResourceId};
use serde::Serialize;

/// What time did to a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeNote {
    /// The resource.
    pub resource: ResourceId,
    /// `expiring`, `grace`, `retention`, `released`, `pay-per-use` or `ended`.
    pub entered: String,
    /// RFC 3339: the expiry around which it did.
    pub expiry: String,
}

/// An automatic renewal of the coming days that cannot succeed as things stand.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// The resource.
    pub resource: ResourceId,
    /// RFC 3339: when it will be charged.
    pub charge: String,
    /// Why it cannot succeed.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// A refund that a gateway was asked about, or that this run has begun because money came too late.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRefund {
    /// The order.
    pub order: OrderId,
    /// What became of it.
    #[serde(flatten)]
    pub refund: RefundView,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// RFC 3339 in UTC.
    pub at: String,
    /// What the orders settled by this run cost, by currency.
    pub charged: Totals,
    /// One verdict for each resource that was due, and the orders.
    #[serde(flatten)]
    pub renewals: RenewView,
    /// Refunds that gateways were asked about.
    pub refunds: Vec<RunRefund>,
    /// Orders of before that are held, pending or unknown, and about which this run found out nothing.
    pub waiting: Vec<OrderSummary>,
    /// What time did.
    pub time: Vec<TimeNote>,
    /// Orders that nobody paid in time.
    pub expired: Vec<OrderId>,
    /// About how many attempts and refunds gateways were asked.
    pub asked: usize,
    /// Renewals of the coming days that cannot succeed as things stand.
    pub warnings: Vec<Warning>,
    /// Sinks that were told something, or that could not be.
    pub delivered: Vec<SinkView>,
}
