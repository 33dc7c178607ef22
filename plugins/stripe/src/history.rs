//! What a store asks that is new or was restored: whether anything in a long span already pays for a line.
//!
//! INVARIANT (not-found-is-proven): "not found" is only said after a walk to the end, through all payments of the span, or
//! through the customer's where there are more than the newest.
//!
//! INVARIANT (whole-span): the walk never stops early, not even at the own payment. A dead one of the own key says
//! nothing of another attempt that was paid.

use crate::find::{self, FAR, Listed, filter, list, too_many};
use crate::form::Form;
use crate::gateway::Gateway;
use crate::instant;
use crate::kept::{Kept, kept};
use crate::pages::{Next, PAYMENTS_END};
use crate::payment::{Pages, Payment, Rank, Unreachable};
use renewd_plugin_sdk::payment::{ChargeRef, ChargeStatus, Outcome, PaymentError, Retry, Success};
use renewd_plugin_sdk::words;

/// Pages of payments of all customers that are looked at beside the customer's.
const NEWEST_PAGES: u32 = 2;

/// Looks through everything since an instant.
pub(crate) fn find<P: Payment>(
    gateway: &mut Gateway<'_>,
    charge: &ChargeRef,
    since: &str,
) -> Result<ChargeStatus, PaymentError> {
    let mut seen = Seen::<P>::new(charge, Pages::of(&gateway.settings));
    if let Some(reference) = &charge.reference
        && let Some(payment) = find::by_reference(gateway, reference, charge)?
    {
        seen.add(payment);
    }
    let customer = find::customer(charge);
    let from = instant::parse(since).zip(instant::parse(&charge.requested_at));
    let span = |customer| match from {
        Some((since, at)) => filter(since.min(at.saturating_sub(FAR.before)), at.saturating_add(FAR.after), customer),
        None => Form::default().with_some("customer", customer),
    };
    // A lost store may have charged another customer of the same account, so the newest payments of all are looked at.
    // Where there are more, the customer that would be charged now is the one who must not be charged twice: every order
    // of a new store asks this, so that all there is would be too much.
    let newest = if customer.is_some() { gateway.requests.saturating_add(NEWEST_PAGES) } else { PAYMENTS_END };
    let mut listed = list::<P>(gateway, &span(None), newest, &mut |page| seen.page(page))?;
    if listed == Listed::TooMany && customer.is_some() {
        listed = list::<P>(gateway, &span(customer), PAYMENTS_END, &mut |page| seen.page(page))?;
    }
    seen.answer(gateway, listed != Listed::TooMany)
}

/// The payments that have the own key or share a line, each once.
struct Seen<'a, P> {
    charge: &'a ChargeRef,
    pages: Pages,
    paid: Vec<P>,
    open: Vec<P>,
    /// Only the own: somebody else's failure says nothing.
    dead: Option<P>,
}

impl<'a, P: Payment> Seen<'a, P> {
    fn new(charge: &'a ChargeRef, pages: Pages) -> Self {
        Self { charge, pages, paid: Vec::new(), open: Vec::new(), dead: None }
    }

    fn page(&mut self, page: Vec<P>) -> Next {
        page.into_iter().for_each(|payment| self.add(payment));
        Next::Page
    }

    fn add(&mut self, payment: P) {
        let own = self.is_own(&payment);
        if !own && !self.shares_one_of(payment.metadata().lines()) {
            return;
        }
        let same = match payment.rank(self.pages) {
            Rank::Paid => &mut self.paid,
            Rank::Open => &mut self.open,
            Rank::Dead if own => {
                self.dead = Some(payment);
                return;
            }
            Rank::Dead => return,
        };
        if same.iter().any(|known| known.id() == payment.id()) {
            return;
        }
        // The own one goes before those that are only alike.
        if own { same.insert(0, payment) } else { same.push(payment) }
    }

    fn is_own(&self, payment: &P) -> bool {
        payment.metadata().key() == Some(&self.charge.idempotency_key)
    }

    fn shares_one_of<'k>(&self, mut lines: impl Iterator<Item = &'k str>) -> bool {
        lines.any(|line| self.charge.line_keys.iter().any(|wanted| wanted == line))
    }

    /// Money that stands first, then what may become money, then what became of the own one.
    fn answer(self, gateway: &mut Gateway<'_>, whole: bool) -> Result<ChargeStatus, PaymentError> {
        let mut given_back: Option<&P> = None;
        for payment in &self.paid {
            match kept(gateway, payment)? {
                Kept::All => return find::found(gateway, payment, self.charge, Unreachable::IsPending),
                Kept::Part(amount, lines) if self.stands(payment, &lines) => {
                    return Ok(told_in_part(payment, self.charge, amount, lines));
                }
                Kept::Part(..) | Kept::Nothing if self.is_own(payment) => given_back = Some(payment),
                Kept::Part(..) | Kept::Nothing => {}
            }
        }
        if !whole {
            return Err(too_many(find::customer(self.charge)));
        }
        if let Some(payment) = self.open.first() {
            return find::found(gateway, payment, self.charge, Unreachable::IsPending);
        }
        // Before the dead one: its key has taken money, and the gateway would repeat that answer.
        if let Some(payment) = given_back {
            return Ok(told_given_back(payment, self.charge));
        }
        match &self.dead {
            Some(payment) => find::found(gateway, payment, self.charge, Unreachable::IsPending),
            None if self.charge.reference.is_some() => Err(find::reference_lost()),
            None => Ok(ChargeStatus::NotFound),
        }
    }

    /// Whether what was not given back pays for a line that is looked for; of the own one, any line is.
    fn stands(&self, payment: &P, lines: &[String]) -> bool {
        if self.is_own(payment) {
            let is_lineless = payment.metadata().lines().next().is_none();
            return is_lineless || !lines.is_empty();
        }
        self.shares_one_of(lines.iter().map(String::as_str))
    }
}

/// A payment of which a part went back is worth what is left, and pays for the lines that are left.
fn told_in_part<P: Payment>(payment: &P, charge: &ChargeRef, amount: i64, lines: Vec<String>) -> ChargeStatus {
    let asked = find::asked(payment, charge);
    let (_, currency) = payment.money();
    let rest = Success {
        reference: payment.id().to_owned(),
        amount: asked.decimal(amount, currency),
        currency: currency.to_ascii_uppercase(),
        metadata: Vec::new(),
    };
    find::told(payment, asked, amount, lines, Outcome::Succeeded(rest))
}

fn told_given_back<P: Payment>(payment: &P, charge: &ChargeRef) -> ChargeStatus {
    let message = "the payment was made and given back at the gateway";
    let decline = words::decline("refunded", message, Retry::Later);
    let lines = payment.metadata().lines().map(str::to_owned).collect();
    find::told(payment, find::asked(payment, charge), payment.money().0, lines, Outcome::Declined(decline))
}
