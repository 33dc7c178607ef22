//! A run: what time, gateways and policies make due is done, once.
//!
//! In this order: phases and ends of terms, gateways asked for what is unknown, automatic renewals ordered, due orders
//! paid. What cannot be done is an item of the answer, and is tried again at the next run.

mod due;

use crate::arrange::{Arrangement, Ask, arrange};
use crate::cashier::{Budget, Unpaid};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::reconciling::open_ends;
use crate::report::{finish, renew_view};
use crate::view::{RenewView, RunView, TimeNote, add_total};
use chrono::{DateTime, Utc};
use due::{Due, pays};
use renewd_core::calendar::rfc3339_in;
use renewd_core::cover::{Cover, mode_of};
use renewd_core::decide;
use renewd_core::documents::FailurePolicy;
use renewd_core::event::Event;
use renewd_core::ids::{OrderId, ResourceId};
use renewd_core::money::Money;
use renewd_core::order::{Order, OrderStatus, Origin};
use renewd_core::quote::{Quote, Wish};
use renewd_core::refusal::{Reason, Refusal, Verdict};
use renewd_core::resource::Resource;
use renewd_core::state::State;
use std::collections::{BTreeMap, BTreeSet};

/// How a run is made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunOptions {
    /// At most these sums are charged, by currency; another currency is then not charged at all. No sums: no limit.
    pub max_charge: Vec<Money>,
    /// One order for all due automatic renewals of an account and method list, instead of one for each resource.
    pub group: bool,
}

impl Engine {
    /// Does what is due.
    ///
    /// # Errors
    /// There is no store, or it fails. What cannot be renewed is an item of the answer, not an error.
    pub fn run(&self, options: &RunOptions) -> Result<RunView, EngineError> {
        let now = self.now();
        let (notes, expired) = self.note_time(now)?;
        let asked = self.ask_what_is_open(now)?;
        let (arrangement, refused) = self.order_due(options, now)?;
        let (paid, unpaid) = self.pay_due(options, now)?;
        let mut orders: BTreeSet<OrderId> = paid.into_iter().collect();
        orders.extend(arrangement.placed.iter().map(|order| order.id.clone()));
        let ids: Vec<OrderId> = orders.into_iter().chain(asked.iter().cloned()).collect();
        self.finish_refunds(&ids)?;
        let state = self.state_with_orders(&ids, now)?;
        let renewals = run_items(&state, &ids, arrangement, refused, &unpaid);
        let charged = charged(&state, now);
        Ok(RunView { at: rfc3339_in(now, chrono_tz::UTC), charged, renewals, time: notes, expired, asked: asked.len() })
    }

    /// Journals what time did: phases, conversions, ends, releases, expired orders.
    fn note_time(&self, now: DateTime<Utc>) -> Result<(Vec<TimeNote>, Vec<OrderId>), EngineError> {
        let mut desk = self.desk(now)?;
        let mut events = Vec::new();
        for resource in desk.state.resources.values() {
            let cover = Cover::find(resource, desk.state.policies());
            events.extend(decide::time_passes(resource, mode_of(resource, &cover, now).0, now));
        }
        let notes = events.iter().filter_map(|event| due::time_note(&desk.state, event)).collect();
        let expired = desk.state.orders.values().filter(|order| matches!(order.status, OrderStatus::Expired { .. }));
        let expired = expired.map(|order| order.id.clone()).collect();
        crate::failpoint("run.before-time");
        desk.push(events);
        desk.commit()?;
        crate::failpoint("run.after-time");
        Ok((notes, expired))
    }

    /// Asks gateways for everything whose next look is due. Answers the orders that it was about.
    fn ask_what_is_open(&self, now: DateTime<Utc>) -> Result<Vec<OrderId>, EngineError> {
        let open = {
            let desk = self.desk(now)?;
            open_ends(desk.state.orders.values(), Some(now))
        };
        self.look(&open)?;
        let mut orders: Vec<OrderId> = open.iter().map(|open| open.order().clone()).collect();
        orders.dedup();
        Ok(orders)
    }

    /// Orders the automatic renewals that are due, soonest expiry first.
    fn order_due(
        &self,
        options: &RunOptions,
        now: DateTime<Utc>,
    ) -> Result<(Arrangement, Vec<(ResourceId, Verdict, Refusal)>), EngineError> {
        let snapshot = self.snapshot(now)?;
        let Due { resources, blocked } = due::due(&snapshot.state, now);
        let wishes: Vec<(&Resource, Wish)> = resources.iter().map(|row| (*row, Wish::default())).collect();
        let (mut quotes, mut refused) = self.quote_wishes(&snapshot.state, snapshot.blobs(), wishes, None, now)?;
        quotes.sort_by_key(|quote| (quote.prepared.old_end.expiry.instant(), quote.prepared.resource.clone()));
        let failed = failed_tries(&snapshot.state, &refused);
        refused.extend(blocked);
        crate::failpoint("run.before-order");
        let mut desk = self.desk(now)?;
        let mut trial = desk.state.clone();
        let mut arrangement = Arrangement { real: true, ..Arrangement::default() };
        let single: Vec<Vec<Quote>> = match options.group {
            true => vec![quotes],
            false => quotes.into_iter().map(|quote| vec![quote]).collect(),
        };
        for quotes in single.iter().filter(|quotes| !quotes.is_empty()) {
            let next_sequence = desk.next_sequence().saturating_add(arrangement.events.len() as u64);
            let ask = Ask { origin: Origin::Auto, pay_with: None, max_total: None, now, next_sequence };
            let placed = arrange(&mut trial, quotes, &ask);
            arrangement.placed.extend(placed.placed);
            arrangement.adopted.extend(placed.adopted);
            arrangement.events.extend(placed.events);
            arrangement.refused.extend(placed.refused);
        }
        desk.push(failed);
        desk.push(arrangement.events.clone());
        desk.commit()?;
        crate::failpoint("run.after-order");
        Ok((arrangement, refused))
    }

    /// Pays the orders that are due, soonest expiry first.
    fn pay_due(&self, options: &RunOptions, now: DateTime<Utc>) -> Result<(Vec<OrderId>, Unpaid), EngineError> {
        let ids: Vec<OrderId> = {
            let desk = self.desk(now)?;
            let mut due: Vec<&Order> =
                desk.state.orders.values().filter(|order| pays(&desk.state, order, now)).collect();
            let soonest = |order: &Order| order.lines.iter().map(|line| line.prepared.old_end.expiry.instant()).min();
            due.sort_by_key(|order| (soonest(order), order.id.clone()));
            due.into_iter().map(|order| order.id.clone()).collect()
        };
        let unpaid = self.pay_orders(&ids, None, &mut Budget::of(&options.max_charge))?;
        Ok((ids, unpaid))
    }
}

/// Renewals that could not be priced, where their policy counts that as a failed attempt.
fn failed_tries(state: &State, refused: &[(ResourceId, Verdict, Refusal)]) -> Vec<Event> {
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
    refused: Vec<(ResourceId, Verdict, Refusal)>,
    unpaid: &Unpaid,
) -> RenewView {
    let shown: BTreeSet<OrderId> = arrangement.placed.iter().map(|order| order.id.clone()).collect();
    let others = ids.iter().filter(|id| !shown.contains(*id)).filter_map(|id| state.orders.get(id)).cloned();
    let adopted: BTreeMap<OrderId, Order> = others.map(|order| (order.id.clone(), order)).collect();
    let arrangement = Arrangement { adopted: adopted.into_values().collect(), ..arrangement };
    let mut view = renew_view(state, arrangement, &refused, false);
    for (order, refusal) in unpaid {
        crate::renewing::not_paid(&mut view, order, refusal);
    }
    let RenewView { items, orders, dry_run, .. } = view;
    finish(items, orders, dry_run)
}

/// What the orders that were settled at this moment cost.
fn charged(state: &State, now: DateTime<Utc>) -> crate::view::Totals {
    let mut totals = crate::view::Totals::new();
    for order in state.orders.values() {
        if matches!(order.status, OrderStatus::Settled { at, .. } if now <= at) {
            add_total(&mut totals, order.total);
        }
    }
    totals
}
