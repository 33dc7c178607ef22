//! Taking the money: what both modes have in common.

use crate::form::Form;
use crate::gateway::{Gateway, Http, not_sent, unknown};
use crate::labels::{self, Labels, Metadata};
use crate::refusals::decline_of_word;
use crate::settings::{Mode, ORDER};
use crate::source::Source;
use crate::units::{self, Unfit};
use crate::{charges, intents};
use renewd_plugin_sdk::payment::{ChargeRequest, Decline, Outcome, PaymentError, Retry};
use renewd_plugin_sdk::words;

/// What is asked for, as every answer is held against it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) key: &'a str,
    pub(crate) minor_digits: u32,
    pub(crate) requested_at: &'a str,
}

impl<'a> Asked<'a> {
    pub(crate) fn of_request(request: &'a ChargeRequest) -> Self {
        Self { key: &request.idempotency_key, minor_digits: request.minor_digits, requested_at: &request.requested_at }
    }

    /// The gateway's amount as a decimal.
    pub(crate) fn decimal(&self, amount: i64, currency: &str) -> String {
        units::from_gateway(amount, &currency.to_ascii_uppercase(), self.minor_digits)
    }

    /// INVARIANT (own-reply): an answer that carries another key belongs to another charge and proves nothing.
    pub(crate) fn check_own(&self, metadata: &Metadata) -> Result<(), PaymentError> {
        if metadata.key() == Some(self.key) {
            return Ok(());
        }
        Err(unknown("foreign-reply", "the gateway's reply is that of another charge".to_owned()))
    }
}

/// Takes the money, or says why not.
///
/// # Errors
/// `not-sent` before anything has left; `unknown` for everything that is not certain.
pub fn charge(http: &mut dyn Http, config: &str, request: &ChargeRequest) -> Result<Outcome, PaymentError> {
    let mut gateway = Gateway::new(http, config)?;
    let reference = request.method_reference.as_deref().unwrap_or_default();
    let Some(source) = Source::parse(reference) else { return Err(no_source(reference)) };
    let amount = match units::to_gateway(&request.amount, &request.currency, request.minor_digits) {
        Ok(amount) => amount,
        Err(unfit) => return Ok(Outcome::Declined(not_chargeable(unfit, &request.amount, &request.currency))),
    };
    let mut form = Form::default()
        .with("amount", &amount.to_string())
        .with("currency", &request.currency.to_ascii_lowercase())
        .with_some("customer", source.customer);
    if let Some(description) = &gateway.settings.description {
        form.add("description", &description.replace(ORDER, &request.order));
    }
    Labels { key: &request.idempotency_key, order: &request.order, account: &request.account }.add_to(&mut form);
    labels::add_attempt(&mut form, request.attempt);
    labels::add_lines(&mut form, request.lines.iter().map(|line| line.key.as_str()))
        .map_err(|_| not_sent("too-many-lines", "the gateway cannot keep the keys of so many lines".to_owned()))?;
    let asked = Asked::of_request(request);
    match gateway.settings.mode {
        Mode::PaymentIntents => intents::charge(&mut gateway, form, source, asked),
        Mode::Charges => charges::charge(&mut gateway, form.with_some("source", source.method), asked),
    }
}

/// The decline for a charge that failed, with the word that the gateway gives.
pub(crate) fn failed(word: Option<&str>, without_code: &str) -> Result<Outcome, PaymentError> {
    decline_of_word(word, without_code).map(Outcome::Declined).ok_or_else(in_doubt)
}

/// A refusal that proves nothing.
pub(crate) fn in_doubt() -> PaymentError {
    unknown("in-doubt", "the gateway refused, but not in a way that says that nothing was taken".to_owned())
}

/// Nothing is sent for an amount that the gateway cannot take.
fn not_chargeable(unfit: Unfit, amount: &str, currency: &str) -> Decline {
    let message = match unfit {
        Unfit::NotAnAmount => format!("`{amount}` is no amount that the gateway takes"),
        Unfit::Fraction => format!("the gateway takes no fraction such as in `{amount} {currency}`"),
        Unfit::Currency => format!("the gateway is not known to take `{currency}`"),
    };
    words::decline("amount-not-chargeable", message, Retry::OtherMethod)
}

fn no_source(reference: &str) -> PaymentError {
    let shown: String = reference.chars().take(40).collect();
    let message = match reference {
        "" => "the account names no reference for this method".to_owned(),
        _ => format!("`{shown}` is no reference of a payment method"),
    };
    not_sent("bad-reference", format!("{message}; write it like `pm_…` or `cus_…/pm_…`"))
}
