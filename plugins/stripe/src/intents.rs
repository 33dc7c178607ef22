//! Payment intents: made and confirmed in one request, off session; a cardholder is asked only where a page is known.

use crate::charge::{Asked, in_doubt};
use crate::form::Form;
use crate::gateway::{Answer, Gateway, not_sent, unknown};
use crate::refusals::{Refusal, decline_of, wants_cardholder};
use crate::settings::REFERENCE;
use crate::source::Source;
use crate::wire::{Intent, IntentStatus};
use crate::{form, instant};
use renewd_plugin_sdk::payment::{Action, Outcome, PaymentError, Retry, Success, Waiting};
use renewd_plugin_sdk::words;

pub(crate) const PATH: &str = "/v1/payment_intents";
const HOUR: i64 = 3600;

/// Makes and confirms an intent.
pub(crate) fn charge(
    gateway: &mut Gateway<'_>,
    form: Form,
    source: Source<'_>,
    asked: Asked<'_>,
) -> Result<Outcome, PaymentError> {
    let Some(method) = source.method else {
        let message =
            "a payment intent needs a payment method, and the account names only a customer; write `cus_…/pm_…`";
        return Err(not_sent("bad-reference", message.to_owned()));
    };
    let mut form = form.with("payment_method", method).with("confirm", "true").with("off_session", "true");
    for (index, kind) in gateway.settings.method_types.iter().enumerate() {
        form.add(&format!("payment_method_types[{index}]"), kind);
    }
    match gateway.post::<Intent>(PATH, &form, asked.key)? {
        Answer::Done(intent) => settled(gateway, &intent, asked),
        Answer::Refused(refusal) => refused(gateway, &refusal, method, asked),
    }
}

/// What an intent's status says of the charge.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// This.
    Said(Outcome),
    /// A cardholder has to act, and no page is known for it.
    Unreachable,
    /// It has nothing to pay with and was never refused: nothing happens to it, but it could still be paid.
    Unrefused,
}

/// Reads an intent's status.
pub(crate) fn verdict(gateway: &Gateway<'_>, intent: &Intent, asked: Asked<'_>) -> Result<Verdict, PaymentError> {
    asked.check_own(&intent.metadata)?;
    let said = match intent.status {
        IntentStatus::Succeeded => Outcome::Succeeded(success(intent, asked)),
        IntentStatus::Processing | IntentStatus::RequiresCapture | IntentStatus::RequiresConfirmation => {
            pending(intent)
        }
        IntentStatus::RequiresAction => match action(gateway, intent, asked) {
            Some(action) => Outcome::RequiresAction(action),
            None => return Ok(Verdict::Unreachable),
        },
        IntentStatus::RequiresPaymentMethod => match &intent.last_payment_error {
            Some(error) => match on_own_page(gateway, intent, asked).filter(|_| wants_cardholder(error)) {
                Some(asks) => asks,
                None => Outcome::Declined(decline_of(error, "card-declined").ok_or_else(in_doubt)?),
            },
            None => return Ok(Verdict::Unrefused),
        },
        IntentStatus::Canceled => Outcome::Declined(canceled()),
        IntentStatus::Other => {
            return Err(unknown("unknown-status", "the gateway names a status that is not known here".to_owned()));
        }
    };
    Ok(Verdict::Said(said))
}

/// The money of an intent that succeeded.
pub(crate) fn success(intent: &Intent, asked: Asked<'_>) -> Success {
    Success {
        reference: intent.id.clone(),
        amount: asked.decimal(intent.amount_received.unwrap_or(intent.amount), &intent.currency),
        currency: intent.currency.to_ascii_uppercase(),
        metadata: Vec::new(),
    }
}

/// An intent that the gateway is still at.
pub(crate) fn pending(intent: &Intent) -> Outcome {
    Outcome::Pending(Waiting { reference: intent.id.clone(), metadata: Vec::new() })
}

fn canceled() -> renewd_plugin_sdk::payment::Decline {
    words::decline("canceled", "the payment was canceled at the gateway", Retry::Later)
}

/// What a charge comes to: an intent that nobody could ever confirm is canceled before it is called declined.
fn settled(gateway: &mut Gateway<'_>, intent: &Intent, asked: Asked<'_>) -> Result<Outcome, PaymentError> {
    match verdict(gateway, intent, asked)? {
        Verdict::Said(outcome) => Ok(outcome),
        Verdict::Unreachable => give_up(gateway, intent, asked, needs_cardholder()),
        Verdict::Unrefused => {
            let message = "the gateway has nothing to take the payment with";
            let decline = words::decline("no-payment-method", message, Retry::Later);
            give_up(gateway, intent, asked, Outcome::Declined(decline))
        }
    }
}

fn refused(
    gateway: &mut Gateway<'_>,
    refusal: &Refusal,
    method: &str,
    asked: Asked<'_>,
) -> Result<Outcome, PaymentError> {
    let decline = refusal.decline().ok_or_else(in_doubt)?;
    let Some(intent) = refusal.error.payment_intent.as_deref() else { return Ok(Outcome::Declined(decline)) };
    asked.check_own(&intent.metadata)?;
    match intent.status {
        IntentStatus::RequiresPaymentMethod if refusal.wants_cardholder() => {
            ask_cardholder(gateway, intent, method, asked)
        }
        IntentStatus::RequiresPaymentMethod | IntentStatus::Canceled => Ok(Outcome::Declined(decline)),
        // The refusal and the intent's own status disagree: the status is what counts.
        IntentStatus::Processing
        | IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture
        | IntentStatus::RequiresConfirmation
        | IntentStatus::Succeeded
        | IntentStatus::Other => settled(gateway, intent, asked),
    }
}

/// Off session, the bank wants the cardholder: confirms once more, on session, to learn the page where that is done.
/// Without an address to come back from it, the merchant's own page is all there is.
fn ask_cardholder(
    gateway: &mut Gateway<'_>,
    intent: &Intent,
    method: &str,
    asked: Asked<'_>,
) -> Result<Outcome, PaymentError> {
    let own_page = on_own_page(gateway, intent, asked);
    let Some(return_url) = gateway.settings.return_url.clone() else {
        return Ok(own_page.unwrap_or_else(needs_cardholder));
    };
    let form = Form::default().with("payment_method", method).with("return_url", &return_url);
    match gateway.post::<Intent>(
        &format!("{}/confirm", path_of(&intent.id)),
        &form,
        &format!("{}-confirm", asked.key),
    )? {
        Answer::Done(confirmed) => settled(gateway, &confirmed, asked),
        Answer::Refused(refusal) => match (refusal.error.payment_intent.as_deref(), own_page) {
            (Some(after), _) if after.status != IntentStatus::RequiresPaymentMethod => settled(gateway, after, asked),
            // As `find-charge` will tell it: the demand stands, and the page is where it can be met.
            (_, Some(own_page)) if refusal.wants_cardholder() => Ok(own_page),
            _ => refusal.decline().map(Outcome::Declined).ok_or_else(in_doubt),
        },
    }
}

/// Cancels an intent that nobody will ever pay, and then says so.
fn give_up(
    gateway: &mut Gateway<'_>,
    intent: &Intent,
    asked: Asked<'_>,
    declined: Outcome,
) -> Result<Outcome, PaymentError> {
    let after = cancel(gateway, intent, asked)?;
    match after.status {
        IntentStatus::Canceled => Ok(declined),
        IntentStatus::Succeeded => Ok(Outcome::Succeeded(success(&after, asked))),
        IntentStatus::Processing
        | IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresPaymentMethod
        | IntentStatus::Other => {
            Err(unknown("in-doubt", "the payment waits for somebody to make it, and cannot be canceled".to_owned()))
        }
    }
}

/// Cancels an intent and answers with what it is then.
pub(crate) fn cancel(gateway: &mut Gateway<'_>, intent: &Intent, asked: Asked<'_>) -> Result<Intent, PaymentError> {
    let path = path_of(&intent.id);
    let after = match gateway.post_again::<Intent>(&format!("{path}/cancel"))? {
        Answer::Done(after) => after,
        // Refused because its status has moved on: only looking tells.
        Answer::Refused(_) => match gateway.get::<Intent>(&path, &Form::default())? {
            Answer::Done(after) => after,
            Answer::Refused(refusal) => return Err(crate::gateway::refused(&refusal)),
        },
    };
    asked.check_own(&after.metadata)?;
    Ok(after)
}

/// The path of an intent.
pub(crate) fn path_of(id: &str) -> String {
    let mut path = format!("{PATH}/");
    form::encode(&mut path, id);
    path
}

/// The decline of an intent whose cardholder no page reaches.
pub(crate) fn needs_cardholder() -> Outcome {
    let message = "the bank wants the cardholder to confirm, and no page is configured for it";
    Outcome::Declined(words::decline("authentication-required", message, Retry::OtherMethod))
}

/// The page where the cardholder confirms: the gateway's, else the merchant's.
fn action(gateway: &Gateway<'_>, intent: &Intent, asked: Asked<'_>) -> Option<Action> {
    let next = intent.next_action.as_ref();
    let redirect = next.and_then(|next| next.redirect_to_url.as_ref()?.url.clone());
    let hosted = next.and_then(|next| next.verify_with_microdeposits.as_ref()?.hosted_verification_url.clone());
    let url = redirect.or(hosted).or_else(|| own_page(gateway, intent))?;
    action_at(gateway, intent, asked, url)
}

/// Asks the cardholder to confirm on the merchant's page; `None` without one.
fn on_own_page(gateway: &Gateway<'_>, intent: &Intent, asked: Asked<'_>) -> Option<Outcome> {
    action_at(gateway, intent, asked, own_page(gateway, intent)?).map(Outcome::RequiresAction)
}

fn own_page(gateway: &Gateway<'_>, intent: &Intent) -> Option<String> {
    Some(gateway.settings.confirm_page.as_ref()?.replace(REFERENCE, &intent.id))
}

fn action_at(gateway: &Gateway<'_>, intent: &Intent, asked: Asked<'_>, url: String) -> Option<Action> {
    let until = instant::parse(asked.requested_at)?.checked_add(i64::from(gateway.settings.action_hours) * HOUR)?;
    Some(Action { url, expires: instant::format(until), reference: Some(intent.id.clone()), metadata: Vec::new() })
}
