//! What version 0.1.0 of the payment interface had otherwise: narrower questions, and no waiting after `cancel`. Only
//! translates; everything else of 0.1.0 has the structure of 1.0.0.

use crate::bindings::payment as wire;
use wasmtime::component::{ComponentType, Lift, Lower};

/// What was known of a charge that is looked for.
#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(record)]
pub(crate) struct ChargeRef<'a> {
    order: &'a str,
    attempt: u32,
    account: &'a str,
    #[component(name = "method-reference")]
    method_reference: Option<&'a str>,
    #[component(name = "idempotency-key")]
    idempotency_key: &'a str,
    currency: &'a str,
    #[component(name = "minor-digits")]
    minor_digits: u32,
    amount: &'a str,
    #[component(name = "requested-at")]
    requested_at: &'a str,
    reference: Option<&'a str>,
    #[component(name = "line-keys")]
    line_keys: &'a [String],
    metadata: &'a [(String, String)],
}

impl<'a> ChargeRef<'a> {
    /// The question without what 0.1.0 could not ask.
    pub(crate) fn of(charge: &'a wire::ChargeRef) -> Self {
        Self {
            order: &charge.order,
            attempt: charge.attempt,
            account: &charge.account,
            method_reference: charge.method_reference.as_deref(),
            idempotency_key: &charge.idempotency_key,
            currency: &charge.currency,
            minor_digits: charge.minor_digits,
            amount: &charge.amount,
            requested_at: &charge.requested_at,
            reference: charge.reference.as_deref(),
            line_keys: &charge.line_keys,
            metadata: &charge.metadata,
        }
    }
}

/// A refund that was asked for.
#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(record)]
pub(crate) struct RefundRequest<'a> {
    order: &'a str,
    account: &'a str,
    reference: &'a str,
    currency: &'a str,
    #[component(name = "minor-digits")]
    minor_digits: u32,
    amount: &'a str,
    #[component(name = "idempotency-key")]
    idempotency_key: &'a str,
    #[component(name = "requested-at")]
    requested_at: &'a str,
    reason: &'a str,
    metadata: &'a [(String, String)],
}

impl<'a> RefundRequest<'a> {
    /// The request without its lines' keys.
    pub(crate) fn of(request: &'a wire::RefundRequest) -> Self {
        Self {
            order: &request.order,
            account: &request.account,
            reference: &request.reference,
            currency: &request.currency,
            minor_digits: request.minor_digits,
            amount: &request.amount,
            idempotency_key: &request.idempotency_key,
            requested_at: &request.requested_at,
            reason: &request.reason,
            metadata: &request.metadata,
        }
    }
}

/// What `cancel` could answer.
#[derive(Debug, Clone, ComponentType, Lift)]
#[component(variant)]
pub(crate) enum CancelOutcome {
    #[component(name = "canceled")]
    Canceled,
    #[component(name = "charged")]
    Charged(wire::Success),
    #[component(name = "not-found")]
    NotFound,
}

impl From<CancelOutcome> for wire::CancelOutcome {
    fn from(old: CancelOutcome) -> Self {
        match old {
            CancelOutcome::Canceled => Self::Canceled,
            CancelOutcome::Charged(success) => Self::Charged(success),
            CancelOutcome::NotFound => Self::NotFound,
        }
    }
}
