//! What follows from money that was taken: the order is settled and its terms extended, or the money goes back.

use crate::cover::Cover;
use crate::documents::Mode;
use crate::event::Event;
use crate::order::{Attempt, Order, Origin, Payment, Refund, RefundCause, RefundResult};
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
    if order.paid_by().is_some_and(|paid| paid.number == attempt.number) {
        return Vec::new();
    }
    let known = order.refunds.iter().any(|refund| refund.attempt == attempt.number);
    let extends = order
        .lines
        .iter()
        .all(|line| state.resources.get(&line.prepared.resource).is_some_and(|row| line.prepared.extends(row)));
    if !order.status.is_final() && extends && !known {
        return paid(state, order, attempt.number, reference);
    }
    let mut events =
        vec![Event::LateSuccess { order: order.id.clone(), number: attempt.number, reference: reference.clone() }];
    if !known {
        events.push(late_refund(order, attempt, reference, owner, now));
    }
    events
}

/// The intent to give back all of a charge that nothing was given for.
pub(super) fn late_refund(
    order: &Order,
    attempt: &Attempt,
    reference: String,
    owner: &str,
    now: DateTime<Utc>,
) -> Event {
    let number = u32::try_from(order.refunds.len()).unwrap_or(u32::MAX).saturating_add(1);
    let refund = Refund {
        number,
        key: order.refund_key(attempt, &RefundCause::LateSuccess, number),
        cause: RefundCause::LateSuccess,
        attempt: attempt.number,
        reference,
        amount: order.total,
        reason: format!("it succeeded when the order was already {}", order.status.as_str()),
        owner: owner.to_owned(),
        started_at: now,
        outcome: RefundResult::InFlight,
        checks: 0,
        next_check: None,
    };
    Event::RefundStarted { order: order.id.clone(), refund: Box::new(refund) }
}

/// The order is paid by this attempt: one record for money and terms, and what else follows.
pub(super) fn paid(state: &State, order: &Order, attempt: u32, reference: String) -> Vec<Event> {
    settled(state, order, Payment::Attempt { attempt, reference })
}

/// The order is settled; automatic renewals that did their number of times say so.
pub(super) fn settled(state: &State, order: &Order, payment: Payment) -> Vec<Event> {
    let mut events = vec![Event::OrderSettled { order: order.id.clone(), payment }];
    if order.origin != Origin::Auto {
        return events;
    }
    for line in &order.lines {
        let Some(resource) = state.resources.get(&line.prepared.resource) else { continue };
        let Some(policy) = Cover::find(resource, state.policies()).policy() else { continue };
        let renewals = resource.auto.renewals.saturating_add(1);
        let automatic = resource.chosen.as_ref().map_or(policy.mode, |chosen| chosen.mode) == Mode::Auto;
        if automatic && policy.auto.times == Some(renewals) {
            events.push(Event::AutoFinished { resource: resource.id.clone(), renewals });
        }
    }
    events
}
