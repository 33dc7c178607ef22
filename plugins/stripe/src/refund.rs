//! Giving money back, once for each key: what was already given back under it is looked up before anything is sent,
//! because gateways forget idempotency keys after a day.

use crate::form::Form;
use crate::gateway::{Answer, Gateway, Http, not_sent, refused, unknown};
use crate::labels::{self, Labels};
use crate::pages::{Next, REFUNDS_END, Walked, walk};
use crate::refusals::{Refusal, decline_of_word};
use crate::units;
use crate::wire::{Refund, RefundStatus as Status};
use renewd_plugin_sdk::payment::{
    PaymentError, RefundOutcome, RefundRef, RefundRequest, RefundStatus, Retry, Success, Waiting,
};
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
    let of = of_payment(&request.reference);
    let mut form = of.clone().with("amount", &amount.to_string());
    Labels { key: &request.idempotency_key, order: &request.order, account: &request.account }.add_to(&mut form);
    labels::add_reason(&mut form, &request.reason);
    labels::add_lines(&mut form, request.line_keys.iter().map(String::as_str))
        .map_err(|_| not_sent("too-many-lines", "the gateway cannot keep the keys of so many lines".to_owned()))?;
    match made_before(&mut gateway, &of, &request.idempotency_key)? {
        Before::Made(refund) => return outcome(&refund, Wanted::of_request(request)),
        Before::Nothing => {}
        Before::Refused(refusal) => return declined(&refusal),
    }
    match gateway.post::<Refund>(PATH, &form, &request.idempotency_key)? {
        Answer::Done(refund) => outcome(&refund, Wanted::of_request(request)),
        Answer::Refused(refusal) => declined(&refusal),
    }
}

/// Tells what became of a refund; nothing is sent that could give money back.
///
/// # Errors
/// `unknown` for everything that leaves a doubt, however small.
pub fn find_refund(http: &mut dyn Http, config: &str, refund: &RefundRef) -> Result<RefundStatus, PaymentError> {
    let mut gateway = Gateway::new(http, config)?;
    let wanted = Wanted { key: &refund.idempotency_key, minor_digits: refund.minor_digits };
    let of = of_payment(&refund.reference);
    match made_before(&mut gateway, &of, wanted.key)? {
        Before::Made(made) => outcome(&made, wanted).map(RefundStatus::Found),
        Before::Nothing if refund.refund_reference.is_some() => {
            Err(unknown("reference-lost", "the gateway once named this refund, and now does not know it".to_owned()))
        }
        Before::Nothing => Ok(RefundStatus::NotFound),
        Before::Refused(refusal) => Err(refused(&refusal)),
    }
}

/// What is asked for, as every answer is held against it.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    key: &'a str,
    minor_digits: u32,
}

impl<'a> Wanted<'a> {
    fn of_request(request: &'a RefundRequest) -> Self {
        Self { key: &request.idempotency_key, minor_digits: request.minor_digits }
    }
}

/// The refund that was already made under a key.
enum Before {
    Made(Refund),
    Nothing,
    Refused(Refusal),
}

fn of_payment(reference: &str) -> Form {
    let payment = if reference.starts_with(INTENT) { "payment_intent" } else { "charge" };
    Form::default().with(payment, reference)
}

/// Looks through all refunds of a payment.
fn made_before(gateway: &mut Gateway<'_>, of: &Form, key: &str) -> Result<Before, PaymentError> {
    let mut earlier: Option<Refund> = None;
    let walked = walk::<Refund>(
        gateway,
        PATH,
        of,
        REFUNDS_END,
        |refund| &refund.id,
        |page| {
            earlier = page.into_iter().find(|refund| refund.metadata.key() == Some(key));
            if earlier.is_some() { Next::Stop } else { Next::Page }
        },
    )?;
    Ok(match (walked, earlier) {
        (Walked::Refused(refusal), _) => Before::Refused(refusal),
        (Walked::TooMany, _) => return Err(too_many()),
        (Walked::Through, Some(refund)) => Before::Made(refund),
        (Walked::Through, None) => Before::Nothing,
    })
}

/// What went back of a payment, or is on its way.
#[derive(Debug, Default)]
pub(crate) struct GivenBack {
    pub(crate) amount: i64,
    /// The keys of the lines that it went back for, where renewd gave it back.
    pub(crate) lines: Vec<String>,
}

/// Adds up the refunds of a payment that stand.
pub(crate) fn given_back(gateway: &mut Gateway<'_>, payment: &str) -> Result<GivenBack, PaymentError> {
    let mut all = GivenBack::default();
    let mut is_known = true;
    let walked = walk::<Refund>(
        gateway,
        PATH,
        &of_payment(payment),
        REFUNDS_END,
        |refund| &refund.id,
        |page| {
            for refund in page {
                match refund.status {
                    Some(Status::Succeeded | Status::Pending | Status::RequiresAction) => {
                        all.amount = all.amount.saturating_add(refund.amount);
                        all.lines.extend(refund.metadata.lines().map(str::to_owned));
                    }
                    Some(Status::Failed | Status::Canceled) => {}
                    Some(Status::Other) | None => is_known = false,
                }
            }
            Next::Page
        },
    )?;
    match walked {
        Walked::Refused(refusal) => Err(refused(&refusal)),
        Walked::TooMany => Err(too_many()),
        Walked::Through if !is_known => Err(unknown_status()),
        Walked::Through => Ok(all),
    }
}

fn too_many() -> PaymentError {
    unknown("too-many-refunds", "there are more payments and refunds than can be looked through".to_owned())
}

fn unknown_status() -> PaymentError {
    unknown("unknown-status", "the gateway names a status that is not known here".to_owned())
}

fn outcome(refund: &Refund, wanted: Wanted<'_>) -> Result<RefundOutcome, PaymentError> {
    if refund.metadata.key() != Some(wanted.key) {
        return Err(unknown("foreign-reply", "the gateway's reply is that of another refund".to_owned()));
    }
    let currency = refund.currency.to_ascii_uppercase();
    match refund.status {
        Some(Status::Succeeded) => Ok(RefundOutcome::Refunded(Success {
            reference: refund.id.clone(),
            amount: units::from_gateway(refund.amount, &currency, wanted.minor_digits),
            currency,
            metadata: Vec::new(),
        })),
        Some(Status::Pending | Status::RequiresAction) => {
            Ok(RefundOutcome::Pending(Waiting { reference: refund.id.clone(), metadata: Vec::new() }))
        }
        Some(Status::Failed | Status::Canceled) => {
            let decline = decline_of_word(refund.failure_reason.as_deref(), "refund-failed");
            decline.map(RefundOutcome::Declined).ok_or_else(in_doubt)
        }
        Some(Status::Other) | None => Err(unknown_status()),
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
