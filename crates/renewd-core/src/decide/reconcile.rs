//! What a gateway says of an attempt afterwards, and what follows. A doubt never becomes a decline before the gateway
//! must have shown the charge, and such a decline is looked after until it is believed.

use super::orders::find;
use super::settle::{checked, shown, succeeded};
use crate::event::Event;
use crate::ids::OrderId;
use crate::money::Money;
use crate::order::{Attempt, Order, OrderStatus, Outcome, Retry, follow_up, is_believed, next_look};
use crate::refusal::{Reason, Refusal};
use crate::state::State;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// A charge that a gateway knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCharge {
    /// The gateway's reference.
    pub reference: String,
    /// Its amount.
    pub amount: Money,
    /// What came of it.
    pub outcome: Outcome,
    /// Keys of its lines; none where the gateway keeps none.
    pub line_keys: Vec<String>,
    /// The idempotency key that it was made under, where the gateway keeps it.
    pub key: Option<String>,
}

impl FoundCharge {
    /// How the charge differs from an order, in words; none where it is the order's.
    pub fn differs_from(&self, order: &Order) -> Option<String> {
        if crate::planted::is("found-charge-unchecked") {
            return None;
        }
        if self.amount != order.total {
            return Some(format!("the gateway has `{}` over {}, not {}", self.reference, self.amount, order.total));
        }
        let wanted: BTreeSet<String> = order.lines.iter().map(|line| line.prepared.line_key().to_string()).collect();
        let found: BTreeSet<String> = self.line_keys.iter().cloned().collect();
        (!found.is_empty() && found != wanted)
            .then(|| format!("the gateway has `{}` over {} for other lines", self.reference, self.amount))
    }

    /// INVARIANT (one-payment-pays-once): whether it is another attempt's, so that it says nothing of this one: it was
    /// made under another key, or another attempt has its reference.
    fn is_of_another(&self, order: &Order, attempt: &Attempt) -> bool {
        let other_key = self.key.as_ref().is_some_and(|key| *key != attempt.key.to_string());
        let mut others = order.attempts.iter().filter(|other| other.number != attempt.number);
        let known = others.any(|other| other.reference() == Some(self.reference.as_str()));
        (other_key || known) && !crate::planted::is("found-charge-unchecked")
    }
}

/// What a gateway says when it is asked for a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It knows the charge.
    Found(FoundCharge),
    /// It does not know it.
    NotFound,
    /// It does not know it, or says that it failed, after it was asked to cancel it.
    Canceled,
    /// Nobody can tell.
    CannotTell {
        /// Why, in words.
        detail: String,
    },
}

impl Seen {
    /// Whether the gateway has shown money that was taken for declined, or may still be taken. Of two processes that
    /// asked at the same time one may have been told that there is none, and have believed it first.
    fn shows_money(&self, order: &Order, attempt: &Attempt) -> bool {
        let Self::Found(charge) = self else { return false };
        let is_known = matches!(attempt.outcome, Outcome::Succeeded { .. }) || attempt.method.method.is_balance();
        !charge.outcome.is_decline() && !is_known && !charge.is_of_another(order, attempt)
    }
}

/// One look at an attempt.
#[derive(Debug, Clone)]
pub struct Look<'a> {
    /// The order.
    pub order: &'a OrderId,
    /// The attempt's number.
    pub number: u32,
    /// What the gateway said.
    pub seen: Seen,
    /// Seconds after its request within which a charge may still be invisible.
    pub visibility_seconds: u64,
    /// Token of this process, for a refund that may follow.
    pub owner: &'a str,
}

/// Judges one look.
///
/// # Errors
/// No such order or attempt, or an attempt that is still in flight.
pub fn reconcile(state: &State, look: Look<'_>, now: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
    let order = find(state, look.order)?;
    let Some(attempt) = order.attempt(look.number).filter(|attempt| attempt.outcome != Outcome::InFlight) else {
        return Err(Refusal::new(
            Reason::OrderState,
            format!("order {} has no attempt {} whose outcome could be asked for", order.id, look.number),
        ));
    };
    if !attempt.is_looked_after() && !look.seen.shows_money(order, attempt) {
        return Ok(Vec::new());
    }
    let events = match look.seen {
        Seen::CannotTell { detail } => vec![undecided(order, attempt, detail, now)],
        Seen::NotFound => vec![not_found(order, attempt, look.visibility_seconds, now)],
        Seen::Canceled => vec![canceled(order, attempt, now)],
        // What follows a presumed decline is looked for until it is believed; whose end is not known must not be guessed at.
        Seen::Found(charge) if charge.is_of_another(order, attempt) => {
            let detail = format!("the gateway names `{}`, which is not this attempt's", charge.reference);
            match attempt.is_undecided() {
                true => vec![undecided(order, attempt, detail, now)],
                false => vec![not_found(order, attempt, look.visibility_seconds, now)],
            }
        }
        Seen::Found(charge) => match charge.differs_from(order) {
            // It may be money, so that no other charge is made beside it before that is clear.
            Some(detail) if !attempt.is_undecided() && !charge.outcome.is_decline() => {
                vec![shown(order, attempt, detail, charge.reference, next_look(now, attempt.checks))]
            }
            Some(detail) => vec![undecided(order, attempt, detail, now)],
            None => found(state, order, attempt, charge, look.owner, now),
        },
    };
    Ok(events)
}

fn found(
    state: &State,
    order: &Order,
    attempt: &Attempt,
    charge: FoundCharge,
    owner: &str,
    now: DateTime<Utc>,
) -> Vec<Event> {
    let waits = format!("the gateway still works on `{}`", charge.reference);
    match charge.outcome {
        Outcome::Succeeded { .. } => succeeded(state, order, attempt, charge.reference, owner, now),
        Outcome::Declined { .. } if attempt.is_undecided() => {
            // A cardholder who has a page may have tried again at the last moment.
            let acted = matches!(attempt.outcome, Outcome::RequiresAction { .. });
            vec![ended(order, attempt, charge.outcome, follow_up(now, 0).filter(|_| acted))]
        }
        Outcome::PriceMoved { .. } if attempt.is_undecided() => vec![ended(order, attempt, charge.outcome, None)],
        Outcome::Declined { message, .. } => vec![checked(order, attempt, format!("declined: {message}"), None)],
        Outcome::PriceMoved { actual } => {
            vec![checked(order, attempt, format!("the gateway would take {actual}"), None)]
        }
        Outcome::Pending { .. } | Outcome::RequiresAction { .. }
            if (attempt.is_undecided() || reopens(order, attempt)) && attempt.outcome != charge.outcome =>
        {
            vec![ended(order, attempt, charge.outcome, None)]
        }
        Outcome::Pending { .. } | Outcome::RequiresAction { .. } | Outcome::InFlight if attempt.is_undecided() => {
            vec![undecided(order, attempt, waits, now)]
        }
        Outcome::Pending { .. } | Outcome::RequiresAction { .. } | Outcome::InFlight => {
            vec![shown(order, attempt, waits, charge.reference, next_look(now, attempt.checks))]
        }
        // From here on the charge is acknowledged: that the gateway does not know it would be no decline.
        Outcome::Unknown { detail, .. } if matches!(attempt.outcome, Outcome::Unknown { reference: None, .. }) => {
            vec![ended(order, attempt, Outcome::Unknown { detail, reference: Some(charge.reference) }, None)]
        }
        Outcome::Unknown { detail, .. } => vec![undecided(order, attempt, detail, now)],
    }
}

/// Whether an order that was open for another attempt waits again for one that was taken for declined too early.
fn reopens(order: &Order, attempt: &Attempt) -> bool {
    order.status == OrderStatus::Open && order.last_attempt().is_some_and(|last| last.number == attempt.number)
}

/// INVARIANT (not-found): "not found" is no decline before the visibility window has passed, and none for a charge that
/// the gateway has acknowledged; a charge that it has once shown is asked for until it has ended.
fn not_found(order: &Order, attempt: &Attempt, visibility_seconds: u64, now: DateTime<Utc>) -> Event {
    let window = chrono::TimeDelta::try_seconds(i64::try_from(visibility_seconds).unwrap_or(i64::MAX));
    let visible = window.and_then(|window| attempt.started_at.checked_add_signed(window));
    let detail = "the gateway does not know the charge".to_owned();
    match &attempt.outcome {
        Outcome::Unknown { reference: None, .. } => match visible {
            Some(visible) if visible <= now || crate::planted::is("no-visibility-window") => {
                let message = "the gateway does not know it, and would by now";
                let follow = follow_up(now, 0).filter(|_| !crate::planted::is("no-follow-up"));
                ended(order, attempt, Outcome::declined("not-found", message, Retry::Later), follow)
            }
            Some(visible) => {
                let detail = "the gateway does not know the charge yet".to_owned();
                let next = visible.min(next_look(now, attempt.checks));
                checked(order, attempt, detail, Some(next))
            }
            None => undecided(order, attempt, detail, now),
        },
        Outcome::Unknown { reference: Some(_), .. }
        | Outcome::Pending { .. }
        | Outcome::RequiresAction { .. }
        | Outcome::InFlight => undecided(order, attempt, detail, now),
        Outcome::Declined { .. } if attempt.shown.is_some() => undecided(order, attempt, detail, now),
        Outcome::Succeeded { .. } | Outcome::Declined { .. } | Outcome::PriceMoved { .. } => {
            let again = (!is_believed(attempt.started_at, now)).then(|| next_look(now, attempt.checks));
            checked(order, attempt, detail, follow_up(now, attempt.checks.saturating_add(1)).or(again))
        }
    }
}

fn canceled(order: &Order, attempt: &Attempt, now: DateTime<Utc>) -> Event {
    if !attempt.is_undecided() {
        return checked(order, attempt, "canceled".to_owned(), None);
    }
    let outcome =
        Outcome::declined("action-expired", "nobody acted in time, and the charge was canceled", Retry::Later);
    ended(order, attempt, outcome, follow_up(now, 0))
}

/// A look that decided nothing: there will be another.
fn undecided(order: &Order, attempt: &Attempt, detail: String, now: DateTime<Utc>) -> Event {
    let next = next_look(now, attempt.checks);
    // What nobody acts on is canceled when its time has come, not a day later.
    let next = match attempt.outcome {
        Outcome::RequiresAction { expires, .. } if now < expires => next.min(expires),
        Outcome::RequiresAction { .. }
        | Outcome::InFlight
        | Outcome::Succeeded { .. }
        | Outcome::Declined { .. }
        | Outcome::Pending { .. }
        | Outcome::PriceMoved { .. }
        | Outcome::Unknown { .. } => next,
    };
    checked(order, attempt, detail, Some(next))
}

fn ended(order: &Order, attempt: &Attempt, result: Outcome, follow: Option<DateTime<Utc>>) -> Event {
    Event::AttemptEnded { order: order.id.clone(), number: attempt.number, result, follow }
}
