//! Orders as people see them.

use renewd_core::ids::{AccountName, OrderId, ResourceId};
use renewd_core::money::Money;
use renewd_core::quote::PriceLine;
use serde::Serialize;

/// Why an order is held.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoldView {
    /// `over-order-limit` …
    pub reason: String,
    /// The figures, in words.
    pub detail: String,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderLineView {
    /// The resource.
    pub resource: ResourceId,
    /// The policy that priced it.
    pub policy: String,
    /// `P1M`.
    pub term: String,
    /// RFC 3339.
    pub old_expiry: String,
    /// RFC 3339.
    pub new_expiry: String,
    /// Days from the base to the new expiry.
    pub extra_days: u8,
    /// `18/31`.
    pub fraction: String,
    /// The price, line by line.
    pub lines: Vec<PriceLine>,
    /// The price.
    pub total: Money,
}

/// One try to collect.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    /// 1, 2, …
    pub number: u32,
    /// The method.
    pub method: String,
    /// RFC 3339.
    pub started_at: String,
    /// `succeeded`, `declined`, `pending`, `requires-action`, `price-moved`, `unknown`, `in-flight`.
    pub outcome: String,
    /// Code, words, or the gateway's reference.
    pub detail: Option<String>,
    /// The idempotency key.
    pub key: String,
    /// The plugin's digest.
    pub plugin: Option<String>,
    /// How often the gateway was asked what came of it.
    pub checks: u32,
    /// RFC 3339: when it is asked next.
    pub next_check: Option<String>,
}

/// One try to give money back.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundView {
    /// 1, 2, …
    pub number: u32,
    /// The line's resource; none for a charge that came too late.
    pub resource: Option<ResourceId>,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// RFC 3339.
    pub started_at: String,
    /// `refunding`, `refunded`, `declined`, `pending`, `refund-unknown`.
    pub outcome: String,
    /// Code, words, or the gateway's reference.
    pub detail: Option<String>,
    /// RFC 3339: when the gateway is asked next.
    pub next_check: Option<String>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    /// Its id.
    pub order: OrderId,
    /// The payer.
    pub account: AccountName,
    /// `placed`, `held`, `paying`, `pending`, `unknown`, `settled`, `canceled`, `expired`.
    pub status: String,
    /// What became of it, in words.
    pub detail: Option<String>,
    /// `manual`, `request december-phones`, `auto`.
    pub origin: String,
    /// Σ of the lines.
    pub total: Money,
    /// How many lines.
    pub line_count: usize,
    /// The methods in the order in which they are tried.
    pub methods: Vec<String>,
    /// RFC 3339.
    pub placed_at: String,
    /// RFC 3339; when it expires unpaid.
    pub expires_at: String,
    /// Why it is, or was, held.
    pub holds: Vec<HoldView>,
    /// The lines.
    pub lines: Vec<OrderLineView>,
    /// Every try to collect.
    pub attempts: Vec<AttemptView>,
    /// Every try to give money back.
    pub refunds: Vec<RefundView>,
    /// The command that fits its status.
    pub next: Option<String>,
}

/// The answer of `orders topup`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TopUpView {
    /// The account.
    pub account: AccountName,
    /// What was added, also where it had been added before.
    pub amount: Money,
    /// The reference.
    pub reference: String,
    /// False where the same top-up was known.
    pub changed: bool,
    /// The balance now.
    pub balance: Money,
}
