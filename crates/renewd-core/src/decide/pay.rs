//! Paying orders: intents before a plugin is called, and what its answer means.

use super::place::same_renewal;
use crate::documents::AccountMethod;
use crate::event::Event;
use crate::ids::{Digest, MethodName, OrderId};
use crate::order::{ATTEMPTS_MAX, Attempt, Order, OrderStatus, Outcome, Payment, Retry};
use crate::quote::Quote;
use crate::refusal::{Reason, Refusal};
use crate::resource::Freeze;
use crate::state::State;
use chrono::{DateTime, Utc};

/// How an attempt is to be made.
#[derive(Debug, Clone)]
pub struct AttemptSpec {
    /// The method and the account's reference there.
    pub method: AccountMethod,
    /// Digest of the payment plugin's bytes; none for `balance`.
    pub plugin: Option<Digest>,
    /// The method's configuration.
    pub config: serde_json::Value,
    /// Token of this process.
    pub owner: String,
}

/// Decides whether an attempt may begin. `requotes` are the order's lines priced again from the documents in force.
///
/// An order of nothing is settled at once, and one that the balance pays is settled or declined at once, because no
/// plugin is asked; every other attempt is only begun.
///
/// # Errors
/// The order cannot be paid now: its state, an expiry that moved, a price that changed, a frozen resource.
pub fn start_attempt(
    state: &State,
    order: &OrderId,
    spec: AttemptSpec,
    requotes: &[Quote],
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Refusal> {
    let order = payable(state, order, now)?;
    check_lines(state, order, requotes)?;
    if order.total.is_zero() {
        return Ok(vec![Event::OrderSettled { order: order.id.clone(), payment: Payment::Nothing }]);
    }
    if ATTEMPTS_MAX <= order.attempts.len() {
        return Err(Refusal::new(Reason::OrderState, format!("order {} had {ATTEMPTS_MAX} attempts", order.id))
            .hint(format!("`renewd orders cancel {}`, then renew again", order.id)));
    }
    let number = u32::try_from(order.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
    let by_balance = spec.method.method.is_balance();
    let attempt = Attempt {
        number,
        key: order.payment_key(number),
        method: spec.method,
        plugin: spec.plugin,
        config: spec.config,
        owner: spec.owner,
        started_at: now,
        outcome: Outcome::InFlight,
    };
    let mut events = vec![Event::AttemptStarted { order: order.id.clone(), attempt: Box::new(attempt) }];
    if by_balance {
        events.push(pay_from_balance(state, order, number));
    }
    Ok(events)
}

fn payable<'a>(state: &'a State, id: &OrderId, now: DateTime<Utc>) -> Result<&'a Order, Refusal> {
    let order = super::orders::find(state, id)?;
    let refuse = |message: String| Refusal::new(Reason::OrderState, message);
    match &order.status {
        OrderStatus::Open if order.is_overdue(now) => {
            Err(refuse(format!("order {id} expired unpaid")).hint("renew its resources again"))
        }
        OrderStatus::Open => Ok(order),
        OrderStatus::Held => {
            Err(refuse(format!("order {id} is held: {}", holds(order))).hint(format!("`renewd orders approve {id}`")))
        }
        OrderStatus::Paying => Err(refuse(format!("order {id} is being paid by another process"))),
        OrderStatus::Unknown => {
            Err(Refusal::new(Reason::Frozen, format!("the last attempt to pay order {id} has an unknown outcome"))
                .hint(format!(
                    "find out at the gateway, then `renewd orders resolve {id} --as succeeded|declined --reason TEXT`"
                )))
        }
        OrderStatus::Settled { .. } => Err(refuse(format!("order {id} is already paid"))),
        OrderStatus::Canceled { .. } => Err(refuse(format!("order {id} was canceled"))),
        OrderStatus::Expired { .. } => {
            Err(refuse(format!("order {id} expired unpaid")).hint("renew its resources again"))
        }
    }
}

fn holds(order: &Order) -> String {
    order.holds.iter().map(|hold| hold.detail.as_str()).collect::<Vec<_>>().join("; ")
}

/// Checks that an order's lines can still be had as ordered. `requotes` are the lines priced again from the documents
/// in force.
///
/// # Errors
/// A resource that is gone, frozen or moved, or a line that would now be another.
pub fn check_lines(state: &State, order: &Order, requotes: &[Quote]) -> Result<(), Refusal> {
    for line in &order.lines {
        let id = &line.prepared.resource;
        let Some(resource) = state.resources.get(id) else {
            return Err(Refusal::new(Reason::NoResource, format!("there is no resource `{id}`")));
        };
        if let Some(freeze @ Freeze::ImportConflict { .. }) = &resource.freeze {
            let refusal = crate::quote::frozen_refusal(freeze);
            return Err(Refusal { message: format!("{id}: {}", refusal.message), ..refusal });
        }
        if !line.prepared.extends(resource) {
            return Err(Refusal::new(
                Reason::ExpiryMoved,
                format!(
                    "{id} now expires on {}, not on {} as ordered",
                    resource.end.expiry.rfc3339(),
                    line.prepared.old_end.expiry.rfc3339()
                ),
            )
            .hint(format!("`renewd orders cancel {}`, then renew again", order.id)));
        }
        match requotes.iter().find(|requote| requote.prepared.resource == *id) {
            Some(requote) if same_renewal(line, requote) => {}
            Some(requote) => return Err(changed(order, line, requote)),
            None => {
                return Err(Refusal::new(Reason::PriceChanged, format!("{id} can no longer be priced as ordered"))
                    .hint(format!("`renewd orders cancel {}`, then renew again", order.id)));
            }
        }
    }
    Ok(())
}

fn changed(order: &Order, line: &Quote, requote: &Quote) -> Refusal {
    let id = &line.prepared.resource;
    let message = if line.total == requote.total {
        format!(
            "{id} would now be extended to {}, not to {}",
            requote.prepared.new_expiry().rfc3339(),
            line.prepared.new_expiry().rfc3339()
        )
    } else {
        format!("{id} now costs {}, not {}", requote.total, line.total)
    };
    Refusal::new(Reason::PriceChanged, message)
        .hint(format!("`renewd orders cancel {}`, then renew again at the new price", order.id))
}

fn pay_from_balance(state: &State, order: &Order, number: u32) -> Event {
    let currency = order.total.currency();
    let balance = state
        .books
        .get(&order.account)
        .and_then(|book| book.balance.get(currency.code()))
        .copied()
        .unwrap_or(crate::money::Money::zero(currency));
    if balance.compare(order.total).is_ok_and(std::cmp::Ordering::is_lt) {
        return Event::AttemptEnded {
            order: order.id.clone(),
            number,
            result: Outcome::Declined {
                code: Reason::InsufficientBalance.as_str().to_owned(),
                message: format!("the balance is {balance}"),
                retry: Retry::Later,
            },
        };
    }
    Event::OrderSettled {
        order: order.id.clone(),
        payment: Payment::Attempt { attempt: number, reference: format!("balance-{}-{number}", order.id) },
    }
}

/// What a plugin's answer to an attempt means. An answer that only a later version can follow up (pending, action
/// required) is kept as unknown, so that nothing is charged twice meanwhile; another price holds the order.
///
/// # Errors
/// There is no such attempt in flight.
pub fn end_attempt(state: &State, order: &OrderId, number: u32, outcome: Outcome) -> Result<Vec<Event>, Refusal> {
    let order = super::orders::find(state, order)?;
    let in_flight =
        order.last_attempt().is_some_and(|attempt| attempt.number == number && attempt.outcome == Outcome::InFlight);
    if !in_flight {
        return Err(Refusal::new(Reason::OrderState, format!("order {} has no attempt {number} under way", order.id)));
    }
    let id = order.id.clone();
    let unknown =
        |detail: String| Event::AttemptEnded { order: id.clone(), number, result: Outcome::Unknown { detail } };
    let event = match outcome {
        Outcome::Succeeded { reference } => {
            Event::OrderSettled { order: id.clone(), payment: Payment::Attempt { attempt: number, reference } }
        }
        Outcome::Declined { .. } | Outcome::Unknown { .. } | Outcome::PriceMoved { .. } => {
            Event::AttemptEnded { order: id.clone(), number, result: outcome }
        }
        Outcome::InFlight => unknown("the plugin gave no answer".to_owned()),
        Outcome::Pending { reference } => unknown(format!("the payment is pending as `{reference}`")),
        Outcome::RequiresAction { url, .. } => unknown(format!("the payment needs a person at {url}")),
    };
    Ok(vec![event])
}

/// The event for an attempt whose process is gone: nobody knows whether it was paid.
pub fn abandoned(order: &Order) -> Option<Event> {
    let attempt = order.last_attempt().filter(|attempt| attempt.outcome == Outcome::InFlight)?;
    Some(Event::AttemptEnded {
        order: order.id.clone(),
        number: attempt.number,
        result: Outcome::Unknown { detail: "the process ended before the answer was recorded".to_owned() },
    })
}

/// The methods of an order that may still be tried: not those that said never, and only `only` where one is asked for.
pub fn usable_methods<'a>(order: &'a Order, only: Option<&'a MethodName>) -> Vec<&'a AccountMethod> {
    let refused = |method: &AccountMethod| {
        order.attempts.iter().any(|attempt| {
            attempt.method == *method && matches!(attempt.outcome, Outcome::Declined { retry: Retry::Never, .. })
        })
    };
    order
        .methods
        .iter()
        .filter(|method| only.is_none_or(|only| method.method == *only))
        .filter(|method| !refused(method))
        .collect()
}
