//! Plain charges, for gateways that know no payment intents. A cardholder cannot be asked here.

use crate::charge::{Asked, failed, in_doubt};
use crate::form::{self, Form};
use crate::gateway::{Answer, Gateway, unknown};
use crate::wire::{Charge, ChargeStatus};
use renewd_plugin_sdk::payment::{Outcome, PaymentError, Success, Waiting};

pub(crate) const PATH: &str = "/v1/charges";

/// Makes a charge.
pub(crate) fn charge(gateway: &mut Gateway<'_>, form: Form, asked: Asked<'_>) -> Result<Outcome, PaymentError> {
    match gateway.post::<Charge>(PATH, &form, asked.key)? {
        Answer::Done(charge) => outcome(&charge, asked),
        // A refusal that speaks of an intent is not about this charge.
        Answer::Refused(refusal) if refusal.error.payment_intent.is_some() => Err(in_doubt()),
        Answer::Refused(refusal) => refusal.decline().map(Outcome::Declined).ok_or_else(in_doubt),
    }
}

/// What a charge's status says.
pub(crate) fn outcome(charge: &Charge, asked: Asked<'_>) -> Result<Outcome, PaymentError> {
    asked.check_own(&charge.metadata)?;
    match charge.status {
        ChargeStatus::Succeeded if charge.captured == Some(false) => Ok(pending(charge)),
        ChargeStatus::Succeeded => Ok(Outcome::Succeeded(success(charge, asked))),
        ChargeStatus::Pending => Ok(pending(charge)),
        ChargeStatus::Failed => {
            let reason = charge.outcome.as_ref().and_then(|outcome| outcome.reason.as_deref());
            failed(reason.or(charge.failure_code.as_deref()), "card-declined")
        }
        ChargeStatus::Other => {
            Err(unknown("unknown-status", "the gateway names a status that is not known here".to_owned()))
        }
    }
}

/// The money of a charge that succeeded.
pub(crate) fn success(charge: &Charge, asked: Asked<'_>) -> Success {
    Success {
        reference: charge.id.clone(),
        amount: asked.decimal(charge.amount, &charge.currency),
        currency: charge.currency.to_ascii_uppercase(),
        metadata: Vec::new(),
    }
}

/// The path of a charge.
pub(crate) fn path_of(id: &str) -> String {
    let mut path = format!("{PATH}/");
    form::encode(&mut path, id);
    path
}

fn pending(charge: &Charge) -> Outcome {
    Outcome::Pending(Waiting { reference: charge.id.clone(), metadata: Vec::new() })
}
