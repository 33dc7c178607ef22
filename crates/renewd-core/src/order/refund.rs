//! Refunds: money that goes back, each with an intent of its own before a plugin is asked.

use super::{Attempt, Order};
use crate::ids::{Digest, ResourceId};
use crate::money::Money;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One try to give money back through the method that took it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refund {
    /// 1, 2, … within the order.
    pub number: u32,
    /// Why money goes back.
    #[serde(flatten)]
    pub cause: RefundCause,
    /// The attempt whose money it is.
    pub attempt: u32,
    /// The gateway's reference of the charge.
    pub reference: String,
    /// How much.
    pub amount: Money,
    /// Idempotency key (see [`Order::refund_key`]); the same for every try of this refund.
    pub key: Digest,
    /// Why, in words.
    pub reason: String,
    /// Token of the process that asks the gateway.
    pub owner: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: RefundResult,
    /// How often the gateway was asked again.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub checks: u32,
    /// When the gateway is to be asked next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_check: Option<DateTime<Utc>>,
}

/// Why money goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum RefundCause {
    /// A person gives a line back, whole or in part.
    Line {
        /// The line's resource.
        resource: ResourceId,
    },
    /// A charge succeeded after its order was dead or paid otherwise.
    LateSuccess,
}

/// What came of a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refund", rename_all = "kebab-case")]
pub enum RefundResult {
    /// The plugin has been or is about to be called.
    InFlight,
    /// The money went back.
    Refunded {
        /// The gateway's name for the refund.
        #[serde(rename = "refundReference")]
        refund_reference: String,
    },
    /// Nothing went back.
    Declined {
        /// The gateway's code.
        code: String,
        /// The gateway's words.
        message: String,
    },
    /// The gateway has not decided.
    Pending {
        /// The gateway's name for the refund.
        #[serde(rename = "refundReference")]
        refund_reference: String,
    },
    /// Nobody knows.
    Unknown {
        /// Why, in words.
        detail: String,
    },
}

impl RefundResult {
    /// Whether it is known what came of it.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refunded { .. } | Self::Declined { .. } => true,
            Self::InFlight | Self::Pending { .. } | Self::Unknown { .. } => false,
        }
    }

    /// The word in output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::InFlight => "refunding",
            Self::Refunded { .. } => "refunded",
            Self::Declined { .. } => "declined",
            Self::Pending { .. } => "pending",
            Self::Unknown { .. } => "refund-unknown",
        }
    }
}

impl Refund {
    /// The line that it gives back, where a person gives one back.
    pub fn line(&self) -> Option<&ResourceId> {
        match &self.cause {
            RefundCause::Line { resource } => Some(resource),
            RefundCause::LateSuccess => None,
        }
    }
}

impl Order {
    /// The idempotency key of the next refund for a cause. What went back for other causes is no part of it: a restored
    /// store may give back again, in another order, what it has lost, and its gateway must know it again. The amount is
    /// part of it: another one would be answered with what went back under the key before.
    pub fn refund_key(&self, attempt: &Attempt, cause: &RefundCause, amount: Money) -> Digest {
        let of_cause = self.refunds.iter().filter(|it| it.attempt == attempt.number && it.cause == *cause).count();
        let number = u32::try_from(of_cause).unwrap_or(u32::MAX).saturating_add(1).to_be_bytes();
        let line = match cause {
            RefundCause::Line { resource } => resource.as_str(),
            RefundCause::LateSuccess => "",
        };
        let line = if crate::planted::is("refund-key-of-all") { "" } else { line };
        let number = if crate::planted::is("refund-key-of-all") { [0; 4] } else { number };
        let amount = format!("{amount:?}");
        Digest::of_parts([b"refund".as_slice(), attempt.key.as_bytes(), line.as_bytes(), &number, amount.as_bytes()])
    }

    /// Whether a refund has taken a line's renewal back.
    pub fn is_undone(&self, resource: &ResourceId) -> bool {
        self.refunds
            .iter()
            .any(|refund| refund.line() == Some(resource) && matches!(refund.outcome, RefundResult::Refunded { .. }))
    }

    /// What has gone, or may have gone, back of one line.
    ///
    /// # Errors
    /// The sum is too large, which the cap on every refund keeps from happening.
    pub fn refunded(&self, resource: &ResourceId) -> Result<Money, crate::money::MoneyError> {
        let of_line = self.refunds.iter().filter(|refund| refund.line() == Some(resource));
        let may_be_back = of_line.filter(|refund| !matches!(refund.outcome, RefundResult::Declined { .. }));
        Money::sum(self.total.currency(), may_be_back.map(|refund| refund.amount))
    }
}
