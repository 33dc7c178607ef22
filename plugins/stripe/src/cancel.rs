//! Making sure that a charge can no longer succeed, or learning that it has.

use crate::charge::Asked;
use crate::find::own;
use crate::gateway::{Gateway, Http, unknown};
use crate::settings::Mode;
use crate::wire::{Charge, ChargeStatus, Intent, IntentStatus};
use crate::{charges, intents};
use renewd_plugin_sdk::payment::{CancelOutcome, ChargeRef, PaymentError, Waiting};

/// Cancels a charge that is not yet paid.
///
/// # Errors
/// `unknown` for everything that leaves a doubt, however small.
pub fn cancel(http: &mut dyn Http, config: &str, charge: &ChargeRef) -> Result<CancelOutcome, PaymentError> {
    let mut gateway = Gateway::new(http, config)?;
    let asked =
        Asked { key: &charge.idempotency_key, minor_digits: charge.minor_digits, requested_at: &charge.requested_at };
    match gateway.settings.mode {
        Mode::PaymentIntents => match own::<Intent>(&mut gateway, charge)? {
            Some(intent) => cancel_intent(&mut gateway, &intent, asked),
            None => Ok(CancelOutcome::NotFound),
        },
        Mode::Charges => match own::<Charge>(&mut gateway, charge)? {
            Some(found) => judge_charge(&found, asked),
            None => Ok(CancelOutcome::NotFound),
        },
    }
}

fn cancel_intent(gateway: &mut Gateway<'_>, intent: &Intent, asked: Asked<'_>) -> Result<CancelOutcome, PaymentError> {
    match intent.status {
        IntentStatus::Succeeded => return Ok(CancelOutcome::Charged(intents::success(intent, asked))),
        IntentStatus::Canceled => return Ok(CancelOutcome::Canceled),
        IntentStatus::Processing
        | IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresPaymentMethod
        | IntentStatus::Other => {}
    }
    let after = intents::cancel(gateway, intent, asked)?;
    match after.status {
        IntentStatus::Canceled => Ok(CancelOutcome::Canceled),
        // Not the amount from before: nothing had been received then.
        IntentStatus::Succeeded => Ok(CancelOutcome::Charged(intents::success(&after, asked))),
        IntentStatus::Processing
        | IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresPaymentMethod => Ok(still_open(&after.id)),
        IntentStatus::Other => Err(in_doubt()),
    }
}

/// A plain charge cannot be canceled; it is paid, failed, or still under way.
fn judge_charge(charge: &Charge, asked: Asked<'_>) -> Result<CancelOutcome, PaymentError> {
    match charge.status {
        ChargeStatus::Succeeded if charge.captured != Some(false) => {
            Ok(CancelOutcome::Charged(charges::success(charge, asked)))
        }
        ChargeStatus::Failed => Ok(CancelOutcome::Canceled),
        ChargeStatus::Succeeded | ChargeStatus::Pending => Ok(still_open(&charge.id)),
        ChargeStatus::Other => Err(in_doubt()),
    }
}

fn still_open(id: &str) -> CancelOutcome {
    CancelOutcome::Pending(Waiting { reference: id.to_owned(), metadata: Vec::new() })
}

fn in_doubt() -> PaymentError {
    unknown("unknown-status", "the gateway names a status that is not known here".to_owned())
}
