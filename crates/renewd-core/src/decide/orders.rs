//! What people and time do to orders: approve, cancel, resolve, top up, expire.

use super::settle::{can_extend, has_taken, holder, settled, succeeded};
use crate::event::Event;
use crate::ids::{AccountName, OrderId};
use crate::money::Money;
use crate::order::{Attempt, Order, OrderStatus, Outcome, Payment, RefundResult};
use crate::refusal::{Reason, Refusal};
use crate::state::State;
use chrono::{DateTime, Utc};

/// The order of an id.
pub(super) fn find<'a>(state: &'a State, id: &OrderId) -> Result<&'a Order, Refusal> {
    state.orders.get(id).ok_or_else(|| {
        Refusal::new(Reason::NoOrder, format!("there is no order `{id}`"))
            .hint("`renewd orders list --all` shows all of them")
    })
}

fn wrong_state(order: &Order, what: &str) -> Refusal {
    Refusal::new(Reason::OrderState, format!("order {} is {} and cannot be {what}", order.id, order.status.as_str()))
        .hint(format!("`renewd show {}` tells what happened to it", order.id))
}

/// Lets a held order be paid.
///
/// # Errors
/// No such order, it is not held, or its time has passed.
pub fn approve(state: &State, id: &OrderId, reason: Option<String>, now: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
    let order = find(state, id)?;
    if order.status != OrderStatus::Held {
        return Err(wrong_state(order, "approved"));
    }
    if order.is_overdue(now) {
        return Err(
            Refusal::new(Reason::OrderState, format!("order {id} expired unpaid")).hint("renew its resources again")
        );
    }
    Ok(vec![Event::OrderApproved { order: id.clone(), reason }])
}

/// Cancels an order that nobody is paying.
///
/// # Errors
/// No such order, it is final, or an attempt is under way or unknown.
pub fn cancel(state: &State, id: &OrderId, reason: Option<String>) -> Result<Vec<Event>, Refusal> {
    let order = find(state, id)?;
    match order.status {
        OrderStatus::Open | OrderStatus::Held => Ok(vec![Event::OrderCanceled { order: id.clone(), reason }]),
        OrderStatus::Unknown | OrderStatus::Pending | OrderStatus::Paying
            if crate::planted::is("cancel-while-open") =>
        {
            Ok(vec![Event::OrderCanceled { order: id.clone(), reason }])
        }
        OrderStatus::Unknown | OrderStatus::Pending => Err(wrong_state(order, "canceled").hint(format!(
            "`renewd run` asks the gateway again; or find out there, then `renewd orders resolve {id} --as succeeded|declined --reason TEXT`"
        ))),
        OrderStatus::Paying
        | OrderStatus::Settled { .. }
        | OrderStatus::Canceled { .. }
        | OrderStatus::Expired { .. } => Err(wrong_state(order, "canceled")),
    }
}

/// What a person found out about an unknown attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The money was taken.
    Succeeded {
        /// The gateway's reference.
        reference: Option<String>,
    },
    /// Nothing was taken.
    Declined,
}

/// Ends an unknown or pending outcome by what a person found out. A success that a person found, also for an attempt that
/// had been taken for declined, pays the order where it still can, and else goes back. A payment that an attempt is known
/// to have taken changes nothing.
///
/// # Errors
/// No such order, or nothing about it is unknown.
pub fn resolve(
    state: &State,
    id: &OrderId,
    resolution: Resolution,
    reason: String,
    owner: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Refusal> {
    let order = find(state, id)?;
    let Some(attempt) = order.last_attempt().filter(|attempt| attempt.outcome != Outcome::InFlight) else {
        return Err(wrong_state(order, "resolved"));
    };
    let number = attempt.number;
    let mut named = None;
    if let Resolution::Succeeded { reference: Some(reference) } = &resolution {
        if order.attempts.iter().any(|attempt| has_taken(attempt, reference)) {
            return Ok(Vec::new());
        }
        require_unused(state, order, reference)?;
        named = order.attempts.iter().find(|attempt| attempt.shown_charge() == Some(reference));
        if let Some(named) = named.filter(|_| attempt.is_undecided()) {
            return Err(charge_of_another(order, named, attempt, reference));
        }
    }
    match (resolution, attempt.is_undecided()) {
        (Resolution::Succeeded { reference }, true) if can_extend(state, order) => {
            Ok(settled(state, order, Payment::Resolved { attempt: number, reference, reason }, now))
        }
        (Resolution::Succeeded { reference: Some(reference) }, true) => {
            Ok(succeeded(state, order, attempt, reference, owner, now))
        }
        (Resolution::Succeeded { reference: None }, true) => Err(unnamed_charge(order)),
        (Resolution::Declined, true) => Ok(vec![Event::ResolvedDeclined { order: id.clone(), number, reason }]),
        // What is said of a refund that nobody knows the end of must not be taken for a charge.
        (Resolution::Succeeded { .. } | Resolution::Declined, false) if has_open_refund(order) => {
            Err(wrong_state(order, "resolved"))
        }
        (Resolution::Succeeded { reference: Some(reference) }, false) => match named.or_else(|| doubted(order)) {
            Some(attempt) => Ok(succeeded(state, order, attempt, reference, owner, now)),
            None => Err(wrong_state(order, "resolved")),
        },
        (Resolution::Succeeded { reference: None }, false) if doubted(order).is_some() => Err(unnamed_charge(order)),
        (Resolution::Succeeded { .. } | Resolution::Declined, false) => Err(wrong_state(order, "resolved")),
    }
}

/// INVARIANT (one-payment-pays-once): a payment that has paid an order pays no other, whatever a person read off a
/// dashboard. `state` has all orders.
fn require_unused(state: &State, order: &Order, reference: &str) -> Result<(), Refusal> {
    match holder(state, order, reference) {
        None => Ok(()),
        Some(other) => Err(Refusal::new(
            Reason::ReferenceReused,
            format!("`{reference}` is the payment of order {}, not of {}", other.id, order.id),
        )
        .hint("name the payment that carries this order; the next `renewd run` asks the gateway for it")),
    }
}

/// The gateway has shown the charge as that of an attempt before the last one, whose own would be forgotten.
fn charge_of_another(order: &Order, named: &Attempt, last: &Attempt, reference: &str) -> Refusal {
    let (id, last) = (&order.id, last.number);
    let message = format!(
        "`{reference}` is the charge of attempt {} of order {id}, and attempt {last} is not decided",
        named.number
    );
    Refusal::new(Reason::OrderState, message).hint(format!(
        "say first what became of attempt {last}: `renewd orders resolve {id} --as succeeded --reference ITS_OWN`, or `--as declined`"
    ))
}

fn unnamed_charge(order: &Order) -> Refusal {
    wrong_state(order, "resolved")
        .hint("name the charge at the gateway with `--reference`, so that it can be given back")
}

fn has_open_refund(order: &Order) -> bool {
    order.refunds.iter().any(|refund| !refund.outcome.is_final() && refund.outcome != RefundResult::InFlight)
}

/// The newest attempt that was taken for declined without the gateway having said so.
fn doubted(order: &Order) -> Option<&Attempt> {
    let presumed = ["not-found", "resolved", "action-expired"];
    order
        .attempts
        .iter()
        .rev()
        .find(|attempt| matches!(&attempt.outcome, Outcome::Declined { code, .. } if presumed.contains(&code.as_str())))
}

/// The events that expire every order whose time has passed.
pub fn expire_overdue<'a>(orders: impl IntoIterator<Item = &'a Order>, now: DateTime<Utc>) -> Vec<Event> {
    orders
        .into_iter()
        .filter(|order| {
            order.is_overdue(now)
                || (crate::planted::is("expires-while-open") && order.expires_at <= now && !order.status.is_final())
        })
        .map(|order| Event::OrderExpired { order: order.id.clone() })
        .collect()
}

/// Adds prepaid money. The same reference again changes nothing.
///
/// # Errors
/// No such account, another currency than the account's, nothing or less, or the reference was used with another amount.
pub fn top_up(state: &State, account: &AccountName, amount: Money, reference: String) -> Result<Vec<Event>, Refusal> {
    let Some(document) = state.account(account) else {
        return Err(Refusal::new(Reason::NoAccount, format!("there is no account `{account}`"))
            .hint("the names are those of the Account documents that were applied"));
    };
    if document.currency != amount.currency() {
        return Err(Refusal::new(
            Reason::CurrencyMismatch,
            format!("account {account} pays in {}, not in {}", document.currency, amount.currency()),
        )
        .hint(format!("top it up in {}", document.currency)));
    }
    if amount.is_zero() || amount.is_negative() {
        return Err(Refusal::new(Reason::OrderState, format!("{amount} is not an amount to add")));
    }
    match state.topups.get(&(account.clone(), reference.clone())) {
        Some(before) if *before == amount && !crate::planted::is("topup-twice") => Ok(Vec::new()),
        Some(_) if crate::planted::is("topup-twice") => {
            Ok(vec![Event::BalanceToppedUp { account: account.clone(), amount, reference }])
        }
        Some(before) => Err(Refusal::new(
            Reason::ReferenceReused,
            format!("reference `{reference}` was used for {before}, not {amount}"),
        )
        .hint("a new payment needs a reference of its own")),
        None => {
            let sum = state
                .books
                .get(account)
                .and_then(|book| book.balance.get(amount.currency().code()))
                .map_or(Ok(amount), |balance| balance.plus(amount));
            sum.map_err(|error| Refusal::new(Reason::OrderState, error.to_string()))?;
            Ok(vec![Event::BalanceToppedUp { account: account.clone(), amount, reference }])
        }
    }
}
