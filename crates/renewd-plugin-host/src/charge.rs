//! What `find-charge`, `refund` and `cancel` answered, checked. Anything doubtful is `Unknown`.

use crate::amount::{money, same_currency};
use crate::bindings::payment as wire;
use crate::invalid_output::InvalidOutput;
use crate::outcome::{Asked, Outcome, Retry, decline, outcome, success};
use crate::text::{count, identifier};
use chrono::{DateTime, FixedOffset};
use renewd_core::money::Money;
use serde::{Deserialize, Serialize};

/// A charge that the gateway knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundCharge {
    /// The gateway's name for the payment.
    pub reference: String,
    /// Its amount, which may differ from what was looked for.
    pub amount: Money,
    /// What has become of it. A charge of another amount is `Unknown` here.
    pub outcome: Outcome,
    /// The line keys that the gateway holds for it; empty when it keeps none.
    pub line_keys: Vec<String>,
    /// The idempotency key that it was made under, as the plugin's metadata `key` says; none where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The order that it was made for, as the plugin's metadata `order` says; none where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
}

/// What `find-charge` answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum FindResult {
    /// The gateway knows the charge.
    Found(FoundCharge),
    /// The gateway does not know it; a decline only after the manifest's visibility window.
    NotFound,
    /// Nobody can tell.
    Unknown {
        /// One sentence.
        reason: String,
    },
}

/// What `refund` answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum RefundOutcome {
    /// The money went back: exactly the amount that was asked for.
    Refunded {
        /// The gateway's name for the refund.
        reference: String,
        /// What went back.
        amount: Money,
    },
    /// Nothing went back.
    Declined {
        /// A short kebab-case word.
        code: String,
        /// One sentence.
        message: String,
        /// Whether to try again.
        retry: Retry,
        /// Not before this instant.
        not_before: Option<DateTime<FixedOffset>>,
    },
    /// The gateway is still at it.
    Pending {
        /// The gateway's name for the refund.
        reference: String,
    },
    /// Nobody can tell yet whether money went back.
    Unknown {
        /// One sentence.
        reason: String,
    },
}

/// What `find-refund` answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum FindRefundResult {
    /// The gateway knows the refund: what has become of it.
    Found {
        /// `Unknown` where its amount is not the one that was looked for.
        refund: RefundOutcome,
    },
    /// The gateway does not know it.
    NotFound,
    /// Nobody can tell.
    Unknown {
        /// One sentence.
        reason: String,
    },
}

/// What `cancel` answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum CancelOutcome {
    /// The charge can no longer succeed.
    Canceled,
    /// Too late: the money was taken.
    Charged {
        /// The gateway's name for the payment.
        reference: String,
        /// What was taken.
        amount: Money,
    },
    /// Neither: it cannot be stopped now, and it is not paid yet.
    Pending {
        /// The gateway's name for the payment.
        reference: String,
    },
    /// The gateway does not know the charge.
    NotFound,
    /// Nobody can tell.
    Unknown {
        /// One sentence.
        reason: String,
    },
}

pub(crate) fn found(raw: wire::ChargeStatus, asked: Asked<'_>) -> FindResult {
    match raw {
        wire::ChargeStatus::NotFound => FindResult::NotFound,
        wire::ChargeStatus::Found(raw) => match found_charge(raw, asked) {
            Ok(charge) => FindResult::Found(charge),
            Err(fault) => FindResult::Unknown { reason: fault.to_string() },
        },
    }
}

fn found_charge(raw: wire::FoundCharge, asked: Asked<'_>) -> Result<FoundCharge, InvalidOutput> {
    same_currency(&raw.currency, asked.amount.currency())?;
    count(raw.line_keys.len(), asked.limits.line_keys, || "found/lineKeys".to_owned())?;
    Ok(FoundCharge {
        reference: identifier(raw.reference, "found/reference", asked.limits)?,
        amount: money(&raw.amount, asked.amount.currency(), "found/amount")?,
        outcome: outcome(raw.outcome, asked),
        line_keys: raw
            .line_keys
            .into_iter()
            .map(|key| identifier(key, "found/lineKeys", asked.limits))
            .collect::<Result<_, _>>()?,
        key: said(&raw.metadata, "key", asked)?,
        order: said(&raw.metadata, "order", asked)?,
    })
}

/// What the plugin's metadata says under a name.
fn said(metadata: &[(String, String)], name: &str, asked: Asked<'_>) -> Result<Option<String>, InvalidOutput> {
    let found = metadata.iter().find(|(known, _)| known == name);
    found.map(|(_, text)| identifier(text.clone(), "found/metadata", asked.limits)).transpose()
}

pub(crate) fn refunded(raw: wire::RefundOutcome, asked: Asked<'_>) -> RefundOutcome {
    checked_refund(raw, asked).unwrap_or_else(|fault| RefundOutcome::Unknown { reason: fault.to_string() })
}

fn checked_refund(raw: wire::RefundOutcome, asked: Asked<'_>) -> Result<RefundOutcome, InvalidOutput> {
    match raw {
        wire::RefundOutcome::Refunded(raw) => {
            let (reference, amount, _) = success(raw, asked)?;
            Ok(RefundOutcome::Refunded { reference, amount })
        }
        wire::RefundOutcome::Declined(raw) => {
            let (code, message, retry, not_before) = decline(raw, asked.limits)?;
            Ok(RefundOutcome::Declined { code, message, retry, not_before })
        }
        wire::RefundOutcome::Pending(raw) => {
            Ok(RefundOutcome::Pending { reference: identifier(raw.reference, "pending/reference", asked.limits)? })
        }
    }
}

pub(crate) fn found_refund(raw: wire::RefundStatus, asked: Asked<'_>) -> FindRefundResult {
    match raw {
        wire::RefundStatus::NotFound => FindRefundResult::NotFound,
        wire::RefundStatus::Found(raw) => FindRefundResult::Found { refund: refunded(raw, asked) },
    }
}

pub(crate) fn canceled(raw: wire::CancelOutcome, asked: Asked<'_>) -> CancelOutcome {
    match raw {
        wire::CancelOutcome::Canceled => CancelOutcome::Canceled,
        wire::CancelOutcome::NotFound => CancelOutcome::NotFound,
        wire::CancelOutcome::Pending(raw) => match identifier(raw.reference, "pending/reference", asked.limits) {
            Ok(reference) => CancelOutcome::Pending { reference },
            Err(fault) => CancelOutcome::Unknown { reason: fault.to_string() },
        },
        wire::CancelOutcome::Charged(raw) => match success(raw, asked) {
            Ok((reference, amount, _)) => CancelOutcome::Charged { reference, amount },
            Err(fault) => CancelOutcome::Unknown { reason: fault.to_string() },
        },
    }
}
