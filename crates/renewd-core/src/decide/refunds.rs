//! Giving money back: per line, the newest renewal only, never more than was paid, each with an intent of its own.

use super::orders::find;
use super::settle::late_refund;
use crate::event::Event;
use crate::ids::{OrderId, ResourceId};
use crate::money::Money;
use crate::order::{Attempt, Order, OrderStatus, Outcome, Refund, RefundCause, RefundResult, next_look};
use crate::quote::Quote;
use crate::refusal::{Reason, Refusal};
use crate::state::State;
use chrono::{DateTime, Utc};

/// What a person wants back.
#[derive(Debug, Clone)]
pub struct RefundAsk {
    /// The line.
    pub resource: ResourceId,
    /// How much; all that is left of the line where absent.
    pub amount: Option<Money>,
    /// Why.
    pub reason: String,
    /// Token of this process.
    pub owner: String,
}

/// Begins to give back one line. What was paid from the balance is back at once.
///
/// # Errors
/// The order is not paid, nothing is left to give back, the line is not the resource's newest renewal, or the resource
/// is in use.
pub fn refund_line(state: &State, order: &OrderId, ask: RefundAsk, now: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
    let order = find(state, order)?;
    let refuse = |reason, message: String| Err(Refusal::new(reason, message));
    if !matches!(order.status, OrderStatus::Settled { .. }) {
        return refuse(Reason::OrderState, format!("order {} is {}, not paid", order.id, order.status.as_str()));
    }
    let Some(attempt) = order.paid_by() else {
        return refuse(Reason::NothingToRefund, format!("nothing was paid for order {}", order.id));
    };
    let Some(line) = order.line(&ask.resource) else {
        return refuse(Reason::NoResource, format!("order {} has no line for {}", order.id, ask.resource));
    };
    let Some(reference) = attempt.reference().filter(|reference| !reference.is_empty()) else {
        let refusal = Refusal::new(
            Reason::NothingToRefund,
            format!("the gateway's reference of the payment of order {} is not known", order.id),
        );
        return Err(refusal.hint("give it back at the gateway"));
    };
    check_line(state, order, line)?;
    let amount = amount_back(order, line, ask.amount)?;
    let number = u32::try_from(order.refunds.len()).unwrap_or(u32::MAX).saturating_add(1);
    let cause = RefundCause::Line { resource: ask.resource };
    let refund = Refund {
        number,
        key: order.refund_key(attempt, &cause, amount),
        cause,
        attempt: attempt.number,
        reference: reference.to_owned(),
        amount,
        reason: ask.reason,
        owner: ask.owner,
        started_at: now,
        outcome: RefundResult::InFlight,
        checks: 0,
        next_check: None,
    };
    let mut events = vec![Event::RefundStarted { order: order.id.clone(), refund: Box::new(refund) }];
    if attempt.method.method.is_balance() {
        let result = RefundResult::Refunded { refund_reference: format!("balance-{}-refund-{number}", order.id) };
        events.push(Event::RefundEnded { order: order.id.clone(), number, result });
    }
    Ok(events)
}

fn amount_back(order: &Order, line: &Quote, asked: Option<Money>) -> Result<Money, Refusal> {
    let sums = |error: crate::money::MoneyError| Refusal::new(Reason::NothingToRefund, error.to_string());
    let back = order.refunded(&line.prepared.resource).map_err(sums)?;
    let left = line.total.minus(back).map_err(sums)?;
    within(order, (left, line.total), asked, line.prepared.resource.as_str())
}

/// What is asked for of what is left, or all of that.
fn within(order: &Order, (left, total): (Money, Money), asked: Option<Money>, what: &str) -> Result<Money, Refusal> {
    let amount = asked.unwrap_or(left);
    if amount.currency() != left.currency() {
        return Err(Refusal::new(
            Reason::CurrencyMismatch,
            format!("order {} was paid in {}, not in {}", order.id, left.currency(), amount.currency()),
        ));
    }
    if crate::planted::is("refund-without-cap") {
        return Ok(amount);
    }
    if left.is_zero() && asked.is_none() {
        let message = format!("all of {total} for {what} has gone back already");
        return Err(Refusal::new(Reason::NothingToRefund, message));
    }
    if amount.is_zero() || amount.is_negative() || amount.compare(left).is_ok_and(std::cmp::Ordering::is_gt) {
        return Err(Refusal::new(
            Reason::NothingToRefund,
            format!("{left} of {total} can be given back for {what}, not {amount}"),
        ));
    }
    Ok(amount)
}

fn check_line(state: &State, order: &Order, line: &Quote) -> Result<(), Refusal> {
    let id = &line.prepared.resource;
    let of_line = || order.refunds.iter().filter(|refund| refund.line() == Some(id));
    if let Some(open) = of_line().find(|refund| !refund.outcome.is_final()) {
        return Err(Refusal::new(
            Reason::OrderState,
            format!("refund {} of {id} in order {} is not finished", open.number, order.id),
        )
        .hint("`renewd run` asks the gateway again"));
    }
    let Some(resource) = state.resources.get(id) else {
        return Err(Refusal::new(Reason::NoResource, format!("there is no resource `{id}`")));
    };
    if order.is_undone(id) {
        return Ok(());
    }
    if !resource.ends_with(&line.prepared) && !crate::planted::is("refund-of-any-renewal") {
        return Err(Refusal::new(
            Reason::ExpiryMoved,
            format!("{id} expires on {}: order {} is not its newest renewal", resource.end.expiry.rfc3339(), order.id),
        )
        .hint("give back its newest renewal first"));
    }
    if let Some(freeze) = &resource.freeze {
        return Err(crate::quote::frozen_refusal(freeze));
    }
    if let Some(open) = resource.open_order.as_ref().filter(|_| !crate::planted::is("refund-under-open-order")) {
        return Err(Refusal::new(Reason::OpenOrder, format!("{id} is in the open order {open}"))
            .hint(format!("`renewd orders cancel {open}` first")));
    }
    Ok(())
}

fn open_refund(order: &Order, number: u32) -> Result<&Refund, Refusal> {
    order.refunds.iter().find(|refund| refund.number == number && !refund.outcome.is_final()).ok_or_else(|| {
        Refusal::new(Reason::OrderState, format!("order {} has no unfinished refund {number}", order.id))
    })
}

/// What a plugin's first answer to a refund means.
///
/// # Errors
/// No such refund is under way.
pub fn end_refund(state: &State, order: &OrderId, number: u32, result: RefundResult) -> Result<Vec<Event>, Refusal> {
    let order = find(state, order)?;
    open_refund(order, number)?;
    let result = match result {
        RefundResult::InFlight => RefundResult::Unknown { detail: "the plugin gave no answer".to_owned() },
        RefundResult::Refunded { .. }
        | RefundResult::Declined { .. }
        | RefundResult::Pending { .. }
        | RefundResult::Unknown { .. } => result,
    };
    Ok(vec![Event::RefundEnded { order: order.id.clone(), number, result }])
}

/// What asking again with the same key means. `key_holds`: the gateway surely still knows the key, so that it repeats
/// its first answer; later a decline may only mean that the money has gone back already, and a person must look.
///
/// # Errors
/// No such refund is unfinished.
pub fn check_refund(
    state: &State,
    order: &OrderId,
    number: u32,
    result: RefundResult,
    key_holds: bool,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Refusal> {
    let order = find(state, order)?;
    let refund = open_refund(order, number)?;
    let again = |detail: String| Event::RefundChecked {
        order: order.id.clone(),
        number,
        detail,
        next: Some(next_look(now, refund.checks)),
    };
    let event = match result {
        RefundResult::Refunded { .. } => Event::RefundEnded { order: order.id.clone(), number, result },
        RefundResult::Declined { .. } if key_holds => Event::RefundEnded { order: order.id.clone(), number, result },
        RefundResult::Declined { message, .. } => again(format!("declined, perhaps because it went back: {message}")),
        RefundResult::Pending { .. } if !matches!(refund.outcome, RefundResult::Pending { .. }) => {
            Event::RefundEnded { order: order.id.clone(), number, result }
        }
        RefundResult::Pending { .. } => again("the gateway still works on it".to_owned()),
        RefundResult::InFlight => again("the plugin gave no answer".to_owned()),
        RefundResult::Unknown { detail } => again(detail),
    };
    Ok(vec![event])
}

/// Ends refunds whose end nobody knows by what a person found out.
///
/// # Errors
/// No such order, or nothing about its refunds is unknown.
pub fn resolve_refunds(
    state: &State,
    order: &OrderId,
    went_back: bool,
    reference: Option<String>,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let order = find(state, order)?;
    let open = order.refunds.iter().filter(|it| !it.outcome.is_final() && it.outcome != RefundResult::InFlight);
    let events: Vec<Event> = open
        .map(|refund| {
            let result = if went_back {
                RefundResult::Refunded { refund_reference: reference.clone().unwrap_or_else(|| reason.to_owned()) }
            } else {
                RefundResult::Declined { code: "resolved".to_owned(), message: reason.to_owned() }
            };
            Event::RefundEnded { order: order.id.clone(), number: refund.number, result }
        })
        .collect();
    if events.is_empty() {
        return Err(Refusal::new(Reason::OrderState, format!("nothing about order {} is unknown", order.id))
            .hint(format!("`renewd show {}` tells what happened to it", order.id)));
    }
    Ok(events)
}

/// The events for refunds whose process is gone: nobody knows whether the money went back.
pub fn abandoned_refund<'a>(
    order: &'a Order,
    alive: impl Fn(&Refund) -> bool + 'a,
) -> impl Iterator<Item = Event> + 'a {
    let in_flight = order.refunds.iter().filter(|refund| refund.outcome == RefundResult::InFlight);
    in_flight.filter(move |refund| !alive(refund)).map(|refund| Event::RefundEnded {
        order: order.id.clone(),
        number: refund.number,
        result: RefundResult::Unknown { detail: "the process ended before the answer was recorded".to_owned() },
    })
}

/// The charge of an order that came too late and has not gone back: its attempt and reference.
pub fn late_charge(order: &Order) -> Option<(&Attempt, &str)> {
    order.attempts.iter().find_map(|attempt| {
        let Outcome::Succeeded { reference } = &attempt.outcome else { return None };
        let is_late = order.paid_by().is_none_or(|paid| paid.number != attempt.number);
        let went_back = |it: &Refund| matches!(it.outcome, RefundResult::Refunded { .. });
        let is_back = order.refunds.iter().any(|refund| refund.attempt == attempt.number && went_back(refund));
        (is_late && !is_back).then_some((attempt, reference.as_str()))
    })
}

/// Tries again to give back a charge that succeeded too late and whose refund the gateway declined: all of it, or less
/// where a part has gone back already, as after a store was restored. Nothing where the order has no such charge.
///
/// # Errors
/// No such order, or the charge took less.
pub fn retry_late_refund(
    state: &State,
    order: &OrderId,
    amount: Option<Money>,
    owner: &str,
    now: DateTime<Utc>,
) -> Result<Option<Vec<Event>>, Refusal> {
    let order = find(state, order)?;
    let is_declined = |attempt: &Attempt| {
        let mut of_attempt = order.refunds.iter().filter(|refund| refund.attempt == attempt.number);
        of_attempt.all(|refund| matches!(refund.outcome, RefundResult::Declined { .. }))
    };
    let Some((attempt, reference)) = late_charge(order).filter(|(attempt, _)| is_declined(attempt)) else {
        return Ok(None);
    };
    let amount = within(order, (order.total, order.total), amount, "its late charge")?;
    Ok(Some(vec![late_refund(order, attempt, (reference.to_owned(), amount), owner, now)]))
}
