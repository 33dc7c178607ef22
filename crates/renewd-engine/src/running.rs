//! A run: what time, gateways and policies make due is done, once.
//!
//! In this order: phases and ends of terms, gateways asked for what is unknown, automatic renewals ordered, due orders
//! paid, sinks told. What cannot be done is an item of the answer, and is tried again at the next run.

mod due;
mod ordering;
mod warnings;

use crate::arrange::Arrangement;
use crate::cashier::{Budget, Payer, Unpaid};
use crate::engine::{Engine, Snapshot};
use crate::error::EngineError;
use crate::orders::refund_view;
use crate::outbox::OutboxLimits;
use crate::quoting::Unquoted;
use crate::reconciling::{Open, open_ends};
use crate::renewing::not_paid;
use crate::report::{order_summary, renew_view};
use crate::view::{OrderSummary, RenewView, RunRefund, RunView, TimeNote, add_total};
use chrono::{DateTime, Utc};
pub(crate) use due::{Due, Pays, due, pays, still_pays};
pub(crate) use ordering::order_all;
use renewd_core::calendar::rfc3339_in;
use renewd_core::cover::{Cover, mode_of};
use renewd_core::decide;
use renewd_core::documents::FailurePolicy;
use renewd_core::event::Event;
use renewd_core::ids::{OrderId, ResourceId};
use renewd_core::money::Money;
use renewd_core::order::{Attempt, Order, OrderStatus, Origin, Refund};
use renewd_core::quote::{Quote, Wish};
use renewd_core::refusal::Reason;
use renewd_core::resource::Resource;
use renewd_core::state::State;
use std::collections::{BTreeMap, BTreeSet};
pub(crate) use warnings::{Hindrances, WhoPays, soon};

/// Days before an automatic charge from which a run warns that it cannot succeed.
pub(crate) const WARN_DAYS: u32 = 7;

/// How a run is made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunOptions {
    /// At most these sums are charged, by currency; another currency is then not charged at all. No sums: no limit.
    pub max_charge: Vec<Money>,
    /// One order for all due automatic renewals of an account and method list, instead of one for each resource.
    pub group: bool,
}

/// What time did.
struct Passed {
    /// To resources.
    notes: Vec<TimeNote>,
    /// Orders that nobody paid in time.
    expired: Vec<OrderId>,
    /// What was to be renewed and came to nothing by that.
    missed: Vec<Unquoted>,
}

/// The automatic renewals that are due, priced.
pub(crate) struct PricedDue {
    /// Those that can be ordered.
    pub(crate) quotes: Vec<Quote>,
    /// The others.
    pub(crate) refused: Vec<Unquoted>,
    /// Which of those count as tried.
    pub(crate) failed: Vec<Event>,
}

impl Engine {
    /// Does what is due.
    ///
    /// # Errors
    /// There is no store, or it fails. What cannot be renewed is an item of the answer, not an error.
    pub fn run(&self, options: &RunOptions) -> Result<RunView, EngineError> {
        self.run_within(options.group, &mut Budget::of(&options.max_charge))
    }

    /// Does what is due, as one of several runs that may charge so much together. `group`: see [`RunOptions::group`].
    ///
    /// # Errors
    /// As for [`Engine::run`].
    pub fn run_within(&self, group: bool, budget: &mut Budget) -> Result<RunView, EngineError> {
        let now = self.now();
        if !self.has_store() {
            self.require_store(&self.snapshot(now)?)?;
        }
        let Passed { mut notes, expired, missed } = self.note_time(now)?;
        let asked = self.ask_what_is_open(now)?;
        let (arrangement, mut refused) = self.order_due(group.then(|| budget.clone()), now)?;
        refused.extend(missed);
        let (paid, unpaid, mut waiting) = self.pay_due(budget, now)?;
        let of_attempts =
            asked.iter().filter(|open| matches!(open, Open::Attempt(..))).map(|open| open.order().clone());
        let mut orders: BTreeSet<OrderId> = paid.into_iter().chain(of_attempts).collect();
        orders.extend(arrangement.placed.iter().map(|order| order.id.clone()));
        waiting.retain(|order| order.order.as_ref().is_none_or(|id| !orders.contains(id)));
        let ids: Vec<OrderId> = orders.into_iter().collect();
        self.finish_refunds(&ids)?;
        notes.extend(self.note_time_of(&ids, now)?);
        let renewals = run_items(&self.state_with_orders(&ids, now)?, &ids, arrangement, refused, &unpaid);
        let touched: Vec<OrderId> = ids.iter().chain(asked.iter().map(Open::order)).cloned().collect();
        let state = self.state_with_orders(&touched, now)?;
        let owner = self.owner()?;
        Ok(RunView {
            at: rfc3339_in(now, chrono_tz::UTC),
            charged: charged(&state, &asked, &owner, now),
            renewals,
            refunds: refunds(&state, &asked, &owner, now),
            waiting,
            time: notes,
            expired,
            asked: asked.len(),
            warnings: self.warnings(now)?,
            delivered: self.deliver_events(now, &OutboxLimits::default())?,
        })
    }

    /// Journals what time did: phases, conversions, ends, releases, expired orders.
    fn note_time(&self, now: DateTime<Utc>) -> Result<Passed, EngineError> {
        let mut desk = self.desk_of_due(now)?;
        let events = passed(&desk.state, now);
        let notes = events.iter().filter_map(|event| due::time_note(&desk.state, event)).collect();
        let expired = desk.state.orders.values().filter(|order| matches!(order.status, OrderStatus::Expired { .. }));
        let expired = expired.map(|order| order.id.clone()).collect();
        let missed = [due::missed(&desk.state, &events, now), due::expired_requests(&desk.state)].concat();
        crate::failpoint("run.before-time");
        desk.push(events);
        desk.commit()?;
        crate::failpoint("run.after-time");
        Ok(Passed { notes, expired, missed })
    }

    /// Journals what time did to the resources of some orders: what was just renewed may expire soon again.
    fn note_time_of(&self, orders: &[OrderId], now: DateTime<Utc>) -> Result<Vec<TimeNote>, EngineError> {
        let mut desk = self.desk_for(orders, now)?;
        let events = passed(&desk.state, now);
        let notes = events.iter().filter_map(|event| due::time_note(&desk.state, event)).collect();
        desk.push(events);
        desk.commit()?;
        Ok(notes)
    }

    /// Asks gateways for everything whose next look is due. Answers what it was.
    fn ask_what_is_open(&self, now: DateTime<Utc>) -> Result<Vec<Open>, EngineError> {
        let open = {
            let desk = self.desk_of_orders(now)?;
            open_ends(desk.state.orders.values(), Some(now))
        };
        self.look(&open)?;
        Ok(open)
    }

    /// Orders the automatic renewals that are due, soonest expiry first.
    fn order_due(
        &self,
        group: Option<Budget>,
        now: DateTime<Utc>,
    ) -> Result<(Arrangement, Vec<Unquoted>), EngineError> {
        let PricedDue { quotes, refused, failed } = self.price_due(now)?;
        if quotes.is_empty() && failed.is_empty() {
            return Ok((Arrangement { real: true, ..Arrangement::default() }, refused));
        }
        crate::failpoint("run.before-order");
        let arrangement = self.place_due(quotes, failed, group, now)?;
        crate::failpoint("run.after-order");
        Ok((arrangement, refused))
    }

    /// Prices the automatic renewals that are due.
    pub(crate) fn price_due(&self, now: DateTime<Utc>) -> Result<PricedDue, EngineError> {
        let mut desk = self.desk_of_due(now)?;
        for (order, why) in due::standing_still(&desk.state, now) {
            if let Ok(events) = decide::cancel(&desk.state, &order, Some(why)) {
                desk.push(events);
            }
        }
        desk.commit()?;
        let snapshot = Snapshot::of(desk, self.blobs_with(BTreeMap::new()));
        let Due { resources, blocked } = due(&snapshot.state, now);
        if resources.is_empty() {
            return Ok(PricedDue { quotes: Vec::new(), refused: blocked, failed: Vec::new() });
        }
        let wishes: Vec<(&Resource, Wish)> = resources.iter().map(|row| (*row, Wish::default())).collect();
        let (quotes, mut refused) = self.quote_wishes(&snapshot.state, snapshot.blobs(), wishes, None, now)?;
        let failed = failed_tries(&snapshot.state, &refused);
        refused.extend(blocked);
        Ok(PricedDue { quotes, refused, failed })
    }

    /// Orders what was priced, where it is still due: it may have been renewed, or its renewal turned off, meanwhile.
    pub(crate) fn place_due(
        &self,
        mut quotes: Vec<Quote>,
        failed: Vec<Event>,
        group: Option<Budget>,
        now: DateTime<Utc>,
    ) -> Result<Arrangement, EngineError> {
        let mut desk = self.desk_of_due(now)?;
        let still: BTreeSet<ResourceId> =
            due(&desk.state, now).resources.into_iter().map(|resource| resource.id.clone()).collect();
        quotes.retain(|quote| still.contains(&quote.prepared.resource));
        let mut trial = desk.state.clone();
        let arrangement = order_all(&mut trial, quotes, group, now, desk.next_sequence());
        desk.push(failed);
        desk.push(arrangement.events.clone());
        desk.commit()?;
        Ok(arrangement)
    }

    /// Pays the orders that are due, soonest expiry first. Answers them, why some were not paid, and what waits for a
    /// person or a gateway.
    fn pay_due(
        &self,
        budget: &mut Budget,
        now: DateTime<Utc>,
    ) -> Result<(Vec<OrderId>, Unpaid, Vec<OrderSummary>), EngineError> {
        let (ids, waiting): (Vec<OrderId>, Vec<OrderSummary>) = {
            let desk = self.desk_of_orders(now)?;
            let mut due: Vec<&Order> =
                desk.state.orders.values().filter(|order| pays(&desk.state, order, now) != Pays::No).collect();
            due.sort_by_key(|order| (ordering::turn(order), order.id.clone()));
            let waits = desk.state.orders.values().filter(|order| waits(order));
            let waiting = waits.map(|order| order_summary(order, false, true)).collect();
            (due.into_iter().map(|order| order.id.clone()).collect(), waiting)
        };
        let mut unpaid = self.pay_orders(&ids, Payer::Run, budget)?;
        self.drop_stale(&mut unpaid)?;
        Ok((ids, unpaid, waiting))
    }

    /// Cancels orders of automatic renewal whose dates or price are others by now: the next run orders them as they are
    /// then, under the same limits. What a person or request asked for waits for a person.
    fn drop_stale(&self, unpaid: &mut Unpaid) -> Result<(), EngineError> {
        let stale = unpaid.iter().filter(|(_, refusal)| refusal.reason == Reason::PriceChanged);
        let ids: Vec<OrderId> = stale.map(|(id, _)| id.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut desk = self.desk_for(&ids, self.now())?;
        for id in &ids {
            let is_auto = |order: &&Order| order.origin == Origin::Auto && order.requests().next().is_none();
            let Some(order) = desk.state.orders.get(id).filter(is_auto) else { continue };
            let Some(refusal) = unpaid.get_mut(id) else { continue };
            if let Ok(events) = decide::cancel(&desk.state, &order.id, Some(refusal.message.clone())) {
                desk.push(events);
                refusal.hint = Some("the order is canceled; the next run orders it anew, as it is then".to_owned());
            }
        }
        desk.commit()
    }
}

/// Whether an order waits for a person's or a gateway's word.
fn waits(order: &Order) -> bool {
    match order.status {
        OrderStatus::Held | OrderStatus::Pending | OrderStatus::Unknown => true,
        OrderStatus::Open => order.shown_attempt().is_some(),
        OrderStatus::Paying
        | OrderStatus::Settled { .. }
        | OrderStatus::Canceled { .. }
        | OrderStatus::Expired { .. } => false,
    }
}

/// What time did to the resources of a state.
fn passed(state: &State, now: DateTime<Utc>) -> Vec<Event> {
    let of = |resource: &Resource| {
        let cover = Cover::find(resource, state.policies());
        decide::time_passes(resource, mode_of(resource, &cover, now).0, now)
    };
    state.resources.values().flat_map(of).collect()
}

/// Renewals that could not be priced, where their policy counts that as a failed attempt.
fn failed_tries(state: &State, refused: &[Unquoted]) -> Vec<Event> {
    let failed = refused.iter().filter(|(_, _, refusal)| refusal.reason == Reason::PricingFailed);
    failed
        .filter_map(|(id, _, refusal)| {
            let resource = state.resources.get(id)?;
            let policy = Cover::find(resource, state.policies()).policy()?;
            (policy.on_plugin_failure == FailurePolicy::Deny).then(|| Event::AutoFailed {
                resource: id.clone(),
                expiry: resource.end.expiry.instant(),
                refusal: refusal.clone(),
            })
        })
        .collect()
}

fn run_items(
    state: &State,
    ids: &[OrderId],
    arrangement: Arrangement,
    refused: Vec<Unquoted>,
    unpaid: &Unpaid,
) -> RenewView {
    let shown: BTreeSet<OrderId> = arrangement.placed.iter().map(|order| order.id.clone()).collect();
    let others = ids.iter().filter(|id| !shown.contains(*id)).filter_map(|id| state.orders.get(id)).cloned();
    let adopted: BTreeMap<OrderId, Order> = others.map(|order| (order.id.clone(), order)).collect();
    let arrangement = Arrangement { adopted: adopted.into_values().collect(), ..arrangement };
    not_paid(renew_view(state, arrangement, &refused, false), unpaid)
}

/// The refunds that gateways were asked about, and those that this run has begun: of money that came too late.
fn refunds(state: &State, asked: &[Open], owner: &str, now: DateTime<Utc>) -> Vec<RunRefund> {
    let told = |order: &Order, refund: &Refund| {
        let open = Open::Refund(order.id.clone(), refund.number);
        asked.contains(&open) || (refund.owner == owner && now <= refund.started_at)
    };
    let of = |order: &Order| {
        let told = order.refunds.iter().filter(|refund| told(order, refund));
        let view = |refund| RunRefund { order: order.id.clone(), refund: refund_view(refund, order.time_zone) };
        told.map(view).collect::<Vec<_>>()
    };
    state.orders.values().flat_map(of).collect()
}

/// What the orders that were settled since this moment cost, by an attempt of this run or one that it asked about: what
/// another process charged meanwhile is told there.
fn charged(state: &State, asked: &[Open], owner: &str, now: DateTime<Utc>) -> crate::view::Totals {
    let mut totals = crate::view::Totals::new();
    let is_own = |order: &Order, paid: &Attempt| {
        paid.owner == owner || asked.contains(&Open::Attempt(order.id.clone(), paid.number))
    };
    for order in state.orders.values() {
        let is_new = matches!(order.status, OrderStatus::Settled { at, .. } if now <= at);
        if is_new && order.paid_by().is_some_and(|paid| is_own(order, paid)) {
            add_total(&mut totals, order.total);
        }
    }
    totals
}
