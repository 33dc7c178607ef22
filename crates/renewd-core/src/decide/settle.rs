//! What follows from money that was taken: the order is settled and its terms extended, or the money goes back.

use crate::cover::{Cover, mode_of};
use crate::documents::Mode;
use crate::event::Event;
use crate::money::Money;
use crate::order::{Attempt, Order, Origin, Outcome, Payment, Refund, RefundCause, RefundResult, next_look};
use crate::state::State;
use chrono::{DateTime, Utc};

/// An attempt succeeded.
///
/// INVARIANT (money-has-an-end): every successful charge ends in exactly one extension or a refund.
pub(super) fn succeeded(
    state: &State,
    order: &Order,
    attempt: &Attempt,
    reference: String,
    owner: &str,
    now: DateTime<Utc>,
) -> Vec<Event> {
    if matches!(attempt.outcome, Outcome::Succeeded { .. }) {
        return Vec::new();
    }
    if let Some(other) = order.attempts.iter().find(|it| it.number != attempt.number && has_taken(it, &reference)) {
        return vec![of_another(order, attempt, other, &reference, now)];
    }
    if let Some(last) = order.last_attempt().filter(|last| attempt.number < last.number && last.is_undecided()) {
        // Which of two charges pays the order is not clear before the later one has ended.
        let detail = format!("it succeeded as `{reference}`, and attempt {} is not decided", last.number);
        return vec![shown(order, attempt, detail, reference, next_look(now, 0))];
    }
    let is_final = order.status.is_final() && !crate::planted::is("final-not-final");
    if !is_final && can_extend(state, order) {
        return paid(state, order, attempt.number, reference, now);
    }
    let late = Event::LateSuccess { order: order.id.clone(), number: attempt.number, reference: reference.clone() };
    if crate::planted::is("late-success-kept") {
        return vec![late];
    }
    vec![late, late_refund(order, attempt, (reference, order.total), owner, now)]
}

/// Whether an attempt is known to have taken the money of a reference.
pub(super) fn has_taken(attempt: &Attempt, reference: &str) -> bool {
    matches!(&attempt.outcome, Outcome::Succeeded { reference: known } if known == reference)
}

/// INVARIANT (one-payment-pays-once): the other order of which this is the payment. `state` has all orders.
pub(super) fn holder<'a>(state: &'a State, order: &Order, reference: &str) -> Option<&'a Order> {
    let takes = |other: &&Order| other.id != order.id && other.attempts.iter().any(|it| has_taken(it, reference));
    state.orders.values().find(takes)
}

/// INVARIANT (one-payment-pays-once): money that another attempt has taken is not this one's, and is never given back
/// for it.
fn of_another(order: &Order, attempt: &Attempt, other: &Attempt, reference: &str, now: DateTime<Utc>) -> Event {
    let detail = format!("the gateway names `{reference}`, which attempt {} has taken", other.number);
    if attempt.outcome == Outcome::InFlight {
        return Event::AttemptEnded {
            order: order.id.clone(),
            number: attempt.number,
            result: Outcome::unknown(detail),
            follow: None,
        };
    }
    checked(order, attempt, detail, attempt.is_undecided().then(|| next_look(now, attempt.checks)))
}

/// A look that decided nothing.
pub(super) fn checked(order: &Order, attempt: &Attempt, detail: String, next: Option<DateTime<Utc>>) -> Event {
    Event::AttemptChecked { order: order.id.clone(), number: attempt.number, detail, next, shown: None }
}

/// A look that decided nothing, but in which the gateway has shown a charge.
pub(super) fn shown(order: &Order, attempt: &Attempt, detail: String, charge: String, next: DateTime<Utc>) -> Event {
    let (order, next) = (order.id.clone(), Some(next));
    Event::AttemptChecked { order, number: attempt.number, detail, next, shown: Some(charge) }
}

/// Whether every resource of an order still stands where the order would extend it from.
pub(super) fn can_extend(state: &State, order: &Order) -> bool {
    order
        .lines
        .iter()
        .all(|line| state.resources.get(&line.prepared.resource).is_some_and(|row| line.prepared.extends(row)))
}

/// The intent to give back a charge that nothing was given for.
pub(super) fn late_refund(
    order: &Order,
    attempt: &Attempt,
    (reference, amount): (String, Money),
    owner: &str,
    now: DateTime<Utc>,
) -> Event {
    let reason = if order.status.is_final() {
        format!("it succeeded when the order was already {}", order.status.as_str())
    } else {
        "it succeeded when what was ordered could no longer be extended".to_owned()
    };
    let number = u32::try_from(order.refunds.len()).unwrap_or(u32::MAX).saturating_add(1);
    let refund = Refund {
        number,
        key: order.refund_key(attempt, &RefundCause::LateSuccess, amount),
        cause: RefundCause::LateSuccess,
        attempt: attempt.number,
        reference,
        amount,
        reason,
        owner: owner.to_owned(),
        started_at: now,
        outcome: RefundResult::InFlight,
        checks: 0,
        next_check: None,
    };
    Event::RefundStarted { order: order.id.clone(), refund: Box::new(refund) }
}

/// The order is paid by this attempt: one record for money and terms, and what else follows.
pub(super) fn paid(state: &State, order: &Order, attempt: u32, reference: String, now: DateTime<Utc>) -> Vec<Event> {
    settled(state, order, Payment::Attempt { attempt, reference }, now)
}

/// The order is settled; automatic renewals that did their number of times say so.
pub(super) fn settled(state: &State, order: &Order, payment: Payment, now: DateTime<Utc>) -> Vec<Event> {
    let mut events = vec![Event::OrderSettled { order: order.id.clone(), payment }];
    if order.origin != Origin::Auto {
        return events;
    }
    for line in &order.lines {
        let Some(resource) = state.resources.get(&line.prepared.resource) else { continue };
        let cover = Cover::find(resource, state.policies());
        let Some(policy) = cover.policy() else { continue };
        let renewals = resource.auto.renewals.saturating_add(1);
        let (mode, _) = mode_of(resource, &cover, now);
        if mode == Mode::Auto && policy.auto.times == Some(renewals) {
            events.push(Event::AutoFinished { resource: resource.id.clone(), renewals });
        }
    }
    events
}
