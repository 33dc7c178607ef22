//! What became of a charge: looked up by its reference, else among all payments around the time of the request.
//!
//! Nothing is sent again, and the gateway's search is not asked: it lags behind, and a list does not.
//!
//! INVARIANT (not-found-is-proven): "not found" is only said after a list was walked to its end.

use crate::charge::Asked;
use crate::form::Form;
use crate::gateway::{Answer, Gateway, Http, refused, unknown};
use crate::labels::Metadata;
use crate::pages::{Next, Walked, walk};
use crate::settings::Mode;
use crate::source::Source;
use crate::wire::{Charge, ChargeStatus as Status, Intent, IntentStatus, Latest};
use crate::{charges, instant, intents};
use renewd_plugin_sdk::payment::{ChargeRef, ChargeStatus, FoundCharge, Outcome, PaymentError};
use serde::de::DeserializeOwned;

/// Where a charge almost always is; a look at more costs more pages.
const NEAR: Span = Span { before: 15 * 60, after: 15 * 60 };
/// Where it can be when the clocks here and there differ, or the request waited in a queue.
const FAR: Span = Span { before: 24 * 3600, after: 48 * 3600 };

/// Seconds around the request.
#[derive(Debug, Clone, Copy)]
struct Span {
    before: i64,
    after: i64,
}

/// A payment, of either mode.
pub(crate) trait Payment: DeserializeOwned {
    /// Where the gateway lists them.
    const PATH: &'static str;
    /// The gateway's name for it.
    fn id(&self) -> &str;
    /// The path of one of them.
    fn path_of(id: &str) -> String;
    /// What it carries.
    fn metadata(&self) -> &Metadata;
    /// How much it matters among several of the same key.
    fn rank(&self) -> Rank;
    /// The whole money went back; `None` when that has to be asked of the charge named.
    fn refunded(&self) -> Result<bool, &str>;
    /// Amount and currency, as the gateway says them.
    fn money(&self) -> (i64, &str);
    /// What has become of it.
    fn outcome(&self, gateway: &Gateway<'_>, asked: Asked<'_>) -> Result<Outcome, PaymentError>;
}

/// Whether money was taken: none, perhaps, yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Dead,
    Open,
    Paid,
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
    let mut look = Look::<P>::new(charge, true);
    locate(gateway, charge, &mut look)?;
    if let Some(payment) = look.own {
        return found(gateway, &payment, charge);
    }
    while let Some(payment) = look.alike.pop() {
        if !is_refunded(gateway, &payment)? {
            return found(gateway, &payment, charge);
        }
    }
    Ok(ChargeStatus::NotFound)
}

/// The payment with exactly this key.
pub(crate) fn own<P: Payment>(gateway: &mut Gateway<'_>, charge: &ChargeRef) -> Result<Option<P>, PaymentError> {
    let mut look = Look::<P>::new(charge, false);
    locate(gateway, charge, &mut look)?;
    Ok(look.own)
}

fn locate<P: Payment>(
    gateway: &mut Gateway<'_>,
    charge: &ChargeRef,
    look: &mut Look<'_, P>,
) -> Result<(), PaymentError> {
    if let Some(reference) = &charge.reference {
        look.own = by_reference(gateway, reference, charge)?;
    }
    if look.own.is_none() {
        by_time(gateway, charge, look)?;
    }
    if look.own.is_none() && charge.reference.is_some() {
        return Err(unknown(
            "reference-lost",
            "the gateway once named this payment, and now does not know it".to_owned(),
        ));
    }
    Ok(())
}

fn by_reference<P: Payment>(
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

/// Near the request first, then farther, then everything where the gateway cannot filter.
fn by_time<P: Payment>(
    gateway: &mut Gateway<'_>,
    charge: &ChargeRef,
    look: &mut Look<'_, P>,
) -> Result<(), PaymentError> {
    let source = charge.method_reference.as_deref().and_then(Source::parse);
    let customer = source.and_then(|source| source.customer);
    let since = charge.since.as_deref().and_then(instant::parse);
    if let Some(at) = instant::parse(&charge.requested_at) {
        let near = filter(at.saturating_sub(NEAR.before), at.saturating_add(NEAR.after), customer);
        if !walked::<P>(gateway, &near, look)? {
            return everything(gateway, look);
        }
        if look.own.is_some() {
            return Ok(());
        }
        // A lost store may have charged another customer of the same account.
        let customer = if since.is_some() { None } else { customer };
        let from = at.saturating_sub(FAR.before).min(since.unwrap_or(i64::MAX));
        let far = filter(from, at.saturating_add(FAR.after), customer);
        if walked::<P>(gateway, &far, look)? {
            return Ok(());
        }
    }
    everything(gateway, look)
}

fn everything<P: Payment>(gateway: &mut Gateway<'_>, look: &mut Look<'_, P>) -> Result<(), PaymentError> {
    match walk(gateway, P::PATH, &Form::default(), P::id, |page| look.at(page))? {
        Walked::Through => Ok(()),
        Walked::Refused(refusal) => Err(refused(&refusal)),
    }
}

/// Whether the gateway understands the filter; if it does, everything in it was seen.
fn walked<P: Payment>(gateway: &mut Gateway<'_>, filter: &Form, look: &mut Look<'_, P>) -> Result<bool, PaymentError> {
    match walk(gateway, P::PATH, filter, P::id, |page| look.at(page))? {
        Walked::Through => Ok(true),
        Walked::Refused(refusal) if refusal.status == 400 => Ok(false),
        Walked::Refused(refusal) => Err(refused(&refusal)),
    }
}

fn filter(from: i64, until: i64, customer: Option<&str>) -> Form {
    let times = Form::default().with("created[gte]", &from.to_string()).with("created[lte]", &until.to_string());
    times.with_some("customer", customer)
}

/// What is looked for, and what was seen of it.
struct Look<'a, P> {
    key: &'a str,
    /// Keys of lines, of which one is enough; empty when only the key counts.
    lines: &'a [String],
    own: Option<P>,
    alike: Vec<P>,
}

impl<'a, P: Payment> Look<'a, P> {
    fn new(charge: &'a ChargeRef, by_lines: bool) -> Self {
        let lines: &[String] = if by_lines { &charge.line_keys } else { &[] };
        Self { key: &charge.idempotency_key, lines, own: None, alike: Vec::new() }
    }

    fn at(&mut self, page: Vec<P>) -> Next {
        for payment in page {
            if payment.metadata().key() == Some(self.key) {
                if self.own.as_ref().is_none_or(|known| known.rank() < payment.rank()) {
                    self.own = Some(payment);
                }
            } else if payment.rank() > Rank::Dead && self.shares_a_line(&payment) && !self.knows(&payment) {
                self.alike.push(payment);
            }
        }
        if self.own.is_some() { Next::Stop } else { Next::Page }
    }

    fn shares_a_line(&self, payment: &P) -> bool {
        payment.metadata().lines().any(|line| self.lines.iter().any(|wanted| wanted == line))
    }

    fn knows(&self, payment: &P) -> bool {
        self.alike.iter().any(|known| known.id() == payment.id())
    }
}

fn is_refunded<P: Payment>(gateway: &mut Gateway<'_>, payment: &P) -> Result<bool, PaymentError> {
    let name = match payment.refunded() {
        Ok(refunded) => return Ok(refunded),
        Err(name) => name.to_owned(),
    };
    match gateway.get::<Charge>(&charges::path_of(&name), &Form::default())? {
        Answer::Done(charge) if charge.id == name => Ok(charge.refunded),
        Answer::Done(_) => Err(unknown("foreign-reply", "the gateway's reply is that of another charge".to_owned())),
        Answer::Refused(refusal) => Err(refused(&refusal)),
    }
}

fn found<P: Payment>(gateway: &Gateway<'_>, payment: &P, charge: &ChargeRef) -> Result<ChargeStatus, PaymentError> {
    let (amount, currency) = payment.money();
    let asked = Asked {
        // A payment of the same lines under another key is told as what it is.
        key: payment.metadata().key().unwrap_or_default(),
        minor_digits: charge.minor_digits,
        requested_at: &charge.requested_at,
    };
    let known = [("key", payment.metadata().key()), ("order", payment.metadata().order())];
    Ok(ChargeStatus::Found(FoundCharge {
        reference: payment.id().to_owned(),
        amount: asked.decimal(amount, currency),
        currency: currency.to_ascii_uppercase(),
        outcome: payment.outcome(gateway, asked)?,
        line_keys: payment.metadata().lines().map(str::to_owned).collect(),
        metadata: known.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned()))).collect(),
    }))
}

impl Payment for Intent {
    const PATH: &'static str = intents::PATH;

    fn id(&self) -> &str {
        &self.id
    }

    fn path_of(id: &str) -> String {
        intents::path_of(id)
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn rank(&self) -> Rank {
        match self.status {
            IntentStatus::Succeeded => Rank::Paid,
            IntentStatus::Canceled | IntentStatus::RequiresPaymentMethod => Rank::Dead,
            IntentStatus::Processing
            | IntentStatus::RequiresAction
            | IntentStatus::RequiresCapture
            | IntentStatus::RequiresConfirmation
            | IntentStatus::Other => Rank::Open,
        }
    }

    fn refunded(&self) -> Result<bool, &str> {
        match &self.latest_charge {
            Some(Latest::Name(name)) => Err(name),
            Some(Latest::Whole { refunded }) => Ok(*refunded),
            None => Ok(false),
        }
    }

    fn money(&self) -> (i64, &str) {
        (self.amount, &self.currency)
    }

    fn outcome(&self, gateway: &Gateway<'_>, asked: Asked<'_>) -> Result<Outcome, PaymentError> {
        Ok(intents::outcome(gateway, self, asked)?.unwrap_or_else(|| intents::pending(self)))
    }
}

impl Payment for Charge {
    const PATH: &'static str = charges::PATH;

    fn id(&self) -> &str {
        &self.id
    }

    fn path_of(id: &str) -> String {
        charges::path_of(id)
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn rank(&self) -> Rank {
        match self.status {
            Status::Succeeded => Rank::Paid,
            Status::Failed => Rank::Dead,
            Status::Pending | Status::Other => Rank::Open,
        }
    }

    fn refunded(&self) -> Result<bool, &str> {
        Ok(self.refunded)
    }

    fn money(&self) -> (i64, &str) {
        (self.amount, &self.currency)
    }

    fn outcome(&self, _gateway: &Gateway<'_>, asked: Asked<'_>) -> Result<Outcome, PaymentError> {
        charges::outcome(self, asked)
    }
}
