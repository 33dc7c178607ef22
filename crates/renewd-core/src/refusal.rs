//! Verdicts and reasons: the closed lists by which every item of every command is answered.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What became of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Paid and extended.
    Renewed,
    /// Ordered, not yet paid.
    Placed,
    /// There was nothing to do.
    Unchanged,
    /// Ordered, waiting for approval.
    Held,
    /// Not ordered.
    Refused,
    /// Ordered, and no method paid it.
    Declined,
    /// The gateway has not decided.
    Pending,
    /// A person must act at the gateway.
    RequiresAction,
    /// Nobody knows whether it was paid.
    Unknown,
}

impl Verdict {
    /// The word in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Placed => "placed",
            Self::Unchanged => "unchanged",
            Self::Held => "held",
            Self::Refused => "refused",
            Self::Declined => "declined",
            Self::Pending => "pending",
            Self::RequiresAction => "requires-action",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why an item has its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// No policy matches the resource.
    NoPolicy,
    /// Several policies of one priority match it.
    PolicyConflict,
    /// Its retention has ended.
    Released,
    /// Its inventory says so.
    NotRenewable,
    /// Its automatic renewal did not succeed while it was tried.
    NotRenewed,
    /// It became pay-per-use at its expiry.
    Converted,
    /// An unknown payment or an import conflict.
    Frozen,
    /// It is in an order that is not finished.
    OpenOrder,
    /// Dates or price differ from what was agreed.
    PriceChanged,
    /// The pricing plugin failed or refused.
    PricingFailed,
    /// The policy does not sell the term.
    TermNotAllowed,
    /// The policy forbids what was asked about alignment.
    AlignDenied,
    /// The new expiry would not lie in the future.
    PastExpiry,
    /// The base would lie beyond `terms.maxAhead`.
    TooFarAhead,
    /// It already expires on the wanted date.
    AlreadyThere,
    /// It expires after the wanted date.
    LaterThanDate,
    /// The calendar ends before the wanted date.
    DateOutOfRange,
    /// Price list, limit and account are not all in one currency.
    CurrencyMismatch,
    /// The account's document is gone.
    NoAccount,
    /// There is no payment method, or not the one asked for.
    NoPaymentMethod,
    /// It was renewed under the same request id before.
    AlreadyRenewed,
    /// The quote can no longer be accepted.
    StaleQuote,
    /// It was renewed, refunded or imported anew since the quote.
    ExpiryMoved,
    /// An order or its policy lines exceed the limit per order.
    OverOrderLimit,
    /// The month's lines exceed the limit per month.
    OverMonthLimit,
    /// The price rose by more than the policy allows.
    PriceIncrease,
    /// A request's items exceed its `maxTotal`.
    OverMaxTotal,
    /// The prepaid balance is too small.
    InsufficientBalance,
    /// The payment method declined.
    PaymentDeclined,
    /// The gateway would take another amount.
    PriceMoved,
    /// The gateway's answer is unknown.
    PaymentUnknown,
    /// The gateway knows an earlier charge of it that this store does not.
    ChargeFound,
    /// It would exceed what this run may charge.
    OverMaxCharge,
    /// There is nothing that could be given back.
    NothingToRefund,
    /// Another item of an `--atomic` selection cannot be renewed.
    Atomic,
    /// There is no such resource.
    NoResource,
    /// There is no such order.
    NoOrder,
    /// The order's state does not allow it.
    OrderState,
    /// A person did not confirm.
    NotConfirmed,
    /// The same reference was used with another amount.
    ReferenceReused,
}

impl Reason {
    /// The word in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoPolicy => "no-policy",
            Self::PolicyConflict => "policy-conflict",
            Self::Released => "released",
            Self::NotRenewable => "not-renewable",
            Self::NotRenewed => "not-renewed",
            Self::Converted => "converted",
            Self::Frozen => "frozen",
            Self::OpenOrder => "open-order",
            Self::PriceChanged => "price-changed",
            Self::PricingFailed => "pricing-failed",
            Self::TermNotAllowed => "term-not-allowed",
            Self::AlignDenied => "align-denied",
            Self::PastExpiry => "past-expiry",
            Self::TooFarAhead => "too-far-ahead",
            Self::AlreadyThere => "already-there",
            Self::LaterThanDate => "later-than-date",
            Self::DateOutOfRange => "date-out-of-range",
            Self::CurrencyMismatch => "currency-mismatch",
            Self::NoAccount => "no-account",
            Self::NoPaymentMethod => "no-payment-method",
            Self::AlreadyRenewed => "already-renewed",
            Self::StaleQuote => "stale-quote",
            Self::ExpiryMoved => "expiry-moved",
            Self::OverOrderLimit => "over-order-limit",
            Self::OverMonthLimit => "over-month-limit",
            Self::PriceIncrease => "price-increase",
            Self::OverMaxTotal => "over-max-total",
            Self::InsufficientBalance => "insufficient-balance",
            Self::PaymentDeclined => "payment-declined",
            Self::PriceMoved => "price-moved",
            Self::PaymentUnknown => "payment-unknown",
            Self::ChargeFound => "charge-found",
            Self::OverMaxCharge => "over-max-charge",
            Self::NothingToRefund => "nothing-to-refund",
            Self::Atomic => "atomic",
            Self::NoResource => "no-resource",
            Self::NoOrder => "no-order",
            Self::OrderState => "order-state",
            Self::NotConfirmed => "not-confirmed",
            Self::ReferenceReused => "reference-reused",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A refusal with its reason, a sentence, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Which of the closed list it is.
    pub reason: Reason,
    /// The sentence.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), hint: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
