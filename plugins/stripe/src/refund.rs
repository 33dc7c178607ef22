//! Giving money back, once for each key: what was already given back under it is looked up before anything is sent,
//! because gateways forget idempotency keys after a day.

use crate::form::Form;
use crate::gateway::{Answer, Gateway, Http, unknown};
use crate::labels::{self, Labels};
use crate::pages::{Next, Walked, walk};
use crate::refusals::{Refusal, decline_of_word};
use crate::units;
use crate::wire::{Refund, RefundStatus};
use renewd_plugin_sdk::payment::{PaymentError, RefundOutcome, RefundRequest, Retry, Success, Waiting};
use renewd_plugin_sdk::words;

const PATH: &str = "/v1/refunds";
const INTENT: &str = "pi_";

/// Gives a payment back, whole or in part.
///
/// # Errors
/// `not-sent` before anything has left; `unknown` for everything that is not certain.
pub fn refund(http: &mut dyn Http, config: &str, request: &RefundRequest) -> Result<RefundOutcome, PaymentError> {
    let mut gateway = Gateway::new(http, config)?;
    let Ok(amount) = units::to_gateway(&request.amount, &request.currency, request.minor_digits) else {
        let message = format!("`{} {}` is no amount that the gateway gives back", request.amount, request.currency);
        return Ok(RefundOutcome::Declined(words::decline("amount-not-refundable", message, Retry::Never)));
    };
    let payment = if request.reference.starts_with(INTENT) { "payment_intent" } else { "charge" };
    let of = Form::default().with(payment, &request.reference);
    let mut earlier: Option<Refund> = None;
    let key = Some(request.idempotency_key.as_str());
    let walked = walk::<Refund>(
        &mut gateway,
        PATH,
        &of,
        |refund| &refund.id,
        |page| {
            earlier = page.into_iter().find(|refund| refund.metadata.key() == key);
            if earlier.is_some() { Next::Stop } else { Next::Page }
        },
    )?;
    if let Walked::Refused(refusal) = walked {
        return declined(&refusal);
    }
    if let Some(refund) = earlier {
        return outcome(&refund, request);
    }
    let mut form = of.with("amount", &amount.to_string());
    Labels { key: &request.idempotency_key, order: &request.order, account: &request.account }.add_to(&mut form);
    labels::add_reason(&mut form, &request.reason);
    match gateway.post::<Refund>(PATH, &form, &request.idempotency_key)? {
        Answer::Done(refund) => outcome(&refund, request),
        Answer::Refused(refusal) => declined(&refusal),
    }
}

fn outcome(refund: &Refund, request: &RefundRequest) -> Result<RefundOutcome, PaymentError> {
    if refund.metadata.key() != Some(&request.idempotency_key) {
        return Err(unknown("foreign-reply", "the gateway's reply is that of another refund".to_owned()));
    }
    let currency = refund.currency.to_ascii_uppercase();
    match refund.status {
        Some(RefundStatus::Succeeded) => Ok(RefundOutcome::Refunded(Success {
            reference: refund.id.clone(),
            amount: units::from_gateway(refund.amount, &currency, request.minor_digits),
            currency,
            metadata: Vec::new(),
        })),
        Some(RefundStatus::Pending | RefundStatus::RequiresAction) => {
            Ok(RefundOutcome::Pending(Waiting { reference: refund.id.clone(), metadata: Vec::new() }))
        }
        Some(RefundStatus::Failed | RefundStatus::Canceled) => {
            let decline = decline_of_word(refund.failure_reason.as_deref(), "refund-failed");
            decline.map(RefundOutcome::Declined).ok_or_else(in_doubt)
        }
        Some(RefundStatus::Other) | None => {
            Err(unknown("unknown-status", "the gateway names a status that is not known here".to_owned()))
        }
    }
}

fn declined(refusal: &Refusal) -> Result<RefundOutcome, PaymentError> {
    // A refusal that speaks of an intent is not about a refund.
    if refusal.error.payment_intent.is_some() {
        return Err(in_doubt());
    }
    refusal.decline().map(RefundOutcome::Declined).ok_or_else(in_doubt)
}

fn in_doubt() -> PaymentError {
    unknown("in-doubt", "the gateway refused, but not in a way that says that nothing went back".to_owned())
}
