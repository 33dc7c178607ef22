//! Reconciling: gateways are asked what became of attempts and refunds that nobody has seen the end of.
//!
//! INVARIANT (pinned): a gateway is asked through the plugin, configuration, grants and secrets of the attempt, whatever
//! the documents in force say now.

use crate::asking::{charge_ref, may_revive, outcome, refund_ref, refund_request, refund_result, seen};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::gateway::Gateway;
use crate::load::config_text;
use chrono::{DateTime, Utc};
use renewd_core::decide::{self, Look, Seen};
use renewd_core::documents::Plugin;
use renewd_core::event::Event;
use renewd_core::ids::OrderId;
use renewd_core::order::{Attempt, Order, Outcome, Refund, RefundResult};
use renewd_core::state::State;
use renewd_plugin_host::{CancelOutcome, FindRefundResult, FindResult};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Open {
    /// An attempt.
    Attempt(OrderId, u32),
    /// A refund.
    Refund(OrderId, u32),
}

impl Open {
    /// The order that it is about.
    pub(crate) fn order(&self) -> &OrderId {
        match self {
            Self::Attempt(order, _) | Self::Refund(order, _) => order,
        }
    }
}

/// What is open in these orders: all of it, or with a moment only what is due by then. What is in flight is another
/// process's.
pub(crate) fn open_ends<'a>(orders: impl IntoIterator<Item = &'a Order>, due: Option<DateTime<Utc>>) -> Vec<Open> {
    let is_due = |next: Option<DateTime<Utc>>| next.is_some_and(|next| due.is_none_or(|due| next <= due));
    let mut found = Vec::new();
    for order in orders {
        let none = renewd_core::planted::is("attempts-not-looked-after");
        let attempts = order
            .attempts
            .iter()
            .filter(|_| !none)
            .filter(|it| it.outcome != Outcome::InFlight && is_due(it.next_check));
        found.extend(attempts.map(|attempt| Open::Attempt(order.id.clone(), attempt.number)));
        let none = renewd_core::planted::is("refunds-not-looked-after");
        let refunds = order
            .refunds
            .iter()
            .filter(|_| !none)
            .filter(|it| it.outcome != RefundResult::InFlight && is_due(it.next_check));
        found.extend(refunds.map(|refund| Open::Refund(order.id.clone(), refund.number)));
    }
    found
}

/// One question, with everything that it needs.
enum Question {
    Find(Order, Box<Attempt>, Arc<dyn Gateway>),
    Cancel(Order, Box<Attempt>, Arc<dyn Gateway>),
    Refund(Order, Box<Refund>, Box<Attempt>, Arc<dyn Gateway>),
    /// The gateway cannot be asked.
    Nobody(Open, String),
}

enum Reply {
    Seen(Open, Seen, u64),
    Refunded(Open, RefundResult, bool),
}

impl Engine {
    /// Asks for what is open, so many at a time, and writes down what the gateways say. Answers how many were asked.
    pub(crate) fn look(&self, open: &[Open]) -> Result<usize, EngineError> {
        let step = self.step("asking gateways", open.len());
        for batch in open.chunks(self.asked_at_once()) {
            let orders: Vec<OrderId> = batch.iter().map(|open| open.order().clone()).collect();
            let state = self.state_with_orders(&orders, self.now())?;
            let mut questions = Vec::new();
            for open in batch {
                questions.extend(self.question(&state, open)?);
            }
            crate::failpoint("reconcile.before-call");
            let replies = ask_all(questions, self.now());
            crate::failpoint("reconcile.after-call");
            let mut desk = self.desk_for(&orders, self.now())?;
            for reply in replies {
                // Refused: somebody else has found out meanwhile.
                if let Ok(events) = self.judge(&desk.state, reply)? {
                    desk.push(events);
                }
            }
            desk.commit()?;
            drop(desk);
            self.finish_refunds(&orders)?;
            step.step(batch.len());
        }
        Ok(open.len())
    }

    /// Asks at once for everything that is open in one order, whenever it would be due.
    pub(crate) fn look_at_once(&self, order: &OrderId) -> Result<usize, EngineError> {
        let state = self.state_with_orders(std::slice::from_ref(order), self.now())?;
        self.look(&open_ends(state.orders.get(order), None))
    }

    fn question(&self, state: &State, open: &Open) -> Result<Option<Question>, EngineError> {
        let Some(order) = state.orders.get(open.order()) else { return Ok(None) };
        let (attempt, refund) = match open {
            Open::Attempt(_, number) => (order.attempt(*number), None),
            Open::Refund(_, number) => {
                let refund = order.refunds.iter().find(|refund| refund.number == *number);
                (refund.and_then(|refund| order.attempt(refund.attempt)), refund)
            }
        };
        let Some(attempt) = attempt else { return Ok(None) };
        let gateway = match pinned(state, attempt) {
            Some(document) => self.gateway(document, &self.blobs_with(BTreeMap::new()))?,
            None => return Ok(Some(Question::Nobody(open.clone(), "no plugin is known for it".to_owned()))),
        };
        let gateway = match gateway {
            Ok(gateway) => gateway,
            Err(refusal) => return Ok(Some(Question::Nobody(open.clone(), refusal.message))),
        };
        let expired = matches!(&attempt.outcome, Outcome::RequiresAction { expires, .. } if *expires <= self.now());
        Ok(Some(match refund {
            Some(refund) => {
                Question::Refund(order.clone(), Box::new(refund.clone()), Box::new(attempt.clone()), gateway)
            }
            None if expired => Question::Cancel(order.clone(), Box::new(attempt.clone()), gateway),
            None => Question::Find(order.clone(), Box::new(attempt.clone()), gateway),
        }))
    }

    fn judge(
        &self,
        state: &State,
        reply: Reply,
    ) -> Result<Result<Vec<Event>, renewd_core::refusal::Refusal>, EngineError> {
        let owner = self.owner()?;
        let now = self.now();
        Ok(match reply {
            Reply::Seen(open, seen, visibility_seconds) => {
                let (Open::Attempt(order, number) | Open::Refund(order, number)) = &open;
                let look = Look { order, number: *number, seen, visibility_seconds, owner: &owner };
                decide::reconcile(state, look, now)
            }
            Reply::Refunded(open, result, key_holds) => {
                let (Open::Attempt(order, number) | Open::Refund(order, number)) = &open;
                let of_order = state.orders.get(order);
                let refund = of_order.and_then(|order| order.refunds.iter().find(|it| it.number == *number));
                let first = refund.is_some_and(|refund| refund.outcome == RefundResult::InFlight);
                if first {
                    decide::end_refund(state, order, *number, result)
                } else {
                    decide::check_refund(state, order, *number, result, key_holds, now)
                }
            }
        })
    }

    /// Asks gateways for the refunds that this process has just begun.
    pub(crate) fn finish_refunds(&self, orders: &[OrderId]) -> Result<(), EngineError> {
        let owner = self.owner()?;
        let state = self.state_with_orders(orders, self.now())?;
        let mut questions = Vec::new();
        for order in state.orders.values() {
            let begun = order.refunds.iter().filter(|it| it.outcome == RefundResult::InFlight && it.owner == owner);
            for refund in begun {
                questions.extend(self.question(&state, &Open::Refund(order.id.clone(), refund.number))?);
            }
        }
        let mut questions = questions.into_iter();
        loop {
            let batch: Vec<Question> = questions.by_ref().take(self.asked_at_once()).collect();
            if batch.is_empty() {
                return Ok(());
            }
            crate::failpoint("refund.before-call");
            let replies = ask_all(batch, self.now());
            crate::failpoint("refund.after-call");
            let mut desk = self.desk_for(orders, self.now())?;
            for reply in replies {
                if let Ok(events) = self.judge(&desk.state, reply)? {
                    desk.push(events);
                }
            }
            desk.commit()?;
        }
    }
}

/// The plugin's document as the attempt pinned it; of an attempt made before documents were pinned, that in force.
fn pinned<'a>(state: &'a State, attempt: &'a Attempt) -> Option<&'a Plugin> {
    match &attempt.document {
        Some(document) => Some(document),
        None => crate::gateway::payment_documents(state, &attempt.method.method).ok().map(|(_, plugin)| plugin),
    }
}

fn ask_all(questions: Vec<Question>, now: DateTime<Utc>) -> Vec<Reply> {
    if questions.len() == 1 {
        return questions.into_iter().map(|question| ask(question, now)).collect();
    }
    std::thread::scope(|scope| {
        let asked: Vec<_> = questions.into_iter().map(|question| scope.spawn(move || ask(question, now))).collect();
        // A question that panicked has no reply: what it was about stays as open as it was.
        asked.into_iter().filter_map(|reply| reply.join().ok()).collect()
    })
}

fn ask(question: Question, now: DateTime<Utc>) -> Reply {
    match question {
        Question::Find(order, attempt, gateway) => {
            let answer = gateway.find_charge(&config_text(&attempt.config), &charge_ref(&order, &attempt, now));
            let open = Open::Attempt(order.id.clone(), attempt.number);
            let seen = for_good(seen(answer, &order), &order, &attempt, &*gateway, now);
            Reply::Seen(open, seen, gateway.visibility_seconds())
        }
        Question::Cancel(order, attempt, gateway) => {
            let open = Open::Attempt(order.id.clone(), attempt.number);
            Reply::Seen(open, cancel(&order, &attempt, &*gateway, now), gateway.visibility_seconds())
        }
        Question::Refund(order, refund, attempt, gateway) => {
            let (result, is_sure) = refund_again(&order, &refund, &config_text(&attempt.config), &*gateway, now);
            Reply::Refunded(Open::Refund(order.id.clone(), refund.number), result, is_sure)
        }
        Question::Nobody(open @ Open::Attempt(..), detail) => Reply::Seen(open, Seen::CannotTell { detail }, 0),
        Question::Nobody(open @ Open::Refund(..), detail) => {
            Reply::Refunded(open, RefundResult::Unknown { detail }, false)
        }
    }
}

/// Asks for a refund for the first time, or what became of it. One that the gateway does not know, and would by now, is
/// asked for again with its key. Answers also whether a decline is to be believed.
fn refund_again(
    order: &Order,
    refund: &Refund,
    config: &str,
    gateway: &dyn Gateway,
    now: DateTime<Utc>,
) -> (RefundResult, bool) {
    let ask = || refund_result(gateway.refund(config, &refund_request(order, refund)), refund);
    if refund.outcome == RefundResult::InFlight {
        return (ask(), true);
    }
    let age = u64::try_from(now.signed_duration_since(refund.started_at).num_seconds()).unwrap_or_default();
    match gateway.find_refund(config, &refund_ref(order, refund, now)) {
        FindRefundResult::Found { refund: found } => (refund_result(found, refund), true),
        FindRefundResult::NotFound if gateway.visibility_seconds() <= age => {
            (ask(), age < gateway.idempotency_seconds())
        }
        FindRefundResult::NotFound => {
            (RefundResult::Unknown { detail: "the gateway does not know the refund yet".to_owned() }, false)
        }
        FindRefundResult::Unknown { reason } => (RefundResult::Unknown { detail: reason }, false),
    }
}

/// INVARIANT (declined-for-good): a decline that was learned by asking is believed once the charge can no longer succeed.
/// Gateways call a charge declined that a cardholder may still confirm on a page that is open somewhere.
fn for_good(said: Seen, order: &Order, attempt: &Attempt, gateway: &dyn Gateway, now: DateTime<Utc>) -> Seen {
    let revives = matches!(&said, Seen::Found(charge) if may_revive(&charge.outcome));
    if !revives || !attempt.is_looked_after() || !gateway.can_cancel() {
        return said;
    }
    match cancel(order, attempt, gateway, now) {
        Seen::Canceled => said,
        other @ (Seen::Found(_) | Seen::NotFound | Seen::CannotTell { .. }) => other,
    }
}

/// Cancels a charge that is not to succeed any more. It is declined only where the gateway has canceled it, and then
/// shows no charge.
fn cancel(order: &Order, attempt: &Attempt, gateway: &dyn Gateway, now: DateTime<Utc>) -> Seen {
    let config = config_text(&attempt.config);
    let asked = charge_ref(order, attempt, now);
    let canceled = match gateway.cancel(&config, &asked) {
        _ if renewd_core::planted::is("cancel-is-believed") => return Seen::Canceled,
        CancelOutcome::Unknown { reason } => return Seen::CannotTell { detail: reason },
        CancelOutcome::Canceled => true,
        CancelOutcome::Charged { .. } | CancelOutcome::Pending { .. } | CancelOutcome::NotFound => false,
    };
    let not_stopped =
        || Seen::CannotTell { detail: "the gateway could not cancel it, and does not show it".to_owned() };
    match gateway.find_charge(&config, &asked) {
        FindResult::NotFound if canceled => Seen::Canceled,
        FindResult::NotFound => not_stopped(),
        FindResult::Found(charge) => match outcome(charge.outcome.clone(), order) {
            Outcome::Declined { .. } if canceled => Seen::Canceled,
            outcome @ Outcome::Declined { .. } if may_revive(&outcome) => not_stopped(),
            Outcome::Declined { .. }
            | Outcome::InFlight
            | Outcome::Succeeded { .. }
            | Outcome::Pending { .. }
            | Outcome::RequiresAction { .. }
            | Outcome::PriceMoved { .. }
            | Outcome::Unknown { .. } => seen(FindResult::Found(charge), order),
        },
        FindResult::Unknown { reason } => Seen::CannotTell { detail: reason },
    }
}
