//! What a run did.

use super::{RenewView, Totals};
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
    /// What time did.
    pub time: Vec<TimeNote>,
    /// Orders that nobody paid in time.
    pub expired: Vec<OrderId>,
    /// How many orders gateways were asked about.
    pub asked: usize,
}
