//! Paying orders: intents before a plugin is called, and what its answer means.

use super::place::same_renewal;
use super::settle::{can_extend, holder, paid, shown, succeeded};
use crate::documents::{AccountMethod, Plugin};
use crate::event::Event;
use crate::ids::{Digest, MethodName, OrderId};
use crate::order::{
    ATTEMPTS_MAX, Attempt, Hold, MonthKey, Order, OrderStatus, Origin, Outcome, Payment, Retry, next_look,
};
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
    /// The plugin's document.
    pub document: Option<Box<Plugin>>,
    /// Epoch of the store in which the gateway was asked for earlier charges of these lines.
    pub sought: Option<u32>,
    /// Token of this process.
    pub owner: String,
}

/// A charge that the gateway knew before this store made one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Earlier {
    /// A charge for exactly these lines and this total.
    Same {
        /// What came of it.
        outcome: Outcome,
        /// The idempotency key that it was made under, where the gateway keeps it: it is found by it from here on.
        key: Option<Digest>,
    },
    /// A charge for some of these lines, with other lines or another total.
    Other {
        /// What it is, in words.
        detail: String,
    },
}

impl Earlier {
    /// Whether the charge took no money and never will.
    pub fn took_nothing(&self) -> bool {
        matches!(self, Self::Same { outcome: Outcome::Declined { .. }, .. })
    }

    /// The attempt of the order that it is the charge of, found at this plugin, where it is none that was lost.
    pub fn attempt_of<'a>(&self, order: &'a Order, plugin: Option<&Plugin>) -> Option<&'a Attempt> {
        let (Self::Same { key: Some(key), .. }, Some(plugin)) = (self, plugin) else { return None };
        let is_there = |it: &Attempt| it.document.as_ref().is_some_and(|document| document.name == plugin.name);
        order.attempts.iter().find(|attempt| attempt.key == *key && is_there(attempt))
    }
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
    has_attempts_left(order)?;
    if let Some(hold) = over_month_now(state, order, now) {
        return Ok(vec![hold]);
    }
    let by_balance = spec.method.method.is_balance();
    let attempt = new_attempt(state, order, spec, now);
    let number = attempt.number;
    let mut events = vec![Event::AttemptStarted { order: order.id.clone(), attempt: Box::new(attempt) }];
    if by_balance {
        events.extend(pay_from_balance(state, order, number, now));
    }
    Ok(events)
}

fn has_attempts_left(order: &Order) -> Result<(), Refusal> {
    if order.attempts.len() < ATTEMPTS_MAX {
        return Ok(());
    }
    Err(Refusal::new(Reason::OrderState, format!("order {} had {ATTEMPTS_MAX} attempts", order.id))
        .hint(format!("`renewd orders cancel {}`, then renew again", order.id)))
}

fn new_attempt(state: &State, order: &Order, spec: AttemptSpec, now: DateTime<Utc>) -> Attempt {
    let number = u32::try_from(order.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
    Attempt {
        number,
        key: next_payment_key(state, order),
        method: spec.method,
        plugin: spec.plugin,
        config: spec.config,
        document: spec.document,
        sought: spec.sought,
        owner: spec.owner,
        started_at: now,
        outcome: Outcome::InFlight,
        checks: 0,
        next_check: None,
        shown: None,
    }
}

/// The payment key of an order's next attempt: never one that an attempt of the order has, which may be that of a charge
/// found at its gateway.
pub fn next_payment_key(state: &State, order: &Order) -> Digest {
    let first = state.tries_made(order).saturating_add(1);
    let keys = (first..=first.saturating_add(order.attempts.len() as u32)).map(|number| order.payment_key(number));
    let mut free = keys.filter(|key| order.attempts.iter().all(|attempt| attempt.key != *key));
    free.next().unwrap_or_else(|| order.payment_key(first))
}

/// Limits are counted by the month in which an order is paid: one that was placed in another month is judged again, once.
fn over_month_now(state: &State, order: &Order, now: DateTime<Utc>) -> Option<Event> {
    let month = MonthKey::of(now, order.time_zone);
    if month == order.month {
        return None;
    }
    let account = state.account(&order.account)?;
    let mut holds = super::holds::limit_holds(state, account, &order.lines, &month).into_iter();
    let hold = holds.find(|hold| hold.reason == Reason::OverMonthLimit)?;
    Some(Event::OrderHeld { order: order.id.clone(), hold, sought: order.sought, month: Some(month) })
}

/// Takes a charge that the gateway knew before this store made one: the same one pays the order, whatever its lines
/// would cost today, because the money is gone; another one, or the payment of another order, holds it for a person.
/// `state` has all orders.
///
/// # Errors
/// The order cannot be paid now; or the charge took no money, and what is ordered can no longer be had or was tried too
/// often.
pub fn take_earlier(
    state: &State,
    order: &OrderId,
    spec: AttemptSpec,
    earlier: Earlier,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Refusal> {
    let order = payable(state, order, now)?;
    let hold = |detail: String| {
        let detail = format!(
            "{detail}; approving it pays beside that charge: where that one has paid for the same term, cancel this order, \
             and give the charge back at the gateway or bring the expiry that it paid for with `renewd import`"
        );
        let hold = Hold { reason: Reason::ChargeFound, detail };
        vec![Event::OrderHeld { order: order.id.clone(), hold, sought: spec.sought, month: None }]
    };
    if let Earlier::Same { outcome: Outcome::Succeeded { reference }, .. } = &earlier
        && let Some(other) = holder(state, order, reference)
    {
        return Ok(hold(format!("the gateway names `{reference}`, which is the payment of order {}", other.id)));
    }
    let known = earlier.attempt_of(order, spec.document.as_deref());
    if let (Earlier::Same { outcome, .. }, Some(attempt)) = (&earlier, known) {
        return Ok(became(state, order, attempt, outcome.clone(), &spec.owner, now));
    }
    if earlier.took_nothing() {
        // Nothing to look after, so it is an attempt like any other: none begins for what can no longer be extended, and
        // a gateway that tells of one under every key comes to an end.
        has_attempts_left(order)?;
        for line in &order.lines {
            still_stands(state, order, line)?;
        }
    }
    match earlier {
        Earlier::Other { detail } => Ok(hold(detail)),
        Earlier::Same { .. } if !can_extend(state, order) => {
            Ok(hold("the gateway has a charge for it, and its expiry has moved since it was ordered".to_owned()))
        }
        Earlier::Same { outcome, key } => {
            // The lost history may have gone on from there: what follows is sought again, until nothing is found.
            let spec = AttemptSpec { sought: None, ..spec };
            let mut attempt = new_attempt(state, order, spec, now);
            attempt.key = key.unwrap_or(attempt.key);
            let number = attempt.number;
            let mut events = vec![Event::AttemptStarted { order: order.id.clone(), attempt: Box::new(attempt) }];
            match outcome {
                Outcome::Succeeded { reference } => events.extend(paid(state, order, number, reference, now)),
                Outcome::InFlight => events.push(ended(order, number, no_answer())),
                Outcome::Declined { .. }
                | Outcome::Pending { .. }
                | Outcome::RequiresAction { .. }
                | Outcome::PriceMoved { .. }
                | Outcome::Unknown { .. } => events.push(ended(order, number, outcome)),
            }
            Ok(events)
        }
    }
}

/// What a search for earlier charges tells of an attempt that the order has: it was taken for declined too early.
fn became(
    state: &State,
    order: &Order,
    attempt: &Attempt,
    outcome: Outcome,
    owner: &str,
    now: DateTime<Utc>,
) -> Vec<Event> {
    let is_last = order.last_attempt().is_some_and(|last| last.number == attempt.number);
    match outcome {
        Outcome::Succeeded { reference } => succeeded(state, order, attempt, reference, owner, now),
        Outcome::Declined { .. } | Outcome::PriceMoved { .. } | Outcome::InFlight => Vec::new(),
        Outcome::Pending { .. } | Outcome::RequiresAction { .. } | Outcome::Unknown { .. } if is_last => {
            vec![ended(order, attempt.number, outcome)]
        }
        Outcome::Pending { .. } | Outcome::RequiresAction { .. } | Outcome::Unknown { .. } => {
            let detail = "the gateway still works on it".to_owned();
            vec![shown(order, attempt, detail, attempt.key.to_string(), next_look(now, attempt.checks))]
        }
    }
}

fn no_answer() -> Outcome {
    Outcome::unknown("the plugin gave no answer")
}

fn ended(order: &Order, number: u32, result: Outcome) -> Event {
    Event::AttemptEnded { order: order.id.clone(), number, result, follow: None }
}

/// The order, where an attempt to pay it may begin.
///
/// # Errors
/// There is no such order, or its state does not allow it.
pub fn payable<'a>(state: &'a State, id: &OrderId, now: DateTime<Utc>) -> Result<&'a Order, Refusal> {
    let order = super::orders::find(state, id)?;
    let refuse = |message: String| Refusal::new(Reason::OrderState, message);
    match &order.status {
        OrderStatus::Open if order.is_overdue(now) => {
            Err(refuse(format!("order {id} expired unpaid")).hint("renew its resources again"))
        }
        OrderStatus::Open => match order.still_works() {
            None => Ok(order),
            Some(works) => {
                Err(Refusal::new(Reason::Frozen, format!("{works} of order {id}")).hint(format!(
                    "`renewd run` asks the gateway again; where it never ends, `renewd orders cancel {id}`, and what it takes then goes back"
                )))
            }
        },
        OrderStatus::Unknown if crate::planted::is("unknown-is-payable") => Ok(order),
        OrderStatus::Pending if crate::planted::is("pending-is-payable") => Ok(order),
        OrderStatus::Held if crate::planted::is("held-is-payable") => Ok(order),
        OrderStatus::Held => {
            Err(refuse(format!("order {id} is held: {}", holds(order))).hint(format!("`renewd orders approve {id}`")))
        }
        OrderStatus::Paying => Err(refuse(format!("order {id} is being paid by another process"))),
        OrderStatus::Unknown => {
            Err(Refusal::new(Reason::Frozen, format!("the last attempt to pay order {id} has an unknown outcome"))
                .hint(format!(
                    "`renewd run` asks the gateway again; or find out there, then `renewd orders resolve {id} --as succeeded|declined --reason TEXT`"
                )))
        }
        OrderStatus::Pending => {
            Err(refuse(format!("the last attempt to pay order {id} is pending at its gateway")).hint(format!(
                "`renewd run` asks the gateway again; `renewd show {id}` tells where a person is needed"
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
        still_stands(state, order, line)?;
        let id = &line.prepared.resource;
        match requotes.iter().find(|requote| requote.prepared.resource == *id) {
            Some(requote) if same_renewal(line, requote) || crate::planted::is("price-unchecked") => {}
            Some(requote) => return Err(changed(order, line, requote)),
            None => {
                return Err(Refusal::new(Reason::PriceChanged, format!("{id} can no longer be priced as ordered"))
                    .hint(format!("`renewd orders cancel {}`, then renew again", order.id)));
            }
        }
    }
    Ok(())
}

/// Checks that the resource of an order's line is where the line would extend it from.
fn still_stands(state: &State, order: &Order, line: &Quote) -> Result<(), Refusal> {
    let id = &line.prepared.resource;
    let Some(resource) = state.resources.get(id) else {
        return Err(Refusal::new(Reason::NoResource, format!("there is no resource `{id}`")));
    };
    if let Some(freeze @ Freeze::ImportConflict { .. }) = &resource.freeze {
        let refusal = crate::quote::frozen_refusal(freeze);
        return Err(Refusal { message: format!("{id}: {}", refusal.message), ..refusal });
    }
    if line.prepared.extends(resource) {
        return Ok(());
    }
    let (now, ordered) = (resource.end.expiry.rfc3339(), line.prepared.old_end.expiry.rfc3339());
    Err(Refusal::new(Reason::ExpiryMoved, format!("{id} now expires on {now}, not on {ordered} as ordered"))
        .hint(format!("`renewd orders cancel {}`, then renew again", order.id)))
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

fn pay_from_balance(state: &State, order: &Order, number: u32, now: DateTime<Utc>) -> Vec<Event> {
    let currency = order.total.currency();
    let balance = state
        .books
        .get(&order.account)
        .and_then(|book| book.balance.get(currency.code()))
        .copied()
        .unwrap_or(crate::money::Money::zero(currency));
    if balance.compare(order.total).is_ok_and(std::cmp::Ordering::is_lt) && !crate::planted::is("balance-unchecked") {
        let code = Reason::InsufficientBalance.as_str();
        return vec![ended(order, number, Outcome::declined(code, format!("the balance is {balance}"), Retry::Later))];
    }
    paid(state, order, number, format!("balance-{}-{number}", order.id), now)
}

/// What a plugin's answer to an attempt means. An answer that comes after the attempt was taken for unknown counts as
/// what the gateway says of it now; money for an order that is dead or paid otherwise goes back.
///
/// # Errors
/// There is no such attempt, or it ended and the answer is no success, or it was paid from the balance: nobody answers
/// for that.
pub fn end_attempt(
    state: &State,
    order: &OrderId,
    number: u32,
    outcome: Outcome,
    owner: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Refusal> {
    let order = super::orders::find(state, order)?;
    let Some(attempt) = order.attempt(number) else {
        return Err(Refusal::new(Reason::OrderState, format!("order {} has no attempt {number}", order.id)));
    };
    let by_balance = attempt.method.method.is_balance();
    match outcome {
        Outcome::Succeeded { reference } if !by_balance => Ok(succeeded(state, order, attempt, reference, owner, now)),
        Outcome::InFlight if attempt.is_undecided() => Ok(vec![ended(order, number, no_answer())]),
        Outcome::Declined { .. }
        | Outcome::Pending { .. }
        | Outcome::RequiresAction { .. }
        | Outcome::PriceMoved { .. }
        | Outcome::Unknown { .. }
            if attempt.is_undecided() =>
        {
            Ok(vec![ended(order, number, outcome)])
        }
        Outcome::InFlight
        | Outcome::Succeeded { .. }
        | Outcome::Declined { .. }
        | Outcome::Pending { .. }
        | Outcome::RequiresAction { .. }
        | Outcome::PriceMoved { .. }
        | Outcome::Unknown { .. } => {
            Err(Refusal::new(Reason::OrderState, format!("attempt {number} of order {} has ended", order.id)))
        }
    }
}

/// The event for an attempt whose process is gone: nobody knows whether it was paid.
pub fn abandoned(order: &Order) -> Option<Event> {
    let attempt = order.last_attempt().filter(|attempt| attempt.outcome == Outcome::InFlight)?;
    if crate::planted::is("abandoned-is-declined") {
        return Some(ended(order, attempt.number, Outcome::declined("abandoned", "the process ended", Retry::Later)));
    }
    Some(ended(order, attempt.number, Outcome::unknown("the process ended before the answer was recorded")))
}

/// The methods behind that of a last attempt that was declined: those that were not tried because the order had to wait
/// for the gateway's word, or its process died. None where the last attempt's method is none of the order's.
pub fn methods_left<'a>(state: &State, order: &'a Order, now: DateTime<Utc>) -> Vec<&'a AccountMethod> {
    let last = order.last_attempt().filter(|it| matches!(it.outcome, Outcome::Declined { .. }));
    let place = |wanted: &AccountMethod| order.methods.iter().position(|method| method == wanted);
    let Some(behind) = last.and_then(|attempt| place(&attempt.method)) else { return Vec::new() };
    usable_methods(state, order, None, now).into_iter().filter(|it| place(it) > Some(behind)).collect()
}

/// Whether a method has said for this order that it never pays.
pub fn has_said_never(order: &Order, method: &AccountMethod) -> bool {
    let never = |outcome: &Outcome| matches!(outcome, Outcome::Declined { retry: Retry::Never, .. });
    order.attempts.iter().any(|attempt| attempt.method == *method && never(&attempt.outcome))
}

/// The methods of an order that may still be tried: only `only` where one is asked for; not those that said never, and
/// without `only` not those that said not before a later moment, nor, for automatic renewal, those that refused to
/// extend the same expiry before.
pub fn usable_methods<'a>(
    state: &State,
    order: &'a Order,
    only: Option<&'a MethodName>,
    now: DateTime<Utc>,
) -> Vec<&'a AccountMethod> {
    let waits = |outcome: &Outcome| match outcome {
        Outcome::Declined { not_before: Some(moment), .. } => only.is_none() && now < *moment,
        Outcome::Declined { not_before: None, .. }
        | Outcome::InFlight
        | Outcome::Succeeded { .. }
        | Outcome::Pending { .. }
        | Outcome::RequiresAction { .. }
        | Outcome::PriceMoved { .. }
        | Outcome::Unknown { .. } => false,
    };
    let refused = |method: &AccountMethod| {
        let mut of_method = order.attempts.iter().filter(|attempt| attempt.method == *method);
        has_said_never(order, method) || of_method.any(|attempt| waits(&attempt.outcome))
    };
    let refused_before = |method: &AccountMethod| {
        let rows = order.lines.iter().filter_map(|line| state.resources.get(&line.prepared.resource));
        let mut tries = rows.filter_map(|row| row.auto_tried());
        order.origin == Origin::Auto && only.is_none() && tries.any(|tried| tried.refused.contains(method))
    };
    order
        .methods
        .iter()
        .filter(|method| only.is_none_or(|only| method.method == *only))
        .filter(|method| !refused(method) && !refused_before(method))
        .collect()
}
