//! What became of a charge: looked up by its reference, else among all payments around the time of the request.
//!
//! Only the payment with the charge's own key is judged here. One that merely shares a line belongs to another attempt
//! or another order, and telling it would give one payment to two of them; [`crate::history`] looks for those.
//!
//! Nothing is sent again, and the gateway's search is not asked: it lags behind, and a list does not.
//!
//! INVARIANT (not-found-is-proven): "not found" is only said after a list was walked to its end.

use crate::charge::Asked;
use crate::form::Form;
use crate::gateway::{Answer, Gateway, Http, refused, unknown};
use crate::pages::{Next, PAYMENTS_END, Walked, walk};
use crate::payment::{Pages, Payment, Rank, Unreachable};
use crate::settings::Mode;
use crate::source::Source;
use crate::wire::{Charge, Intent};
use crate::{history, instant, kept};
use renewd_plugin_sdk::payment::{ChargeRef, ChargeStatus, FoundCharge, Outcome, PaymentError};

/// Where a charge almost always is; a look at more costs more pages.
const NEAR: Span = Span { before: 15 * 60, after: 15 * 60 };
/// Where it can be when the clocks here and there differ, or the request waited in a queue.
pub(crate) const FAR: Span = Span { before: 24 * 3600, after: 48 * 3600 };

/// Seconds around the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) before: i64,
    pub(crate) after: i64,
}

/// Tells what became of a charge.
///
/// # Errors
/// `unknown` for everything that leaves a doubt, however small.
pub fn find_charge(http: &mut dyn Http, config: &str, charge: &ChargeRef) -> Result<ChargeStatus, PaymentError> {
    let mut gateway = Gateway::new(http, config)?;
    match gateway.settings.mode {
        Mode::PaymentIntents => find::<Intent>(&mut gateway, charge),
        Mode::Charges => find::<Charge>(&mut gateway, charge),
    }
}

fn find<P: Payment>(gateway: &mut Gateway<'_>, charge: &ChargeRef) -> Result<ChargeStatus, PaymentError> {
    if let Some(since) = &charge.since {
        return history::find::<P>(gateway, charge, since);
    }
    let Some(payment) = own::<P>(gateway, charge)? else { return Ok(ChargeStatus::NotFound) };
    if payment.rank(Pages::of(&gateway.settings)) == Rank::Paid && kept::is_touched(gateway, &payment)? {
        let message = "the payment was made and given back at the gateway, wholly or in part; a person has to say what \
                       becomes of the order";
        return Err(unknown("given-back", message.to_owned()));
    }
    found(gateway, &payment, charge, Unreachable::IsDeclined)
}

/// The payment with exactly this key.
pub(crate) fn own<P: Payment>(gateway: &mut Gateway<'_>, charge: &ChargeRef) -> Result<Option<P>, PaymentError> {
    let named = match &charge.reference {
        Some(reference) => by_reference(gateway, reference, charge)?,
        None => None,
    };
    let own = match named {
        Some(payment) => Some(payment),
        None => by_time(gateway, charge)?,
    };
    if own.is_none() && charge.reference.is_some() { Err(reference_lost()) } else { Ok(own) }
}

/// The payment of that name, where it has this charge's key.
pub(crate) fn by_reference<P: Payment>(
    gateway: &mut Gateway<'_>,
    reference: &str,
    charge: &ChargeRef,
) -> Result<Option<P>, PaymentError> {
    match gateway.get::<P>(&P::path_of(reference), &Form::default())? {
        Answer::Done(payment) => {
            let own = payment.id() == reference && payment.metadata().key() == Some(&charge.idempotency_key);
            Ok(own.then_some(payment))
        }
        Answer::Refused(refusal) if refusal.status == 404 => Ok(None),
        Answer::Refused(refusal) => Err(refused(&refusal)),
    }
}

pub(crate) fn reference_lost() -> PaymentError {
    unknown("reference-lost", "the gateway once named this payment, and now does not know it".to_owned())
}

/// Near the request first, then farther, then everything where the gateway cannot filter.
fn by_time<P: Payment>(gateway: &mut Gateway<'_>, charge: &ChargeRef) -> Result<Option<P>, PaymentError> {
    let pages = Pages::of(&gateway.settings);
    let customer = customer(charge);
    let filters = match instant::parse(&charge.requested_at) {
        Some(at) => [NEAR, FAR]
            .map(|span| filter(at.saturating_sub(span.before), at.saturating_add(span.after), customer))
            .to_vec(),
        None => vec![Form::default()],
    };
    let mut own = None;
    for filter in filters {
        let listed = list(gateway, &filter, PAYMENTS_END, &mut |page| {
            pick(&mut own, page, &charge.idempotency_key, pages);
            if own.is_some() { Next::Stop } else { Next::Page }
        })?;
        match listed {
            Listed::Span if own.is_none() => {}
            Listed::Span | Listed::Everything => break,
            Listed::TooMany => return Err(too_many(customer)),
        }
    }
    Ok(own)
}

/// Among several payments of one key, the one where most money may have been taken.
fn pick<P: Payment>(own: &mut Option<P>, page: Vec<P>, key: &str, pages: Pages) {
    for payment in page.into_iter().filter(|payment| payment.metadata().key() == Some(key)) {
        if own.as_ref().is_none_or(|known| known.rank(pages) < payment.rank(pages)) {
            *own = Some(payment);
        }
    }
}

/// What a walk through payments has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// All that the filter lets through.
    Span,
    /// All that there is: the gateway cannot filter.
    Everything,
    /// A part: there are too many.
    TooMany,
}

/// Shows the payments of a span to `visit`, with the call's requests up to number `end`.
pub(crate) fn list<P: Payment>(
    gateway: &mut Gateway<'_>,
    filter: &Form,
    end: u32,
    visit: &mut dyn FnMut(Vec<P>) -> Next,
) -> Result<Listed, PaymentError> {
    match walk(gateway, P::PATH, filter, end, P::id, &mut *visit)? {
        Walked::Through => return Ok(Listed::Span),
        Walked::TooMany => return Ok(Listed::TooMany),
        Walked::Refused(refusal) if refusal.status == 400 => {}
        Walked::Refused(refusal) => return Err(refused(&refusal)),
    }
    match walk(gateway, P::PATH, &Form::default(), end, P::id, visit)? {
        Walked::Through => Ok(Listed::Everything),
        Walked::TooMany => Ok(Listed::TooMany),
        Walked::Refused(refusal) => Err(refused(&refusal)),
    }
}

/// The payments between two instants, of one customer or of all.
pub(crate) fn filter(from: i64, until: i64, customer: Option<&str>) -> Form {
    let times = Form::default().with("created[gte]", &from.to_string()).with("created[lte]", &until.to_string());
    times.with_some("customer", customer)
}

/// The customer that the account's reference names.
pub(crate) fn customer(charge: &ChargeRef) -> Option<&str> {
    charge.method_reference.as_deref().and_then(Source::parse)?.customer
}

pub(crate) fn too_many(customer: Option<&str>) -> PaymentError {
    let message = match customer {
        Some(_) => "even of this customer there are more payments in that time than can be looked through",
        None => {
            "there are more payments in that time than can be looked through, about 5,800; name the customer too, as \
             `cus_…/pm_…`"
        }
    };
    unknown("too-many-payments", message.to_owned())
}

/// Tells a payment as what it is.
pub(crate) fn found<P: Payment>(
    gateway: &Gateway<'_>,
    payment: &P,
    charge: &ChargeRef,
    unreachable: Unreachable,
) -> Result<ChargeStatus, PaymentError> {
    let asked = asked(payment, charge);
    let outcome = payment.outcome(gateway, asked, unreachable)?;
    let lines = payment.metadata().lines().map(str::to_owned).collect();
    Ok(told(payment, asked, payment.money().0, lines, outcome))
}

/// How its answers are checked: one of the same lines under another key is told as what it is.
pub(crate) fn asked<'a, P: Payment>(payment: &'a P, charge: &'a ChargeRef) -> Asked<'a> {
    Asked {
        key: payment.metadata().key().unwrap_or_default(),
        minor_digits: charge.minor_digits,
        requested_at: &charge.requested_at,
    }
}

pub(crate) fn told<P: Payment>(
    payment: &P,
    asked: Asked<'_>,
    amount: i64,
    line_keys: Vec<String>,
    outcome: Outcome,
) -> ChargeStatus {
    let (_, currency) = payment.money();
    let known = [("key", payment.metadata().key()), ("order", payment.metadata().order())];
    ChargeStatus::Found(FoundCharge {
        reference: payment.id().to_owned(),
        amount: asked.decimal(amount, currency),
        currency: currency.to_ascii_uppercase(),
        outcome,
        line_keys,
        metadata: known.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned()))).collect(),
    })
}
