//! Orders: listing them, and what people decide about them.

use crate::desk::Desk;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::options::{OrderFilter, ResolveAsk};
use crate::report::{next_command, paid_by};
use crate::view::{AttemptView, HoldView, OrderLineView, OrderView, RefundView, TopUpView};
use renewd_core::calendar::rfc3339_in;
use renewd_core::decide::{self, Resolution};
use renewd_core::event::Event;
use renewd_core::ids::{AccountName, OrderId};
use renewd_core::money::Money;
use renewd_core::order::{Attempt, Order, OrderStatus, Outcome, Refund, RefundResult};
use renewd_core::refusal::Refusal;
use renewd_core::state::State;

impl Engine {
    /// Lists orders, newest first; those that are final only when asked for.
    ///
    /// # Errors
    /// The store cannot be read, or a status does not exist.
    pub fn orders(&self, filter: &OrderFilter) -> Result<Vec<OrderView>, EngineError> {
        const STATUSES: [&str; 8] =
            ["placed", "held", "paying", "pending", "unknown", "settled", "canceled", "expired"];
        if let Some(wrong) = filter.statuses.iter().find(|status| !STATUSES.contains(&status.as_str())) {
            return Err(EngineError::input(
                "unknown-status",
                format!("`{wrong}` is not a status of an order"),
                renewd_policy::did_you_mean(wrong, &STATUSES),
            ));
        }
        let desk = self.reading_desk(self.now())?;
        let mut orders: Vec<Order> = if filter.all || !filter.statuses.is_empty() {
            let mut all = desk.store().orders()?;
            all.extend(desk.state.orders.clone());
            all.into_values().collect()
        } else {
            desk.state.orders.values().filter(|order| order.is_live()).cloned().collect()
        };
        orders.retain(|order| {
            (filter.statuses.is_empty() || filter.statuses.iter().any(|status| status == order.status.as_str()))
                && (filter.accounts.is_empty() || filter.accounts.iter().any(|name| name == order.account.as_str()))
        });
        orders.sort_by(|left, right| right.placed_at.cmp(&left.placed_at).then_with(|| left.id.cmp(&right.id)));
        Ok(orders.iter().map(|order| order_view(&desk.state, order)).collect())
    }

    /// Lets a held order be paid.
    ///
    /// # Errors
    /// It is not held, or its time has passed.
    pub fn approve(&self, id: &OrderId, reason: Option<String>) -> Result<OrderView, EngineError> {
        let now = self.now();
        self.change_order(id, |state| decide::approve(state, id, reason.clone(), now))
    }

    /// Cancels an order that nobody is paying.
    ///
    /// # Errors
    /// It is final, being paid, or its outcome is unknown.
    pub fn cancel(&self, id: &OrderId, reason: Option<String>) -> Result<OrderView, EngineError> {
        self.change_order(id, |state| decide::cancel(state, id, reason.clone()))
    }

    /// Ends an unknown outcome by what a person found out.
    ///
    /// # Errors
    /// Its outcome is not unknown.
    pub fn resolve(&self, id: &OrderId, ask: &ResolveAsk) -> Result<OrderView, EngineError> {
        if ask.reason.trim().is_empty() {
            let hint = "say how you know, with `--reason TEXT`".to_owned();
            return Err(EngineError::input("no-reason", "a resolution needs a reason", hint));
        }
        if let Some(reference) = &ask.reference {
            check_reference(reference)?;
        }
        let resolution = if ask.succeeded {
            Resolution::Succeeded { reference: ask.reference.clone() }
        } else {
            Resolution::Declined
        };
        let (owner, now) = (self.owner()?, self.now());
        let mut desk = self.desk(self.now())?;
        if ask.reference.is_some() {
            // Which order a payment has paid already may be long ago.
            desk.load_orders()?;
        }
        change(desk, id, |state| {
            let refunds = || decide::resolve_refunds(state, id, ask.succeeded, ask.reference.clone(), &ask.reason);
            decide::resolve(state, id, resolution.clone(), ask.reason.clone(), &owner, now)
                .or_else(|refusal| refunds().map_err(|_| refusal))
        })?;
        self.finish_refunds(std::slice::from_ref(id))?;
        let state = self.state_with_orders(std::slice::from_ref(id), self.now())?;
        let order = state.orders.get(id).ok_or_else(|| EngineError::Bug(format!("order {id} is gone")))?;
        Ok(order_view(&state, order))
    }

    fn change_order(
        &self,
        id: &OrderId,
        decide: impl Fn(&State) -> Result<Vec<Event>, Refusal>,
    ) -> Result<OrderView, EngineError> {
        change(self.desk(self.now())?, id, decide)
    }

    /// Adds prepaid money to an account; the same reference again changes nothing.
    ///
    /// # Errors
    /// No such account, another currency, or the reference was used with another amount.
    pub fn topup(&self, account: &AccountName, amount: Money, reference: String) -> Result<TopUpView, EngineError> {
        check_reference(&reference)?;
        let mut desk = self.desk(self.now())?;
        if let Some(known) = desk.store().topup(account, &reference)? {
            desk.state.topups.insert((account.clone(), reference.clone()), known);
        }
        let events = decide::top_up(&desk.state, account, amount, reference.clone())?;
        let changed = !events.is_empty();
        desk.push(events);
        desk.commit()?;
        Ok(TopUpView {
            account: account.clone(),
            amount,
            reference,
            changed,
            balance: balance(&desk.state, account, amount),
        })
    }
}

fn change(
    mut desk: Desk,
    id: &OrderId,
    decide: impl Fn(&State) -> Result<Vec<Event>, Refusal>,
) -> Result<OrderView, EngineError> {
    desk.load_order(id)?;
    let decided = decide(&desk.state);
    if let Ok(events) = &decided {
        desk.push(events.clone());
    }
    desk.commit()?;
    decided?;
    match desk.state.orders.get(id) {
        Some(order) => Ok(order_view(&desk.state, order)),
        None => Err(EngineError::Bug(format!("order {id} is gone"))),
    }
}

/// Most bytes of a payment's reference.
const REFERENCE_BYTES_MAX: usize = 200;

/// A reference tells one payment from another, so an empty one (an unset variable, say) would swallow payments.
fn check_reference(reference: &str) -> Result<(), EngineError> {
    let wrong = if reference.trim().is_empty() {
        "a payment's reference must not be empty".to_owned()
    } else if REFERENCE_BYTES_MAX < reference.len() {
        format!("a payment's reference must not be longer than {REFERENCE_BYTES_MAX} bytes")
    } else if reference.chars().any(char::is_control) || reference.trim() != reference {
        "a payment's reference must not have control characters, or spaces around it".to_owned()
    } else {
        return Ok(());
    };
    Err(EngineError::input("bad-reference", wrong, "use what the bank or gateway calls the payment".to_owned()))
}

fn balance(state: &State, account: &AccountName, like: Money) -> Money {
    let sums = state.books.get(account).map(|book| &book.balance);
    sums.and_then(|sums| sums.get(like.currency().code())).copied().unwrap_or(Money::zero(like.currency()))
}

/// An order as people see it.
pub(crate) fn order_view(state: &State, order: &Order) -> OrderView {
    let zone = state.account(&order.account).map_or(chrono_tz::UTC, |account| account.time_zone);
    OrderView {
        order: order.id.clone(),
        account: order.account.clone(),
        status: order.status.as_str().to_owned(),
        detail: detail(order),
        origin: order.origin.to_string(),
        total: order.total,
        line_count: order.lines.len(),
        methods: order.methods.iter().map(|method| method.method.to_string()).collect(),
        placed_at: rfc3339_in(order.placed_at, zone),
        expires_at: rfc3339_in(order.expires_at, zone),
        holds: order
            .holds
            .iter()
            .map(|hold| HoldView { reason: hold.reason.as_str().to_owned(), detail: hold.detail.clone() })
            .collect(),
        lines: order
            .lines
            .iter()
            .map(|line| OrderLineView {
                resource: line.prepared.resource.clone(),
                policy: line.prepared.policy.to_string(),
                term: line.prepared.dates.term.to_string(),
                old_expiry: line.prepared.old_end.expiry.rfc3339(),
                new_expiry: line.prepared.new_expiry().rfc3339(),
                extra_days: line.prepared.dates.extra_days,
                fraction: line.prepared.dates.fraction.to_string(),
                lines: line.lines.clone(),
                total: line.total,
            })
            .collect(),
        attempts: order.attempts.iter().map(|attempt| attempt_view(attempt, zone)).collect(),
        refunds: order.refunds.iter().map(|refund| refund_view(refund, zone)).collect(),
        next: next_command(order),
    }
}

fn detail(order: &Order) -> Option<String> {
    match &order.status {
        OrderStatus::Open => match order.last_attempt().map(|attempt| &attempt.outcome) {
            Some(Outcome::Declined { code, message, .. }) => Some(format!("declined: {message} ({code})")),
            _ => None,
        },
        OrderStatus::Held => Some(order.holds.iter().map(|h| h.detail.as_str()).collect::<Vec<_>>().join("; ")),
        OrderStatus::Paying => Some("an attempt is under way".to_owned()),
        OrderStatus::Unknown | OrderStatus::Pending => {
            order.last_attempt().and_then(|attempt| outcome_words(&attempt.outcome).1)
        }
        OrderStatus::Settled { .. } => paid_by(order).map(|by| format!("paid by {by}")),
        OrderStatus::Canceled { reason, .. } => reason.clone(),
        OrderStatus::Expired { .. } => Some("nobody paid it in time".to_owned()),
    }
}

fn attempt_view(attempt: &Attempt, zone: chrono_tz::Tz) -> AttemptView {
    let (outcome, detail) = outcome_words(&attempt.outcome);
    let shown = attempt.shown_charge().map(|charge| format!("the gateway shows it since as `{charge}`"));
    let detail = [detail, shown].into_iter().flatten().reduce(|detail, shown| format!("{detail}; {shown}"));
    AttemptView {
        number: attempt.number,
        method: attempt.method.method.to_string(),
        started_at: rfc3339_in(attempt.started_at, zone),
        outcome: outcome.to_owned(),
        detail,
        key: attempt.key.to_string(),
        plugin: attempt.plugin.map(|digest| digest.to_string()),
        checks: attempt.checks,
        next_check: attempt.next_check.map(|next| rfc3339_in(next, zone)),
    }
}

/// A refund as people see it.
pub(crate) fn refund_view(refund: &Refund, zone: chrono_tz::Tz) -> RefundView {
    let detail = match &refund.outcome {
        RefundResult::InFlight => None,
        RefundResult::Refunded { refund_reference } | RefundResult::Pending { refund_reference } => {
            Some(refund_reference.clone())
        }
        RefundResult::Declined { code, message } => Some(format!("{message} ({code})")),
        RefundResult::Unknown { detail } => Some(detail.clone()),
    };
    RefundView {
        number: refund.number,
        resource: refund.line().cloned(),
        amount: refund.amount,
        reason: refund.reason.clone(),
        started_at: rfc3339_in(refund.started_at, zone),
        outcome: refund.outcome.as_str().to_owned(),
        detail,
        next_check: refund.next_check.map(|next| rfc3339_in(next, zone)),
    }
}

/// An outcome's word, and what more there is to say.
pub(crate) fn outcome_words(outcome: &Outcome) -> (&'static str, Option<String>) {
    match outcome {
        Outcome::InFlight => ("in-flight", None),
        Outcome::Succeeded { reference } => ("succeeded", Some(reference.clone())),
        Outcome::Declined { code, message, .. } => ("declined", Some(format!("{message} ({code})"))),
        Outcome::Pending { reference } => ("pending", Some(reference.clone())),
        Outcome::RequiresAction { url, .. } => ("requires-action", Some(url.clone())),
        Outcome::PriceMoved { actual } => ("price-moved", Some(actual.to_string())),
        Outcome::Unknown { detail, .. } => ("unknown", Some(detail.clone())),
    }
}
